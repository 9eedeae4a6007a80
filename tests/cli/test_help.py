"""The table of contents, how quickly it appears, and how a mistyped command ends."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from cli_calls import call, complaint, environment

PANELS = {
    "Work": ["run", "resume", "status", "stop", "ideas", "library"],
    "Checking": ["review", "audit", "trace", "read", "check", "verify-citations", "diagnose", "verify", "calibrate"],
    "The lab": ["init", "doctor", "templates"],
}
LIBRARY = ["search", "stats", "benchmark", "add", "import", "export", "embed"]
IDEAS = ["list", "show", "rank", "add", "propose", "import", "export", "check", "approve", "reject"]


def test_help_reads_like_a_table_of_contents() -> None:
    done = call(None, "--help")
    assert done.returncode == 0 and done.stderr == ""
    said = done.stdout
    places = [said.index(f"─ {panel} ─") for panel in PANELS]
    assert places == sorted(places)
    for (panel, commands), begin in zip(PANELS.items(), places, strict=True):
        rows = [line.split()[1] for line in said[begin:].split("╰")[0].splitlines()[1:] if line[2:3].isalpha()]
        assert rows == commands, panel
    flat = " ".join(said.split())
    for code in ("1 findings", "2 usage", "3 lab", "4 broken record", "5 study", "6 machinery", "7 LaTeX", "130"):
        assert code in flat


@pytest.mark.parametrize("words", [(), ("ideas",), ("templates",)])
def test_no_command_shows_the_help(words: tuple[str, ...]) -> None:
    done = call(None, *words)
    assert done.returncode == 2 and "Usage: scientist" in done.stdout and "error" not in done.stderr


def test_every_idea_command_is_there() -> None:
    said = call(None, "ideas", "--help").stdout
    assert [command for command in IDEAS if f"│ {command} " not in said] == []
    said = call(None, "library", "--help").stdout
    assert [command for command in LIBRARY if f"│ {command} " not in said] == []


def test_help_starts_quickly_because_nothing_heavy_is_imported() -> None:
    program = (
        "import sys\nsys.argv = ['scientist', '--help']\nfrom scientist.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'scipy', 'pydantic', 'matplotlib', 'optuna', 'sklearn'} & set(sys.modules)\n"
        "sys.stderr.write(' '.join(sorted(heavy)))\n"
    )
    took = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, check=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)  # other work does not count
        assert done.stderr == ""
    assert min(took) < 0.6


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("statsu",), "Did you mean 'status'?: see `scientist --help`"),
        (("status", "--jsn"), "--json): see `scientist status --help`"),
        (("run",), "Missing argument 'template': see `scientist run --help`"),
        (("run", "x", "--rounds", "many"), "--rounds"),
        (("ideas", "propose", "--count", "0"), "--count"),
        (("--lab",), "--lab"),
    ],
)
def test_a_mistyped_command_is_one_line(words: tuple[str, ...], said: str) -> None:
    assert said in complaint(call(None, *words), 2)


def test_a_reader_that_went_away_and_a_full_standard_output(finished: Path) -> None:
    lines = [sys.executable, "-m", "scientist", "--lab", str(finished), "ideas", "list"]
    read, write = os.pipe()
    os.close(read)
    gone = subprocess.run(lines, env=environment(), stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (gone.returncode, gone.stderr) == (141, "")
    if Path("/dev/full").exists():
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(lines, env=environment(), stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 3 and "no space left" in done.stderr and len(done.stderr.splitlines()) == 1
