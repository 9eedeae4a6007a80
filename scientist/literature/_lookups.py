"""Asking whether one given work exists: by DOI, by arXiv id, by title.

A :class:`~scientist.literature.Source` answers what is like a question; here it is asked for one work, and what it says
is kept record by record, not merged. The open indexes are asked by identifier in the way that each of them has; any
other source is searched for the title.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable
from urllib.parse import quote

from scientist.literature._breaker import Breaker
from scientist.literature._library import Library, packaged_library
from scientist.literature._reference import Reference, Searched
from scientist.literature._retractions import retraction_of
from scientist.literature._sources import (
    GRACE_S,
    Breadth,
    LibrarySource,
    OnlineSource,
    Source,
    query_terms,
    touches,
    unrelated,
)
from scientist.literature._tasks import Task
from scientist.literature._titles import NOTICE, compare_titles, meant, read_title, spelling_is_certain

if TYPE_CHECKING:
    from scientist.literature._web import Call, Page

By = Literal["doi", "arxiv", "title"]
LIMIT = 8
"""Works that a search for a title may return: the first is meant, or one of the next."""
COMPARED = 2000  # records with which a title is compared letter by letter; of more, only equal titles are found
TERMS = 5  # of a title that arXiv is asked for
_RETRACTING = frozenset({"retraction", "withdrawal", "removal", "retracted", "partial_retraction"})
_FOREIGN = re.compile(r"[^\w\s-]+")


@dataclass(frozen=True)
class Held:
    """A work as one source has it. `retracted`: how it says so, or empty. `vouches`: it may verify an entry."""

    work: Reference
    retracted: str = ""
    vouches: bool = True


@dataclass(frozen=True)
class Told:
    """What a source said to one question; `asked.answer` says whether it said anything at all."""

    by: By
    held: tuple[Held, ...]
    asked: Searched
    breadth: Breadth

    @property
    def answered(self) -> bool:
        """Whether this was an answer, be it that there is no such work."""
        return self.asked.answer in ("answered", "empty")


@runtime_checkable
class LookUp(Protocol):
    """A source that can be asked for one work. `by` are the questions that it understands; `always`: it knows of
    retractions, and so is asked even where others have said enough."""

    name: str
    breadth: Breadth
    by: tuple[By, ...]
    always: bool

    def look_up(self, by: By, value: str, seconds: float) -> Told:
        """The works with that identifier or title; a fault is the answer `out`. It never raises and never stalls."""
        ...


def look_ups(sources: Iterable[Source | LookUp]) -> list[LookUp]:
    """Every source as one that can be asked for a work; those that say most of published works come first."""
    made = [source if isinstance(source, LookUp) else _adapted(source) for source in sources]
    order = ("library", "crossref", "openalex", "semanticscholar", "arxiv")
    return sorted(made, key=lambda one: order.index(one.name) if one.name in order else 1)


def _adapted(source: Source) -> LookUp:
    if isinstance(source, LibrarySource):
        return ShelfLookUp(source.library)
    if isinstance(source, OnlineSource) and source.name in _INDEXES:
        return IndexLookUp(source, *_INDEXES[source.name])
    return SearchLookUp(source)


class SearchLookUp:
    """Any source that can only be searched: for the title, and what it finds is compared."""

    by: tuple[By, ...] = ("title",)

    def __init__(self, source: Source) -> None:
        # A lab's own library, however large, holds what somebody put into it.
        self.breadth: Breadth = "curated" if source.name == "library" else source.breadth
        self.name, self._source = source.name, source
        self.always = self.breadth == "curated"
        self._breaker = Breaker()

    def look_up(self, by: By, value: str, seconds: float) -> Told:
        """See :class:`LookUp`."""
        note = self._breaker.left_alone(time.monotonic())
        if not note:
            task = Task(lambda: self._source.search(value, LIMIT, seconds))
            error = task.wait(seconds + GRACE_S)
            if error is None:
                self._breaker.answered()
            else:
                note = "no answer in time" if isinstance(error, TimeoutError) else f"failed ({type(error).__name__})"
                self._breaker.failed(note, time.monotonic())
        if note:
            return Told(by, (), Searched(source=self.name, query=value[:200], answer="out", note=note), self.breadth)
        works, asked = task.value
        # What a person put into a library is no proof that it exists; what an index once said of it is.
        held = (Held(work, retraction_of(work), _vouches(work, self.breadth)) for work in works)
        return Told(by, tuple(held), asked, self.breadth)


def _vouches(work: Reference, breadth: Breadth) -> bool:
    return breadth == "open" or work.source in _INDEXES or any(name in _INDEXES for name in work.also)


class ShelfLookUp:
    """Records at hand, compared one by one. Those of the packaged library vouch, for somebody followed their identifiers;
    what a lab or a paper keeps of its own does not."""

    breadth: Breadth = "curated"
    by: tuple[By, ...] = ("doi", "arxiv", "title")
    always = True

    def __init__(self, works: Library | Sequence[Reference], name: str = "library") -> None:
        self.name = name
        self._works = tuple(works.references) if isinstance(works, Library) else tuple(works)
        self._keys: dict[str, list[Reference]] = {}
        for work in self._works:
            title = read_title(work.title)
            for key in {title.key, *title.parts}:
                self._keys.setdefault(key, []).append(work)

    def look_up(self, by: By, value: str, seconds: float) -> Told:
        """See :class:`LookUp`."""
        if by != "title":
            found = [work for work in self._works if getattr(work, by).lower() == value.lower() != ""]
        elif len(self._works) <= COMPARED:
            found = [work for work in self._works if meant(work.title, value)]
        else:
            title = read_title(value)
            found = [work for key in (title.key, *sorted(title.parts)) for work in self._keys.get(key, ())]
        packaged = packaged_library()
        held = tuple(
            Held(work, retraction_of(work), _vouches(work, "curated") or packaged.get(work.key) == work)
            for work in dict.fromkeys(found)
        )
        asked = Searched(source=self.name, query=value[:200], answer="answered" if held else "empty", found=len(held))
        return Told(by, held, asked, self.breadth)


Ask = Callable[[OnlineSource, By, str, "Call"], tuple[list[Held], "Page | None"]]


class IndexLookUp:
    """One of the open indexes, asked over the same bounded way as its searches, and left alone by the same breaker."""

    breadth: Breadth = "open"

    def __init__(self, source: OnlineSource, ask: Ask, by: tuple[By, ...], always: bool) -> None:
        self.name, self.by, self.always = source.name, by, always
        self._source, self._ask = source, ask

    def look_up(self, by: By, value: str, seconds: float) -> Told:
        """See :class:`LookUp`."""
        from scientist.literature._web import Fault, Malformed

        source = self._source

        def ask(call: Call) -> tuple[list[Held], Page | None]:
            try:
                return self._ask(source, by, value, call)
            except Malformed as error:
                if by == "title":
                    raise
                # A server that has only the search: what it makes of an identifier is no reason to leave it alone.
                raise Fault(error.note, counts=False) from error

        said = source.guarded(value[:200], ask, seconds)
        if isinstance(said, Searched):
            return self._told(by, [], said)
        held, page = said
        if held and page:
            source.web.keep(page)
        answer: Literal["answered", "empty"] = "answered" if held else "empty"
        asked = Searched(
            source=self.name, query=value[:200], answer=answer, found=len(held), when=page.day if page else ""
        )
        return self._told(by, held, asked)

    def _told(self, by: By, held: Sequence[Held], asked: Searched) -> Told:
        return Told(by, tuple(held), asked, self.breadth)


def words_of(title: str) -> str:
    """A title as a plain query: nothing of a query language survives."""
    return " ".join(_FOREIGN.sub(" ", title).split())[:300]


# --- the indexes ---


def _ask_crossref(source: OnlineSource, by: By, value: str, call: Call) -> tuple[list[Held], Page | None]:
    """Crossref's list of works, filtered by DOI or searched; with the updates (retractions too) of each work."""
    from scientist.literature import _indexes

    asked = (
        {"filter": f"doi:{value}", "rows": "2"}
        if by == "doi"
        else {"query.bibliographic": words_of(value), "rows": str(LIMIT)}
    )
    page = source.web.get(f"{source.web.url}/works", asked | _indexes.mailto(source.web), call, _indexes.check_crossref)
    works = _indexes.check_crossref(page.body)
    # A notice of retraction says what it retracts; the work itself may not know yet.
    notices = {doi.lower() for work in works for doi in _retracts(work)}
    found = []
    for work in works:
        record = _indexes.from_crossref(work)
        if record is not None and not any(_retracts(work)):
            says = _crossref_says(work) or ("a notice of retraction names it" if record.doi.lower() in notices else "")
            found.append(Held(record, says or retraction_of(record)))
    return _right(found, by, value), page


