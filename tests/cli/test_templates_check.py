"""`scientist templates check`: exit code 0 only for a template that is fit to spend budget, and a line for all else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_calls import ROOT, answer, call, copy_dial, environment

PLAIN = environment(SCIENTIST_SANDBOX="process")


def test_a_template_without_attacks_exits_with_one_and_says_so(tmp_path: Path) -> None:
    dial = copy_dial(tmp_path / "dial")
    for cheat in (dial / "cheats").glob("*.py"):
        cheat.unlink()
    done = call(None, "templates", "check", str(dial), "--quiet", env=PLAIN)
    assert done.returncode == 1 and done.stderr == ""
    assert "fail attacks: there are none" in done.stdout and "not fit to spend budget" in done.stdout


def test_json_tells_everything_and_every_broken_thing_has_its_line(tmp_path: Path) -> None:
    dial = copy_dial(tmp_path / "dial")
    (dial / "cheats/odd.py").write_text('"""Attack: none."""\n# expect: luck\n')
    evaluate = dial / "evaluate.py"
    evaluate.write_text(evaluate.read_text().replace('"name": level', '"name": 1.5'))
    told = answer(call(None, "templates", "check", str(dial), "--json", "--quiet", env=PLAIN), 1)
    assert (told["passed"], told["judging"], told["sandbox"]) == (False, "sealed", "process")
    assert told["honest"]["status"] == "ok" and told["honest"]["score"] is not None
    assert {finding["detail"] for finding in told["findings"]} >= {"with level = b: 'name' must be an identifier"}
    contained = {row["name"]: row["contained"] for row in told["cheats"]}
    assert contained == {"crash": True, "not_a_number": True, "odd": False}


def test_an_evaluator_that_cannot_be_loaded_exits_with_one(tmp_path: Path) -> None:
    dial = copy_dial(tmp_path / "dial")
    (dial / "evaluate.py").write_text("raise RuntimeError('broken evaluator')\n")
    done = call(None, "templates", "check", str(dial), "--quiet", env=PLAIN)
    assert done.returncode == 1 and "fail evaluator: the evaluator did not start: RuntimeError: broken" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["option_ridge"])
def test_a_directory_in_the_other_layout_is_usable_and_called_self_reported(name: str) -> None:
    folder = ROOT / "tests" / "templates_strangers" / name
    done = call(None, "templates", "check", str(folder), "--json", "--quiet", env=PLAIN)
    told = json.loads(done.stdout)
    assert done.returncode == 0 and told["passed"] and told["judging"] == "self-reported"
    notes = {finding["name"]: finding["detail"] for finding in told["findings"] if finding["status"] == "note"}
    assert "nobody but the code itself" in notes["judging"] and {"knobs", "metrics", "seed"} <= set(notes)
