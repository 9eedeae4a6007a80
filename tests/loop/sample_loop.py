"""Small whole campaigns on the synthetic template, in process or as the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from scientist.ideas import Idea, write_idea
from scientist.lab import Lab, create_lab
from scientist.loop import PaperSummary, campaign_for, run_campaign
from scientist.progress import Silent
from scientist.template import load_template

ROOT = Path(__file__).resolve().parents[2]
DIAL = ROOT / "tests" / "templates" / "dial"
VOLATILE = ("usage.json", "journal.jsonl")
"""Files that say when something happened or what it cost on this machine."""


def dose_idea(slug: str = "does-the-dial-work", **more: object) -> Idea:
    """Turning the dial from 0 to 2: an effect that is there."""
    return Idea.model_validate(
        {
            "slug": slug,
            "title": "Does the dial move the score?",
            "template": "dial",
            "status": "approved",
            "question": "Does turning the dial up raise the score?",
            "hypothesis": "Turning the dial from 0 to 2 raises the score by at least half a unit.",
            "expect": "greater",
            "smallest_effect": 0.5,
            "why": "A loop whose answer is known in advance can be checked from end to end.",
            "design": {"kind": "dose-response", "knob": "effect", "levels": [0.0, 1.0, 2.0]},
            **more,
        }
    )


def new_lab(root: Path, **flags: object) -> Lab:
    """A lab with one approved idea, offline, few seeds."""
    create_lab(root)
    lab = Lab(root, {"online": False, "seeds": 12, "workers": 2, "ideas": 1, **flags})
    write_idea(lab.ideas, dose_idea())
    return lab


def campaign(lab: Lab, pdf: bool = False) -> list[PaperSummary]:
    """Run (or continue) the campaign that the lab's settings ask for."""
    return run_campaign(lab, campaign_for(lab, load_template(DIAL)), Silent(), pdf=pdf)


def command(lab: Path, *arguments: str) -> list[str]:
    """The command line of a campaign on the synthetic template."""
    return [sys.executable, "-m", "scientist", "--lab", str(lab), *arguments]


def environment() -> dict[str, str]:
    """What the command line runs with: offline, two workers."""
    return {**os.environ, "SCIENTIST_ONLINE": "false", "SCIENTIST_SEEDS": "12", "SCIENTIST_WORKERS": "2"}


def call(lab: Path, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        command(lab, *arguments), env=environment(), capture_output=True, text=True, timeout=timeout, check=False
    )


def artefacts(root: Path) -> dict[str, bytes]:
    """path -> content of everything a lab holds, with times and costs taken out."""
    found = {}
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if not path.is_file() or path.name in VOLATILE or relative.parts[0] == ".scientist":
            continue
        data = path.read_bytes()
        if path.name == "manifest.json":
            manifest = json.loads(data)
            manifest.pop("made")
            manifest.pop("cost")
            data = json.dumps(manifest, sort_keys=True).encode()
        found[str(relative)] = data
    return found


def events(root: Path) -> list[str]:
    """What the journal says happened, without when."""
    lines = (root / "journal.jsonl").read_text().splitlines()
    return [json.loads(line)["event"] for line in lines]
