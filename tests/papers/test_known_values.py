"""Known values: where a result stands against the best one known, and what a paper may say about it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kinds import KEEP_ONLY, kind_world

from scientist.papers._known import best_of, known_value, relate

VALUES = st.floats(1e-6, 1e6)


@pytest.mark.parametrize(
    ("value", "known", "bound", "direction", "expected"),
    [
        (2.635983084918, 2.635983084918, None, "maximize", "reproduced"),
        (2.635983085, 2.635983084918, None, "maximize", "reproduced"),  # as results are stored
        (2.635983, 2.635983084918, None, "maximize", "close"),
        (2.63, 2.635983084918, None, "maximize", "short"),
        (2.64, 2.635983084918, None, "maximize", "exceeds"),
        (2.618033989, 2.6180339887, 2.6180339887, "maximize", "optimum"),
        (2.7, 2.6180339887, 2.6180339887, "maximize", "impossible"),
        (2.64, 2.635983084918, 3.0, "maximize", "exceeds"),
        (0.5, 0.4, None, "minimize", "short"),
        (0.3, 0.4, None, "minimize", "exceeds"),
        (0.3, 0.4, 0.4, "minimize", "impossible"),
        (0.4, 0.4, 0.4, "minimize", "optimum"),
        (-1.0, 0.0, None, "maximize", "short"),
        (0.0, 0.0, None, "minimize", "reproduced"),
    ],
)
def test_a_value_stands_where_it_stands(
    value: float, known: float, bound: float | None, direction: str, expected: str
) -> None:
    assert relate(value, known, bound, direction) == expected  # type: ignore[arg-type]


@given(VALUES, VALUES)
def test_turning_the_sign_round_changes_nothing(value: float, known: float) -> None:
    assert relate(value, known, None, "maximize") == relate(-value, -known, None, "minimize")


@given(VALUES, st.floats(-0.5, 0.5))
def test_only_what_is_beyond_exceeds(known: float, share: float) -> None:
    relation = relate(known * (1 + share), known, None, "maximize")
    if share > 2e-9:
        assert relation == "exceeds"
    elif share < -2e-6:
        assert relation == "short"
    else:
        assert relation in ("reproduced", "close", "exceeds")


@given(VALUES, VALUES)
def test_the_optimum_is_never_said_without_a_bound(value: float, known: float) -> None:
    assert relate(value, known, None, "maximize") not in ("optimum", "impossible")


@given(st.one_of(st.none(), st.text(max_size=5), st.booleans(), st.integers(-9, 9)))
def test_only_numbers_are_known_values(value: object) -> None:
    found = known_value(value)  # type: ignore[arg-type]
    assert (found is not None) == (isinstance(value, int) and not isinstance(value, bool))


def test_the_best_run_is_the_best_of_the_runs_on_its_data_set() -> None:
    w = kind_world(data={"six": {"name": "six", "best_known": 1.0}}, ends={(2, 0): "failed"})
    (best,) = best_of(w.template, w.study, w.results)
    values = [r.metrics["keep"]["distance"] for r in w.results if r.status == "ok"]
    assert best.value == max(values) and len(best.runs) == len(values) == 23
    assert best.result.metrics["keep"]["distance"] == best.value
    assert math.isfinite(best.value) and not best_of(w.template, kind_world().study, w.results)


def test_a_data_set_that_no_variant_names_has_no_best_run() -> None:
    two = {"six": {"name": "six", "best_known": 1.0}, "eight": {"name": "eight", "best_known": 1.0}}
    w = kind_world(KEEP_ONLY, data=two)
    assert [best.dataset for best in best_of(w.template, w.study, w.results)] == ["six"]
