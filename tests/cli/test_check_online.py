"""`ideas check` with a network: four indexes under one deadline, one of them out, and kept answers when all are gone."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from cli_calls import DIAL, SLUG, answer, call, environment, new_lab

sys.path.insert(0, str(Path(__file__).parent.parent / "literature"))
from loopback import OPEN, loopback

WORKS = [
    {
        "title": "A dial and the score of what it turns",
        "abstract": "We turn a dial and measure.",
        "authors": ["Ada Example"],
        "year": 2020,
        "arxiv": "2001.00001",
        "doi": "10.1234/dial",
    }
]
SETTINGS = """
arxiv_url = "{0}"
semantic_scholar_url = "{1}"
openalex_url = "{0}"
crossref_url = "{0}"
"""


def test_a_check_asks_four_indexes_names_the_one_that_is_out_and_keeps_the_answers(tmp_path: Path) -> None:
    lab = new_lab(tmp_path / "lab")
    check = ("ideas", "check", SLUG, "-t", str(DIAL), "--json")
    with loopback(works=WORKS) as good, loopback("403") as refuses:
        with (lab / "scientist.toml").open("a") as file:
            file.write(SETTINGS.format(good.url, refuses.url))
        start = time.monotonic()
        first = answer(call(lab, *check, env=environment(SCIENTIST_ONLINE="true")))
        assert time.monotonic() - start < 20
        asked = len(good.queries)
        assert asked >= 3 and refuses.queries
    told = {row["source"]: row for row in first["searched"] if row["source"] in OPEN}
    assert {name: row["answer"] for name, row in told.items()} == {
        **dict.fromkeys(OPEN, "answered"), "semanticscholar": "out",
    }  # fmt: skip
    assert told["semanticscholar"]["note"] == "HTTP status 403" and told["crossref"]["when"].startswith("20")
    assert first["verdict"] in ("novel", "close") and "semanticscholar" not in first["reason"]
    kept = lab / ".scientist" / "answers.sqlite"
    assert 0 < kept.stat().st_size < 200_000
    # Now nobody is there: what was answered is still known, and the same words come out.
    again = answer(call(lab, *check, env=environment(SCIENTIST_ONLINE="true")))
    assert {k: v for k, v in again.items() if k != "searched"} == {k: v for k, v in first.items() if k != "searched"}
    assert [r for r in again["searched"] if r["source"] != "semanticscholar"] == [
        r for r in first["searched"] if r["source"] != "semanticscholar"
    ]


KEYS = {"S2_API_KEY": "secret-one", "SEMANTIC_SCHOLAR_API_KEY": "secret-two", "OPENALEX_API_KEY": "secret-three"}


@pytest.mark.parametrize("mood", ["hang", "500", "elsewhere"])
def test_when_all_four_fail_it_is_undecided_one_line_says_why_and_no_key_is_in_any_file(
    tmp_path: Path, mood: str
) -> None:
    lab = new_lab(tmp_path / "lab")
    with loopback(mood) as server:
        with (lab / "scientist.toml").open("a") as file:
            file.write(SETTINGS.format(server.url, server.url) + "literature_deadline = 3.0\n")
        env = environment(SCIENTIST_ONLINE="true", COLUMNS="200", **KEYS)
        done = call(lab, "ideas", "check", SLUG, "-t", str(DIAL), env=env)
        assert any("secret-one" in str(headers) for headers in server.headers)  # it was sent, and only there
    assert done.returncode == 0 and done.stdout.startswith("undecided: ")
    # Two that failed in another way or at another time have a line of their own.
    out = [line for line in map(str.strip, done.stdout.splitlines()) if " out (" in line]
    assert {name for line in out for name in line.partition(" out (")[0].split(", ")} == set(OPEN), done.stdout
    if mood == "hang":
        assert out == ["arxiv, semanticscholar, openalex, crossref out (no answer in time)"]
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert lab / ".scientist" / "turns.sqlite" in written
    assert not [path for path in written if b"secret-" in path.read_bytes()]
    assert "secret-" not in done.stdout + done.stderr


def test_no_key_is_needed(tmp_path: Path) -> None:
    lab = new_lab(tmp_path / "lab")
    with loopback(works=WORKS) as server:
        with (lab / "scientist.toml").open("a") as file:
            file.write(SETTINGS.format(server.url, server.url))
        env = {name: value for name, value in environment(SCIENTIST_ONLINE="true").items() if name not in KEYS}
        told = answer(call(lab, "ideas", "check", SLUG, "-t", str(DIAL), "--json", env=env))
        assert not any("x-api-key" in map(str.lower, headers) for headers in server.headers)
    assert {row["answer"] for row in told["searched"] if row["source"] in OPEN} == {"answered"}
