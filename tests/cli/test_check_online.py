"""`ideas check` with a network: four indexes under one deadline, one of them out, and kept answers when all are gone."""

from __future__ import annotations

import sys
import time
from pathlib import Path

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
