"""Real servers on loopback that speak as arXiv, Semantic Scholar, OpenAlex and Crossref do, in every mood."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from scientist.literature import _tasks

STATUSES = ("400", "403", "404", "429", "429-soon", "429-late", "429-odd", "500", "502", "503", "504", "204")
WIRE = ("hang", "drip", "drip-head", "reset", "cut", "bomb", "deflated", "huge", "elsewhere", "circle")
BODIES = (
    "malformed", "truncated", "html", "nothing", "not-utf8", "deep", "other-shape", "refusal", "promised",
    "untitled", "unrelated", "entities",
)  # fmt: skip
FAULTS = (*STATUSES, *WIRE, *BODIES)
"""Everything that can be wrong. None of it is an answer, and none of it may make an idea novel."""

OPEN = ("arxiv", "semanticscholar", "openalex", "crossref")

Work = dict[str, Any]

WORKS: list[Work] = [
    {
        "title": "Orbital decay of small moons",
        "abstract": "We integrate the orbits of small moons around a flattened planet.",
        "authors": ["Ada Example", "Bo Sample"],
        "year": 2021,
        "arxiv": "2101.00001",
        "doi": "10.1234/example.1",
    },
    {
        "title": "Label noise in small samples",
        "abstract": "A study of wrong labels when there are few examples.",
        "authors": ["Cy Instance"],
        "year": 2019,
        "arxiv": "1901.00002",
        "doi": "",
    },
]


class Quiet(ThreadingHTTPServer):
    """Says nothing when whoever asked has gone: most of these answers are not waited for."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None: ...


class Loopback:
    """One server; `mood` is how it answers, `queries` what it was asked, `headers` what came with it.

    `moods` are used up first, one a request: a server that recovers; `moods_of` the same for one interface. `path` of a request says whose format it wants.
    """

    def __init__(self, mood: str, works: list[Work], **more: Any) -> None:
        self.mood, self.works, self.more = mood, works, more
        self.moods: list[str] = []
        self.moods_of: dict[str, list[str]] = {}
        self.queries: list[str] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.closing = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                asked = parse_qs(parts.query)
                found = (asked.get(n) for n in ("search_query", "query", "search", "query.bibliographic"))
                outer.queries.append(next((values[0] for values in found if values), ""))
                outer.paths.append(self.path)
                outer.headers.append(dict(self.headers.items()))
                outer.answer(self, whose(parts.path, asked))

            def log_message(self, format: str, *args: object) -> None: ...

        self.server = Quiet(("127.0.0.1", 0), Handler)
        # The kernel may give the port of a server that was found gone a minute ago.
        _tasks._probes.pop(("127.0.0.1", self.server.server_address[1]), None)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, handler: BaseHTTPRequestHandler, name: str) -> None:
        moods = self.moods_of.get(name) or self.moods
        mood = moods.pop(0) if moods else self.mood
        status, headers = 200, {"Content-Type": "application/atom+xml" if name == "arxiv" else "application/json"}
        data = self.more.get("body") or SAY[name](self.works, **self.more.get("page", {})).encode()
        if mood[:3].isdigit():
            status, data = int(mood[:3]), REFUSALS[name]
            after = {"429-soon": "0", "429-late": "3600", "429-odd": "soon, perhaps"}.get(mood)
            headers |= {"Retry-After": after} if after else {}
            data = b"" if status == 204 else data
        elif mood in BODIES:
            data = spoilt(mood, name, data)
        match mood:
            case "hang":
                self.closing.wait(20)
                return
            case "reset":
                handler.connection.close()
                return
            case "empty":
                data = SAY[name]([]).encode()
            case "huge":
                data = data.replace(b"</title>", b"x" * 6_000_000 + b"</title>", 1)
                data = data.replace(b'"abstract": "', b'"abstract": "' + b"x" * 6_000_000, 1)
                data = data if len(data) > 6_000_000 else data + b" " * 6_000_000
            case "bomb":
                data, headers["Content-Encoding"] = gzip.compress(data + b" " * 60_000_000, 9), "gzip"
            case "gzip":
                data, headers["Content-Encoding"] = gzip.compress(data), "gzip"
            case "deflated":
                headers["Content-Encoding"] = "br"
            case "elsewhere":
                status, headers["Location"] = 302, self.more["to"] + handler.path
            case "circle":
                status, headers["Location"] = 302, handler.path
            case "moved" if not handler.path.startswith("/moved"):
                status, headers["Location"] = 301, "/moved" + handler.path
            case "drip-head":
                for i in range(2000):
                    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: "[i : i + 1] or b"x")
                    if self.closing.wait(0.05):
                        return
        handler.send_response(status)
        for header, value in headers.items():
            handler.send_header(header, value)
        handler.send_header("Content-Length", str(len(data) + (100 if mood == "cut" else 0)))
        handler.end_headers()
        if mood == "drip":
            for i in range(len(data)):
                handler.wfile.write(data[i : i + 1])
                handler.wfile.flush()
                if self.closing.wait(0.05):
                    return
        else:
            handler.wfile.write(data)

    def close(self) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()


