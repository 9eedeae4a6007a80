"""OpenAlex and Crossref, asked directly.

Their clients do not fit: pyalex (MIT) keeps its address and key in one dictionary for the whole process and has no time
limit; habanero (MIT) opens its own connections, so that neither the size nor the whole time of an answer can be limited.
A question to either is one address, and the answer one page of JSON.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from scientist.literature._answers import AnswerCache
from scientist.literature._reference import Reference
from scientist.literature._retractions import said_by_record
from scientist.literature._sources import OnlineSource
from scientist.literature._strangers import names, record, some_usable, year_of
from scientist.literature._web import Call, Malformed, Page, Web, read_json

OPENALEX_KEY = "OPENALEX_API_KEY"
OPENALEX_FIELDS = (
    "doi,ids,display_name,authorships,publication_year,primary_location,abstract_inverted_index,biblio,is_retracted"
)
_CROSSREF_FIELDS = "DOI,title,subtitle,author,issued,container-title,volume,issue,page,abstract,type"
_KINDS = {
    "journal": "article",
    "conference": "inproceedings",
    "journal-article": "article",
    "proceedings-article": "inproceedings",
    "book-chapter": "incollection",
    "report": "techreport",
    "dissertation": "phdthesis",
}
MOST_WORDS = 1500  # of an abstract that comes as an index of its words


class OpenAlexSource(OnlineSource):
    """OpenAlex's list of works; with the key in :data:`OPENALEX_KEY` when there is one."""

    name = "openalex"

    def __init__(
        self,
        url: str = "https://api.openalex.org",
        delay_s: float = 0.2,
        contact: str = "",
        cache: AnswerCache | None = None,
    ) -> None:
        super().__init__(url, delay_s, contact, cache)

    def ask(self, terms: Sequence[str], limit: int, call: Call) -> tuple[list[Reference], Page]:
        """Works by relevance that hold the terms in title, abstract or text."""
        asked = {"search": " ".join(terms), "per_page": str(limit), "select": OPENALEX_FIELDS} | mailto(self.web)
        page = self.web.get(f"{self.web.url}/works", asked, call, check_openalex, openalex_headers(self.web))
        works = check_openalex(page.body)
        return some_usable(map(from_openalex, works), len(works), limit), page


class CrossrefSource(OnlineSource):
    """Crossref's works: what publishers registered, by title, authors and venue; abstracts for some."""

    name = "crossref"

    def __init__(
        self,
        url: str = "https://api.crossref.org",
        delay_s: float = 0.2,
        contact: str = "",
        cache: AnswerCache | None = None,
    ) -> None:
        super().__init__(url, delay_s, contact, cache)

    def ask(self, terms: Sequence[str], limit: int, call: Call) -> tuple[list[Reference], Page]:
        """Works by relevance to the terms."""
        asked = {"query.bibliographic": " ".join(terms), "rows": str(limit), "select": _CROSSREF_FIELDS}
        page = self.web.get(f"{self.web.url}/works", asked | mailto(self.web), call, check_crossref)
        works = check_crossref(page.body)
        return some_usable(map(from_crossref, works), len(works), limit), page


def openalex_headers(web: Web) -> dict[str, str]:
    """The key of this environment, read when it is used; never over a connection that others can read."""
    key = os.environ.get(OPENALEX_KEY, "").strip()
    return {"Authorization": f"Bearer {key}"} if key and web.may_send_key() else {}


def mailto(web: Web) -> dict[str, str]:
    """Both send those who say who they are to machines that are less busy."""
    return {"mailto": web.contact} if web.contact else {}


def check_openalex(body: bytes) -> list[Mapping[str, Any]]:
    """The works of a page. Raises :class:`Malformed`."""
    page = read_json(body)
    return _listed(page.get("results"), _object(page.get("meta")).get("count"))


def check_crossref(body: bytes) -> list[Mapping[str, Any]]:
    """The works of a page. Raises :class:`Malformed`."""
    page = read_json(body)
    message = _object(page.get("message"))
    if page.get("status") != "ok":
        raise Malformed("its status is not ok")
    return _listed(message.get("items"), message.get("total-results"))


def _listed(works: object, total: object) -> list[Mapping[str, Any]]:
    if not isinstance(works, list):
        raise Malformed("no list of works in it")
    if not works and total:
        raise Malformed("works are promised, and none is there")
    return [_object(work) for work in works]


def from_openalex(work: Mapping[str, Any]) -> Reference | None:
    """A record of a work as OpenAlex sends it; None without a title."""
    place = _object(work.get("primary_location"))
    where = _object(place.get("source"))
    printed = _object(work.get("biblio"))
    people = [_object(_object(one).get("author")).get("display_name") for one in _list(work.get("authorships"))]
    pages = _joined("-", dict.fromkeys((printed.get("first_page"), printed.get("last_page"))))
    return record(
        "openalex",
        title=work.get("display_name"),
        authors=names(people),
        year=year_of(work.get("publication_year")),
        venue=where.get("display_name"),
        doi=work.get("doi"),
        url=place.get("landing_page_url"),
        abstract=_turned(work.get("abstract_inverted_index")),
        volume=printed.get("volume"),
        number=printed.get("issue"),
        pages=pages,
        entry_type=_kind(where.get("type")),
        retracted=said_by_record(work),
    )


def from_crossref(work: Mapping[str, Any]) -> Reference | None:
    """A record of a work as Crossref sends it; None without a title."""
    people = [_object(one) for one in _list(work.get("author"))]
    called = [one.get("name") or _joined(" ", (one.get("given"), one.get("family"))) for one in people]
    dates = _list(_object(work.get("issued")).get("date-parts"))
    date = _list(dates[0]) if dates else []
    title, subtitle = _first(work.get("title")), _first(work.get("subtitle"))
    return record(
        "crossref",
        title=f"{title}: {subtitle}" if title and subtitle and subtitle.lower() not in title.lower() else title,
        authors=names(called),
        year=year_of(date[0]) if date else None,
        venue=_first(work.get("container-title")),
        doi=work.get("DOI"),
        abstract=work.get("abstract"),
        volume=work.get("volume"),
        number=work.get("issue"),
        pages=work.get("page"),
        entry_type=_kind(work.get("type")),
    )


def _turned(index: object) -> str:
    """An abstract from the places of its words, which is how OpenAlex has it."""
    placed: list[tuple[int, str]] = []
    for word, places in _object(index).items():
        placed += [(place, word) for place in _list(places)[:MOST_WORDS] if isinstance(place, int)]
        if len(placed) > 4 * MOST_WORDS:
            break
    return " ".join(word for _, word in sorted(placed)[:MOST_WORDS])


def _kind(name: object) -> str:
    return _KINDS.get(name, "misc") if isinstance(name, str) else "misc"


def _first(value: object) -> str:
    found = _list(value)
    return found[0] if found and isinstance(found[0], str) else ""


def _joined(between: str, parts: Iterable[object]) -> str:
    return between.join(part for part in parts if isinstance(part, str) and part)


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
