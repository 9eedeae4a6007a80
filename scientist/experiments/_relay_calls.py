"""What requests of a coding program cost: read from the answers as they pass, held under the lab's caps, one row each.

Nothing of a request is kept but its hash. Tokens are what the server says (chat completions, responses and messages, streamed
or whole); a server that does not say is estimated from the letters that passed, three to a token.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from scientist.errors import ScientistError
from scientist.lab import sha256
from scientist.llm import Budget, BudgetReached, LedgerRow, TokenUse

TASK = "implement_cli"
LETTERS_PER_TOKEN = 3.0
LONGEST_EVENT = 8 << 20
"""Bytes of an answer, or of one event of a stream, that are read for the usage in it."""

BOOKED_S = 2.0
UNSAID_ANSWER = 16_000
"""Tokens that are reserved where a request does not say how long its answer may be."""

_LIMITS = ("max_completion_tokens", "max_output_tokens", "max_tokens")
_COUNTS = ("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens")
_ASIDE = ("cache_creation_input_tokens", "cache_read_input_tokens")
_FREE = ("/count_tokens", "/input_tokens")


class Usage:
    """Reads the use of tokens out of an answer that is fed in pieces."""

    def __init__(self, kind: str) -> None:
        self._stream = kind.strip().lower().startswith("text/event-stream")
        self._rest = b""
        self._cut = False
        self._said: dict[str, int] = {}
        self._letters = 0

    def feed(self, piece: bytes) -> None:
        """The next piece of the answer's body."""
        self._rest += piece
        if self._stream:
            *lines, self._rest = self._rest.split(b"\n")
            for line in lines:
                if not self._cut and line.startswith(b"data:"):
                    self._read(line[5:])
                self._cut = False
        if len(self._rest) > LONGEST_EVENT:
            self._letters += len(self._rest)
            self._rest, self._cut = b"", True

    def end(self, asked: TokenUse) -> TokenUse:
        """What the call used; `asked` is the estimate of what was sent."""
        if self._rest and not self._cut:
            line = self._rest
            self._read(line[5:] if self._stream and line.startswith(b"data:") else line)
        self._rest = b""
        said = self._said
        if not any(name in said for name in _COUNTS):
            written = math.ceil(self._letters / LETTERS_PER_TOKEN)
            return TokenUse(tokens_in=asked.tokens_in, tokens_out=written, counted=False)
        # Anthropic counts what it had cached, or cached now, beside `input_tokens`; OpenAI within.
        read = max(
            said.get("prompt_tokens", 0), said.get("input_tokens", 0) + sum(said.get(name, 0) for name in _ASIDE)
        )
        written = max(said.get("completion_tokens", 0), said.get("output_tokens", 0))
        cached = max(said.get("cached_tokens", 0), said.get("cache_read_input_tokens", 0))
        return TokenUse(tokens_in=read, tokens_out=written, cached=min(cached, read))

    def _read(self, raw: bytes) -> None:
        try:
            found = json.loads(raw)
        except (ValueError, RecursionError):
            self._letters += 0 if raw.strip() == b"[DONE]" else len(raw)
            return
        if not isinstance(found, dict):
            return
        for holder in (found, found.get("response"), found.get("message")):
            if isinstance(holder, dict) and isinstance(holder.get("usage"), dict):
                self._take(holder["usage"])
        self._letters += _text_of(found, self._stream)

    def _take(self, usage: Mapping[str, Any]) -> None:
        """Streams repeat their sums as they grow: the largest one counts."""
        details = [usage.get(name) for name in ("prompt_tokens_details", "input_tokens_details")]
        cached = [one["cached_tokens"] for one in details if isinstance(one, dict) and "cached_tokens" in one]
        values = {name: usage.get(name) for name in (*_COUNTS, *_ASIDE)} | {
            "cached_tokens": max(cached, default=None, key=_whole)
        }
        for name, value in values.items():
            if isinstance(value, int) and value >= 0:
                self._said[name] = max(self._said.get(name, 0), value)


def _whole(value: object) -> int:
    return value if isinstance(value, int) else -1


def _text_of(found: Mapping[str, Any], stream: bool) -> int:
    """Letters that a model wrote in an event of a stream, or in a whole answer."""
    if not stream:
        return _letters([found.get(name) for name in ("choices", "content", "output")])
    choices = found.get("choices")
    parts = (
        [one.get("delta", one.get("text")) for one in choices if isinstance(one, dict)]
        if isinstance(choices, list)
        else []
    )
    return _letters([found.get("delta"), *parts])


