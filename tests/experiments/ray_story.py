"""What test_ray_nodes.py looks at, told once in a network of its own: a cluster of two nodes, and what happens to it.

Usage: ray_story.py FOLDER. Makes a lab per chapter there, and `story.json`. Ray's own files go to $RAY_STORY_PLACE, whose
name has to be short.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
from ray_nodes import ENVIRONMENT, HEAD, RUNNING, Node, end_with_parent, gone, loopback_up

from scientist.lab import Lab

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
from cli_calls import IDEA, SLUG, copy_dial, environment, new_lab

HANG = IDEA.replace("seeds: 5", "seeds: 5\nsettings:\n  fault: hang")
ON_CLUSTER = ("--executor", "ray", "--address", HEAD)


def slow_dial(folder: Path) -> Path:
    """The synthetic template with runs long enough to be interrupted, which print what environment they see."""
    dial = copy_dial(folder)
    train = (dial / "train.py").read_text()
    train = train.replace("time.sleep(3600)", f"__import__('subprocess').run({RUNNING.split()!r}, check=True)", 1)
    spell = "time.sleep(0.4)\nprint(sorted(__import__('os').environ.items()))\n"
    (dial / "train.py").write_text(train.replace("identity = json", spell + "identity = json", 1))
    told = (dial / "template.toml").read_text()
    (dial / "template.toml").write_text(told.replace("wall_s = 2", "wall_s = 300"))
    return dial


def prepare() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    end_with_parent()


def scientist(lab: Path, *words: str, **more: str) -> subprocess.Popen[str]:
    """A campaign in its own process group, with Ctrl-C as a terminal has it, telling its progress as JSON."""
    return subprocess.Popen(
        [sys.executable, "-m", "scientist", "--lab", str(lab), *words, "--no-pdf", "--json"],
        cwd=lab,
        env=environment(**{"OPENAI_API_KEY": "sk-secret", **more}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=prepare,
    )


def wait_for_runs(process: subprocess.Popen[str], stage: str, done: int) -> None:
    """Read progress until so many runs of a stage have ended."""
    assert process.stderr is not None
    at, said = "", ""
    for line in process.stderr:
        said = line
        told = json.loads(line) if line.startswith("{") else {}
        at = told.get("stage", at) if told.get("event") == "stage" else at
        if told.get("event") == "runs" and at == stage and told["done"] >= done:
            return
    raise AssertionError(f"the campaign ended before that, with {process.wait()}: {said}")


def end(process: subprocess.Popen[str]) -> dict[str, Any]:
    """How a campaign ended, and what it said besides its progress."""
    started = time.monotonic()
    out, err = process.communicate(timeout=300)
    said = [line for line in err.splitlines() if not line.startswith(("{", "["))]  # Ray's own warnings begin with [
    return {"code": process.returncode, "out": out, "said": said, "took": time.monotonic() - started}


def ours(nodes: list[Node]) -> list[psutil.Process]:
    return [process for node in nodes for process in node.ours()]


def wait_until_hanging(nodes: list[Node], runs: int, patience: float = 120) -> list[Node]:
    """Wait until so many runs hang on these nodes; returns the nodes where."""
    deadline = time.monotonic() + patience
    while sum(len(node.below(RUNNING)) for node in nodes) < runs:
        assert time.monotonic() < deadline, "no run has begun"
        time.sleep(0.1)
    return [node for node in nodes if node.below(RUNNING)]


class Story:
    """The chapters, in order. Every one is told of a lab of its own, or of one that an earlier chapter left."""

    def __init__(self, folder: Path, place: Path) -> None:
        self.folder, self.place = folder, place
        self.dial = slow_dial(folder / "dial")
        self.run = ("run", str(self.dial), "--ideas", "1")
        self.nodes: list[Node] = []
        self.told: dict[str, Any] = {}

    def dens(self) -> list[str]:
        return [path.name for path in (self.place / "node-tmp").glob("scientist-ray-*")]

    def on_this_machine(self) -> None:
        self.told["local"] = end(scientist(new_lab(self.folder / "local"), *self.run))

    def on_a_ray_of_its_own(self) -> None:
        place = {"TMPDIR": str(self.place / "own")}
        (self.place / "own").mkdir()
        process = scientist(new_lab(self.folder / "one"), *self.run, "--executor", "ray", **place)
        there: dict[int, psutil.Process] = {}
        wait_for_runs(process, "runs", 1)
        there |= {child.pid: child for child in psutil.Process(process.pid).children(recursive=True)}
        began = psutil.Process(process.pid).create_time()
        self.told["one"] = end(process)
        self.told["one"] |= {"took": time.time() - began, "there": len(there), "left": gone([*there.values()])}
        self.told["one"]["files"] = [path.name for path in (self.place / "own").iterdir()]

    def start_nodes(self) -> None:
        self.nodes.append(Node(self.place, "127.0.0.1", head=True, cpus=0))  # where the scientist is, and no run
        self.nodes.append(Node(self.place, "127.0.0.2", head=False, cpus=1))
        self.nodes.append(Node(self.place, "127.0.0.3", head=False, cpus=1))

    def on_two_nodes(self) -> None:
        self.told["two"] = end(scientist(new_lab(self.folder / "two"), *self.run, *ON_CLUSTER, **ENVIRONMENT))
        self.told["two"]["dens"] = self.dens()

    def interrupted(self) -> None:
        process = scientist(new_lab(self.folder / "interrupted", HANG), *self.run, *ON_CLUSTER, **ENVIRONMENT)
        wait_until_hanging(self.nodes, 2)
        there = ours(self.nodes)
        os.killpg(process.pid, signal.SIGINT)
        self.told["interrupted"] = end(process) | {"there": len(there), "left": gone(there), "dens": self.dens()}

    def killed_with_its_driver(self) -> None:
        process = scientist(new_lab(self.folder / "dead", HANG), *self.run, *ON_CLUSTER, **ENVIRONMENT)
        wait_until_hanging(self.nodes, 2)
        there = ours(self.nodes)
        process.kill()
        process.communicate()
        self.told["dead"] = {"there": len(there), "left": gone(there)}

    def stopped(self) -> None:
        lab = new_lab(self.folder / "killed")
        process = scientist(lab, *self.run, *ON_CLUSTER, **ENVIRONMENT)
        wait_for_runs(process, "runs", 1)
        asked = Lab(lab).request_stop() == process.pid  # as `scientist stop` does, and sooner on a busy machine
        there = ours(self.nodes)
        self.told["stopped"] = end(process) | {
            "asked": asked,
            "there": len(there),
            "left": gone(there),
            "dens": self.dens(),
            "done": len(list((lab / "papers" / SLUG / "runs").glob("*/*/result.json"))),
        }

    def resumed_and_a_node_killed(self) -> None:
        process = scientist(self.folder / "killed", "resume", *ON_CLUSTER, **ENVIRONMENT)
        wait_for_runs(process, "runs", self.told["stopped"]["done"] + 2)
        there = self.nodes[2].kill()
        self.told["killed"] = end(process) | {"there": len(there), "left": gone(there)}
        self.nodes.pop().stop()

    def two_nodes_lost_by_one_run(self) -> None:
        self.nodes.append(Node(self.place, "127.0.0.4", head=False, cpus=1))
        words = (*self.run, "--workers", "1", *ON_CLUSTER)
        process = scientist(new_lab(self.folder / "lost", HANG), *words, **ENVIRONMENT)
        for _ in range(2):
            (host,) = wait_until_hanging(self.nodes, 1)
            host.kill()
            self.nodes.remove(host)
            host.stop()
        self.told["lost"] = end(process)
        self.told["lost"]["runs"] = len(list((self.folder / "lost" / "papers").glob("*/pilot/*/seed-*")))

    def tell(self) -> dict[str, Any]:
        began = time.monotonic()
        try:
            for chapter in (
                self.on_this_machine,
                self.on_a_ray_of_its_own,
                self.start_nodes,
                self.on_two_nodes,
                self.interrupted,
                self.killed_with_its_driver,
                self.stopped,
                self.resumed_and_a_node_killed,
                self.two_nodes_lost_by_one_run,
            ):
                started = time.monotonic()
                chapter()
                self.told.setdefault("seconds", {})[chapter.__name__] = round(time.monotonic() - started, 1)
        finally:
            for node in reversed(self.nodes):
                node.stop()
        self.told["seconds"]["all"] = round(time.monotonic() - began, 1)
        return self.told


if __name__ == "__main__":
    loopback_up()
    folder = Path(sys.argv[1])
    told = Story(folder, Path(os.environ["RAY_STORY_PLACE"])).tell()
    (folder / "story.json").write_text(json.dumps(told, indent=1))
