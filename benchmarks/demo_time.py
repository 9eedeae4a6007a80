"""How long the demonstration takes as a whole process, and what share goes into neither experiments nor LaTeX.

Starts the command line as a user would, in a fresh lab, and takes the time at which each stage announces itself
(`--json` progress). Start-up of the interpreter and the way out count too. Aim: under 15 % outside.

    python benchmarks/demo_time.py
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXPERIMENTS = ("study", "runs", "final")
"""Pilot (with the start of the sandboxed workers and the attacks on the evaluator), runs, and scoring *final*."""
LATEX = ("pdf",)
AIM = 0.15


@dataclass(frozen=True)
class Mark:
    """A stage began, so many seconds after the process was started."""

    at: float
    paper: str
    stage: str


def watch(command: Sequence[str], env: dict[str, str]) -> tuple[list[Mark], float]:
    """Run the command; returns the marks of its stages and the seconds of the whole process."""
    started = time.monotonic()
    marks = [Mark(0.0, "", "start-up")]
    last_words: list[str] = []
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, text=True, env=env)
        assert process.stderr is not None
        for line in process.stderr:
            last_words = [*last_words[-4:], line.strip()]
            try:
                said = json.loads(line)
            except json.JSONDecodeError:
                continue
            if isinstance(said, dict) and said.get("event") == "stage":
                stage = "planning" if not said["paper"] else str(said["stage"])
                marks.append(Mark(time.monotonic() - started, str(said["paper"]), stage))
        if process.wait():
            sys.exit("the demonstration failed: " + " | ".join(last_words))
    return marks, time.monotonic() - started


def by_stage(marks: Sequence[Mark], whole: float) -> dict[str, list[float]]:
    """stage -> seconds of each time it was worked on, in the order in which stages first appear."""
    spent: dict[str, list[float]] = defaultdict(list)
    ends = [*(mark.at for mark in marks[1:]), whole]
    for mark, end in zip(marks, ends, strict=True):
        spent[mark.stage].append(end - mark.at)
    return dict(spent)


def kind(stage: str) -> str:
    return "experiments" if stage in EXPERIMENTS else "LaTeX" if stage in LATEX else "rest"


def table(spent: dict[str, list[float]], whole: float) -> str:
    """Markdown: stages, then the three kinds."""
    lines = ["| stage | counts as | times | seconds | share |", "|---|---|---|---|---|"]
    for stage, times in spent.items():
        lines.append(f"| {stage} | {kind(stage)} | {len(times)} | {sum(times):.1f} | {sum(times) / whole:.1%} |")
    for name in ("experiments", "LaTeX", "rest"):
        total = sum(sum(times) for stage, times in spent.items() if kind(stage) == name)
        lines.append(f"| **{name}** | | | {total:.1f} | {total / whole:.1%} |")
    lines.append(f"| **whole process** | | | {whole:.1f} | 100.0% |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--ideas", type=int, default=2, help="papers per round")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-pdf", action="store_true", help="leave LaTeX out")
    parser.add_argument("--online", action="store_true", help="let novelty checks ask the network, as a user's would")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    env = {**os.environ, "SCIENTIST_ONLINE": str(options.online).lower()}
    with tempfile.TemporaryDirectory(prefix="demo-time-") as place:
        scientist = [sys.executable, "-m", "scientist"]
        lab = str(Path(place) / "lab")
        subprocess.run([*scientist, "init", lab, "--ideas", str(ROOT / "ideas"), "--quiet"], check=True, env=env)
        command = [*scientist, "--lab", lab, "run", str(ROOT / "templates" / "digits"), "--json"]
        command += ["--rounds", str(options.rounds), "--ideas", str(options.ideas), "--seed", str(options.seed)]
        marks, whole = watch([*command, *(["--no-pdf"] if options.no_pdf else [])], env)
    spent = by_stage(marks, whole)
    if options.json:
        shares = {
            name: sum(sum(t) for s, t in spent.items() if kind(s) == name) / whole
            for name in ("experiments", "LaTeX", "rest")
        }
        print(json.dumps({"seconds": whole, "stages": spent, "shares": shares, "aim": AIM}, indent=2))
    else:
        print(table(spent, whole))


if __name__ == "__main__":
    main()
