"""Which lessons are in force: capped, expiring, merged, and blind to the order of files."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from idea_makers import make_lesson

from scientist.ideas import Lesson, Lessons, active_lessons, load_lessons, standing
from scientist.lab import write_atomic


class Listening:
    """Keeps the notes of a progress."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def stage(self, paper: str, stage: str) -> None: ...

    def runs(self, done: int, total: int, failed: int) -> None: ...

    def curve(self, run: str, point: object) -> None: ...

    def note(self, text: str) -> None:
        self.notes.append(text)


def files(*lessons: Lesson) -> list[Lessons]:
    return [Lessons(lessons=(lesson,)) for lesson in lessons]


@st.composite
def many(draw: st.DrawFn) -> list[Lesson]:
    topics = st.sampled_from(["underpowered", "scope", "baseline"])
    return [
        make_lesson(
            draw(topics),
            f"paper-{number}",
            knobs=draw(st.sampled_from([("noise",), ("noise", "size"), ("size", "noise")])),
            weight=draw(st.floats(0, 10)),
            round=draw(st.integers(1, 6)),
        )
        for number in range(draw(st.integers(0, 8)))
    ]


@given(many(), st.integers(0, 9), st.integers(0, 9), st.integers(1, 4), st.randoms())
def test_capped_ranked_alive_and_independent_of_order(lessons, round_, cap, expire, random) -> None:
    active = active_lessons(files(*lessons), "toy", round_, cap, expire)
    shuffled = list(lessons)
    random.shuffle(shuffled)
    assert active_lessons(files(*shuffled), "toy", round_, cap, expire) == active
    assert len(active) <= cap
    marks = [standing(lesson, round_, expire) for lesson in active]
    assert marks == sorted(marks, reverse=True)
    assert all(round_ - lesson.round <= expire for lesson in active)
    keys = [(lesson.topic, tuple(sorted(lesson.knobs))) for lesson in active]
    assert len(set(keys)) == len(keys)


def test_repetition_adds_weight_and_the_newest_keeps_its_words() -> None:
    old = make_lesson("scope", "old-paper", knobs=("noise",), weight=4.0, round=1)
    new = make_lesson("scope", "new-paper", knobs=("noise",), weight=2.0, round=2)
    (merged,) = active_lessons(files(old, new), "toy", 3, 5, 3)
    assert merged.id == new.id
    assert merged.text == new.text
    assert merged.weight == 5.0


def test_age_lowers_rank_until_it_expires_and_other_templates_do_not_count() -> None:
    heavy_old = make_lesson("scope", "a-paper", weight=3.0, round=1)
    light_new = make_lesson("baseline", "b-paper", weight=2.0, round=3)
    other = make_lesson("vanished", "c-paper", weight=9.0, round=3, template="elsewhere")
    everything = files(heavy_old, light_new, other)
    assert [one.id for one in active_lessons(everything, "toy", 1, 5, 3)] == [heavy_old.id, light_new.id]
    assert [one.id for one in active_lessons(everything, "toy", 4, 5, 3)] == [light_new.id, heavy_old.id]
    assert [one.id for one in active_lessons(everything, "toy", 5, 5, 3)] == [light_new.id]


def test_a_broken_file_is_reported_and_skipped(tmp_path: Path) -> None:
    good = Lessons(lessons=(make_lesson("scope", "a-paper"),))
    write_atomic(tmp_path / "a-paper" / "lessons.json", good.canonical())
    write_atomic(tmp_path / "b-paper" / "lessons.json", '{"lessons": [{"id": 3}]}')
    progress = Listening()
    assert load_lessons(tmp_path, progress) == [good]
    (note,) = progress.notes
    assert "b-paper/lessons.json" in note
    assert load_lessons(tmp_path / "nowhere") == []
