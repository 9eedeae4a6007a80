"""`kill -9` of the scientist while a run goes on: its processes end at once, and the next one finds the rest."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from hostile_bench import DIAL, WALLED

from scientist.experiments import Bench, choose_sandbox, detect_cgroups
from scientist.experiments._den import Den
from scientist.template import load_template

MARK = "left-by-a-killed-scientist"

RUN = f"""
import os, signal, sys, time
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
for daemon in (False, True):
    if os.fork() == 0:
        if daemon:
            os.setsid()
            if os.fork():
                os._exit(0)
        os.execv(sys.executable, [sys.executable, '-c', 'import time; time.sleep(120)', {MARK!r}])
time.sleep(120)
"""

DRIVER = """
import sys
from pathlib import Path
from scientist.experiments import Bench, choose_sandbox
from scientist.template import load_template
template = load_template(Path(sys.argv[1]))
slow = template.model_copy(update={"budget": template.budget.model_copy(update={"wall_s": 120, "processes": 30})})
with Bench.local(slow, choose_sandbox(sys.argv[2]), Path(sys.argv[3]), 1) as bench:
    with bench.run(slow.defaults, 1, ("keep",), {"train.py": sys.argv[4].encode()}):
        pass
"""


def marked() -> list[psutil.Process]:
    return [p for p in psutil.process_iter(["cmdline", "status"]) if MARK in (p.info["cmdline"] or [])[-1:]]


def groups(pid: int) -> list[Path]:
    return [path for parent in set(detect_cgroups().parents.values()) for path in parent.glob(f"scientist-{pid}-*")]


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not (found := holds()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


@pytest.fixture
def driver(kind: str, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    words = [sys.executable, "-c", DRIVER, str(DIAL), kind, str(tmp_path / "scratch"), RUN]
    process = subprocess.Popen(words, start_new_session=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for left in marked():
            left.kill()


@pytest.mark.parametrize("kind", ["process", *WALLED])
def test_nothing_is_left_of_a_killed_scientist(kind: str, driver: subprocess.Popen[bytes], tmp_path: Path) -> None:
    assert within(30, lambda: len(marked()) == 2), "a child and a daemon are at work"
    below = psutil.Process(driver.pid).children(recursive=True)
    assert len(below) >= 5  # worker, judge, the run and its two
    assert bool(groups(driver.pid)) == (detect_cgroups().version > 0)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    assert within(10, lambda: not marked() and not any(map(alive, below)))

    # What no process holds any more is removed by whoever comes next: its groups, and what lies in its folders.
    assert (tmp_path / "scratch").exists()
    with Bench.local(load_template(DIAL), choose_sandbox(kind), tmp_path / "scratch", 1) as bench:
        assert groups(driver.pid) == []
        with bench.run(bench.template.defaults, 1, ("keep",)) as outcome:
            assert (outcome.status, outcome.reason) == ("ok", "")
    assert not (tmp_path / "scratch").exists()


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_den_is_gone_after_its_killed_owner_and_not_before() -> None:
    code = "import time\nfrom scientist.experiments._den import Den\nprint(Den().path, flush=True)\ntime.sleep(60)"
    owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    place = Path(owner.stdout.readline().strip())
    try:
        (place / "left").write_text("something")
        Den().remove()
        assert (place / "left").exists(), "its owner lives"
        owner.kill()
        owner.wait()
        Den().remove()
        assert not place.exists()
    finally:
        owner.kill()
        owner.wait()
