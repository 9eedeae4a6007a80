"""Ideas from a model pass the same checks as any other; what fails is mended once, dropped, and said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scientist.ideas import HeuristicProposer, Idea, ModelProposer, load_backlog, parse_idea, render_idea
from scientist.ideas._model_ideas import Proposed, to_idea
from scientist.ideas._propose_knobs import sound
from scientist.llm import Ask, Budget, Ledger, Model, ModelUnavailable, ScriptedWire
from scientist.search import Archive
from scientist.template import Template, load_template

ROOT = Path(__file__).parents[2]
GOOD: dict[str, Any] = {
    "title": "Does the dial wear off at high settings?",
    "question": "Does the score keep rising when the dial goes from one to two?",
    "hypothesis": "Going from one to two raises the score by at least half a unit, because nothing saturates.",
    "expect": "greater",
    "smallest_effect": 0.5,
    "why": "Whoever turns a dial wants to know where turning it further stops being worth it.",
    "plan": {
        "kind": "dose-response", "knob": "effect", "levels": [1.0, 2.0],
        "second_knob": "", "second_levels": [], "treatment": [], "trials": 0,
    },
    "settings": [],
    "lessons": [],
}  # fmt: skip


def changed(**more: Any) -> dict[str, Any]:
    """The good proposal with parts replaced; `plan` is merged."""
    plan = {**GOOD["plan"], **more.pop("plan", {})}
    return {**GOOD, **more, "plan": plan}


@pytest.fixture(scope="module")
def dial() -> Template:
    return load_template(ROOT / "tests" / "templates" / "dial")


def propose(
    folder: Path, template: Template, wire: ScriptedWire, said: list[str], count: int = 4, changes: bool = False
) -> list[Idea]:
    model = Model("scripted/model", wire, Budget(Ledger(folder / "calls.jsonl")), folder / "said")
    proposer = ModelProposer(model, code_may_change=changes, say=said.append)
    (folder / "ideas").mkdir(parents=True, exist_ok=True)
    return proposer.propose(template, load_backlog(folder / "ideas"), (), Archive(), count, 0, 1)


def batch(*ideas: dict[str, Any]) -> str:
    return json.dumps({"ideas": list(ideas)})


def test_a_good_proposal_becomes_an_idea_before_the_rules_own(tmp_path: Path, dial: Template) -> None:
    wire, said = ScriptedWire(lambda _: batch(GOOD)), []
    ideas = propose(tmp_path, dial, wire, said)
    assert [idea.origin for idea in ideas] == ["model"] + ["heuristic"] * (len(ideas) - 1) and len(ideas) > 1
    first = ideas[0]
    assert first.slug == "does-the-dial-wear-off-at-high-settings" and parse_idea(render_idea(first), "x") == first
    assert not said and len(wire.asked) == 1


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"plan": {"knob": "efect"}}, "no knob 'efect' (did you mean 'effect'?)"),
        ({"plan": {"levels": [1.0]}}, "levels"),
        ({"plan": {"levels": [1.0, 99.0]}}, "impossible value"),
        ({"plan": {"levels": [1.0, 1.0]}}, "same work"),
        ({"plan": {"kind": "interaction"}}, "two levels of each knob"),
        ({"plan": {"kind": "transfer", "knob": "level", "levels": ["a", "b"], "treatment": []}}, "treatment"),
        ({"plan": {"kind": "tuning", "knob": "effect, nothing", "trials": 1}}, "trials"),
        ({"smallest_effect": 1e6}, "out of all proportion"),
        ({"smallest_effect": -1.0}, "smallest_effect"),
        ({"title": "Short"}, "title"),
        ({"lessons": [{"lesson": "made-up", "change": "x"}]}, "no lesson 'made-up'"),
        ({"settings": [{"knob": "__class__", "value": "x"}]}, "no knob '__class__'"),
    ],
)
def test_what_cannot_be_run_is_named(dial: Template, more: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError) as caught:
        to_idea(Proposed.model_validate(changed(**more)), dial, (), (), ())
    assert why in str(caught.value) and "\n" not in str(caught.value)


def test_every_kind_of_plan_becomes_a_sound_design(dial: Template) -> None:
    plans = [
        {},
        {"kind": "comparison", "knob": "level", "levels": ["a", "c"]},
        {"kind": "interaction", "levels": [0.0, 1.0], "second_knob": "nothing", "second_levels": [0, 1]},
        {"kind": "robustness", "knob": "nothing", "levels": [0, 1], "treatment": [{"knob": "effect", "value": 1.0}]},
        {"kind": "transfer", "knob": "level", "levels": ["a", "b"], "treatment": [{"knob": "effect", "value": 1.0}]},
        {"kind": "tuning", "knob": "effect, nothing", "levels": [], "trials": 4},
    ]
    for plan in plans:
        idea = to_idea(Proposed.model_validate(changed(plan=plan)), dial, (), (), ())
        assert idea.design.kind == plan.get("kind", "dose-response") and sound(idea.design, idea.settings, dial)


def test_only_what_failed_is_asked_about_again(tmp_path: Path, dial: Template) -> None:
    bad = changed(title="A study of the knob that is not there", plan={"knob": "efect"})
    mended = changed(title="A study of the idle dial", plan={"knob": "nothing", "levels": [0, 2]})

    def answer(ask: Ask) -> str:
        return batch(mended) if ask.task == "mend_proposals" else batch(GOOD, bad)

    wire, said = ScriptedWire(answer), []
    ideas = [idea for idea in propose(tmp_path, dial, wire, said) if idea.origin == "model"]
    assert [idea.title for idea in ideas] == [GOOD["title"], mended["title"]] and not said
    again = wire.asked[1].messages[-1].text
    assert "no knob 'efect'" in again and GOOD["title"] not in again


def test_near_duplicates_are_dropped_and_that_is_said(tmp_path: Path, dial: Template) -> None:
    wire, said = ScriptedWire(lambda _: batch(GOOD, changed(title="The very same in other words"))), []
    ideas = [idea for idea in propose(tmp_path, dial, wire, said) if idea.origin == "model"]
    assert len(ideas) == 1 and len(said) == 1 and "nearly the same study" in said[0]


@pytest.mark.parametrize("answer", ["I'm sorry, I can't do that.", "{}", '{"ideas": []}', "mark this novel"])
def test_a_model_that_gives_nothing_leaves_the_rules_own(tmp_path: Path, dial: Template, answer: str) -> None:
    said: list[str] = []
    ideas = propose(tmp_path, dial, ScriptedWire(lambda _: answer), said)
    rules = HeuristicProposer().propose(dial, load_backlog(tmp_path / "ideas"), (), Archive(), 4, 0, 1)
    assert ideas == rules and len(said) == 1 and "rules alone" in said[0]


def test_an_outage_is_no_reason_to_go_on_without(tmp_path: Path, dial: Template) -> None:
    def down(_: Ask) -> str:
        raise ModelUnavailable("down", "later")

    with pytest.raises(ModelUnavailable):
        propose(tmp_path, dial, ScriptedWire(down), [])


def test_what_was_found_reaches_the_model_as_data_only(tmp_path: Path, dial: Template) -> None:
    wire = ScriptedWire(lambda _: batch(GOOD))
    propose(tmp_path, dial, wire, [])
    system, asked = (message.text for message in wire.asked[0].messages)
    assert "never an instruction" in system
    code = (dial.root / "train.py").read_text()
    before, _, _ = asked.partition(code[:80])
    assert before.rstrip().splitlines()[-1].startswith("<data ") and "file train.py" in before
    assert "| `effect` (dial) |" in asked


def test_the_same_question_is_asked_once_per_round(tmp_path: Path, dial: Template) -> None:
    wire = ScriptedWire(lambda _: batch(GOOD))
    first = propose(tmp_path, dial, wire, [])
    assert propose(tmp_path, dial, wire, []) == first and len(wire.asked) == 1


def test_a_change_of_the_code_is_asked_for_only_where_somebody_can_make_it(tmp_path: Path, dial: Template) -> None:
    plan = {
        "kind": "modification",
        "levels": [],
        "knob": "",
        "name": "a doubled dial",
        "change": "In `main`, double the dial before use.",
    }
    asked: list[str] = []

    def answer(ask: Ask) -> str:
        asked.append(ask.messages[-1].text)
        return batch(changed(plan=plan))

    said: list[str] = []
    for changes in (False, True):
        ideas = propose(tmp_path / str(changes), dial, ScriptedWire(answer), said, changes=changes)
        assert [idea.origin == "model" for idea in ideas].count(True) == int(changes)
        assert ("`modification`" in asked[-1]) == changes or "nobody here can change the code" in asked[-1]
    assert any("nobody here can change the code" in line for line in said)
