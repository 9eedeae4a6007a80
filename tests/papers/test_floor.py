"""Equal at the level of guessing: said where every variant that is compared is there, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from designs import world

from scientist.papers._floor import at_floor, floor_limits, guessing
from scientist.papers._phrases import Phrases


def phrases(majority: Any, *, bound: float | None = 1.0, datasets: int = 1) -> Phrases:
    """A comparison at about 93 % accuracy, where guessing is said to earn `majority`."""
    w = world("comparison")
    described = {"name": "digits", "title": "Digits", "keep": 400, "majority": majority}
    data = {f"digits_{n}" if n else "digits": described for n in range(datasets)}
    metrics = tuple(m.model_copy(update={"bound": bound}) for m in w.template.metrics)
    template = w.template.model_copy(update={"metrics": metrics})
    return Phrases(template, w.idea, w.study.model_copy(update={"data": data}), w.analysis)


def test_where_nothing_beats_guessing_it_is_said() -> None:
    p = phrases(0.99)
    assert at_floor(p) == "digits"
    assert "data.digits.majority" in guessing(p) and "none of them is known to do better than guessing" in guessing(p)
    assert len(floor_limits(p)) == 1


@pytest.mark.parametrize(
    "p",
    [
        phrases(0.5),
        phrases("half"),
        phrases(0.99, bound=None),
        phrases(0.99, datasets=2),
        phrases(0.935),  # between the two: one is better, one is not
    ],
    ids=["better", "not a number", "no proportion", "several data sets", "between"],
)
def test_elsewhere_nothing_is_said(p: Phrases) -> None:
    assert at_floor(p) == "" and guessing(p) == "" and floor_limits(p) == []
