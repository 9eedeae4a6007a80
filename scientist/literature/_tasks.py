"""Work that must not hold anybody up: a thread with a deadline, and a quick look whether a host is there at all."""

from __future__ import annotations

import socket
import threading
import time
import urllib.request
from collections.abc import Callable
from types import TracebackType
from typing import Generic, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

PROBE_S = 1.0  # a host that takes longer to accept a connection would not answer in time either


class Task(Generic[T]):
    """A function running in a daemon thread. Whatever it raises is kept and handed over by :meth:`wait`."""

    value: T

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with self:
            self.value = self._function()

    def __enter__(self) -> Task[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._error = error
        return True  # an exception crosses to the waiting thread instead of being printed in this one

    def wait(self, seconds: float) -> BaseException | None:
        """None when `value` is there, else what the function raised, or TimeoutError while it is still running."""
        self._thread.join(max(0.0, seconds))
        return TimeoutError() if self._thread.is_alive() else self._error


GONE_S = 60.0  # how long a host that was not there is not looked for again

_probes: dict[tuple[str, int], tuple[bool, float]] = {}
_lock = threading.Lock()


def reachable(url: str, seconds: float) -> bool:
    """Whether the host of an address accepts a TCP connection; one that does not is asked again after a minute.

    The look-up of the name happens in the same thread, because a dead name server can hang for much longer. Behind
    a proxy nothing can be said, so the answer is yes.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not host or parts.scheme not in ("http", "https"):
        return False
    if parts.scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(host):
        return True
    key = (host, parts.port or (443 if parts.scheme == "https" else 80))
    with _lock:
        known, asked = _probes.get(key, (False, float("-inf")))
    if not known and time.monotonic() - asked >= GONE_S:
        # Outside the lock: two hosts are looked for at the same time.
        known = Task(lambda: _connect(key)).wait(min(PROBE_S, seconds)) is None
        with _lock:
            _probes[key] = known, time.monotonic()
    return known


def _connect(address: tuple[str, int]) -> None:
    socket.create_connection(address, timeout=PROBE_S).close()
