"""The same study here, on a Ray of its own and on two nodes; nodes, runs and drivers killed: the same facts, and nobody left.

`ray_story.py` does it once, in a network of its own; every test looks at one side of what it left.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from ray_nodes import own_network

from scientist.experiments._sandbox import CHILD_ENV

pytest.importorskip("ray", reason="Ray is not installed")
pytestmark = pytest.mark.slow

SLUG = "does-the-dial-work"
ENDED = ("local", "one", "two", "killed")
SAME = ("study.json", "analysis.json", "facts.json", "final.json")


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the story, told once for all processes of a parallel test run."""
    network = own_network()
    if not network:
        pytest.skip("no network name space of one's own here")
    shared = os.environ.get("PYTEST_XDIST_TESTRUNUID", "")
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if shared else base) / f"ray-{shared or 'here'}"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            folder.mkdir()
            place = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))  # Ray makes sockets there: a short name
            try:
                done = subprocess.run(
                    [*network, sys.executable, str(Path(__file__).with_name("ray_story.py")), str(folder)],
                    env={**os.environ, "RAY_STORY_PLACE": str(place)},
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    timeout=900,
                    check=False,
                )
            finally:
                shutil.rmtree(place, ignore_errors=True)
            (folder / "said.txt").write_text(done.stdout + done.stderr)
    yield folder


@pytest.fixture
def told(story: Path) -> dict[str, Any]:
    assert (story / "story.json").exists(), (story / "said.txt").read_text()
    answer: dict[str, Any] = json.loads((story / "story.json").read_text())
    return answer


def usages(story: Path, lab: str) -> list[dict[str, Any]]:
    found = sorted((story / lab / "papers" / SLUG).glob("*/*/seed-*/usage.json"))
    return [json.loads(path.read_text()) for path in found]


def records(story: Path, lab: str) -> dict[str, bytes]:
    """Everything that a paper keeps of its runs, but what they cost and where they were."""
    paper = story / lab / "papers" / SLUG
    kept = [path for path in paper.glob("*/*/seed-*/**/*") if path.is_file() and path.name != "usage.json"]
    return {str(path.relative_to(paper)): path.read_bytes() for path in [*kept, *(paper / name for name in SAME)]}


@pytest.mark.parametrize("lab", ENDED)
def test_every_campaign_ends_with_a_paper_that_passes_its_audit(told: dict[str, Any], lab: str) -> None:
    assert told[lab]["code"] == 0 and told[lab]["said"] == []
    assert [paper["errors"] for paper in json.loads(told[lab]["out"])["papers"]] == [0]


@pytest.mark.parametrize("lab", ENDED[1:])
def test_study_runs_statistics_and_facts_are_the_same_bytes_as_on_this_machine(
    story: Path, told: dict[str, Any], lab: str
) -> None:
    here, there = records(story, "local"), records(story, lab)
    assert len([name for name in here if name.endswith("result.json")]) == 24
    assert sorted(there) == sorted(here)
    assert [name for name in here if here[name] != there[name]] == []


def test_the_runs_were_where_they_should_be(story: Path, told: dict[str, Any]) -> None:
    assert {usage["node"] for usage in usages(story, "local")} == {""}
    assert len({usage["node"] for usage in usages(story, "one")}) == 1
    where = [usage["node"].split()[1] for usage in usages(story, "two")]
    assert set(where) == {"127.0.0.2", "127.0.0.3"} and min(map(where.count, set(where))) >= 4


def test_a_run_whose_node_was_killed_was_done_again_elsewhere_and_says_so(story: Path, told: dict[str, Any]) -> None:
    nodes = [usage["node"] for usage in usages(story, "killed")]
    again = [node for node in nodes if "was lost" in node]
    assert len(again) == 1
    assert " 127.0.0.2 " in again[0].split(",")[0] and " 127.0.0.3 " in again[0].split(",")[1]


@pytest.mark.parametrize("chapter", ["interrupted", "stopped", "dead", "killed", "one"])
def test_nobody_is_left_on_the_nodes(told: dict[str, Any], chapter: str) -> None:
    assert told[chapter]["there"] > 0
    assert told[chapter]["left"] == []


def test_nothing_is_left_on_the_disks_of_nodes_that_live(told: dict[str, Any]) -> None:
    assert told["two"]["dens"] == told["interrupted"]["dens"] == []
    assert told["stopped"]["dens"] == []  # what the killed driver left is gone too
    assert told["one"]["files"] == []


def test_ctrl_c_does_not_wait_for_runs_that_hang(told: dict[str, Any]) -> None:
    assert told["interrupted"]["code"] == 130 and len(told["interrupted"]["said"]) == 1
    assert told["interrupted"]["said"][0].startswith("error interrupted")
    assert told["interrupted"]["took"] < 60  # seconds, and the run would have hung for five minutes


def test_stop_reaches_the_cluster_and_what_was_done_is_kept(told: dict[str, Any]) -> None:
    assert told["stopped"]["asked"] and told["stopped"]["code"] == 130
    assert len(told["stopped"]["said"]) == 1 and "stopped on request" in told["stopped"]["said"][0]
    assert 1 <= told["stopped"]["done"] < 15


def test_a_run_that_loses_two_nodes_stops_the_study_and_leaves_no_result(told: dict[str, Any]) -> None:
    assert told["lost"]["code"] == 6 and told["lost"]["runs"] == 0
    assert json.loads(told["lost"]["out"])["error"]["kind"] == "MachineryError"
    assert len(told["lost"]["said"]) == 1 and "lost its node twice" in told["lost"]["said"][0]


@pytest.mark.parametrize("lab", ENDED)
def test_a_run_sees_no_key_and_no_token(story: Path, told: dict[str, Any], lab: str) -> None:
    logs = sorted((story / lab / "papers" / SLUG).glob("*/*/seed-*/log.txt"))
    assert len(logs) == 24
    for log in logs:
        seen = log.read_text()
        assert all(f"('{name}'," in seen for name in CHILD_ENV)
        assert [word for word in ("sk-secret", "5" * 64, "RAY_", "OPENAI") if word in seen] == []