@contextmanager
def loopback(mood: str = "good", works: list[Work] | None = None, **more: Any) -> Iterator[Loopback]:
    """A running server, closed at the end. `body` is sent as it is; `page` goes to the function that writes a page."""
    server = Loopback(mood, WORKS if works is None else works, **more)
    try:
        yield server
    finally:
        server.close()


def whose(path: str, asked: dict[str, list[str]]) -> str:
    """Whose interface an address belongs to."""
    path = path.removeprefix("/moved")
    if path == "/api/query":
        return "arxiv"
    if path == "/graph/v1/paper/search":
        return "semanticscholar"
    return "openalex" if "search" in asked else "crossref"


def spoilt(mood: str, name: str, data: bytes) -> bytes:
    """A body of status 200 that is no answer."""
    is_atom = name == "arxiv"
    match mood:
        case "malformed":
            return b"<feed><entry>" if is_atom else b'{"total": 2, "data": [{"title":'
        case "truncated":
            return data[: len(data) // 2]
        case "html":
            return b"<html><body>Please log in to this network</body></html>"
        case "nothing":
            return b""
        case "not-utf8":
            return data.replace(b"small", b"sm\xe4ll\xff")
        case "deep":
            return b"<a>" * 100_000 if is_atom else b'{"results":' + b"[" * 200_000
        case "other-shape":
            return b"<rss/>" if is_atom else b'[{"title": "Label noise in small samples"}]'
        case "refusal":
            return REFUSALS[name]
        case "promised":
            return SAY[name]([], total=214_881).encode()
        case "untitled":
            return SAY[name]([work | {"title": "", "arxiv": work["arxiv"] or "9"} for work in WORKS]).encode()
        case "unrelated":
            works = [work | {"title": "Moons " * 3, "abstract": "", "authors": ["Bo"]} for work in WORKS]
            return SAY[name](works).encode()
    if not is_atom:
        return b'{"__proto__": {"data": [1]}, "data": {"0": {}}, "results": {}, "message": [], "status": "ok"}'
    lol = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10 if i else "label noise "}">' for i in range(9))
    return data.replace(b"<feed", f'<!DOCTYPE feed [{lol}<!ENTITY x SYSTEM "file:///etc/hostname">]><feed'.encode(), 1)


def atom(works: list[Work], total: object = None) -> str:
    """An Atom feed as arXiv sends it."""
    entries = "".join(
        f"""
  <entry>
    <id>http://arxiv.org/abs/{work["arxiv"]}v2</id>
    <title>{escape(work["title"])}</title>
    <updated>{work["year"]}-02-01T00:00:00Z</updated>
    <link href="https://arxiv.org/abs/{work["arxiv"]}v2" rel="alternate" type="text/html"/>
    <summary>{escape(work["abstract"])}</summary>
    <category term="cs.LG" scheme="http://arxiv.org/schemas/atom"/>
    <published>{work["year"]}-01-01T00:00:00Z</published>
    <arxiv:primary_category term="cs.LG"/>
    {f"<arxiv:journal_ref>{escape(work['venue'])}</arxiv:journal_ref>" if work.get("venue") else ""}
    {"".join(f"<author><name>{escape(a)}</name></author>" for a in work["authors"])}
    {f"<arxiv:doi>{escape(work['doi'])}</arxiv:doi>" if work["doi"] else ""}
  </entry>"""
        for work in works
    )
    return f"""<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" xmlns:arxiv="http://arxiv.org/schemas/atom" \
xmlns="http://www.w3.org/2005/Atom">
  <id>https://arxiv.org/api/UY2mqR74Vu</id>
  <title>arXiv Query: search_query=all:noise&amp;id_list=&amp;start=0&amp;max_results=10</title>
  <opensearch:itemsPerPage>10</opensearch:itemsPerPage>
  <opensearch:totalResults>{len(works) if total is None else total}</opensearch:totalResults>
  <opensearch:startIndex>0</opensearch:startIndex>{entries}
</feed>"""


