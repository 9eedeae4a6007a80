"""What a review is made from: a paper's records, and a few plain measures of its text. Pure once loaded."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from scientist.errors import RecordError
from scientist.experiments import Analysis, Contrast, ContrastEstimate, ContrastResult, Study
from scientist.ideas import (
    Comparison,
    DoseResponse,
    Idea,
    Interaction,
    Modification,
    Robustness,
    Topic,
    Transfer,
    Tuning,
    read_idea,
)
from scientist.lab import KnobValue, read_json
from scientist.literature import Novelty
from scientist.papers import Audit, Cited, Facts, Finding, Manuscript, constant, find_citations, plain
from scientist.template import Metric, Template

CLAIMS = ("supported", "contradicted")
SETTLED = (*CLAIMS, "negligible", "equivalent")


@dataclass(frozen=True)
class Prose:
    """Measures of the text. Lengths are in words."""

    finding: str = ""
    abstract: int = 150
    sentence: float = 20.0
    """Mean length of a sentence in the body."""
    longest: int = 40
    longest_where: str = ""
    floats: int = 2
    unreferenced: tuple[str, ...] = ()
    limitations: str = ""
    """Plain text of the sections on limitations, in small letters."""
    disclosed: bool = True


@dataclass(frozen=True)
class Evidence:
    """Everything the rules may look at."""

    template: Template
    idea: Idea
    study: Study
    analysis: Analysis
    novelty: Novelty
    findings: tuple[Finding, ...] = ()
    prose: Prose = Prose()
    citations: tuple[Cited, ...] = ()

    # -- what the audit said -------------------------------------------------------------------------------------

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.severity == "warning")

    # -- the primary contrast ------------------------------------------------------------------------------------

    @property
    def primary(self) -> Contrast:
        return self.study.primary

    @property
    def outcome(self) -> ContrastResult:
        return self.analysis.contrast(self.primary.id)

    @property
    def keep(self) -> ContrastEstimate:
        return self.outcome.estimates.get("keep", ContrastEstimate(n=0, mean=None))

    @property
    def final(self) -> ContrastEstimate:
        return self.outcome.estimates.get("final", ContrastEstimate(n=0, mean=None))

    @property
    def settled(self) -> bool:
        """The declared test gave an answer, whichever it was."""
        return self.outcome.verdict in SETTLED

    @property
    def short_of_seeds(self) -> Topic | None:
        """The topic of remarks about spread: a lesson only where more seeds could still change the answer."""
        return None if self.settled or self.outcome.verdict == "futile" or self.never_varies else "underpowered"

    @property
    def never_varies(self) -> bool:
        """The primary contrast went untested because every run of its variants gave one and the same number."""
        return self.outcome.verdict == "untested" and all(
            constant(self.analysis.variant(name).estimates.get("keep", {}).get(self.study.metric))
            for name in self.primary.weights
        )

    @property
    def margin(self) -> float:
        """The margin that width and size are measured by: the idea's, but never wider than the task's own.

        Otherwise an idea could make any interval look narrow by calling only huge effects worth caring about.
        """
        return min(self.primary.smallest_effect, self.template.objective.smallest_effect)

    @property
    def width(self) -> float:
        """Half the primary interval on keep, in margins; infinite where there is no interval."""
        low, high = self.keep.ci_low, self.keep.ci_high
        return math.inf if low is None or high is None else (high - low) / 2 / self.margin

    @property
    def size(self) -> float:
        """The primary effect on keep, in margins; 0 where there is none."""
        return abs(self.keep.mean or 0.0) / self.margin

    # -- scope ---------------------------------------------------------------------------------------------------

    @property
    def seeds(self) -> int:
        return len(self.study.seeds)

    @property
    def many(self) -> str:
        """'seeds', or 'repetitions' where runs take none."""
        return "seeds" if self.study.seeded else "repetitions"

    @property
    def self_reported(self) -> bool:
        """The metrics come from the code under test."""
        return self.study.judging == "self-reported"

    @property
    def held_out(self) -> bool:
        """There is a split that stays unopened until writing."""
        return self.study.confirm_on != "none"

    @property
    def failed_share(self) -> float:
        failed = sum(v.n_failed for v in self.analysis.variants)
        return failed / max(1, failed + sum(v.n_ok for v in self.analysis.variants))

    @cached_property
    def datasets(self) -> tuple[str, ...]:
        """The data sets in use, as their titles."""
        knob = next((k for k in self.template.knobs if k.role == "dataset"), None)
        if knob is None:
            return tuple(str(d.get("title", name)) for name, d in sorted(self.study.data.items())) or ("the data set",)
        values = dict.fromkeys(v.knobs.get(knob.name, knob.default) for v in self.study.variants)
        return tuple(knob.label(value) for value in values)

    @property
    def other_datasets(self) -> tuple[str, ...]:
        """Data sets that the template has and the study left out."""
        knob = next((k for k in self.template.knobs if k.role == "dataset"), None)
        return tuple(t for t in (knob.label(c) for c in knob.offered) if t not in self.datasets) if knob else ()

    @property
    def stressed(self) -> bool:
        """The effect was tried under more than one condition (stressor, second knob, other data sets)."""
        return isinstance(self.idea.design, Robustness | Transfer | Interaction)

    @property
    def metric(self) -> Metric:
        metric = self.template.metric(self.study.metric)
        return metric.model_copy(update={"title": f"{metric.title} (self-reported)"}) if self.self_reported else metric

    def titles(self, knobs: Sequence[str]) -> str:
        """Knobs as prose calls them."""
        titles = [self.template.knob(name).title for name in knobs]
        return " and ".join([", ".join(titles[:-1]), titles[-1]] if len(titles) > 1 else titles)

    @property
    def studied(self) -> str:
        """What the design changes on purpose, as prose calls it: its knobs, or the change of the code."""
        design = self.idea.design
        return (
            f"the change “{design.name}”" if isinstance(design, Modification) else self.titles(design_knobs(self.idea))
        )

    # -- numbers in words ----------------------------------------------------------------------------------------

    def value(self, raw: float | None) -> str:
        """A difference in printed units: '-3.2 points'."""
        if raw is None:
            return "nothing"
        unit = self.metric.difference or self.metric.unit.replace("\\", "")
        text = f"{raw * self.metric.scale:.{self.metric.digits}f}"
        return f"{text.lstrip('-') if float(text) == 0 else text}{f' {unit}' if unit else ''}"

    def interval(self, estimate: ContrastEstimate) -> str:
        """'-3.2 points [-4.1, -2.3]', or the mean alone where there is no interval."""
        if estimate.ci_low is None or estimate.ci_high is None:
            return self.value(estimate.mean)
        scale, digits = self.metric.scale, self.metric.digits
        ends = ", ".join(f"{end * scale:.{digits}f}" for end in (estimate.ci_low, estimate.ci_high))
        return f"{self.value(estimate.mean)} [{ends}]"


def p_words(p: float | None) -> str:
    """'p = 0.013', 'p < 0.001'."""
    return "no p" if p is None else "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def design_knobs(idea: Idea) -> tuple[str, ...]:
    """The knobs that a design turns on purpose, the treatment's first, without stressor or data set; none where code is changed."""
    design = idea.design
    if isinstance(design, DoseResponse | Comparison):
        return (design.knob,)
    if isinstance(design, Interaction):
        return (design.first, design.second)
    if isinstance(design, Robustness | Transfer):
        return tuple(design.treatment)
    return design.knobs if isinstance(design, Tuning) else ()


