"""The declared statistics against scipy, against their own definitions, and against simulated truth."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from scientist.experiments import (
    Contrast,
    ContrastEstimate,
    holm,
    paired,
    power_of,
    sd_upper_limit,
    seeds_for,
    seeds_needed,
)
from scientist.experiments._estimates import estimate
from scientist.experiments._power import MIN_SEEDS
from scientist.experiments._statistics import verdict

numbers = st.floats(-100, 100, allow_nan=False).map(lambda x: round(x, 6))


@given(st.lists(numbers, min_size=3, max_size=30).filter(lambda v: np.std(v) > 1e-6))
def test_paired_agrees_with_scipy(values: list[float]) -> None:
    ours, theirs = paired(values, margin=1.0), stats.ttest_1samp(values, 0.0)
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-6, abs=1e-12)
    low, high = theirs.confidence_interval()
    assert ours.ci_low == pytest.approx(low, rel=1e-6, abs=1e-6)
    assert ours.ci_high == pytest.approx(high, rel=1e-6, abs=1e-6)


@given(st.lists(numbers, min_size=2, max_size=20), st.floats(0.1, 10))
def test_equivalence_and_interval_tell_the_same_story(values: list[float], margin: float) -> None:
    """TOST at 5 % rejects exactly when the 90 % interval lies inside the margin."""
    ours = paired(values, margin)
    spread = float(np.std(values, ddof=1))
    if spread <= 1e-9 * max(1.0, abs(float(np.mean(values)))):
        return
    half = stats.t.ppf(0.95, len(values) - 1) * spread / math.sqrt(len(values))
    mean = float(np.mean(values))
    gap = min(abs(mean - half + margin), abs(margin - mean - half))
    if gap > 1e-6:
        assert ours.p_equivalence is not None
        assert (ours.p_equivalence < 0.05) == (-margin < mean - half and mean + half < margin)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_monotone_and_never_below_the_raw_p(ps: list[float]) -> None:
    adjusted = holm(ps)
    pairs = sorted(zip(ps, adjusted, strict=True))
    assert all(b is not None and a <= b * (1 + 1e-9) + 1e-12 for a, b in pairs)
    assert all(x[1] <= y[1] for x, y in itertools.pairwise(pairs))  # type: ignore[operator]
    assert all(b is not None and b <= min(1.0, a * len(ps)) + 1e-9 for a, b in pairs)


def test_holm_by_hand_and_untested_members_count() -> None:
    assert holm([0.01, 0.04, 0.03]) == [0.03, 0.06, 0.06]
    assert holm([0.01, None]) == [0.02, None]


def test_one_value_has_no_interval() -> None:
    for n, values in ((0, []), (1, [3.0])):
        single = estimate(values)
        assert (single.n, single.sd, single.ci_low, single.ci_high) == (n, None, None, None)
    assert paired([3.0], 1.0).p is None


def test_equal_differences_fall_back_to_the_sign_flip_test() -> None:
    assert paired([0.0] * 8, 1.0).p == 1.0
    found = paired([0.5] * 8, 1.0)
    assert found.p == 2**-7 and found.p_equivalence == 2**-8 and found.dz is None


def _contrast(expect: str) -> Contrast:
    return Contrast.model_validate(
        {"id": "c", "title": "c", "weights": {"a": 1, "b": -1}, "expect": expect, "smallest_effect": 1.0}
    )


@pytest.mark.parametrize(
    ("expect", "low", "high", "p", "pe", "said"),
    [
        ("greater", 2.0, 4.0, 0.01, 0.9, "supported"),
        ("less", 2.0, 4.0, 0.01, 0.9, "contradicted"),
        ("different", -4.0, -2.0, 0.01, 0.9, "supported"),
        ("greater", 0.1, 0.5, 0.01, 0.01, "negligible"),
        ("greater", -0.5, 0.5, 0.4, 0.01, "equivalent"),
        ("greater", -3.0, 5.0, 0.4, 0.9, "inconclusive"),
        ("equivalent", -0.5, 0.5, 0.4, 0.01, "supported"),
        ("equivalent", 2.0, 4.0, 0.01, 0.9, "contradicted"),
        ("equivalent", -3.0, 5.0, 0.4, 0.9, "inconclusive"),
    ],
)
def test_verdicts(expect: str, low: float, high: float, p: float, pe: float, said: str) -> None:
    keep = ContrastEstimate(n=9, mean=(low + high) / 2, ci_low=low, ci_high=high)
    assert verdict(_contrast(expect), keep, p, pe, 0.05) == said


def test_power_agrees_with_simulation() -> None:
    rng = np.random.default_rng(1)
    draws = rng.normal(1.0, 1.0, size=(20_000, 12))
    t = draws.mean(axis=1) / (draws.std(axis=1, ddof=1) / math.sqrt(12))
    simulated = float(np.mean(np.abs(t) > stats.t.ppf(0.975, 11)))
    assert power_of(12, 1.0, 1.0, 0.05) == pytest.approx(simulated, abs=0.012)


@given(st.floats(0.2, 5), st.floats(0.1, 2), st.sampled_from([0.05, 0.0125]), st.booleans())
def test_seeds_needed_is_the_smallest_that_suffices(sd: float, effect: float, alpha: float, same: bool) -> None:
    n = seeds_needed(sd, effect, alpha, 0.8, equivalence=same)
    assert power_of(n, sd, effect, alpha, equivalence=same) >= 0.8 or n == 10_000
    assert n == MIN_SEEDS or power_of(n - 1, sd, effect, alpha, equivalence=same) < 0.8


def test_upper_limit_of_the_spread_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    spreads = rng.normal(0, 1, size=(4000, 4)).std(axis=1, ddof=1)
    covered = np.mean([sd_upper_limit(float(s), 4) >= 1.0 for s in spreads])
    assert covered == pytest.approx(0.8, abs=0.02)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(0, 20))
def test_seeds_are_distinct_stable_and_extend(seed: int, count: int, more: int) -> None:
    few, many = seeds_for("a-paper", "study", seed, count), seeds_for("a-paper", "study", seed, count + more)
    assert len(set(many)) == count + more and many[:count] == few
    assert not set(few) & set(seeds_for("a-paper", "pilot", seed, count))
