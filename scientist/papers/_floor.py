"""When nothing that was compared is known to be better than guessing: equal then says little."""

from __future__ import annotations

from scientist.experiments import Study
from scientist.papers._phrases import Phrases, val


def at_floor(p: Phrases) -> str:
    """The data set whose `majority` none of the variants of the primary contrast is known to beat; empty if one does.

    A variant is known to beat it when its interval on *keep* lies on the better side of it. Only for metrics that are
    proportions to be maximised, over a single data set: elsewhere nobody said what guessing earns.
    """
    study, metric = p.study, p.metric
    described = next(iter(study.data.items()), None)
    if described is None or len(study.data) != 1 or metric.direction != "maximize" or metric.bound != 1.0:
        return ""
    name, facts = described
    majority = facts.get("majority")
    if not isinstance(majority, float):
        return ""
    compared = [v for v in p.analysis.variants if _weighs(study, v.name)]
    lows = [v.estimates.get("keep", {}).get(study.metric) for v in compared]
    if not lows or any(found is None or found.ci_low is None or found.ci_low > majority for found in lows):
        return ""
    return name


def guessing(p: Phrases) -> str:
    """The sentence of the results about it; empty where some variant is known to do better."""
    name = at_floor(p)
    if not name:
        return ""
    earned = (
        rf"\calc{{round({p.metric.scale:g}*data.{name}.majority, {p.metric.digits})}}"
        rf"{{share of the commonest answer in the training pool, in printed units}}{p.unit}"
    )
    return (
        f" Always giving the commonest answer would earn {earned}, and the {val('study.ci_level')}"
        r"\,\% interval of every variant that the primary contrast compares reaches down to that: none of them is known to do better "
        "than guessing, and variants that learn nothing are alike whatever else differs between them."
    )


def floor_limits(p: Phrases) -> list[str]:
    """The limitation that follows."""
    if not at_floor(p):
        return []
    return [
        "What was compared does not do better than guessing here. Whether the same differences matter where "
        "something is learnt was not asked, and no advice follows for such a case."
    ]


def _weighs(study: Study, variant: str) -> bool:
    return bool(study.primary.weights.get(variant))
