"""Real servers on loopback that speak a little of arXiv's Atom and of Semantic Scholar's JSON, in every mood."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

FAULTS = ("429", "500", "502", "503", "hang", "drip", "malformed", "truncated", "html", "reset")

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


class Loopback:
    """One server; `mood` is how it answers, `queries` what it was asked."""

    def __init__(self, mood: str, works: list[Work]) -> None:
        self.mood, self.works = mood, works
        self.queries: list[str] = []
        self.closing = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                asked = parse_qs(parts.query)
                outer.queries.append((asked.get("search_query") or asked.get("query") or [""])[0])
                is_atom = parts.path == "/api/query"
                outer.answer(self, atom(outer.works) if is_atom else s2(outer.works), is_atom)

            def log_message(self, format: str, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, handler: BaseHTTPRequestHandler, body: str, is_atom: bool) -> None:
        status, data = 200, body.encode()
        match self.mood:
            case "429" | "500" | "502" | "503":
                status, data = int(self.mood), b'{"message": "no", "error": "no"}'
            case "hang":
                self.closing.wait(20)
                return
            case "reset":
                handler.connection.close()
                return
            case "malformed":
                data = b"<feed><entry>" if is_atom else b'{"total": 2, "data": [{"title":'
            case "truncated":
                data = data[: len(data) // 2]
            case "html":
                data = b"<html><body>Please log in to this network</body></html>"
            case "empty":
                data = (atom([]) if is_atom else s2([])).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/atom+xml" if is_atom else "application/json")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        if self.mood == "drip":
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
def loopback(mood: str = "good", works: list[Work] | None = None) -> Iterator[Loopback]:
    """A running server, closed at the end."""
    server = Loopback(mood, WORKS if works is None else works)
    try:
        yield server
    finally:
        server.close()


def atom(works: list[Work]) -> str:
    """An Atom feed as arXiv sends it."""
    entries = "".join(
        f"""<entry><id>http://arxiv.org/abs/{work["arxiv"]}v2</id><updated>{work["year"]}-02-01T00:00:00Z</updated>
        <published>{work["year"]}-01-01T00:00:00Z</published><title>{work["title"]}</title>
        <summary>{work["abstract"]}</summary>{"".join(f"<author><name>{a}</name></author>" for a in work["authors"])}
        {f"<arxiv:doi>{work['doi']}</arxiv:doi>" if work["doi"] else ""}
        <arxiv:primary_category term="cs.LG"/></entry>"""
        for work in works
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"
    xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">
    <opensearch:totalResults>{len(works)}</opensearch:totalResults><opensearch:startIndex>0</opensearch:startIndex>
    <opensearch:itemsPerPage>{len(works)}</opensearch:itemsPerPage>{entries}</feed>"""


def s2(works: list[Work]) -> str:
    """A page of search results as Semantic Scholar sends it."""
    data = [
        {
            "paperId": str(i),
            "title": work["title"],
            "abstract": work["abstract"],
            "authors": [{"authorId": str(k), "name": name} for k, name in enumerate(work["authors"])],
            "year": work["year"],
            "venue": "",
            "url": f"https://www.semanticscholar.org/paper/{i}",
            "externalIds": {"ArXiv": work["arxiv"]} | ({"DOI": work["doi"]} if work["doi"] else {}),
        }
        for i, work in enumerate(works)
    ]
    return json.dumps({"total": len(data), "offset": 0, "data": data})
