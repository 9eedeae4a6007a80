"""What a review taught changes what is proposed: topic by topic, and the idea says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from idea_makers import make_effect, make_idea, make_lesson, make_template

from scientist.experiments import compile_design
from scientist.ideas import (
    Backlog,
    Comparison,
    Design,
    DoseResponse,
    HeuristicProposer,
    Idea,
    Interaction,
    Lesson,
    Robustness,
    Topic,
    Transfer,
    Tuning,
    design_similarity,
    knobs_of,
)
from scientist.ideas._propose_lessons import ANSWERS, answers
from scientist.ideas._proposer import NEAR_DUPLICATE
from scientist.search import Archive

TOY = make_template()
DOSE = make_idea("dose-noise", DoseResponse(knob="noise", levels=(0.0, 0.1, 0.2, 0.4)), status="done", expect="less")
FAMILIES = make_idea(
    "families",
    Comparison(knob="model", choices=("linear", "forest", "net"), reference="linear"),
    status="done",
    expect="different",
)
DONE: dict[str, Idea] = {
    idea.slug: idea
    for idea in (
        DOSE,
        FAMILIES,
        make_idea("switch", DoseResponse(knob="augment", levels=(False, True)), status="done"),
        make_idea(
            "cross",
            Interaction(first="penalty", first_values=(0.1, 10.0), second="noise", second_values=(0.0, 0.4)),
            status="done",
            expect="different",
        ),
        make_idea(
            "stressed", Robustness(treatment={"augment": True}, stressor="blur", levels=(0.0, 1.5, 3.0)), status="done"
        ),
        make_idea(
            "moved",
            Transfer(treatment={"scaling": "rank"}, values=("hills", "lakes")),
            status="done",
            expect="different",
        ),
        make_idea("tuned", Tuning(knobs=("penalty", "width"), trials=5), settings={"model": "net"}, status="done"),
    )
}
FORWARD: tuple[Topic, ...] = tuple(ANSWERS)  # type: ignore[arg-type]


def ask(lesson: Lesson, *more: Lesson, archive: Archive | None = None) -> list[Design]:
    return [sketch.design for sketch in answers(lesson, (lesson, *more), DONE, archive or Archive(), TOY)]


def propose(
    *lessons: Lesson, count: int = 4, known: tuple[Idea, ...] = (), archive: Archive | None = None
) -> list[Idea]:
    backlog = Backlog(Path("ideas"), (*DONE.values(), *known))
    return HeuristicProposer().propose(TOY, backlog, lessons, archive or Archive(), count, 0, 2)


def test_underpowered_asks_the_same_with_fewer_variants_a_larger_contrast_and_more_seeds() -> None:
    lesson = make_lesson("underpowered", "dose-noise", knobs=("noise",), values={"seeds": 10, "needed_seeds": 34})
    sketch = answers(lesson, (lesson,), DONE, Archive(), TOY)[0]
    assert sketch.design == DoseResponse(knob="noise", levels=(0.0, 0.6))
    assert sketch.seeds == 34
    assert sketch.expect == "less"
    (use,) = sketch.uses
    assert use.lesson == lesson.id and use.text == lesson.text
    assert "two variants instead of 4" in use.change and "up to 34 seeds per variant instead of 10" in use.change


def test_seeds_stay_within_the_budget_of_runs_and_edited_values_do_no_harm() -> None:
    greedy = make_lesson("underpowered", "dose-noise", values={"needed_seeds": 10_000})
    assert answers(greedy, (greedy,), DONE, Archive(), TOY)[0].seeds == TOY.budget.runs // 2
    for nonsense in ("many", -3, True, 0):
        odd = make_lesson("underpowered", "dose-noise", values={"needed_seeds": nonsense, "seeds": nonsense})
        assert answers(odd, (odd,), DONE, Archive(), TOY)[0].seeds == 16, "twice the usual guess"


def test_underpowered_looks_at_the_choice_that_seemed_to_matter() -> None:
    lesson = make_lesson("underpowered", "families")
    archive = Archive(
        findings=(
            make_effect("families", "model", "linear", "forest", 0.002, verdict="inconclusive"),
            make_effect("families", "model", "linear", "net", 0.03, verdict="supported", primary=False),
        )
    )
    first = ask(lesson, archive=archive)[0]
    assert first == Comparison(knob="model", choices=("linear", "net"), reference="linear")
    assert answers(lesson, (lesson,), DONE, archive, TOY)[0].expect == "greater", "the direction that was found"


def test_single_dataset_takes_what_worked_elsewhere() -> None:
    (first, *_) = ask(make_lesson("single-dataset", "dose-noise"))
    assert first == Transfer(treatment={"noise": 0.4}, values=("hills", "lakes", "woods"))
    (onward,) = ask(make_lesson("single-dataset", "moved"))
    assert onward == Transfer(treatment={"scaling": "rank"}, values=("hills", "woods")), "not where it was tried"


def test_robustness_stresses_it_with_what_the_paper_did_not_use() -> None:
    stressors = [design.stressor for design in ask(make_lesson("robustness", "stressed"))]
    assert stressors and "blur" not in stressors
    assert set(stressors) == {"noise", "size"}
    related = ask(make_lesson("robustness", "p", knobs=("penalty",), values={"penalty": 100.0}))
    assert related[0].stressor == "noise", "the stressor that shares a topic with the knob comes first"


def test_baseline_tunes_the_winning_family_at_equal_budget() -> None:
    archive = Archive(findings=(make_effect("families", "model", "linear", "net", 0.05),))
    sketch = answers(make_lesson("baseline", "families"), (), DONE, archive, TOY)[0]
    assert isinstance(sketch.design, Tuning)
    assert sketch.settings == {"model": "net"}
    assert set(sketch.design.samplers) == {"random", "tpe"}
    worse = Archive(findings=(make_effect("families", "model", "linear", "net", -0.05),))
    assert answers(make_lesson("baseline", "families"), (), DONE, worse, TOY)[0].settings == {}


def test_vanished_is_repeated_with_a_larger_step_and_more_seeds() -> None:
    lesson = make_lesson("vanished", "dose-noise", values={"seeds": 12, "needed_seeds": 30})
    (sketch,) = answers(lesson, (lesson,), DONE, Archive(), TOY)
    assert sketch.design == DoseResponse(knob="noise", levels=(0.0, 0.6))
    assert sketch.seeds == 30


def test_contradicted_asks_where_it_flips_and_declares_the_opposite() -> None:
    archive = Archive(findings=(make_effect("switch", "augment", False, True, -0.04, verdict="contradicted"),))
    lesson = make_lesson("contradicted", "switch")
    sketches = answers(lesson, (lesson,), DONE, archive, TOY)
    assert isinstance(sketches[0].design, Interaction) and sketches[0].design.first == "augment"
    again = [sketch for sketch in sketches if isinstance(sketch.design, DoseResponse)]
    assert again and all(sketch.expect == "less" for sketch in again), "the template expected 'greater'"
    assert all(sketch.settings["dataset"] != "hills" for sketch in again), "not on the data that suggested it"


def test_scope_goes_further_or_adds_what_was_left_out() -> None:
    assert ask(make_lesson("scope", "dose-noise"))[0].levels[-1] == 0.6
    assert ask(make_lesson("scope", "families"))[0].choices == ("linear", "vote", "table")


def test_failures_are_kept_away_from() -> None:
    lesson = make_lesson("failures", "dose-noise", values={"noise": 0.4, "dataset": "hills"})
    (sketch,) = answers(lesson, (lesson,), DONE, Archive(), TOY)
    assert sketch.design == DoseResponse(knob="noise", levels=(0.0, 0.1, 0.2))
    assert "leaves out label noise 0.4" in sketch.uses[0].change


def test_negligible_knobs_are_left_alone_and_the_idea_says_so() -> None:
    lesson = make_lesson("negligible", "dose-noise", knobs=("noise",))
    ideas = propose(lesson, count=6)
    assert all("noise" not in knobs_of(idea) for idea in ideas)
    told = [idea for idea in ideas if idea.lessons]
    assert told and "leaves label noise alone" in told[0].lessons[0].change


def test_novelty_leads_to_knobs_that_nobody_varied() -> None:
    ideas = [idea for idea in propose(make_lesson("novelty", "dose-noise", knobs=("noise",))) if idea.lessons]
    tried = {name for idea in DONE.values() for name in knobs_of(idea)}
    new = [idea for idea in ideas if not set(knobs_of(idea)) - {"dataset"} & tried]
    assert new and "no study of the lab has varied yet" in new[0].lessons[0].change


@pytest.mark.parametrize("topic", FORWARD)
@pytest.mark.parametrize("slug", list(DONE))
def test_every_answer_becomes_a_study(topic: Topic, slug: str) -> None:
    values = {"needed_seeds": 20, "noise": 0.4}
    lesson = make_lesson(topic, slug, knobs=knobs_of(DONE[slug]), values=values)
    for idea in propose(lesson, count=3):
        compile_design(idea, TOY)
        per_seed = compile_design(idea, TOY)[0]
        if idea.seeds:
            runs = sum(variant.tuner.trials if variant.tuner else 1 for variant in per_seed)
            assert idea.seeds * runs <= TOY.budget.runs


@pytest.mark.parametrize("topic", ["underpowered", "single-dataset", "robustness", "baseline", "vanished", "scope"])
@pytest.mark.parametrize("slug", ["dose-noise", "families", "cross", "stressed", "moved"])
def test_the_lesson_is_used_first_and_said(topic: Topic, slug: str) -> None:
    lesson = make_lesson(topic, slug, knobs=knobs_of(DONE[slug]), values={"seeds": 8, "needed_seeds": 20})
    first = propose(lesson)[0]
    assert [use.lesson for use in first.lessons] == [lesson.id]
    assert first.lessons[0].change.startswith("this study ")
    assert lesson.id in first.notes
    others = [idea for idea in DONE.values() if idea.slug != slug]
    assert all(design_similarity(first, other) < NEAR_DUPLICATE for other in others)
    parent = DONE[slug]
    assert (first.design, first.settings) != (parent.design, parent.settings) or (first.seeds or 0) > 8


def test_lessons_of_one_paper_go_together_and_none_means_none() -> None:
    weak = make_lesson("underpowered", "dose-noise", values={"seeds": 10, "needed_seeds": 25})
    single = make_lesson("single-dataset", "dose-noise", weight=3.0)
    first = propose(single, weak)[0]
    assert isinstance(first.design, Transfer)
    assert [use.lesson for use in first.lessons] == [single.id, weak.id]
    assert first.seeds == 25
    assert all(not idea.lessons for idea in propose()), "without lessons nothing is said to be learnt"


def test_a_used_lesson_gives_way_and_some_ideas_explore() -> None:
    used, fresh = make_lesson("scope", "dose-noise"), make_lesson("scope", "families")
    answer = propose(used)[0].model_copy(update={"status": "approved"})
    (next_,) = propose(used, fresh, count=1, known=(answer,))
    assert next_.lessons[0].lesson == fresh.id
    many = [make_lesson(topic, slug) for topic in ("scope", "robustness", "baseline") for slug in DONE]
    assert not propose(*many, count=4)[3].lessons, "every fourth idea is for coverage"


def test_a_paper_whose_idea_is_gone_is_known_by_its_findings_or_its_lesson() -> None:
    archive = Archive(findings=(make_effect("gone", "penalty", 1.0, 100.0, 0.05),))
    lesson = make_lesson("single-dataset", "gone", knobs=("penalty",), values={"dataset": "lakes"})
    sketch = answers(lesson, (), {}, archive, TOY)[0]
    assert sketch.design == Transfer(treatment={"penalty": 100.0}, values=("lakes", "hills", "woods"))
    assert sketch.expect == "greater"
    carried = make_lesson("single-dataset", "gone", knobs=("penalty",), values={"penalty": 0.1})
    assert answers(carried, (), {}, Archive(), TOY)[0].design.treatment == {"penalty": 0.1}
    assert answers(make_lesson("scope", "gone", knobs=("unheard",)), (), {}, Archive(), TOY) == []
    assert answers(make_lesson("scope", "gone"), (), {}, Archive(), TOY) == []


def test_lessons_of_other_templates_are_not_heard() -> None:
    assert all(not idea.lessons for idea in propose(make_lesson("scope", "dose-noise", template="else")))