def s2(works: list[Work], total: object = None) -> str:
    """A page of search results as Semantic Scholar sends it."""
    data = [
        {
            "paperId": str(i),
            "title": work["title"],
            "abstract": work["abstract"],
            "authors": [{"authorId": str(k), "name": name} for k, name in enumerate(work["authors"])],
            "year": work["year"],
            "venue": work.get("venue", ""),
            "url": f"https://www.semanticscholar.org/paper/{i}",
            "externalIds": {"ArXiv": work["arxiv"]} | ({"DOI": work["doi"]} if work["doi"] else {}),
        }
        for i, work in enumerate(works)
    ]
    return json.dumps({"total": len(data) if total is None else total, "offset": 0, "data": data})


def openalex(works: list[Work], total: object = None) -> str:
    """A page of OpenAlex's works; a preprint has arXiv's DOI, an abstract is an index of its words."""
    results = []
    for work in works:
        places: dict[str, list[int]] = {}
        for place, word in enumerate(str(work["abstract"]).split()):
            places.setdefault(word, []).append(place)
        doi = work["doi"] or f"10.48550/arXiv.{work['arxiv']}"
        venue = work.get("venue", "")
        source = {"id": "https://openalex.org/S1", "display_name": venue, "type": "journal"} if venue else None
        results.append(
            {
                "doi": f"https://doi.org/{doi}",
                "ids": {"openalex": "https://openalex.org/W1", "doi": f"https://doi.org/{doi}"},
                "display_name": work["title"],
                "authorships": [
                    {"author_position": "first", "author": {"id": "https://openalex.org/A1", "display_name": name}}
                    for name in work["authors"]
                ],
                "publication_year": work["year"],
                "primary_location": {"landing_page_url": f"https://doi.org/{doi}", "source": source},
                "abstract_inverted_index": places or None,
                "biblio": {"volume": "7", "issue": "1", "first_page": "11", "last_page": "19"} if venue else {},
            }
        )
    meta = {"count": len(results) if total is None else total, "db_response_time_ms": 9, "page": 1, "per_page": 10}
    return json.dumps({"meta": meta, "results": results, "group_by": []})


def crossref(works: list[Work], total: object = None) -> str:
    """A page of Crossref's works: titles in lists, names in parts, dates in lists of lists, abstracts in JATS."""
    items = []
    for work in works:
        authors = work["authors"] if isinstance(work["authors"], list) else []
        item: Work = {
            "DOI": work["doi"] or f"10.48550/arXiv.{work['arxiv']}",
            "title": [work["title"]],
            "author": [
                {"given": str(name).rpartition(" ")[0], "family": str(name).rpartition(" ")[2], "sequence": "first"}
                for name in authors
            ],
            "issued": {"date-parts": [[work["year"], 2, 1]]},
            "type": "journal-article" if work.get("venue") else "posted-content",
        }
        if work["abstract"]:
            item["abstract"] = f"<jats:title>Abstract</jats:title><jats:p>{escape(str(work['abstract']))}</jats:p>"
        if work.get("venue"):
            item |= {"container-title": [work["venue"]], "volume": "7", "issue": "1", "page": "11-19"}
        items.append(item)
    message = {"facets": {}, "total-results": len(items) if total is None else total, "items": items}
    message |= {"items-per-page": 10, "query": {"start-index": 0, "search-terms": None}}
    return json.dumps({"status": "ok", "message-type": "work-list", "message-version": "1.0.0", "message": message})


SAY = {"arxiv": atom, "semanticscholar": s2, "openalex": openalex, "crossref": crossref}

REFUSALS = {
    "arxiv": b"""<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" xmlns="http://www.w3.org/2005/Atom">
  <id>https://arxiv.org/</id><title>arXiv Search Results</title>
  <opensearch:totalResults>1</opensearch:totalResults>
  <entry><id>https://arxiv.org/api/errors#incorrect_id_format_for_abc</id><title>Error</title>
    <updated>2026-04-12T22:59:06Z</updated><published>2026-04-12T22:59:06Z</published>
    <summary>label noise: incorrect id format for abc</summary><author><name>arXiv api core</name></author></entry>
</feed>""",
    "semanticscholar": b'{"message": "Too Many Requests. Please wait and try again.", "code": "429", "error": "no"}',
    "openalex": b'{"error": "Rate limit exceeded", "message": "label noise"}',
    "crossref": b'{"status": "failed", "message-type": "validation-failure", "message": [{"message": "label noise"}]}',
}
"""What each of them sends with an error; some send it with status 200."""
