"""arXiv and Semantic Scholar through their clients. What they return is data from strangers: cleaned and bounded.

The clients build the questions and read the answers; :class:`Web` carries them.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import arxiv
from lxml import etree  # type: ignore[import-untyped]
from semanticscholar import AsyncSemanticScholar
from semanticscholar.ApiRequester import ApiRequester

from scientist.literature._answers import AnswerCache
from scientist.literature._reference import Reference
from scientist.literature._sources import OnlineSource
from scientist.literature._strangers import names, record, some_usable, year_of
from scientist.literature._web import Call, Malformed, Page, Web, read_json

_FEED = "{http://www.w3.org/2005/Atom}feed"
_ENTRY = "{http://www.w3.org/2005/Atom}entry"
_TOTAL = "{http://a9.com/-/spec/opensearch/1.1/}totalResults"
S2_FIELDS = ["title", "abstract", "authors", "year", "venue", "externalIds", "url"]
MOST_SENT = 1000  # works in one page; each costs time to read, wanted or not
S2_KEYS = ("S2_API_KEY", "SEMANTIC_SCHOLAR_API_KEY")


class _OnePage(Exception):
    """The client wants a further page: the first had fewer works than asked for, whatever its total says."""


@dataclass
class _Answer:
    """What arXiv's client reads of a response."""

    content: bytes
    status_code: int = 200


class _Session:
    """Stands where the client has a session of requests: one page, carried by :class:`Web`."""

    def __init__(self, web: Web, call: Call) -> None:
        self._web, self._call = web, call
        self.page: Page | None = None

    def get(self, url: str, headers: Mapping[str, str]) -> _Answer:
        """The client's own user agent is left out: the index is told who really asks."""
        if self.page is not None:
            raise _OnePage
        address, _, query = url.partition("?")
        self.page = self._web.get(address, query, self._call, check_feed)
        return _Answer(self.page.body)


def check_feed(body: bytes) -> int:
    """The number of entries. The client takes broken XML for an empty feed, and so would report that nothing was found.

    Raises :class:`Malformed` for what is no feed, what declares a document type (nothing good does), arXiv's own
    error entry, and a feed without entries that says that there are some.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        root = etree.fromstring(body, parser=parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Malformed("not XML") from error
    if root.getroottree().docinfo.doctype:
        raise Malformed("a document type")
    if root.tag != _FEED:
        raise Malformed("not a feed")
    entries = root.findall(_ENTRY)
    if len(entries) > MOST_SENT:
        raise Malformed("far more works than were asked for")
    if any("/api/errors" in (entry.findtext(f"{_ENTRY[:-5]}id") or "") for entry in entries):
        raise Malformed("the query was refused")
    if not entries and (root.findtext(_TOTAL) or "").strip() not in ("", "0"):
        raise Malformed("works are promised, and none is there")
    return len(entries)


class ArxivSource(OnlineSource):
    """arXiv's search interface. Its terms of use ask for three seconds between requests."""

    name = "arxiv"

    def __init__(
        self,
        url: str = "https://export.arxiv.org",
        delay_s: float = 3.0,
        contact: str = "",
        cache: AnswerCache | None = None,
    ) -> None:
        super().__init__(url, delay_s, contact, cache)

    def ask(self, terms: Sequence[str], limit: int, call: Call) -> tuple[list[Reference], Page]:
        """The most relevant works that hold any of the terms: with all of them asked for, most answers are empty."""
        search = arxiv.Search(query=" OR ".join(f"all:{term}" for term in terms), max_results=limit)
        results, page = fetch_arxiv(self.web, search, limit, call)
        return some_usable(map(from_arxiv, results), check_feed(page.body), limit), page


