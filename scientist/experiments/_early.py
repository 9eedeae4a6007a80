"""Stopping variants that can no longer win: for futility alone, by a rule that the study declares; see `EarlyStop`."""

from __future__ import annotations

from collections.abc import Sequence

from scientist.experiments._estimates import contrast_values, estimate, scores_by_split
from scientist.experiments._power import MIN_SEEDS
from scientist.experiments._results import RunResult
from scientist.experiments._study import Contrast, EarlyStop, Study


def declare_early_stop(seeds: int) -> EarlyStop | None:
    """One look half-way; None where half of the seeds are too few to see anything."""
    look = (seeds + 1) // 2
    return EarlyStop(look=look) if look >= max(5, MIN_SEEDS // 2) and look < seeds else None


def hopeless(contrast: Contrast, values: Sequence[float], confidence: float) -> bool:
    """Whether the interval of the per-seed values excludes the smallest effect in the direction the idea expects.

    Contrasts that expect equality, or a difference either way, are never hopeless.
    """
    if contrast.expect not in ("greater", "less"):
        return False
    found = estimate(values, confidence)
    if found.ci_low is None or found.ci_high is None:
        return False
    if contrast.expect == "greater":
        return found.ci_high < contrast.smallest_effect
    return found.ci_low > -contrast.smallest_effect


def futile_contrasts(study: Study, results: Sequence[RunResult]) -> set[str]:
    """Ids of the contrasts that are futile at the declared look, from the first seeds on *search* alone.

    Empty when the study declares no look, or not all of the seeds before it were run.
    """
    rule = study.early_stop
    if rule is None:
        return set()
    first = set(study.seeds[: rule.look])
    early = [result for result in results if result.seed in first]
    if len(early) < rule.look * len(study.variants) or any(result.status == "stopped" for result in early):
        return set()
    scores = scores_by_split(early, None)[rule.split]
    confidence = 1 - study.alpha / len(study.contrasts)
    return {
        contrast.id
        for contrast in study.contrasts
        if hopeless(contrast, list(contrast_values(contrast, scores, study.metric).values()), confidence)
    }


def stopped_variants(study: Study, futile: set[str]) -> tuple[str, ...]:
    """The variants all of whose contrasts are futile, in declared order; one that no contrast weighs is kept."""
    touching = {
        variant.name: {contrast.id for contrast in study.contrasts if contrast.weights.get(variant.name)}
        for variant in study.variants
    }
    return tuple(variant.name for variant in study.variants if (ids := touching[variant.name]) and ids <= futile)
