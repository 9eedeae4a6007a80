"""The declared statistics: paired by seed, Holm over the family, equivalence when nothing is claimed to differ.

docs/statistics.md says which test and why. Everything here is a pure function of study and results.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import scipy

from scientist.experiments._early import futile_contrasts
from scientist.experiments._estimates import Scores, contrast_values, estimate, scores_by_split, tidy
from scientist.experiments._results import (
    Analysis,
    ContrastEstimate,
    ContrastResult,
    Estimate,
    FinalScores,
    RunResult,
    VariantSummary,
    Verdict,
)
from scientist.experiments._study import Contrast, Study
from scientist.template import Split


def paired(values: Sequence[float], margin: float, confidence: float = 0.95) -> ContrastEstimate:
    """Statistics of per-seed contrast values.

    `p` is the two-sided one-sample t test of mean zero (on paired differences: the paired t test), `p_equivalence` the
    larger p of the two one-sided tests against ±`margin` (TOST; Schuirmann 1987), `dz` is mean / s.d. (Cohen's d_z).
    When every value is the same the t statistic does not exist; the exact sign-flip test takes its place (Fisher's
    randomisation test with all 2^n sign patterns: p = 2 / 2^n unless the value is 0).
    """
    base = estimate(values, confidence)
    n = base.n
    if n < 2 or base.mean is None or base.sd is None:
        return ContrastEstimate(n=n, mean=base.mean)
    array = np.asarray(values, dtype=float)
    mean, sd = float(array.mean()), float(array.std(ddof=1))
    if sd <= 1e-12 * max(1.0, abs(mean)):
        p = 1.0 if abs(mean) <= 1e-12 else 2.0 ** (1 - n)
        p_equivalence = 2.0**-n if abs(mean) < margin else 1.0
        dz = None
    else:
        standard_error = sd / math.sqrt(n)
        p = 2.0 * float(scipy.stats.t.sf(abs(mean) / standard_error, n - 1))
        p_equivalence = max(
            float(scipy.stats.t.sf((mean + margin) / standard_error, n - 1)),
            float(scipy.stats.t.cdf((mean - margin) / standard_error, n - 1)),
        )
        dz = tidy(mean / sd)
    return ContrastEstimate(
        n=n,
        mean=base.mean,
        sd=base.sd,
        ci_low=base.ci_low,
        ci_high=base.ci_high,
        dz=dz,
        p=tidy(p),
        p_equivalence=tidy(p_equivalence),
        p_signed_rank=tidy(signed_rank(array)),
    )


def signed_rank(array: np.ndarray) -> float:
    """Two-sided p of Wilcoxon's signed-rank test (Wilcoxon 1945), zeros dropped; 1 when every value is zero.

    Up to 13 values with ties or zeros the null distribution is counted over all sign patterns of the mid-ranks. scipy
    means the same but tries every pattern one by one, which takes up to a second; everything else is scipy's.
    """
    sizes = np.abs(array[array != 0])
    if sizes.size == 0:
        return 1.0
    if array.size > 13 or len(np.unique(sizes)) == array.size:
        return float(scipy.stats.wilcoxon(array, method="auto").pvalue)
    # Mid-ranks are halves of whole numbers, so twice their sum indexes a table of how many patterns give it.
    ranks = np.rint(2 * scipy.stats.rankdata(sizes)).astype(int)
    patterns = np.zeros(int(ranks.sum()) + 1)
    patterns[0] = 1.0
    for rank in ranks:
        patterns[rank:] += patterns[:-rank].copy()
    seen = int(ranks[array[array != 0] > 0].sum())
    tail = min(patterns[: seen + 1].sum(), patterns[seen:].sum())
    return min(1.0, 2.0 * float(tail / patterns.sum()))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's step-down adjusted p-values (Holm 1979), in the order given. None (not tested) stays None.

    The family is every declared test, so an untested one still counts towards its size.
    """
    size = len(p_values)
    order = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * size
    highest = 0.0
    for rank, (p, index) in enumerate(order):
        highest = max(highest, min(1.0, (size - rank) * p))
        adjusted[index] = tidy(highest)
    return adjusted


def verdict(
    contrast: Contrast, keep: ContrastEstimate, p: float | None, p_equivalence: float | None, alpha: float
) -> Verdict:
    """What a contrast may claim, from its estimate on *keep* and its Holm-adjusted p-values.

    - `untested`: fewer than two paired seeds;
    - difference rejected at alpha: `negligible` when the interval lies inside ±smallest effect, else `supported` or
      `contradicted` by the declared direction;
    - not rejected: `equivalent` when TOST rejects, else `inconclusive`;
    - for a contrast declared *equivalent*: `supported` when TOST rejects, `contradicted` when a difference is found.
    """
    if p is None or keep.mean is None or keep.ci_low is None or keep.ci_high is None:
        return "untested"
    margin = contrast.smallest_effect
    differs = p < alpha
    same = p_equivalence is not None and p_equivalence < alpha
    inside = -margin < keep.ci_low and keep.ci_high < margin
    if contrast.expect == "equivalent":
        return "supported" if same else "contradicted" if differs else "inconclusive"
    if differs:
        if inside:
            return "negligible"
        agrees = contrast.expect == "different" or (contrast.expect == "greater") == (keep.mean > 0)
        return "supported" if agrees else "contradicted"
    return "equivalent" if same else "inconclusive"


def holds(
    contrast: Contrast, result: Verdict, keep: ContrastEstimate, final: ContrastEstimate, alpha: float
) -> bool | None:
    """Whether what was found on *keep* is found again on *final*. None when nothing was claimed or nothing opened."""
    if (
        result in ("inconclusive", "untested", "futile")
        or final.mean is None
        or final.ci_low is None
        or final.ci_high is None
    ):
        return None
    if result in ("negligible", "equivalent") or (contrast.expect == "equivalent" and result == "supported"):
        return final.p_equivalence is not None and final.p_equivalence < alpha
    assert keep.mean is not None
    same_sign = (final.mean > 0) == (keep.mean > 0)
    return same_sign and not final.ci_low <= 0 <= final.ci_high


def _draws(study: Study, contrast: Contrast, scores: Scores) -> list[float]:
    """Per-seed values of a contrast as independent draws.

    A stranger's script that prints the same number whatever its seed gives one draw, however often it is run: where
    every variant of the contrast is constant and the metric is self-reported, the copies count once.
    """
    values = list(contrast_values(contrast, scores, study.metric).values())
    if study.judging == "self-reported":
        variants = ([row[study.metric] for row in scores.get(name, {}).values()] for name in contrast.weights)
        if all(len(set(rows)) <= 1 for rows in variants):
            return values[:1]
    return values


def analyse(study: Study, results: Sequence[RunResult], final: FinalScores | None = None) -> Analysis:
    """The whole declared analysis. Verdicts are decided on *keep*; *final* only says whether they hold.

    `results` may be in any order; runs of variants or seeds that the study does not declare are a ValueError.
    """
    declared = {variant.name for variant in study.variants}
    seeds = set(study.seeds)
    for result in results:
        if result.variant not in declared or result.seed not in seeds:
            raise ValueError(f"run {result.variant}/seed-{result.seed} is not part of the study")
    table = scores_by_split(results, final)
    splits: list[Split] = ["search", "keep", "final"] if final is not None else ["search", "keep"]
    if study.confirm_on == "none":
        splits = ["keep"]
    futile = futile_contrasts(study, results)
    estimates = {
        contrast.id: {
            split: paired(_draws(study, contrast, table[split]), contrast.smallest_effect) for split in splits
        }
        for contrast in study.contrasts
    }
    # What was stopped for futility is not tested, and still counts towards the size of the family.
    tested = [None if contrast.id in futile else estimates[contrast.id]["keep"] for contrast in study.contrasts]
    p_holm = holm([keep.p if keep else None for keep in tested])
    p_equivalence = holm([keep.p_equivalence if keep else None for keep in tested])
    outcomes = []
    for contrast, p, pe in zip(study.contrasts, p_holm, p_equivalence, strict=True):
        keep = estimates[contrast.id]["keep"]
        found = "futile" if contrast.id in futile else verdict(contrast, keep, p, pe, study.alpha)
        on_final = estimates[contrast.id].get("final", ContrastEstimate(n=0, mean=None))
        outcomes.append(
            ContrastResult(
                id=contrast.id,
                estimates=estimates[contrast.id],
                p_holm=p,
                p_equivalence_holm=pe,
                verdict=found,
                expect=contrast.expect,
                holds_on_final=holds(contrast, found, keep, on_final, study.alpha),
            )
        )
    return Analysis(
        study_sha256=study.digest(),
        n_runs=sum(result.trials for result in results if result.status != "stopped"),
        n_failed=sum(result.status not in ("ok", "stopped") for result in results),
        n_stopped=sum(result.status == "stopped" for result in results),
        variants=tuple(_summary(study, variant.name, results, table, splits) for variant in study.variants),
        contrasts=tuple(outcomes),
    )


def _summary(
    study: Study,
    name: str,
    results: Sequence[RunResult],
    table: Mapping[Split, Mapping[str, Mapping[int, Mapping[str, float]]]],
    splits: Sequence[Split],
) -> VariantSummary:
    own = [result for result in results if result.variant == name]
    by_metric: dict[Split, dict[str, Estimate]] = {}
    for split in splits:
        rows = table[split].get(name, {})
        metrics = sorted({metric for row in rows.values() for metric in row})
        by_metric[split] = {m: estimate([rows[seed][m] for seed in study.seeds if seed in rows]) for m in metrics}
    return VariantSummary(
        name=name,
        n_ok=sum(result.status == "ok" for result in own),
        n_failed=sum(result.status not in ("ok", "stopped") for result in own),
        n_stopped=sum(result.status == "stopped" for result in own),
        estimates=by_metric,
    )
