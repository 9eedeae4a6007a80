"""Cache, budget, bounded tries, resume and replay: nothing is paid for twice and nothing passes a cap."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llm_server import fails, says, served
from pydantic import Field

from scientist.lab import Caps, Record
from scientist.llm import (
    Ask,
    Budget,
    BudgetReached,
    HttpWire,
    Image,
    Ledger,
    LedgerRow,
    Message,
    Model,
    ModelAnswerError,
    ModelRefused,
    ModelRejected,
    ModelUnavailable,
    NotRecorded,
    ReplayMiss,
    Reply,
    ScriptedWire,
    TokenUse,
    endpoint,
    known_price,
)

KEY = "sk-very-secret-0123456789"


class Point(Record):
    """A test's record."""

    x: int = Field(ge=0)
    name: str = "none"


def ask(text: str = "Where?", **more: Any) -> Ask:
    return Ask(role="proposer", task="point", messages=(Message(role="user", text=text),), **more)


def model(
    folder: Path, wire: Any, *, campaign: Caps | None = None, paper: Caps | None = None, price: Any = None
) -> Model:
    budget = Budget(Ledger(folder / "calls.jsonl"), campaign, paper, price)
    return Model("scripted/model", wire, budget, folder / "said", secrets=[KEY])


def rows(folder: Path) -> list[LedgerRow]:
    return list(Ledger(folder / "calls.jsonl").rows())


def test_an_answer_becomes_a_record_and_is_paid_for_once(tmp_path: Path) -> None:
    wire = ScriptedWire(lambda _: '```json\n{"x": 3, "name": "a"}\n```')
    for _ in range(3):
        assert model(tmp_path, wire).ask_record(ask(), Point, paper="p") == Point(x=3, name="a")
    assert len(wire.asked) == 1
    (row,) = rows(tmp_path)
    assert (row.paper, row.role, row.task, row.price, row.ended) == ("p", "proposer", "point", 0.0, "stop")
    assert wire.asked[0].shape is not None and wire.asked[0].shape["required"] == ["x", "name"]


@pytest.mark.parametrize(
    "change",
    [
        {"messages": (Message(role="user", text="Where then?"),)},
        {"temperature": 0.5},
        {"sample": 1},
        {"max_tokens": 5},
        {"shape": {"type": "object"}},
    ],
)
def test_everything_that_shapes_the_answer_is_in_its_address(change: dict[str, Any]) -> None:
    one = ask()
    assert one.key("m") != one.model_copy(update=change).key("m")
    assert one.key("m") != one.key("n")
    assert one.key("m") == one.model_copy(update={"role": "writer", "task": "other"}).key("m")


def test_a_broken_rule_is_quoted_and_the_second_answer_taken(tmp_path: Path) -> None:
    answers = iter(['{"x": -1}', '{"x": 4}'])
    wire = ScriptedWire(lambda _: next(answers))
    assert model(tmp_path, wire).ask_record(ask(), Point).x == 4
    told = wire.asked[1].messages
    assert told[1].role == "assistant" and told[1].text == '{"x": -1}'
    assert "x" in told[2].text and "greater than or equal to 0" in told[2].text


def test_nonsense_that_keeps_the_schema_meets_the_rule_its_types_cannot_say(tmp_path: Path) -> None:
    def even(point: Point) -> None:
        if point.x % 2:
            raise ValueError("x must be even")

    wire = ScriptedWire(lambda _: '{"x": 7, "name": ""}')
    with pytest.raises(ModelAnswerError, match=r"3 tries: x must be even"):
        model(tmp_path, wire).ask_record(ask(), Point, even)
    assert len(wire.asked) == 3 == len(rows(tmp_path))


@pytest.mark.parametrize(
    "answer",
    [
        "", "none", "{", "[1, 2]", '{"y": 1}', '{"x": "many"}', '{"x": NaN}', '{"x": 1e400}', "{" * 5000, '{"a":' * 3000,
        '{"x": 1, "name": "a", "more": true}', "I think x is 3.", "\x00", '{"x": true}',
    ],
)  # fmt: skip
def test_rubbish_ends_in_a_typed_failure(tmp_path: Path, answer: str) -> None:
    with pytest.raises(ModelAnswerError) as caught:
        model(tmp_path, ScriptedWire(lambda _: answer)).ask_record(ask(), Point)
    assert "\n" not in str(caught.value)


def test_failures_are_not_cached_but_are_replayed(tmp_path: Path) -> None:
    with pytest.raises(ModelAnswerError):
        model(tmp_path, ScriptedWire(lambda _: "no")).ask_record(ask(), Point)
    with pytest.raises(ModelAnswerError, match="no JSON object"):
        model(tmp_path, None).ask_record(ask(), Point)
    assert model(tmp_path, ScriptedWire(lambda _: '{"x": 1}')).ask_record(ask(), Point).x == 1
    assert model(tmp_path, None).ask_record(ask(), Point).x == 1


