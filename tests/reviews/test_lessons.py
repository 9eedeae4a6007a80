"""Lessons: at most one per topic and five per paper, with a source that exists and values that can be acted on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from designs import DESIGNS, TEMPLATE, World, world
from hypothesis import given
from hypothesis import strategies as st

from scientist.ideas import Lessons, Topic
from scientist.literature import Novelty
from scientist.reviews import Remark, Review, lessons_from
from scientist.reviews._evidence import Evidence
from scientist.reviews._heuristic import judge
from scientist.reviews._lessons import CAP, shorten

TOPICS: tuple[Topic, ...] = (
    "underpowered", "single-dataset", "vanished", "robustness", "baseline", "negligible", "contradicted", "failures",
    "novelty", "scope",
)  # fmt: skip


def review_of(w: World) -> Review:
    novelty = Novelty(slug=w.study.slug, verdict="undecided", reason="no source answered", score=0.5)
    return judge(Evidence(w.template, w.idea, w.study, w.analysis, novelty))


def learn(w: World, review: Review | None = None, round: int = 1) -> Lessons:
    return lessons_from(review or review_of(w), w.study, w.analysis, w.idea, TEMPLATE, round)


@pytest.mark.parametrize("kind", sorted(DESIGNS))
@pytest.mark.parametrize("effect", [0.03, 0.0, -0.03])
def test_every_lesson_comes_from_a_weakness(kind: str, effect: float) -> None:
    w = world(kind, effect=effect)
    review, learnt = review_of(w), learn(w)
    assert len(learnt.lessons) <= CAP
    assert len({lesson.id for lesson in learnt.lessons}) == len(learnt.lessons)
    for lesson in learnt.lessons:
        path, _, index = lesson.source.partition("#weaknesses/")
        assert path == f"reviews/{w.study.slug}/heuristic.json"
        assert review.weaknesses[int(index)].topic == lesson.topic
        assert lesson.text == shorten(review.weaknesses[int(index)].text)
        for knob in lesson.knobs:
            TEMPLATE.knob(knob)
            if knob in lesson.values:
                TEMPLATE.knob(knob).check(lesson.values[knob])
    assert learnt.canonical() == learn(w).canonical()


def test_an_unsettled_study_hands_on_the_seeds_it_lacked() -> None:
    w = world("comparison", effect=0.0)
    pilot = w.study.pilot.model_copy(update={"needed": 31, "capped": True, "expected_power": 0.3})
    w = replace(w, study=w.study.model_copy(update={"pilot": pilot}))
    lesson = next(x for x in learn(w).lessons if x.topic == "underpowered")
    assert lesson.values["needed_seeds"] == 31 and lesson.values["seeds"] == 8
    assert lesson.values["direction"] == "unclear" and lesson.knobs == ("model",)
    assert lesson.values["dataset"] == "digits"


def test_a_settled_study_is_not_repeated_for_more_seeds() -> None:
    w = world("dose-response", effect=0.03)
    pilot = w.study.pilot.model_copy(update={"needed": 31, "capped": True, "expected_power": 0.3})
    w = replace(w, study=w.study.model_copy(update={"pilot": pilot}))
    assert "power" in {r.rule for r in review_of(w).weaknesses}
    assert "underpowered" not in {x.topic for x in learn(w).lessons}


def test_what_was_found_is_carried_over() -> None:
    lesson = next(x for x in learn(world("dose-response")).lessons if x.topic == "single-dataset")
    assert lesson.values["label_noise"] == 0.4 and lesson.values["direction"] == "lowered"
    lesson = next(x for x in learn(world("robustness")).lessons if x.topic == "single-dataset")
    assert lesson.values["augment"] is True and lesson.values["direction"] == "raised"


def test_failures_hand_on_where_runs_failed() -> None:
    w = world("dose-response")
    variants = tuple(
        v.model_copy(update={"n_failed": 6, "n_ok": 2}) if v.name == "label_noise_0_2" else v
        for v in w.analysis.variants
    )
    w = replace(w, analysis=w.analysis.model_copy(update={"variants": variants}))
    lesson = next(x for x in learn(w).lessons if x.topic == "failures")
    assert lesson.values["label_noise"] == 0.2


REMARKS = st.lists(
    st.builds(
        Remark,
        text=st.sampled_from(["Everything rests on one data set.", "Too few seeds. " * 40, "word " * 90]),
        where=st.just("contrast x"),
        rule=st.just("rule"),
        topic=st.sampled_from([None, *TOPICS]),
        weight=st.floats(-5, 0),
    ),
    max_size=14,
)
WORLD = world("dose-response")
REVIEW = review_of(WORLD)


@given(REMARKS, st.integers(0, 50))
def test_lessons_are_few_distinct_and_heaviest_first(weaknesses: list[Remark], round: int) -> None:
    review = REVIEW.model_copy(update={"weaknesses": tuple(weaknesses)})
    learnt = learn(WORLD, review, round).lessons
    topics = [lesson.topic for lesson in learnt]
    assert len(topics) == len(set(topics)) == min(CAP, len({r.topic for r in weaknesses if r.topic}))
    assert [lesson.weight for lesson in learnt] == sorted((lesson.weight for lesson in learnt), reverse=True)
    assert all(len(lesson.text) <= 240 and lesson.round == round for lesson in learnt)


@given(st.text(alphabet="ab .,", min_size=12, max_size=600))
def test_shortening_keeps_the_beginning(text: str) -> None:
    short = shorten(text)
    assert len(short) <= 240
    assert text.startswith(short.removesuffix("..."))
