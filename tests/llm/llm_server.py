"""A server on loopback that speaks as OpenAI-compatible ones do, well or badly, one behaviour per request."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behaviour = Callable[["Handler", dict[str, Any]], None]


@dataclass
class Desk:
    """What was asked, and what is to be answered: behaviours in order, the last one for ever."""

    behaviours: list[Behaviour]
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    url: str = ""

    @property
    def calls(self) -> int:
        return len(self.requests)


class Handler(BaseHTTPRequestHandler):
    """Takes the next behaviour of the desk."""

    protocol_version = "HTTP/1.1"
    desk: Desk
    lock = threading.Lock()

    def log_message(self, *_: object) -> None: ...

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.lock:
            self.desk.requests.append(body)
            self.desk.keys.append(self.headers.get("Authorization", ""))
            behave = self.desk.behaviours[min(len(self.desk.requests), len(self.desk.behaviours)) - 1]
        behave(self, body)

    def send(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


def completion(text: str | None, finish: str = "stop", usage: bool = True, **message: object) -> bytes:
    """A chat completion as servers send it."""
    made: dict[str, Any] = {"id": "c1", "object": "chat.completion", "created": 1, "model": "m"}
    made["choices"] = [
        {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
    ]
    if usage:
        made["usage"] = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        made["usage"]["prompt_tokens_details"] = {"cached_tokens": 64}
    return json.dumps(made).encode()


def says(text: str | None, **more: Any) -> Behaviour:
    return lambda handler, _: handler.send(200, completion(text, **more))


def fails(status: int, message: str = "", **headers: str) -> Behaviour:
    body = json.dumps({"error": {"message": message or f"status {status}"}}).encode()
    return lambda handler, _: handler.send(status, body, **headers)


def hangs(seconds: float = 30.0) -> Behaviour:
    return lambda handler, _: time.sleep(seconds)


def cuts(handler: Handler, _: dict[str, Any]) -> None:
    """Promises more than it sends, then hangs up."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(completion("half")[:40])
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def drips(handler: Handler, _: dict[str, Any]) -> None:
    """A byte now and then, for ever: no single read times out."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.close_connection = True
    for _ in range(600):
        try:
            handler.wfile.write(b" ")
            handler.wfile.flush()
        except OSError:
            return
        time.sleep(0.05)


@contextmanager
def served(*behaviours: Behaviour) -> Iterator[Desk]:
    """A desk at `desk.url` for as long as the block lasts."""
    desk = Desk(list(behaviours))
    handler = type("Bound", (Handler,), {"desk": desk})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    desk.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield desk
    finally:
        server.shutdown()
        server.server_close()
