"""Where works are looked for. A source answers, or says in one line that it is out; it never raises and never stalls."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar, runtime_checkable

from scientist.literature._answers import AnswerCache
from scientist.literature._breaker import Breaker
from scientist.literature._keys import merge
from scientist.literature._library import Library, load_library
from scientist.literature._reference import Answer, Reference, Searched
from scientist.literature._tasks import Task
from scientist.literature._text import STOP, clean, words

if TYPE_CHECKING:
    from scientist.literature._web import Call, Page

Breadth = Literal["curated", "open"]
T = TypeVar("T")

LIMIT = 10  # works asked for per query
ENOUGH = 5  # works after which an open source is spared a further query
GRACE_S = 0.25  # what threads may take to hand over after the deadline
FAIR_S = 1.0  # with less time than this, a source that does not answer in time is not held to have failed


LATE = "no answer in time"


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
    """What the sources on a network have in common: a thread with a deadline, faults as answers, a breaker.

    Subclasses implement `ask`, which may raise anything.
    """

    name = ""
    breadth: Breadth = "open"

    def __init__(self, url: str, interval_s: float, contact: str = "", cache: AnswerCache | None = None) -> None:
        # httpx costs a fifth of a second to import and is needed only here.
        from scientist.literature._web import Web

        self.web = Web(url, interval_s, contact, cache)
        self._breaker = Breaker()
        self._answers: dict[tuple[str, int], tuple[list[Reference], str]] = {}

    def ask(self, terms: Sequence[str], limit: int, call: Call) -> tuple[list[Reference], Page]:
        """Ask for works that hold the terms (plain lower-case words), best first. Runs in a thread of its own.

        Raises :class:`Fault`; an empty list says that the index holds nothing of the kind.
        """
        raise NotImplementedError

    def search(self, query: str, limit: int, deadline: float) -> tuple[list[Reference], Searched]:
        """See :class:`Source`. Answers are kept, so that the same question is asked once."""
        terms = query_terms(query)
        query = " ".join(terms)
        if not terms:
            return [], Searched(source=self.name, query="", answer="skipped", note="nothing to search for")
        if (query, limit) not in self._answers:
            said = self.guarded(query, lambda call: self._ask(terms, limit, call), deadline)
            if isinstance(said, Searched):
                return [], said
            self._answers[query, limit] = said
        found, day = self._answers[query, limit]
        searched = Searched(source=self.name, query=query, answer=_answer(found), found=len(found), when=day)
        return list(found), searched

    def guarded(self, query: str, ask: Callable[[Call], T], deadline: float) -> T | Searched:
        """What `ask` returns from a thread of its own; or, where it fails or ends too late, the answer `out`.

        A source that keeps failing is not asked at all for a while.
        """
        from scientist.literature._web import Call

        if why := self._breaker.left_alone(time.monotonic()):
            return self._out(query, why)
        call = Call(deadline)
        task = Task(lambda: ask(call))
        error = task.wait(call.left())
        if error is not None:
            call.close()
            return self._failed(query, error, deadline)
        self._breaker.answered()
        return task.value

    def _ask(self, terms: Sequence[str], limit: int, call: Call) -> tuple[list[Reference], str]:
        found, page = self.ask(terms, limit, call)
        found = found[:limit]
        if found and not touches(terms, found):
            raise unrelated()
        if found:
            self.web.keep(page)  # an empty answer may be a passing fault, and costs little to get again
        return found, page.day

    def _failed(self, query: str, error: BaseException, seconds: float) -> Searched:
        note = getattr(error, "note", "") or _explain(error)
        if getattr(error, "counts", True) and (note != LATE or seconds >= FAIR_S):
            self._breaker.failed(note, time.monotonic(), getattr(error, "after", 0.0))
        return self._out(query, note)

    def _out(self, query: str, note: str) -> Searched:
        return Searched(source=self.name, query=query, answer="out", note=clean(note, 160))


def unrelated() -> Exception:
    """What is wrong with an answer to another question."""
    from scientist.literature._web import Malformed

    return Malformed("nothing in it has to do with the question")


def _explain(error: BaseException) -> str:
    """A fault in a few words that are the same every time: no addresses, no object names."""
    if isinstance(error, TimeoutError):
        return LATE
    return f"the answer could not be read ({type(error).__name__})"


def touches(terms: Sequence[str], works: Sequence[Reference]) -> bool:
    """Whether any work holds any word of the question. If none does, this is no answer to it, whatever it looks like."""
    asked = set(words(" ".join(terms)))
    return any(asked & set(words(" ".join((w.title, w.abstract, w.venue, *w.authors)))) for w in works)


def query_terms(text: str, limit: int = 6) -> list[str]:
    """At most `limit` plain words of a query, without stop words: nothing of a query language survives."""
    found = (word for word in re.findall(r"(?<![a-z0-9])[a-z][a-z0-9]+", text.lower()) if word not in STOP)
    return list(dict.fromkeys(word[:40] for word in found))[:limit]


OPEN = ("arxiv", "semanticscholar", "openalex", "crossref")
ANSWERS = "answers.sqlite"
"""The file in a lab's private folder in which answers of the open sources are kept for a while."""


def default_sources(
    online: bool,
    arxiv_url: str,
    semantic_scholar_url: str,
    libraries: Sequence[Path] = (),
    *,
    openalex_url: str = "https://api.openalex.org",
    crossref_url: str = "https://api.crossref.org",
    contact: str = "",
    cache: Path | None = None,
) -> list[Source]:
    """The library (with further `.bib` files before it), then the open sources, in the order of their answers.

    `contact` is an e-mail address that the indexes are told, `cache` the file in which their answers are kept.
    """
    library = LibrarySource(load_library(*libraries))
    if not online:
        return [library, *(SkippedSource(name, "open", "online = false in the settings") for name in OPEN)]
    # The clients cost half a second to import and are needed only here.
    from scientist.literature._indexes import CrossrefSource, OpenAlexSource
    from scientist.literature._online import ArxivSource, SemanticScholarSource

    kept = AnswerCache(cache) if cache else None
    return [
        library,
        ArxivSource(arxiv_url, contact=contact, cache=kept),
        SemanticScholarSource(semantic_scholar_url, contact=contact, cache=kept),
        OpenAlexSource(openalex_url, contact=contact, cache=kept),
        CrossrefSource(crossref_url, contact=contact, cache=kept),
    ]


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
        error = task.wait(start + deadline_s + GRACE_S - time.monotonic())
        kept = list(got)
        works.extend(reference for found, _ in kept for reference in found)
        searched.extend(record for _, record in kept)
        if error is not None and len(kept) < len(queries):
            note = LATE if isinstance(error, TimeoutError) else f"failed ({type(error).__name__})"
            query = clean(queries[len(kept)], 200)
            searched.append(Searched(source=source.name, query=query, answer="out", note=note))
    return merge(works), searched


def outages(searched: Iterable[Searched]) -> list[str]:
    """Which sources were out and why, those with the same fault in one line: 'arxiv, openalex out (HTTP status 503)'."""
    first: dict[str, str] = {}
    for one in searched:
        if one.answer == "out":
            first.setdefault(one.source, one.note)
    return [
        f"{', '.join(source for source, said in first.items() if said == note)} out ({note})"
        for note in dict.fromkeys(first.values())
    ]


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
