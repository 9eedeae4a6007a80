"""The folder: atomic files, the hash chain, settings and the lock."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scientist.errors import LabError, RecordError
from scientist.lab import Journal, Lab, create_lab, inside, load_settings, write_atomic
from scientist.lab._files import disk_error


def test_atomic_write_replaces_whole_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.json"
    write_atomic(path, "old")
    write_atomic(path, "new")
    assert path.read_text() == "new"
    assert [p.name for p in path.parent.iterdir()] == ["file.json"]


def test_a_writer_killed_again_and_again_never_leaves_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    program = (
        "import sys\nfrom pathlib import Path\nfrom scientist.lab import write_atomic\n"
        "n = 0\nwhile True:\n    n += 1\n    write_atomic(Path(sys.argv[1]), chr(97 + n % 26) * 200_000)\n"
    )
    for delay in (0.5, 0.51, 0.52, 0.53):
        writer = subprocess.Popen([sys.executable, "-c", program, str(path)])
        time.sleep(delay)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        if path.exists():
            text = path.read_text()
            assert len(text) == 200_000 and len(set(text)) == 1


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path: Path) -> None:
    """A limit on file size makes the kernel refuse the write half-way, as a full disk does."""
    path = tmp_path / "x"
    path.write_text("old")
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(LabError, match="cannot write"):
            write_atomic(path, "y" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, previous)
    assert [p.name for p in tmp_path.iterdir()] == ["x"]
    assert path.read_text() == "old"
    no_space = disk_error(OSError(errno.ENOSPC, "No space left on device"), path)
    assert "no space left" in str(no_space) and "resume" in str(no_space)


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "link/x"])
def test_paths_stay_inside(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    with pytest.raises(LabError, match="outside"):
        inside(root, path)


def test_journal_chain_is_whole_and_survives_a_torn_line(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    for number in range(3):
        journal.append("thing", number=number)
    with journal.path.open("ab") as handle:
        handle.write(b'{"n": 4, "half')
    again = Journal(journal.path)
    again.append("thing", number=3)
    assert again.verify() == []
    assert [entry["data"]["number"] for entry in again.entries()] == [0, 1, 2, 3]


@pytest.mark.parametrize("fraud", ["change", "remove", "swap", "insert"])
def test_every_kind_of_tampering_breaks_the_chain(tmp_path: Path, fraud: str) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    for number in range(5):
        journal.append("thing", number=number)
    lines = journal.path.read_text().splitlines()
    if fraud == "change":
        lines[2] = lines[2].replace('"number": 2', '"number": 7')
    elif fraud == "remove":
        del lines[2]
    elif fraud == "swap":
        lines[1], lines[2] = lines[2], lines[1]
    else:
        lines.insert(3, lines[2])
    journal.path.write_text("\n".join(lines) + "\n")
    assert Journal(journal.path).verify()


@given(st.lists(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=20), max_size=3), max_size=5))
def test_any_data_can_be_journaled(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, object]]) -> None:
    journal = Journal(tmp_path_factory.mktemp("journal") / "journal.jsonl")
    for row in rows:
        journal.append("thing", row=row)
    assert journal.verify() == []
    assert [entry["data"]["row"] for entry in Journal(journal.path).entries()] == rows


def test_settings_flag_beats_environment_beats_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "scientist.toml"
    path.write_text("seeds = 7\nideas = 3\nrounds = 4\n")
    monkeypatch.setenv("SCIENTIST_IDEAS", "5")
    monkeypatch.setenv("SCIENTIST_ROUNDS", "6")
    settings = load_settings(path, {"rounds": 8, "seed": None})
    assert (settings.seeds, settings.ideas, settings.rounds, settings.seed) == (7, 5, 8, 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sedes = 3\n", r"scientist\.toml:1: sedes: unknown key \(did you mean 'seeds'\?\)"),
        ("ideas = 2\nseeds = 'many'\n", r"scientist\.toml:2: seeds"),
        ("seeds = 0\n", r"scientist\.toml:1: seeds"),
        ("seeds = \n", "not valid TOML"),
    ],
)
def test_a_broken_settings_file_is_named_with_line_and_key(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "scientist.toml"
    path.write_text(text)
    with pytest.raises(RecordError, match=said):
        load_settings(path)


def test_one_writer_per_lab_and_no_stale_lock(tmp_path: Path) -> None:
    lab = create_lab(tmp_path / "lab")
    with lab.lock(), pytest.raises(LabError, match="another scientist"), Lab(lab.root).lock():
        pass
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom scientist.lab import Lab\n"
        "with Lab(Path(sys.argv[1])).lock():\n    print('in', flush=True)\n    time.sleep(60)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", program, str(lab.root)], stdout=subprocess.PIPE)
    assert holder.stdout is not None and holder.stdout.readline() == b"in\n"
    with pytest.raises(LabError, match=f"process {holder.pid}"), lab.lock():
        pass
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    with lab.lock():
        assert lab.holder() == os.getpid()


def test_a_lab_is_made_once(tmp_path: Path) -> None:
    create_lab(tmp_path / "lab")
    with pytest.raises(LabError, match="already is a lab"):
        create_lab(tmp_path / "lab")
    with pytest.raises(LabError, match="is not a lab"):
        Lab(tmp_path)
