"""What test_ray_nodes.py looks at, told once in a network of its own: a cluster of two nodes, and what happens to it.

Usage: ray_story.py FOLDER. Makes the labs `two` and `killed` there, and `story.json`.
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
from ray_nodes import ENVIRONMENT, HEAD, Node, gone, loopback_up, wait_until_listening

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
from cli_calls import IDEA, copy_dial, environment, new_lab


def slow_dial(folder: Path) -> Path:
    """The synthetic template with runs long enough to be interrupted."""
    dial = copy_dial(folder)
    train = dial / "train.py"
    train.write_text(train.read_text().replace("identity = json", "time.sleep(0.25)\nidentity = json", 1))
    (dial / "template.toml").write_text((dial / "template.toml").read_text().replace("wall_s = 2", "wall_s = 30"))
    return dial


def campaign(lab: Path, dial: Path, *words: str) -> subprocess.Popen[str]:
    """`scientist run` on the cluster, with Ctrl-C as a terminal has it, telling its progress as JSON."""
    where = () if "--executor" in words else ("--executor", "ray", "--address", HEAD)
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "scientist",
            "--lab",
            str(lab),
            "run",
            str(dial),
            "--ideas",
            "1",
            "--no-pdf",
            "--json",
            *where,
            *words,
        ],
        cwd=lab,
        env=environment(SCIENTIST_WORKERS="0", OPENAI_API_KEY="sk-secret", **ENVIRONMENT),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
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
    out, err = process.communicate(timeout=100)
    said = [line for line in err.splitlines() if not line.startswith("{")]
    return {"code": process.returncode, "out": out, "said": said, "took": time.monotonic() - started}


def running(nodes: list[Node]) -> list[psutil.Process]:
    return [process for node in nodes for process in node.below("NodeSlot", "_worker_host")]


def tell(folder: Path) -> dict[str, Any]:
    loopback_up()
    story: dict[str, Any] = {}
    place = Path(os.environ["RAY_STORY_PLACE"])
    dial = folder / "dial"
    hang = IDEA.replace("seeds: 5", "seeds: 5\nsettings:\n  fault: hang")
    nodes = [Node(place, "127.0.0.1", head=True)]
    try:
        wait_until_listening(HEAD)
        nodes.append(Node(place, "127.0.0.2", head=False))
        time.sleep(3)

        started = time.monotonic()
        story["two"] = end(campaign(new_lab(folder / "two"), dial))
        story["two"]["took"] = time.monotonic() - started

        process = campaign(new_lab(folder / "interrupted", hang), dial)
        wait_for_runs(process, "study", 0)
        time.sleep(1)
        there = running(nodes)
        os.killpg(process.pid, signal.SIGINT)
        story["interrupted"] = end(process) | {"there": len(there), "left": gone(there)}

        process = campaign(new_lab(folder / "dead", hang), dial)
        wait_for_runs(process, "study", 0)
        time.sleep(1)
        there = running(nodes)
        process.kill()
        story["dead"] = {"there": len(there), "left": gone(there)}
        process.communicate()

        process = campaign(new_lab(folder / "killed"), dial)
        wait_for_runs(process, "runs", 3)
        there = nodes[1].kill()
        story["killed"] = end(process) | {"there": len(there), "left": gone(there)}

        nodes[1].stop()
        nodes[1] = Node(place, "127.0.0.3", head=False)
        story["dens"] = [path.name for path in (place / "node-tmp").iterdir()]
    finally:
        for node in reversed(nodes):
            node.stop()
    return story


if __name__ == "__main__":
    told = tell(Path(sys.argv[1]))
    (Path(sys.argv[1]) / "story.json").write_text(json.dumps(told, indent=1))
