"""Learning curves: what is drawn is their mean, where there are runs to take it over, and the most telling series."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st
from kinds import STRANGER, kind_world

from scientist.experiments._curves import render_curve
from scientist.lab import write_atomic
from scientist.papers._curves import MOST_STEPS, MOST_VARIANTS, Band, band_of, choose_curves, read_series, series_of
from scientist.papers._figures_curves import _axis, _late
from scientist.template import Series

CURVES = st.lists(
    st.dictionaries(st.integers(0, 200), st.floats(-100, 100), min_size=3, max_size=12).map(
        lambda points: tuple((float(step), value) for step, value in sorted(points.items()))
    ),
    min_size=1,
    max_size=6,
)


@given(CURVES)
def test_the_mean_lies_among_the_curves_and_n_is_counted(curves: list[tuple[tuple[float, float], ...]]) -> None:
    band = band_of(curves, 0.95)
    values = [value for curve in curves for _, value in curve]
    assert list(band.steps) == sorted(set(band.steps)) and len(band.steps) <= MOST_STEPS
    for step, mean, low, high, n in zip(band.steps, band.mean, band.low, band.high, band.n, strict=True):
        assert n == sum(curve[0][0] <= step <= curve[-1][0] for curve in curves) >= 1
        assert min(values) - 1e-6 <= mean <= max(values) + 1e-6
        assert (low is None) == (high is None)
        assert n > 1 or low is None
        assert low is None or high is None or low <= mean <= high


def test_intervals_are_students_and_stop_where_runs_stop() -> None:
    curves = [tuple((float(s), 1.0 + s + k) for s in range(0, 30 + 10 * k, 10)) for k in range(3)]
    band = band_of(curves, 0.95)
    assert band.steps == (0.0, 10.0, 20.0, 30.0, 40.0) and band.n == (3, 3, 3, 2, 1)
    half = scipy.stats.t.ppf(0.975, 2) * np.std([1, 2, 3], ddof=1) / np.sqrt(3)
    assert band.mean[0] == 2.0 and band.high[0] == pytest.approx(2.0 + half)
    assert band.low[-1] is None and band.mean[-1] == 43.0


def test_values_between_reported_steps_are_interpolated() -> None:
    band = band_of([((0.0, 0.0), (10.0, 10.0)), ((0.0, 0.0), (5.0, 0.0), (10.0, 0.0))], 0.95)
    assert band.steps == (0.0, 5.0, 10.0) and band.mean == (0.0, 2.5, 5.0)
    assert band.low[0] is None  # both are the same there: no spread, and no interval of no width


def curve_files(folder: Path, names: dict[str, list[str]]) -> None:
    """Write runs' curves: variant -> names of series, at every seed of the study."""
    for variant, series in names.items():
        for seed in range(11, 19):
            points = [{"step": s, **dict.fromkeys(series, float(s + seed))} for s in range(5)]
            write_atomic(folder / f"runs/{variant}/seed-{seed}/curve.jsonl", render_curve(points))


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        (["lr", "train_loss", "val_loss"], "val_loss"),  # the metric itself
        (["lr", "loss"], "loss"),  # shares a word with it
        (["epoch", "test_acc", "train_acc"], "test_acc"),  # speaks of a test
        (["b", "a"], "a"),
    ],
)
def test_the_most_telling_series_is_chosen(tmp_path: Path, series: list[str], expected: str) -> None:
    w = kind_world(STRANGER, data={}, expect="less")
    curve_files(tmp_path, {v.name: series for v in w.study.variants})
    chosen = choose_curves(tmp_path, w.study, w.results)
    assert chosen is not None and chosen.series == expected and chosen.left_out == 0
    assert list(chosen.curves) == [v.name for v in w.study.variants]


def test_what_the_template_declares_is_drawn_as_it_says(tmp_path: Path) -> None:
    w = kind_world(STRANGER, data={}, expect="less")
    curve_files(tmp_path, {v.name: ["lr", "val_loss", "shown"] for v in w.study.variants})
    declared = (Series(name="absent", title="x"), Series(name="shown", title="cells known", scale=100, unit=r"\%"))
    chosen = choose_curves(tmp_path, w.study, w.results, declared)
    assert chosen is not None and chosen.series == "shown"
    assert series_of("shown", declared) == declared[1]
    assert series_of("val_loss", declared) == Series(name="val_loss", title="val loss")
    assert _axis(declared[1]).replace("\n", " ") == "cells known (%), self-reported"


def test_steps_that_grow_are_drawn_on_a_logarithmic_axis() -> None:
    def band(steps: list[int]) -> Band:
        return band_of([tuple((float(s), 1.0) for s in steps)] * 2, 0.95)

    assert _late([band([1, 3, 10, 30, 100, 300, 1000])])
    assert not _late([band(list(range(10, 1001, 10)))])
    assert not _late([band([0, 1, 10, 100, 1000])]), "there is no logarithm of the first"


def test_one_variant_alone_is_no_figure(tmp_path: Path) -> None:
    w = kind_world(STRANGER, data={}, expect="less")
    first, second, _ = (v.name for v in w.study.variants)
    curve_files(tmp_path, {first: ["a"], second: ["b"]})
    assert choose_curves(tmp_path, w.study, w.results) is None


def test_at_most_six_variants_are_drawn_and_the_compared_ones_always(tmp_path: Path) -> None:
    w = kind_world(STRANGER, data={}, expect="less")
    first = w.study.variants[0]
    more = tuple(first.model_copy(update={"name": f"more_{k}", "role": "treatment"}) for k in range(7))
    study = w.study.model_copy(update={"variants": (*more, *w.study.variants)})
    runs = [r.model_copy(update={"variant": v.name}) for v in study.variants for r in w.results[:8]]
    curve_files(tmp_path, {v.name: ["a"] for v in study.variants})
    chosen = choose_curves(tmp_path, study, runs)
    assert chosen is not None and len(chosen.curves) == MOST_VARIANTS and chosen.left_out == 4
    assert {first.name, *study.primary.weights} <= set(chosen.curves)


def test_failed_runs_and_broken_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "curve.jsonl"
    path.write_text('{"step":1,"a":2}\nnot json\n{"step":2,"a":NaN}\n{"step":1,"a":3}\n{"step":0,"a":1}\n')
    assert read_series(path) == {"a": ((0.0, 1.0), (1.0, 3.0))}
    (tmp_path / "link.jsonl").symlink_to(path)
    assert read_series(tmp_path / "link.jsonl") == {} == read_series(tmp_path / "absent.jsonl")
    w = kind_world(STRANGER, data={}, expect="less")
    curve_files(tmp_path, {v.name: ["a"] for v in w.study.variants})
    failed = [r.model_copy(update={"status": "failed", "metrics": {}}) for r in w.results]
    assert choose_curves(tmp_path, w.study, failed) is None
    assert json.loads(path.read_text().splitlines()[0]) == {"step": 1, "a": 2}
