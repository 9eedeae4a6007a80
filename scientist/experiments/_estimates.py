"""Scores of runs arranged for the statistics, and the mean with its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import scipy

from scientist.experiments._results import Estimate, FinalScores, RunResult
from scientist.experiments._study import Contrast
from scientist.template import Split

SIGNIFICANT_DIGITS = 10
"""Stored statistics are rounded to this many digits, so that they are the same on machines whose libm differs."""

Scores = Mapping[str, Mapping[int, Mapping[str, float]]]
"""variant -> seed -> metric -> value, on one split."""


def tidy(value: float) -> float:
    """Round to :data:`SIGNIFICANT_DIGITS` significant digits (0 stays 0)."""
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}") + 0.0


def estimate(values: Sequence[float], confidence: float = 0.95) -> Estimate:
    """Mean of independent values with Student's t interval. n = 1 gives the value alone, n = 0 nothing."""
    n = len(values)
    if n == 0:
        return Estimate(n=0, mean=None)
    mean = float(np.mean(values))
    if n == 1:
        return Estimate(n=1, mean=tidy(mean))
    sd = float(np.std(values, ddof=1))
    half = float(scipy.stats.t.ppf(0.5 + confidence / 2, n - 1)) * sd / math.sqrt(n)
    return Estimate(n=n, mean=tidy(mean), sd=tidy(sd), ci_low=tidy(mean - half), ci_high=tidy(mean + half))


def contrast_values(contrast: Contrast, scores: Scores, metric: str) -> dict[int, float]:
    """Per-seed values of a contrast, over the seeds at which every variant it weighs has a score."""
    seeds = set.intersection(*(set(scores.get(name, {})) for name in contrast.weights))
    return {
        seed: sum(weight * scores[name][seed][metric] for name, weight in sorted(contrast.weights.items()))
        for seed in sorted(seeds)
    }


def scores_by_split(
    results: Sequence[RunResult], final: FinalScores | None
) -> dict[Split, dict[str, dict[int, dict[str, float]]]]:
    """Arrange results as split -> variant -> seed -> metrics; failed runs are absent."""
    table: dict[Split, dict[str, dict[int, dict[str, float]]]] = {"search": {}, "keep": {}, "final": {}}
    for result in results:
        if result.status == "ok":
            for split, metrics in result.metrics.items():
                table[split].setdefault(result.variant, {})[result.seed] = dict(metrics)
    if final is not None:
        for variant, by_seed in final.scores.items():
            table["final"][variant] = {int(seed): dict(metrics) for seed, metrics in by_seed.items()}
    return table
