"""One way out to the indexes on the network: bounded in time and size, paced, tried again with jitter, and cached.

The clients of the indexes build the questions and read the answers; what goes over the wire goes through here, because
none of them limits how long or how large an answer may be.
"""

from __future__ import annotations

import json
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

from scientist import __version__
from scientist.lab import sha256
from scientist.literature._answers import AnswerCache
from scientist.literature._sources import LATE
from scientist.literature._tasks import reachable
from scientist.literature._turns import TURNS, Turns

MAX_BYTES = 4_000_000  # of one answer; ten abstracts are a hundredth of that
TRIES = 3
BACKOFF_S = 0.5  # the most that the first pause lasts; the second may last twice that
MAX_REDIRECTS = 3
NOBODY = "cannot be reached"
SILENCE_S = 30.0  # the longest without a word, however far away the end is
_AGAIN = frozenset({429, 500, 502, 503, 504})
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


class Fault(Exception):
    """Why a question was not answered: a few words that are the same every time, without addresses.

    `again`: it may be otherwise in a moment. `after`: seconds that the server asked to be left alone. `counts`: it
    is the source's doing, and not that there was no time to ask.
    """

    def __init__(self, note: str, *, again: bool = False, after: float = 0.0, counts: bool = True) -> None:
        super().__init__(note)
        self.note, self.again, self.after, self.counts = note, again, after, counts


class Malformed(Fault):
    """An answer that is not what the interface promises. It is never taken for an empty one."""

    def __init__(self, note: str) -> None:
        super().__init__(f"the answer could not be read ({note})", again=True)


@dataclass(frozen=True)
class Page:
    """An answer as it came: the bytes, the day (UTC), where it is kept, and whether it came over the network now."""

    body: bytes
    asked: float
    key: str
    fresh: bool

    @property
    def day(self) -> str:
        """The day on which it was given."""
        return datetime.fromtimestamp(self.asked, UTC).date().isoformat()