def _crossref_says(work: Mapping[str, Any]) -> str:
    for name in ("updated-by", "update-to"):
        for update in _dicts(work.get(name)):
            kind = str(update.get("type", "")).lower().replace("-", "_")
            if name == "updated-by" and kind in _RETRACTING:
                return f"{kind} {str(update.get('DOI', ''))[:100]}".strip()
    relation = work.get("relation")
    for name, others in relation.items() if isinstance(relation, dict) else ():
        if "retract" in str(name).lower() and str(name).lower().startswith("is-"):
            return f"{name} {next((str(o.get('id', ''))[:100] for o in _dicts(others)), '')}".strip()
    return ""


def _retracts(work: Mapping[str, Any]) -> list[str]:
    """The DOIs that this is a notice of retraction for; a work that is its own notice is none."""
    updates = _dicts(work.get("update-to"))
    found = [str(u.get("DOI", "")) for u in updates if str(u.get("type", "")).lower().replace("-", "_") in _RETRACTING]
    return [doi for doi in found if doi and doi.lower() != str(work.get("DOI", "")).lower()]


def _ask_openalex(source: OnlineSource, by: By, value: str, call: Call) -> tuple[list[Held], Page | None]:
    """OpenAlex's list of works, filtered by DOI or searched by title; it says `is_retracted`."""
    from scientist.literature import _indexes

    web = source.web
    asked = {"select": _indexes.OPENALEX_FIELDS, "per_page": str(LIMIT)} | _indexes.mailto(web)
    if by == "title":
        asked["search"] = words_of(value)
    else:
        asked["filter"] = f"doi:{value if by == 'doi' else f'10.48550/arxiv.{value}'}"
    page = web.get(f"{web.url}/works", asked, call, _indexes.check_openalex, _indexes.openalex_headers(web))
    found = []
    for work in _indexes.check_openalex(page.body):
        record = _indexes.from_openalex(work)
        if record is not None:
            found.append(Held(record, retraction_of(record)))
    return _right(found, by, value), page


