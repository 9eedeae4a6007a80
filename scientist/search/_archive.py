"""The archive: what the lab's finished papers tried, and what they found. Policies choose from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from scientist.errors import RecordError
from scientist.experiments._results import Analysis, Verdict
from scientist.experiments._study import Contrast, Study, Variant
from scientist.ideas._similarity import CODE
from scientist.lab import KnobValue, Record, read_json

NodeStatus = Literal["ok", "partial", "failed"]


class Change(Record):
    """One knob that a contrast varied, from the value it was compared with to the value it was given.

    A knob that a tuner chose has the sampler as its `to` value: 'tuned by tpe'.
    """

    knob: str
    start: KnobValue
    to: KnobValue


class Effect(Record):
    """A finding: one declared contrast of a finished paper. Means are in raw units of `metric`, on *keep*."""

    template: str
    paper: str
    contrast: str
    kind: Literal["difference", "trend", "interaction"]
    primary: bool
    changes: tuple[Change, ...]
    datasets: tuple[str, ...]
    metric: str
    n: int
    mean: float | None
    ci_low: float | None
    ci_high: float | None
    verdict: Verdict
    holds_on_final: bool | None

    @property
    def dataset(self) -> str:
        """The data set, or several joined by ' and '."""
        return " and ".join(self.datasets)

    @property
    def knobs(self) -> tuple[str, ...]:
        """The knobs that the contrast varied."""
        return tuple(change.knob for change in self.changes)

    @property
    def claimed(self) -> bool:
        """The paper may claim a direction: supported as declared, or its opposite."""
        return self.verdict in ("supported", "contradicted") and bool(self.mean)


class Node(Record):
    """One variant of a finished paper: what it was set to and how it did. split -> metric -> (mean, n seeds)."""

    template: str
    paper: str
    variant: str
    knobs: dict[str, KnobValue]
    dataset: str
    tuned: tuple[str, ...] = ()
    metrics: dict[str, dict[str, tuple[float | None, int]]]
    status: NodeStatus


@dataclass(frozen=True)
class Archive:
    """Every variant and finding of the finished papers. Queries are pure; `skipped` says which papers could not be read."""

    nodes: tuple[Node, ...] = ()
    findings: tuple[Effect, ...] = ()
    skipped: tuple[str, ...] = ()

    @classmethod
    def load(cls, papers: Path) -> Archive:
        """Read `study.json` and `analysis.json` of every paper that has both; an unreadable pair is skipped, with a line."""
        nodes: list[Node] = []
        findings: list[Effect] = []
        skipped: list[str] = []
        for folder in sorted(path.parent for path in papers.glob("*/analysis.json")):
            try:
                study = read_json(Study, folder / "study.json")
                analysis = read_json(Analysis, folder / "analysis.json")
                read = _nodes(study, analysis), _findings(study, analysis)
            except RecordError as error:
                skipped.append(str(error))
            except StopIteration:
                skipped.append(
                    f"{folder}: analysis.json is about variants or contrasts that study.json does not declare"
                )
            else:  # a paper is taken whole or not at all
                nodes += read[0]
                findings += read[1]
        return cls(tuple(nodes), tuple(findings), tuple(skipped))

    def of(self, template: str) -> Archive:
        """The part of the archive about one template."""
        return replace(
            self,
            nodes=tuple(node for node in self.nodes if node.template == template),
            findings=tuple(effect for effect in self.findings if effect.template == template),
        )

    def effects(
        self, knob: str | None = None, dataset: str | None = None, paper: str | None = None
    ) -> tuple[Effect, ...]:
        """The findings in which `knob` was varied, on `dataset`, in `paper`; None means any."""
        return tuple(
            effect
            for effect in self.findings
            if (knob is None or knob in effect.knobs)
            and (dataset is None or dataset in effect.datasets)
            and (paper is None or paper == effect.paper)
        )

    def tried(self, knob: str, dataset: str | None = None) -> bool:
        """Whether any finished paper varied `knob` (on `dataset`, if one is named)."""
        return bool(self.effects(knob, dataset))

    def best(
        self,
        metric: str,
        maximize: bool = True,
        split: str = "keep",
        dataset: str | None = None,
        count: int = 1,
    ) -> tuple[Node, ...]:
        """The `count` variants with the best mean of `metric` on `split`; ties go by paper and name."""

        def mean(node: Node) -> float | None:
            return node.metrics.get(split, {}).get(metric, (None, 0))[0]

        scored = [
            (value if not maximize else -value, node.paper, node.variant, node)
            for node in self.nodes
            if (dataset is None or node.dataset == dataset) and (value := mean(node)) is not None
        ]
        return tuple(entry[3] for entry in sorted(scored, key=lambda entry: entry[:3])[:count])


def _dataset(study: Study, variant: Variant) -> str:
    """The data set of a variant: the value that the study describes, else that of a knob called `dataset`."""
    for value in variant.knobs.values():
        if isinstance(value, str) and value in study.data:
            return value
    return str(variant.knobs.get("dataset", next(iter(sorted(study.data)), "")))


def _nodes(study: Study, analysis: Analysis) -> list[Node]:
    nodes = []
    for summary in analysis.variants:
        variant = study.variant(summary.name)
        nodes.append(
            Node(
                template=study.template,
                paper=study.slug,
                variant=variant.name,
                knobs=variant.knobs,
                dataset=_dataset(study, variant),
                tuned=variant.tuner.knobs if variant.tuner else (),
                metrics={
                    split: {name: (estimate.mean, estimate.n) for name, estimate in metrics.items()}
                    for split, metrics in summary.estimates.items()
                },
                status="failed" if not summary.n_ok else "partial" if summary.n_failed else "ok",
            )
        )
    return nodes


def _findings(study: Study, analysis: Analysis) -> list[Effect]:
    findings = []
    for result in analysis.contrasts:
        contrast = next(c for c in study.contrasts if c.id == result.id)
        keep = result.estimates.get("keep")
        variants = [study.variant(name) for name in contrast.weights]
        findings.append(
            Effect(
                template=study.template,
                paper=study.slug,
                contrast=contrast.id,
                kind=contrast.kind,
                primary=contrast == study.primary,
                changes=_changes(study, contrast),
                datasets=tuple(dict.fromkeys(_dataset(study, variant) for variant in variants)),
                metric=study.metric,
                n=keep.n if keep else 0,
                mean=keep.mean if keep else None,
                ci_low=keep.ci_low if keep else None,
                ci_high=keep.ci_high if keep else None,
                verdict=result.verdict,
                holds_on_final=result.holds_on_final,
            )
        )
    return findings


def _changes(study: Study, contrast: Contrast) -> tuple[Change, ...]:
    """The knobs in which the weighed variants differ.

    Values go from the variants that are subtracted to those that are added; in an interaction, where both signs
    occur at each value, from the reference variant to the other value.
    """
    order = sorted(contrast.weights, key=lambda name: (contrast.weights[name], name))
    variants: Sequence[Variant] = [study.variant(name) for name in order if contrast.weights[name]]
    if not variants:
        return ()
    low, high = variants[0], variants[-1]
    if contrast.kind == "interaction":
        low = next((variant for variant in variants if variant.role == "reference"), low)
    added = [variant for variant in variants if contrast.weights[variant.name] > 0]
    taken = [variant for variant in variants if contrast.weights[variant.name] < 0]
    changes: list[Change] = []
    if low.code != high.code:
        changes.append(Change(knob=CODE, start=low.title, to=high.title))
    for knob, start in low.knobs.items():
        if high.tuner and high.tuner != low.tuner and knob in high.tuner.knobs:
            changes.append(Change(knob=knob, start=start, to=f"tuned by {high.tuner.sampler}"))
            continue
        if contrast.kind != "interaction" and _values(added, knob) == _values(taken, knob):
            continue  # averaged over, as the data sets of a transfer are
        # The last that differs is the one with the largest weight.
        differing = [variant.knobs[knob] for variant in variants if variant.knobs.get(knob, start) != start]
        if differing:
            changes.append(Change(knob=knob, start=start, to=differing[-1]))
    return tuple(changes)


def _values(variants: Sequence[Variant], knob: str) -> set[tuple[str, KnobValue]]:
    return {(type(value).__name__, value) for variant in variants if (value := variant.knobs.get(knob)) is not None}
