"""Answers of the open sources, kept for a while in one file. A cache: whatever is wrong with it, it is only slower."""

from __future__ import annotations

import sqlite3
import time
import zlib
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

MAX_AGE_S = 7 * 86_400.0
"""A work that appeared in the last week may be missing from what a check finds; nothing older than that is given."""

MAX_BYTES = 64_000_000
"""Of all answers together, compressed; the oldest go first."""

_TABLE = "CREATE TABLE IF NOT EXISTS answers_1 (key TEXT PRIMARY KEY, asked REAL, body BLOB) WITHOUT ROWID"


@dataclass(frozen=True)
class Kept:
    """An answer, and when it was given (seconds since 1970)."""

    body: bytes
    asked: float


class AnswerCache:
    """A file of answers by key. Every method can be called from any thread and process, and none raises.

    What cannot be read is not there. A file that is no database any more is deleted and begun again.
    """

    def __init__(
        self,
        path: Path,
        *,
        max_age_s: float = MAX_AGE_S,
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path, self._max_age_s, self._max_bytes, self._clock = path, max_age_s, max_bytes, clock

    def get(self, key: str) -> Kept | None:
        """The answer kept under a key, unless it is too old, from the future, or damaged."""
        if not self.path.exists():
            return None
        row = self._do(lambda file: file.execute("SELECT asked, body FROM answers_1 WHERE key = ?", (key,)).fetchone())
        now = self._clock()
        if row is None or not isinstance(row[0], float) or not 0 <= now - row[0] <= self._max_age_s:
            return None
        unpack = zlib.decompressobj()
        try:
            body = unpack.decompress(row[1], self._max_bytes)
        except (zlib.error, TypeError):
            return None
        return Kept(body, row[0]) if unpack.eof else None

    def put(self, key: str, body: bytes, asked: float) -> None:
        """Keep an answer, and drop what is too old or too much."""
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)

        def keep(file: sqlite3.Connection) -> None:
            file.execute("INSERT OR REPLACE INTO answers_1 VALUES (?, ?, ?)", (key, asked, zlib.compress(body)))
            file.execute("DELETE FROM answers_1 WHERE asked < ?", (self._clock() - self._max_age_s,))
            sizes = file.execute("SELECT key, length(body) FROM answers_1 ORDER BY asked, key").fetchall()
            total = sum(size for _, size in sizes)
            for old, size in sizes:
                if total <= self._max_bytes:
                    break
                file.execute("DELETE FROM answers_1 WHERE key = ?", (old,))
                total -= size

        self._do(keep)

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """One transaction; None when the file cannot be used."""
        try:
            with closing(sqlite3.connect(self.path, timeout=0.5)) as file:
                file.execute("PRAGMA auto_vacuum = FULL")  # acts on a new file: what is dropped leaves the disk
                file.execute("PRAGMA synchronous = OFF")  # what a power cut spoils is asked again
                file.execute(_TABLE)
                with file:
                    return work(file)
        except (sqlite3.OperationalError, OSError):
            return None  # a folder or a disk that cannot be written, or a lock that another process holds
        except sqlite3.DatabaseError:
            with suppress(OSError):
                self.path.unlink()
            return None
