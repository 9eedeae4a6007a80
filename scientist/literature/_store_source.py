"""The lab's own library as a source among the others."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from scientist.errors import ScientistError
from scientist.literature._find import find, terms
from scientist.literature._reference import Answer, Reference, Searched
from scientist.literature._sources import Breadth
from scientist.literature._store import Store
from scientist.literature._text import clean
from scientist.literature._works import to_reference

OPEN_FROM = 10_000
"""Works from which a library counts as an index of its field: that nothing near is in it then says something."""


class StoreSource:
    """`library.sqlite`. Searched offline, by words and, where that is possible, by meaning; says which in its note.

    Safe to use from several threads: every search opens the file for itself.
    """

    name: str = "library"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.breadth: Breadth = "curated"
        with contextlib.suppress(ScientistError), Store(path) as store:
            self.breadth = "open" if len(store) >= OPEN_FROM else "curated"

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
