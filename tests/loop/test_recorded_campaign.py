"""The campaign that ships as a recording: replayed without a key it gives the papers it gave, to the byte."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest
from sample_loop import command

ROOT = Path(__file__).parents[2]
RECORDING = ROOT / "tests" / "recordings" / "digits"


pytestmark = pytest.mark.slow


def call(lab: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a user does who has set nothing."""
    plain = {
        name: value
        for name, value in os.environ.items()
        if name == "SCIENTIST_REPLAY_MISSES" or not name.startswith("SCIENTIST_")
    }
    return subprocess.run(command(lab, *arguments), env=plain, capture_output=True, text=True, timeout=400, check=False)


def replay(lab: Path, *more: str) -> tuple[int, str]:
    assert call(lab, "init", str(lab), "--quiet").returncode == 0
    told = json.loads((RECORDING / "campaign.json").read_text())
    run = [*told["run"][:1], str(ROOT / told["run"][1]), *told["run"][2:]]
    done = call(lab, *run, "--replay", str(RECORDING), "--no-pdf", *more)
    return done.returncode, done.stdout + done.stderr


def facts_of(lab: Path) -> dict[str, str]:
    return {p.parent.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in lab.glob("papers/*/facts.json")}


def test_the_recorded_campaign_is_what_it_was(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    code, printed = replay(lab)
    facts, found = json.loads((RECORDING / "campaign.json").read_text())["facts"], facts_of(lab)
    if code == 9 and any(facts.get(slug) != sha256 for slug, sha256 in found.items()):
        pytest.skip("runs give other values on this machine than where the campaign was recorded")
    assert code == 0, printed
    assert found == facts
    for slug in facts:
        manuscript = json.loads((lab / "papers" / slug / "manuscript.json").read_text())
        assert manuscript["roles"]["writer"] == manuscript["roles"]["proposer"] == "desk/author"
        findings = json.loads((lab / "papers" / slug / "audit.json").read_text())["findings"]
        assert {finding["severity"] for finding in findings} <= {"note"}
    assert "from a recording" in printed and "by rules" not in printed
    assert not (lab / "calls.jsonl").exists() and not (lab / "conversations").exists()


def test_where_the_recording_has_no_answer_rules_take_the_step_if_that_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine whose runs give other values: other seeds ask other questions."""
    code, printed = replay(tmp_path / "strict", "--seed", "5")
    assert code == 9 and "the recording has no answer" in printed
    monkeypatch.setenv("SCIENTIST_REPLAY_MISSES", "rules")
    code, printed = replay(tmp_path / "lenient", "--seed", "5", "--rounds", "1")
    assert code == 0 and "by rules" in printed
