"""Facts whose value does not stand at their pointer as it is: what is made of what stands there, by the fact's id.

Audit and trace follow the same rules, so that neither believes what the other would not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from scientist.papers._records import Fact
from scientist.papers._reported import spread_of


def _tally(found: Any) -> tuple[int, int] | None:
    """(valid results, runs done) of the variants in an analysis."""
    try:
        valid = sum(variant["n_ok"] for variant in found)
        return valid, valid + sum(variant["n_failed"] for variant in found)
    except (KeyError, TypeError):
        return None


def _n_valid(fact: Fact, found: Any) -> bool:
    tally = _tally(found)
    return tally is not None and fact.value == tally[0]


def _n_done(fact: Fact, found: Any) -> bool:
    tally = _tally(found)
    return tally is not None and fact.value == tally[1]


def _valid_share(fact: Fact, found: Any) -> bool:
    tally = _tally(found)
    return tally is not None and _near(fact.value, tally[0] / tally[1] if tally[1] else 0.0)


def _counts_its_runs(fact: Fact, found: Any) -> bool:
    return found is not None and fact.value == len(set(fact.runs)) == len(fact.runs)


def _counts_a_status(fact: Fact, found: Any) -> bool:
    return bool(found == fact.id.rpartition(".")[2]) and _counts_its_runs(fact, found)


def _names_a_series(fact: Fact, found: Any) -> bool:
    return isinstance(found, dict) and fact.value in found


def _recomputed(fact: Fact, found: Any) -> bool:
    spread = spread_of(found)
    return spread is not None and _near(fact.value, spread[1])


def _n_reported(fact: Fact, found: Any) -> bool:
    spread = spread_of(found)
    return spread is not None and fact.value == spread[0]


def _near(value: Any, other: float) -> bool:
    return isinstance(value, int | float) and abs(value - other) <= 1e-9 * max(abs(other), 1e-300)


Rule = Callable[[Fact, Any], bool]

_RULES: tuple[tuple[str, Rule, str], ...] = (
    (r"study\.n_valid", _n_valid, "valid results, summed over the variants"),
    (r"study\.n_done", _n_done, "valid results and failures, summed over the variants"),
    (r"study\.valid_share", _valid_share, "valid results / runs done, summed over the variants"),
    (r"study\.status\.[a-z]+", _counts_a_status, "counted: the runs listed, all with this status"),
    (r"best\.[a-z0-9_]+\.n", _counts_its_runs, "counted: the runs listed"),
    (r"curve\.[a-z0-9_]+\.n", _counts_its_runs, "counted: the runs listed, each with such a curve"),
    (r"curve\.series", _names_a_series, "a name in every line of the file"),
    (
        r"reported\.[a-z0-9_]+\.recomputed",
        _recomputed,
        "s.d. (divisor n - 1) / sqrt(n) of the raw values at the pointer",
    ),
    (r"reported\.[a-z0-9_]+\.n", _n_reported, "counted: the finite raw values at the pointer"),
)


def rule_of(fact_id: str) -> tuple[Rule, str] | None:
    """(check, how it is made in words) for a fact with a rule of its own."""
    return next(((rule, words) for pattern, rule, words in _RULES if re.fullmatch(pattern, fact_id)), None)
