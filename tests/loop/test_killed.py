"""`kill -9` at random moments, then `resume`: the same bytes, nothing half-written, nobody left behind."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from sample_loop import DIAL, artefacts, call, command, environment, new_lab

from scientist.lab import Journal

KILLS = 20
LATEX = shutil.which("pdflatex") is not None
RUN = ("run", str(DIAL), "--ideas", "2", "--quiet", *([] if LATEX else ["--no-pdf"]))


def ours(lab: Path) -> list[psutil.Process]:
    """Processes that belong to a lab: named after it, or started for it."""
    found = []
    for process in psutil.process_iter():
        try:
            line = " ".join(process.cmdline())
            if process.pid != os.getpid() and (str(lab) in line or _works_in(process, lab)):
                found.append(process)
        except (psutil.Error, OSError):  # gone, somebody else's, or in a folder deeper than a path may be long
            continue
    return found


def _works_in(process: psutil.Process, lab: Path) -> bool:
    return str(lab) in process.cwd() or process.environ().get("SCIENTIST_TEST_MARK") == str(lab)


@pytest.mark.slow
def test_killed_at_twenty_moments_and_resumed(tmp_path: Path) -> None:
    calm = tmp_path / "calm"
    new_lab(calm, ideas=2)
    started = time.monotonic()
    done = call(calm, *RUN)
    assert done.returncode == 0, done.stderr
    length = time.monotonic() - started
    expected = artefacts(calm)
    assert LATEX is False or sum(name.endswith("paper.pdf") for name in expected) == 2

    stormy = tmp_path / "stormy"
    new_lab(stormy, ideas=2)
    moments = random.Random(7)
    killed, arguments = 0, RUN
    while killed < KILLS:
        process = subprocess.Popen(
            command(stormy, *arguments),
            env=environment(),
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        time.sleep(moments.uniform(0.7, max(2.0, length * 0.5)))
        finished = process.poll() is not None
        if not finished:
            os.killpg(process.pid, signal.SIGKILL)
        assert process.stderr is not None
        said = process.stderr.read().decode()
        process.wait()
        deadline = time.monotonic() + 5
        while ours(stormy) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert ours(stormy) == []
        if finished:
            assert process.returncode == 0 or "nothing to resume" in said, said
            # It got through: take away the later half of the work, so that there is something to kill again.
            for path in sorted((stormy / "papers").glob("*/final.json")):
                path.unlink()
            arguments = RUN
        else:
            killed += 1
            arguments = ("resume", "--quiet", *RUN[6:])
        for path in stormy.rglob("*"):
            if path.suffix == ".json" and ".scientist" not in path.parts and not path.name.startswith("."):
                json.loads(path.read_bytes())  # whole, or not there

    last = call(stormy, *arguments)
    assert last.returncode == 0 or "nothing to resume" in last.stderr, last.stderr
    assert Journal(stormy / "journal.jsonl").verify() == []
    found = artefacts(stormy)
    assert sorted(found) == sorted(expected)
    assert [name for name in found if found[name] != expected[name]] == []
