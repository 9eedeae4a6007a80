"""What is asked of a model, what comes back, and what it cost."""

from __future__ import annotations

import base64
from typing import Any, Literal

from pydantic import Field

from scientist.lab import Record, canonical_json, sha256

Outcome = Literal["open", "ok", "failed", "refused"]


class Image(Record):
    """A picture that goes with a question: a PNG, base64-encoded; `about` goes with it, and is left out where it is.

    `shows` is the SHA-256 of what the picture draws, where that is known: the same figure has other bytes on a machine with
    other libraries, and is the same figure.
    """

    png: str
    about: str
    shows: str = ""

    @classmethod
    def of(cls, data: bytes, about: str, shows: str = "") -> Image:
        """From the bytes of a PNG file."""
        return cls(png=base64.b64encode(data).decode(), about=about, shows=shows)

    def address(self) -> dict[str, str]:
        """What stands for the picture in the address of an answer."""
        return {"about": self.about, **({"shows": self.shows} if self.shows else {"png": self.png})}


class Message(Record):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    text: str


class Ask(Record):
    """One question, with everything that shapes the answer. `sample` tells independent answers to the same question apart.

    `shape` is a JSON schema when the answer is to be an object; else the answer is text. `sight`: without its pictures
    there is nothing to ask, so a server that takes none is not asked.
    """

    role: str
    task: str
    messages: tuple[Message, ...]
    images: tuple[Image, ...] = ()
    shape: dict[str, Any] | None = None
    max_tokens: int = Field(default=2048, ge=1)
    temperature: float = Field(default=0.0, ge=0, le=2)
    sample: int = Field(default=0, ge=0)
    sight: bool = False

    def key(self, model: str) -> str:
        """The content address of the answer: SHA-256, in hex. Role and task are labels and do not shape it."""
        said = self.model_dump(mode="json", exclude={"role", "task", "images", "sight"})
        return sha256(canonical_json([model, {**said, "images": [image.address() for image in self.images]}]))


class TokenUse(Record):
    """Tokens of one call. `cached` is the part of `tokens_in` that the provider had cached; `counted` says whether the
    server counted them or we estimated."""

    tokens_in: int = Field(ge=0)
    tokens_out: int = Field(ge=0)
    cached: int = Field(default=0, ge=0)
    counted: bool = True

    @property
    def total(self) -> int:
        return self.tokens_in + self.tokens_out


class Reply(Record):
    """What a server said."""

    text: str
    finish: str = "stop"
    refusal: str = ""
    use: TokenUse


class Try(Record):
    """One answer in a conversation, and what was wrong with it; nothing when it was accepted."""

    text: str
    problem: str = ""


class Conversation(Record):
    """A question, the answers tried, and how it ended: the file that is cache, recording and checkpoint in one."""

    schema_version: Literal[1] = 1
    key: str
    model: str
    role: str
    task: str
    outcome: Outcome = "open"
    tries: tuple[Try, ...] = ()
    reason: str = ""


class LedgerRow(Record):
    """One call that was made: who asked what of whom, and what it cost. `price` in US dollars, None when unknown."""

    paper: str
    role: str
    task: str
    model: str
    tokens_in: int
    tokens_out: int
    cached: int
    counted: bool
    price: float | None
    seconds: float
    request: str
    ended: str
