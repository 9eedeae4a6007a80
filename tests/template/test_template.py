"""Loading templates: what is refused, in one line that names file, line and key; knobs and what they accept."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from template_runs import DIAL, DIGITS, ROOT

from scientist.errors import RecordError, ScientistError, TemplateError
from scientist.template import Knob, Template, find_templates, load_template

DIALS = load_template(DIAL)
Edit = Callable[[str], str]


def swap(old: str, new: str) -> Edit:
    def edit(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return edit


def edited(tmp_path: Path, edit: Edit) -> Path:
    folder = tmp_path / "dial"
    shutil.copytree(DIAL, folder)
    path = folder / "template.toml"
    path.write_text(edit(path.read_text(encoding="utf-8")), encoding="utf-8")
    return folder


BROKEN: dict[str, tuple[Edit, str, str]] = {
    "missing key": (swap('title = "A dial with known effects"\n', ""), "title", "is missing"),
    "wrong type": (swap("wall_s = 2", 'wall_s = "soon"'), "budget.wall_s", "number"),
    "unknown key": (swap("[objective]", "titel = 'x'\n[objective]"), "titel", "did you mean 'title'?"),
    "unknown key in a knob": (swap("low = -5.0", "lowest = -5.0"), "lowest", "unknown key"),
    "bad name": (swap('name = "dial"', 'name = "A Dial"'), "name", "pattern"),
    "number without range": (swap("low = 0\nhigh = 9\n", ""), "knobs", "'low' < 'high'"),
    "range upside down": (swap("low = 0\nhigh = 9\n", "low = 9\nhigh = 0\n"), "knobs", "'low' < 'high'"),
    "default out of range": (swap("default = 0.0", "default = 9.0"), "knobs", "between -5 and 5"),
    "level out of range": (swap("levels = [0, 1, 2, 3]", "levels = [0, 99]"), "knobs", "between 0 and 9"),
    "choice without choices": (swap('choices = ["a", "b", "c"]\n', ""), "knobs", "needs 'choices'"),
    "default is no choice": (swap('default = "a"', 'default = "d"'), "knobs", "one of a, b, c"),
    "reason too short": (swap('why = "Moves the score by exactly', 'why = "x" # '), "why", "at least 20"),
    "two knobs of one name": (swap('name = "nothing"', 'name = "effect"'), "", "same name"),
    "metric of the objective unknown": (swap('metric = "score"', 'metric = "scor"'), "", "did you mean 'score'?"),
    "only_with unknown": (
        swap('role = "capacity"', 'role = "capacity"\nonly_with = { gear = [1] }'),
        "",
        "'gear', which is no knob",
    ),
    "sealed and editable": (swap('sealed = ["evaluate.py"]', 'sealed = ["train.py"]'), "", "both editable and sealed"),
    "file missing": (swap('editable = ["train.py"]', 'editable = ["trane.py"]'), "trane.py", "does not exist"),
    "file outside": (swap('editable = ["train.py"]', 'editable = ["../train.py"]'), "../train.py", "leads outside"),
    "not TOML": (swap("[objective]", "[objective"), "template.toml", "not valid TOML"),
}


@pytest.mark.parametrize("case", sorted(BROKEN))
def test_a_broken_template_is_refused_in_one_line(case: str, tmp_path: Path) -> None:
    edit, key, words = BROKEN[case]
    folder = edited(tmp_path, edit)
    with pytest.raises(ScientistError) as caught:
        load_template(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert key in message
    assert words in message
    assert str(folder) in message


def test_the_line_of_a_wrong_key_is_named(tmp_path: Path) -> None:
    folder = edited(tmp_path, swap("wall_s = 2", 'wall_s = "soon"'))
    lines = (folder / "template.toml").read_text(encoding="utf-8").splitlines()
    number = lines.index('wall_s = "soon"') + 1
    with pytest.raises(TemplateError, match=rf"template\.toml:{number}: budget\.wall_s"):
        load_template(folder)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = edited(tmp_path, lambda text: text)
    (folder / "train.py").unlink()
    (folder / "train.py").symlink_to(DIAL / "train.py")
    with pytest.raises(ScientistError, match="leads outside"):
        load_template(folder)


def test_a_folder_without_template_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=r"holds no template\.toml"):
        load_template(tmp_path)
    with pytest.raises(RecordError):
        load_template(tmp_path / "absent")


def test_templates_are_found_by_their_file() -> None:
    assert DIGITS in find_templates(ROOT / "templates")
    assert find_templates(ROOT / "tests" / "templates", ROOT / "nowhere") == [DIAL]


def test_the_fingerprint_covers_declaration_code_and_evaluator(tmp_path: Path) -> None:
    folder = edited(tmp_path, lambda text: text)
    seen = {load_template(folder).fingerprint(), DIALS.fingerprint()}
    assert len(seen) == 1, "where a template lies is not part of it"
    for name in ("template.toml", "train.py", "evaluate.py"):
        with (folder / name).open("a", encoding="utf-8") as handle:
            handle.write("# changed\n")
        seen.add(load_template(folder).fingerprint())
    assert len(seen) == 4


def test_complete_fills_in_defaults_and_refuses_strangers() -> None:
    full = DIALS.complete({"effect": 1})
    assert full == {"level": "a", "effect": 1.0, "nothing": 0, "fault": "none"}
    assert isinstance(full["effect"], float)
    with pytest.raises(ValueError, match=r"no knob 'efect' \(did you mean 'effect'\?\)"):
        DIALS.complete({"efect": 1})
    with pytest.raises(ValueError, match=r"is one of none, crash.*did you mean 'crash'"):
        DIALS.complete({"fault": "crsh"})


def test_knobs_that_do_not_act_are_left_out() -> None:
    digits = load_template(DIGITS)
    acting = digits.effective(digits.complete({"model": "knn"}))
    assert "neighbours" in acting
    assert not {"width", "trees", "regularisation", "class_weight"} & set(acting)
    assert "width" in digits.effective(digits.complete({"model": "mlp"}))


def numeric(template: Template) -> list[Knob]:
    return [knob for knob in template.knobs if knob.type in ("float", "int")]


NUMERIC = [*numeric(DIALS), *numeric(load_template(DIGITS))]


@given(st.sampled_from(NUMERIC), st.floats(allow_nan=False, allow_infinity=False))
def test_a_numeric_knob_takes_exactly_its_range(knob: Knob, value: float) -> None:
    assert knob.low is not None and knob.high is not None
    whole = knob.type == "float" or value == int(value)
    if knob.low <= value <= knob.high and whole:
        taken = knob.check(value)
        assert taken == value
        assert type(taken) is (int if knob.type == "int" else float)
    else:
        with pytest.raises(ValueError, match=knob.name):
            knob.check(value)


@given(st.sampled_from(NUMERIC), st.one_of(st.booleans(), st.text(max_size=5), st.none(), st.just(float("nan"))))
def test_a_numeric_knob_takes_nothing_but_numbers(knob: Knob, value: object) -> None:
    with pytest.raises(ValueError):
        knob.check(value)


@given(st.text(max_size=12))
def test_a_choice_takes_nothing_but_its_choices(value: str) -> None:
    knob = load_template(DIGITS).knob("model")
    if value in knob.choices:
        assert knob.check(value) == value
    else:
        with pytest.raises(ValueError, match="is one of"):
            knob.check(value)


def test_a_switch_takes_true_and_false_only() -> None:
    knob = Knob(name="switch", title="switch", type="bool", default=False, why="stands for any switch at all")
    assert knob.check(True) is True
    for value in (1, 0, "true", None):
        with pytest.raises(ValueError, match="true or false"):
            knob.check(value)
    assert (knob.label(True), knob.label(False)) == ("on", "off")


def test_values_have_names_for_prose() -> None:
    digits = load_template(DIGITS)
    assert digits.knob("model").label("mlp") == "multilayer perceptron"
    assert digits.knob("label_noise").label(0.25) == "0.25"
    assert digits.knob("train_size").label(40) == "40"