def treatment_values(study: Study, contrast: Contrast, knobs: Sequence[str]) -> dict[str, KnobValue]:
    """What the treated side of a contrast sets these knobs to: the values to carry over."""
    plus = [name for name, weight in contrast.weights.items() if weight > 0]
    if not plus:
        return {}
    treated = study.variant(plus[0])
    return {knob: treated.knobs[knob] for knob in knobs if knob in treated.knobs and treated.tuner is None}


def load_evidence(paper: Path, template: Template) -> Evidence:
    """Read a paper's records. Raises :class:`RecordError` naming the file that is missing or broken."""
    manuscript = read_json(Manuscript, paper / "manuscript.json")
    facts = read_json(Facts, paper / "facts.json")
    audited = read_json(Audit, paper / "audit.json")
    novelty = read_json(Novelty, paper / "novelty.json")
    return Evidence(
        template=template,
        idea=read_idea(paper / "idea.md"),
        study=read_json(Study, paper / "study.json"),
        analysis=read_json(Analysis, paper / "analysis.json"),
        novelty=novelty,
        findings=audited.findings,
        prose=measure(manuscript, facts, audited.findings),
        citations=find_citations(manuscript, novelty.references, facts).citations,
    )


def measure(manuscript: Manuscript, facts: Facts, findings: Sequence[Finding] = ()) -> Prose:
    """Measure a manuscript's text. What cannot be read (the audit says so) counts as empty."""
    lengths: list[tuple[int, str]] = []
    limitations, disclosed = [], False
    for section in manuscript.sections:
        words = [_plain(text, facts) for text in section.paragraphs]
        named = f"{section.id} {section.title} {' '.join(section.paragraphs)}".lower()
        if re.search(r"limitation", f"{section.id} {section.title}".lower()):
            limitations += words
        disclosed = disclosed or "disclos" in named
        if section.appendix:
            continue
        for number, text in enumerate(section.paragraphs, start=1):
            where = f"section {section.id}, paragraph {number}"
            lengths += [(length, where) for length in _sentence_lengths(text, facts)]
    counts = [length for length, _ in lengths]
    longest, where = max(lengths, default=(0, ""))
    return Prose(
        finding=_plain(manuscript.finding, facts),
        abstract=len(_plain(manuscript.abstract, facts).split()),
        sentence=sum(counts) / len(counts) if counts else 0.0,
        longest=longest,
        longest_where=where,
        floats=len(manuscript.figures) + len(manuscript.tables),
        unreferenced=tuple(f.where for f in findings if f.code in ("unused-label", "figure-unused", "table-unused")),
        limitations=" ".join(limitations).lower(),
        disclosed=disclosed,
    )


def _plain(fragment: str, facts: Facts) -> str:
    try:
        return plain(fragment, facts)
    except RecordError:
        return ""


def _sentence_lengths(fragment: str, facts: Facts) -> list[int]:
    # Split what the reader sees: a fact may print whole sentences, such as the hypothesis.
    sentences = re.split(r"(?<=[.?!])[”’\"')\]]*\s+(?=[A-Z“‘(\[]|- )", _plain(fragment, facts))
    lengths = [len(sentence.split()) for sentence in sentences]
    return [length for length in lengths if length >= 3]  # headings and floats are no sentences
