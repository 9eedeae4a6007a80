"""Reviews: the form, who fills it, and the lessons that the next round starts from.

Names are imported when they are asked for: reading or checking a stranger's paper needs nothing of our own papers, and
importing all of that takes a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scientist._lazy import lazy

if TYPE_CHECKING:
    from scientist.reviews._form import Decision, Remark, Review
    from scientist.reviews._heuristic import HeuristicReviewer, Reviewer
    from scientist.reviews._lessons import lessons_from
    from scientist.reviews._render import render_review

__all__ = [
    "Decision",
    "HeuristicReviewer",
    "Remark",
    "Review",
    "Reviewer",
    "lessons_from",
    "render_review",
]

if not TYPE_CHECKING:  # a name that does not exist is still found by the type checker
    __getattr__ = lazy(
        __name__,
        {
            "Decision": "_form",
            "Remark": "_form",
            "Review": "_form",
            "HeuristicReviewer": "_heuristic",
            "Reviewer": "_heuristic",
            "lessons_from": "_lessons",
            "render_review": "_render",
        },
    )
