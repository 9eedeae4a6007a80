"""Selection: a person outranks the score, what was decided stays decided, and order does not matter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from idea_makers import make_effect, make_idea, make_lesson, make_template

from scientist.ideas import (
    Choice,
    Comparison,
    DoseResponse,
    Idea,
    LessonUse,
    Robustness,
    Tuning,
    rank,
    select,
)
from scientist.literature import Novelty
from scientist.search import Archive

TOY = make_template()
DESIGNS = (
    DoseResponse(knob="noise", levels=(0.0, 0.2)),
    DoseResponse(knob="size", levels=(20, 80)),
    Comparison(knob="scaling", choices=("none", "rank"), reference="none"),
    Robustness(treatment={"augment": True}, stressor="noise", levels=(0.0, 0.4)),
    Tuning(knobs=("penalty",), trials=4),
)
STATUSES = ("proposed", "approved", "rejected", "known", "done", "failed")
LESSON = make_lesson("scope", "old-paper")


def novelty(slug: str, verdict: str = "novel", score: float = 0.5) -> Novelty:
    return Novelty.model_validate({"slug": slug, "verdict": verdict, "reason": "Because of that.", "score": score})


def slugs(choices: list[Choice]) -> list[str]:
    return [choice.slug for choice in choices]


def pick(ideas: list[Idea], count: int = 9, seed: int = 0, **more) -> list[str]:
    chosen = select(
        ideas, more.get("novelty", {}), more.get("lessons", ()), more.get("archive", Archive()), count, seed, TOY
    )
    return slugs(chosen)


@st.composite
def pools(draw: st.DrawFn) -> tuple[list[Idea], dict[str, Novelty]]:
    ideas, found = [], {}
    for number in range(draw(st.integers(0, 7))):
        use = (LessonUse(lesson=LESSON.id, text=LESSON.text, change="this study goes further"),)
        idea = make_idea(
            f"idea-{number}",
            draw(st.sampled_from(DESIGNS)),
            status=draw(st.sampled_from(STATUSES)),
            template=draw(st.sampled_from(["toy", "toy", "toy", "else"])),
            priority=draw(st.sampled_from([0.0, 0.0, -2.0, 3.0])),
            lessons=draw(st.sampled_from([(), use])),
        )
        ideas.append(idea)
        if draw(st.booleans()):
            verdict = draw(st.sampled_from(["novel", "close", "known", "undecided"]))
            found[idea.slug] = novelty(idea.slug, verdict, draw(st.floats(0, 1)))
    return ideas, found


@given(pools(), st.integers(0, 5), st.integers(0, 99), st.randoms())
def test_select_keeps_its_promises(pool, count: int, seed: int, random) -> None:
    ideas, found = pool
    chosen = select(ideas, found, (LESSON,), Archive(), count, seed, TOY)
    by_slug = {idea.slug: idea for idea in ideas}
    shuffled = list(ideas)
    random.shuffle(shuffled)
    assert select(shuffled, found, (LESSON,), Archive(), count, seed, TOY) == chosen
    assert len(chosen) <= count
    assert len(set(slugs(chosen))) == len(chosen)
    eligible = set()
    for idea in ideas:
        known = idea.slug in found and found[idea.slug].verdict == "known"
        if idea.template == "toy" and (idea.status == "approved" or (idea.status == "proposed" and not known)):
            eligible.add(idea.slug)
    assert set(slugs(chosen)) <= eligible
    assert len(chosen) == min(count, len(eligible))
    flags = [by_slug[choice.slug].status == "approved" for choice in chosen]
    assert flags == sorted(flags, reverse=True), "approved ideas come first"
    for choice in chosen:
        assert choice.score == pytest.approx(sum(choice.parts.values()))
    whole = rank(ideas, found, (LESSON,), Archive(), seed, TOY)
    assert whole[: len(chosen)] == chosen


def test_approval_outranks_any_score_and_even_a_known_answer() -> None:
    plain = make_idea("plain", DESIGNS[0], status="approved", priority=-5.0)
    star = make_idea("star", DESIGNS[1], priority=5.0)
    assert pick([star, plain], novelty={"plain": novelty("plain", "known", 0.0)}) == ["plain", "star"]


@pytest.mark.parametrize(
    ("better", "worse", "more"),
    [
        ({"priority": 1.0}, {}, {}),
        ({}, {}, {"novelty": {"one": novelty("one", "novel", 0.9), "two": novelty("two", "close", 0.1)}}),
        (
            {"lessons": (LessonUse(lesson=LESSON.id, text=LESSON.text, change="this study goes on"),)},
            {},
            {"lessons": (LESSON,)},
        ),
        (
            {"settings": {"dataset": "lakes"}},
            {},
            {"archive": Archive(findings=(make_effect("p", "noise", 0.0, 0.2, 1.0),))},
        ),
    ],
    ids=["priority", "novelty", "lessons", "information"],
)
def test_each_part_decides_between_equals(better: dict, worse: dict, more: dict) -> None:
    for seed in range(6):
        ideas = [make_idea("one", DESIGNS[0], **better), make_idea("two", DESIGNS[0], **worse)]
        assert pick(ideas, 1, seed, **more) == ["one"]


def test_a_study_beyond_the_budget_is_less_fit() -> None:
    dear = make_idea("one", Tuning(knobs=("penalty",), trials=60))
    fair = make_idea("two", Tuning(knobs=("penalty",), trials=6))
    assert pick([dear, fair], 1) == ["two"]


def test_two_picks_of_a_kind_are_avoided() -> None:
    ideas = [
        make_idea("dose-one", DESIGNS[0], priority=0.3),
        make_idea("dose-two", DoseResponse(knob="noise", levels=(0.0, 0.4)), priority=0.2),
        make_idea("other", DESIGNS[2]),
    ]
    assert pick(ideas, 2) == ["dose-one", "other"]


def test_ties_are_drawn_by_the_seed_not_by_the_name() -> None:
    ideas = [make_idea(name, DESIGNS[0]) for name in ("aaa", "bbb", "ccc")]
    firsts = {pick(ideas, 1, seed)[0] for seed in range(20)}
    assert firsts == {"aaa", "bbb", "ccc"}


def test_of_equals_what_somebody_thought_up_precedes_what_rules_composed() -> None:
    for seed in range(8):
        for origin in ("person", "model"):
            ideas = [
                make_idea("rules", DESIGNS[0], origin="heuristic"),
                make_idea("thought", DESIGNS[0], origin=origin),
            ]
            assert pick(ideas, count=1, seed=seed) == ["thought"]


def test_the_reason_says_what_counted() -> None:
    idea = make_idea(
        "one", DESIGNS[0], lessons=(LessonUse(lesson=LESSON.id, text=LESSON.text, change="this study goes"),)
    )
    (choice,) = select([idea], {}, (LESSON,), Archive(), 1, 0, TOY)
    assert "the lessons it heeds" in choice.reason