def _letters(value: object, deep: int = 0) -> int:
    if isinstance(value, str):
        return len(value)
    if deep > 20 or not isinstance(value, list | dict):
        return 0
    parts = [v for k, v in value.items() if k not in ("role", "type", "id")] if isinstance(value, dict) else value
    return sum(_letters(part, deep + 1) for part in parts)


@dataclass
class CallMeter:
    """Books every request of a program that asks for something under the caps of a lab and of the paper `paper`.

    `model` is how the settings call what it asks; a request that names another model is booked and priced as that one.
    """

    budget: Budget
    paper: str
    model: str
    local: bool = False
    stopped: ScientistError | None = field(default=None, init=False)
    """Why nothing more is sent: a cap that a request could have passed. It ends the program, and the campaign."""
    _flying: set[float] = field(default_factory=set, init=False)

    @contextlib.contextmanager
    def call(self, method: str, path: str, body: bytes) -> Iterator[Call | None]:
        """Around one request; None for one that costs nothing. Raises :class:`BudgetReached` for one that must not be sent."""
        if method != "POST" or path.partition("?")[0].endswith(_FREE):
            yield None
            return
        model, most = self._asked(body)
        call, started = Call(most), time.monotonic()
        with self._reserved(model, most) as book:
            try:
                yield call
            finally:
                use = call.use()
                row = LedgerRow(
                    paper=self.paper,
                    role="experimenter",
                    task=TASK,
                    model=model,
                    tokens_in=use.tokens_in,
                    tokens_out=use.tokens_out,
                    cached=use.cached,
                    counted=use.counted,
                    price=self._price(model, use) if use.total else 0.0,
                    seconds=round(time.monotonic() - started, 3),
                    request=sha256(path.encode() + b"\n" + body),
                    ended=call.ended,
                )
                book(row)

    @contextlib.contextmanager
    def _reserved(self, model: str, most: TokenUse) -> Iterator[Callable[[LedgerRow], None]]:
        """Room under the caps for one request. Where there is none, requests that end this moment are waited for: a program
        may have read its answer to the end, and ask again, before that is booked."""
        begun = time.monotonic()
        with contextlib.ExitStack() as stack:
            stack.callback(self._flying.discard, begun)
            try:
                while True:
                    if self.stopped is not None:
                        raise self.stopped
                    try:
                        entered = self.budget.call(self.paper, model, most, self._price(model, most))
                        book = stack.enter_context(entered)
                        break
                    except BudgetReached:
                        if not self._flying or time.monotonic() > begun + BOOKED_S:
                            raise
                        time.sleep(0.02)
                self._flying.add(begun)
                yield book
            except ScientistError as error:
                self.stopped = self.stopped or error
                raise

    def _price(self, model: str, use: TokenUse) -> float | None:
        return 0.0 if self.local else self.budget.price(model, use)

    def _asked(self, body: bytes) -> tuple[str, TokenUse]:
        """Which model a request names, and the most that it may use."""
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            found = {}
        asked = found if isinstance(found, dict) else {}
        named = asked.get("model")
        model = "".join(c for c in named if c.isprintable())[:80] if isinstance(named, str) else ""
        if not model or self.model.endswith(f"/{model}"):
            model = self.model
        limits = [value for name in _LIMITS if isinstance(value := asked.get(name), int) and value > 0]
        answers = asked["n"] if isinstance(asked.get("n"), int) and asked["n"] > 1 else 1
        read = int(len(body) / LETTERS_PER_TOKEN) + 1
        longest = min(max(limits, default=UNSAID_ANSWER) * answers, 10_000_000)
        return model, TokenUse(tokens_in=read, tokens_out=longest, counted=False)


class Call:
    """One request on its way: what came of it."""

    def __init__(self, most: TokenUse) -> None:
        self._most = most
        self._usage: Usage | None = None
        self.ended = "no answer"

    def answered(self, status: int, kind: str) -> None:
        """The head of the answer is there; errors cost nothing."""
        self.ended = f"status {status}" if status >= 400 else "cut off"
        if status < 400:
            self._usage = Usage(kind)

    def feed(self, piece: bytes) -> None:
        """A piece of the answer went through."""
        if self._usage is not None:
            self._usage.feed(piece)

    def whole(self) -> None:
        """The answer came to its end."""
        if self._usage is not None:
            self.ended = "stop"

    def use(self) -> TokenUse:
        """What it used."""
        if self._usage is None:
            return TokenUse(tokens_in=0, tokens_out=0, counted=False)
        return self._usage.end(self._most)
