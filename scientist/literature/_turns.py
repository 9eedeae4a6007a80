"""Whose turn it is to ask a host: one interval between two requests, for the threads of a process and for processes.

Processes of a lab share a small file. SQLite locks it, and the system ends that lock with the process that holds it, so a
process that is killed holds nobody up. Without the file, or while it cannot be used, a process keeps its own pace.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

TURNS = "turns.sqlite"
"""The file beside the kept answers."""
LOCKED_S = 0.5
"""How long the file is waited for; whoever holds it needs it for milliseconds."""
LONGEST_S = 600.0
"""No turn is taken further ahead: a row that says otherwise is damaged, and must not close a source for ever."""

_TABLE = "CREATE TABLE IF NOT EXISTS turns_1 (place TEXT PRIMARY KEY, taken REAL, turn REAL) WITHOUT ROWID"

_next: dict[str, float] = {}
_lock = threading.Lock()


class Turns:
    """Turns at any number of hosts. `clock`: seconds that all processes of a machine count alike."""

    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.path, self._clock = path, clock

    def take(self, place: str, interval_s: float, most_s: float) -> float | None:
        """Seconds until the next free turn, which then is the caller's; None, and no turn is taken, when that is
        `most_s` or more. Never raises, and takes no longer than :data:`LOCKED_S` itself.
        """
        if self.path is not None and interval_s > 0:
            try:
                return self._shared(self.path, place, interval_s, most_s)
            except (sqlite3.OperationalError, OSError):
                pass  # a folder that cannot be written, or a lock that is held for too long
            except sqlite3.DatabaseError:
                with suppress(OSError):
                    self.path.unlink()  # no database any more: begun again with the next turn
        return self._own(place, interval_s, most_s, float("-inf"))

    def _shared(self, path: Path, place: str, interval_s: float, most_s: float) -> float | None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=min(LOCKED_S, most_s), isolation_level=None)) as file:
            file.execute("PRAGMA synchronous = OFF")  # what a power cut spoils was of the time before it
            file.execute("BEGIN IMMEDIATE")  # closing without COMMIT takes it back
            file.execute(_TABLE)
            row = file.execute("SELECT taken, turn FROM turns_1 WHERE place = ?", (place,)).fetchone()
            now = self._clock()
            wait = self._own(place, interval_s, most_s, _believed(row, now))
            if wait is not None:
                file.execute("INSERT OR REPLACE INTO turns_1 VALUES (?, ?, ?)", (place, now, now + wait + interval_s))
            file.execute("COMMIT")
            return wait

    def _own(self, place: str, interval_s: float, most_s: float, others: float) -> float | None:
        """The turn after those of this process and the `others`' last one."""
        with _lock:
            now = self._clock()
            turn = max(now, others, _next.get(place, now))
            if turn - now >= min(most_s, LONGEST_S):
                return None
            _next[place] = turn + interval_s
        return turn - now


def _believed(row: tuple[object, object] | None, now: float) -> float:
    """The end of the last turn that other processes took. One taken in the future is of a clock that has begun again since,
    as that of the machine does when it starts."""
    if row is None:
        return float("-inf")
    taken, turn = row
    good = isinstance(taken, float) and isinstance(turn, float) and taken <= now and turn - taken <= 2 * LONGEST_S
    return float(turn) if good else float("-inf")  # type: ignore[arg-type]
