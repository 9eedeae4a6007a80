"""The way out to the indexes: paced, cached, with keys that go nowhere else, and sources that are left alone for a while."""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback import OPEN, WORKS, loopback
from test_sources import closed_port, each, source

from scientist.literature import Searched, outages
from scientist.literature._answers import AnswerCache
from scientist.literature._breaker import COOL_S, MAX_COOL_S, MAX_FAULTS, Breaker
from scientist.literature._turns import Turns
from scientist.literature._web import Call, Fault, Web, _seconds, wait_turn

# --- what is kept


@each
def test_a_kept_answer_is_given_without_a_network_and_by_another_process_too(name: str, tmp_path: Path) -> None:
    file = tmp_path / "private" / "answers.sqlite"
    with loopback() as server:
        first = source(name, server.url, cache=AnswerCache(file)).search("label noise", 5, 5.0)
        assert first[1].answer == "answered"
        again = source(name, server.url, cache=AnswerCache(file), contact="a@b.example").search("label noise", 5, 5.0)
        assert again == first and len(server.queries) == 1
        source(name, server.url, cache=AnswerCache(file)).search("label noise", 6, 5.0)
        assert len(server.queries) == 2  # another question
        url = server.url
    start = time.monotonic()
    assert source(name, url).search("orbits", 5, 8.0)[1].note == "cannot be reached"
    assert time.monotonic() - start < 0.5  # a host that refuses is not asked three times
    assert source(name, url, cache=AnswerCache(file)).search("label noise", 5, 5.0) == first
    assert source(name, url, cache=AnswerCache(file)).search("moons", 5, 1.0)[1].answer == "out"


@each
@pytest.mark.parametrize(
    "mood", ["empty", "500", "403", "malformed", "unrelated", "untitled", "promised", "cut", "huge"]
)
def test_only_whole_answers_with_works_are_kept(name: str, mood: str, tmp_path: Path) -> None:
    file = tmp_path / "answers.sqlite"
    with loopback(mood) as server:
        source(name, server.url, cache=AnswerCache(file)).search("label noise", 5, 0.3)
        asked = len(server.queries)
        server.mood = "good"
        found, searched = source(name, server.url, cache=AnswerCache(file)).search("label noise", 5, 5.0)
    assert (len(found), searched.answer, len(server.queries)) == (2, "answered", asked + 1)


SPOILT = {
    "no database": lambda file: file.write_bytes(b"nothing of the kind" * 500),
    "empty": lambda file: file.write_bytes(b""),
    "half": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "a hole": lambda file: file.write_bytes(file.read_bytes()[:4096] + b"\x00" * 4096),
    "a folder": lambda file: (file.unlink(), file.mkdir()),
    "other columns": lambda file: alter(file, "ALTER TABLE answers_1 RENAME COLUMN body TO soul"),
    "a body of text": lambda file: alter(file, "UPDATE answers_1 SET body = 'text'"),
    "a body cut short": lambda file: alter(file, "UPDATE answers_1 SET body = substr(body, 1, 40)"),
    "another's body": lambda file: alter(file, "UPDATE answers_1 SET body = x'789c030000000001'"),
    "time as text": lambda file: alter(file, "UPDATE answers_1 SET asked = 'yesterday'"),
}


def alter(file: Path, statement: str) -> None:
    with sqlite3.connect(file) as open_file:
        open_file.execute(statement)


@pytest.mark.parametrize("how", SPOILT)
def test_a_damaged_cache_is_no_cache(how: str, tmp_path: Path) -> None:
    file = tmp_path / "answers.sqlite"
    with loopback() as server:
        first = source("openalex", server.url, cache=AnswerCache(file)).search("label noise", 5, 5.0)
        SPOILT[how](file)
        for asked in (2, 3) if how in ("a folder", "other columns") else (2, 2):
            assert source("openalex", server.url, cache=AnswerCache(file)).search("label noise", 5, 5.0) == first
            assert len(server.queries) == asked


