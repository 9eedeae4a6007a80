"""Scores too good to be believed at once."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median

from scientist.template import Direction

FEWEST = 8
"""Earlier scores without which nothing is unusual."""

STEP = 6.0
"""How many usual distances a new best must lie above the best so far to be judged a second time."""


def suspicious(score: float, earlier: Sequence[float], direction: Direction) -> bool:
    """Whether `score` is a new best whose step above the best of the `earlier` ones is far larger than usual.

    The usual distance is the median absolute deviation of the earlier scores, or their mean absolute deviation from the
    median where more than half of them are equal. The step must exceed :data:`STEP` times that, which for a normal
    spread is four standard deviations beyond what was best. Where all earlier scores are equal any better one is
    suspicious. Never with fewer than :data:`FEWEST` earlier scores, and the order of these does not matter.
    """
    if len(earlier) < FEWEST:
        return False
    sign = 1.0 if direction == "maximize" else -1.0
    step = sign * score - max(sign * value for value in earlier)
    if step <= 0:
        return False
    middle = median(earlier)
    apart = [abs(value - middle) for value in earlier]
    return step > STEP * (median(apart) or fmean(apart))
