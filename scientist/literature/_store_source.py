"""The lab's own library as a source among the others."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path

from scientist.errors import ScientistError
from scientist.literature._find import find, terms
from scientist.literature._learnt import Learnt, learnt
from scientist.literature._recorded import RecordedSource
from scientist.literature._reference import Answer, Reference, Searched
from scientist.literature._sources import Breadth, Source
from scientist.literature._store import Store
from scientist.literature._text import clean
from scientist.literature._works import to_reference

FEWEST = 1_000
"""Works below which a library covers no field, whatever is said of it."""


class StoreSource:
    """`library.sqlite`. Searched offline, by words and, where that is possible, by meaning; says which in its note.

    Safe to use from several threads: every search opens the file for itself.
    """

    name: str = "library"

    def __init__(self, path: Path, covers: bool = False) -> None:
        """`covers`: somebody declares that the library covers its field, so that what is not in it may be new."""
        self.path = path
        self.breadth: Breadth = "curated"
        with contextlib.suppress(ScientistError), Store(path) as store:
            self.breadth = "open" if covers and len(store) >= FEWEST else "curated"

    def learnt(self) -> Learnt:
        """The vectors learnt from this library; learnt now where it has none yet. Says why not, and never raises."""
        try:
            with Store(self.path, wait_s=1.0) as store:
                return learnt(store)
        except ScientistError as error:
            return Learnt(None, clean(error.message, 160))

    def search(self, query: str, limit: int, deadline: float) -> tuple[list[Reference], Searched]:
        """See :class:`Source`. A library that cannot be read in time is out."""
        asked = " ".join(terms(query))
        until = time.monotonic() + deadline
        try:
            with Store(self.path, wait_s=min(1.0, deadline)) as store, store.limited(deadline):
                found = find(store, query, limit, seconds=max(0.0, (until - time.monotonic()) / 2))
        except TimeoutError:
            return [], Searched(source=self.name, query=asked, answer="out", note="no answer in time")
        except ScientistError as error:
            return [], Searched(source=self.name, query=asked, answer="out", note=clean(error.message, 160))
        works = [to_reference(hit.work, self.name) for hit in found.hits]
        note = "by words and meaning" if found.how == "both" else "by words alone"
        answer: Answer = "answered" if works else "empty" if asked else "skipped"
        return works, Searched(source=self.name, query=asked, answer=answer, found=len(works), note=note)


def learnt_from(sources: Sequence[Source]) -> Learnt:
    """The vectors of the lab's own library, recorded or not; none where it has no library."""
    inner = (source.source if isinstance(source, RecordedSource) else source for source in sources)
    return next((source.learnt() for source in inner if isinstance(source, StoreSource)), Learnt(None))
