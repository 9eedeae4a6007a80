"""A filled form as the content of a note of OpenReview's API v2: `{"content": {field: {"value": ...}}}`."""

from __future__ import annotations

from typing import Any

from scientist.reviews.forms._filled import FilledReview, Point
from scientist.reviews.forms._form import Form

NO_ETHICS, ETHICS = "No ethics review needed.", "Yes, Other reasons (please specify below)"


def openreview_note(review: FilledReview, form: Form) -> dict[str, Any]:
    """The note. Overall is called 'rating', as there; a score that does not count is left out, and so is an empty text."""
    values: dict[str, Any] = {"summary": review.summary}
    for criterion in form.criteria:
        values[criterion.name] = _whole(review.score(criterion.name))
    values["strengths"] = _list(review.strengths)
    values["weaknesses"] = _list(review.weaknesses)
    values["questions"] = "\n".join(f"- {question}" for question in review.questions)
    values["limitations"] = "\n".join(f"- {limit}" for limit in review.limitations)
    values.update(review.texts)
    values["flag_for_ethics_review"] = [ETHICS if review.ethical_concerns else NO_ETHICS]
    values["details_of_ethics_concerns"] = review.ethical_concerns
    values["rating"] = _whole(review.score("overall"))
    values["confidence"] = _whole(review.confidence)
    return {"content": {name: {"value": value} for name, value in values.items() if value not in (None, "")}}


def _whole(score: float | None) -> float | int | None:
    return int(score) if score is not None and score == int(score) else score


def _list(points: tuple[Point, ...]) -> str:
    lines = []
    for point in points:
        where = f" [{point.quote.section}: “{point.quote.text}”]" if point.located and point.quote else ""
        lines.append(f"- {f'({point.kind}) ' if point.kind else ''}{point.text}{where}")
    return "\n".join(lines)
