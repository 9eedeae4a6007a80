"""A model that says what it was told to say: for tests, and for trying a pipeline out."""

from __future__ import annotations

import threading
from collections.abc import Callable

from scientist.llm._records import Ask, Reply, TokenUse
from scientist.llm._wire import CHARS_PER_TOKEN, estimate_tokens


class ScriptedWire:
    """Answers with what `answer` returns for a question; `asked` holds all of them. Thread-safe."""

    def __init__(self, answer: Callable[[Ask], str | Reply], model: str = "scripted/model", local: bool = True) -> None:
        self.model, self.local = model, local
        self.asked: list[Ask] = []
        self._answer, self._lock = answer, threading.Lock()

    def send(self, ask: Ask) -> Reply:
        with self._lock:
            self.asked.append(ask)
        said = self._answer(ask)
        if isinstance(said, Reply):
            return said
        use = TokenUse(tokens_in=estimate_tokens(ask).tokens_in, tokens_out=int(len(said) / CHARS_PER_TOKEN) + 1)
        return Reply(text=said, use=use)
