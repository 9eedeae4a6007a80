"""What a coding program asks is counted from the answers as they pass, and held under the caps of the lab."""

from __future__ import annotations

import http.client
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_code_changes import DIAL, LINE, idea

from scientist.experiments import CallMeter, CliExperimenter, coding_program
from scientist.experiments._relay import Relay
from scientist.experiments._relay_calls import UNSAID_ANSWER, Usage
from scientist.lab import Caps, RoleSettings
from scientist.llm import Budget, BudgetReached, Ledger, LedgerRow, TokenUse

SECRET = "sk-very-secret-0123456789"
SENT = TokenUse(tokens_in=50, tokens_out=1000, counted=False)
JSON, STREAM = "application/json; charset=utf-8", "text/event-stream"


def stream(*events: dict[str, Any], done: bool = False, named: bool = False) -> bytes:
    lines = [(f"event: {one['type']}\n" if named else "") + f"data: {json.dumps(one)}\n\n" for one in events]
    return ("".join(lines) + ("data: [DONE]\n\n" if done else "")).encode()


CHAT = json.dumps(
    {
        "choices": [{"message": {"role": "assistant", "content": "well"}}],
        "usage": {"prompt_tokens": 120, "completion_tokens": 30, "prompt_tokens_details": {"cached_tokens": 100}},
    }
).encode()
CHAT_STREAM = stream(
    {"choices": [{"delta": {"role": "assistant", "content": "we"}}], "usage": None},
    {"choices": [{"delta": {"content": "ll"}}], "usage": {"prompt_tokens": 120, "completion_tokens": 1}},
    {
        "choices": [],
        "usage": {"prompt_tokens": 120, "completion_tokens": 30, "prompt_tokens_details": {"cached_tokens": 100}},
    },
    done=True,
)
RESPONSES = stream(
    {"type": "response.created", "response": {"usage": None}},
    {"type": "response.output_text.delta", "delta": "well"},
    {
        "type": "response.completed",
        "response": {
            "output": [{"content": [{"type": "output_text", "text": "well"}]}],
            "usage": {"input_tokens": 120, "input_tokens_details": {"cached_tokens": 100}, "output_tokens": 30},
        },
    },
    named=True,
)
MESSAGES = stream(
    {"type": "message_start", "message": {"usage": {"input_tokens": 15, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 5, "output_tokens": 1}}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "well"}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 30}},
    {"type": "message_stop"},
    named=True,
)  # fmt: skip
SILENT = stream(*[{"choices": [{"delta": {"role": "assistant", "content": "abc"}}]} for _ in range(40)], done=True)


def used(kind: str, body: bytes, piece: int = 7) -> TokenUse:
    usage = Usage(kind)
    for at in range(0, len(body), piece):
        usage.feed(body[at : at + piece])
    return usage.end(SENT)


@pytest.mark.parametrize(
    ("kind", "body"), [(JSON, CHAT), (STREAM, CHAT_STREAM), (STREAM, RESPONSES), (STREAM, MESSAGES)]
)
def test_what_servers_count_is_read_however_it_is_cut(kind: str, body: bytes) -> None:
    for piece in (1, 7, 1 << 16):
        assert used(kind, body, piece) == TokenUse(tokens_in=120, tokens_out=30, cached=100)


def test_what_servers_do_not_count_is_estimated_from_what_was_written() -> None:
    assert used(STREAM, SILENT) == TokenUse(tokens_in=50, tokens_out=40, counted=False)
    whole = json.dumps({"choices": [{"message": {"role": "assistant", "content": "x" * 300}}]}).encode()
    assert used(JSON, whole) == TokenUse(tokens_in=50, tokens_out=100, counted=False)
    assert used("text/plain", b"x" * 300) == TokenUse(tokens_in=50, tokens_out=100, counted=False)
    assert used(JSON, b"") == TokenUse(tokens_in=50, tokens_out=0, counted=False)


@pytest.mark.parametrize(
    "body",
    [
        b"[1, 2]", b'{"usage": 3}', b'{"usage": {"prompt_tokens": -5, "completion_tokens": "many"}}', b"[" * 100_000,
        b'{"usage": {"prompt_tokens": 1e400}}', b'{"message": {"usage": []}}', b'{"choices": {"delta": 3}}',
    ],
)  # fmt: skip
def test_no_answer_breaks_the_counting(body: bytes) -> None:
    for kind, sent in ((JSON, body), (STREAM, b"data: " + body + b"\n\n")):
        use = used(kind, sent, 1 << 16)
        assert not use.counted and use.tokens_in == 50


