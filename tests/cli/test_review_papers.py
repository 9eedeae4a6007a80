"""`review` without a model, as processes: strangers' papers, folders of them, what is kept, and what cannot be read."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_calls import ROOT, answer, call, complaint, environment

from scientist.cli._review_papers import meant, review_each
from scientist.errors import LabError
from scientist.reviews.document import Entry, Found

TEX = r"""\documentclass{article}
\title{Two ways to sort cards, part %s}
\begin{document}
\begin{abstract}We compare two ways to sort cards by hand.\end{abstract}
\section{Introduction}
Sorting cards by hand is slow, and nobody knows which way is the fastest one.
\section{Results}
The agreement of the two counts rose from 0.80 to 0.88, an improvement of 15\%%.
%s
\end{document}
"""
LONG = (
    "We train a network with 3 layers and reach an accuracy of 93.2\\%% after 40 epochs in case %d. The loss of the model "
    "decreases slowly in this regime, and none of the earlier methods explains why the gradient stays so small for the task."
)


def papers(folder: Path, count: int, long: int = 0) -> Path:
    """A folder of papers in TeX, each in a folder of its own."""
    for number in range(count):
        paper = folder / f"paper-{number}" / "latex"
        paper.mkdir(parents=True)
        more = "\n\n".join(LONG % place for place in range(long))
        (paper / "main.tex").write_text(TEX % (number, more))
    return folder


def test_a_strangers_paper_needs_no_model(tmp_path: Path) -> None:
    papers(tmp_path, 1, long=30)
    done = call(None, "review", "paper-0/latex", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Two ways to sort cards, part 0")
    assert "0.88 is not a change of 15" in done.stdout
    assert "soundness" in done.stdout and "Compute it again" in done.stdout
    folder = tmp_path / "reviews" / "paper-0"
    assert {path.name for path in folder.iterdir()} == {"review.json", "review.md", "review.html"}
    told = answer(call(None, "review", "paper-0/latex", "--json", "--quiet", cwd=tmp_path))
    assert told["errors"] == 1
    assert 1 <= told["score"] <= 2.8 + 1e-9
    assert told["interval"][0] <= told["score"] <= told["interval"][1]
    assert told["acceptance"] < told["expected"]["prior"]["acceptance"]
    assert told["weaknesses"][0]["kind"] == "soundness"
    assert told["files"] == [f"reviews/paper-0/review.{suffix}" for suffix in ("md", "html", "json")]
    assert "0.88 is not a change of 15" in (folder / "review.html").read_text()


def test_a_folder_of_papers_has_an_index_and_one_that_cannot_be_read_is_a_line(tmp_path: Path) -> None:
    folder = papers(tmp_path / "submissions", 2)
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    (folder / "old.docx").write_bytes(b"PK")
    (folder / "README.md").write_text("not a paper")
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "notes on cards.txt").write_text("A Text\n\nHidden:\u200b cards are sorted by hand.")
    told = answer(call(None, "review", "submissions", "--json", "--quiet", cwd=tmp_path))
    rows = {row["paper"]: row for row in told["reviews"]}
    assert list(rows) == ["broken", "notes-on-cards", "old", "paper-0", "paper-1"]
    assert "broken" in rows["broken"]["failed"] and "is of a kind that is not read" in rows["old"]["failed"]
    assert rows["paper-0"]["errors"] == 1 and rows["paper-0"]["failed"] == ""
    base = tmp_path / "reviews" / "submissions"
    assert (base / "paper-1" / "review.html").is_file() and not (base / "broken").exists()
    index = (base / "index.html").read_text()
    assert 'href="paper-1/review.html"' in index and "is of a kind that is not read" in index
    assert "[paper-1](paper-1/review.md)" in (base / "index.md").read_text()
    shown = call(None, "review", "submissions", cwd=tmp_path)
    assert shown.returncode == 0
    assert "paper 1 of 5: broken" in shown.stderr
    assert [line.split()[0] for line in shown.stdout.splitlines()[1:6]] == list(rows)


def test_several_papers_and_where_they_go(tmp_path: Path) -> None:
    papers(tmp_path / "a", 1)
    papers(tmp_path / "b", 2)
    words = ("a/paper-0", "b/paper-0/latex/main.tex", "b", "--into", "out", "--json", "--quiet")
    told = answer(call(None, "review", *words, cwd=tmp_path))
    names = [row["paper"] for row in told["reviews"]]
    assert len(names) == len(set(names)) == 4
    assert [name.startswith("paper-0-") for name in names] == [True, True, True, False]
    assert names[3] == "paper-1"
    assert all((tmp_path / "out" / name / "review.json").is_file() for name in names)
    assert (tmp_path / "out" / "index.html").is_file() and not (tmp_path / "reviews").exists()


def test_runs_beside_a_paper_are_held_against_it(tmp_path: Path) -> None:
    folder = papers(tmp_path, 1) / "paper-0"
    for number, loss in ((0, 0.80), (1, 0.64)):
        run = folder / f"run_{number}"
        run.mkdir()
        (run / "final_info.json").write_text(json.dumps({"rivers": {"means": {"loss_mean": loss}}}))
    (folder / "notes.txt").write_text("## Run 0: Baseline\nResults: {}\n\n## Run 1: Sparse Gate\n")
    table = r"\begin{table}\caption{Loss on rivers}\begin{tabular}{lc} Method & Loss \\ \hline Baseline & 0.80 \\ Sparse gate & 0.61 \\ \end{tabular}\end{table}"
    (folder / "latex" / "main.tex").write_text(TEX % (0, table))
    told = answer(call(None, "review", "paper-0", "--json", "--quiet", cwd=tmp_path))
    assert told["numbers"]["looked_at"] >= 2
    assert "unmatched" in [one["kind"] for one in told["findings"]]
    assert not any("no runs" in line for line in told["unchecked"])


def test_references_are_looked_up_where_that_is_asked_for(tmp_path: Path) -> None:
    folder = papers(tmp_path, 1) / "paper-0" / "latex"
    entry = "@article{a, title={A work on cards}, author={Quill, Ada}, year={2001}, url={nowhere}}"
    (folder / "refs.bib").write_text(entry)
    (folder / "main.tex").write_text(TEX % (0, r"Cards were sorted before \cite{a}. \bibliography{refs}"))
    plain = answer(call(None, "review", "paper-0", "--json", "--quiet", cwd=tmp_path))
    assert plain["references"] is None and any("none of the 1 references" in line for line in plain["unchecked"])
    told = answer(call(None, "review", "paper-0", "--references", "--json", "--quiet", cwd=tmp_path))
    assert told["references"]["entries"] == 1 and told["references"]["verified"] == 0  # offline, nothing is verified
    assert "citation bad-address" in [one["kind"] for one in told["findings"]]
    assert told["made_from"] != plain["made_from"]


def test_what_has_not_changed_is_not_read_again(tmp_path: Path) -> None:
    folder = papers(tmp_path / "many", 2)
    answer(call(None, "review", "many", "--json", "--quiet", cwd=tmp_path))
    kept = [tmp_path / "reviews" / "many" / f"paper-{n}" / "review.json" for n in range(2)]
    before = [path.stat().st_mtime_ns for path in kept]
    (folder / "paper-1" / "latex" / "main.tex").write_text(TEX % (1, "TODO: say more."))
    told = answer(call(None, "review", "many", "--json", "--quiet", cwd=tmp_path))
    after = [path.stat().st_mtime_ns for path in kept]
    assert after[0] == before[0] and after[1] != before[1]
    assert [row["warnings"] for row in told["reviews"]][1] > 0
    main = tmp_path / "many" / "paper-0" / "latex" / "main.tex"
    answer(call(None, "review", str(main), "--into", "alone", "--json", "--quiet", cwd=tmp_path))
    alone = (tmp_path / "alone" / "review.json").read_bytes()
    (main.parent / "refs.bib").write_text("@misc{a, title={A}}")  # a file that it may include
    answer(call(None, "review", str(main), "--into", "alone", "--json", "--quiet", cwd=tmp_path))
    assert (tmp_path / "alone" / "review.json").read_bytes() != alone
    kept[0].write_text("{}")  # no review any more: it is made again
    answer(call(None, "review", "many", "--json", "--quiet", cwd=tmp_path))
    assert json.loads(kept[0].read_text())["paper"] == "paper-0"


def test_a_folder_whose_review_was_killed_goes_on(tmp_path: Path) -> None:
    papers(tmp_path / "many", 5, long=200)
    process = subprocess.Popen(
        [sys.executable, "-m", "scientist", "review", "many"],
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(ROOT)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    first = tmp_path / "reviews" / "many" / "paper-0" / "review.json"
    deadline = time.monotonic() + 60
    while not first.exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    process.kill()
    process.wait()
    done = sorted(tmp_path.glob("reviews/many/*/review.json"))
    assert first in done
    assert not (tmp_path / "reviews" / "many" / "index.json").exists()
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in done}
    told = answer(call(None, "review", "many", "--json", "--quiet", cwd=tmp_path))
    assert len(told["reviews"]) == 5 and not any(row["failed"] for row in told["reviews"])
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in done} == before
    whole = {path: path.read_bytes() for path in sorted(tmp_path.glob("reviews/many/*/review.*"))}
    shutil.rmtree(tmp_path / "reviews")
    answer(call(None, "review", "many", "--json", "--quiet", cwd=tmp_path))
    assert {path: path.read_bytes() for path in sorted(tmp_path.glob("reviews/many/*/review.*"))} == whole


def test_ctrl_c_says_that_running_it_again_goes_on(tmp_path: Path) -> None:
    papers(tmp_path / "many", 4, long=300)
    process = subprocess.Popen(
        [sys.executable, "-m", "scientist", "review", "many", "--json"],
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(ROOT)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "paper-1" in line:
            break
    os.killpg(process.pid, signal.SIGINT)
    _, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    said = [line for line in rest.splitlines() if not line.startswith("{")]
    assert len(said) == 1
    assert "interrupted" in said[0] and "run it again" in said[0] and "resume" not in said[0]


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (("none.pdf",), "none.pdf cannot be read: No such file or directory", 4),
        (("empty",), "holds no paper", 2),
        (("broken",), "none of 2 papers could be reviewed", 4),
        (("one.docx",), "is of a kind that is not read", 4),
        (("pipe.pdf",), "is not a file", 4),
    ],
)
def test_complaints_are_one_line(tmp_path: Path, words: tuple[str, ...], said: str, code: int) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "one.docx").write_bytes(b"PK")
    os.mkfifo(tmp_path / "pipe.pdf")
    (tmp_path / "broken").mkdir()
    for name in ("a.pdf", "b.pdf"):
        (tmp_path / "broken" / name).write_bytes(b"%PDF-1.4")
    assert said in complaint(call(None, "review", *words, "--quiet", cwd=tmp_path), code)


def test_a_fault_in_one_paper_is_a_line_and_a_full_disk_is_the_end(tmp_path: Path) -> None:
    asked = meant([str(papers(tmp_path / "many", 3))], None)

    def review(paper: Found, error: Exception) -> Entry:
        if paper.name == "paper-1":
            raise error
        return Entry(paper=paper.name)

    entries = review_each(asked, lambda paper, _: review(paper, KeyError("x")), json=False, quiet=True)
    assert [bool(entry.failed) for entry in entries] == [False, True, False]
    assert "KeyError" in entries[1].failed
    with pytest.raises(LabError):
        review_each(
            asked, lambda paper, _: review(paper, LabError("no space left", "free some")), json=False, quiet=True
        )


def test_hostile_names_stay_inside(tmp_path: Path) -> None:
    folder = tmp_path / "sub"
    folder.mkdir()
    for name in (
        ";rm -rf ~.txt",
        "<script>alert(1)</script>.txt".replace("/", "\u2215"),
        "[bold]x[red].txt",
        "\u202egpj.txt",
    ):
        (folder / name).write_text("A Text\n\nCards are sorted by hand.")
    (folder / "loop").symlink_to(folder)
    done = call(None, "review", "sub", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    base = tmp_path / "reviews" / "sub"
    assert {path.parent for path in tmp_path.rglob("review.html")} == {path for path in base.iterdir() if path.is_dir()}
    assert len([path for path in base.iterdir() if path.is_dir()]) == 4
    pages = "".join(path.read_text() for path in base.rglob("*.html")) + done.stdout
    assert "<script" not in pages and "\u202e" not in pages


def test_a_paper_of_the_lab_keeps_its_form_and_gets_a_page_where_it_is_asked_for(
    finished: Path, tmp_path: Path
) -> None:
    slug = next((finished / "papers").iterdir()).name
    done = call(finished, "review", slug, "--into", str(tmp_path / "out"), "--quiet")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"# Review of {slug}")
    assert "of 10" in (tmp_path / "out" / "review.html").read_text()
    papers(tmp_path / "strangers", 1)
    words = (str(tmp_path / "strangers" / "paper-0"), slug, "--into", str(tmp_path / "both"), "--json", "--quiet")
    told = answer(call(finished, "review", *words))
    assert [row["paper"] for row in told["reviews"]] == ["paper-0", slug]
    assert (tmp_path / "both" / slug / "review.html").is_file()
    assert told["reviews"][1]["score"] >= 1
