"""How long still, how durations read, and the live line of a terminal."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import time

import pytest
from cli_calls import DIAL, environment
from hypothesis import given
from hypothesis import strategies as st

from scientist.cli._progress import Pace, PlainLines, Watch, about, mode, seconds


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@given(st.integers(0, 50), st.integers(1, 50), st.integers(0, 50), st.floats(0.01, 1000))
def test_what_was_there_before_does_not_count_as_speed(before: int, made: int, left: int, each: float) -> None:
    clock = Clock()
    pace = Pace(clock)
    total = before + made + left
    first = pace.left(before, total)
    assert first is None
    clock.now = made * each
    assert pace.left(before + made, total) == pytest.approx(left * each)


def test_durations_read_well() -> None:
    said = [seconds(value) for value in (0.04, 9.94, 9.96, 89, 200, 3600, 7500)]
    assert said == ["0.0 s", "9.9 s", "10 s", "89 s", "3 min 20 s", "1 h 00 min", "2 h 05 min"]
    assert [about(value) for value in (0.2, 4.4, 200)] == [
        "about 1 s still",
        "about 4 s still",
        "about 3 min 20 s still",
    ]


def test_a_campaign_tells_how_long_still_once_one_paper_is_made() -> None:
    clock = Clock()
    watch = Watch(3, clock)
    watch.enter("one", "idea")
    assert watch.campaign_left is None and watch.place == "paper 1 of 3"
    clock.now = 10
    watch.enter("two", "idea")
    assert watch.campaign_left == pytest.approx(20)
    clock.now = 14
    watch.enter("two", "runs")
    assert watch.campaign_left == pytest.approx(16) and watch.place == "paper 2 of 3"


def test_a_log_gets_one_line_per_stage_and_counts_at_quarters(capsys: pytest.CaptureFixture[str]) -> None:
    lines = PlainLines(2)
    lines.stage("a-paper", "runs")
    for done in range(101):
        lines.runs(done, 100, done // 50)
    lines.note("a note")
    said = capsys.readouterr()
    assert said.out == "" and "\x1b" not in said.err
    text = [re.sub(r"^\[ *[\d.]+s\] ", "", line) for line in said.err.splitlines()]
    assert text[:2] == ["paper 1 of 2: a-paper", "a-paper: runs"] and text[-1] == "  - a note"
    assert [line.split(",")[0] for line in text[2:-1]] == [f"  {n} of 100 runs" for n in (0, 25, 50, 75, 100)]


def test_quiet_beats_json_for_progress() -> None:
    assert (mode(True, True), mode(True, False), mode(False, False)) == ("quiet", "json", "person")


def test_a_terminal_sees_a_live_line_and_a_clean_result() -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "scientist", "templates", "check", str(DIAL)]
    process = subprocess.Popen(command, env=environment(TERM="xterm"), stdout=theirs, stderr=theirs, stdin=theirs)
    os.close(theirs)
    seen, deadline = b"", time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        seen += chunk
    os.close(ours)
    assert process.wait() == 0
    text = seen.decode(errors="replace")
    assert "starting sandbox and evaluator" in text and "attacks on the evaluator" in text
    assert text.rindex("attacks on the evaluator") < text.index("honest run:") and "\x1b[?25h" in text  # cursor is back
