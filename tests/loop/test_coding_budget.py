"""A campaign whose code is written by a program: its requests are rows, a cap ends it with exit code 10, and resume goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from sample_loop import DIAL, ROOT, command, environment

from scientist.ideas import Idea, write_idea
from scientist.lab import create_lab
from scientist.llm import Ledger

sys.path.append(str(ROOT / "tests" / "llm"))
from llm_server import says, served

CODER = """
import json, os, pathlib, urllib.request
for _ in range(4):
    body = json.dumps({"model": "m", "max_tokens": 200}).encode()
    at = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
    urllib.request.urlopen(urllib.request.Request(at, body, {"Content-Type": "application/json"}), timeout=20).read()
train = pathlib.Path("train.py")
line = 'value = data["strength"] * float(knobs["effect"]) + float(noise)'
train.write_text(train.read_text().replace(line, line + " + 1.0"))
"""


def run(lab: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(lab, *words), env=environment(), capture_output=True, text=True, timeout=240)


def test_a_cap_ends_the_campaign_and_resume_goes_on(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    made = create_lab(lab)
    del made
    coder = tmp_path / "coder.py"
    coder.write_text(CODER)
    design = {"kind": "modification", "name": "adding one", "change": "Add one to the value before it is written."}
    idea = Idea.model_validate(
        {
            "slug": "does-adding-one-help", "title": "Does adding one help?", "template": "dial", "status": "approved",
            "question": "Does adding one to the value raise the score?", "expect": "greater", "smallest_effect": 0.5,
            "hypothesis": "Adding one raises the score by about one, because the score is the value and some noise.",
            "why": "A change whose effect is known shows whether the machinery finds it.", "design": design,
        }
    )  # fmt: skip
    write_idea(lab / "ideas", idea)
    with served(says("well")) as desk:
        (lab / "scientist.toml").write_text(
            f'online = false\nsandbox = "process"\nseeds = 8\nideas = 1\n[roles.experimenter]\n'
            f'command = ["{sys.executable}", "{coder}"]\nbase_url = "{desk.url}"\nenv = ["OPENAI_BASE_URL"]\n'
        )
        stopped = run(lab, "run", str(DIAL), "--rounds", "1", "--ideas", "1", "--no-pdf", "--budget", "tokens=500")
        assert stopped.returncode == 10, stopped.stderr
        assert "scientist resume --budget tokens=" in stopped.stderr
        rows = list(Ledger(lab / "calls.jsonl").rows())
        assert [(r.role, r.task, r.tokens_in, r.tokens_out, r.counted, r.price) for r in rows] == [
            ("experimenter", "implement_cli", 100, 10, True, 0.0)
        ] * len(rows) and 0 < len(rows) < 4
        went_on = run(lab, "resume", "--no-pdf", "--budget", "tokens=5000")
        assert went_on.returncode == 0, went_on.stderr
    after = list(Ledger(lab / "calls.jsonl").rows())
    assert len(after) == len(rows) + 4 and {row.paper for row in after} == {idea.slug}
    change = json.loads((lab / "papers" / idea.slug / "variants" / "changed" / "change.json").read_text())
    assert [one["status"] for one in change["tries"]] == ["ok"]