def test_a_cache_that_cannot_be_written_or_is_locked_costs_nothing_but_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    nowhere = AnswerCache(tmp_path / "file" / "answers.sqlite")
    nowhere.put("k", b"v", time.time())
    assert nowhere.get("k") is None
    cache = AnswerCache(tmp_path / "answers.sqlite")
    cache.put("k", b"v", time.time())
    holder = sqlite3.connect(cache.path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    start = time.monotonic()
    cache.put("other", b"w", time.time())
    assert cache.get("k") is None and time.monotonic() - start < 3.0
    holder.execute("ROLLBACK")
    holder.close()
    assert cache.get("k") is not None and cache.get("other") is None


def test_age_and_size_are_bounded(tmp_path: Path) -> None:
    now = 1_000_000.0
    cache = AnswerCache(tmp_path / "a.sqlite", max_age_s=100.0, max_bytes=30_000, clock=lambda: now)
    import random

    noise = random.Random(0)
    for i in range(40):
        cache.put(f"k{i}", noise.randbytes(2_000), now - 40 + i)
    kept = [i for i in range(40) if cache.get(f"k{i}")]
    assert kept == list(range(kept[0], 40)) and 10 <= len(kept) <= 15  # the newest, as many as fit
    assert cache.path.stat().st_size < 90_000
    cache.put("future", b"x", now + 5)
    assert cache.get("future") is None
    now += 98
    assert cache.get("k39") is not None and cache.get("k38") is not None
    now += 6
    assert cache.get("k39") is None
    cache.put("new", b"x", now)
    with sqlite3.connect(cache.path) as file:
        assert {key for (key,) in file.execute("SELECT key FROM answers_1")} == {"new", "future"}


def test_threads_and_a_second_process_worth_of_caches_share_a_file(tmp_path: Path) -> None:
    def work(part: int) -> None:
        cache = AnswerCache(tmp_path / "a.sqlite")
        for i in range(6):
            cache.put(f"{part}-{i}", b"%d" % i, time.time())

    threads = [threading.Thread(target=work, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cache = AnswerCache(tmp_path / "a.sqlite")
    kept = [cache.get(f"{part}-{i}") for part in range(4) for i in range(6)]
    assert sum(found is not None for found in kept) >= 12  # a lock that is held too long loses an answer, no more


# --- who asks, and with which key


def test_keys_are_read_when_used_sent_to_their_index_alone_and_stored_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("S2_API_KEY", "SEMANTIC_SCHOLAR_API_KEY", "OPENALEX_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "answers.sqlite"

    def headers(name: str, query: str) -> dict[str, str]:
        with loopback() as server:
            source(name, server.url, cache=AnswerCache(file), contact="ada@lab.example").search(query, 5, 20.0)
            (sent,) = server.headers
            assert "ada@lab.example" in sent["User-Agent"] and sent["User-Agent"].startswith("scientist/")
            assert ("mailto=ada%40lab.example" in server.paths[0]) == (name in ("openalex", "crossref"))
            assert "secret" not in server.paths[0]
            return {key.lower(): value for key, value in sent.items()}

    assert all("secret" not in str(headers(name, "label noise")) for name in OPEN)
    monkeypatch.setenv("SEMANTIC_SCHOLAR_API_KEY", "secret-2")
    assert headers("semanticscholar", "label noise")["x-api-key"] == "secret-2"
    monkeypatch.setenv("S2_API_KEY", "secret-1")
    monkeypatch.setenv("OPENALEX_API_KEY", "secret-3")
    assert headers("semanticscholar", "moons")["x-api-key"] == "secret-1"
    assert headers("openalex", "moons")["authorization"] == "Bearer secret-3"
    assert all("secret" not in str(headers(name, "decay")) for name in ("arxiv", "crossref"))
    stored = file.read_bytes()
    assert stored and b"secret" not in stored and b"ada@" not in stored


def test_a_key_never_crosses_a_network_in_plain_text() -> None:
    allowed = {url: Web(url, 0.0).may_send_key() for url in ("https://api.x.example", "http://127.0.0.1:80")}
    assert all(allowed.values())
    refused = ("http://api.x.example", "http://127.0.0.1.x.example", "ftp://127.0.0.1.example", "")
    assert not any(Web(url, 0.0).may_send_key() for url in refused)


# --- pace and patience


def test_requests_to_one_host_keep_their_distance_across_threads_and_sources() -> None:
    times: list[float] = []
    with loopback() as server:
        ours = [source("openalex", server.url), source("crossref", server.url)]
        for one in ours:
            one.web._interval_s = 0.15

        def ask(i: int) -> None:
            ours[i % 2].search(f"noise {'abcdef'[i]}x", 5, 5.0)
            times.append(time.monotonic())

        threads = [threading.Thread(target=ask, args=(i,)) for i in range(5)]
        start = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.queries) == 5
    assert max(times) - start >= 4 * 0.15


def test_a_turn_after_the_deadline_is_not_waited_for_and_is_no_fault_of_the_source() -> None:
    with loopback() as server:
        one = source("openalex", server.url)
        one.web._interval_s = 5.0
        assert one.search("label noise", 5, 5.0)[1].answer == "answered"
        start = time.monotonic()
        for query in ("moons", "decay", "orbits"):
            searched = one.search(query, 5, 0.5)[1]
            assert (searched.answer, searched.note) == ("out", "its rate left no time to ask")
        assert time.monotonic() - start < 0.5 and len(server.queries) == 1
    turns = Turns()
    wait_turn("one.example", 10.0, Call(1.0), turns)
    with pytest.raises(Fault):
        wait_turn("one.example", 10.0, Call(1.0), turns)
    wait_turn("two.example", 10.0, Call(1.0), turns)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(
            ("3", 3.0),
            ("0", 0.0),
            ("", 0.0),
            ("-5", 0.0),
            ("soon", 0.0),
            ("٣", 0.0),
            ("1e3", 0.0),
            ("9" * 400, 86_400.0),
        ),
        *(("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("Wed, 21 Oct 9999 07:28:00 GMT", 86_400.0)),
    ],
)
def test_retry_after_is_a_number_or_a_date_or_nothing(text: str, seconds: float) -> None:
    assert _seconds(text) == seconds


@given(st.text(max_size=80))
def test_no_header_upsets_retry_after(text: str) -> None:
    assert 0.0 <= _seconds(text) <= 86_400.0


def test_a_server_that_asks_to_be_left_alone_is() -> None:
    with loopback("429-late") as server:
        one = source("crossref", server.url)
        assert one.search("label noise", 5, 5.0)[1].note == "HTTP status 429"
        server.mood = "good"
        assert one.search("moons", 5, 5.0)[1].note.startswith("left alone")
        assert len(server.queries) == 1


def test_the_breaker_opens_cools_tries_once_and_closes() -> None:
    breaker = Breaker()
    for _ in range(MAX_FAULTS - 1):
        breaker.failed("HTTP status 500", 0.0)
        assert breaker.left_alone(0.0) == ""
    breaker.failed("no answer in time", 0.0)
    assert breaker.left_alone(COOL_S - 1) == "left alone after 2 faults in a row, the last: no answer in time"
    assert breaker.left_alone(COOL_S) == ""
    breaker.failed("no answer in time", COOL_S)  # the one try that was allowed
    assert breaker.left_alone(3 * COOL_S - 1) and not breaker.left_alone(3 * COOL_S)
    breaker.answered()
    assert not breaker.left_alone(3 * COOL_S)
    breaker.failed("x", 0.0)
    assert not breaker.left_alone(0.0)


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e6)), max_size=30), st.floats(0, 1e9))
def test_a_breaker_always_opens_again(events: list[float | None], now: float) -> None:
    breaker = Breaker()
    for event in events:
        if event is None:
            breaker.answered()
            assert not breaker.left_alone(now)
        else:
            breaker.failed("x", now, event)
    assert not breaker.left_alone(now + MAX_COOL_S + 1)


