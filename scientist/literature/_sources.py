"""Where works are looked for. A source answers, or says in one line that it is out; it never raises and never stalls."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from scientist.literature._keys import merge
from scientist.literature._library import Library, load_library
from scientist.literature._reference import Answer, Reference, Searched
from scientist.literature._tasks import Task, reachable
from scientist.literature._text import STOP, clean

Breadth = Literal["curated", "open"]

LIMIT = 10  # works asked for per query
ENOUGH = 5  # works after which an open source is spared a further query
MAX_FAULTS = 2  # faults in a row after which a source is not asked again: one deadline lost is enough
GRACE_S = 0.25  # what threads may take to hand over after the deadline


@runtime_checkable
class Source(Protocol):
    """Something that can be asked for works.

    `breadth` says what an empty answer means: nothing, for a `curated` selection; that nobody may have done it, for
    an `open` index of the whole field.
    """

    name: str
    breadth: Breadth

    def search(self, query: str, limit: int, deadline: float) -> tuple[list[Reference], Searched]:
        """At most `limit` works, best first, within `deadline` seconds; a fault is the answer `out` with a note."""
        ...


class LibrarySource:
    """A library on disk."""

    name = "library"
    breadth: Breadth = "curated"

    def __init__(self, library: Library) -> None:
        self.library = library

    def search(self, query: str, limit: int, deadline: float) -> tuple[list[Reference], Searched]:
        """The library's best matches; it is always there and needs no time."""
        found = self.library.search(query, limit)
        return found, Searched(source=self.name, query=query, answer=_answer(found), found=len(found))


class SkippedSource:
    """A source that a setting keeps from being asked, so that the record says so."""

    def __init__(self, name: str, breadth: Breadth, note: str) -> None:
        self.name, self.breadth, self.note = name, breadth, note

    def search(self, query: str, limit: int, deadline: float) -> tuple[list[Reference], Searched]:
        """Nothing, and why."""
        return [], Searched(source=self.name, query=query, answer="skipped", note=self.note)


class OnlineSource:
    """What the sources on a network have in common: probe first, a thread with a deadline, faults as answers.

    Subclasses implement `ask`, which may raise anything, and `explain`, which names its own faults.
    """

    name = ""
    breadth: Breadth = "open"

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._faults = 0
        self._answers: dict[tuple[str, int], list[Reference]] = {}

    def ask(self, terms: Sequence[str], limit: int, seconds: float) -> list[Reference]:
        """Ask for works that hold the terms (plain lower-case words). Runs in a thread of its own."""
        raise NotImplementedError

    def explain(self, error: BaseException) -> str:
        """A fault in a few words that are the same every time: no addresses, no object names."""
        if isinstance(error, TimeoutError):
            return "no answer in time"
        return f"the answer could not be read ({type(error).__name__})"

    def search(self, query: str, limit: int, deadline: float) -> tuple[list[Reference], Searched]:
        """See :class:`Source`. Answers are kept, so that the same question is asked once."""
        start = time.monotonic()
        terms = query_terms(query)
        query = " ".join(terms)
        if not terms:
            return [], Searched(source=self.name, query="", answer="skipped", note="nothing to search for")
        if (query, limit) in self._answers:
            return self._answered(query, self._answers[query, limit])
        if self._faults >= MAX_FAULTS:
            return self._out(query, "failed repeatedly, not asked again")
        if not reachable(self.url, deadline):
            return self._out(query, "cannot be reached")
        left = max(0.0, deadline - (time.monotonic() - start))
        task = Task(lambda: self.ask(terms, limit, left))
        error = task.wait(left)
        if error is not None:
            self._faults += 1
            return self._out(query, self.explain(error))
        self._faults = 0
        self._answers[query, limit] = task.value[:limit]
        return self._answered(query, self._answers[query, limit])

    def _answered(self, query: str, found: list[Reference]) -> tuple[list[Reference], Searched]:
        return list(found), Searched(source=self.name, query=query, answer=_answer(found), found=len(found))

    def _out(self, query: str, note: str) -> tuple[list[Reference], Searched]:
        return [], Searched(source=self.name, query=query, answer="out", note=clean(note, 160))


def query_terms(text: str, limit: int = 6) -> list[str]:
    """At most `limit` plain words of a query, without stop words: nothing of a query language survives."""
    found = (word for word in re.findall(r"(?<![a-z0-9])[a-z][a-z0-9]+", text.lower()) if word not in STOP)
    return list(dict.fromkeys(word[:40] for word in found))[:limit]


def default_sources(
    online: bool, arxiv_url: str, semantic_scholar_url: str, libraries: Sequence[Path] = ()
) -> list[Source]:
    """The library (with further `.bib` files before it), arXiv and Semantic Scholar, in the order of their answers."""
    library = LibrarySource(load_library(*libraries))
    if not online:
        note = "online = false in the settings"
        return [library, SkippedSource("arxiv", "open", note), SkippedSource("semanticscholar", "open", note)]
    # The clients cost half a second to import and are needed only here.
    from scientist.literature._online import ArxivSource, SemanticScholarSource

    return [library, ArxivSource(arxiv_url), SemanticScholarSource(semantic_scholar_url)]


def search_all(
    sources: Sequence[Source], queries: Sequence[str], deadline_s: float
) -> tuple[list[Reference], list[Searched]]:
    """Ask all sources at once, each for the queries in turn, and wait no longer than the deadline.

    Returns one record per work (a curated source's record before an open one's, in the order of `sources`) and what
    was asked, in the order of `sources` and `queries` whichever answers first. A source that is out is not asked
    the remaining queries; an open one that found enough is spared them.
    """
    start = time.monotonic()
    answers: list[list[tuple[list[Reference], Searched]]] = [[] for _ in sources]
    tasks = [
        Task(lambda s=source, a=got: _ask_in_turn(s, queries, start + deadline_s, a))  # type: ignore[misc]
        for source, got in zip(sources, answers, strict=True)
    ]
    works: list[Reference] = []
    searched: list[Searched] = []
    for source, task, got in zip(sources, tasks, answers, strict=True):
        error = task.wait(max(0.0, start + deadline_s - time.monotonic()) + GRACE_S)
        kept = list(got)
        works.extend(reference for found, _ in kept for reference in found)
        searched.extend(record for _, record in kept)
        if error is not None and len(kept) < len(queries):
            note = "no answer in time" if isinstance(error, TimeoutError) else f"failed ({type(error).__name__})"
            query = clean(queries[len(kept)], 200)
            searched.append(Searched(source=source.name, query=query, answer="out", note=note))
    return merge(works), searched


def _ask_in_turn(
    source: Source, queries: Sequence[str], until: float, answers: list[tuple[list[Reference], Searched]]
) -> None:
    for query in queries:
        if answers and answers[-1][1].answer in ("out", "skipped"):
            return
        if source.breadth == "open" and any(record.found >= ENOUGH for _, record in answers):
            return
        answers.append(source.search(query, LIMIT, max(0.05, until - time.monotonic())))


def _answer(found: Sequence[Reference]) -> Answer:
    return "answered" if found else "empty"
