"""Ideas go out in every shape of AI-Scientist and come back as they were; foreign entries leave as they came."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from idea_makers import make_idea, make_template

from scientist.errors import RecordError
from scientist.experiments import compile_design
from scientist.ideas import (
    UNMATCHED,
    Comparison,
    Design,
    DoseResponse,
    Interaction,
    Robustness,
    Transfer,
    Tuning,
    export_ideas,
    import_ideas,
    load_backlog,
    write_idea,
)
from scientist.ideas._entries import OURS, came_as, read_entries, shape_of
from scientist.template import load_template

TOY = make_template()
STRANGERS = Path(__file__).resolve().parents[1] / "templates_strangers"

V1 = {
    "Name": "noise_steps",
    "Title": "How much label noise is too much",
    "Experiment": "Vary the label noise in steps.\nThen <stop> & look --> here.",
    "Interestingness": 7,
    "Feasibility": 9,
    "Novelty": 6,
    "novel": True,
}
V2 = {
    "Name": "penalty_search",
    "Title": "Does hyperparameter search over the penalty pay?",
    "Short Hypothesis": "Random search over the penalty beats the default.",
    "Related Work": "Several.",
    "Abstract": "We study hyperparameter optimisation of the penalty.",
    "Experiments": ["Random search over the penalty.", {"step": "Compare with the default."}],
    "Risk Factors and Limitations": ["Small data.", None, 0.5],
}
V3 = {
    "Name": "width_plan",
    "Title": "The effect of the width of a small network",
    "Short Hypothesis": "A larger width helps.",
    "Related Work": "",
    "Experiment Plan": {"model": "small network", "notes": ["vary the width", 3]},
}
ENTRIES: dict[str, dict[str, Any]] = {"v1": V1, "v2": V2, "v3": V3}
Shape = Literal["v1", "v2", "v3"]
SHAPES: tuple[Shape, ...] = ("v1", "v2", "v3")

DESIGNS: tuple[Design, ...] = (
    DoseResponse(knob="noise", levels=(0.0, 0.2)),
    Comparison(knob="model", choices=("linear", "forest"), reference="linear"),
    Interaction(first="noise", first_values=(0.0, 0.2), second="augment", second_values=(False, True)),
    Robustness(treatment={"augment": True}, stressor="noise", levels=(0.0, 0.4)),
    Transfer(treatment={"penalty": 10.0}, values=("hills", "lakes")),
    Tuning(knobs=("penalty",), trials=4),
)


def save(path: Path, data: Any) -> Path:
    path.write_text(json.dumps(data))
    return path


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_are_told_apart_and_leave_as_they_came(tmp_path: Path, shape: Shape) -> None:
    entry = ENTRIES[shape]
    assert shape_of(entry) == shape
    (idea,) = import_ideas(save(tmp_path / "in.json", [entry]), tmp_path / "ideas", TOY).ideas
    compile_design(idea, TOY)
    assert "guessed" in idea.note and came_as(idea) == entry
    data = json.loads(export_ideas(load_backlog(tmp_path / "ideas"), shape))
    (out,) = data if isinstance(data, list) else [data]
    assert {key: value for key, value in out.items() if key != OURS} == entry
    assert isinstance(data, dict) == (shape == "v3"), "version 3 keeps one idea per file"


_PROSE = st.text(st.characters(blacklist_categories=("Cs",)), max_size=40)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(DESIGNS),
    st.sampled_from(["lab", *SHAPES]),
    st.sampled_from(["proposed", "rejected", "known"]),
    _PROSE,
    st.floats(0.001, 10),
)
def test_ours_come_back_as_they_were_from_every_shape(
    design: Design, shape: Any, status: Any, prose: str, effect: float
) -> None:
    notes = " ".join(prose.split())
    with tempfile.TemporaryDirectory() as place:
        here, there = Path(place) / "here", Path(place) / "there"
        write_idea(here, make_idea("first-idea", design, status=status, notes=notes, smallest_effect=effect))
        write_idea(here, make_idea("second-idea", DESIGNS[0], settings={"augment": True}))
        file = Path(place) / "all.json"
        file.write_bytes(export_ideas(load_backlog(here), shape))
        done = import_ideas(file, there, TOY)
        assert done.unmatched == () and load_backlog(there).ideas == load_backlog(here).ideas
        assert len(import_ideas(file, there, TOY).already) == 2, "importing twice adds nothing"


_ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(SHAPES),
    st.dictionaries(
        st.text(min_size=1, max_size=8).filter(lambda k: k.lower() not in ("design", "scientist")), _ANY, max_size=3
    ),
    _PROSE,
)
def test_foreign_entries_survive_the_round_trip(shape: Shape, more: dict[str, Any], text: str) -> None:
    texts = {
        "v1": {"Experiment": text},
        "v2": {"Abstract": text, "Experiments": [text]},
        "v3": {"Experiment Plan": text},
    }
    known = {key.lower() for key in (*V1, *V2, *V3)}
    extra = {key: value for key, value in more.items() if key.lower() not in known}
    entry = {**extra, "Name": "some_idea", "Title": "The effect of label noise", **texts[shape]}
    clean = json.loads(json.dumps(entry).encode("utf-8", "replace"))
    with tempfile.TemporaryDirectory() as place:
        done = import_ideas(save(Path(place) / "in.json", entry), Path(place) / "ideas", TOY)
        if not done.ideas:
            assert done.unmatched
            return
        data = json.loads(export_ideas(load_backlog(Path(place) / "ideas"), shape))
        (out,) = data if isinstance(data, list) else [data]
        out.pop(OURS)
        assert json.dumps(out, sort_keys=True) == json.dumps(_sane(clean), sort_keys=True)


def _sane(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_sane(key): _sane(one) for key, one in value.items()}
    return [_sane(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (json.dumps(V1), ["noise_steps"]),
        (json.dumps([V1, V2]), ["noise_steps", "penalty_search"]),
        (json.dumps({"ideas": [V1, V3]}), ["noise_steps", "width_plan"]),
        (json.dumps({"made": "today", "Ideas": [V1]}), ["noise_steps"]),
        (json.dumps({"cooling": {"Title": "Fast or slow"}, "noise": {"Title": "x"}}), ["cooling", "noise"]),
        (f"{json.dumps(V1)}\n\n{json.dumps(V2)}\n", ["noise_steps", "penalty_search"]),
        ('[{"Name": "x", "Score": NaN}]', ["x"]),
    ],
)
def test_files_in_every_form(tmp_path: Path, text: str, names: list[str]) -> None:
    path = tmp_path / "in.json"
    path.write_text(text)
    assert [entry["Name"] for entry in read_entries(path)] == names


@pytest.mark.parametrize("text", ["3", '["a"]', "[" * 50_000, '{"a": 1}\n{"b"', "null"])
def test_files_that_are_none_of_them(tmp_path: Path, text: str) -> None:
    path = tmp_path / "in.json"
    path.write_text(text)
    with pytest.raises(RecordError) as error:
        read_entries(path)
    assert "\n" not in str(error.value)


def test_a_forged_record_is_checked_like_any_other(tmp_path: Path) -> None:
    forged = {**V1, OURS: {"design": {"kind": "dose-response", "knob": "noise"}, "slug": "../../etc"}}
    done = import_ideas(save(tmp_path / "in.json", [forged]), tmp_path / "ideas", TOY)
    assert done.ideas == () and len(done.unmatched) == 1
    approved = json.loads(
        json.dumps({**V1, OURS: make_idea("first-idea", DESIGNS[0], status="approved").model_dump(mode="json")})
    )
    (idea,) = import_ideas(save(tmp_path / "in.json", [approved]), tmp_path / "ideas", TOY).ideas
    assert idea.status == "proposed", "another lab's approval is not this person's"


def test_what_is_left_out_is_not_made_up(tmp_path: Path) -> None:
    write_idea(tmp_path, make_idea("first-idea", DESIGNS[0]))
    (entry,) = json.loads(export_ideas(load_backlog(tmp_path), "v1"))
    assert set(entry) == {"Name", "Title", "Experiment", OURS}, "nobody scored it"
    (entry,) = json.loads(export_ideas(load_backlog(tmp_path), "v2"))
    assert {*V2} <= set(entry) and "label" not in entry["Related Work"]


def test_seed_ideas_of_strangers_find_the_knobs_that_were_found(tmp_path: Path) -> None:
    template = load_template(STRANGERS / "char_softmax")
    done = import_ideas(STRANGERS / "char_softmax" / "seed_ideas.json", tmp_path, template)
    (idea,) = done.ideas
    assert isinstance(idea.design, DoseResponse) and idea.design.knob == "momentum"
    compile_design(idea, template)
    (line,) = done.unmatched
    assert "needs a design" in line and "Rotary" in line
    (kept,) = json.loads((tmp_path / UNMATCHED).read_text())
    assert kept["entry"]["Name"] == "rotary_embeddings"
