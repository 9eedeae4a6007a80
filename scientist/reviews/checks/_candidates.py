"""Which values of the runs a printed number can be: values, means over data sets, spreads, and changes between runs. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from scientist.reviews.checks._grid import HIGHER
from scientist.reviews.checks._rounding import interval, prints_as, unit_of, value_of
from scientist.reviews.checks._runs import Quantity, Runs

_OTHER_UNITS = {"min": 1 / 60, "h": 1 / 3600, "ms": 1000.0, "k": 1e-3, "K": 1e-3}
_CLOCK = re.compile(r"time|second|duration|latency", re.IGNORECASE)
Names = frozenset[str] | None
"""What words leave open: names of runs, data sets or metrics; None: anything."""


@dataclass(frozen=True)
class Wanted:
    """What the words around a number say that it is. An empty data set among `datasets` is the mean over all."""

    runs: Names = None
    datasets: Names = None
    metrics: Names = None

    def admits(self, one: Quantity) -> bool:
        """Whether a quantity is one of those that the words leave open."""
        return (
            (self.runs is None or one.run in self.runs)
            and (self.datasets is None or one.dataset in self.datasets)
            and (self.metrics is None or one.metric in self.metrics)
        )

    def nearness(self, one: Quantity) -> int:
        """How much of what the words say holds for a quantity; the metric counts most."""
        return (
            4 * (self.metrics is not None and one.metric in self.metrics)
            + 2 * (self.datasets is not None and one.dataset in self.datasets)
            + (self.runs is not None and one.run in self.runs)
        )


@dataclass(frozen=True)
class Change:
    """How a metric changed from one run to another, in percent of the first."""

    before: Quantity
    after: Quantity
    average: float | None = None
    """The mean of the changes of all data sets, where that is what is meant."""

    @property
    def percent(self) -> float:
        """Positive where the metric rose."""
        if self.average is not None:
            return self.average
        return (self.after.mean - self.before.mean) / abs(self.before.mean) * 100

    @property
    def place(self) -> str:
        """'moons · kl_divergence · run_2 to run_3'."""
        return f"{self.before.dataset or 'mean over data sets'} · {self.before.metric} · {self.before.run} to {self.after.run}"


def scales(one: Quantity, value: float, unit: str) -> tuple[float, ...]:
    """By what a quantity may be multiplied before it is printed: shares may stand as percentages."""
    if unit in ("%", "percent"):
        share = HIGHER.search(one.metric.replace("_", " ")) or "percent" in one.metric
        return (100.0,) if abs(one.mean) <= 1.0 + 1e-9 else (1.0,) if share else ()
    if unit in _OTHER_UNITS:
        return (_OTHER_UNITS[unit], 1.0) if unit in ("k", "K") or _CLOCK.search(one.metric) else ()
    return (1.0, 100.0) if abs(one.mean) <= 1.0 + 1e-9 < abs(value) else (1.0,)


def matching(quantities: Iterable[Quantity], value: float, text: str, unit: str) -> list[Quantity]:
    """The quantities that are printed so."""
    return [
        one for one in quantities if any(prints_as(one.mean * scale, value, text) for scale in scales(one, value, unit))
    ]


def spread_of(one: Quantity, value: float, unit: str, spread: str) -> str:
    """The name of the spread of a quantity that is printed so, or nothing."""
    for scale in scales(one, value, unit):
        for name, size in one.spreads().items():
            if prints_as(size * scale, value_of(spread), spread):
                return name
    return ""


def changes(runs: Runs, wanted: Wanted) -> Iterator[Change]:
    """The changes from a run to a later one, and from the baseline to any, that the words leave open.

    `wanted.runs` are the runs that a change may lead to.
    """
    order = {run.name: place for place, run in enumerate(runs.runs)}
    order[runs.baseline] = -1
    to = wanted.runs - {runs.baseline} if wanted.runs else None
    by_place: dict[tuple[str, str], list[Quantity]] = {}
    for one in runs.quantities:
        if (wanted.datasets is None or one.dataset in wanted.datasets) and (
            wanted.metrics is None or one.metric in wanted.metrics
        ):
            by_place.setdefault((one.dataset, one.metric), []).append(one)
    for group in by_place.values():
        for before in group:
            for after in group:
                if before.mean and order[before.run] < order[after.run] and (not to or after.run in to):
                    yield Change(before, after)


def mean_changes(runs: Runs, wanted: Wanted) -> Iterator[Change]:
    """From a run to a later one, the mean over the data sets of how much each changed."""
    every = Wanted(wanted.runs, None, wanted.metrics)
    by_step: dict[tuple[str, str, str], list[Change]] = {}
    for change in changes(runs, every):
        if change.before.dataset:
            by_step.setdefault((change.before.metric, change.before.run, change.after.run), []).append(change)
    for group in by_step.values():
        if len(group) > 1:
            first = group[0]
            average = sum(change.percent for change in group) / len(group)
            yield Change(replace(first.before, dataset=""), replace(first.after, dataset=""), average)


def says(change: Change, value: float, text: str, unit: str, slack: float, places: Collection[int]) -> bool:
    """Whether a change is printed so: in percent of the first run, in points of a share, or as a factor.

    `places`: decimals that the paper prints of these values; whoever takes the change of two printed values gets that of
    rounded ones.
    """
    sizes = _sizes(change, change.before.mean, change.after.mean, unit)
    for digits in places if change.average is None else ():
        a, b = round(change.before.mean, digits), round(change.after.mean, digits)
        if a:
            sizes += _sizes(Change(replace(change.before, mean=a), replace(change.after, mean=b)), a, b, unit)
    low, high = interval(abs(value), text)
    extra = unit_of(text) * slack
    return any(low - extra <= size <= high + extra or prints_as(size, abs(value), text) for size in sizes)


def _sizes(change: Change, a: float, b: float, unit: str) -> list[float]:
    if unit in ("x", "X", "×"):
        return [b / a, a / b] if b else [b / a]
    sizes = [abs(change.percent)]
    share = abs(a) <= 1.0 + 1e-9 and abs(b) <= 1.0 + 1e-9 and HIGHER.search(change.before.metric.replace("_", " "))
    return [*sizes, abs(b - a) * 100] if share and change.average is None else sizes
