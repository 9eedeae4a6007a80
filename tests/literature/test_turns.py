"""The pace at which a host is asked holds for all processes that share a lab, and nothing can make them wait for ever."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback import Loopback, loopback

from scientist.literature import _turns
from scientist.literature._turns import LONGEST_S, Turns

INTERVAL_S = 0.25
ASK = """
import sys
from pathlib import Path
from scientist.literature._answers import AnswerCache
from scientist.literature._indexes import CrossrefSource

source = CrossrefSource(sys.argv[1], delay_s=float(sys.argv[4]), cache=AnswerCache(Path(sys.argv[2])))
print("ready", flush=True)
sys.stdin.readline()
for word in sys.argv[3].split():
    print(source.search(f"label noise {word}", 5, 20.0)[1].answer, flush=True)
"""
HOLD = """
import sqlite3, sys, time
file = sqlite3.connect(sys.argv[1], isolation_level=None)
file.execute("BEGIN EXCLUSIVE")
print("ready", flush=True)
time.sleep(60)
"""


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout and child.stdout.readline() == "ready\n"
    return child


def two_processes(server: Loopback, files: tuple[Path, Path]) -> tuple[float, list[str]]:
    """Seconds from a common start to the last answer of both, four questions each; and what was answered."""
    words = ("alpha beta gamma delta", "kappa sigma omega theta")
    children = [start(ASK, server.url, str(f), w, str(INTERVAL_S)) for f, w in zip(files, words, strict=True)]
    begun = time.monotonic()
    for child in children:
        assert child.stdin
        child.stdin.write("go\n")
        child.stdin.flush()
    said = [line for child in children for line in child.communicate(timeout=60)[0].split()]
    return time.monotonic() - begun, said


def test_two_processes_of_a_lab_are_together_as_polite_as_one(tmp_path: Path) -> None:
    one = tmp_path / "answers.sqlite"
    with loopback() as server:
        seconds, said = two_processes(server, (one, one))
        assert said == ["answered"] * 8 and len(server.queries) == 8
    assert seconds >= 7 * INTERVAL_S  # eight turns, one after the other


@pytest.fixture
def other_process(monkeypatch: pytest.MonkeyPatch):
    """Call it, and this process has taken no turn yet."""
    return lambda: monkeypatch.setattr(_turns, "_next", {})


def test_turns_follow_each_other_and_what_comes_too_late_takes_none(tmp_path: Path, other_process) -> None:
    now = 1000.0
    turns = Turns(tmp_path / "new" / "turns.sqlite", lambda: now)
    waits = []
    for _ in range(3):
        other_process()
        waits.append(turns.take("a", 3.0, 20.0))
    assert waits == [0.0, 3.0, 6.0]
    other_process()
    assert turns.take("a", 3.0, 9.0) is None and turns.take("a", 3.0, 9.1) == 9.0
    assert turns.take("b", 3.0, 1.0) == 0.0
    now = 1011.0
    other_process()
    assert turns.take("a", 3.0, 20.0) == 1.0


def test_a_clock_that_begins_again_makes_nobody_wait(tmp_path: Path, other_process) -> None:
    now = 1_000_000.0
    turns = Turns(tmp_path / "turns.sqlite", lambda: now)
    turns.take("a", 3.0, 20.0)
    now = 12.0
    other_process()
    assert turns.take("a", 3.0, 20.0) == 0.0
    other_process()
    assert turns.take("a", 3.0, 20.0) == 3.0  # and from then on the pace is kept again


@pytest.mark.parametrize(
    "row", [(0.0, 1e18), (0.0, "soon"), ("x", 0.0), (None, None), (0.0, float("inf")), (b"", b""), (99.0, 101.0)]
)
def test_a_row_that_cannot_be_is_not_believed(tmp_path: Path, other_process, row: tuple[object, object]) -> None:
    turns = Turns(tmp_path / "turns.sqlite", lambda: 50.0)
    turns.take("a", 3.0, 20.0)
    with sqlite3.connect(turns.path) as file:
        file.execute("UPDATE turns_1 SET taken = ?, turn = ?", row)
    other_process()
    assert turns.take("a", 3.0, 20.0) == 0.0


def test_a_holder_that_is_killed_holds_nobody_up_and_one_that_stays_for_half_a_second(tmp_path: Path) -> None:
    turns = Turns(tmp_path / "turns.sqlite")
    turns.take("held", 0.1, 20.0)
    child = start(HOLD, str(turns.path))
    begun = time.monotonic()
    assert turns.take("held", 0.1, 20.0) is not None  # by this process's own count
    assert time.monotonic() - begun < 5.0
    child.kill()
    child.wait()
    assert turns.take("held", 5.0, 20.0) is not None
    with sqlite3.connect(turns.path) as file:
        ((taken, turn),) = file.execute("SELECT taken, turn FROM turns_1 WHERE place = 'held'")
    assert turn - taken >= 5.0  # the file was used


@pytest.mark.parametrize("how", ["no database", "a folder", "other columns", "nowhere"])
def test_a_file_that_cannot_be_used_leaves_each_process_its_own_pace(tmp_path: Path, how: str) -> None:
    path = tmp_path / "turns.sqlite"
    match how:
        case "no database":
            path.write_bytes(b"nothing of the kind" * 500)
        case "a folder":
            path.mkdir()
        case "other columns":
            with sqlite3.connect(path) as file:
                file.execute("CREATE TABLE turns_1 (x)")
        case "nowhere":
            (tmp_path / "file").write_text("in the way")
            path = tmp_path / "file" / "turns.sqlite"
    turns = Turns(path, lambda: 100.0)
    place = f"spoilt {how}"
    assert [turns.take(place, 3.0, 20.0) for _ in range(3)] == [0.0, 3.0, 6.0]


def test_without_a_pause_nothing_is_written(tmp_path: Path) -> None:
    turns = Turns(tmp_path / "turns.sqlite")
    assert turns.take("quick", 0.0, 1.0) == 0.0 and not turns.path.exists()


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0.01, 30)), max_size=30), st.floats(0.1, 1e9))
def test_no_order_of_times_makes_a_turn_later_than_was_allowed(steps: list[tuple[float, float]], most: float) -> None:
    _turns._next.pop("any", None)
    for now, interval in steps:
        wait = Turns(None, lambda now=now: now).take("any", interval, most)
        assert wait is None or 0.0 <= wait < min(most, LONGEST_S)
