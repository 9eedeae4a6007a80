"""`journal.jsonl`: append-only, each line carries the hash of the one before.

A line is `{"n": 3, "time": "...Z", "event": "study.frozen", "data": {...}, "previous": "<sha256>", "sha256": "<sha256>"}`,
where `sha256` covers the canonical JSON of everything else in the line. Changing, removing or reordering a line
breaks the chain at that line.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scientist.errors import LabError
from scientist.lab._files import disk_error

GENESIS = "0" * 64


def _seal(entry: dict[str, Any]) -> str:
    body = {key: value for key, value in entry.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _lines(path: Path) -> list[str]:
    """Lines end at newlines only: text inside a line may hold other characters that count as line ends elsewhere."""
    return path.read_bytes().decode("utf-8", errors="replace").removesuffix("\n").split("\n")


class Journal:
    """The lab's history. The caller holds the lab's lock while appending."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._last: tuple[int, str] | None = None

    def append(self, event: str, **data: Any) -> str:
        """Add one line and flush it to disk; returns its hash. A torn last line (power cut) is set aside first."""
        number, previous = self._tail()
        entry: dict[str, Any] = {
            "n": number + 1,
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "event": event,
            "data": data,
            "previous": previous,
        }
        entry["sha256"] = _seal(entry)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as handle:
                handle.write(json.dumps(entry, sort_keys=True, ensure_ascii=False).encode() + b"\n")
                handle.flush()
                os.fsync(handle.fileno())
        except OSError as error:
            raise disk_error(error, self.path) from error
        self._last = (entry["n"], entry["sha256"])
        return str(entry["sha256"])

    def _tail(self) -> tuple[int, str]:
        if self._last is None:
            self._repair()
            self._last = (0, GENESIS)
            for entry in self.entries():
                self._last = (entry["n"], entry["sha256"])
        return self._last

    def _repair(self) -> None:
        """Cut a last line that a crash left without its newline: it was never part of the history."""
        if not self.path.exists():
            return
        raw = self.path.read_bytes()
        if raw and not raw.endswith(b"\n"):
            with self.path.open("r+b") as handle:
                handle.truncate(raw.rfind(b"\n") + 1)

    def entries(self) -> Iterator[dict[str, Any]]:
        """Every line as a dictionary, oldest first. Raises :class:`LabError` on a line that is not JSON."""
        if not self.path.exists() or not self.path.stat().st_size:
            return
        for number, line in enumerate(_lines(self.path), start=1):
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                raise LabError(f"{self.path}:{number}: not a journal line", "run `scientist verify`") from error

    def find(self, event: str, **where: Any) -> list[dict[str, Any]]:
        """The lines of one event whose data contain the given values, oldest first."""
        return [
            entry
            for entry in self.entries()
            if entry["event"] == event and all(entry["data"].get(key) == value for key, value in where.items())
        ]

    def verify(self) -> list[str]:
        """Walk the chain. Returns one line per fault, empty when it is whole."""
        faults: list[str] = []
        previous, number = GENESIS, 0
        if not self.path.exists() or not self.path.stat().st_size:
            return faults
        for line_number, line in enumerate(_lines(self.path), start=1):
            where = f"{self.path.name}:{line_number}"
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:
                faults.append(f"{where}: not JSON")
                continue
            if not isinstance(entry, dict) or "sha256" not in entry:
                faults.append(f"{where}: not a journal line")
                continue
            if entry["sha256"] != _seal(entry):
                faults.append(f"{where}: the line was changed after it was written ({entry.get('event')})")
            if entry.get("previous") != previous or entry.get("n") != number + 1:
                faults.append(f"{where}: the chain is broken before this line (lines removed, added or reordered)")
            previous, number = entry["sha256"], entry.get("n", number + 1)
        return faults
