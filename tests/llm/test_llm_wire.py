"""A hostile endpoint: whatever it does ends in a reply or in a typed failure, within bounds."""

from __future__ import annotations

import time
from typing import Any

import pytest
from llm_server import completion, cuts, drips, fails, hangs, says, served

from scientist.llm import (
    Ask,
    HttpWire,
    Image,
    Message,
    ModelError,
    ModelRefused,
    ModelRejected,
    ModelUnavailable,
    QuestionTooLong,
    endpoint,
    estimate_tokens,
)

SHAPE = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"], "additionalProperties": False}


def ask(**more: Any) -> Ask:
    return Ask(role="writer", task="title", messages=(Message(role="user", text="Say it."),), **more)


def wire(url: str, **more: Any) -> HttpWire:
    """A wire that never waits, and says how long it would have."""
    waited: list[float] = []
    made = HttpWire(endpoint("any/model", base_url=url), pause=waited.append, **{"answer_s": 2.0, **more})
    made.waited = waited  # type: ignore[attr-defined]
    return made


def test_a_plain_answer_and_its_tokens() -> None:
    with served(says("hello")) as desk:
        reply = wire(desk.url).send(ask())
    assert (reply.text, reply.finish) == ("hello", "stop")
    assert (reply.use.tokens_in, reply.use.tokens_out, reply.use.cached, reply.use.counted) == (100, 10, 64, True)
    assert desk.requests[0]["model"] == "any/model"


def test_a_server_that_counts_nothing_is_estimated() -> None:
    with served(says("x" * 300, usage=False)) as desk:
        reply = wire(desk.url).send(ask())
    assert not reply.use.counted and reply.use.tokens_out == 101


@pytest.mark.parametrize("status", [429, 500, 502, 503, 529])
def test_what_passes_is_asked_again(status: int) -> None:
    with served(fails(status), fails(status), says("at last")) as desk:
        one = wire(desk.url)
        assert one.send(ask()).text == "at last" and desk.calls == 3
        assert len(one.waited) == 2  # type: ignore[attr-defined]


def test_the_server_says_how_long_to_wait_within_reason() -> None:
    with served(
        fails(429, Retry_After="7"), fails(429, Retry_After="86400"), fails(429, Retry_After="soon"), says("ok")
    ) as desk:
        one = wire(desk.url)
        one.send(ask())
    assert one.waited[:2] == [7.0, 60.0] and 0 <= one.waited[2] <= 60  # type: ignore[attr-defined]


def test_an_outage_ends_after_bounded_attempts_with_one_line_and_is_said() -> None:
    said: list[str] = []
    with served(fails(503, "overloaded")) as desk, pytest.raises(ModelUnavailable) as caught:
        wire(desk.url, say=said.append, attempts=4).send(ask())
    assert desk.calls == 4 and len(said) == 3 and "overloaded" in said[0]
    assert "resume" in str(caught.value) and "\n" not in str(caught.value)


def test_nobody_there() -> None:
    with served(says("x")) as desk:
        url = desk.url
    with pytest.raises(ModelUnavailable):
        wire(url, attempts=2).send(ask())


@pytest.mark.parametrize("behave", [hangs(5), drips], ids=["silence", "drip"])
def test_an_answer_that_does_not_end_is_given_up(behave: Any) -> None:
    with served(behave) as desk:
        began = time.monotonic()
        with pytest.raises(ModelUnavailable):
            wire(desk.url, answer_s=0.4, attempts=2).send(ask())
    assert time.monotonic() - began < 4


def test_a_cut_answer_is_asked_for_again() -> None:
    with served(cuts, says("whole")) as desk:
        assert wire(desk.url).send(ask()).text == "whole"


def test_a_flood_is_not_read_to_its_end() -> None:
    def flood(handler: Any, _: Any) -> None:
        handler.close_connection = True
        try:
            handler.send(200, completion("x" * (10 << 20)))
        except OSError:
            return

    with served(flood) as desk, pytest.raises(ModelUnavailable, match="larger than"):
        wire(desk.url, attempts=2, answer_s=10).send(ask())


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>Bad gateway</html>", "text/html"),
        (b'{"choices": [', "application/json"),
        (b'{"choices": []}', "application/json"),
        (b'{"choices": [{"message": {"content": 5}}]}', "application/json"),
        (b'{"error": "no"}', "application/json"),
        (b"[1, 2]", "application/json"),
        (b"", "application/json"),
        (b"\xff\xfe", "application/octet-stream"),
        (b"[" * 100_000, "application/json"),
    ],
)
def test_what_is_no_completion_is_a_typed_failure(body: bytes, kind: str) -> None:
    with served(lambda handler, _: handler.send(200, body, kind)) as desk, pytest.raises(ModelUnavailable):
        wire(desk.url, attempts=2).send(ask())


@pytest.mark.parametrize(
    ("status", "hint"), [(401, "OPENAI_API_KEY"), (403, "rights"), (404, "name"), (418, "settings")]
)
def test_what_will_not_pass_is_not_asked_again(status: int, hint: str) -> None:
    with served(fails(status, "no way")) as desk, pytest.raises(ModelRejected, match="no way") as caught:
        wire(desk.url).send(ask())
    assert desk.calls == 1 and hint in str(caught.value)


def test_an_empty_account_is_no_rate_limit() -> None:
    with (
        served(fails(429, "You exceeded your quota: insufficient_quota")) as desk,
        pytest.raises(ModelRejected, match="account"),
    ):
        wire(desk.url).send(ask())
    assert desk.calls == 1


