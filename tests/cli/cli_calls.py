"""The command line as real processes, on small labs of the synthetic template."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DIAL = ROOT / "tests" / "templates" / "dial"
SLUG = "does-the-dial-work"
IDEA = f"""\
---
slug: {SLUG}
title: Does the dial move the score?
template: dial
status: approved
question: Does turning the dial up raise the score?
hypothesis: Turning the dial from 0 to 2 raises the score by at least half a unit.
expect: greater
smallest_effect: 0.5
why: A loop whose answer is known in advance can be checked from end to end.
design:
  kind: dose-response
  knob: effect
  levels: [0.0, 1.0, 2.0]
seeds: 5
---
Prose that must survive.
"""


def environment(**more: str) -> dict[str, str]:
    """Offline and small; nothing of the caller's own settings."""
    mine = {name: value for name, value in os.environ.items() if not name.upper().startswith("SCIENTIST_")}
    small = {"SCIENTIST_ONLINE": "false", "SCIENTIST_PILOT_SEEDS": "3", "SCIENTIST_WORKERS": "2"}
    return {**mine, **small, "COLUMNS": "100", **more}


def call(
    lab: Path | None,
    *words: str,
    cwd: Path = ROOT / "tests",
    text: str = "",
    env: dict[str, str] | None = None,
    before: list[str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run `scientist` to its end; `before` is a program that starts it."""
    where = [] if lab is None else ["--lab", str(lab)]
    return subprocess.run(
        [*(before or []), sys.executable, "-m", "scientist", *where, *words],
        cwd=cwd,
        env=env or environment(),
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def answer(done: subprocess.CompletedProcess[str], code: int = 0) -> Any:
    """The one JSON document on standard output."""
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def complaint(done: subprocess.CompletedProcess[str], code: int) -> str:
    """The one line of a failure: on standard error, with what to do, and nothing else."""
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    lines = [line for line in done.stderr.splitlines() if not line.startswith(("[", "{"))]  # progress
    assert len(lines) == 1 and lines[0].startswith("error "), done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    return lines[0].removeprefix("error ")


def new_lab(root: Path, idea: str = IDEA) -> Path:
    """A lab with one approved idea."""
    from scientist.lab import create_lab

    create_lab(root)
    (root / "ideas" / f"{SLUG}.md").write_text(idea)
    return root


def copy_dial(folder: Path) -> Path:
    """A template that a test may break."""
    shutil.copytree(DIAL, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def start(lab: Path, *words: str) -> subprocess.Popen[str]:
    """Start a campaign in its own process group, with Ctrl-C as a terminal has it, telling its progress as JSON."""
    return subprocess.Popen(
        [sys.executable, "-m", "scientist", "--lab", str(lab), *words, "--json"],
        cwd=lab,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
    )


def wait_for(process: subprocess.Popen[str], wanted: Callable[[dict[str, Any]], bool]) -> None:
    """Read progress until a line is as wanted."""
    assert process.stderr is not None
    deadline = time.monotonic() + 60
    for line in process.stderr:
        if line.startswith("{") and wanted(json.loads(line)):
            return
        assert time.monotonic() < deadline
    raise AssertionError("the campaign ended before that")


def end(process: subprocess.Popen[str], patience: float = 30) -> tuple[int, str, str]:
    """(exit code, standard output, the rest of standard error that is no progress)."""
    assert process.stdout is not None and process.stderr is not None
    code = process.wait(timeout=patience)
    with process.stdout, process.stderr:
        out, err = process.stdout.read(), process.stderr.read()
    return code, out, "\n".join(line for line in err.splitlines() if not line.startswith("{"))
