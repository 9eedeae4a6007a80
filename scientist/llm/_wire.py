"""One request to an OpenAI-compatible server, and what its answer means. Knows nothing of budgets, caches or roles."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from scientist.lab import canonical_json
from scientist.llm._endpoint import Endpoint
from scientist.llm._errors import ModelRefused, ModelRejected, ModelUnavailable, QuestionTooLong
from scientist.llm._records import Ask, Image, Reply, TokenUse

if TYPE_CHECKING:
    import openai  # takes more than a second; whoever asks no model should not wait for it

ANSWER_S = 600.0
"""For one answer, from the first byte sent to the last one read."""

ATTEMPTS = 5
LONGEST_PAUSE_S = 60.0
CHARS_PER_TOKEN = 3.0
"""On the safe side for English and code, of which a token is about four characters."""

TILE, PATCH = 512, 32
UNKNOWN_SIDE = 1024

BLIND = (
    "image",
    "multimodal",
    "multi-modal",
    "vision",
    "mmproj",
    "must be a string",
    "expected a string",
    "expected string",
    "valid string",
    "message format",
)
"""Words with which servers say that they take no pictures, or no message in parts; some of them with a status of 500."""

TOO_LONG = re.compile(
    r"context[ _-]?(?:length|size|window)|maximum context|prompt is too long|input is too long|too many (?:input )?tokens",
    re.IGNORECASE,
)
"""How servers say that question and answer together are more than the model can hold."""

Say = Callable[[str], None]


class Wire(Protocol):
    """Sends one question and brings one answer."""

    model: str
    local: bool

    def send(self, ask: Ask) -> Reply:
        """Raises :class:`ModelUnavailable`, :class:`ModelRejected`, or :class:`QuestionTooLong`."""


def estimate_tokens(ask: Ask, model: str = "") -> TokenUse:
    """An upper estimate of what a call will use: three characters to a token, what pictures take, and the longest answer
    allowed."""
    size = sum(len(message.text) for message in ask.messages)
    size += len(canonical_json(ask.shape)) if ask.shape else 0
    size += sum(len(image.about) for image in ask.images)
    read = int(size / CHARS_PER_TOKEN) + 1 + sum(picture_tokens(image, model) for image in ask.images)
    return TokenUse(tokens_in=read, tokens_out=ask.max_tokens, counted=False)


def picture_tokens(image: Image, model: str = "") -> int:
    """The most that a picture takes as tokens, by its size.

    OpenAI's models count 85 and 170 for each tile of 512 pixels, gpt-4o-mini 2833 and 5667; later ones up to 2.46 for each
    patch of 32 pixels; the other providers less than one of these. The larger of the two is taken. Source:
    https://platform.openai.com/docs/guides/images-vision.
    """
    width, height = _size(image)
    tiles = math.ceil(width / TILE) * math.ceil(height / TILE)
    if "4o-mini" in model:
        return 2833 + 5667 * tiles
    return max(85 + 170 * tiles, math.ceil(2.46 * math.ceil(width / PATCH) * math.ceil(height / PATCH)))


def _size(image: Image) -> tuple[int, int]:
    """Width and height in pixels, from the header of the PNG."""
    try:
        head = base64.b64decode(image.png[:32])
    except binascii.Error:
        head = b""
    if len(head) < 24 or not head.startswith(b"\x89PNG"):
        return UNKNOWN_SIDE, UNKNOWN_SIDE
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Said(_Lenient):
    content: str | None = None
    refusal: str | None = None


class _Choice(_Lenient):
    message: _Said
    finish_reason: str | None = None


class _Details(_Lenient):
    cached_tokens: int | None = None


class _Usage(_Lenient):
    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(ge=0)
    prompt_tokens_details: _Details | None = None


class _Body(_Lenient):
    """As much of a completion as we need; servers differ in the rest."""

    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


class _Busy(Exception):
    """Worth asking again later; `after_s` when the server said how much later."""

    def __init__(self, message: str, after_s: float | None = None) -> None:
        super().__init__(message)
        self.after_s = after_s


class HttpWire:
    """The `openai` client at an :class:`Endpoint`, with bounded retries.

    What a server refuses is left out from then on: a parameter, a form of response, images. `refused` may be shared
    between processes of a lab by passing what an earlier one learnt; `learnt` is called when it grows.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        say: Say = lambda _: None,
        *,
        refused: Iterable[str] = (),
        learnt: Callable[[set[str]], None] = lambda _: None,
        answer_s: float = ANSWER_S,
        attempts: int = ATTEMPTS,
        pause: Callable[[float], None] | None = None,
    ) -> None:
        import httpx2
        import openai

        from scientist.llm._transport import BoundedTransport

        self.model, self.local = endpoint.label, endpoint.local
        self._endpoint, self._say, self._learnt = endpoint, say, learnt
        self._refused = set(refused)
        self._attempts = attempts
        self._pause = pause or time.sleep
        self._client = openai.OpenAI(
            api_key=endpoint.key(),
            base_url=endpoint.base_url,
            max_retries=0,
            timeout=answer_s,
            http_client=httpx2.Client(transport=BoundedTransport(answer_s), timeout=answer_s, trust_env=True),
        )

    def send(self, ask: Ask) -> Reply:
        retrying = Retrying(
            retry=retry_if_exception_type(_Busy),
            stop=stop_after_attempt(self._attempts),
            wait=_patience,
            sleep=self._pause,
            before_sleep=self._tell,
            reraise=True,
        )
        try:
            return retrying(self._send_once, ask)
        except _Busy as error:
            raise ModelUnavailable(
                f"{self.model} does not answer: {error}", "`scientist resume` continues when it does"
            ) from error

    def _tell(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        wait = state.next_action.sleep if state.next_action else 0.0
        self._say(f"{self.model}: {error}; asking again in {wait:.0f} s")

    def _send_once(self, ask: Ask) -> Reply:
        import httpx2
        import openai

        while True:
            if ask.sight and "images" in self._refused:
                raise ModelRefused(f"{self.model} takes no pictures", "choose a model that does")
            parameters = self._parameters(ask)
            try:
                answer = self._client.chat.completions.with_raw_response.create(**parameters)
                return self._read(ask, answer.http_response.content, answer.http_response.headers)
            except openai.APIStatusError as error:
                if not self._learn(error, parameters):
                    raise self._meaning(error) from error
            except openai.APIConnectionError as error:
                raise _Busy(_cause(error)) from error
            except httpx2.HTTPError as error:
                raise _Busy(str(error)[:200] or type(error).__name__) from error
            except openai.OpenAIError as error:
                raise ModelRejected(f"{self.model}: {_one_line(str(error))}", "check the endpoint") from error

    def _parameters(self, ask: Ask) -> dict[str, Any]:
        """The body of the request, without what this server has refused before."""
        shape, messages = ask.shape, [message.model_dump() for message in ask.messages]
        sent: list[dict[str, Any]] = [{"role": one["role"], "content": one["text"]} for one in messages]
        if ask.images and "images" not in self._refused:
            # With the question itself, not with what was said since: a provider can go on caching what comes first.
            asked = next(one for one in sent if one["role"] == "user")
            parts: list[dict[str, Any]] = [{"type": "text", "text": asked["content"]}]
            for image in ask.images:
                parts.append({"type": "text", "text": image.about})
                parts.append({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{image.png}"}})
            asked["content"] = parts
        made: dict[str, Any] = {"model": self._endpoint.name, "messages": sent}
        made["max_tokens" if "max_completion_tokens" in self._refused else "max_completion_tokens"] = ask.max_tokens
        if "temperature" not in self._refused:
            made["temperature"] = ask.temperature
        if shape is not None:
            if "json_schema" not in self._refused:
                schema = {"name": "answer", "strict": True, "schema": shape}
                made["response_format"] = {"type": "json_schema", "json_schema": schema}
            else:
                # The server does not enforce the shape, so the question has to say it.
                said = json.dumps(shape, sort_keys=True)
                sent[0] = {
                    **sent[0],
                    "content": f"{sent[0]['content']}\n\nAnswer with one JSON object of this schema:\n{said}",
                }
                if "json_object" not in self._refused:
                    made["response_format"] = {"type": "json_object"}
        return {name: value for name, value in made.items() if name not in self._refused}

    def _learn(self, error: openai.APIStatusError, sent: Mapping[str, Any]) -> bool:
        """Whether the server refused something that can be left out; it is, from now on."""
        said = _told(error).lower()
        with_images = any(isinstance(message["content"], list) for message in sent["messages"])
        blind = with_images and any(word in said for word in BLIND)
        if error.status_code not in (400, 404, 413, 415, 422, 501) and not (error.status_code == 500 and blind):
            return False
        form = sent.get("response_format", {}).get("type", "")
        guesses = [
            ("images", blind or (with_images and error.status_code == 413 and "context" not in said)),
            ("max_completion_tokens", "max_completion_tokens" in sent and "max_completion_tokens" in said),
            ("max_tokens", "max_tokens" in sent and "max_tokens" in said),
            ("temperature", "temperature" in sent and "temperature" in said),
            (
                form,
                bool(form)
                and any(
                    word in said for word in ("response_format", "json_schema", "json_object", "schema", "grammar")
                ),
            ),
            # Some servers say no more than "bad request": the least usual thing goes first.
            (form, bool(form) and error.status_code in (400, 422, 501) and "context" not in said),
            ("images", with_images and error.status_code in (400, 415, 422, 501) and "context" not in said),
            (
                "max_completion_tokens",
                error.status_code in (400, 422) and "max_completion_tokens" in sent and "context" not in said,
            ),
        ]
        for name, applies in guesses:
            if applies and name and name not in self._refused:
                self._refused.add(name)
                self._learnt(set(self._refused))
                self._say(f"{self.model} refuses '{name}': left out from now on")
                return True
        return False

    def _meaning(self, error: openai.APIStatusError) -> Exception:
        """What an HTTP status is to us."""
        said = _one_line(_told(error))
        code = error.status_code
        if code in (408, 409, 425, 429) or code >= 500:
            if "insufficient_quota" in said or "billing" in said.lower():
                return ModelRejected(f"{self.model}: {said}", "top up the account, or choose another model")
            return _Busy(f"{code} {said}".strip(), _retry_after(error.response.headers))
        if code in (400, 413, 422) and TOO_LONG.search(said):
            return QuestionTooLong(
                f"the question is too long for {self.model}: {said}", "choose a model with more context"
            )
        remedy = {401: f"check {self._endpoint.key_env or 'the key'}", 403: "check the key's rights"}
        remedy[404] = "check the model's name and base_url"
        return ModelRejected(f"{self.model} answered {code}: {said}", remedy.get(code, "check the endpoint's settings"))

    def _read(self, ask: Ask, body: bytes, headers: Mapping[str, str]) -> Reply:
        """The completion in an answer. An answer that is none at all is worth one more request."""
        kind = headers.get("content-type", "")
        try:
            found = _Body.model_validate_json(body)
        except ValidationError as error:
            what = "no JSON" if "json_invalid" in str(error.errors()[0]["type"]) else "no completion"
            raise _Busy(f"the answer is {what} ({kind or 'no content type'})") from error
        said = found.choices[0].message
        text = said.content or ""
        estimated = TokenUse(
            tokens_in=estimate_tokens(ask, self.model).tokens_in,
            tokens_out=int(len(text) / CHARS_PER_TOKEN) + 1,
            counted=False,
        )
        use = estimated
        if found.usage is not None:
            details = found.usage.prompt_tokens_details
            cached = min((details.cached_tokens if details else 0) or 0, found.usage.prompt_tokens)
            use = TokenUse(
                tokens_in=found.usage.prompt_tokens, tokens_out=found.usage.completion_tokens, cached=max(0, cached)
            )
        return Reply(text=text, finish=found.choices[0].finish_reason or "stop", refusal=said.refusal or "", use=use)


_jitter = wait_random_exponential(multiplier=1.0, max=LONGEST_PAUSE_S)


def _patience(state: RetryCallState) -> float:
    """Seconds until the next attempt: what the server asked for, within bounds, else exponential with jitter."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.after_s if isinstance(error, _Busy) else None
    return min(asked, LONGEST_PAUSE_S) if asked is not None else _jitter(state)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None


def _told(error: openai.APIStatusError) -> str:
    """What the server said went wrong."""
    body = error.body
    if isinstance(body, dict):
        inner = body.get("error", body)
        parts = [inner.get("message"), inner.get("param"), inner.get("code")] if isinstance(inner, dict) else [inner]
        return " ".join(str(part) for part in parts if part)
    return str(body or error.message)


def _cause(error: openai.APIConnectionError) -> str:
    """Why there was no answer, without addresses of memory or traces."""
    import openai

    if isinstance(error, openai.APITimeoutError):
        return "no answer in time"
    return _one_line(str(error.__cause__ or error))


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]
