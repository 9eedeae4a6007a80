"""`doctor` asks every index of literature once, at the addresses of the lab, and names the ones that do not answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "literature"))
from loopback import loopback

WORKS = [
    {"title": "Statistics", "abstract": "", "authors": ["A B"], "year": 2001, "arxiv": "2001.00001", "doi": ""},
]


def doctor(lab: Path) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-m", "scientist", "--lab", str(lab), "doctor", "--json"],
        capture_output=True, text=True, timeout=60, env={**os.environ, "NO_PROXY": "*"}, check=False,
    )  # fmt: skip
    return next(row for row in json.loads(done.stdout)["checks"] if row["name"] == "network")


def test_every_index_is_named_with_what_it_did(tmp_path: Path) -> None:
    with loopback(works=WORKS) as good, loopback("403") as refuses, loopback("hang") as hangs:
        (tmp_path / "scientist.toml").write_text(
            f'arxiv_url = "{good.url}"\nsemantic_scholar_url = "{refuses.url}"\nopenalex_url = "{hangs.url}"\n'
            'crossref_url = "http://nowhere.invalid"\ncontact = "ada@lab.example"\n'
        )
        start = time.monotonic()
        row = doctor(tmp_path)
        assert time.monotonic() - start < 20
        assert "ada@lab.example" in good.headers[0]["User-Agent"]
    assert row["ok"] and row["seen"] == "1 of 4 indexes of literature answer"
    assert row["notes"] == [
        f"arxiv: answers ({good.url})",
        f"semanticscholar: HTTP status 403 ({refuses.url})",
        f"openalex: no answer in time ({hangs.url})",
        "crossref: cannot be reached (http://nowhere.invalid)",
    ]
    assert not (tmp_path / ".scientist").exists()  # looking leaves nothing behind


def test_who_is_not_asked_is_said(tmp_path: Path) -> None:
    (tmp_path / "scientist.toml").write_text("online = false\n")
    row = doctor(tmp_path)
    assert not row["ok"] and "online = true" in str(row["remedy"])
    assert all("online = false" in note for note in row["notes"])  # type: ignore[attr-defined]
    (tmp_path / "scientist.toml").write_text('contact = "two words"\n')
    row = doctor(tmp_path)
    assert not row["ok"] and "contact" in str(row["remedy"])
