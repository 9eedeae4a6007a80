"""Bounds on what a stranger's paper may cost: seconds by the clock and bytes of memory."""

from __future__ import annotations

import resource
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from scientist.errors import RecordError

SECONDS = 240
MEMORY = 4 << 30
"""Bytes that the process may add to what it has."""


@contextmanager
def bounded(name: str, seconds: float = SECONDS, memory: int = MEMORY) -> Iterator[None]:
    """What runs inside is stopped when it takes too long or too much. Raises :class:`RecordError`, one line.

    The clock needs the main thread, as signals do; elsewhere only memory is bounded. (PDF files are read by processes that
    have bounds of their own.)
    """

    def late(signum: int, frame: FrameType | None) -> None:
        raise _TooLongError

    clock = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGALRM, late) if clock else None
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = _size() + memory
    if soft == resource.RLIM_INFINITY or most < soft:
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    try:
        if clock:
            signal.setitimer(signal.ITIMER_REAL, seconds)
        yield
    except _TooLongError:
        raise RecordError(f"{name} took more than {seconds:g} s", "is that a paper?") from None
    except (MemoryError, RecursionError):
        raise RecordError(f"{name} needs more memory than a paper does", "is that a paper?") from None
    finally:
        if clock:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


class _TooLongError(BaseException):
    """The time is over. No `except Exception` on the way may swallow it."""


def _size() -> int:
    """Bytes of address space that this process has."""
    try:
        with open("/proc/self/statm", encoding="ascii") as handle:  # noqa: PTH123 - a file of the system
            return int(handle.read().split()[0]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