def picky(*unknown: str) -> Any:
    """A server that refuses these parameters by name."""

    def behave(handler: Any, body: dict[str, Any]) -> None:
        for name in unknown:
            if name in body or body.get("response_format", {}).get("type") == name:
                fails(400, f"Unsupported parameter: '{name}'")(handler, body)
                return
        says('{"x": 1}')(handler, body)

    return behave


def test_a_refused_parameter_is_left_out_once_and_for_all() -> None:
    said: list[str] = []
    kept: set[str] = set()
    with served(picky("temperature", "max_completion_tokens", "json_schema")) as desk:
        one = wire(desk.url, say=said.append, learnt=kept.update)
        one.send(ask(shape=SHAPE))
        first = desk.calls
        one.send(ask(shape=SHAPE))
        assert desk.calls == first + 1
        another = wire(desk.url, refused=kept)
        another.send(ask(shape=SHAPE))
        assert desk.calls == first + 2
    last = desk.requests[-1]
    assert "temperature" not in last and last["max_tokens"] == 2048
    assert last["response_format"] == {"type": "json_object"} and '"x"' in last["messages"][0]["content"]
    assert len(said) == len(kept) == 3


def test_a_server_that_only_says_bad_request_loses_the_unusual_first() -> None:
    def behave(handler: Any, body: dict[str, Any]) -> None:
        (fails(400, "Bad Request") if "response_format" in body else says('{"x": 2}'))(handler, body)

    with served(behave) as desk:
        assert wire(desk.url).send(ask(shape=SHAPE)).text == '{"x": 2}'
    assert [body.get("response_format", {}).get("type") for body in desk.requests] == [
        "json_schema",
        "json_object",
        None,
    ]


def test_a_question_that_is_too_long_is_not_mistaken_for_a_refused_parameter() -> None:
    with served(fails(400, "maximum context length is 8192")) as desk, pytest.raises(QuestionTooLong, match="context"):
        wire(desk.url).send(ask(shape=SHAPE))
    assert desk.calls == 1


def test_pictures_are_left_out_for_a_model_that_does_not_see() -> None:
    def behave(handler: Any, body: dict[str, Any]) -> None:
        seen = isinstance(body["messages"][-1]["content"], list)
        (fails(400, "this model does not support image input") if seen else says("blind"))(handler, body)

    with served(behave) as desk:
        assert wire(desk.url).send(ask(images=(Image.of(b"png", "figure 1"),))).text == "blind"
    sent = desk.requests[0]["messages"][-1]["content"]
    assert sent[2]["image_url"]["url"] == "data:image/png;base64,cG5n"


def test_a_refusal_and_a_filter_are_told_apart_from_an_answer() -> None:
    with served(says(None, refusal="I will not."), says("", finish="content_filter")) as desk:
        one = wire(desk.url)
        assert one.send(ask()).refusal == "I will not."
        assert one.send(ask()).finish == "content_filter"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (500, "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"),
        (400, "Model does not support images. Please use a model that does."),
        (400, "Invalid content type. image_url is only supported by certain models."),
        (400, "'messages.0.content' must be a string"),
        (422, "messages[0]: invalid type: sequence, expected a string at line 1 column 57"),
        (422, "Failed to deserialize: unknown variant `image_url`, expected `text`"),
        (400, "At most 0 image(s) may be provided in one prompt."),
        (400, "this is not a multimodal model"),
        (404, "No endpoints found that support image input"),
        (400, "invalid message format"),
        (413, "Request Entity Too Large"),
        (400, "Bad Request"),
    ],
)
def test_however_a_server_says_that_it_takes_no_pictures(status: int, said: str) -> None:
    learnt: list[set[str]] = []
    with served(fails(status, said), says("blind")) as desk:
        one = wire(desk.url, learnt=learnt.append)
        asked = ask(images=(Image.of(b"png", "figure 1"),))
        assert one.send(asked).text == "blind" and one.send(asked).text == "blind"
        with pytest.raises(ModelRefused, match="takes no pictures"):
            one.send(asked.model_copy(update={"sight": True}))
    assert desk.calls == 3 and learnt == [{"images"}]
    assert [isinstance(body["messages"][0]["content"], list) for body in desk.requests] == [True, False, False]


def test_an_error_that_says_nothing_of_pictures_does_not_cost_them() -> None:
    long = fails(400, "maximum context length is 8192")
    with served(fails(500, "out of memory"), long) as desk, pytest.raises(ModelError, match="context"):
        wire(desk.url).send(ask(images=(Image.of(b"png", "figure 1"),)))
    assert all(isinstance(body["messages"][0]["content"], list) for body in desk.requests)


def test_pictures_stand_by_the_question_and_not_by_what_was_said_since() -> None:
    told = (
        Message(role="user", text="Say it."),
        Message(role="assistant", text="It."),
        Message(role="user", text="Again."),
    )
    with served(says("ok")) as desk:
        wire(desk.url).send(ask(images=(Image.of(b"png", "figure 1"),)).model_copy(update={"messages": told}))
    assert [isinstance(one["content"], list) for one in desk.requests[0]["messages"]] == [True, False, False]


def test_a_picture_is_reserved_for_by_its_size() -> None:
    def picture(width: int, height: int) -> Image:
        head = b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4, "big") + b"IHDR"
        return Image.of(head + width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x06", "")

    plain = estimate_tokens(ask()).tokens_in

    def taken(image: Image, model: str = "") -> int:
        return estimate_tokens(ask(images=(image,)), model).tokens_in - plain

    assert taken(picture(500, 20)) == 85 + 170  # one tile of 512 pixels
    assert taken(picture(1000, 500)) == 1260  # 32 times 16 patches of 32 pixels
    assert taken(picture(1000, 500), "openai/gpt-4o-mini") == 2833 + 2 * 5667
    assert taken(Image.of(b"no picture", "")) == taken(picture(1024, 1024))
