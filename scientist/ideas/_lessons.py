"""Lessons: what a review or a failure teaches the next round, one line each, capped and expiring."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from scientist.errors import RecordError
from scientist.lab import Record, read_json
from scientist.progress import Progress, Silent

Topic = Literal[
    "underpowered",  # intervals too wide to tell
    "single-dataset",  # one data set only
    "vanished",  # held on keep, not on final
    "robustness",  # effect never stressed
    "baseline",  # nothing compared at equal budget
    "negligible",  # significant but too small to matter
    "contradicted",  # the opposite was found
    "failures",  # runs failed
    "novelty",  # known or not checked
    "scope",  # the family or range was too narrow
]


class Lesson(Record):
    """One line, where it came from, and which knobs and data sets it is about."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]+$", description="<slug>.<topic>")
    topic: Topic
    text: str = Field(min_length=10, max_length=240)
    source: str = Field(description="the file (and item) it was learnt from")
    paper: str = Field(description="slug of the paper it was learnt from")
    template: str
    knobs: tuple[str, ...] = ()
    values: dict[str, float | int | str | bool] = Field(default_factory=dict, description="what to carry over")
    weight: float = Field(default=1.0, ge=0, le=10, description="how much acting on it should matter")
    round: int = Field(default=1, ge=0)


class Lessons(Record):
    """`reviews/<slug>/lessons.json`: what one paper taught. A person may edit or empty the list."""

    schema_version: Literal[1] = 1
    lessons: tuple[Lesson, ...] = ()


# A lesson that several papers taught counts for more, each repetition by this share of the heaviest.
REPEATED = 0.25


def load_lessons(reviews: Path, progress: Progress | None = None) -> list[Lessons]:
    """Every `reviews/<slug>/lessons.json`, by slug. A broken file is told to `progress` in one line and skipped."""
    found: list[Lessons] = []
    for path in sorted(reviews.glob("*/lessons.json")):
        try:
            found.append(read_json(Lessons, path))
        except RecordError as error:
            (progress or Silent()).note(f"skipped {error}")
    return found


def standing(lesson: Lesson, round: int, expire_after: int) -> float:
    """How much a lesson counts now: its weight, falling linearly with its age in rounds, 0 once it has expired."""
    age = max(0, round - lesson.round)
    return 0.0 if age > expire_after else lesson.weight * (1 - age / (expire_after + 1))


def active_lessons(
    files: Sequence[Lessons], template: str, round: int, cap: int, expire_after: int
) -> tuple[Lesson, ...]:
    """The lessons that the next proposals should heed, most important first; pure, and blind to the files' order.

    Lessons of other templates are left out. One taught in round r counts until round r + `expire_after`, less each
    round. Lessons on the same topic and knobs become one: the newest keeps its words and values and gains weight
    for every repetition. At most `cap` are returned.
    """
    alive = sorted(
        (
            lesson
            for file in files
            for lesson in file.lessons
            if lesson.template == template and standing(lesson, round, expire_after) > 0
        ),
        key=lambda lesson: lesson.id,
    )
    groups: dict[tuple[str, tuple[str, ...]], list[Lesson]] = {}
    for lesson in alive:
        groups.setdefault((lesson.topic, tuple(sorted(lesson.knobs))), []).append(lesson)
    merged = [_merge(group) for group in groups.values()]
    merged.sort(key=lambda lesson: (-standing(lesson, round, expire_after), -lesson.round, lesson.id))
    return tuple(merged[: max(0, cap)])


def _merge(group: Sequence[Lesson]) -> Lesson:
    newest = max(group, key=lambda lesson: (lesson.round, lesson.weight, lesson.id))
    heaviest = max(lesson.weight for lesson in group)
    return newest.model_copy(update={"weight": min(10.0, heaviest * (1 + REPEATED * (len(group) - 1)))})
