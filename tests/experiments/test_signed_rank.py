"""The counted signed-rank test against scipy's enumeration of every sign pattern."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from scientist.experiments._estimates import tidy
from scientist.experiments._statistics import signed_rank


@given(st.lists(st.integers(-3, 3), min_size=2, max_size=7).filter(any))
def test_ties_and_zeros_agree_with_every_sign_pattern_tried(values: list[int]) -> None:
    array = np.asarray(values, dtype=float) / 150
    assert tidy(signed_rank(array)) == tidy(float(stats.wilcoxon(array, method="auto").pvalue))


@pytest.mark.parametrize("n", [10, 13, 14, 40])
def test_longer_lists_agree_too(n: int) -> None:
    array = np.round(np.random.default_rng(n).standard_normal(n) + 0.5, 1)
    assert tidy(signed_rank(array)) == tidy(float(stats.wilcoxon(array, method="auto").pvalue))


def test_by_hand() -> None:
    """Mid-ranks 1.5, 1.5, 3, all positive: two of eight sign patterns are as extreme."""
    assert signed_rank(np.array([1.0, 1.0, 2.0])) == 0.25
    assert signed_rank(np.zeros(5)) == 1.0