@pytest.mark.parametrize(
    "reply",
    [
        Reply(text="", refusal="No.", use=TokenUse(tokens_in=1, tokens_out=1)),
        Reply(text="", finish="content_filter", use=TokenUse(tokens_in=1, tokens_out=1)),
        Reply(text="I'm sorry, but I can't help with that.", use=TokenUse(tokens_in=1, tokens_out=1)),
    ],
)
def test_a_refusal_is_called_one_and_asked_anew_another_time(tmp_path: Path, reply: Reply) -> None:
    with pytest.raises(ModelRefused):
        model(tmp_path, ScriptedWire(lambda _: reply)).ask_record(ask(), Point)
    with pytest.raises(ModelRefused):
        model(tmp_path, None).ask_record(ask(), Point)
    assert model(tmp_path, ScriptedWire(lambda _: '{"x": 1}')).ask_record(ask(), Point).x == 1


def test_an_answer_that_was_cut_off_is_not_taken_even_when_it_reads_well(tmp_path: Path) -> None:
    cut = Reply(text='{"x": 1}', finish="length", use=TokenUse(tokens_in=1, tokens_out=700))
    wire = ScriptedWire(lambda _: cut)
    with pytest.raises(ModelAnswerError, match="cut off after 700 tokens"):
        model(tmp_path, wire).ask_record(ask(), Point)


def test_replay_sends_nothing_and_misses_loudly(tmp_path: Path) -> None:
    with pytest.raises(ReplayMiss, match="--replay"):
        model(tmp_path, None).ask_record(ask(), Point)
    lenient = Model("desk/model", None, Budget(Ledger(tmp_path / "calls.jsonl")), tmp_path / "said", misses_end=False)
    with pytest.raises(NotRecorded, match="taken by rules"):
        lenient.ask_record(ask(), Point)


def test_a_cap_ends_a_conversation_half_way_and_going_on_pays_for_nothing_twice(tmp_path: Path) -> None:
    answers = iter(["rubbish", '{"x": 9}'])
    wire = ScriptedWire(lambda _: next(answers))
    with pytest.raises(BudgetReached, match=r"1 calls of 1 calls spent.*--budget calls="):
        model(tmp_path, wire, campaign=Caps(calls=1)).ask_record(ask(), Point)
    assert len(wire.asked) == 1
    assert model(tmp_path, wire, campaign=Caps(calls=2)).ask_record(ask(), Point).x == 9
    assert len(wire.asked) == 2 == len(rows(tmp_path))


def test_a_kill_between_answer_and_ledger_cannot_hide_a_call(tmp_path: Path) -> None:
    one = model(tmp_path, ScriptedWire(lambda _: '{"x": 1}'))
    one.ask_record(ask(), Point)
    path = tmp_path / "calls.jsonl"
    path.write_bytes(path.read_bytes() + b'{"paper": "half a li')
    one = model(tmp_path, ScriptedWire(lambda _: '{"x": 1}'))
    one.ask_record(ask("Another?"), Point)
    assert len(rows(tmp_path)) == 2


def test_caps_hold_for_a_paper_and_for_the_campaign(tmp_path: Path) -> None:
    wire = ScriptedWire(lambda _: '{"x": 1}')
    one = model(tmp_path, wire, campaign=Caps(calls=3), paper=Caps(calls=2))
    one.ask_record(ask("1"), Point, paper="a")
    one.ask_record(ask("2"), Point, paper="a")
    with pytest.raises(BudgetReached, match="budget of the paper"):
        one.ask_record(ask("3"), Point, paper="a")
    one.ask_record(ask("4"), Point, paper="b")
    with pytest.raises(BudgetReached, match="budget of the campaign"):
        one.ask_record(ask("5"), Point, paper="b")