def _ask_s2(source: OnlineSource, by: By, value: str, call: Call) -> tuple[list[Held], Page | None]:
    """Semantic Scholar's record of an identifier, or its search."""
    from scientist.literature import _online
    from scientist.literature._web import Fault, Malformed, read_json

    web = source.web
    key = _online.s2_key(web)
    headers = {"x-api-key": key} if key else {}
    fields = ",".join(_online.S2_FIELDS)
    if by == "title":
        asked = {"query": words_of(value), "fields": fields, "limit": str(LIMIT)}
        page = web.get(f"{web.url}/graph/v1/paper/search", asked, call, _online.check_s2, headers)
        works = [_online.from_s2(work) for work in _online.check_s2(page.body)["data"]]
        return _right([Held(work, retraction_of(work)) for work in works if work], by, value), page

    def check(body: bytes) -> None:
        if not read_json(body).get("title"):
            raise Malformed("no work in it")

    name = f"{'DOI' if by == 'doi' else 'ARXIV'}:{quote(value, safe='/')}"
    try:
        page = web.get(f"{web.url}/graph/v1/paper/{name}", {"fields": fields}, call, check, headers)
    except Fault as fault:
        if fault.note != "HTTP status 404":
            raise
        return [], None  # how it says that it has no such work
    found = _online.from_s2(read_json(page.body))
    return _right([Held(found, retraction_of(found))] if found else [], by, value), page


def _ask_arxiv(source: OnlineSource, by: By, value: str, call: Call) -> tuple[list[Held], Page | None]:
    """arXiv's record of an id, or what it has under the words of a title."""
    import arxiv

    from scientist.literature import _online

    if by == "arxiv":
        search = arxiv.Search(id_list=[value], max_results=1)
    else:
        # All of them have to be there: only words that content is made of and that have one spelling.
        terms = [term for term in query_terms(words_of(value), 40) if spelling_is_certain(term)]
        terms = sorted(terms, key=len, reverse=True)[:TERMS] or query_terms(words_of(value))
        search = arxiv.Search(query=" AND ".join(f"ti:{term}" for term in terms), max_results=LIMIT)
    results, page = _online.fetch_arxiv(source.web, search, LIMIT, call)
    works = [_online.from_arxiv(result) for result in results]
    held = [Held(work, retraction_of(work)) for work in works if work]
    return _right(held, by, value), page


def _right(held: Sequence[Held], by: By, value: str) -> list[Held]:
    """Only what was asked for: an index that ignores a filter answers with other works."""
    if by == "title":
        if held and not touches(query_terms(value, 40), [one.work for one in held]):
            raise unrelated()
        return [one for one in held if meant(one.work.title, value) and not _notice(one.work.title, value)]
    return [one for one in held if getattr(one.work, by).lower() == value.lower()]


def _notice(title: str, value: str) -> bool:
    """Whether a title is that of a notice about the work that was asked for."""
    return bool(NOTICE.match(title)) and compare_titles(title, value) != "same"


def _dicts(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


_INDEXES: dict[str, tuple[Ask, tuple[By, ...], bool]] = {
    "crossref": (_ask_crossref, ("doi", "title"), True),
    "openalex": (_ask_openalex, ("doi", "arxiv", "title"), True),
    "semanticscholar": (_ask_s2, ("doi", "arxiv", "title"), False),
    "arxiv": (_ask_arxiv, ("arxiv", "title"), False),
}
