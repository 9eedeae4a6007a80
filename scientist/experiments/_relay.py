"""The only way out of a coding program's box: requests to one endpoint, written anew one by one.

The box has a network of its own with nothing in it but a port on loopback, whose listening socket was handed out to us.
What arrives there is read as one HTTP request, checked, and sent on to the endpoint (with TLS where its address says
https) by our own client: nothing is tunnelled, so no other host can be named, neither by an address nor by a header.

Keys stay outside: the program knows a word in the place of each, which is exchanged here, in headers only.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from functools import cached_property
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote, urlsplit

from scientist.errors import ScientistError
from scientist.experiments._relay_calls import Call, CallMeter

LARGEST_BODY = 16 << 20
"""Bytes of one request."""

MOST_AT_A_TIME, MOST_REQUESTS = 8, 500
READ_S, ANSWER_S = 60.0, 600.0
SETTLE_S = 5.0
"""For requests that are under way when the program has ended: they are cut off, and booked."""

_HOP_BY_HOP = frozenset(
    [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "host",
        "content-length",
        "expect",
        "forwarded",
        "accept-encoding",  # answers are read as they pass
    ]
)


class Relay:
    """Sends on what arrives at a listening socket to the endpoint at `address`, 'http(s)://HOST[:PORT][/PATH]'.

    Only paths at or below that of the address are let through. `keys` are word -> what stands for it in headers. Every
    request goes through `meter`, which counts it and may stop it.
    """

    def __init__(self, address: str, keys: Mapping[str, str], meter: CallMeter | None = None) -> None:
        parts = urlsplit(address)
        self.secure, self.host, self.port = parts.scheme == "https", parts.hostname or "", parts.port
        self.netloc, self.path = parts.netloc, parts.path.rstrip("/")
        self.keys, self.meter = dict(keys), meter
        self._open: set[socket.socket] = set()
        self._working, self.ended = 0, False
        self.requests = self.refused = self.asked = self.served = 0
        self.last = ""
        self._lock = threading.Lock()
        self._server: _Server | None = None

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()

    def inside(self, port: int) -> str:
        """What the endpoint's address is inside the box, whose listening socket has this port."""
        return f"http://127.0.0.1:{port}{self.path}"

    def serve(self, listener: socket.socket) -> None:
        """Answer at `listener`, which is ours from now on, until :meth:`stop`."""
        self._server = _Server(self, listener)
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="relay", daemon=True).start()

    def stop(self) -> None:
        """Take no more requests, and cut off those that are under way. May be called twice."""
        self.ended = True
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        deadline = time.monotonic() + SETTLE_S
        while self._working and time.monotonic() < deadline:
            with self._lock:
                for one in self._open:
                    with contextlib.suppress(OSError):
                        one.shutdown(socket.SHUT_RDWR)
            time.sleep(0.02)

    @property
    def stopped(self) -> ScientistError | None:
        """Why nothing more is sent on: a cap that a request could have passed."""
        return self.meter.stopped if self.meter else None

    @contextlib.contextmanager
    def work(self) -> Iterator[None]:
        """Around the handling of one request."""
        with self._lock:
            self._working += 1
        try:
            yield
        finally:
            with self._lock:
                self._working -= 1

    @contextlib.contextmanager
    def way(self, connection: http.client.HTTPConnection) -> Iterator[None]:
        """Around the sending of a request and the reading of its answer: :meth:`stop` cuts it."""
        connection.connect()
        line = connection.sock
        with self._lock:
            self._open.add(line)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(line)
            connection.close()

    def meant(self, method: str, path: str, body: bytes | None) -> contextlib.AbstractContextManager[Call | None]:
        """Around one request that is sent on. Raises :class:`BudgetReached` for one that must not be."""
        return self.meter.call(method, path, body or b"") if self.meter else contextlib.nullcontext()

    def connect(self) -> http.client.HTTPConnection:
        """A new connection to the endpoint, and to nothing else."""
        if self.secure:
            return http.client.HTTPSConnection(self.host, self.port, timeout=ANSWER_S, context=self._tls)
        return http.client.HTTPConnection(self.host, self.port, timeout=ANSWER_S)

    def refuses(self, path: str) -> str:
        """Why a request for `path` is not sent on; empty when it is. Counts it."""
        plain = unquote(path.partition("?")[0])
        below = not self.path or plain == self.path or plain.startswith(self.path + "/")
        with self._lock:
            why = ""
            if not plain.startswith("/") or ".." in plain.replace("\\", "/").split("/") or not below:
                why = f"only {self.path or '/'} can be reached here"
            elif self.requests >= MOST_REQUESTS:
                why = f"more than {MOST_REQUESTS} requests"
            self.requests, self.refused = self.requests + (not why), self.refused + bool(why)
            return why

    def told(self, method: str, status: int, why: str = "") -> None:
        """How a request that was sent on ended. Only posting asks a model for something."""
        with self._lock:
            self.last = why or f"status {status}"
            if method == "POST":
                self.asked, self.served = self.asked + 1, self.served + (status < 400)

    @property
    def out(self) -> bool:
        """The endpoint was asked for something and gave nothing."""
        return self.asked > 0 and not self.served

    def with_keys(self, value: str) -> str:
        """A header's value, keys put in the place of the words that stand for them."""
        for word, key in self.keys.items():
            value = value.replace(word, key)
        return value


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """One thread per connection, and not many of them."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, relay: Relay, listener: socket.socket) -> None:
        super().__init__(("127.0.0.1", 0), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.relay = relay
        self._places = threading.Semaphore(MOST_AT_A_TIME)

    def process_request_thread(self, request: socket.socket | tuple[bytes, socket.socket], client: object) -> None:
        try:
            super().process_request_thread(request, client)
        finally:
            self._places.release()

    def verify_request(self, request: socket.socket | tuple[bytes, socket.socket], client: object) -> bool:
        return self._places.acquire(timeout=1.0)

    def handle_error(self, request: object, client: object) -> None:
        """A connection that breaks is the business of whoever opened it."""


class _Handler(BaseHTTPRequestHandler):
    """One request: read whole, checked, and made again."""

    protocol_version = "HTTP/1.1"
    timeout = READ_S
    server: _Server

    def log_message(self, *_: object) -> None: ...

    def _send_on(self) -> None:
        self.close_connection = True  # one request per connection: what follows unread is never taken for another
        with self.server.relay.work():
            self._handle()

    def _handle(self) -> None:
        relay = self.server.relay
        try:
            body = self._body()
        except ValueError as error:
            return self._say(400, str(error))
        if why := relay.refuses(self.path):
            return self._say(403, why)
        try:
            with relay.meant(self.command, self.path, body) as call:
                self._forward(relay, body, call)
        except ScientistError as error:
            said = {
                "message": f"{error.message}. Nothing was sent.",
                "type": "budget_reached",
                "code": "budget_reached",
            }
            self._say(429, json.dumps({"type": "error", "error": said}), "application/json")

    def _forward(self, relay: Relay, body: bytes | None, call: Call | None) -> None:
        """Make the request again, and pass its answer back."""
        connection = relay.connect()
        sent = False
        try:
            with relay.way(connection):
                connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                connection.putheader("Host", relay.netloc)
                for name, value in self.headers.items():
                    if name.lower() not in _HOP_BY_HOP:
                        connection.putheader(name, relay.with_keys(value))
                connection.putheader("Accept-Encoding", "identity")
                if body is not None:
                    connection.putheader("Content-Length", str(len(body)))
                connection.putheader("Connection", "close")
                connection.endheaders(body)
                answer = connection.getresponse()
                sent = True
                relay.told(self.command, answer.status)
                self._pass_back(answer, call)
        except (OSError, http.client.HTTPException, ValueError) as error:
            if sent:
                raise
            why = f"the endpoint does not answer ({type(error).__name__})"
            relay.told(self.command, 502, why)
            self._say(502, why)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _send_on

    def _body(self) -> bytes | None:
        """The request's body; None without one. Raises :class:`ValueError` when its length is not plain."""
        lengths, coding = self.headers.get_all("Content-Length", []), self.headers.get("Transfer-Encoding", "")
        if coding:
            if lengths or coding.strip().lower() != "chunked":
                raise ValueError("the length of the request is not plain")
            return self._chunks()
        if not lengths:
            return None
        if len(lengths) > 1 or not lengths[0].strip().isdecimal() or int(lengths[0]) > LARGEST_BODY:
            raise ValueError("the length of the request is not plain, or too large")
        body = self.rfile.read(int(lengths[0]))
        if len(body) < int(lengths[0]):
            raise ValueError("the request is cut")
        return body

    def _chunks(self) -> bytes:
        body = b""
        while True:
            size = int(self.rfile.readline(64).partition(b";")[0].strip() or b"x", 16)
            if size < 0 or len(body) + size > LARGEST_BODY:
                raise ValueError("the request is too large")
            if size == 0:
                return body
            body += self.rfile.read(size)
            self.rfile.readline(64)

    def _pass_back(self, answer: http.client.HTTPResponse, call: Call | None) -> None:
        """Stream the answer as it comes. One without a length goes in chunks, so that a cut one is seen to be cut."""
        if call is not None:
            call.answered(answer.status, answer.getheader("Content-Type") or "")
        length = answer.getheader("Content-Length") if not answer.chunked else None
        bare = self.command == "HEAD" or answer.status in (204, 304)
        chunked = length is None and not bare and self.request_version == "HTTP/1.1"
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP_BY_HOP and "\n" not in value and "\r" not in value:
                self.send_header(name, value)
        if length is not None:
            self.send_header("Content-Length", length)
        elif chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close")
        self.end_headers()
        while piece := answer.read1(1 << 16):
            if call is not None:
                call.feed(piece)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        if call is not None and not self.server.relay.ended:
            call.whole()
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _say(self, status: int, text: str, kind: str = "text/plain") -> None:
        raw = f"{text}\n".encode()
        self.send_response_only(status)
        self.send_header("Content-Type", kind)
        if status == 429:
            self.send_header("x-should-retry", "false")
        self.send_header("Content-Length", str(len(raw)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(raw)