@given(st.binary(max_size=300), st.sampled_from([JSON, STREAM, ""]), st.integers(1, 50))
def test_whatever_passes_gives_a_use(body: bytes, kind: str, piece: int) -> None:
    assert used(kind, body, piece).tokens_out <= len(body)


def test_an_event_without_end_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scientist.experiments._relay_calls.LONGEST_EVENT", 1000)
    usage = Usage(STREAM)
    for _ in range(50):
        usage.feed(b"data: " + b"x" * 300)
        assert len(usage._rest) <= 1400
    usage.feed(b"\n" + CHAT_STREAM)
    assert usage.end(SENT).counted


# -- through the relay ---------------------------------------------------------------------------------------------


class Server:
    """Answers with (content type, body, encoding asked for) in turn, the last for ever."""

    def __init__(self, *answers: tuple[str, bytes]) -> None:
        self.answers, self.asked = list(answers), list[dict[str, str]]()
        self.status = 200
        self.url = ""

    @contextmanager
    def up(self) -> Iterator[Server]:
        mine = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None: ...

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                mine.asked.append(dict(self.headers))
                kind, body = mine.answers[min(len(mine.asked), len(mine.answers)) - 1]
                self.send_response(mine.status)
                self.send_header("Content-Type", kind)
                self.end_headers()
                self.wfile.write(body)
                self.wfile.flush()
                if kind == "drip":
                    time.sleep(30)

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            server.daemon_threads = True
            self.url = f"http://127.0.0.1:{server.server_port}/v1"
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            yield self
            server.shutdown()


def meter(folder: Path, *, local: bool = False, model: str = "openai/gpt-5", **caps: Any) -> CallMeter:
    budget = Budget(Ledger(folder / "calls.jsonl"), Caps(**caps))
    return CallMeter(budget, "slug", model, local)


def rows(folder: Path) -> list[LedgerRow]:
    return list(Ledger(folder / "calls.jsonl").rows())


@contextmanager
def relayed(server: Server, held: CallMeter) -> Iterator[int]:
    relay = Relay(server.url, {"word": SECRET}, held)
    listener = socket.create_server(("127.0.0.1", 0))
    relay.serve(listener)
    try:
        yield listener.getsockname()[1]
    finally:
        relay.stop()


def post(port: int, body: dict[str, Any], path: str = "/v1/chat/completions") -> tuple[int, str]:
    inside = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Authorization": "Bearer word", "Accept-Encoding": "gzip"}
    inside.request("POST", path, json.dumps(body).encode(), headers)
    answer = inside.getresponse()
    said = answer.read().decode()
    inside.close()
    return answer.status, said


def test_every_request_is_a_row_with_its_price_and_nothing_of_it_is_kept(tmp_path: Path) -> None:
    body = {"model": "gpt-5", "messages": [{"role": "user", "content": "a planted sentence"}], "max_tokens": 100}
    answers = (JSON, CHAT), (STREAM, CHAT_STREAM), (STREAM, SILENT)
    with Server(*answers).up() as server, relayed(server, meter(tmp_path)) as port:
        for _ in range(3):
            assert post(port, body)[0] == 200
        assert post(port, body, "/v1/messages/count_tokens")[0] == 200
        assert post(port, {**body, "model": "nobody-knows\n\x1b[31m" + "x" * 200})[0] == 200
    assert server.asked[0]["Authorization"] == f"Bearer {SECRET}" and server.asked[0]["Accept-Encoding"] == "identity"
    first, second, third, unknown = rows(tmp_path)
    assert (first.role, first.task, first.paper, first.model) == (
        "experimenter",
        "implement_cli",
        "slug",
        "openai/gpt-5",
    )
    assert [(r.tokens_in, r.tokens_out, r.cached, r.counted, r.ended) for r in (first, second)] == [
        (120, 30, 100, True, "stop")
    ] * 2
    assert first.price and 0 < first.price < 0.01 and first.seconds >= 0 and first.request == second.request
    assert not third.counted and third.tokens_out == 40 and third.price
    assert unknown.price is None and unknown.model.startswith("nobody-knows[31mx") and len(unknown.model) == 80
    text = (tmp_path / "calls.jsonl").read_text()
    assert SECRET not in text and "planted" not in text


