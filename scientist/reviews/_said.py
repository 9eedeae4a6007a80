"""A remark of the heuristic review and the part of the form it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scientist.ideas import Topic
from scientist.reviews._form import Remark

Kind = Literal["strength", "weakness", "question"]
START = 4.0
"""Overall before any remark."""


@dataclass(frozen=True)
class Said:
    """A remark and the part of the form it belongs to."""

    kind: Kind
    remark: Remark


def good(rule: str, where: str, text: str, weight: float) -> Said:
    """A strength."""
    return Said("strength", Remark(text=text, where=where, rule=rule, weight=weight))


def bad(rule: str, where: str, text: str, weight: float, topic: Topic | None = None) -> Said:
    """A weakness; `weight` is what it takes from Overall (given as a positive number)."""
    return Said("weakness", Remark(text=text, where=where, rule=rule, topic=topic, weight=-abs(weight)))


def ask(rule: str, where: str, text: str) -> Said:
    """A question to the authors."""
    return Said("question", Remark(text=text, where=where, rule=rule))
