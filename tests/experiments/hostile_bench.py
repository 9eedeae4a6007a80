"""What the hostile tests share: benches with small limits, the attacks on them, and victims outside."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from scientist.experiments import Bench, bubblewrap_works, choose_sandbox
from scientist.experiments._landlock import SCOPE_ABI, landlock_abi
from scientist.experiments._sandbox import landlock_works
from scientist.template import load_template

DIAL = Path(__file__).parents[1] / "templates" / "dial"
WALLED = [*(["bubblewrap"] if bubblewrap_works()[0] else []), *(["landlock"] if landlock_works()[0] else [])]
KEY = "sk-planted-in-the-environment"
SIGNALS_SCOPED = landlock_abi() >= SCOPE_ABI
SMALL = {
    "wall_s = 2": "wall_s = 6",
    "cpu_s = 2": "cpu_s = 4",
    "memory_mb = 512": "memory_mb = 256\nprocesses = 12\nopen_files = 64\ndisk_mb = 4\nlog_mb = 1",
}


@contextlib.contextmanager
def started(kind: str, place: Path) -> Iterator[Bench]:
    """A bench on a copy of the dial with small limits; whatever is done to it, an honest run works afterwards."""
    copy = shutil.copytree(DIAL, place / "dial")
    text = (copy / "template.toml").read_text()
    for old, new in SMALL.items():
        assert old in text
        text = text.replace(old, new)
    (copy / "template.toml").write_text(text)
    template = load_template(copy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", KEY)
        with Bench.local(template, choose_sandbox(kind, ["pydoc_data:."]), place / "scratch", 1) as bench:
            before = template.fingerprint()
            yield bench
            with bench.run(template.defaults, 1, ("keep",)) as outcome:
                assert (outcome.status, outcome.reason) == ("ok", "")
            assert template.fingerprint() == before


def attack(bench: Bench, code: str, **budget: Any) -> tuple[str, str]:
    """(status, reason) of a run with this code; `budget` changes limits."""
    usual = bench.template
    bench.template = usual.model_copy(update={"budget": usual.budget.model_copy(update=budget)})
    try:
        with bench.run(usual.defaults, 3, ("keep",), {"train.py": code.encode()}) as outcome:
            assert (outcome.metrics == {}) == (outcome.status != "ok")
            return outcome.status, outcome.reason
    finally:
        bench.template = usual


def told(bench: Bench, code: str) -> str:
    """What the code says with its last words."""
    status, reason = attack(bench, code)
    assert status == "failed", (status, reason)
    return reason


def refused(reason: str) -> bool:
    words = "Permission denied|Operation not permitted|No such file|Read-only|unreachable|refused"
    return re.search(words, reason) is not None


def strays(bench: Bench) -> list[int]:
    """Processes below the bench's worker that are no part of the sandbox."""
    host = bench.executor._slots[0].host.process  # type: ignore[attr-defined]
    below = psutil.Process(host.pid).children(recursive=True)
    found = [p for p in below if p.name() != "bwrap" and "_worker_host.py" not in " ".join(p.cmdline())]
    return [p.pid for p in found]


@contextlib.contextmanager
def victim() -> Iterator[subprocess.Popen[bytes]]:
    """A process outside, with a key in its environment."""
    process = subprocess.Popen(["/bin/sleep", "60"], env={"OPENAI_API_KEY": KEY})
    try:
        yield process
    finally:
        process.kill()
        process.wait()


SIGNAL_IT = "import os\nos.kill({pid}, 15)\nraise SystemExit('sent')"


SEND = """
import socket, sys
for family, kind, where in {targets!r}:
    try:
        with socket.socket(family, kind) as client:
            client.settimeout(1)
            client.connect(where)
            client.send(b'labels')
            print('reached', where, flush=True)
    except OSError:
        pass
raise SystemExit('tried')
"""


@contextlib.contextmanager
def servers(place: Path) -> Iterator[tuple[list[socket.socket], str]]:
    with contextlib.ExitStack() as stack:
        listening, targets = [], []
        for family, kind, where in (
            (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            (socket.AF_UNIX, socket.SOCK_DGRAM, f"\0hostile-{place.name}-{id(stack)}"),
            (socket.AF_UNIX, socket.SOCK_STREAM, str(place / "s")),
        ):
            server = stack.enter_context(socket.socket(family, kind))
            server.bind(where)
            if kind == socket.SOCK_STREAM:
                server.listen()
            server.settimeout(0.05)
            listening.append(server)
            targets.append((int(family), int(kind), where if family == socket.AF_UNIX else server.getsockname()))
        yield listening, SEND.format(targets=targets)


def heard(listening: list[socket.socket]) -> int:
    """How many of the servers were reached."""
    count = 0
    for server in listening:
        with contextlib.suppress(TimeoutError):
            if server.type == socket.SOCK_STREAM:
                server.accept()[0].close()
            else:
                server.recv(100)
            count += 1
    return count
