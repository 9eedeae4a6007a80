"""From how near works come to how likely one of them tells the idea already: one formula with two numbers. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Literal

from pydantic import Field

from scientist.lab import Record
from scientist.literature._nearness import Near, stands_out

Ways = Literal["both", "lexical", "semantic", "learnt"]


class Curve(Record):
    """A logistic curve over :func:`stands_out`."""

    intercept: float
    slope: float = Field(gt=0)

    def at(self, value: float) -> float:
        """The probability, in (0, 1); it never falls where the value rises."""
        return 1 / (1 + math.exp(-max(-50.0, min(50.0, self.intercept + self.slope * value))))


class Coefficients(Record):
    """`novelty.json` of this package: everything about the verdict that was fitted to data, and nothing else."""

    about: str
    close: float = Field(gt=0, lt=1, description="from this probability on an idea is close to the nearest work")
    both: Curve
    lexical: Curve
    semantic: Curve
    learnt: Curve

    def curve(self, how: Ways) -> Curve:
        """The curve for scores by words, by meaning, by both, or by words and vectors learnt from the library."""
        return {"both": self.both, "lexical": self.lexical, "semantic": self.semantic, "learnt": self.learnt}[how]


@lru_cache(maxsize=1)
def coefficients() -> Coefficients:
    """Those that come with the program."""
    file = files("scientist.literature") / "novelty.json"
    return Coefficients.model_validate_json(file.read_text(encoding="utf-8"))


def how_compared(near: Sequence[Near]) -> Ways:
    """By both where the works have a meaning to compare, which either all of them have or none."""
    if not near or near[0].meaning is None:
        return "lexical"
    return "learnt" if near[0].learnt else "both"


def likely_told(near: Sequence[Near], how: Ways | None = None) -> float:
    """How likely it is, in [0, 1], that the nearest work tells the idea; 1 for a work that tells all of it.

    `near` as :func:`nearness` returns it. Nothing found: 0, which is no evidence of novelty.
    """
    if not near:
        return 0.0
    if any(one.identical for one in near):
        return 1.0
    return coefficients().curve(how or how_compared(near)).at(stands_out(near))
