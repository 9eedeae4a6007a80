"""The heuristic proposer: valid studies from any template's knobs, no repeats, and the same ones every time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from idea_makers import make_effect, make_idea, make_template

from scientist.experiments import compile_design
from scientist.ideas import (
    Backlog,
    Comparison,
    DoseResponse,
    HeuristicProposer,
    Idea,
    Robustness,
    Transfer,
    Tuning,
    design_similarity,
    knobs_of,
    parse_idea,
    render_idea,
)
from scientist.ideas._propose_knobs import expected, nominal, settle, sound, stress, widened
from scientist.ideas._propose_sketch import coverage
from scientist.ideas._proposer import NEAR_DUPLICATE
from scientist.search import Archive
from scientist.template import Template, load_template

TOY = make_template()
DIGITS = load_template(Path(__file__).resolve().parents[2] / "templates" / "digits")


def propose(
    template: Template, count: int, seed: int = 0, round: int = 1, known: tuple[Idea, ...] = (), **more
) -> list[Idea]:
    backlog = Backlog(Path("ideas"), known)
    return HeuristicProposer().propose(
        template, backlog, more.get("lessons", ()), more.get("archive", Archive()), count, seed, round
    )


def check(idea: Idea, template: Template) -> None:
    """What every proposed idea must be, whatever the template."""
    assert parse_idea(render_idea(idea), idea.slug) == idea
    variants, contrasts = compile_design(idea, template)  # refuses bad values and variants that are the same work
    (primary,) = [contrast for contrast in contrasts if contrast.primary]
    assert primary.expect == idea.expect
    for variant in variants:
        acting = template.effective(variant.knobs)
        changed = {name for name in idea.settings if name not in acting}
        assert not changed, f"{changed} are set but do not act"
    per_seed = sum(variant.tuner.trials if variant.tuner else 1 for variant in variants)
    assert template.budget.runs // per_seed >= 10, "ten seeds fit the budget"
    assert len(idea.slug) <= 60
    assert idea.question.endswith("?")
    assert len(idea.title) <= 200
    for text in (idea.title, idea.question, idea.hypothesis, idea.why):
        assert text[0].isupper()
        assert not re.search(r"\s{2}|\s[.,;?]|,\.|\.\.", text), text
    sentences = re.split(r"(?<=[.?!]) ", idea.why)
    assert len(set(sentences)) == len(sentences) or template is TOY  # its knobs share one reason
    assert idea.smallest_effect == template.objective.smallest_effect
    claims = {
        "greater": "raises",
        "less": "lowers",
        "equivalent": "less than",
        "different": "(either direction|differs)",
    }
    assert re.search(claims[idea.expect], idea.hypothesis), idea.hypothesis


@pytest.mark.parametrize("template", [TOY, DIGITS], ids=["toy", "digits"])
@pytest.mark.parametrize("seed", [0, 1])
def test_ideas_are_sound_varied_and_unlike(template: Template, seed: int) -> None:
    ideas = propose(template, 12, seed)
    assert len(ideas) == 12
    for idea in ideas:
        check(idea, template)
    assert len({idea.slug for idea in ideas}) == 12
    assert len({idea.title for idea in ideas}) == 12
    assert len({idea.design.kind for idea in ideas}) >= 5
    assert len({idea.design.kind for idea in ideas[:4]}) == 4, "the first few differ in kind"
    for place, one in enumerate(ideas):
        assert all(design_similarity(one, other) < NEAR_DUPLICATE for other in ideas[:place])


def test_the_same_arguments_give_the_same_ideas_and_the_seed_and_round_matter() -> None:
    assert propose(DIGITS, 6, seed=3) == propose(DIGITS, 6, seed=3)
    runs = {tuple(idea.slug for idea in propose(DIGITS, 6, seed, round)) for seed in (0, 1) for round in (1, 2)}
    assert len(runs) == 4


def test_nothing_in_the_backlog_is_proposed_again_whatever_became_of_it() -> None:
    first = propose(TOY, 8)
    known = tuple(
        idea.model_copy(update={"status": status})
        for idea, status in zip(first, ("proposed", "approved", "rejected", "done") * 2, strict=True)
    )
    second = propose(TOY, 8, known=known)
    assert len(second) == 8
    for new in second:
        assert all(design_similarity(new, old) < NEAR_DUPLICATE for old in known)
        assert new.slug not in {old.slug for old in known}


def test_a_slug_taken_by_a_broken_file_stays_taken() -> None:
    (first,) = propose(TOY, 1)
    backlog = Backlog(Path("ideas"), (), ((Path(f"ideas/{first.slug}.md"), "broken"),))
    (again,) = HeuristicProposer().propose(TOY, backlog, (), Archive(), 1, 0, 1)
    assert again.design == first.design
    assert again.slug == f"{first.slug}-2"


def test_a_small_template_is_exhausted_and_gives_fewer() -> None:
    one = make_template(knobs=(TOY.knob("noise").model_dump(),))
    ideas = propose(one, 5)
    assert [idea.design.kind for idea in ideas] == ["dose-response"]
    assert ideas[0].title == "How fast accuracy degrades under label noise"
    assert propose(one, 5, known=tuple(ideas)) == []
    nearly = make_idea("by-hand", DoseResponse(knob="noise", levels=(0.0, 0.1, 0.2, 0.38)))
    assert propose(one, 5, known=(nearly,)) == [], "a near-duplicate is no new idea"
    far = make_idea("by-hand", DoseResponse(knob="noise", levels=(0.3, 0.5)))
    assert len(propose(one, 5, known=(far,))) == 1


def test_a_metric_to_minimise_turns_what_is_better_not_what_is_raised() -> None:
    knobs = [knob.model_dump() for knob in TOY.knobs if knob.name != "noise"]
    noise = {**TOY.knob("noise").model_dump(), "effect": "raises"}  # raises the loss
    template = make_template(knobs=(*knobs, noise), objective={"metric": "loss", "smallest_effect": 0.02})
    for sketch in coverage(template):
        if isinstance(sketch.design, Tuning):
            assert sketch.expect == "less"
        if isinstance(sketch.design, DoseResponse) and sketch.design.knob == "noise":
            assert sketch.expect == "greater"
    assert stress(template, template.knob("noise"))[0] == 0.0, "no noise is benign, for a loss too"
    (dose,) = propose(make_template(knobs=(noise,), objective={"metric": "loss", "smallest_effect": 0.02}), 3)
    assert dose.title.startswith("How fast log loss degrades")
    assert "raises log loss by at least 0.02 nats" in dose.hypothesis


def test_prerequisites_are_set_or_the_context_is_refused() -> None:
    assert settle(TOY, ["width"], {}) == {"model": "net"}
    assert settle(TOY, ["width"], {"model": "forest"}) is None
    assert settle(TOY, ["strength"], {"dataset": "hills"}) == {"augment": True}, "a default is not written down"
    for sketch in coverage(TOY):
        if "width" in sketch.varied:
            assert sketch.settings["model"] == "net"
    assert not sound(DoseResponse(knob="width", levels=(4, 8)), {}, TOY), "width does nothing in a linear model"
    assert not sound(Comparison(knob="order", choices=(0, 0), reference=0), {}, TOY)
    assert not sound(DoseResponse(knob="noise", levels=(0.0, 0.9)), {}, TOY), "out of range"
    assert not sound(Robustness(treatment={"noise": 0.2}, stressor="noise", levels=(0.0, 0.1)), {}, TOY)


def test_an_index_is_compared_and_expected_to_make_no_difference() -> None:
    assert nominal(TOY.knob("order")) and not nominal(TOY.knob("size"))
    assert [knob.name for knob in DIGITS.knobs if nominal(knob)] == ["row_order"]
    kinds = {(sketch.design.kind, sketch.expect) for sketch in coverage(TOY) if "order" in sketch.varied}
    assert kinds == {("comparison", "equivalent")}


def test_stressors_go_from_benign_to_harsh_and_ranges_widen_towards_their_end() -> None:
    assert stress(TOY, TOY.knob("noise")) == (0.0, 0.2, 0.4)
    assert stress(TOY, TOY.knob("size")) == (80, 40, 20)
    assert widened(TOY.knob("noise"), (0.0, 0.4)) == (0.0, 0.4, 0.6)
    assert widened(TOY.knob("noise"), (0.0, 0.6)) is None
    assert widened(TOY.knob("penalty"), (1.0, 10.0)) == (1.0, 10.0, 100.0), "halfway in logs"
    assert widened(TOY.knob("size"), (20, 80)) is None, "how many examples there are is up to the data set"


def test_what_was_tried_and_found_changes_what_comes_next() -> None:
    def first_knobs(archive: Archive, count: int = 6) -> list[str]:
        ideas = [i for seed in range(4) for i in propose(TOY, count, seed, archive=archive)]
        return [name for idea in ideas for name in knobs_of(idea) if name != "dataset"]

    tried = Archive(
        findings=tuple(
            make_effect("old", "noise", 0.0, 0.4, -0.1, datasets=(name,), verdict="negligible")
            for name in ("hills", "lakes", "woods")
        )
    )
    before, after = first_knobs(Archive()), first_knobs(tried)
    assert after.count("noise") / len(after) < before.count("noise") / len(before)

    surprise = Archive(findings=(make_effect("old", "scaling", "none", "rank", -0.1),))
    (transfer,) = [
        sketch
        for sketch in coverage(TOY, surprise)
        if isinstance(sketch.design, Transfer)
        and sketch.design.treatment == {"scaling": "rank"}
        and sketch.settings == {}
    ]
    assert transfer.expect == "less", "the lab has seen it"
    other = Archive(findings=(make_effect("old", "scaling", "none", "rank", -0.1, template="else"),)).of("toy")
    assert other.findings == ()


@st.composite
def templates(draw: st.DrawFn) -> Template:
    """Templates with other numbers of knobs, with and without data sets, families and room in the budget."""
    chosen = draw(st.sets(st.sampled_from([knob.name for knob in TOY.knobs]), min_size=1))
    if "width" in chosen or "penalty" in chosen:
        chosen.add("model")
    if "strength" in chosen:
        chosen.add("augment")
    kept = []
    for knob in TOY.knobs:
        if knob.name in chosen:
            effect = draw(st.sampled_from(["raises", "lowers", "unknown"]))
            kept.append({**knob.model_dump(), "effect": effect})
    budget = {"wall_s": 10, "cpu_s": 10, "memory_mb": 500, "runs": draw(st.integers(80, 400))}
    metric = draw(st.sampled_from(["accuracy", "loss"]))
    return make_template(knobs=tuple(kept), budget=budget, objective={"metric": metric, "smallest_effect": 0.01})


@given(templates(), st.integers(0, 1000), st.integers(0, 6))
@settings(max_examples=40)
def test_any_template_gives_sound_ideas(template: Template, seed: int, count: int) -> None:
    ideas = propose(template, count, seed)
    assert len(ideas) <= count
    for idea in ideas:
        compile_design(idea, template)
        assert sound(idea.design, idea.settings, template)
        assert parse_idea(render_idea(idea), idea.slug) == idea
    assert ideas == propose(template, count, seed)


@given(st.sampled_from(TOY.knobs), st.data())
def test_expectation_turns_with_the_step(knob, data) -> None:
    values = knob.levels or knob.choices or ((False, True) if knob.type == "bool" else (knob.low, knob.high))
    start, to = data.draw(st.sampled_from(values)), data.draw(st.sampled_from(values))
    there, back = expected(knob, start, to), expected(knob, to, start)
    turned = {"greater": "less", "less": "greater"}
    assert back == turned.get(there, there)


def test_an_idea_of_another_template_does_not_stand_in_the_way() -> None:
    (first,) = propose(TOY, 1)
    elsewhere = make_idea("other", first.design, settings=first.settings, template="else")
    (again,) = propose(TOY, 1, known=(elsewhere,))
    assert again.design == first.design


def test_data_sets_that_are_too_heavy_wait_until_they_are_asked_for() -> None:
    """Ideas that nobody asked for, and answers to lessons, take the data sets that are offered."""
    knobs = tuple(
        knob.model_copy(update={"levels": ("hills", "lakes")}) if knob.role == "dataset" else knob for knob in TOY.knobs
    )
    light = TOY.model_copy(update={"knobs": knobs})
    assert TOY.knob("dataset").offered == ("hills", "lakes", "woods")
    for template, offered in ((TOY, {"hills", "lakes", "woods"}), (light, {"hills", "lakes"})):
        assert {name for sketch in coverage(template) for name in sketch.datasets(template)} == offered
    assert all(str(idea.settings.get("dataset", "hills")) != "woods" for idea in propose(light, 12))
    design = DoseResponse(knob="noise", levels=(0.0, 0.4))
    variants, _ = compile_design(make_idea("asked", design, settings={"dataset": "woods"}), light)
    assert {variant.knobs["dataset"] for variant in variants} == {"woods"}
