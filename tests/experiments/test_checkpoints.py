"""A run that was cut off continues from its checkpoint, after Ctrl-C and after `kill -9`; one that ended leaves none."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from scientist.errors import MachineryError
from scientist.experiments import Bench, choose_sandbox
from scientist.template import load_template

DIAL = Path(__file__).parents[1] / "templates" / "dial"
KEY = "ab" * 32

SLOW = """
import json, os, time
from pathlib import Path
kept = Path("checkpoint/state.json")
start = json.loads(kept.read_text())["step"] if kept.exists() else 0
print("began at", start)
for step in range(start, 60):
    time.sleep(0.02)
    with open("metrics.jsonl", "a") as curve:
        curve.write(json.dumps({"step": step, "loss": 1 / (1 + step)}) + "\\n")
    new = Path("checkpoint/state.tmp")
    new.write_text(json.dumps({"step": step + 1}))
    os.replace(new, kept)
Path("outputs/value.json").write_text(json.dumps({"value": float(step)}))
"""


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    """The dial with a candidate that takes its time and keeps checkpoints."""
    root = tmp_path / "slow"
    shutil.copytree(DIAL, root, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "train.py").write_text(SLOW, encoding="utf-8")
    told = (root / "template.toml").read_text(encoding="utf-8")
    told = told.replace('command = ["python", "train.py"]', 'command = ["python", "train.py"]\ncheckpoints = true')
    (root / "template.toml").write_text(told.replace("wall_s = 2", "wall_s = 20"), encoding="utf-8")
    return root


def finish(slow: Path, scratch: Path) -> tuple[int, bool, list[dict[str, float]]]:
    """Do the run to its end: (step it began at, whether it says that it continued, points that were watched)."""
    template = load_template(slow)
    seen: list[dict[str, float]] = []
    with Bench.local(template, choose_sandbox("auto"), scratch, 1) as bench:
        with bench.run(template.defaults, 1, ("keep",), watch=seen.extend, key=KEY) as outcome:
            assert outcome.status == "ok", outcome.reason
            began = int((outcome.folder / "log.txt").read_text().split()[-1])
            resumed = outcome.usage.resumed
        with bench.run(template.defaults, 1, ("keep",), key=KEY) as outcome:
            assert not outcome.usage.resumed, "a run that ended leaves no checkpoint"
    return began, resumed, seen


def test_after_an_interruption(slow: Path, tmp_path: Path) -> None:
    template, scratch = load_template(slow), tmp_path / "private" / "scratch"
    enough = threading.Event()

    def watch(points: object) -> None:
        enough.set()

    with Bench.local(template, choose_sandbox("auto"), scratch, 1) as bench:

        def work() -> None:
            with pytest.raises(MachineryError), bench.run(template.defaults, 1, ("keep",), watch=watch, key=KEY):
                raise AssertionError("it was to be given up")

        thread = threading.Thread(target=work)
        thread.start()
        assert enough.wait(10)
        time.sleep(0.2)
        bench.abandon()
        thread.join(10)
    began, resumed, seen = finish(slow, scratch)
    assert 0 < began < 60 and resumed
    assert [int(point["step"]) for point in seen] == list(range(began, 60))


def test_after_kill_minus_nine(slow: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "private" / "scratch"
    script = (
        "import sys\nfrom pathlib import Path\nfrom scientist.experiments import Bench, choose_sandbox\n"
        "from scientist.template import load_template\n"
        "template = load_template(Path(sys.argv[1]))\n"
        "with Bench.local(template, choose_sandbox('auto'), Path(sys.argv[2]), 1) as bench:\n"
        "    with bench.run(template.defaults, 1, ('keep',), key=sys.argv[3]) as outcome:\n"
        "        pass\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(slow), str(scratch), KEY], start_new_session=True)
    deadline = time.monotonic() + 20
    while not list(scratch.glob("*/run/checkpoint/state.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)
    began, resumed, _ = finish(slow, scratch)
    assert 0 < began < 60 and resumed
