"""Asking a model: cache, budget, bounded tries, recording and replay, in that order and in one place.

A conversation is a question and the answers tried until one keeps the rules. Its file, named by the hash of everything
that shapes the answer, is cache, checkpoint and recording in one:

- ended well: asking again costs nothing;
- left open by a crash or a reached cap: goes on with the answers that were paid for;
- failed or refused: kept for replay and for whoever wants to know; asking again asks anew.

With `replay` nothing is sent: every question must have its file.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from scientist.errors import ScientistError
from scientist.lab import write_atomic
from scientist.llm._budget import Budget
from scientist.llm._endpoint import secrets_in
from scientist.llm._errors import (
    ModelAnswerError,
    ModelError,
    ModelRefused,
    NoAnswer,
    NotRecorded,
    ReplayMiss,
)
from scientist.llm._reading import read_record, schema_of
from scientist.llm._records import Ask, Conversation, LedgerRow, Message, Outcome, Reply, TokenUse, Try
from scientist.llm._wire import Wire, estimate_tokens

T = TypeVar("T")
R = TypeVar("R", bound=BaseModel)

TRIES = 3
"""Answers that a question may take: the first, and two that are told what was wrong."""

_REFUSAL = re.compile(
    r"^\W*(?:i(?:'|’)?m sorry|i am sorry|sorry|i apologi[sz]e|i can(?:no|'|’)t|i am unable|i(?:'|’)m unable|as an ai)\b",
    re.IGNORECASE,
)


class Model:
    """A model that can be asked. `folder` holds its conversations; without a `wire` it replays only.

    Where a recording has no answer :class:`ReplayMiss` is raised, or with `misses_end` false :class:`NotRecorded`.
    """

    def __init__(
        self,
        label: str,
        wire: Wire | None,
        budget: Budget,
        folder: Path,
        secrets: Iterable[str] | None = None,
        misses_end: bool = True,
    ) -> None:
        self.label, self._misses_end = label, misses_end
        self._wire, self._budget, self._folder = wire, budget, folder
        self._secrets = list(secrets_in() if secrets is None else secrets)

    def ask(self, ask: Ask, read: Callable[[str], T], paper: str = "", tries: int = TRIES) -> T:
        """What `read` makes of the first answer that it takes; it raises :class:`ValueError` for one that it does not.

        The problem is then quoted to the model, up to `tries` answers in all. Raises a :class:`ModelError` when none was
        good, none came, or the model refuses; :class:`BudgetReached` before a call that could pass a cap.
        """
        key = ask.key(self.label)
        told = self._load(key)
        if told is None and self._wire is None and ask.images and not ask.sight:
            # A recording of somebody who showed no pictures answers to whoever would.
            ask = ask.model_copy(update={"images": ()})
            key = ask.key(self.label)
            told = self._load(key)
        if told is None or (told.outcome in ("failed", "refused") and self._wire is not None):
            told = Conversation(key=key, model=self.label, role=ask.role, task=ask.task)
        if told.outcome == "ok":
            try:
                return read(told.tries[-1].text)
            except ValueError:  # the rules changed since
                if self._wire is None:
                    raise self._missing(f"the recorded answer to '{ask.task}' breaks today's rules") from None
                told = told.model_copy(update={"outcome": "open", "tries": ()})
        if self._wire is None:
            raise self._replayed(told, ask)
        return self._go_on(told, ask, read, paper, tries)

    def ask_record(
        self,
        ask: Ask,
        record: type[R],
        check: Callable[[R], None] = lambda _: None,
        paper: str = "",
        tries: int = TRIES,
    ) -> R:
        """The answer as a record; `check` raises :class:`ValueError` for one that breaks a rule its types cannot say."""
        shaped = ask.model_copy(update={"shape": schema_of(record)})
        return self.ask(shaped, lambda text: read_record(text, record, check), paper, tries)

    # -- a conversation ------------------------------------------------------------------------------------------------

    def _go_on(self, told: Conversation, ask: Ask, read: Callable[[str], T], paper: str, tries: int) -> T:
        while len(told.tries) < tries:
            try:
                reply = self._send(_with(ask, told.tries), paper)
            except ModelRefused as error:
                self._end(told, "refused", error.message)
                raise
            except NoAnswer as error:
                raise self._failed(told, ask, error.message) from None
            text = self._clean(reply.text)
            if reply.refusal or reply.finish == "content_filter":
                self._end(told, "refused", self._clean(reply.refusal) or "stopped by the provider's filter")
                raise ModelRefused(f"{self.label} refused '{ask.task}'", "the step is taken by rules instead")
            try:
                if reply.finish == "length":
                    most = min(ask.max_tokens, reply.use.tokens_out) if reply.use.counted else ask.max_tokens
                    raise ValueError(f"the answer was cut off after {most} tokens: be shorter")
                value = read(text)
            except ValueError as error:
                problem = self._clean(str(error))[:600]
                told = told.model_copy(update={"tries": (*told.tries, Try(text=text, problem=problem))})
                self._save(told)
                continue
            told = told.model_copy(update={"tries": (*told.tries, Try(text=text))})
            self._end(told, "ok")
            return value
        last = told.tries[-1]
        if all(_REFUSAL.match(one.text) for one in told.tries):
            self._end(told, "refused", last.text[:300])
            raise ModelRefused(f"{self.label} refused '{ask.task}'", "the step is taken by rules instead")
        raise self._failed(told, ask, last.problem)

    def _failed(self, told: Conversation, ask: Ask, reason: str) -> ModelAnswerError:
        """A conversation that ends without an answer, the same in a replay."""
        self._end(told, "failed", reason)
        return self._unusable(told, ask, reason)

    def _unusable(self, told: Conversation, ask: Ask, reason: str) -> ModelAnswerError:
        tried = f" in {len(told.tries)} tries" if told.tries else ""
        return ModelAnswerError(
            f"{self.label} gave no usable answer to '{ask.task}'{tried}: {reason}", "the step is taken by rules instead"
        )

    def _send(self, ask: Ask, paper: str) -> Reply:
        assert self._wire is not None
        most = estimate_tokens(ask, self.label)
        with self._budget.call(paper, self.label, most, self._price(most)) as book:
            started = time.monotonic()

            def row(reply: Reply | None, ended: str) -> LedgerRow:
                use = reply.use if reply else None
                return LedgerRow(
                    paper=paper,
                    role=ask.role,
                    task=ask.task,
                    model=self.label,
                    tokens_in=use.tokens_in if use else 0,
                    tokens_out=use.tokens_out if use else 0,
                    cached=use.cached if use else 0,
                    counted=use.counted if use else False,
                    price=self._price(use) if use else 0.0,
                    seconds=round(time.monotonic() - started, 3),
                    request=ask.key(self.label),
                    ended=ended,
                )

            try:
                reply = self._wire.send(ask)
            except ScientistError as error:
                book(row(None, type(error).__name__))
                raise type(error)(self._clean(error.message), self._clean(error.remedy)) from None
            book(row(reply, reply.finish))
        return reply

    def _price(self, use: TokenUse) -> float | None:
        """US dollars; what runs on this machine is free."""
        return 0.0 if self._wire is not None and self._wire.local else self._budget.price(self.label, use)

    # -- files ---------------------------------------------------------------------------------------------------------

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"

    def _load(self, key: str) -> Conversation | None:
        try:
            found = Conversation.model_validate_json(self._path(key).read_bytes())
        except (OSError, ValidationError):
            return None
        return found if found.key == key else None

    def _save(self, told: Conversation) -> None:
        write_atomic(self._path(told.key), told.canonical())

    def _end(self, told: Conversation, outcome: Outcome, reason: str = "") -> None:
        self._save(told.model_copy(update={"outcome": outcome, "reason": reason}))

    def _replayed(self, told: Conversation, ask: Ask) -> ModelError:
        """The failure that was recorded, or that nothing was."""
        if told.outcome == "refused":
            return ModelRefused(f"{self.label} refused '{ask.task}'", "the step is taken by rules instead")
        if told.outcome == "failed":
            return self._unusable(told, ask, told.reason)
        return self._missing(f"the recording has no answer of {self.label} to '{ask.task}' ({told.key[:12]})")

    def _missing(self, what: str) -> ModelError:
        if self._misses_end:
            return ReplayMiss(what, "record it anew, without --replay")
        return NotRecorded(what, "the step is taken by rules instead")

    def _clean(self, text: str) -> str:
        """Without any key: a server may echo one."""
        for secret in self._secrets:
            text = text.replace(secret, "[key]")
        return text


def _with(ask: Ask, tries: tuple[Try, ...]) -> Ask:
    """The question, followed by the last answer and what was wrong with it. One round of that is enough to mend it."""
    if not tries:
        return ask
    last = tries[-1]
    said = (
        Message(role="assistant", text=last.text[:8000] or "(nothing)"),
        Message(
            role="user", text=f"That answer cannot be used: {last.problem}\nAnswer again, whole, with that mended."
        ),
    )
    return ask.model_copy(update={"messages": (*ask.messages, *said)})
