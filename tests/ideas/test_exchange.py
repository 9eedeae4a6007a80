"""Import and export: nothing is lost, nothing is overwritten, and a guess is called a guess."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from idea_makers import make_idea, make_template

from scientist.errors import RecordError
from scientist.experiments import compile_design
from scientist.ideas import (
    UNMATCHED,
    Comparison,
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
from scientist.template import load_template

TOY = make_template()
DIGITS = load_template(Path(__file__).resolve().parents[2] / "templates" / "digits")

V1 = [
    {
        "Name": "adaptive_noise",
        "Title": "How label noise changes what a small network learns on lakes",
        "Experiment": "Vary the label noise in steps and train a small network on the lakes data.",
        "Interestingness": 7,
        "Feasibility": 9,
        "Novelty": 6,
    },
    {
        "Name": "quantum_gravity",
        "Title": "Emergent spacetime from entanglement",
        "Experiment": "Compute a partition function.",
        "Interestingness": 10,
        "Feasibility": 1,
        "Novelty": 10,
    },
]
V2 = [
    {
        "Name": "penalty_search",
        "Title": "Does hyperparameter search over the penalty pay?",
        "Short Hypothesis": "Random search over the penalty beats the default.",
        "Related Work": "Several.",
        "Abstract": "We study hyperparameter optimisation of the penalty of a linear model.",
        "Experiments": ["Random search over the penalty at equal budget.", {"step": "Compare with the default."}],
        "Risk Factors and Limitations": ["Small data."],
    }
]


def save(path: Path, data: object) -> Path:
    path.write_text(json.dumps(data))
    return path


def test_export_and_import_give_the_same_ideas(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    design = DoseResponse(knob="noise", levels=(0.0, 0.2))
    write_idea(here, make_idea("first-idea", design, notes="Some prose.", note="so far", seeds=9, priority=1.5))
    write_idea(here, make_idea("second-idea", design, status="rejected"))
    write_idea(here, make_idea("third-idea", design, status="approved"))
    (here / "broken.md").write_text("no")
    file = tmp_path / "all.json"
    file.write_bytes(export_ideas(load_backlog(here)))
    done = import_ideas(file, there, TOY)
    assert [idea.slug for idea in done.ideas] == ["first-idea", "second-idea", "third-idea"]
    came = {idea.slug: idea for idea in load_backlog(there)}
    old = {idea.slug: idea for idea in load_backlog(here)}
    assert came["first-idea"] == old["first-idea"]
    assert came["second-idea"].status == "rejected"
    assert came["third-idea"].status == "proposed", "another lab's approval is not this person's"
    again = import_ideas(file, there, TOY)
    assert (again.ideas, len(again.already)) == ((), 3), "importing twice adds nothing"


def test_a_slug_that_is_taken_is_not_overwritten(tmp_path: Path) -> None:
    design = DoseResponse(knob="noise", levels=(0.0, 0.2))
    write_idea(tmp_path, make_idea("first-idea", design, title="The one that was here"))
    other = make_idea("first-idea", design, title="The one that comes in")
    file = save(tmp_path / "in.json", [{**other.model_dump(mode="json"), "notes": ""}])
    (idea,) = import_ideas(file, tmp_path, TOY).ideas
    assert idea.slug == "first-idea-2"
    assert [i.title for i in load_backlog(tmp_path)] == ["The one that was here", "The one that comes in"]


def test_the_first_version_of_ai_scientist(tmp_path: Path) -> None:
    done = import_ideas(save(tmp_path / "v1.json", V1), tmp_path / "ideas", TOY)
    (idea,) = done.ideas
    assert idea.design == DoseResponse(knob="noise", levels=(0.0, 0.1, 0.2, 0.4))
    assert idea.settings == {"dataset": "lakes", "model": "net"}
    assert (idea.slug, idea.status, idea.origin) == ("adaptive-noise", "proposed", "import")
    assert idea.title == V1[0]["Title"]
    assert "guessed" in idea.note
    assert "**Experiment**: Vary the label noise" in idea.notes and "**Interestingness**: 7" in idea.notes
    compile_design(idea, TOY)
    (line,) = done.unmatched
    assert "entry 2" in line and "Emergent spacetime" in line
    kept = json.loads((tmp_path / "ideas" / UNMATCHED).read_text())
    assert [row["entry"] for row in kept] == [V1[1]]
    import_ideas(tmp_path / "v1.json", tmp_path / "ideas", TOY)
    assert json.loads((tmp_path / "ideas" / UNMATCHED).read_text()) == kept, "kept once"
    assert len(load_backlog(tmp_path / "ideas")) == 1


def test_the_second_version_of_ai_scientist(tmp_path: Path) -> None:
    (idea,) = import_ideas(save(tmp_path / "v2.json", V2), tmp_path, TOY).ideas
    assert isinstance(idea.design, Tuning) and "penalty" in idea.design.knobs
    assert "Small data." in idea.notes
    compile_design(idea, TOY)


@pytest.mark.parametrize(
    ("text", "kind", "knobs"),
    [
        ("Does the benefit of augmentation survive label noise?", Robustness, {"augment", "label_noise"}),
        ("Comparing model families: random forest versus nearest neighbours", Comparison, {"model"}),
        ("Bagging across several data sets: does it transfer?", Transfer, {"bagging", "dataset"}),
        ("Class weighting interacts with class imbalance", Interaction, {"class_weight", "class_imbalance"}),
        ("The effect of the number of trees", DoseResponse, {"trees"}),
    ],
)
def test_words_lead_to_designs_on_real_knobs(tmp_path: Path, text: str, kind: type, knobs: set[str]) -> None:
    from scientist.ideas import knobs_of

    (idea,) = import_ideas(save(tmp_path / "x.json", [{"Name": "some_idea", "Title": text}]), tmp_path, DIGITS).ideas
    assert isinstance(idea.design, kind)
    assert set(knobs_of(idea)) == knobs
    compile_design(idea, DIGITS)


def test_a_broken_entry_is_named_and_kept_and_a_broken_file_refused(tmp_path: Path) -> None:
    bad = make_idea("first-idea", DoseResponse(knob="noise", levels=(0.0, 0.2))).model_dump(mode="json")
    bad["smalest_effect"] = bad.pop("smallest_effect")
    done = import_ideas(save(tmp_path / "in.json", [bad, {"what": "is this"}]), tmp_path / "ideas", TOY)
    assert done.ideas == ()
    assert "entry 1" in done.unmatched[0] and "smallest_effect" in done.unmatched[0]
    assert "entry 2" in done.unmatched[1]
    assert len(json.loads((tmp_path / "ideas" / UNMATCHED).read_text())) == 2
    (tmp_path / "torn.json").write_text('[{"Name": "x",\n')
    with pytest.raises(RecordError, match=r"torn\.json:2: not JSON"):
        import_ideas(tmp_path / "torn.json", tmp_path, TOY)
    with pytest.raises(RecordError, match="entry 1 is not an object"):
        import_ideas(save(tmp_path / "list.json", ["idea"]), tmp_path, TOY)