@each
def test_less_time_than_is_fair_is_not_held_against_a_source(name: str) -> None:
    with loopback("hang") as server:
        one = source(name, server.url)
        assert [one.search(q, 5, 0.15)[1].note for q in ("moons", "decay", "orbits")] == ["no answer in time"] * 3


def test_a_server_without_tls_where_tls_is_expected_is_out_in_time() -> None:
    for mood in ("good", "hang"):
        with loopback(mood) as server:
            start = time.monotonic()
            url = server.url.replace("http:", "https:")
            assert source("crossref", url).search("label noise", 5, 0.6)[1].answer == "out"
            assert time.monotonic() - start < 1.5
    with socket.create_server(("127.0.0.1", 0)) as mute:  # takes the connection and never says a word
        url = f"https://127.0.0.1:{mute.getsockname()[1]}"
        assert source("arxiv", url).search("label noise", 5, 0.4)[1].note == "no answer in time"


def test_outages_are_told_in_a_line() -> None:
    def out(name: str, note: str, answer: str = "out") -> Searched:
        return Searched(source=name, query="q", answer=answer, note=note)

    told = outages([out("a", "x"), out("b", "y"), out("c", "x"), out("a", "left alone"), out("d", "", "answered")])
    assert told == ["a, c out (x)", "b out (y)"]


