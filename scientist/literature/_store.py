"""The library: any number of works in one SQLite file, found by words and, where it has vectors, by meaning.

Write-ahead logging keeps readers and one writer out of each other's way and every batch whole: a process that is
killed leaves the library as its last batch left it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scientist.errors import LabError
from scientist.literature._embed import MODEL, Vectors
from scientist.literature._rows import indexed, read_only, says_more, told, unpacked, untold, values_of, work_of
from scientist.literature._works import COLUMNS, Work, hashed, joined, may_be_same, names_of

VERSION = 1
FILE = "library.sqlite"
"""Its name in a lab's folder."""
WAIT_S = 30.0  # for another writer's batch
PAGE = 16_384  # bytes; a work is one or two thousand, and four thousand would leave much of a page empty
FREQUENT = 2_000  # works that hold a word from which that number is kept
_ID = 0x5C1E17B1  # application_id: this file is a library of ours
_SCHEMA = """
CREATE TABLE works(id INTEGER PRIMARY KEY, title TEXT NOT NULL, abstract TEXT NOT NULL, authors TEXT NOT NULL,
  year INTEGER, venue TEXT NOT NULL, url TEXT NOT NULL, doi TEXT NOT NULL, arxiv TEXT NOT NULL, keywords TEXT NOT NULL,
  key TEXT NOT NULL, kind TEXT NOT NULL, ident TEXT NOT NULL, source INTEGER NOT NULL, format TEXT NOT NULL,
  body TEXT NOT NULL);
CREATE TABLE records(id INTEGER PRIMARY KEY, work INTEGER NOT NULL, source INTEGER NOT NULL, told TEXT NOT NULL);
CREATE INDEX records_of ON records(work);
CREATE TABLE names(name INTEGER PRIMARY KEY, work INTEGER NOT NULL);
CREATE TABLE sources(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE vectors(work INTEGER PRIMARY KEY, scale REAL NOT NULL, data BLOB NOT NULL);
CREATE TABLE imports(file TEXT PRIMARY KEY, name TEXT NOT NULL, state TEXT NOT NULL, done INTEGER NOT NULL);
CREATE TABLE frequent(term TEXT PRIMARY KEY, works INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE notes(name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE VIRTUAL TABLE words USING fts5(title, abstract, keywords, authors, content='', tokenize='porter unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE terms USING fts5vocab(words, row);
"""
_SELECT = ", ".join("sources.name" if name == "source" else f"works.{name}" for name in COLUMNS)
_FROM = "FROM works JOIN sources ON sources.id = works.source"


@dataclass(frozen=True)
class Added:
    """What became of one record."""

    work: int
    new: bool


