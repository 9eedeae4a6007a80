"""What a source on the network answered, kept in a folder, so that a recorded campaign finds the same literature again."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from scientist.errors import ScientistError
from scientist.lab import Record, canonical_json, read_json, sha256, write_atomic
from scientist.literature._reference import Reference, Searched
from scientist.literature._sources import Breadth, Source


class Search(Record):
    """One question and its answer, faults included: the record of what a check knew."""

    schema_version: Literal[1] = 1
    query: str
    limit: int
    works: tuple[Reference, ...]
    searched: Searched


class RecordedSource:
    """A source whose answers are kept in `folder`; with `replay` it gives those and asks nobody.

    What a recording does not hold is answered by `out`, never by nothing found: no idea becomes novel because of it.
    """

    def __init__(self, source: Source, folder: Path, replay: bool) -> None:
        self.name: str = source.name
        self.breadth: Breadth = source.breadth
        self.source = source
        self._folder, self._replay = folder, replay

    def search(self, query: str, limit: int, deadline: float) -> tuple[list[Reference], Searched]:
        """See :class:`Source`."""
        path = self._folder / f"{sha256(canonical_json([self.name, query, limit]))[:32]}.json"
        if self._replay:
            try:
                kept = read_json(Search, path)
            except ScientistError:
                note = "the recording does not hold this search"
                return [], Searched(source=self.name, query=query, answer="out", note=note)
            return list(kept.works), kept.searched
        works, searched = self.source.search(query, limit, deadline)
        write_atomic(path, Search(query=query, limit=limit, works=tuple(works), searched=searched).canonical())
        return works, searched
