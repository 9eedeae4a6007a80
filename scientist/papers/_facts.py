"""Facts: the closed set of numbers and words that a paper may print, derived from its artefacts by pure rules.

Running :func:`build_facts` again on the same artefacts gives the same facts; that is how the audit finds one that was
bent afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scientist.experiments import Analysis, ContrastEstimate, Estimate, RunResult, Study
from scientist.experiments._study import Contrast
from scientist.ideas._idea import Idea, Tuning
from scientist.lab import KnobValue, sha256_file
from scientist.papers._records import Fact, Facts
from scientist.template import Metric, Split, Template

VERDICT_WORDS = {
    "supported": "supported",
    "contradicted": "contradicted",
    "negligible": "too small to matter",
    "equivalent": "no difference beyond the margin",
    "inconclusive": "inconclusive",
    "untested": "not tested",
}
LETTERS = "abcdefghijklmnopqrstuvwxyz"

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"$<$",
    ">": r"$>$",
}


def escape(text: str) -> str:
    """Plain text as LaTeX: special characters escaped, control characters dropped."""
    return "".join(_ESCAPES.get(char, char) for char in text if char.isprintable())


def printed(value: float, metric: Metric) -> str:
    """A value or difference of a metric as the paper prints it; never '-0.0'."""
    text = f"{value * metric.scale:.{metric.digits}f}"
    return text.lstrip("-") if float(text) == 0 else text


def counted(value: int) -> str:
    """A count: thousands set apart by a thin space from five digits on, as is usual in print."""
    return f"{value:,}".replace(",", r"\,") if abs(value) >= 10_000 else str(value)


def printed_p(p: float) -> str:
    """A p-value: three decimals, or below a thousandth."""
    return "$<$0.001" if p < 0.001 else f"{p:.3f}"


class _Collector:
    """Gathers facts; each names the file it stands in, whose hash is taken once."""

    def __init__(self, paper: Path) -> None:
        self.paper = paper
        self.facts: list[Fact] = []
        self._hashes: dict[str, str] = {}

    def add(
        self,
        fact_id: str,
        value: KnobValue,
        text: str,
        title: str,
        kind: str,
        file: str,
        pointer: str,
        *,
        unit: str = "",
        n: int | None = None,
        runs: Sequence[str] = (),
    ) -> None:
        if file not in self._hashes:
            self._hashes[file] = sha256_file(self.paper / file)
        self.facts.append(
            Fact.model_validate(
                {
                    "id": fact_id,
                    "value": value,
                    "text": text,
                    "unit": unit,
                    "kind": kind,
                    "title": title,
                    "n": n,
                    "runs": tuple(runs),
                    "file": file,
                    "pointer": pointer,
                    "sha256": self._hashes[file],
                }
            )
        )


def build_facts(
    paper: Path, template: Template, idea: Idea, study: Study, analysis: Analysis, results: Sequence[RunResult]
) -> Facts:
    """Every fact of a paper, in a fixed order: declared, counted, measured, derived."""
    into = _Collector(paper)
    _declared(into, template, idea, study)
    _counted(into, study, analysis)
    _measured(into, template, study, results)
    _derived(into, template, study, analysis, results)
    return Facts(study_sha256=study.digest(), facts=tuple(into.facts))


def _declared(into: _Collector, template: Template, idea: Idea, study: Study) -> None:
    metric = template.metric(study.metric)

    def declare(name: str, value: KnobValue, text: str, title: str, pointer: str, unit: str = "") -> None:
        into.add(f"study.{name}", value, text, title, "declared", "study.json", pointer, unit=unit)

    declare("alpha", study.alpha, f"{study.alpha * 100:g}", "family-wise error rate", "/alpha", r"\%")
    declare(
        "ci_level", study.alpha, f"{100 - study.alpha * 100:g}", "confidence level of every interval", "/alpha", r"\%"
    )
    declare("power", study.power, f"{study.power * 100:g}", "wanted power", "/power", r"\%")
    declare(
        "smallest_effect",
        study.smallest_effect,
        printed(study.smallest_effect, metric),
        "smallest effect worth caring about",
        "/smallest_effect",
        metric.difference,
    )
    pilot = study.pilot
    declare("needed_seeds", pilot.needed, str(pilot.needed), "seeds that the wanted power asks for", "/pilot/needed")
    declare(
        "expected_power",
        pilot.expected_power,
        f"{pilot.expected_power * 100:.0f}",
        "power expected at the primary contrast with the seeds used",
        "/pilot/expected_power",
        r"\%",
    )
    into.add(
        "study.sha",
        study.digest(),
        study.digest()[:12],
        "hash of the frozen study (first digits)",
        "word",
        "study.json",
        "",
    )
    for name, what in (
        ("title", "title"),
        ("question", "question"),
        ("hypothesis", "hypothesis"),
        ("why", "motivation"),
    ):
        text = getattr(idea, name)
        into.add(f"idea.{name}", text, escape(text), f"the {what} as declared", "word", "idea.md", f"/{name}")
    for letter, (index, use) in zip(LETTERS, enumerate(idea.lessons), strict=False):
        for part in ("text", "change"):
            value = getattr(use, part)
            title = "a lesson of an earlier review" if part == "text" else "what that lesson changed"
            into.add(
                f"idea.lesson_{letter}.{part}",
                value,
                escape(value),
                title,
                "word",
                "idea.md",
                f"/lessons/{index}/{part}",
            )
    if isinstance(idea.design, Tuning):
        trials = idea.design.trials
        into.add(
            "study.trials",
            trials,
            str(trials),
            "runs per seed of a tuned variant",
            "declared",
            "idea.md",
            "/design/trials",
        )
    for index, variant in enumerate(study.variants):
        title = escape(variant.title)
        into.add(
            f"variant.{variant.name}.title",
            variant.title,
            title,
            f"name of variant {variant.name}",
            "word",
            "study.json",
            f"/variants/{index}/title",
        )
        for name, value in sorted(variant.knobs.items()):
            knob = template.knob(name)
            into.add(
                f"set.{variant.name}.{name}",
                value,
                escape(knob.label(value)),
                f"{knob.title} of variant {variant.name}",
                "declared",
                "study.json",
                f"/variants/{index}/knobs/{name}",
            )
    for index, contrast in enumerate(study.contrasts):
        into.add(
            f"contrast.{contrast.id}.title",
            contrast.title,
            escape(contrast.title),
            f"name of contrast {contrast.id}",
            "word",
            "study.json",
            f"/contrasts/{index}/title",
        )
        into.add(
            f"c.{contrast.id}.margin",
            contrast.smallest_effect,
            printed(contrast.smallest_effect, metric),
            f"smallest effect worth caring about: {contrast.title}",
            "declared",
            "study.json",
            f"/contrasts/{index}/smallest_effect",
            unit=metric.difference,
        )
    for dataset, described in sorted(study.data.items()):
        for key, value in sorted(described.items()):
            text = counted(value) if isinstance(value, int) else escape(str(value))
            into.add(
                f"data.{dataset}.{key}",
                value,
                text,
                f"{key} of data set {dataset}",
                "word" if isinstance(value, str) else "declared",
                "study.json",
                f"/data/{dataset}/{key}",
            )


def _counted(into: _Collector, study: Study, analysis: Analysis) -> None:
    pilot_runs = len(study.pilot.seeds)
    counts = {
        "n_seeds": (len(study.seeds), "seeds per variant", "study.json", "/seeds/#"),
        "n_variants": (len(study.variants), "variants", "study.json", "/variants/#"),
        "n_contrasts": (len(study.contrasts), "declared contrasts", "study.json", "/contrasts/#"),
        "pilot_seeds": (pilot_runs, "seeds of the pilot", "study.json", "/pilot/seeds/#"),
        "n_runs": (analysis.n_runs, "runs of the study, tuning trials included", "analysis.json", "/n_runs"),
        "n_failed": (analysis.n_failed, "runs without a result", "analysis.json", "/n_failed"),
    }
    for name, (value, title, file, pointer) in counts.items():
        into.add(f"study.{name}", value, counted(value), title, "counted", file, pointer)


def _measured(into: _Collector, template: Template, study: Study, results: Sequence[RunResult]) -> None:
    metric = template.metric(study.metric)
    for result in results:
        if result.status != "ok":
            continue
        run = f"{result.variant}/seed-{result.seed}"
        for split in sorted(result.metrics):
            value = result.metrics[split][metric.name]
            into.add(
                f"run.{result.variant}.s{result.seed}.{split}",
                value,
                printed(value, metric),
                f"{metric.title} on {split} of {run}",
                "measured",
                f"runs/{run}/result.json",
                f"/metrics/{split}/{metric.name}",
                unit=metric.unit,
                n=1,
                runs=(run,),
            )


def _derived(
    into: _Collector, template: Template, study: Study, analysis: Analysis, results: Sequence[RunResult]
) -> None:
    good: dict[str, list[int]] = {}
    for result in results:
        if result.status == "ok":
            good.setdefault(result.variant, []).append(result.seed)
    for index, summary in enumerate(analysis.variants):
        runs = [f"{summary.name}/seed-{seed}" for seed in good.get(summary.name, [])]
        for split, by_metric in sorted(summary.estimates.items()):
            for name, estimate in sorted(by_metric.items()):
                if name != study.metric and split != "keep":
                    continue  # secondary metrics are printed on keep alone
                metric = template.metric(name)
                _estimate(
                    into,
                    f"v.{summary.name}.{split}.{name}",
                    estimate,
                    metric,
                    f"{metric.title} of {summary.name} on {split}",
                    f"/variants/{index}/estimates/{split}/{name}",
                    runs,
                )
    metric = template.metric(study.metric)
    for index, (contrast, outcome) in enumerate(zip(study.contrasts, analysis.contrasts, strict=True)):
        runs = _contrast_runs(contrast, good)
        where = f"/contrasts/{index}"
        for split, value in sorted(outcome.estimates.items()):
            _contrast(into, contrast, split, value, metric, f"{where}/estimates/{split}", runs)
        for name, what in (("p_holm", "Holm-adjusted p"), ("p_equivalence_holm", "Holm-adjusted p of equivalence")):
            p = getattr(outcome, name)
            if p is not None:
                into.add(
                    f"c.{contrast.id}.{name}",
                    p,
                    printed_p(p),
                    f"{what}: {contrast.title}",
                    "derived",
                    "analysis.json",
                    f"{where}/{name}",
                    n=outcome.estimates["keep"].n,
                    runs=runs,
                )
        into.add(
            f"c.{contrast.id}.verdict",
            outcome.verdict,
            VERDICT_WORDS[outcome.verdict],
            f"verdict: {contrast.title}",
            "word",
            "analysis.json",
            f"{where}/verdict",
            runs=runs,
        )


def _estimate(
    into: _Collector, prefix: str, estimate: Estimate, metric: Metric, title: str, pointer: str, runs: Sequence[str]
) -> None:
    if estimate.mean is None:
        return
    names = {
        "mean": "mean",
        "sd": "standard deviation",
        "ci_low": "interval, lower end",
        "ci_high": "interval, upper end",
    }
    for name, what in names.items():
        value = getattr(estimate, name)
        if value is not None:
            into.add(
                f"{prefix}.{name}",
                value,
                printed(value, metric),
                f"{title}, {what}",
                "derived",
                "analysis.json",
                f"{pointer}/{name}",
                unit=metric.unit if name != "sd" else metric.difference,
                n=estimate.n,
                runs=runs,
            )
    into.add(
        f"{prefix}.n",
        estimate.n,
        str(estimate.n),
        f"{title}, runs",
        "counted",
        "analysis.json",
        f"{pointer}/n",
        runs=runs,
    )


def _contrast(
    into: _Collector,
    contrast: Contrast,
    split: Split,
    value: ContrastEstimate,
    metric: Metric,
    pointer: str,
    runs: Sequence[str],
) -> None:
    if value.mean is None:
        return
    prefix, title = f"c.{contrast.id}.{split}", f"{contrast.title}, on {split}"
    numbers: list[tuple[str, str, float | None, str, str]] = [
        ("mean", "mean", value.mean, printed(value.mean, metric), "mean difference"),
        ("abs", "mean", abs(value.mean), printed(abs(value.mean), metric), "size of the mean difference"),
        ("sd", "sd", value.sd, printed(value.sd or 0.0, metric), "standard deviation of the paired differences"),
        ("ci_low", "ci_low", value.ci_low, printed(value.ci_low or 0.0, metric), "interval, lower end"),
        ("ci_high", "ci_high", value.ci_high, printed(value.ci_high or 0.0, metric), "interval, upper end"),
        ("dz", "dz", value.dz, f"{value.dz or 0.0:.2f}", "standardised mean difference d_z"),
        ("p", "p", value.p, printed_p(value.p or 0.0), "p, paired t test"),
    ]
    for name, key, number, text, what in numbers:
        if number is not None:
            into.add(
                f"{prefix}.{name}",
                number,
                text,
                f"{title}: {what}",
                "derived",
                "analysis.json",
                f"{pointer}/{key}",
                unit="" if name in ("dz", "p") else metric.difference,
                n=value.n,
                runs=runs,
            )
    into.add(
        f"{prefix}.n",
        value.n,
        str(value.n),
        f"{title}: paired seeds",
        "counted",
        "analysis.json",
        f"{pointer}/n",
        runs=runs,
    )


def _contrast_runs(contrast: Contrast, good: dict[str, list[int]]) -> list[str]:
    shared = set.intersection(*(set(good.get(name, [])) for name in contrast.weights))
    return [f"{name}/seed-{seed}" for name in sorted(contrast.weights) for seed in good.get(name, []) if seed in shared]