class Store:
    """An open library. One per thread; any number of processes may read while one writes."""

    def __init__(self, path: Path, write: bool = False, wait_s: float = WAIT_S) -> None:
        """Open the library at `path`; with `write` it is made where it is missing. `wait_s`: for another writer.

        Raises :class:`LabError` when it is missing, damaged, locked for long, or of a version that we do not know.
        """
        self.path = path
        if not write and not path.is_file():
            raise LabError(f"{path} does not exist", "make it with `scientist library import FILE`")
        with self.faults():
            address = f"{path.resolve().as_uri()}?{'mode=rwc' if write else read_only(path)}"
            self._db = sqlite3.connect(address, uri=True, timeout=wait_s, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA cache_size = -65536")
            self._check(write)
        self._sources: dict[str, int] = {}

    def _check(self, write: bool) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        (application,) = self._db.execute("PRAGMA application_id").fetchone()
        tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if write and version == 0 and tables == 0:
            self._db.execute(f"PRAGMA page_size = {PAGE}")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            with self.transaction():
                # Two processes may make it at once: the second finds it made.
                if self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
                    for statement in _SCHEMA.split(";\n"):
                        self._db.execute(statement)
                    self._db.execute(f"PRAGMA application_id = {_ID}")
                    self._db.execute(f"PRAGMA user_version = {VERSION}")
            return
        if application != _ID or version == 0:
            raise LabError(f"{self.path} is not a library of the scientist's", "move it away, or name another file")
        if version > VERSION:
            raise LabError(f"{self.path} was made by a newer version ({version})", "update the scientist")
        if write:
            self._db.execute("PRAGMA synchronous = NORMAL")

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    @contextmanager
    def faults(self) -> Iterator[None]:
        """What SQLite says, as a failure that names the file."""
        try:
            yield
        except sqlite3.Error as error:
            said = " ".join(str(error).split())[:160]
            if "locked" in said or "busy" in said:
                raise LabError(f"{self.path} is in use by another process", "wait for it, then try again") from error
            if "interrupted" in said:
                raise TimeoutError(said) from error
            raise LabError(f"{self.path}: {said}", "check disk and file; a copy can be made with `.recover`") from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is kept, or nothing of it."""
        with self.faults():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._sources.clear()  # some may have been made inside
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    @contextmanager
    def limited(self, seconds: float) -> Iterator[None]:
        """Whatever is asked inside is interrupted after so many seconds, as :class:`TimeoutError`."""
        timer = threading.Timer(max(0.0, seconds), self._db.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()

    # --- reading ---

    def __len__(self) -> int:
        with self.faults():
            # Counting rows reads all of their table; this one has a row per work too, and is small.
            return int(self._db.execute("SELECT count(*) FROM words_docsize").fetchone()[0])

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[object, ...]]:
        """The rows of a query over the schema, for modules of this room."""
        with self.faults():
            return self._db.execute(query, values).fetchall()

    def get(self, ids: Sequence[int]) -> dict[int, Work]:
        """id -> work, in this order; ids that are gone are left out."""
        found: dict[int, Work] = {}
        with self.faults():
            for start in range(0, len(ids), 500):
                some = list(ids[start : start + 500])
                marks = ",".join("?" * len(some))
                query = f"SELECT works.id, {_SELECT} {_FROM} WHERE works.id IN ({marks})"
                found |= {row[0]: work_of(row[1:]) for row in self._db.execute(query, some)}
        return {one: found[one] for one in ids if one in found}

    def everything(self) -> Iterator[tuple[int, Work]]:
        """(id, work) of all works in the order in which they came, without holding them in memory."""
        last = 0
        query = f"SELECT works.id, {_SELECT} {_FROM} WHERE works.id > ? ORDER BY works.id LIMIT 1000"
        while rows := self.rows(query, (last,)):
            for row in rows:
                yield int(row[0]), work_of(row[1:])  # type: ignore[call-overload]
            last = int(rows[-1][0])  # type: ignore[call-overload]

    def records(self, work: int) -> list[Work]:
        """Every further record that was joined to the work, as its source told it."""
        rows = self.rows("SELECT told FROM records WHERE work = ? ORDER BY id", (work,))
        return [untold(str(row[0])) for row in rows]

    def named(self, name: str) -> int | None:
        """The work that a source calls `name`, or whose DOI or arXiv id it is."""
        for kind in ("id", "doi", "arxiv"):
            told = name if kind == "id" else name.lower()
            rows = self.rows("SELECT work FROM names WHERE name = ?", (hashed(f"{kind}:{told}"),))
            if rows:
                return int(rows[0][0])  # type: ignore[call-overload]
        return None

    # --- writing: inside a transaction ---

    def add(self, work: Work) -> Added:
        """Add a record: a new work, or joined to the work that it is a record of. Call inside a transaction."""
        names = names_of(work)
        same = self._same(work, names)
        if not same:
            return Added(self._insert(work, names), True)
        first = same[0]
        for other in same[1:]:
            self._unite(first, other)
        known = self.get([first])[first]
        more = joined(known, work)
        if more != known:
            self._update(first, known, more)
        if says_more(work, more) and not self._told_already(first, work):
            self._tell(first, work)
        self._name([*names, *names_of(more)], first)
        return Added(first, False)

    def _same(self, work: Work, names: list[int]) -> list[int]:
        """Ids of the works that the record is one of, the oldest first."""
        if not names:
            return []
        marks = ",".join("?" * len(names))
        rows = self._db.execute(f"SELECT DISTINCT work FROM names WHERE name IN ({marks}) ORDER BY work", names)
        ids = [row[0] for row in rows]
        return [one for one, other in self.get(ids).items() if may_be_same(other, work)] if ids else []

    def _insert(self, work: Work, names: list[int]) -> int:
        values = values_of(work)
        values[COLUMNS.index("source")] = self._source(work.source)
        marks = ",".join("?" * len(values))
        cursor = self._db.execute(f"INSERT INTO works({', '.join(COLUMNS)}) VALUES({marks})", values)
        number = int(cursor.lastrowid or 0)
        self._name(names, number)
        self._db.execute(
            "INSERT INTO words(rowid, title, abstract, keywords, authors) VALUES(?,?,?,?,?)", (number, *indexed(work))
        )
        return number

    def _name(self, names: Iterable[int], work: int) -> None:
        # A name that another work has already stays that work's: two works of one title, kept apart by their DOIs.
        self._db.executemany("INSERT OR IGNORE INTO names VALUES(?,?)", [(name, work) for name in names])

    def _update(self, number: int, before: Work, after: Work) -> None:
        values = dict(zip(COLUMNS, values_of(after), strict=True))
        values["source"] = self._source(after.source)
        sets = ", ".join(f"{name} = ?" for name in COLUMNS)
        self._db.execute(f"UPDATE works SET {sets} WHERE id = ?", (*values.values(), number))
        if indexed(before) != indexed(after):
            self._forget_words(number, before)
            self._db.execute(
                "INSERT INTO words(rowid, title, abstract, keywords, authors) VALUES(?,?,?,?,?)",
                (number, *indexed(after)),
            )
        if (before.title, before.abstract) != (after.title, after.abstract):
            self._forget_vector(number)

    def _forget_words(self, number: int, work: Work) -> None:
        # The index keeps no text, so it has to be told what to take out.
        query = "INSERT INTO words(words, rowid, title, abstract, keywords, authors) VALUES('delete',?,?,?,?,?)"
        self._db.execute(query, (number, *indexed(work)))

    def _unite(self, first: int, other: int) -> None:
        """Two works turn out to be one, by a record that has an identifier of each."""
        both = self.get([first, other])
        a, b = both[first], both[other]
        self._update(first, a, joined(a, b))
        self._forget_words(other, b)
        self._tell(first, b)
        self._db.execute("UPDATE records SET work = ? WHERE work = ?", (first, other))
        self._db.execute("UPDATE names SET work = ? WHERE work = ?", (first, other))
        self._forget_vector(other)
        self._db.execute("DELETE FROM works WHERE id = ?", (other,))

    def _told_already(self, number: int, work: Work) -> bool:
        query = "SELECT 1 FROM records WHERE work = ? AND told = ?"
        return self._db.execute(query, (number, told(work))).fetchone() is not None

    def _tell(self, number: int, work: Work) -> None:
        row = (number, self._source(work.source), told(work))
        self._db.execute("INSERT INTO records(work, source, told) VALUES(?,?,?)", row)

    def _source(self, name: str) -> int:
        if name not in self._sources:
            self._db.execute("INSERT OR IGNORE INTO sources(name) VALUES(?)", (name,))
            (number,) = self._db.execute("SELECT id FROM sources WHERE name = ?", (name,)).fetchone()
            self._sources[name] = number
        return self._sources[name]

    def execute(self, query: str, values: Sequence[Any] = ()) -> None:
        """A statement over the schema, for modules of this room."""
        self._db.execute(query, values)

    def tidy_up(self, pages: int = 2_000) -> bool:
        """Merge the index of words a little where it has many pieces; True while there is more to do."""
        before = self._db.total_changes
        with self.transaction():
            self._db.execute("INSERT INTO words(words, rank) VALUES('merge', ?)", (pages,))
            # SQLite's own way to tell that nothing was left: less than two changes.
            more = self._db.total_changes - before >= 2
        return more

    def count_words(self) -> None:
        """Keep how many works hold each frequent stem, if the library grew by a quarter since it was last done.

        The index only tells by going through all works that hold one: a hundredth of a second for a common word of a
        million works, and a question has dozens.
        """
        works = len(self)
        rows = self.rows("SELECT value FROM notes WHERE name = 'counted'")
        if works < FREQUENT * 10 or (rows and works < 1.25 * int(str(rows[0][0]))):
            return
        with self.transaction():
            self._db.execute("DELETE FROM frequent")
            self._db.execute("INSERT INTO frequent SELECT term, doc FROM terms WHERE doc >= ?", (FREQUENT,))
            self._db.execute("INSERT OR REPLACE INTO notes VALUES('counted', ?)", (works,))

    def holders(self, stem: str) -> int:
        """How many works hold a stem; of a frequent one as it was when they were last counted."""
        kept = self.rows("SELECT works FROM frequent WHERE term = ?", (stem,))
        rows = kept or self.rows("SELECT doc FROM terms WHERE term = ?", (stem,))
        return int(str(rows[0][0])) if rows else 0

    # --- vectors ---

    def keep_vectors(self, ids: Sequence[int], vectors: Vectors) -> None:
        """Keep unit vectors of works, one byte a number (the cosine is off by less than 0.01). Inside a transaction."""
        self._one_model()
        scales = np.maximum(np.abs(vectors).max(axis=1), 1e-9) / 127.0
        whole = np.rint(vectors / scales[:, None]).astype(np.int8)
        rows = [(one, float(scale), row.tobytes()) for one, scale, row in zip(ids, scales, whole, strict=True)]
        self._stamp(self._db.executemany("INSERT OR IGNORE INTO vectors VALUES(?,?,?)", rows).rowcount)

    def _one_model(self) -> None:
        """Vectors of two models cannot be compared: those of another one go before the first of ours is kept."""
        row = self._db.execute("SELECT value FROM notes WHERE name = 'model'").fetchone()
        if row is None or row[0] != MODEL:
            self._db.execute("DELETE FROM vectors")
            self._db.execute("DELETE FROM notes WHERE name = 'vectors'")
            self._db.execute("INSERT OR REPLACE INTO notes VALUES('model', ?)", (MODEL,))

    def _forget_vector(self, work: int) -> None:
        self._stamp(-self._db.execute("DELETE FROM vectors WHERE work = ?", (work,)).rowcount)

    def _stamp(self, change: int) -> None:
        """Count them, and change the mark by which whoever holds vectors in memory sees that they are others now."""
        if change:
            add = "INSERT INTO notes VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = value + excluded.value"
            self._db.executemany(add, [("vectors", change), ("changes", 1)])

    def vector_stamp(self) -> str:
        """Differs whenever vectors were added or taken away."""
        rows = self.rows("SELECT value FROM notes WHERE name = 'changes'")
        return f"{self.path.stat().st_ino} {rows[0][0] if rows else 0}"

    def count_vectors(self) -> int:
        """How many works have a vector of our model."""
        rows = self.rows("SELECT value FROM notes WHERE name = 'vectors'")
        return int(str(rows[0][0])) if rows and self._has_vectors() else 0

    def without_vector(self, after: int, limit: int) -> list[int]:
        """The next ids behind `after` of works that have none."""
        where = "NOT EXISTS(SELECT 1 FROM vectors WHERE work = works.id)" if self._has_vectors() else "1"
        query = f"SELECT id FROM works WHERE id > ? AND {where} ORDER BY id LIMIT ?"
        return [int(str(row[0])) for row in self.rows(query, (after, limit))]

    def _has_vectors(self) -> bool:
        return bool(self.rows("SELECT 1 FROM notes WHERE name = 'model' AND value = ?", (MODEL,)))

    def vectors(self, ids: Sequence[int] | None = None) -> Iterator[tuple[list[int], Vectors]]:
        """(ids, unit vectors) of those that have one, in chunks; of all works when no ids are given."""
        if not self._has_vectors():
            return
        if ids is not None:
            for start in range(0, len(ids), 500):
                some = list(ids[start : start + 500])
                marks = ",".join("?" * len(some))
                if rows := self.rows(f"SELECT work, scale, data FROM vectors WHERE work IN ({marks})", some):
                    yield unpacked(rows)
            return
        last = -1
        while rows := self.rows(
            "SELECT work, scale, data FROM vectors WHERE work > ? ORDER BY work LIMIT 8192", (last,)
        ):
            yield unpacked(rows)
            last = int(rows[-1][0])  # type: ignore[call-overload]