@given(
    caps=st.builds(Caps, tokens=st.integers(0, 20_000), calls=st.integers(0, 12)),
    sizes=st.lists(st.tuples(st.integers(1, 6000), st.integers(1, 3000)), max_size=12),
)
def test_no_sequence_of_calls_passes_a_cap(
    tmp_path_factory: pytest.TempPathFactory, caps: Caps, sizes: list[tuple[int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("caps")
    for number, (length, most) in enumerate(sizes):
        wire = ScriptedWire(lambda asked: "y" * min(200, asked.max_tokens))
        one = model(folder, wire, campaign=caps)
        try:
            one.ask(ask(f"{number} " + "x" * length, max_tokens=most), str)
        except BudgetReached:
            assert not wire.asked
        spent = one._budget.spent()
        assert spent.tokens <= (caps.tokens or 0) and spent.calls <= (caps.calls or 0)


def test_calls_in_flight_count(tmp_path: Path) -> None:
    go = threading.Event()

    def slow(_: Ask) -> str:
        go.wait(5)
        return '{"x": 1}'

    wire = ScriptedWire(slow)
    one = model(tmp_path, wire, campaign=Caps(calls=2))
    ended: list[str] = []

    def work(number: int) -> None:
        try:
            one.ask_record(ask(str(number)), Point)
            ended.append("ok")
        except BudgetReached:
            ended.append("cap")
            go.set()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["cap", "ok", "ok"] and len(wire.asked) == 2


def test_a_cap_on_money_needs_a_price(tmp_path: Path) -> None:
    wire = ScriptedWire(lambda _: '{"x": 1}', local=False)
    with pytest.raises(BudgetReached, match="nobody knows the price"):
        model(tmp_path, wire, campaign=Caps(dollars=1.0)).ask_record(ask(), Point)
    assert not wire.asked
    with pytest.raises(BudgetReached, match=r"\$0 of \$0.01 spent"):
        model(tmp_path, wire, campaign=Caps(dollars=0.01), price=lambda *_: 0.02).ask_record(ask(), Point)
    model(tmp_path, wire, campaign=Caps(dollars=0.05), price=lambda *_: 0.02).ask_record(ask(), Point)
    assert rows(tmp_path)[0].price == 0.02


def test_prices_come_from_a_kept_list() -> None:
    use = TokenUse(tokens_in=1_000_000, tokens_out=0)
    assert known_price("openai/gpt-4o", use) == pytest.approx(2.5, rel=0.5)
    assert known_price("openai/gpt-4o", TokenUse(tokens_in=1_000_000, tokens_out=0, cached=1_000_000)) < known_price(
        "openai/gpt-4o", use
    )  # type: ignore[operator]
    assert known_price("nobody/knows-it", use) is None and known_price("", use) is None


def test_an_outage_costs_nothing_and_loses_nothing(tmp_path: Path) -> None:
    with served(says("rubbish"), fails(503), says('{"x": 5}')) as desk:
        wire = HttpWire(endpoint("m", base_url=desk.url), pause=lambda _: None, attempts=1)
        with pytest.raises(ModelUnavailable):
            model(tmp_path, wire).ask_record(ask(), Point)
        assert model(tmp_path, wire).ask_record(ask(), Point).x == 5
        assert desk.calls == 3
    assert [row.ended for row in rows(tmp_path)] == ["stop", "ModelUnavailable", "stop"]


def test_no_key_reaches_a_file_or_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    def echo(handler: Any, body: dict[str, Any]) -> None:
        said = json.dumps({"x": 1, "name": handler.headers["Authorization"]})
        says(said)(handler, body)

    with served(
        echo, lambda handler, body: fails(401, f"bad key {handler.headers['Authorization']}")(handler, body)
    ) as desk:
        wire = HttpWire(endpoint("m", base_url=desk.url), pause=lambda _: None)
        one = model(tmp_path, wire)
        one.ask_record(ask(), Point)
        with pytest.raises(ModelRejected) as caught:
            one.ask_record(ask("again"), Point)
        assert desk.keys == [f"Bearer {KEY}"] * 2
    assert KEY not in str(caught.value) and "[key]" in str(caught.value)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 2 and not any(KEY in path.read_text() for path in files)


def test_a_damaged_file_is_asked_for_again(tmp_path: Path) -> None:
    wire = ScriptedWire(lambda _: '{"x": 1}')
    model(tmp_path, wire).ask_record(ask(), Point)
    (kept,) = (tmp_path / "said").rglob("*.json")
    kept.write_text(kept.read_text()[:40])
    assert model(tmp_path, wire).ask_record(ask(), Point).x == 1
    assert len(wire.asked) == 2


def test_the_address_of_a_question_is_what_it_was_and_a_figure_drawn_otherwise_is_the_same_figure() -> None:
    told = (Message(role="system", text="s"), Message(role="user", text="u"))
    plain = Ask(role="writer", task="t", messages=told, temperature=0.3, max_tokens=4000)
    assert plain.key("m") == "88f59d48a7b2a6cdb20d336dea2797506dcef60b403d6b2eb23620170e80ecbe"

    def key(*images: Image) -> str:
        return plain.model_copy(update={"images": images, "shape": {"type": "object"}}).key("m")

    assert key(Image.of(b"png", "figure 1")) == "326811c630a3b0805a4fb5a5181b30882415ebf82c9bbdac5296e13e9e1dc4bb"
    assert key(Image.of(b"a", "figure 1", "f00")) == key(Image.of(b"b", "figure 1", "f00"))
    others = {
        key(Image.of(b"a", "figure 1", "f00")),
        key(Image.of(b"a", "figure 2", "f00")),
        key(Image.of(b"a", "figure 1")),
    }
    assert len({*others, key(Image.of(b"a", "figure 1", "f01"))}) == 4


def test_what_a_server_without_eyes_was_not_asked_is_recorded_as_refused(tmp_path: Path) -> None:
    with served(fails(400, "no images, please"), says("blind")) as desk:
        wire = HttpWire(endpoint("scripted/model", base_url=desk.url))
        look = ask(images=(Image.of(b"a", "figure", "f00"),), sight=True)
        with pytest.raises(ModelRefused):
            model(tmp_path, wire).ask(look, str)
    assert desk.calls == 1
    with pytest.raises(ModelRefused):
        model(tmp_path, None).ask(look, str)
