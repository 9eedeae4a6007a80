"""Known values: what the best run reached, beside the best value that anybody is known to have reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scientist.experiments import RunResult, Study
from scientist.papers._collector import Collector
from scientist.papers._kinds import datasets_of
from scientist.papers._print import exact
from scientist.template import Direction, Metric, Template

KNOWN_KEYS = ("best_known", "bound")
"""What an evaluator may say about a data set in units of the objective."""

KNOWN_IN = "known_"
"""`known_<metric>`: the best known value in the units of another metric, those in which people speak of it."""

SAME = 1e-9
"""Relative distance below which two values are the same; results are stored with ten digits."""

CLOSE = 1e-6

Relation = Literal["short", "close", "reproduced", "optimum", "exceeds", "impossible"]


@dataclass(frozen=True)
class Best:
    """The best of several runs on one data set: selected afterwards, so it estimates nothing."""

    dataset: str
    value: float
    result: RunResult
    runs: tuple[str, ...]
    """Every run that it was selected from."""


def relate(value: float, best_known: float, bound: float | None, direction: Direction) -> Relation:
    """Where a value stands against the best known one, all in raw units of the objective.

    `reproduced` within :data:`SAME` (relative), `optimum` when a proven bound is there as well; `close` within
    :data:`CLOSE`; `exceeds` beyond; `impossible` beyond the bound.
    """
    sign = 1.0 if direction == "maximize" else -1.0
    scale = abs(best_known) or 1.0
    if bound is not None and sign * (value - bound) > SAME * max(abs(bound), scale):
        return "impossible"
    short = sign * (best_known - value) / scale
    if abs(short) <= SAME:
        return "optimum" if bound is not None and abs(bound - best_known) <= SAME * scale else "reproduced"
    if short < 0:
        return "exceeds"
    return "close" if short <= CLOSE else "short"


def best_of(template: Template, study: Study, results: Sequence[RunResult]) -> list[Best]:
    """The best run on every data set that has a known value; nothing for one without a valid run."""
    where = datasets_of(template, study)
    found = []
    for dataset, described in sorted(study.data.items()):
        if known_value(described.get("best_known")) is None:
            continue
        rows = [
            result
            for result in results
            if result.status == "ok"
            and where.get(result.variant) == dataset
            and study.metric in result.metrics.get(study.decide_on, {})
        ]
        if not rows:
            continue
        values = [row.metrics[study.decide_on][study.metric] for row in rows]
        best = max(values) if study.direction == "maximize" else min(values)
        runs = tuple(f"{row.variant}/seed-{row.seed}" for row in rows)
        found.append(Best(dataset, best, rows[values.index(best)], runs))
    return found


def known_value(value: float | int | str | None) -> float | None:
    """A number that an evaluator gave, or None for anything else."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def known_metric(template: Template, key: str) -> Metric | None:
    """The metric in whose units `key` says a known value; None for any other thing that an evaluator says."""
    name = key.removeprefix(KNOWN_IN)
    return next((metric for metric in template.metrics if key.startswith(KNOWN_IN) and metric.name == name), None)


def known_measure(template: Template, study: Study, dataset: str) -> Metric | None:
    """The metric in which a known value is spoken of, where that is not the objective."""
    described = study.data[dataset]
    found = [known_metric(template, key) for key in sorted(described) if known_value(described[key]) is not None]
    return next((metric for metric in found if metric is not None and metric.name != study.metric), None)


def known_facts(into: Collector, template: Template, study: Study, results: Sequence[RunResult]) -> None:
    """`best.<dataset>.<metric>`: every metric of the best run by the objective, and the runs it was selected from."""
    for best in best_of(template, study, results):
        run = f"{best.result.variant}/seed-{best.result.seed}"
        split = study.decide_on
        for name in sorted(best.result.metrics[split]):
            metric = template.metric(name)
            value = best.result.metrics[split][name]
            into.add(
                f"best.{best.dataset}.{name}",
                value,
                exact(value, metric),
                f"{metric.title} of the run with the best {template.metric(study.metric).title}",
                "selected",
                f"runs/{run}/result.json",
                f"/metrics/{split}/{name}",
                unit=metric.unit,
                n=len(best.runs),
                runs=(run,),
            )
        into.add(
            f"best.{best.dataset}.n",
            len(best.runs),
            str(len(best.runs)),
            f"runs that the best one on {best.dataset} was selected from",
            "counted",
            f"runs/{best.runs[0]}/result.json",
            f"/metrics/{split}/{study.metric}",
            runs=best.runs,
        )
