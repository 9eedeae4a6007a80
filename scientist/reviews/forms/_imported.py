"""Reviews that others wrote: the `review.txt` of the AI-Scientist, a JSON object with text around it or without."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from scientist.errors import RecordError
from scientist.lab import read_text
from scientist.reviews.forms._builtin import NEURIPS
from scientist.reviews.forms._filled import Answer, FilledReview, Point
from scientist.reviews.forms._form import OVERALL

LARGEST = 1 << 20  # bytes
OPENINGS = 200  # braces at which an object is looked for
MOST = 100  # remarks of a list
LONGEST = 4_000  # characters of a remark
_NEEDED = ("Summary", "Overall")


def read_review_txt(path: Path, paper: str = "", reviewer: str = "imported") -> FilledReview:
    """The review in a file. Its scores rest on nothing that anybody checked: `supported` stays None.

    Raises :class:`RecordError`, in one line, for a file without such a review or with a score off its scale.
    """
    if path.is_file() and path.stat().st_size > LARGEST:
        raise RecordError(f"{path} is larger than a review", "name the review's own file")
    text = read_text(path)
    values = _object(text)
    if values is None:
        raise RecordError(f"{path} holds no review", "it should hold a JSON object with Summary, Overall and Decision")
    answers = []
    for criterion in NEURIPS.scored:
        name = criterion.title
        if values.get(name) is None and criterion.name != OVERALL:
            continue  # older forms have fewer parts
        score = _number(values.get(name))
        if score is None or not criterion.low <= score <= criterion.high:
            raise RecordError(
                f"{path}: {name}: {str(values.get(name))[:40]!r} is no score from {criterion.low} to {criterion.high}",
                "mend that line",
            )
        answers.append(Answer(criterion=criterion.name, score=score))
    return FilledReview(
        paper=paper or path.parent.name,
        reviewer=reviewer,
        form=NEURIPS.name,
        summary=_said(values.get("Summary")),
        strengths=tuple(Point(text=said) for said in _list(values.get("Strengths"))),
        weaknesses=tuple(Point(text=said) for said in _list(values.get("Weaknesses"))),
        questions=_list(values.get("Questions")),
        limitations=_list(values.get("Limitations")),
        ethical_concerns=_ethics(values.get("Ethical Concerns")),
        answers=tuple(answers),
        confidence=_number(values.get("Confidence")),
        decision=_said(values.get("Decision"))[:40],
    )


def _object(text: str) -> dict[str, Any] | None:
    """The last object in the text that looks like a review: models think first and answer last."""
    decoder, found, at = json.JSONDecoder(), None, text.find("{")
    for _ in range(OPENINGS):
        if at == -1:
            break
        try:
            value, end = decoder.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError):
            end = at + 1
        else:
            if isinstance(value, dict) and all(name in value for name in _NEEDED):
                found = value
        at = text.find("{", end)
    return found


def _number(value: object) -> float | None:
    """A number, also from '6', '6/10' or '6: weak accept'."""
    if isinstance(value, str):
        head = value.strip().split("/")[0].split(":")[0].split(" ")[0]
        try:
            value = float(head)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _said(value: object) -> str:
    return " ".join(value.split())[:LONGEST] if isinstance(value, str) else ""


def _list(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        value = value.splitlines()
    items = value if isinstance(value, list) else []
    return tuple(said for one in items[:MOST] if (said := _said(one).lstrip("-*• ")))


def _ethics(value: object) -> str:
    if isinstance(value, bool):
        return "The review flags ethical concerns." if value else ""
    said = _said(value)
    return "" if said.casefold().rstrip(".") in ("", "none", "no", "false") else said