def fetch_arxiv(web: Web, search: arxiv.Search, limit: int, call: Call) -> tuple[list[arxiv.Result], Page]:
    """The first page of what a search finds. Raises :class:`Fault`."""
    # The client would retry without a pause and wait without an end: both are ours to do.
    client = arxiv.Client(page_size=limit, delay_seconds=0.0, num_retries=0)
    client.query_url_format = f"{web.url}/api/query?{{}}"
    client._session = session = _Session(web, call)
    results = []
    try:
        for result in client.results(search):
            results.append(result)
    except _OnePage:
        pass  # what the first page holds is the answer
    assert session.page is not None
    return results, session.page


class SemanticScholarSource(OnlineSource):
    """Semantic Scholar's search interface; with the key in :data:`S2_KEYS` when there is one."""

    name = "semanticscholar"

    def __init__(
        self,
        url: str = "https://api.semanticscholar.org",
        delay_s: float = 1.0,
        contact: str = "",
        cache: AnswerCache | None = None,
    ) -> None:
        super().__init__(url, delay_s, contact, cache)

    def ask(self, terms: Sequence[str], limit: int, call: Call) -> tuple[list[Reference], Page]:
        """Works by relevance to the terms."""
        client = AsyncSemanticScholar(api_key=s2_key(self.web), api_url=self.web.url, retry=False)
        client._requester = requester = _Requester(self.web, call)
        results = asyncio.run(client.search_paper(" ".join(terms), fields=S2_FIELDS, limit=limit))
        assert requester.page is not None
        return some_usable((from_s2(p.raw_data) for p in results.items), len(results.items), limit), requester.page


class _Requester(ApiRequester):
    """Stands where the client has its own: that one takes a 502 or 503 for an empty answer."""

    def __init__(self, web: Web, call: Call) -> None:
        super().__init__(call.left(), retry=False)
        self._web, self._call = web, call
        self.page: Page | None = None

    async def get_data_async(
        self, url: str, parameters: str, headers: Mapping[str, str], payload: object = None
    ) -> dict[str, Any]:
        """One page of results; blocks, for each question has a thread of its own."""
        self.page = self._web.get(url, parameters.lstrip("&"), self._call, check_s2, headers)
        return check_s2(self.page.body)


def check_s2(body: bytes) -> dict[str, Any]:
    """A page of results, its `data` a list of objects. Raises :class:`Malformed`."""
    page = dict(read_json(body))
    data = page.get("data", [] if page.get("total") == 0 else None)
    if not isinstance(data, list):
        raise Malformed("no data in it")
    if not data and page.get("total"):
        raise Malformed("works are promised, and none is there")
    page["data"] = [work if isinstance(work, dict) else {} for work in data[:MOST_SENT]]
    return page


def s2_key(web: Web) -> str | None:
    """The key of this environment, read when it is used; never over a connection that others can read."""
    found = next((value for name in S2_KEYS if (value := os.environ.get(name, "").strip())), None)
    return found if web.may_send_key() else None


def from_arxiv(result: Any) -> Reference | None:
    """A record of what arXiv's client made of an entry; None without title or id."""
    identifier = re.sub(r"v\d+$", "", result.get_short_id())
    journal = result.journal_ref or ""
    return record(
        "arxiv",
        title=result.title,
        authors=names([author.name for author in result.authors]),
        year=year_of(result.published.year),
        venue=journal or "arXiv preprint",
        doi=result.doi,
        arxiv=identifier,
        abstract=result.summary,
        need_id=True,
    )


def from_s2(data: Mapping[str, Any]) -> Reference | None:
    """A record of a work as Semantic Scholar sends it; None without a title."""
    found = data.get("authors")
    ids = data.get("externalIds")
    ids = ids if isinstance(ids, dict) else {}
    return record(
        "semanticscholar",
        title=data.get("title"),
        authors=names([a.get("name") for a in found if isinstance(a, dict)] if isinstance(found, list) else []),
        year=year_of(data.get("year")),
        venue=data.get("venue"),
        doi=ids.get("DOI"),
        arxiv=ids.get("ArXiv"),
        url=data.get("url"),
        abstract=data.get("abstract"),
    )
