"""`scientist calibrate`: planted reviewers get the place they deserve, bad data get one line, the report is the same twice."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from scientist.cli._app import app
from scientist.errors import RecordError
from scientist.reviews.calibration import _metrics as metrics
from scientist.reviews.calibration import as_json, assess, read_data, write_report

WORDS = (
    "the loss of model {a} falls because rewards of task {b} are summed over a horizon of {c} steps and clipped at 0.{a} "
    "when the agent has seen enough of the world to know that it is wrong about what it was told before by others"
)


def text(seed: int) -> str:
    draws = np.random.default_rng(seed)
    lines = [
        WORDS.format(a=draws.integers(10), b=draws.integers(99), c=draws.integers(999)).capitalize() + "."
        for _ in range(20)
    ]
    return (
        "A title of some words\n\nABSTRACT\n\nWe look at losses and at what they are made of.\n\n1 INTRODUCTION\n\n"
        + "\n\n".join(lines)
    )


def table(folder: Path, count: int = 40, **change: object) -> Path:
    draws = np.random.default_rng(1)
    rows = []
    for number in range(count):
        worth = float(draws.normal())
        rows.append(
            {
                "id": f"p{number}",
                "text": text(number),
                "scores": [round(5 + 2 * worth + float(draws.normal()), 1) for _ in range(3)],
                "decision": "Accept (Poster)" if worth > 0 else "Reject",
                "reviewers": {"knows": worth, "guesses": float(draws.normal())},
                **change,
            }
        )
    path = folder / "papers.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_reviewer_who_knows_beats_one_who_guesses(tmp_path: Path) -> None:
    found = assess(read_data(table(tmp_path)), draws=60)
    rows = {row.name: row.measures for row in found.rows}
    assert rows["knows"]["AUC"][0] == 1.0
    assert rows["knows"]["Spearman"][0] > 0.8 > abs(rows["guesses"]["Spearman"][0])
    assert rows["constant"]["AUC"][0] == 0.5
    assert {"one human", "length of the stripped text", "shipped prior", "all other systems + prior"} <= set(rows)
    assert rows["knows"]["Brier"][0] < rows["constant"]["Brier"][0]
    low, high = rows["guesses"]["AUC"][1:]
    assert low < rows["guesses"]["AUC"][0] < high
    assert any("60 papers" in note for note in found.notes)


def test_the_report_is_the_same_twice(tmp_path: Path) -> None:
    data = read_data(table(tmp_path, 24))
    one = write_report(assess(data, draws=20), tmp_path / "one")
    two = write_report(assess(data, draws=20), tmp_path / "two")
    assert [path.name for path in one] == ["report.json", "report.md", "roc.svg", "scores.svg", "reliability.svg"]
    for first, second in zip(one, two, strict=True):
        assert first.read_bytes() == second.read_bytes(), first.name


def test_reviews_in_the_sixteen_columns_are_joined_by_id(tmp_path: Path) -> None:
    table(tmp_path, 24)
    head = "paper_id,Summary,Questions,Limitations,Ethical Concerns,Soundness,Presentation,Contribution,Overall,Confidence,Strengths,Weaknesses,Originality,Quality,Clarity,Significance,Decision\n"
    rows = "".join(f'p{n}.txt,"a, b",,,False,3,3,2,{n % 7},4,,,2,2,2,2,Reject\n' for n in range(22))
    (tmp_path / "others.csv").write_text(head + rows)
    data = read_data(tmp_path)
    assert data.papers[3].reviewers["others"] == 3.0
    assert data.notes == ("others.csv: reviews of 22 of 24 papers",)
    rows_found = [row for row in as_json(assess(data, draws=20))["rows"] if row["reviewer"] == "others"]
    assert rows_found[0]["papers"] == 22


def test_csv_with_paths(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(text(1))
    (tmp_path / "papers.csv").write_text("id,path,scores,decision\nx,a.txt,6;7,accept\n")
    (one,) = read_data(tmp_path).papers
    assert one.scores == (6.0, 7.0) and one.accepted is True
    (tmp_path / "papers.csv").write_text("id,path,scores,decision\nx,../../etc/passwd,6,accept\n")
    with pytest.raises(RecordError, match="leads out"):
        read_data(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"decision": None, "scores": []}, "no paper has a decision or scores"),
        ({"decision": "Accept", "scores": []}, "are accepted, and there are no scores"),
        ({"decision": "perhaps"}, "neither accept nor reject"),
        ({"scores": ["good"]}, "scores are not numbers"),
        ({"text": "", "path": None}, "neither text nor path"),
        ({"id": "same"}, "ids occur twice"),
        ({"text": "short"}, "0 usable papers"),
    ],
)
def test_bad_data_are_one_line(tmp_path: Path, change: dict[str, object], said: str) -> None:
    with pytest.raises(RecordError, match=said):
        assess(read_data(table(tmp_path, 22, **change)))


def test_too_few_papers_broken_lines_and_broken_archives(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="19 usable papers"):
        assess(read_data(table(tmp_path, 19)))
    (tmp_path / "b.jsonl").write_text("{}\n{nonsense\n")
    with pytest.raises(RecordError, match="row 1: neither"):
        read_data(tmp_path / "b.jsonl")
    (tmp_path / "c.jsonl.gz").write_bytes(b"\x1f\x8b\x08broken")
    with pytest.raises(RecordError, match="cannot be read"):
        read_data(tmp_path / "c.jsonl.gz")
    with pytest.raises(RecordError, match="no such file"):
        read_data(tmp_path / "none.csv")


def test_the_command(tmp_path: Path) -> None:
    out = tmp_path / "report"
    done = CliRunner().invoke(
        app, ["calibrate", str(table(tmp_path, 24)), "--out", str(out), "--no-refit", "--json", "-q"]
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["papers"] == 24
    assert "| knows | 24 |" in (out / "report.md").read_text()


def test_measures_by_hand() -> None:
    scores, accepted = np.array([1.0, 2.0, 3.0, 4.0]), np.array([False, True, False, True])
    assert metrics.auc(scores, accepted) == 0.75
    assert metrics.spearman(scores, -scores) == -1.0
    assert metrics.rates(scores > 2.5, accepted) == {"balanced accuracy": 0.5, "F1": 0.5, "FPR": 0.5, "FNR": 0.5}
    assert metrics.brier(np.array([0.0, 1.0, 0.0, 1.0]), accepted) == 0.0
    slope, start = metrics.platt(np.arange(200.0), np.arange(200) > 99)
    assert slope > 0 and abs(-start / slope - 99.5) < 2
