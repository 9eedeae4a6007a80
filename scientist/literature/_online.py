"""arXiv and Semantic Scholar through their clients. What they return is data from strangers: cleaned and bounded."""

from __future__ import annotations

import asyncio
import io
import re
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import arxiv
import requests
from lxml import etree  # type: ignore[import-untyped]
from semanticscholar import AsyncSemanticScholar
from tenacity import RetryError

from scientist.literature._keys import find_doi, make_key
from scientist.literature._reference import Reference
from scientist.literature._sources import OnlineSource
from scientist.literature._text import clean

MAX_BYTES = 4_000_000  # of one answer; ten abstracts are a hundredth of that
TITLE, NAME, AUTHORS, VENUE, ABSTRACT = 300, 80, 30, 200, 3000
_FEED = "{http://www.w3.org/2005/Atom}feed"
_ARXIV_ID = re.compile(r"\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7}")
_FIELDS = ["title", "abstract", "authors", "year", "venue", "externalIds", "url"]


class Malformed(ValueError):
    """An answer that is not what the interface promises."""


class _Bounded(requests.adapters.HTTPAdapter):
    """Every request gets a timeout; a body is read up to a size and a moment, and has to be a feed."""

    until = 0.0

    def send(self, request: Any, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs |= {"stream": True, "timeout": max(0.05, self.until - time.monotonic())}
        response = super().send(request, *args, **kwargs)
        body = bytearray()
        for chunk in response.iter_content(65536):
            body += chunk
            if len(body) > MAX_BYTES or time.monotonic() > self.until:
                response.close()
                raise requests.Timeout("the answer is too large or too slow")
        if response.status_code == 200:
            _check_feed(bytes(body))
        # A new response over the bytes that were read: the client may read it again.
        whole = requests.Response()
        whole.status_code, whole.headers, whole.url = response.status_code, response.headers, response.url
        whole.headers.pop("Content-Encoding", None)
        whole.raw, whole.request = io.BytesIO(bytes(body)), response.request
        return whole


def _check_feed(body: bytes) -> None:
    """The client takes broken XML for an empty feed, and so would report that nothing was found."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    if etree.fromstring(body, parser=parser).tag != _FEED:
        raise Malformed("not a feed")


class ArxivSource(OnlineSource):
    """arXiv's search interface. Its terms of use ask for three seconds between requests."""

    name = "arxiv"

    def __init__(self, url: str = "https://export.arxiv.org", delay_s: float = 3.0) -> None:
        super().__init__(url)
        self._lock = threading.Lock()
        self._adapter = _Bounded()
        # The client retries without a pause and has no time limit: no retries, and a session of our own.
        self._client = arxiv.Client(page_size=10, delay_seconds=delay_s, num_retries=0)
        self._client.query_url_format = f"{self.url}/api/query?{{}}"
        session = requests.Session()
        session.max_redirects = 3
        for scheme in ("http://", "https://"):
            session.mount(scheme, self._adapter)
        self._client._session = session

    def ask(self, terms: Sequence[str], limit: int, seconds: float) -> list[Reference]:
        """The most relevant works that hold any of the terms: with all of them asked for, most answers are empty."""
        until = time.monotonic() + seconds
        if not self._lock.acquire(timeout=seconds):
            raise TimeoutError
        with _released(self._lock):
            self._adapter.until = until
            self._client.page_size = limit
            search = arxiv.Search(query=" OR ".join(f"all:{term}" for term in terms), max_results=limit)
            results = list(self._client.results(search))
        if any("/api/errors" in result.entry_id for result in results):
            raise Malformed("the query was refused")
        return [reference for reference in map(_from_arxiv, results) if reference]

    def explain(self, error: BaseException) -> str:
        """Adds the status of an HTTP error, and names what is wrong with the connection."""
        if isinstance(error, arxiv.HTTPError):
            return f"HTTP status {error.status}"
        if isinstance(error, requests.Timeout):
            return "no answer in time"
        if isinstance(error, requests.ConnectionError):
            return "the connection was lost"
        return super().explain(error)


class _released:
    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        self._lock.release()


class SemanticScholarSource(OnlineSource):
    """Semantic Scholar's search interface, without a key."""

    name = "semanticscholar"

    def __init__(self, url: str = "https://api.semanticscholar.org") -> None:
        super().__init__(url)

    def ask(self, terms: Sequence[str], limit: int, seconds: float) -> list[Reference]:
        """Works by relevance to the terms. Raises what the client raises."""
        return asyncio.run(self._ask(terms, limit, seconds))

    async def _ask(self, terms: Sequence[str], limit: int, seconds: float) -> list[Reference]:
        # With retries the client would wait five seconds and more after a 429.
        client = AsyncSemanticScholar(timeout=seconds, api_url=self.url, retry=False)
        request = client.search_paper(" ".join(terms), fields=_FIELDS, limit=limit)
        results = await asyncio.wait_for(request, seconds)
        # The client turns 502, 503 and every other unexpected status into no results; only an answer sets the offset.
        if results.offset < 0:
            raise Malformed("no data in the answer")
        return [reference for reference in (_from_s2(paper.raw_data) for paper in results.items) if reference]

    def explain(self, error: BaseException) -> str:
        """Adds what the client means by its exceptions."""
        if isinstance(error, RetryError):
            return "HTTP status 429"
        if isinstance(error, Malformed):
            return "an error, or an answer without data"
        name = type(error).__name__
        if "Timeout" in name and "Gateway" not in name:
            return "no answer in time"
        return super().explain(error)


def _from_arxiv(result: Any) -> Reference | None:
    identifier = re.sub(r"v\d+$", "", result.get_short_id())
    title = clean(result.title, TITLE)
    if not title or not _ARXIV_ID.fullmatch(identifier):
        return None
    authors = _names([author.name for author in result.authors])
    return Reference(
        key=make_key(authors, result.published.year, title),
        title=title,
        authors=authors,
        year=result.published.year,
        venue=clean(result.journal_ref, VENUE) or "arXiv preprint",
        doi=find_doi(result.doi or ""),
        arxiv=identifier,
        abstract=clean(result.summary, ABSTRACT),
        source="arxiv",
    )


def _from_s2(data: Mapping[str, Any]) -> Reference | None:
    title = clean(data.get("title"), TITLE)
    if not title:
        return None
    found = data.get("authors")
    authors = _names([a.get("name") for a in found if isinstance(a, dict)] if isinstance(found, list) else [])
    year = data.get("year")
    year = year if isinstance(year, int) and 1500 < year < 2200 else None
    ids = data.get("externalIds")
    ids = ids if isinstance(ids, dict) else {}
    arxiv_id = clean(ids.get("ArXiv"), 40)
    doi = find_doi(clean(ids.get("DOI"), 200))
    url = clean(data.get("url"), 300)
    return Reference(
        key=make_key(authors, year, title),
        title=title,
        authors=authors,
        year=year,
        venue=clean(data.get("venue"), VENUE),
        doi=doi,
        arxiv=arxiv_id if _ARXIV_ID.fullmatch(arxiv_id) else "",
        url=url if re.fullmatch(r"https?://\S+", url) and not doi else "",
        abstract=clean(data.get("abstract"), ABSTRACT),
        source="semanticscholar",
    )


def _names(names: Sequence[object]) -> tuple[str, ...]:
    cleaned = [name for name in (clean(name, NAME) for name in names) if name]
    return (*cleaned[:AUTHORS], "others") if len(cleaned) > AUTHORS else tuple(cleaned)
