"""Edits apply whole or not at all, touch nothing sealed, and have to change what the code does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scientist.errors import StudyError
from scientist.experiments import (
    Bench,
    HeuristicExperimenter,
    ModelExperimenter,
    Variant,
    apply_edits,
    check_code,
    choose_sandbox,
    diff_of,
    load_code,
    make_change,
    parse_edits,
)
from scientist.ideas import Idea
from scientist.llm import Ask, Budget, Ledger, Model, ScriptedWire
from scientist.template import Template, load_template

DIAL = load_template(Path(__file__).parents[1] / "templates" / "dial")
TRAIN = (DIAL.root / "train.py").read_text()
FIRST = TRAIN.splitlines()[0]
LINE = 'value = data["strength"] * float(knobs["effect"]) + float(noise)'


def block(old: str, new: str, file: str = "train.py") -> str:
    return f"FILE: {file}\n<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n"


def changed(text: str, template: Template = DIAL) -> dict[str, bytes]:
    return apply_edits(template, parse_edits(text))


def test_a_block_replaces_exactly_its_lines() -> None:
    made = changed(f"Here it is.\n\n{block(LINE, LINE + ' + 1.0')}\nDone.")
    assert made == {"train.py": TRAIN.replace(LINE, LINE + " + 1.0").encode()}


def test_a_whole_file_and_several_blocks() -> None:
    assert changed(f"FILE: `train.py`\n```python\n{TRAIN}x = 1\n```\n") == {"train.py": f"{TRAIN}x = 1\n".encode()}
    two = block(LINE, LINE + " * 2") + block("import sys", "import sys\nimport math")
    assert changed(two)["train.py"].decode().count("import math") == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("I would add one.", "no edit was found"),
        (block("not there", "x"), "does not occur"),
        (block("else", "x"), "does not occur"),
        (block(f"import json\n{LINE[:6]}", "x"), f"no line of the file reads '{LINE[:6].rstrip()}'"),
        (block(f"{LINE}\nimport json", "x"), "do not follow each other"),
        (block("", "x"), "occurs "),
        (block(LINE, LINE + " +", ), "no valid Python in line"),
        (block(LINE, "value = 1\x00"), "no valid Python"),
        (block(LINE, "x = " + "(" * 500 + ")" * 500), "no valid Python"),
        (block("import json", "import json as json"), "",),
        (block(LINE, LINE + "  # a comment"), "only seeds, timing, comments"),
        (block(FIRST, FIRST.replace("The", "A better")), "only seeds, timing, comments"),
        (block("import time", "import time\ntime.sleep(1)"), "only seeds, timing, comments"),
        (block("import time", "import time\nseed = 7"), ""),
        (block(LINE, LINE), "nothing is changed"),
        (block("x", "y", "evaluate.py"), "'evaluate.py' must not be changed; only train.py may"),
        (block("x", "y", "template.toml"), "must not be changed"),
        (block("x", "y", "../dial/train.py"), "must not be changed"),
        (block("x", "y", "/etc/passwd"), "must not be changed"),
        (block("x", "y", "cheats/new.py"), "must not be changed"),
        ("FILE: train.py\n<<<<<<< SEARCH\nimport sys\n", "not complete"),
        (block(LINE, LINE + " + 1") + "FILE: train.py\n<<<<<<< SEARCH\nimport sys\n", "not complete"),
        (block(LINE, LINE + " + 1") + block("not there", "x"), "does not occur"),
    ],
)  # fmt: skip
def test_what_is_refused_is_refused_whole(text: str, why: str) -> None:
    if not why:
        assert changed(text)
        return
    with pytest.raises(ValueError) as caught:
        changed(text)
    assert why in str(caught.value) and "\n" not in str(caught.value)
    assert (DIAL.root / "train.py").read_text() == TRAIN


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("SEED = 1\n", "SEED = 2\n"),
        ("rng = np.random.default_rng(1)\n", "rng = np.random.default_rng(2)\n"),
        ("torch.manual_seed(1)\nf(random_state=3)\n", "torch.manual_seed(2)\nf(random_state=4)\n"),
        ("time.sleep(1)\nwork()\n", "time.sleep(2)\nwork()\n"),
    ],
)
def test_other_seeds_are_no_other_method(tmp_path: Path, before: str, after: str) -> None:
    (tmp_path / "train.py").write_text(before)
    template = DIAL.model_copy(update={"root": tmp_path})
    with pytest.raises(ValueError, match="only seeds"):
        check_code(template, {"train.py": after.encode()})


@given(st.text(max_size=400))
def test_no_answer_does_more_than_be_refused(text: str) -> None:
    for one in (text, f"FILE: train.py\n{text}", block(text, "x"), block(LINE, text)):
        try:
            made = changed(one)
        except ValueError:
            continue
        assert set(made) == {"train.py"}


def idea() -> Idea:
    return Idea.model_validate(
        {
            "slug": "add-one",
            "title": "Does adding one help the score?",
            "template": "dial",
            "question": "Does adding one to the value raise the score?",
            "hypothesis": "Adding one raises the score by about one, since it is added to it.",
            "expect": "greater",
            "smallest_effect": 0.5,
            "why": "A change of the code whose effect is known shows that the machinery works.",
            "design": {
                "kind": "modification",
                "name": "adding one",
                "change": "Add one to the value before it is written.",
            },
        }
    )


def experiment(tmp_path: Path, answer: Callable[[Ask], str]) -> tuple[ScriptedWire, Path]:
    wire = ScriptedWire(answer)
    model = Model("scripted/model", wire, Budget(Ledger(tmp_path / "calls.jsonl")), tmp_path / "said")
    paper = tmp_path / "paper"
    with Bench.local(DIAL, choose_sandbox("process", ()), tmp_path / "scratch", 1) as bench:
        make_change(ModelExperimenter(model, "add-one"), bench, idea(), paper)
    return wire, paper


def test_a_change_that_crashes_is_mended_from_its_traceback(tmp_path: Path) -> None:
    def answer(ask: Ask) -> str:
        return block(LINE, LINE + " + 1.0") if ask.task == "mend_code" else block(LINE, LINE + " + one")

    wire, paper = experiment(tmp_path, answer)
    told = wire.asked[1].messages[-1].text
    assert "NameError: name 'one' is not defined" in told and "+ one" in told
    folder = paper / "variants" / "changed"
    assert "+ 1.0" in (folder / "patch.diff").read_text()
    assert "NameError" in (folder / "tries" / "1" / "log.txt").read_text()
    assert (folder / "tries" / "2" / "patch.diff").is_file()


def test_a_change_is_made_once(tmp_path: Path) -> None:
    wire, _ = experiment(tmp_path, lambda _: block(LINE, LINE + " + 1.0"))
    again, _ = experiment(tmp_path, lambda _: "nothing")
    assert len(wire.asked) == 1 and not again.asked


def test_what_never_runs_ends_the_paper_and_keeps_every_try(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"4 changes were tried and none ran \(NameError"):
        experiment(tmp_path, lambda ask: block(LINE, f"{LINE} + one{len(ask.messages[-1].text)}"))
    assert len(list((tmp_path / "paper" / "variants" / "changed" / "tries").glob("*/patch.diff"))) == 4
    assert not (tmp_path / "paper" / "variants" / "changed" / "change.json").exists()


def test_rules_cannot_write_code(tmp_path: Path) -> None:
    with (
        Bench.local(DIAL, choose_sandbox("process", ()), tmp_path / "scratch", 1) as bench,
        pytest.raises(StudyError, match="--model"),
    ):
        make_change(HeuristicExperimenter(), bench, idea(), tmp_path / "paper")


def test_code_that_was_edited_afterwards_is_not_run(tmp_path: Path) -> None:
    _, paper = experiment(tmp_path, lambda _: block(LINE, LINE + " + 1.0"))
    file = paper / "variants" / "changed" / "files" / "train.py"
    from scientist.experiments import Change
    from scientist.lab import read_json

    files = read_json(Change, paper / "variants" / "changed" / "change.json").files
    variant = Variant(name="changed", title="adding one", knobs={}, code=files)
    assert load_code(paper, variant) == {"train.py": file.read_bytes()}
    file.write_text(TRAIN)
    with pytest.raises(StudyError, match="not the code"):
        load_code(paper, variant)


def test_the_diff_says_what_changed() -> None:
    diff = diff_of(DIAL, changed(block(LINE, LINE + " + 1.0")))
    assert diff.startswith("--- a/train.py\n+++ b/train.py\n") and f"-{LINE}\n+{LINE} + 1.0\n" in diff
