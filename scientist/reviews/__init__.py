"""Reviews: the form, who fills it, and the lessons that the next round starts from."""

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
