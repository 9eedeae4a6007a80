"""Joining a cluster: what is wrong with an address or an installation is said in one line, soon; how many runs fit."""

from __future__ import annotations

import http.server
import importlib.util
import math
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scientist.errors import MachineryError, UsageError
from scientist.experiments import _ray_cluster
from scientist.experiments._ray_cluster import Cluster, ensure_reachable, needs, room_on
from scientist.lab import create_lab
from scientist.template import Budget, load_template

DIAL = Path(__file__).parents[1] / "templates" / "dial"
BUDGET = load_template(DIAL).budget
WITH_RAY = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")


def budget(cpus: float = 1, gpus: float = 0, memory_mb: int = 512) -> Budget:
    return BUDGET.model_copy(update={"cpus": cpus, "gpus": gpus, "memory_mb": memory_mb})


# -- room ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resources", "wanted", "room"),
    [
        ({"CPU": 4.0, "memory": 8.0 * 2**30}, budget(), 4),
        ({"CPU": 4.0, "memory": 1.5 * 2**30}, budget(), 3),  # memory is what is short
        ({"CPU": 4.0, "memory": 8.0 * 2**30}, budget(gpus=1), 0),
        ({"CPU": 8.0, "GPU": 2.0, "memory": 8.0 * 2**30}, budget(gpus=0.5), 4),
        ({"CPU": 1.0, "memory": 8.0 * 2**30}, budget(cpus=0.1), 10),  # ten tenths are one, in binary too
        ({"CPU": 0.3, "memory": 8.0 * 2**30}, budget(cpus=0.1), 3),
        ({"CPU": 3.0, "memory": 8.0 * 2**30}, budget(cpus=4), 0),
        ({"memory": 8.0 * 2**30}, budget(), 0),
        ({}, budget(), 0),
    ],
)
def test_room_on_a_node(resources: dict[str, float], wanted: Budget, room: int) -> None:
    assert room_on(resources, wanted) == room


@given(
    st.integers(0, 64),
    st.integers(0, 8),
    st.integers(0, 1 << 38),
    st.floats(0.05, 16),
    st.just(0.0) | st.floats(0.01, 4),
    st.integers(1, 1 << 17),
)
def test_that_many_fit_and_one_more_does_not(
    cpu: int, gpu: int, memory: int, cpus: float, gpus: float, memory_mb: int
) -> None:
    room = room_on({"CPU": cpu, "GPU": gpu, "memory": memory}, budget(cpus, gpus, memory_mb))
    pairs = [(cpu, cpus), (gpu, gpus), (memory, memory_mb * 2**20)]
    assert all(room * need <= there or math.isclose(room * need, there, rel_tol=1e-6) for there, need in pairs)
    assert any((room + 1) * need > there for there, need in pairs)


def test_what_a_run_needs_in_words() -> None:
    assert needs(budget()) == "1 CPUs, 512 MB of memory"
    assert needs(budget(cpus=0.5, gpus=2)) == "0.5 CPUs, 2 GPUs, 512 MB of memory"


# -- addresses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["nonsense", "host:", ":6379", "host:ray", "http://host:6379", "host:65536", "host:-1"]
)
def test_what_is_no_address_is_said(address: str) -> None:
    with pytest.raises(UsageError, match="is no address of a Ray cluster") as caught:
        ensure_reachable(address)
    assert "host:port or auto" in caught.value.remedy


def test_nobody_there_is_said_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    before = time.monotonic()
    with pytest.raises(MachineryError, match=rf"no Ray cluster answers at 127\.0\.0\.1:{port} \(Connection refused\)"):
        ensure_reachable(f"127.0.0.1:{port}")
    with pytest.raises(MachineryError, match=r"no Ray cluster answers at no-such-host\.invalid:6379"):
        ensure_reachable("no-such-host.invalid:6379")
    assert time.monotonic() - before < 10


def test_somebody_who_listens_and_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ray_cluster, "REACH_S", 0.2)
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        pytest.raises(MachineryError, match=r"no Ray cluster answers at .* \(timed out\)"),
    ):
        ensure_reachable(f"127.0.0.1:{server.getsockname()[1]}")


class Quiet(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_another_kind_of_server_is_no_cluster() -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(MachineryError, match=r"what listens at .* is no Ray cluster"):
            ensure_reachable(f"127.0.0.1:{server.server_address[1]}")
        server.shutdown()


def test_the_client_protocol_is_refused() -> None:
    with pytest.raises(UsageError, match="client protocol is not supported"):
        Cluster("ray://head:10001", 1, BUDGET)


# -- the command line ----------------------------------------------------------------------------------------------


def run(lab: Path, *words: str, before: str = "") -> str:
    """The one line with which `scientist run` refuses."""
    create_lab(lab)
    program = (
        f"{before}; from scientist.cli import main; main()" if before else "from scientist.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--lab", str(lab), "run", str(DIAL), "--no-pdf", "--quiet", *words],
        env={**os.environ, "SCIENTIST_ONLINE": "false", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = [line for line in done.stderr.splitlines() if not line.startswith("[")]
    assert done.returncode != 0 and len(lines) == 1 and "Traceback" not in done.stderr, done.stderr
    return f"{done.returncode} {lines[0]}"


def test_without_ray_one_line_says_how_to_install_it(tmp_path: Path) -> None:
    said = run(tmp_path, "--executor", "ray", before="import sys; sys.modules['ray'] = None")
    assert said == "2 error the executor 'ray' needs Ray: pip install 'scientist[ray]'"


def test_an_address_without_the_executor_is_refused(tmp_path: Path) -> None:
    assert "add --executor ray" in run(tmp_path, "--address", "127.0.0.1:6379")


@WITH_RAY
def test_a_wrong_address_is_one_line_and_soon(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    before = time.monotonic()
    said = run(tmp_path, "--executor", "ray", "--address", f"127.0.0.1:{port}")
    assert "no Ray cluster answers" in said and "docs/clusters.md" in said
    assert time.monotonic() - before < 30