@dataclass
class Call:
    """One question with its end. :meth:`close` cuts its connections, so that a thread that waits for one ends too."""

    seconds: float
    _start: float = field(default_factory=time.monotonic)
    _sockets: list[socket.socket] = field(default_factory=list)
    _closed: bool = False

    def left(self) -> float:
        """Seconds until the end; never negative."""
        return 0.0 if self._closed else max(0.0, self._start + self.seconds - time.monotonic())

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """What httpx calls while it connects."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._sockets.append(info["return_value"].get_extra_info("socket"))
            if self._closed:
                self.close()

    def close(self) -> None:
        """No more of this question."""
        self._closed = True
        for opened in self._sockets:
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)


def wait_turn(host: str, interval_s: float, call: Call, turns: Turns) -> None:
    """Wait until the host may be asked again: one interval between two requests, whoever of those who share `turns` makes them.

    A mirror of several indexes keeps the pace of each. Raises :class:`Fault` at once when the turn comes after the end of the question.
    """
    wait = turns.take(f"{host} {interval_s:g}", interval_s, call.left())
    if wait is None:
        raise Fault("its rate left no time to ask", counts=False)
    time.sleep(wait)


class Web:
    """The way to one index.

    `interval_s`: seconds between two requests to its host. `contact`: an address for the index's people, if any.
    """

    def __init__(self, url: str, interval_s: float, contact: str = "", cache: AnswerCache | None = None) -> None:
        self.url, self.contact, self.cache = url.rstrip("/"), contact, cache
        self._interval_s = interval_s
        # Whoever shares answers shares the pace.
        self._turns = Turns(cache.path.with_name(TURNS) if cache else None)

    def get(
        self,
        url: str,
        params: str | Mapping[str, str],
        call: Call,
        check: Callable[[bytes], object],
        headers: Mapping[str, str] | None = None,
    ) -> Page:
        """The answer to a question, from the cache or from the network. Raises :class:`Fault`.

        `check` raises :class:`Malformed` for what is no answer; that is asked again, and never kept.
        """
        query = httpx.QueryParams(params)
        key = self._key(url, query)
        kept = self.cache.get(key) if self.cache else None
        if kept is not None:
            with suppress(Malformed):
                check(kept.body)
                return Page(kept.body, kept.asked, key, fresh=False)
        if not reachable(self.url, call.left()):
            raise Fault(NOBODY)

        def once() -> Page:
            body = self._fetch(f"{url}?{query}", headers or {}, call)
            check(body)
            return Page(body, time.time(), key, fresh=True)

        return Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, Fault) and error.again),
            wait=_pause,
            stop=lambda state: state.attempt_number >= TRIES or state.upcoming_sleep >= call.left(),
            reraise=True,
        )(once)

    def keep(self, page: Page) -> None:
        """Put an answer that turned out to be whole and useful into the cache."""
        if self.cache and page.fresh:
            self.cache.put(page.key, page.body, page.asked)

    def may_send_key(self) -> bool:
        """Whether a key may be sent: over TLS, or to this machine."""
        parts = urlsplit(self.url)
        return parts.scheme == "https" or parts.hostname in _LOCAL

    def _key(self, url: str, query: httpx.QueryParams) -> str:
        # Who asks does not change the answer, and is nobody's business in a file.
        pairs = sorted((k, v) for k, v in query.multi_items() if k not in ("mailto", "api_key"))
        return sha256(json.dumps([url, pairs]).encode())

    def _fetch(self, url: str, headers: Mapping[str, str], call: Call) -> bytes:
        """The body of one answer of status 200, after at most :data:`MAX_REDIRECTS` redirects on the same host."""
        try:
            for _ in range(MAX_REDIRECTS + 1):
                body, elsewhere = self._request(url, headers, call)
                if not elsewhere:
                    return body
                if not _same_host(url, elsewhere):
                    raise Fault("redirected elsewhere")
                url = elsewhere
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:
            raise Fault("its address is not valid") from error
        except (httpx.TransportError, OSError) as error:
            if isinstance(error, httpx.TimeoutException) or call.left() <= 0:
                raise Fault(LATE) from error
            if isinstance(error, httpx.ConnectError):
                raise Fault(NOBODY) from error
            raise Fault("the connection was lost", again=True) from error
        raise Fault("redirected in circles")

    def _request(self, url: str, headers: Mapping[str, str], call: Call) -> tuple[bytes, str]:
        wait_turn(urlsplit(url).netloc, self._interval_s, call, self._turns)
        told = {"User-Agent": self._agent(), "Accept-Encoding": "gzip"} | dict(headers)
        extensions = {"trace": call.trace, "timeout": dict.fromkeys(_WAITS, max(0.05, min(SILENCE_S, call.left())))}
        # A client for each request: nothing is carried over, and `trace` sees every connection, so that it can be cut.
        with (
            httpx.Client(verify=_tls(), follow_redirects=False) as client,
            client.stream("GET", url, headers=told, extensions=extensions) as response,
        ):
            status = response.status_code
            if status in (301, 302, 303, 307, 308) and "location" in response.headers:
                return b"", urljoin(url, response.headers["location"])
            if status != 200:
                after = _seconds(response.headers.get("retry-after", ""))
                raise Fault(f"HTTP status {status}", again=status in _AGAIN, after=after)
            return _body(response, call), ""

    def _agent(self) -> str:
        return f"scientist/{__version__}" + (f" (mailto:{self.contact})" if self.contact else "")


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """The certificates that are trusted; reading them takes longer than a request."""
    return httpx.create_ssl_context()


_WAITS = ("connect", "read", "write", "pool")
_jitter = wait_random_exponential(multiplier=BACKOFF_S, max=10.0)


def _pause(state: RetryCallState) -> float:
    """A random pause, longer with every try; at least as long as the server asked for."""
    error = state.outcome.exception() if state.outcome else None
    return max(_jitter(state), error.after if isinstance(error, Fault) else 0.0)


def _body(response: httpx.Response, call: Call) -> bytes:
    """The bytes as they arrive, unpacked here so that a few packed ones cannot become a thousand times as many."""
    packed = response.headers.get("content-encoding", "identity").strip().lower()
    if packed not in ("identity", "gzip", ""):
        raise Malformed(f"encoding {packed[:20]}")
    unpack = zlib.decompressobj(wbits=31) if packed == "gzip" else None
    body = bytearray()
    for chunk in response.iter_raw():
        if call.left() <= 0:
            raise Fault(LATE)
        try:
            body += unpack.decompress(chunk, MAX_BYTES + 1 - len(body)) if unpack else chunk
        except zlib.error as error:
            raise Malformed("not gzip") from error
        if len(body) > MAX_BYTES:
            raise Fault("the answer is too large")
    if unpack and not unpack.eof:
        raise Malformed("cut short")
    return bytes(body)


def _same_host(url: str, other: str) -> bool:
    """Whether a redirect stays where it was: same host and port, and never from TLS to plain text."""
    a, b = urlsplit(url), urlsplit(other)
    if (a.scheme, a.netloc) == (b.scheme, b.netloc):
        return True
    return (a.scheme, b.scheme) == ("http", "https") and a.port is None and b.port is None and a.hostname == b.hostname


def _seconds(text: str) -> float:
    """The header Retry-After as seconds from now: a number or a date; anything else is nothing."""
    text = text.strip()[:60]
    if text.isascii() and text.isdigit():
        return min(float(text), 86_400.0)
    with suppress(ValueError, TypeError, OverflowError):
        date = parsedate_to_datetime(text)
        return min(86_400.0, max(0.0, (date - datetime.now(date.tzinfo)).total_seconds()))
    return 0.0


def read_json(body: bytes) -> Mapping[str, Any]:
    """An answer in JSON, which has to be an object. Raises :class:`Malformed`."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed("not JSON") from error
    if not isinstance(value, dict):
        raise Malformed("not an object")
    return value
