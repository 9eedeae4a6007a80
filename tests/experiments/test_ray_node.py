"""What a node does with a parcel, without a cluster: execute it, show how far it is, give it up, leave nothing."""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
import types
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from scientist.experiments._den import Den
from scientist.experiments._executor import Limits
from scientist.experiments._parcel import Part, pack, pack_all, unpack
from scientist.experiments._ray_node import LEFT, NodeSlot, identity
from scientist.template import load_template

LIMITS = asdict(Limits.of(load_template(Path(__file__).parents[1] / "templates" / "dial").budget)) | {
    "wall_s": 60.0,
    "cpu_s": 60.0,
}
STEPS = """
import json, os, pathlib, sys, time
began = json.loads(pathlib.Path("checkpoint/state").read_text()) if os.path.exists("checkpoint/state") else 0
print("began at", began)
for step in range(began, int(sys.argv[1])):
    with open("metrics.jsonl", "a") as curve:
        curve.write(json.dumps({"step": step, "loss": 1.0}) + "\\n")
    pathlib.Path("checkpoint/new").write_text(json.dumps(step + 1))
    os.replace("checkpoint/new", "checkpoint/state")
    time.sleep(0.02)
pathlib.Path("outputs/value.json").write_text("1")
"""


@pytest.fixture
def slot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[NodeSlot]:
    """A slot that has been opened, on a node that says who it is."""
    context = types.SimpleNamespace(get_node_id=lambda: "ab" * 14)
    monkeypatch.setitem(sys.modules, "ray", types.SimpleNamespace(get_runtime_context=lambda: context))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = NodeSlot([], [], "auto", False, ["numpy"])
    said = made.open()
    assert said["node"] == "ab" * 14 and said["identity"] == identity(["numpy"]) and said["sandbox"]
    yield made
    made.close()
    assert list(tmp_path.glob("scientist-ray-*")) == []


def parcel(tmp_path: Path, began: int | None = None) -> bytes:
    run = tmp_path / "sent"
    for name in ("inputs", "outputs", "checkpoint"):
        (run / name).mkdir(parents=True)
    (run / "train.py").write_text(STEPS)
    if began is not None:
        (run / "checkpoint" / "state").write_text(str(began))
    return pack_all(run)


def test_a_parcel_is_executed_and_only_what_it_left_comes_back(slot: NodeSlot, tmp_path: Path) -> None:
    answer = slot.execute("1", ["python", "train.py", "3"], LIMITS, parcel(tmp_path), 1)
    assert (answer["ending"]["kind"], answer["ending"]["code"]) == ("exit", 0)
    home = tmp_path / "home"
    home.mkdir()
    unpack(answer["parcel"], home, LEFT)
    assert sorted(path.name for path in home.iterdir()) == ["log.txt", "metrics.jsonl", "outputs"]
    assert (home / "log.txt").read_text() == "began at 0\n"
    assert len((home / "metrics.jsonl").read_text().splitlines()) == 3
    assert slot.peek("1", 0, 1, 0.0) == {"points": [], "checkpoint": None}  # it has ended


def test_how_far_a_run_is_can_be_seen_and_its_checkpoint_continues_elsewhere(slot: NodeSlot, tmp_path: Path) -> None:
    answers: list[dict[str, Any]] = []
    work = threading.Thread(
        target=lambda: answers.append(slot.execute("7", ["python", "train.py", "100000"], LIMITS, parcel(tmp_path), 1))
    )
    work.start()
    deadline, points, brought = time.monotonic() + 30, [], b""
    while time.monotonic() < deadline and not (len(points) >= 5 and brought):
        assert slot.peek("another run", 0, 1, 0.0) == {"points": [], "checkpoint": None}
        seen = slot.peek("7", len(points), 1, 0.0)
        points += seen["points"]
        brought = seen["checkpoint"] or brought
        time.sleep(0.05)
    assert [int(point["step"]) for point in points] == list(range(len(points)))
    slot.close()
    work.join(timeout=30)
    assert not work.is_alive() and "given up" in answers[0]["fault"]
    home = tmp_path / "home"
    home.mkdir()
    unpack(brought, home, ("checkpoint",))
    assert json.loads((home / "checkpoint" / "state").read_text()) >= 1


def test_a_checkpoint_that_was_sent_along_is_found(slot: NodeSlot, tmp_path: Path) -> None:
    answer = slot.execute("1", ["python", "train.py", "5"], LIMITS, parcel(tmp_path, began=4), 1)
    assert b"began at 4\n" in answer["parcel"]


def test_a_damaged_parcel_and_an_impossible_sandbox_are_faults_in_words(
    slot: NodeSlot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answer = slot.execute("1", ["python", "train.py"], LIMITS, b"noise", 1)
    assert "no list of its contents" in answer["fault"] and answer["remedy"]
    monkeypatch.setenv("PATH", str(tmp_path))
    refused = NodeSlot([], [], "bubblewrap", False, []).open()
    assert "fault" in refused and refused["remedy"] and "identity" not in refused


def test_a_den_of_a_dead_owner_is_removed_and_one_of_the_living_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    living = Den()
    dead = tmp_path / "scientist-ray-dead"
    (dead / "scratch").mkdir(parents=True)
    (dead / "lock").touch()
    being_made = tmp_path / "scientist-ray-new"
    being_made.mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "lock").touch()
    (tmp_path / "scientist-ray-link").symlink_to(elsewhere)
    second = Den()
    assert living.path.exists() and being_made.exists() and (elsewhere / "lock").exists() and not dead.exists()
    for den in (living, second, second):
        den.remove()
    assert not living.path.exists() and not second.path.exists()


def test_a_run_that_left_nothing_is_an_empty_parcel(tmp_path: Path) -> None:
    unpack(pack(tmp_path / "gone", [Part("outputs", 1)]), tmp_path)
    assert list(tmp_path.iterdir()) == []
