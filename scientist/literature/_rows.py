"""Works as rows of the library's tables, and back."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from scientist.errors import RecordError
from scientist.literature._embed import SIZE, Vectors
from scientist.literature._works import COLUMNS, Work

INDEXED = 20_000  # characters of an abstract that are searched
SEPARATOR = "\x1f"  # between authors; tidied text never holds it


def is_library(path: Path) -> bool:
    """Whether a file is an SQLite file at all, by its first bytes."""
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\x00"


def read_only(path: Path) -> str:
    """How to open it for reading. Where nothing may be written, nobody else writes either, and no lock can be taken."""
    left = path.with_name(f"{path.name}-wal")
    return "mode=ro" if os.access(path.parent, os.W_OK) or left.exists() else "immutable=1"


def unpacked(rows: list[tuple[object, ...]]) -> tuple[list[int], Vectors]:
    data = np.frombuffer(b"".join(row[2] for row in rows), dtype=np.int8)  # type: ignore[misc]
    scales = np.array([row[1] for row in rows], dtype=np.float32)
    whole = data.reshape(len(rows), SIZE).astype(np.float32)
    whole *= scales[:, None]
    return [int(row[0]) for row in rows], whole  # type: ignore[call-overload]


def values_of(work: Work) -> list[object]:
    values: list[object] = [getattr(work, name) for name in COLUMNS]
    for name in ("authors", "keywords"):
        values[COLUMNS.index(name)] = SEPARATOR.join(getattr(work, name))
    return values


def work_of(row: Sequence[object]) -> Work:
    values = dict(zip(COLUMNS, row, strict=True))
    for name in ("authors", "keywords"):
        values[name] = tuple(str(values[name]).split(SEPARATOR)) if values[name] else ()
    return Work(**values)  # type: ignore[arg-type]


def indexed(work: Work) -> tuple[str, str, str, str]:
    """What is searched of a work. Of a thousand authors the first twenty."""
    return work.title, work.abstract[:INDEXED], " ".join(work.keywords[:50]), " ".join(work.authors[:20])


def says_more(work: Work, known: Work) -> bool:
    """Whether a record says anything that the work it was joined to does not say; where it came from is no such thing."""
    return any(getattr(work, name) not in ("", (), None, getattr(known, name)) for name in COLUMNS if name != "source")


def told(work: Work) -> str:
    return json.dumps({k: v for k, v in asdict(work).items() if v}, ensure_ascii=False, sort_keys=True)


def untold(text: str) -> Work:
    try:
        values = json.loads(text)
        return Work(**{**values, **{name: tuple(values.get(name, ())) for name in ("authors", "keywords")}})
    except (ValueError, TypeError) as error:
        raise RecordError(f"a record of the library cannot be read: {error}", "import its file again") from error
