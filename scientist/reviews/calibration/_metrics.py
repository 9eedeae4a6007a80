"""Measures of a reviewer against outcomes and human scores, with bootstrap intervals. All pure functions of arrays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Interval = tuple[float, float, float]
"""Value, lower and upper end of the 95 % interval; three times nan where a measure is not defined."""

NOTHING: Interval = (float("nan"), float("nan"), float("nan"))
BINS = 10


def auc(scores: Floats, accepted: Bools) -> float:
    """Area under the ROC curve: how often an accepted paper has the higher score (ties count half; Mann-Whitney)."""
    positive = int(accepted.sum())
    negative = len(accepted) - positive
    if not positive or not negative:
        return float("nan")
    ranks = rankdata(scores)
    return float((ranks[accepted].sum() - positive * (positive + 1) / 2) / (positive * negative))


def spearman(first: Floats, second: Floats) -> float:
    """Rank correlation with ties at their mean rank; nan for fewer than three papers or a constant."""
    if len(first) < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(np.corrcoef(rankdata(first), rankdata(second))[0, 1])


def rates(said: Bools, accepted: Bools) -> dict[str, float]:
    """Balanced accuracy, F1 of accepting, false positive and false negative rate of yes-or-no answers."""
    yes, no = int(accepted.sum()), int((~accepted).sum())
    true_yes, false_yes = int((said & accepted).sum()), int((said & ~accepted).sum())
    nan = float("nan")
    fpr = false_yes / no if no else nan
    fnr = (yes - true_yes) / yes if yes else nan
    called = true_yes + false_yes
    return {
        "balanced accuracy": 1 - (fpr + fnr) / 2,
        "F1": 2 * true_yes / (called + yes) if called + yes else nan,
        "FPR": fpr,
        "FNR": fnr,
    }


def threshold(scores: Floats, accepted: Bools) -> float:
    """The score from which on to accept so that balanced accuracy is best; in the middle between two papers' scores."""
    values = np.unique(scores)
    if len(values) < 2:
        return float(values[0]) if len(values) else 0.0
    cuts = (values[1:] + values[:-1]) / 2
    order = np.sort(scores[accepted]), np.sort(scores[~accepted])
    missed = np.searchsorted(order[0], cuts) / max(len(order[0]), 1)
    passed = 1 - np.searchsorted(order[1], cuts) / max(len(order[1]), 1)
    return float(cuts[int(np.argmin(missed + passed))])


def brier(chances: Floats, accepted: Bools) -> float:
    """Mean squared difference between probability and outcome (Brier 1950)."""
    return float(np.mean((chances - accepted) ** 2))


def calibration_error(chances: Floats, accepted: Bools) -> float:
    """Expected calibration error over BINS groups of equal size (Naeini et al. 2015, with quantile bins)."""
    groups = [group for group in np.array_split(np.argsort(chances, kind="stable"), BINS) if len(group)]
    return float(sum(len(g) * abs(chances[g].mean() - accepted[g].mean()) for g in groups) / len(chances))


def reliability(chances: Floats, accepted: Bools) -> list[tuple[float, float, int]]:
    """(mean probability, share accepted, papers) of each group of the calibration error."""
    groups = [group for group in np.array_split(np.argsort(chances, kind="stable"), BINS) if len(group)]
    return [(float(chances[g].mean()), float(accepted[g].mean()), len(g)) for g in groups]


def platt(scores: Floats, accepted: Bools) -> tuple[float, float]:
    """Slope and start of a logistic curve from score to probability (Platt 1999, with his softened targets)."""
    yes, no = int(accepted.sum()), int((~accepted).sum())
    target = np.where(accepted, (yes + 1) / (yes + 2), 1 / (no + 2))
    centre, scale = float(scores.mean()), float(scores.std()) or 1.0
    rows = np.column_stack([(scores - centre) / scale, np.ones(len(scores))])
    beta = np.array([0.0, np.log((yes + 1) / (no + 1))])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(rows @ beta, -30, 30)))
        slope = rows.T @ (target - chance) - 1e-6 * beta
        curve = (rows * (chance * (1 - chance))[:, None]).T @ rows + 1e-6 * np.eye(2)
        step = np.linalg.solve(curve, slope)
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            break
    return float(beta[0] / scale), float(beta[1] - beta[0] * centre / scale)


def chances_of(scores: Floats, curve: tuple[float, float]) -> Floats:
    """Probabilities by a curve of `platt`."""
    said: Floats = 1 / (1 + np.exp(-np.clip(curve[0] * scores + curve[1], -30, 30)))
    return said


def bootstrap(measure: Callable[[NDArray[np.intp]], float], papers: int, seed: int, draws: int = 1000) -> Interval:
    """A measure of rows with its percentile interval over resampled papers (Efron 1979)."""
    value = measure(np.arange(papers))
    if np.isnan(value):
        return NOTHING
    drawn = np.random.default_rng(seed)
    many = np.array([measure(drawn.integers(papers, size=papers)) for _ in range(draws)])
    low, high = np.nanquantile(many, [0.025, 0.975])
    return value, float(low), float(high)
