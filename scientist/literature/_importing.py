"""Imports: records into the library, batch by batch, each batch and the place in the file kept together."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from scientist.errors import RecordError, UsageError
from scientist.literature._formats import Format, Row, guess, has_places, read
from scientist.literature._pdfs import read_pdfs
from scientist.literature._store import Store

BATCH = 2_000  # records of one transaction
BATCH_CHARS = 16 << 20  # or so much text
BATCH_S = 5.0  # or what was read in so many seconds: a PDF may take one, and nobody wants to lose two thousand
NAMED = 10  # problems that are told by line; the rest is counted


@dataclass(frozen=True)
class Tally:
    """What an import did so far. Every record read is counted once: new, joined or broken."""

    read: int = 0
    new: int = 0
    joined: int = 0
    broken: int = 0
    remarks: int = 0
    problems: tuple[str, ...] = ()
    remarked: tuple[str, ...] = ()
    resumed: bool = False
    done: bool = False
    already: bool = False  # this file was imported before, whole
    format: str = ""
    size: int = field(default=0, compare=False)  # bytes of the file, where `position` counts bytes of it; else 0
    position: int = field(default=0, compare=False)
    line: int = field(default=0, compare=False)


def import_file(
    store: Store,
    path: Path,
    format: Format | None = None,
    source: str = "",
    again: bool = False,
    progress: Callable[[Tally], None] = lambda _: None,
) -> Tally:
    """Import a file, or a folder of PDFs; goes on where an earlier import of the same file was stopped.

    Raises :class:`UsageError` for a file of no known format and :class:`RecordError` for one that cannot be read.
    What was imported until then is kept.
    """
    if not path.exists():
        raise RecordError(f"{path} does not exist", "check the path")
    form = format or guess(path)
    if form == "pdf" and path.is_file() and path.suffix.lower() != ".pdf":
        raise UsageError(f"{path} is no PDF by its name", "give it the ending .pdf")
    name = fingerprint(path, form, source)
    tally = _begun(store, name)
    if tally.done and not again:
        return replace(tally, already=True, format=form)
    if tally.done:
        tally = Tally()
    tally = replace(tally, resumed=tally.position > 0, format=form, size=_size(path) if has_places(path, form) else 0)
    if form == "pdf":
        rows = read_pdfs(path, tally.position, source)
    else:
        rows = read(path, form, tally.position, source, tally.line)
    for batch in _batches(rows):
        with store.transaction():
            tally = _counted(store, batch, tally)
            _keep(store, name, path.name, tally)
        progress(tally)
    tally = replace(tally, done=True)
    with store.transaction():
        _keep(store, name, path.name, tally)
    while store.tidy_up():
        progress(tally)
    store.count_words()
    return tally


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    chars, begun = 0, time.monotonic()
    for row in rows:
        batch.append(row)
        chars += len(row.work.abstract) + len(row.work.body) if row.work else 0
        if len(batch) >= BATCH or chars >= BATCH_CHARS or time.monotonic() - begun >= BATCH_S:
            yield batch
            batch, chars, begun = [], 0, time.monotonic()
    if batch:
        yield batch


def _counted(store: Store, batch: list[Row], tally: Tally) -> Tally:
    """Add the records of a batch, and count those that are none."""
    new = joined = broken = remarks = 0
    problems, remarked = list(tally.problems), list(tally.remarked)
    for row in batch:
        if row.work is not None:
            added = store.add(row.work).new
            new, joined = new + added, joined + (not added)
        if row.remark:
            remarks += 1
            remarked.append(f"line {row.line}: {row.remark}")
        elif row.work is None:
            broken += 1
            problems.append(f"line {row.line}: {row.problem}")
    return replace(
        tally,
        read=tally.read + new + joined + broken,
        new=tally.new + new,
        joined=tally.joined + joined,
        broken=tally.broken + broken,
        remarks=tally.remarks + remarks,
        problems=tuple(problems[:NAMED]),
        remarked=tuple(remarked[:NAMED]),
        position=batch[-1].position,
        line=batch[-1].line,
    )


def fingerprint(path: Path, form: str, source: str) -> str:
    """What a file is recognised by when its import goes on: its size, its beginning and its end, not its name."""
    told = hashlib.sha256(f"{form}\n{source}\n".encode())
    if path.is_dir():
        # Of a link what it is counts, not where it leads: that may be nowhere.
        told.update("\n".join(f"{f.name} {f.lstat().st_size}" for f in sorted(path.rglob("*.pdf"))).encode())
        told.update(str(path.resolve()).encode())
        return told.hexdigest()
    size = _size(path)
    with path.open("rb") as file:
        told.update(f"{size}\n".encode() + file.read(1 << 16))
        file.seek(max(0, size - (1 << 16)))
        told.update(file.read())
    return told.hexdigest()


def _size(path: Path) -> int:
    return 0 if path.is_dir() else path.stat().st_size


def _begun(store: Store, name: str) -> Tally:
    rows = store.rows("SELECT state FROM imports WHERE file = ?", (name,))
    if not rows:
        return Tally()
    told = json.loads(str(rows[0][0]))
    tuples = {key: tuple(told[key]) for key in ("problems", "remarked")}
    return Tally(**{**told, **tuples})


def _keep(store: Store, file: str, name: str, tally: Tally) -> None:
    row = (file, name, json.dumps(asdict(tally)), int(tally.done))
    store.execute("INSERT OR REPLACE INTO imports VALUES(?,?,?,?)", row)