def test_errors_and_what_is_cut_off_are_rows_too(tmp_path: Path) -> None:
    with Server((JSON, b'{"error": "no"}')).up() as server:
        server.status = 500
        with relayed(server, meter(tmp_path, local=True)) as port:
            assert post(port, {"model": "m"})[0] == 500
    with Server(("drip", b"x" * 30)).up() as server:
        held = meter(tmp_path, local=True)
        with relayed(server, held) as port:
            inside = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            inside.request("POST", "/v1/x", b"{}")
            assert inside.getresponse().read(30) == b"x" * 30
            began = time.monotonic()
        assert time.monotonic() - began < 4  # what is under way when the program has ended is cut off, and booked
    server.url = "http://127.0.0.1:9/v1"
    with relayed(server, held) as port:
        assert post(port, {})[0] == 502
    failed, cut, nobody = rows(tmp_path)
    assert (failed.tokens_in, failed.price, failed.ended) == (0, 0.0, "status 500")
    assert (cut.ended, cut.counted) == ("cut off", False) and cut.tokens_in > 0
    assert (nobody.tokens_in, nobody.ended) == (0, "no answer")


def test_what_could_pass_a_cap_is_not_sent_and_nothing_is_after_it(tmp_path: Path) -> None:
    with Server((JSON, CHAT)).up() as server:
        held = meter(tmp_path, tokens=1000)
        with relayed(server, held) as port:
            assert post(port, {"model": "gpt-5", "max_tokens": 500})[0] == 200  # 150 are used
            status, said = post(port, {"model": "gpt-5", "max_tokens": 900})
            assert status == 429 and "the budget of the campaign is used up" in json.loads(said)["error"]["message"]
            assert post(port, {"model": "gpt-5", "max_tokens": 5})[0] == 429
    assert len(server.asked) == 1 == len(rows(tmp_path))
    assert isinstance(held.stopped, BudgetReached) and "--budget tokens=" in held.stopped.remedy


def test_a_request_that_does_not_say_how_long_its_answer_may_be_reserves_for_a_long_one(tmp_path: Path) -> None:
    with Server((JSON, CHAT)).up() as server, relayed(server, meter(tmp_path, tokens=UNSAID_ANSWER)) as port:
        assert post(port, {"model": "gpt-5"})[0] == 429
        assert not server.asked


def test_money_is_capped_only_where_the_price_is_known(tmp_path: Path) -> None:
    with Server((JSON, CHAT)).up() as server:
        for model, local, status in (("gpt-5", False, 200), ("nobody-knows", False, 429), ("nobody-knows", True, 200)):
            with relayed(server, meter(tmp_path, local=local, dollars=1.0)) as port:
                assert post(port, {"model": model, "max_tokens": 100})[0] == status


# -- through a program ---------------------------------------------------------------------------------------------

SCRIPT = f"""
import http.client, json, os, pathlib, sys, time, urllib.parse
at = urllib.parse.urlsplit(os.environ["OPENAI_BASE_URL"])
def ask():
    c = http.client.HTTPConnection(at.hostname, at.port, timeout=10)
    body = json.dumps({{"model": "gpt-5", "max_tokens": 200}})
    c.request("POST", at.path + "/chat/completions", body, {{"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"]}})
    answer = c.getresponse()
    return answer.status, answer.read()
train = pathlib.Path("train.py")
for _ in range(4):
    if ask()[0] == 429:
        time.sleep(HANG)
train.write_text(train.read_text().replace({LINE!r}, {LINE!r} + " + 1.0"))
"""


@pytest.mark.parametrize("hang", [0, 300])
def test_a_cap_in_the_midst_ends_program_and_campaign_and_raising_it_goes_on(tmp_path: Path, hang: int) -> None:
    file = tmp_path / "coder.py"
    file.write_text(SCRIPT.replace("HANG", str(hang)))

    def player(url: str, tokens: int) -> CliExperimenter:
        role = RoleSettings(
            command=(sys.executable, str(file)), base_url=url, env=("OPENAI_BASE_URL", "OPENAI_API_KEY"), minutes=0.5
        )
        program = coding_program(role, {"OPENAI_API_KEY": SECRET})
        held = meter(tmp_path, tokens=tokens)
        return CliExperimenter(program, "process", tmp_path / "scratch", tmp_path / "variants", meter=held)

    def try_out(_: object) -> tuple[str, str, str]:
        return "ok", "", ""

    with Server((JSON, CHAT)).up() as server:
        began = time.monotonic()
        with pytest.raises(BudgetReached, match="used up"):
            player(server.url, 600).implement(idea(), DIAL, try_out)
        assert time.monotonic() - began < 20 and len(rows(tmp_path)) == 3 and not (tmp_path / "scratch").exists()
        files, _ = player(server.url, 10_000).implement(idea(), DIAL, try_out)
    assert b"+ 1.0" in files["train.py"] and len(rows(tmp_path)) == 7
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
