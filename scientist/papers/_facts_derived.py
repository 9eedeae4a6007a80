"""Facts that are statistics over runs: what `analysis.json` says of variants and contrasts."""

from __future__ import annotations

from collections.abc import Sequence

from scientist.experiments import Analysis, ContrastEstimate, Estimate, RunResult, Study
from scientist.experiments._study import Contrast
from scientist.papers._collector import Collector
from scientist.papers._kinds import constant, seeds_word
from scientist.papers._print import printed, printed_p
from scientist.template import Metric, Split, Template

VERDICT_WORDS = {
    "supported": "supported",
    "contradicted": "contradicted",
    "negligible": "too small to matter",
    "equivalent": "no difference beyond the margin",
    "inconclusive": "inconclusive",
    "untested": "not tested",
    "futile": "stopped early, nothing is claimed",
}

SPREAD = ("sd", "ci_low", "ci_high")
"""Not printed where every run gave the same number: an interval of no width would pretend to know too much."""


def derived_facts(
    into: Collector, template: Template, study: Study, analysis: Analysis, results: Sequence[RunResult]
) -> None:
    many = seeds_word(study)
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
            _contrast(into, contrast, split, value, metric, f"{where}/estimates/{split}", runs, many)
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
    into: Collector, prefix: str, estimate: Estimate, metric: Metric, title: str, pointer: str, runs: Sequence[str]
) -> None:
    if estimate.mean is None:
        return
    names = {
        "mean": "mean",
        "sd": "standard deviation",
        "ci_low": "interval, lower end",
        "ci_high": "interval, upper end",
    }
    flat = constant(estimate)
    for name, what in names.items():
        value = getattr(estimate, name)
        if value is not None and not (flat and name in SPREAD):
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
    into: Collector,
    contrast: Contrast,
    split: Split,
    value: ContrastEstimate,
    metric: Metric,
    pointer: str,
    runs: Sequence[str],
    many: str,
) -> None:
    if value.mean is None:
        return
    flat = constant(value)
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
        if number is not None and not (flat and name in SPREAD):
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
        f"{title}: paired {many}",
        "counted",
        "analysis.json",
        f"{pointer}/n",
        runs=runs,
    )


def _contrast_runs(contrast: Contrast, good: dict[str, list[int]]) -> list[str]:
    shared = set.intersection(*(set(good.get(name, [])) for name in contrast.weights))
    return [f"{name}/seed-{seed}" for name in sorted(contrast.weights) for seed in good.get(name, []) if seed in shared]
