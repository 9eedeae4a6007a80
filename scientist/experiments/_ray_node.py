"""What a Ray cluster's machines do for us: hold warm sandboxed workers and execute parcels, one run at a time each.

Runs on the node, as a Ray actor. It sees prepared folders and never a label: judges stay with whoever started the study.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import platform
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from scientist import __version__
from scientist.errors import ScientistError
from scientist.experiments._checkpoints import CHECKPOINT
from scientist.experiments._curves import CURVE_FILE, LARGEST
from scientist.experiments._den import Den
from scientist.experiments._ending import LOG_LIMIT
from scientist.experiments._executor import Limits, LocalExecutor, Point
from scientist.experiments._parcel import Part, pack, unpack
from scientist.experiments._sandbox import choose_sandbox

LEFT = ("log.txt", CURVE_FILE, "outputs")
"""What comes home of a run that ended."""

MEBIBYTE = 1 << 20


def identity(packages: Sequence[str]) -> dict[str, str]:
    """What must be the same on every machine for the same study to have the same results."""
    sources = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        sources.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    found = {
        "scientist": __version__,
        "the source of scientist.experiments": sources.hexdigest()[:12],
        "Python": platform.python_version(),
        "the processor": platform.machine(),
    }
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "none"
    return found


class NodeSlot:
    """One place for runs on a node: a sandbox chosen there, and a warm worker in a temporary folder there.

    Faults of this machinery are answered as `{"fault": ..., "remedy": ...}`, so that they arrive in words.
    """

    def __init__(
        self, warm: Sequence[str], hide: Sequence[str], sandbox: str, gpus: bool, packages: Sequence[str]
    ) -> None:
        self._asked = (list(warm), list(hide), sandbox, gpus, list(packages))
        self._lock = threading.Lock()
        self._closing = threading.Lock()
        self._points: list[Point] = []
        self._ticket = ""
        self._sent = (0.0, "")
        self._den: Den | None = None
        self._executor: LocalExecutor | None = None
        self._run = Path()

    def open(self) -> dict[str, Any]:
        """Start the worker; answers who and what this node is."""
        import ray  # only here: who makes no actor needs no Ray

        warm, hide, wanted, gpus, packages = self._asked
        me = {"host": socket.gethostname(), "node": ray.get_runtime_context().get_node_id()}
        try:
            sandbox = choose_sandbox(wanted, hide, gpus)
            self._den = Den()
            self._executor = LocalExecutor(warm, sandbox, self._den.path / "scratch", 1)
            self._executor.start()
        except (ScientistError, OSError) as error:
            self.close()
            return me | _fault(error)
        return {**me, "identity": identity(packages), "sandbox": sandbox.name, "gaps": list(sandbox.gaps)}

    def ping(self) -> bool:
        """Is anybody there?"""
        return True

    def execute(
        self, ticket: str, argv: Sequence[str], limits: Mapping[str, Any], parcel: bytes, output_mb: int
    ) -> dict[str, Any]:
        """Execute a parcel: {"ending": ..., "parcel": what the run left}."""
        assert self._executor is not None
        try:
            run = self._run = self._executor.folder(0)
            unpack(parcel, run)
            with self._lock:
                self._points, self._ticket, self._sent = [], ticket, (time.monotonic(), _state(run / CHECKPOINT))
            ending = self._executor.execute(0, argv, Limits(**limits), self._watch)
            left = pack(
                run,
                [
                    # One byte more than is kept, so that whoever trims it sees that it was longer.
                    Part("log.txt", LOG_LIMIT + 1, "tail"),
                    Part(CURVE_FILE, LARGEST, "head"),
                    Part("outputs", output_mb * MEBIBYTE),
                ],
            )
        except (ScientistError, OSError, ValueError) as error:
            return _fault(error)
        finally:
            with self._lock:
                self._ticket = ""
        return {"ending": asdict(ending), "parcel": left}

    def _watch(self, points: Sequence[Point]) -> None:
        with self._lock:
            self._points.extend(points)

    def peek(self, ticket: str, seen: int, checkpoint_mb: int, every_s: float) -> dict[str, Any]:
        """Of the run with that ticket: the points of its curve from number `seen` on, and its checkpoint if it is new.

        A checkpoint is sent every `every_s` seconds at most, and none where `checkpoint_mb` is 0 or too little for it.
        """
        with self._lock:
            if self._ticket != ticket:
                return {"points": [], "checkpoint": None}
            points, (sent, state) = self._points[seen:], self._sent
        answer: dict[str, Any] = {"points": points, "checkpoint": None}
        if checkpoint_mb and time.monotonic() - sent >= every_s:
            now = _state(self._run / CHECKPOINT)
            if now != state:
                answer["checkpoint"] = pack(self._run, [Part(CHECKPOINT, checkpoint_mb * MEBIBYTE)])
            with self._lock:
                if self._ticket == ticket:
                    self._sent = (time.monotonic(), now)
        return answer

    def close(self) -> None:
        """Give up the run, end the worker and remove everything from this node. May be called twice."""
        with self._closing:
            if self._executor is not None:
                self._executor.interrupt()
                deadline = time.monotonic() + 2
                while self._ticket and time.monotonic() < deadline:
                    time.sleep(0.02)
                self._executor.stop()
            if self._den is not None:
                self._den.remove()


def _state(folder: Path) -> str:
    """Changes when a file of a checkpoint does. Follows no link."""
    try:
        with os.scandir(folder) as listing:
            first = [(entry.name, entry.stat(follow_symlinks=False)) for entry in itertools.islice(listing, 1000)]
    except OSError:
        return ""
    return repr(sorted((name, found.st_mtime_ns, found.st_size) for name, found in first))


def _fault(error: Exception) -> dict[str, Any]:
    if isinstance(error, ScientistError):
        return {"fault": error.message, "remedy": error.remedy}
    return {"fault": f"{type(error).__name__}: {error}", "remedy": "see docs/clusters.md"}
