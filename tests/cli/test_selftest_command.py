"""`scientist review --selftest` as a process: table, files, exit codes, complaints."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def selftest(cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.upper().startswith("SCIENTIST_")}
    env |= {"PYTHONPATH": str(ROOT), "COLUMNS": "160"}
    return subprocess.run(
        [sys.executable, "-m", "scientist", "review", "--selftest", *words],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_the_papers_of_the_lab_are_edited_and_the_table_is_written(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    slug = sorted(path.parent.name for path in (ROOT / "papers").glob("*/manuscript.json"))[-1]
    shutil.copytree(ROOT / "papers" / slug, lab / "papers" / slug, ignore=shutil.ignore_patterns("runs", "pilot"))
    shutil.copy(ROOT / "scientist.toml", lab)
    run = selftest(lab, "--quiet")
    assert run.returncode == 0, run.stdout + run.stderr
    for edit in ("numbers corrupted", "result reversed", "baseline removed", "sections shuffled", "padded", "polished"):
        assert edit in run.stdout
    found = json.loads((lab / "reviews" / "selftest" / "selftest.json").read_text(encoding="utf-8"))
    assert found["papers"] == [slug]
    assert all(row["holds"] for row in found["rows"])
    assert "| numbers corrupted | lower |" in (lab / "reviews" / "selftest" / "selftest.md").read_text(encoding="utf-8")


def test_what_does_not_hold_ends_with_one(tmp_path: Path) -> None:
    sentence = "Nobody knows which of two ways of training a network is the faster one."
    told = [
        f"Run {n} trains the network on a dataset in both ways while the learning rate of the model stays."
        for n in range(60)
    ]
    body = "\n\n".join(" ".join(told[at : at + 5]) for at in range(0, 60, 5))
    (tmp_path / "network.txt").write_text(
        f"Two ways to train a small network\n\nABSTRACT\n\n{sentence}\n\n1 INTRODUCTION\n\n{body}\n", encoding="utf-8"
    )
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    run = selftest(tmp_path, "network.txt", "broken.pdf", "--json", "--into", "out")
    assert run.returncode == 1, run.stderr
    answer = json.loads(run.stdout)
    assert answer["holds"] is False
    assert len(answer["left_out"]) == 1
    assert answer["left_out"][0].startswith("broken")
    assert (tmp_path / "out" / "selftest.md").is_file()


def test_without_papers_it_says_what_to_name(tmp_path: Path) -> None:
    run = selftest(tmp_path)
    assert run.returncode == 2
    assert "name papers after" in run.stderr
    assert "Traceback" not in run.stderr
