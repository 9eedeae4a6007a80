"""How many seeds: from the spread a pilot saw, the smallest effect worth finding, and the budget."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import scipy  # scipy.stats is loaded at its first use: that is half of the time a command takes to start

MIN_SEEDS = 10
"""Below this a t interval says little, whatever a pilot of a few seeds promised: it may have seen no spread at all."""


def seeds_for(slug: str, purpose: str, seed: int, count: int) -> tuple[int, ...]:
    """`count` distinct seeds below 2^31 that depend on the campaign's seed, the paper and what they are for.

    A longer list starts with the shorter one, so asking for more never changes what was drawn.
    """
    words = np.frombuffer(hashlib.sha256(f"{slug}/{purpose}".encode()).digest(), dtype=np.uint32)
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words.tolist()])))
    chosen: list[int] = []
    while len(chosen) < count:
        value = int(generator.integers(1, 2**31))
        if value not in chosen:
            chosen.append(value)
    return tuple(chosen)


def sd_upper_limit(sd: float, n: int, confidence: float = 0.8) -> float:
    """Upper confidence limit of a standard deviation from `n` normal values.

    A pilot's s.d. is as often too small as too large; sample sizes from it are right half the time. Browne (1995)
    takes this limit instead: sd * sqrt((n - 1) / chi2_{1 - confidence, n - 1}).
    """
    return sd * math.sqrt((n - 1) / float(scipy.stats.chi2.ppf(1 - confidence, n - 1)))


def power_of(n: int, sd: float, effect: float, alpha: float, *, equivalence: bool = False) -> float:
    """Probability that `n` pairs find a true difference `effect` (two-sided paired t test, non-central t).

    With `equivalence`, the probability that TOST with margin `effect` succeeds when the true difference is zero
    (normal-theory approximation on t quantiles, as in Schuirmann 1987).
    """
    if n < 2:
        return 0.0
    if sd <= 0:
        return 1.0
    shift = effect * math.sqrt(n) / sd
    if equivalence:
        return max(0.0, 2 * float(scipy.stats.t.cdf(shift - scipy.stats.t.ppf(1 - alpha, n - 1), n - 1)) - 1)
    critical = float(scipy.stats.t.ppf(1 - alpha / 2, n - 1))
    upper = float(scipy.stats.nct.sf(critical, n - 1, shift))
    lower = float(scipy.stats.nct.cdf(-critical, n - 1, shift))
    # scipy's non-central t returns nan far out in the tail, where the probability is one for every practical purpose.
    if math.isnan(upper):
        return 1.0
    return min(1.0, upper + (0.0 if math.isnan(lower) else lower))


def seeds_needed(
    sd: float, effect: float, alpha: float, power: float, *, equivalence: bool = False, most: int = 10_000
) -> int:
    """Smallest n with :func:`power_of` >= `power`; at least :data:`MIN_SEEDS`, at most `most`."""
    low, high = MIN_SEEDS, MIN_SEEDS
    while power_of(high, sd, effect, alpha, equivalence=equivalence) < power:
        if high >= most:
            return most
        low, high = high, min(most, high * 2)
    while low < high:
        middle = (low + high) // 2
        if power_of(middle, sd, effect, alpha, equivalence=equivalence) < power:
            low = middle + 1
        else:
            high = middle
    return high
