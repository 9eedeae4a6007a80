"""Learning curves: which series to show, and its mean with a pointwise interval. Self-reported; part of no test."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scientist.experiments import RunResult, Study, tidy
from scientist.experiments._curves import parse_point
from scientist.experiments._statistics import estimate
from scientist.papers._collector import Collector
from scientist.papers._kinds import constant, seeds_word
from scientist.papers._print import escape
from scientist.template import Series

CURVE = "curve.jsonl"
MOST_VARIANTS = 6
MOST_STEPS = 120
LEAST_POINTS = 3

Curve = tuple[tuple[float, float], ...]
"""(step, value) of one run, by rising steps; a step that was reported twice has its last value."""


@dataclass(frozen=True)
class Chosen:
    """The series that a paper shows: variant -> seed -> curve, with at least two variants in declared order."""

    series: str
    curves: Mapping[str, Mapping[int, Curve]]
    left_out: int
    """Variants with such a curve that do not fit into one figure."""


@dataclass(frozen=True)
class Band:
    """Mean of several curves at common steps. `low` and `high` are None where fewer than two runs have got so far."""

    steps: tuple[float, ...]
    mean: tuple[float, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    n: tuple[int, ...]


def choose_curves(
    folder: Path, study: Study, results: Sequence[RunResult], declared: Sequence[Series] = ()
) -> Chosen | None:
    """The most telling series of the runs below `folder`; None unless two variants have one in common.

    What the template declares comes first, in its order. Then a series named like the study's metric comes before one that shares words with it, then comes one that speaks of
    validation or test, then what most runs have. The reference and the variants of the primary contrast are shown
    before the others.
    """
    every: dict[str, dict[str, dict[int, Curve]]] = {}
    for result in results:
        if result.status != "ok":
            continue
        path = folder / "runs" / result.variant / f"seed-{result.seed}" / CURVE
        for name, curve in read_series(path).items():
            if len(curve) >= LEAST_POINTS:
                every.setdefault(name, {}).setdefault(result.variant, {})[result.seed] = curve
    shared = {name: found for name, found in every.items() if len(found) > 1}
    if not shared:
        return None
    wanted = [series.name for series in declared if series.name in shared]
    name = wanted[0] if wanted else min(shared, key=lambda one: _rank(one, study.metric, shared[one]))
    first = {v.name for v in study.variants if v.role == "reference"} | set(study.primary.weights)
    order = [v.name for v in study.variants if v.name in shared[name]]
    shown = sorted(order, key=lambda variant: (variant not in first, order.index(variant)))[:MOST_VARIANTS]
    curves = {variant: shared[name][variant] for variant in order if variant in shown}
    return Chosen(name, curves, len(order) - len(shown))


def _rank(name: str, metric: str, found: Mapping[str, Mapping[int, Curve]]) -> tuple[bool, int, bool, int, str]:
    words = set(name.lower().replace("/", "_").replace("-", "_").replace(".", "_").split("_"))
    judged = bool(words & {"val", "valid", "validation", "test", "eval"})
    common = len(words & set(metric.split("_")))
    return name != metric, -common, not judged, -sum(len(seeds) for seeds in found.values()), name


def read_series(path: Path) -> dict[str, Curve]:
    """name -> curve of one run's file; empty when there is none. Lines that are no points are passed over."""
    if path.is_symlink() or not path.is_file():
        return {}
    found: dict[str, dict[float, float]] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        point = parse_point(line)
        for name, value in (point or {}).items():
            if name != "step" and point is not None:
                found.setdefault(name, {})[float(point["step"])] = float(value)
    return {name: tuple(sorted(values.items())) for name, values in found.items()}


def band_of(curves: Sequence[Curve], confidence: float) -> Band:
    """Mean and Student interval at every step where a curve has a point, at most :data:`MOST_STEPS` of them.

    A curve counts between its first and its last step, interpolated linearly in between, and nowhere else. Intervals
    are pointwise: each holds at its own step, not all of them together.
    """
    grid = sorted({step for curve in curves for step, _ in curve})
    if len(grid) > MOST_STEPS:
        picked = np.linspace(0, len(grid) - 1, MOST_STEPS).round().astype(int)
        grid = [grid[place] for place in picked]
    mean, low, high, counts = [], [], [], []
    for step in grid:
        values = [
            float(np.interp(step, [x for x, _ in curve], [y for _, y in curve]))
            for curve in curves
            if curve[0][0] <= step <= curve[-1][0]
        ]
        found = estimate(values, confidence)
        assert found.mean is not None  # every step of the grid is a step of some curve
        flat = constant(found)
        mean.append(tidy(found.mean))
        low.append(None if flat else found.ci_low)
        high.append(None if flat else found.ci_high)
        counts.append(found.n)
    return Band(tuple(grid), tuple(mean), tuple(low), tuple(high), tuple(counts))


def series_of(name: str, declared: Sequence[Series]) -> Series:
    """How a series is called and drawn; one that nobody declared as it stands, under its own name."""
    return next((s for s in declared if s.name == name), Series(name=name, title=name.replace("_", " ")))


def curve_facts(into: Collector, study: Study, results: Sequence[RunResult], declared: Sequence[Series] = ()) -> None:
    """`curve.series`, its name, and `curve.<variant>.n`, how many runs of a variant reported it."""
    chosen = choose_curves(into.paper, study, results, declared)
    if chosen is None:
        return
    for place, (variant, seeds) in enumerate(chosen.curves.items()):
        runs = [f"{variant}/seed-{seed}" for seed in seeds]
        file = f"runs/{runs[0]}/{CURVE}"
        if place == 0:
            text = escape(series_of(chosen.series, declared).title)
            into.add(
                "curve.series", chosen.series, text, "name of the learning curve that is drawn", "word", file, "/0"
            )
        title = f"{seeds_word(study)} of {variant} with a learning curve"
        into.add(f"curve.{variant}.n", len(runs), str(len(runs)), title, "counted", file, "/#", runs=runs)


def load_points(text: str) -> list[dict[str, object]]:
    """The lines of a curve file as a list, for following a pointer into it. ValueError where a line is not JSON."""
    return [json.loads(line) for line in text.splitlines() if line.strip()]
