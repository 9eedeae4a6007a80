"""Numbers of a paper against its runs: a small invented study, clean, and with every kind of fault planted in it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from scientist.cli._app import app
from scientist.errors import RecordError
from scientist.reviews.checks import RunsChecked, check_document, check_runs, has_runs, read_runs
from scientist.reviews.reading import read_paper

PAPERS = Path(__file__).parents[2].parent / "shared" / "data" / "ai_written_papers"
TITLES = ["Baseline", "Wide Window", "Sparse Gate", "Wide Window with Sparse Gate"]
LOSS = {"rivers": [0.800, 0.720, 0.640, 0.900], "lakes": [0.500, 0.525, 0.410, 0.610]}
ACCURACY = {"rivers": [0.812, 0.855, 0.861, 0.790], "lakes": [0.903, 0.911, 0.934, 0.899]}
OFFSETS = (-0.02, 0.0, 0.02)

PAPER = r"""\documentclass{article}\title{Gates for Water}\begin{document}
\begin{abstract}Sparse gates reduce the loss by 20.0\% on rivers and reach an accuracy of 93.4\% on lakes.\end{abstract}
\section{Experimental Setup}
We train for 40.5 epochs with a learning rate of 0.013, a dropout of 0.25 and a 5$\times$5 kernel, and loss weight 0.77 on rivers.
\section{Results}\label{sec:r}
Table~\ref{tab:loss} and Table~\ref{tab:acc} show everything. The baseline has a loss of 0.800 on rivers, while the sparse gate has 0.640.
On lakes the wide window increases the loss by 5.0\% compared to the baseline. The average accuracy of the sparse gate is 0.897.
\begin{table}\caption{Loss}\label{tab:loss}\begin{tabular}{lcc}
Method & Rivers & Lakes \\ \hline Baseline & 0.800 $\pm$ 0.020 & 0.500 $\pm$ 0.020 \\ Wide window & 0.720 $\pm$ 0.020 & 0.525 $\pm$ 0.020 \\
Sparse gate & 0.640 $\pm$ 0.012 & 0.410 $\pm$ 0.012 \\ \end{tabular}\end{table}
\begin{table}\caption{Accuracy with the sparse gate}\label{tab:acc}\begin{tabular}{lc}
Data set & Accuracy (\%) \\ \hline Rivers & 86.1 \\ Lakes & 93.4 \\ \end{tabular}\end{table}
\section{Limitations} Only two data sets.
\end{document}
"""


def reported(run: int, dialect: str) -> dict[str, Any]:
    """A final_info.json in one of the dialects."""
    info: dict[str, Any] = {}
    for dataset in LOSS:
        values = {"eval_loss": LOSS[dataset][run], "accuracy": ACCURACY[dataset][run]}
        seeds = {key: [value + offset for offset in OFFSETS] for key, value in values.items()}
        if dialect == "means":
            info[dataset] = {"means": values}
            continue
        info[dataset] = {
            "means": {f"{key}_mean": value for key, value in values.items()},
            "stderrs": {
                f"{key}_stderr": math.sqrt(0.0008 / 3) / 3 for key in values
            },  # std / n, as those scripts have it
            "final_info_dict": seeds,
        }
    return info


def study(folder: Path, paper: str = PAPER, dialect: str = "full") -> Path:
    (folder / "latex").mkdir(parents=True)
    (folder / "latex" / "template.tex").write_text(paper)
    notes = ["# Title: Gates"]
    for run, title in enumerate(TITLES):
        (folder / f"run_{run}").mkdir()
        (folder / f"run_{run}" / "final_info.json").write_text(json.dumps(reported(run, dialect)))
        notes += [f"## Run {run}: {title}", f"Results: {{'a': {run}}}", f"Description: {title} was tried."]
    (folder / "notes.txt").write_text("\n".join(notes))
    return folder


def checked(folder: Path) -> RunsChecked:
    return check_runs(read_paper(folder).document, read_runs(folder))


def test_a_clean_paper_is_bound_number_by_number_and_not_accused(tmp_path: Path) -> None:
    found = checked(study(tmp_path / "a"))
    assert found.findings == ()
    assert found.count("bound") == len(found.numbers) == 20
    where = {(number.text, number.place): number.source for number in found.numbers}
    assert where["0.525", "Table 1, 'Wide window', 'Lakes'"] == "run_1 · lakes · eval_loss"
    assert where["± 0.012", "Table 1, 'Sparse gate', 'Rivers'"] == "run_2 · rivers · eval_loss: standard error"
    assert where["20.0%", "Abstract"] == "rivers · eval_loss · run_0 to run_2"
    assert where["93.4%", "Abstract"] == "run_2 · lakes · accuracy"
    assert where["0.897", "2 Results"] == "run_2 · mean over data sets · accuracy"


FAULTS = [  # what is changed to what, kind, what the finding must say
    ("Wide window & 0.720", "Wide window & 0.733", "unmatched", "run_1 · rivers · eval_loss: 0.72"),
    ("Wide window & 0.720", "Wide window & 0.640", "wrong-run", "run_1 · rivers · eval_loss: 0.72"),
    ("0.525 $", "0.720 $", "wrong-run", "run_1 · lakes · eval_loss: 0.525"),
    ("Rivers & 86.1", "Rivers & 64.0", "unmatched", "run_2 · rivers · accuracy: 0.861"),
    ("0.640 $\\pm$ 0.012", "0.640 $\\pm$ 0.004", "unsupported-error-bar", "standard error 0.01155"),
    (
        "reduce the loss by 20.0\\% on rivers",
        "reduce the loss by 31.7\\% on rivers",
        "unmatched",
        "-20.0% (rivers · eval_loss",
    ),
    (
        "On lakes the wide window increases the loss by 5.0",
        "On lakes the wide window reduces the loss by 5.0",
        "contradicted",
        "lakes",
    ),
    ("accuracy of 93.4\\%", "accuracy of 97.1\\%", "unmatched", "accuracy"),
    (
        "while the sparse gate has 0.640",
        "while the sparse gate has 0.655",
        "unmatched",
        "run_2 · rivers · eval_loss: 0.64",
    ),
]


@pytest.mark.parametrize(("old", "new", "kind", "said"), FAULTS, ids=lambda value: str(value)[:30])
def test_a_planted_number_is_named_with_the_run_it_should_have_come_from(
    tmp_path: Path, old: str, new: str, kind: str, said: str
) -> None:
    assert old in PAPER
    found = checked(study(tmp_path / "a", PAPER.replace(old, new, 1)))
    (only,) = found.findings
    assert only.kind == kind and said in f"{only.expected} {only.source}" and only.section and only.sentence


def test_settings_years_and_sizes_are_never_results(tmp_path: Path) -> None:
    more = PAPER.replace(
        "show everything.",
        "show everything. On rivers the loss uses a batch size of 32, a weight decay of 0.05 and 3 seeds (Table 4.2, since 2019).",
    )
    assert checked(study(tmp_path / "a", more)).findings == ()


def test_what_is_made_of_several_values_is_not_taken_for_one(tmp_path: Path) -> None:
    table = r"""\begin{table}\caption{Loss on rivers}\begin{tabular}{lccccc}
