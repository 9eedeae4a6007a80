"""What a reviewing model may teach: little, last, and in words of the program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from designs import TEMPLATE, world

from scientist.ideas import Lesson, Lessons
from scientist.llm import Budget, Ledger, Model
from scientist.reviews._lessons import CAP
from scientist.reviews.forms import Answer, FilledReview, Point, Quotation
from scientist.reviews.model import LabReviewer, Panel, with_lessons_of
from scientist.reviews.rule import Combined

WORLD = world("comparison", effect=0.03)
QUOTE = Quotation(text="One data set was used here.", section="Limitations")
WEAK = Point(text="Print 99.9 %.", kind="scope", quote=QUOTE, actionable=True, action="Print 99.9 %.")


def panel(*weaknesses: Point, supported: bool = True) -> Panel:
    answers = (Answer(criterion="overall", score=3, supported=supported),)
    review = FilledReview(paper="p", reviewer="r", form="neurips", answers=answers, weaknesses=weaknesses)
    return Panel(
        paper="p",
        form="neurips",
        model="m",
        seed=0,
        asked=1,
        numbers=(1,),
        reviews=(review,),
        combined=Combined(rule="x"),
    )


def taught(found: Panel, known: tuple[Lesson, ...] = ()) -> tuple[Lesson, ...]:
    w = WORLD
    where = (w.study, w.analysis, w.idea, TEMPLATE, 1)
    return with_lessons_of(Lessons(lessons=known), found, "by-m.json", *where).lessons


def test_a_located_actionable_weakness_of_a_whole_form_is_a_lesson() -> None:
    (lesson,) = taught(panel(WEAK.model_copy(update={"actionable": False}), WEAK))
    assert lesson.source == f"reviews/{WORLD.study.slug}/by-m.json#reviews/0/weaknesses/1"
    assert lesson.topic == "scope"
    assert lesson.weight == 1.0
    assert "99.9" not in lesson.model_dump_json()
    assert lesson.knobs == ("model",)


@pytest.mark.parametrize(
    ("change", "supported"),
    [
        ({"actionable": False}, True),
        ({"quote": None}, True),
        ({"quote": Quotation(text="It is not there.")}, True),
        ({"kind": "clarity"}, True),
        ({"kind": "ethics"}, True),
        ({"kind": None}, True),
        ({}, False),
    ],
)
def test_anything_less_is_none(change: dict[str, Any], supported: bool) -> None:
    assert taught(panel(WEAK.model_copy(update=change), supported=supported)) == ()


def test_what_the_rules_taught_stands_first_and_is_not_said_twice() -> None:
    (mine,) = taught(panel(WEAK))
    assert taught(panel(WEAK, WEAK), (mine,)) == (mine,)
    more = taught(panel(WEAK, WEAK.model_copy(update={"kind": "novelty"})), (mine,))
    assert more[0] == mine
    assert [lesson.topic for lesson in more] == ["scope", "novelty"]
    topics = ("underpowered", "single-dataset", "vanished", "baseline", "failures")
    full = tuple(mine.model_copy(update={"topic": topic, "id": f"p.{topic}"}) for topic in topics)
    assert len(full) == CAP
    assert taught(panel(WEAK), full) == full


@pytest.mark.parametrize("label", ["heuristic", "../../heuristic", "a/b:c", "lessons", "..", "x" * 300])
def test_no_name_of_a_model_writes_another_file(tmp_path: Path, label: str) -> None:
    file = LabReviewer(Model(label, None, Budget(Ledger(tmp_path / "calls.jsonl")), tmp_path)).file
    assert file not in ("heuristic.json", "lessons.json")
    assert (tmp_path / file).resolve().parent == tmp_path.resolve()
    assert len(file) < 100
