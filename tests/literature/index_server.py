"""One server on loopback that answers as arXiv, Semantic Scholar, OpenAlex and Crossref would about the works it has."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from loopback import atom, crossref, openalex, s2

from scientist.literature import Reference, Source, _tasks
from scientist.literature._indexes import CrossrefSource, OpenAlexSource
from scientist.literature._online import ArxivSource, SemanticScholarSource
from scientist.literature._sources import query_terms

Work = dict[str, Any]
WHERE = ("arxiv", "semanticscholar", "openalex", "crossref")


def as_sent(reference: Reference, **more: Any) -> Work:
    """A record as the page writers of loopback.py take it."""
    return {
        "title": reference.title,
        "abstract": "",
        "authors": list(reference.authors),
        "year": reference.year or 2000,
        "arxiv": reference.arxiv,
        "doi": reference.doi,
        "venue": "" if reference.arxiv and not reference.doi else reference.venue,
        **more,
    }


class Index:
    """`works` by words and identifier; `down`: which of the four answer 503; `retracted`: DOIs that two of them flag."""

    def __init__(self, works: list[Work], down: tuple[str, ...] = (), retracted: tuple[str, ...] = ()) -> None:
        self.works, self.down, self.retracted = works, down, retracted
        self.asked: list[tuple[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                params = {name: values[0] for name, values in parse_qs(parts.query).items()}
                name, by, value = question(parts.path, params)
                outer.asked.append((name, by))
                status, body = (503, "") if name in outer.down else outer.say(name, by, value)
                data = body.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # The kernel may give the port of a server that was found gone a minute ago.
        _tasks._probes.pop(("127.0.0.1", self.server.server_address[1]), None)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def sources(self) -> list[Source]:
        """The four real sources, asking here, without the pauses that good manners ask for elsewhere."""
        return [
            ArxivSource(self.url, delay_s=0.0),
            SemanticScholarSource(self.url, delay_s=0.0),
            OpenAlexSource(self.url, delay_s=0.0),
            CrossrefSource(self.url, delay_s=0.0),
        ]

    def say(self, name: str, by: str, value: str) -> tuple[int, str]:
        found = [work for work in self.works if self.holds(name, work) and fits(work, by, value)]
        if by == "title":
            found = sorted(found, key=lambda work: -shared(work, value))[:8]
        if name == "arxiv":
            return 200, atom(found)
        if name == "semanticscholar":
            if by == "title":
                return 200, s2(found)
            if not found:
                return 404, json.dumps({"error": f"Paper with id {value} not found"})
            return 200, json.dumps(json.loads(s2(found))["data"][0])
        page = json.loads((openalex if name == "openalex" else crossref)(found))
        for work, sent in zip(found, page["results"] if name == "openalex" else page["message"]["items"], strict=True):
            if name == "openalex":
                sent["is_retracted"] = work["doi"] in self.retracted
            elif work["doi"] in self.retracted:
                sent["updated-by"] = [{"DOI": f"{work['doi']}.r", "type": "retraction", "label": "Retraction"}]
            if work.get("update-to"):
                sent["update-to"] = work["update-to"]
        return 200, json.dumps(page)

    @staticmethod
    def holds(name: str, work: Work) -> bool:
        """arXiv has what has its id, Crossref what has a DOI; the others have everything."""
        return bool({"arxiv": work["arxiv"], "crossref": work["doi"]}.get(name, True))

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def question(path: str, params: dict[str, str]) -> tuple[str, str, str]:
    """(whose interface, by what, the value)."""
    if path == "/api/query":
        if params.get("id_list"):
            return "arxiv", "arxiv", params["id_list"]
        return "arxiv", "title", re.sub(r"\b(?:ti|all):|\bAND\b|\bOR\b", " ", params["search_query"])
    if path.startswith("/graph/v1/paper/"):
        if path.endswith("/search"):
            return "semanticscholar", "title", params["query"]
        kind, _, value = unquote(path.removeprefix("/graph/v1/paper/")).partition(":")
        return "semanticscholar", kind.lower(), value
    is_openalex = "per_page" in params
    name = "openalex" if is_openalex else "crossref"
    if "filter" in params:
        value = params["filter"].removeprefix("doi:")
        preprint = re.fullmatch(r"10\.48550/arxiv\.(.+)", value, re.IGNORECASE)
        return (name, "arxiv", preprint[1]) if preprint else (name, "doi", value)
    return name, "title", params["search" if is_openalex else "query.bibliographic"]


def fits(work: Work, by: str, value: str) -> bool:
    if by == "title":
        return shared(work, value) >= 0.3
    return work[by].lower() == value.lower() != ""


def shared(work: Work, query: str) -> float:
    asked, has = words(query), words(work["title"])
    return len(asked & has) / max(1, len(asked))


def words(text: str) -> set[str]:
    return set(query_terms(text, 40))


@contextmanager
def index(works: list[Work], **more: Any) -> Iterator[Index]:
    """A running index, closed at the end."""
    server = Index(works, **more)
    try:
        yield server
    finally:
        server.close()