# --- answers that the indexes really gave

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "literature"
recorded = pytest.mark.skipif(not SHARED.is_dir(), reason="the recorded answers are not here")


@recorded
def test_what_arxiv_really_sent_is_read() -> None:
    read = {}
    for path in sorted((SHARED / "arxiv").glob("*.json")):
        body = json.loads(path.read_text())["body"].encode()
        with loopback(body=body) as server:
            found, searched = source("arxiv", server.url).search("testing random walks stars of the clusters", 10, 5.0)
            read[path.name.partition("_s0")[0]] = searched.answer, len(found)
            assert len(server.queries) <= 3 and all(w.arxiv and w.authors and w.abstract for w in found)
    assert read["q_testing"] == ("answered", 10)  # of 214,881
    assert read["id_1605.08386"][0] == "answered"
    assert read["id_abc"] == ("out", 0)


@recorded
def test_what_semantic_scholar_really_sent_is_read() -> None:
    def ask(name: str, query: str) -> tuple[str, list[str]]:
        said = yaml.safe_load((SHARED / "semantic_scholar" / name).read_text())["interactions"][0]["response"]
        with loopback(body=said["body"]["string"].encode()) as server:
            found, searched = source("semanticscholar", server.url).search(query, 10, 5.0)
            assert len(server.queries) <= 3
            return searched.answer, [work.title for work in found]

    answer, titles = ask("search_paper.yaml", "turing")
    assert (answer, len(titles)) == ("answered", 10) and "Neural Turing Machines" in titles
    assert ask("not_found.yaml", "turing")[0] == "out"
    assert ask("get_papers.yaml", "turing")[0] == "out"
    assert ask("get_paper_references.yaml", "turing")[0] == "out"


@settings(max_examples=60, deadline=None)
@given(st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 3000), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["data", "results", "message", "items", "title", "display_name", "author", "authors",
                             "status", "total", "name", "issued", "date-parts", "externalIds", "authorships"]),
            inner, max_size=4,
        ),
    ),
    max_leaves=12,
))  # fmt: skip
def test_no_json_upsets_the_readers(value: object) -> None:
    from scientist.literature._indexes import check_crossref, check_openalex, from_crossref, from_openalex
    from scientist.literature._online import check_s2, from_s2

    for check in (check_crossref, check_openalex, check_s2):
        try:
            check(json.dumps(value).encode())
        except Fault as fault:
            assert fault.note
    if isinstance(value, dict):
        for read in (from_crossref, from_openalex, from_s2):
            work = read(value)
            assert work is None or work.title


def test_offline_is_quick_for_all_four() -> None:
    from scientist.literature import search_all

    start = time.monotonic()
    _, searched = search_all([source(name, closed_port()) for name in OPEN], ("label noise", WORKS[0]["title"]), 8.0)
    assert [s.note for s in searched] == ["cannot be reached"] * 4 and time.monotonic() - start < 2.0