Method & Loss & Improvement & Std & Seed 1 & Parameters \\ \hline Baseline & 0.800 & 0.0 & 0.031 & 0.777 & 1.27 \\
Sparse gate & 0.640 & 0.163 & 0.029 & 0.633 & 1.31 \\ \end{tabular}\end{table}"""
    said = "The sparse gate lowers the loss on rivers by 0.160, and the loss lies between 0.31 and 0.97."
    found = checked(
        study(tmp_path / "a", PAPER.replace("\\section{Limitations}", f"{table} {said}\\section{{Limitations}}"))
    )
    assert found.findings == ()
    assert {number.source for number in found.numbers if number.text == "0.160"} == {
        "rivers · eval_loss · run_0 to run_2"
    }


def test_what_may_stand_in_the_curves_is_a_warning(tmp_path: Path) -> None:
    said = "During training the loss of the baseline on rivers falls to 0.455."
    (only,) = checked(study(tmp_path / "a", PAPER.replace("show everything.", f"show everything. {said}"))).findings
    assert only.kind == "unmatched" and only.severity == "warning" and only.sentence == said


def test_what_is_looked_at_of_a_hostile_paper_is_bounded(tmp_path: Path) -> None:
    said = "The loss on rivers is 0.455 and 0.5% lower, " * 3000
    rows = " \\\\ ".join(["Baseline & " + " & ".join(["0.123 $\\pm$ 0.4"] * 50)] * 1500)
    table = f"\\begin{{table}}\\caption{{Loss on rivers}}\\begin{{tabular}}{{l}} M & Loss \\\\ {rows} \\end{{tabular}}\\end{{table}}"
    found = checked(study(tmp_path / "a", PAPER.replace("show everything.", f"show everything. {table} {said}.")))
    assert (
        4_000 <= len(found.numbers) < 4_100
    )  # 2,000 cells with a value and a spread each, and what else the paper says


def test_a_spread_of_runs_that_report_one_value_each_is_not_supported(tmp_path: Path) -> None:
    found = checked(study(tmp_path / "a", dialect="means"))
    assert {one.kind for one in found.findings} == {"unsupported-error-bar"} and len(found.findings) == 6
    assert all("without its seeds" in one.expected for one in found.findings)


def test_the_standard_error_that_such_scripts_report_supports_a_spread_too(tmp_path: Path) -> None:
    (run,) = [run for run in read_runs(study(tmp_path / "a")).runs if run.name == "run_1"]
    spreads = run.quantities[0].spreads()
    assert spreads["sd"] == pytest.approx(0.02) and spreads["standard error"] == pytest.approx(0.02 / math.sqrt(3))
    assert spreads["reported standard error"] == pytest.approx(0.00544, rel=1e-2)
    assert spreads["95% interval (t)"] == pytest.approx(4.3027 * 0.02 / math.sqrt(3), rel=1e-4)


def test_identical_programs_and_results_under_different_names(tmp_path: Path) -> None:
    folder = study(tmp_path / "a")
    for run, code in enumerate(["gate = 0\n", "gate = 1\n", "gate = 1  \n\n", "gate = 2\n"]):
        (folder / f"run_{run}.py").write_text(f"import sys\n{code}")
    (code,) = [one for one in checked(folder).findings if one.kind == "identical-code"]
    assert code.severity == "error" and "run_1 (Wide Window) and run_2 (Sparse Gate)" in code.message
    options = "p.add_argument('--out_dir')\np.add_argument('--gate')\n"
    (folder / "run_1.py").write_text(options)
    (folder / "run_2.py").write_text(options)
    assert [one.severity for one in checked(folder).findings if one.kind == "identical-code"] == ["warning"]
    info = reported(3, "full")
    info["rivers"]["means"] |= {"a": 0.1234567891, "b": 0.2234567891, "c": 0.3234567891}
    for run in (1, 3):
        (folder / f"run_{run}" / "final_info.json").write_text(json.dumps(info))
    assert [one.severity for one in checked(folder).findings if one.kind == "identical-results"] == ["error"]
    for run in (1, 3):
        info["rivers"]["means"]["train_time"] = 11.5 + run
        (folder / f"run_{run}" / "final_info.json").write_text(json.dumps(info))
    (same,) = [one for one in checked(folder).findings if one.kind == "identical-results"]
    assert same.severity == "warning" and "but for the clock" in same.message


def test_programs_that_differ_in_comments_and_names_of_runs_are_the_same(tmp_path: Path) -> None:
    folder = study(tmp_path / "a")
    body = 'def train(gate):\n    """{}"""\n    # {}\n    return gate * {}\n\nsave(train(2), "{}/out")\n'
    codes = [
        ("Trains.", "first", 3, "run_1"),
        ("Trains with a gate.", "the gate", 3, "run_2"),
        ("Trains.", "first", 4, "run_3"),
    ]
    for run, parts in enumerate(codes, 1):
        (folder / f"run_{run}.py").write_text(body.format(*parts))
    (found,) = [one for one in checked(folder).findings if one.kind == "identical-code"]
    assert "run_1 (Wide Window) and run_2 (Sparse Gate)" in found.message and "but for comments" in found.message
    (folder / "run_2.py").write_text("def broken(:\n    'x\n")  # no Python: compared line by line
    (folder / "run_3.py").write_text("def broken(:\n\n    'x  \n")
    (found,) = [one for one in checked(folder).findings if one.kind == "identical-code"]
    assert "run_2" in found.message and "run_3" in found.message


def test_broken_runs_are_named_and_nothing_to_read_is_one_line(tmp_path: Path) -> None:
    folder = study(tmp_path / "a")
    (folder / "run_3" / "final_info.json").write_text("{not json")
    (folder / "notes.txt").unlink()
    runs = read_runs(folder)
    assert len(runs.runs) == 3 and len(runs.unread) == 2 and has_runs(folder)
    assert checked(folder).count("bound") > 0
    (tmp_path / "empty").mkdir()
    assert not has_runs(tmp_path / "empty")
    for place in (tmp_path / "empty", tmp_path / "nowhere"):
        with pytest.raises(RecordError):
            read_runs(place)


def test_the_command_reads_the_runs_beside_the_paper_or_where_it_is_told(tmp_path: Path) -> None:
    folder = study(tmp_path / "a", PAPER.replace("Wide window & 0.720", "Wide window & 0.733"))
    run = CliRunner()
    answer = run.invoke(app, ["check", str(folder), "--json", "--quiet"])
    told = json.loads(answer.stdout)
    assert answer.exit_code == 1 and [one["kind"] for one in told["findings"] if one["severity"] == "error"] == [
        "unmatched"
    ]
    assert len(told["numbers"]) == 20
    text = run.invoke(app, ["check", str(folder / "latex" / "template.tex"), "--runs", str(folder), "--quiet"])
    assert text.exit_code == 1 and "numbers looked at: 20: 19 bound to a run, 1 match nothing" in text.stdout
    alone = run.invoke(app, ["check", str(folder / "latex" / "template.tex"), "--quiet"])
    assert alone.exit_code == 0 and "numbers looked at" not in alone.stdout


@pytest.mark.skipif(not PAPERS.is_dir(), reason="the papers are not beside the checkout")
def test_papers_with_invented_numbers_are_told_from_the_clean_ones() -> None:
    found = {folder.name: checked(folder) for folder in sorted(PAPERS.iterdir())}
    wrong = {name: len(one.findings) for name, one in found.items()}
    # 76 % for addition is wrong in the paper (66 % at most), and it says so twice.
    assert wrong["gan_diffusion"] == 0 and wrong["rl_lr_adaptation"] == 0 and wrong["data_augmentation_grokking"] <= 2
    assert wrong["grid_based_noise_adaptation"] >= 33
    grid = {(one.kind, one.sentence[:40]) for one in found["grid_based_noise_adaptation"].findings}
    assert any(kind == "contradicted" and said.startswith("We observe KL divergence") for kind, said in grid)
    bars = [one for one in found["weight_initialization_grokking"].findings if one.kind == "unsupported-error-bar"]
    assert len(bars) >= 17 and all(one.source and one.expected for one in bars)
    reading = read_paper(PAPERS / "rl_lr_adaptation")
    keys = [one for one in check_document(reading.document, reading.sources) if one.kind == "undefined-citation"]
    assert [one.expected for one in keys] == ["an entry 'loshchilov2016sgdr'"]
