"""A child process that answers one JSON line per request: how workers and judges are spoken to."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import select
import subprocess
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scientist.errors import MachineryError

HOSTS = Path(__file__).parent
"""Where the programs of workers and judges lie."""

START_S = 120.0
TICK_S = 0.2


@functools.cache
def _nursery(process: int) -> ThreadPoolExecutor:
    """One thread that lives as long as this process: what dies with its parent dies with the *thread* that started it."""
    return ThreadPoolExecutor(1, f"nursery-{process}")


@dataclass
class Host:
    """A child process that speaks one JSON line per request."""

    command: list[str]
    label: str
    env: Mapping[str, str] = field(default_factory=dict)
    remedy: str = "see `scientist doctor`"
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        begun = _nursery(os.getpid()).submit(self._start)
        try:
            begun.result()
        except BaseException:  # Ctrl-C for instance: know the process before anybody stops it
            begun.exception()
            raise

    def _start(self) -> None:
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(self.env),
            start_new_session=True,
            bufsize=0,
        )

    def wait_ready(self) -> None:
        if self._read(START_S) is None:
            raise MachineryError(f"the {self.label} did not start: {self._last_words()}", self.remedy)

    def ask(
        self, request: Mapping[str, Any], timeout: float, tick: Callable[[], None] | None = None
    ) -> dict[str, Any] | None:
        """The answer, or None when the process died or stayed silent. `tick` is called a few times a second meanwhile."""
        if self.process is None or self.process.stdin is None:
            return None
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
        except (BrokenPipeError, OSError):
            return None
        return self._read(timeout, tick)

    def _read(self, timeout: float, tick: Callable[[], None] | None = None) -> dict[str, Any] | None:
        assert self.process is not None and self.process.stdout is not None
        line, deadline = b"", time.monotonic() + timeout
        while not line.endswith(b"\n"):
            left = max(0.0, deadline - time.monotonic())
            ready, _, _ = select.select([self.process.stdout], [], [], min(left, TICK_S) if tick else left)
            if tick is not None:
                tick()
                if not ready and time.monotonic() < deadline:
                    continue
            chunk = self.process.stdout.read(65536) if ready else b""
            if not chunk:
                return None
            line += chunk
        try:
            answer = json.loads(line)
        except json.JSONDecodeError:
            return None
        return answer if isinstance(answer, dict) else None

    def _last_words(self) -> str:
        if self.process is None or self.process.stderr is None:
            return "no reason given"
        with contextlib.suppress(OSError):
            self.process.kill()
        words = self.process.stderr.read().decode(errors="replace").strip().splitlines()
        place = next((w for line in reversed(words) if (w := line.strip()).startswith("File ")), "").rpartition(", in ")
        where = f" ({place[0] or place[2]})" if any(place) and "<frozen" not in "".join(place) else ""
        return words[-1][:200] + where if words else "no reason given"

    def interrupt(self) -> None:
        """End the process from another thread than the one that waits for its answer."""
        if self.process is not None:
            with contextlib.suppress(OSError):
                self.process.terminate()

    def stop(self) -> None:
        if self.process is None:
            return
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        with contextlib.suppress(OSError):
            self.process.terminate()
        try:
            self.process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=5)
        self.process = None
