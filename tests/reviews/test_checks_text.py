"""Checks of a paper from its text alone: every planted fault is found, and its clean twin is not accused."""

from __future__ import annotations

import json
import math
import statistics
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from scientist.cli._app import app
from scientist.reviews.checks import Finding, check_document
from scientist.reviews.checks._statistics import p_value, possible_mean, possible_spread
from scientist.reviews.reading import read_paper, read_text

HEAD = "\\documentclass{article}\\title{A study}\\begin{document}\n"


def tex(tmp_path: Path, body: str) -> tuple[Finding, ...]:
    file = tmp_path / "paper.tex"
    file.write_text(f"{HEAD}{body}\n\\end{{document}}\n")
    reading = read_paper(file)
    return check_document(reading.document, reading.sources)


def of_text(sentence: str) -> tuple[Finding, ...]:
    return check_document(read_text(f"A study\n\n1 Results\n\n{sentence}\n", "paper.txt"))


def kinds(findings: tuple[Finding, ...]) -> set[str]:
    return {finding.kind for finding in findings}


def only(findings: tuple[Finding, ...], kind: str) -> Finding:
    return next(finding for finding in findings if finding.kind == kind)


SENTENCES = {  # kind: (planted, clean)
    "arithmetic": [
        ("Accuracy rose from 0.80 to 0.88, an improvement of 15%.", "Accuracy rose from 0.80 to 0.88, an improvement of 10%."),
        ("Accuracy rose from 0.80 to 0.88, a gain of 3 points.", "Accuracy rose from 0.80 to 0.88, a gain of 8 points."),
        ("We cut the error from 12.0% to 9.0% (a 30% reduction).", "We cut the error from 12.0% to 9.0% (a 25% reduction)."),
        ("It lowers loss by 50% from 2.0 to 1.5.", "Changing the batch size from 1024 to 3072 gives a gain of 0.4%."),
        ("In all, 12 of 40 participants (25%) left.", "In all, 12 of 40 participants (30%) left, and 1/3 (33.3%) stayed."),
    ],
    "direction": [
        ("The loss was reduced from 0.80 to 0.88.", "The loss was reduced from 0.88 to 0.80."),
        ("Accuracy increased from 91.2% to 90.1%.", "There is a drop in accuracy going from 4 to 8 groups."),
    ],
    "parts-of-a-whole": [
        ("Data are split into 70% training, 20% validation and 15% test.", "Data are split into 70% training, 20% validation and 10% test."),
        ("We use a 80/15/10 train/validation/test split.", "We use a 80/10/10 train/validation/test split."),
    ],
    "p-value": [
        ("The groups differ, t(28) = 2.20, p = .001.", "The groups differ, t(28) = 2.20, p = .036."),
        ("There is an effect, F(2, 57) = 3.10, p < .01.", "There is an effect, F(2, 57) = 3.10, p = .053."),
        ("They are related, χ2(1, N = 90) = 3.84, p = .50.", "They are related, χ2(1, N = 90) = 3.84, p = .05."),
        ("They correlate, r(48) = .10, p = .01.", "They correlate, r(48) = .35, p = .013."),
        ("It is high, z = 1.20, p < .05.", "It is high, z = 2.20, p < .05."),
    ],
    "impossible-mean": [
        ("On a scale from 1 to 7, M = 3.47 (n = 12).", "On a scale from 1 to 7, M = 3.42 (n = 12)."),
    ],
    "impossible-spread": [
        ("On a 7-point Likert scale, M = 4.00, SD = 3.90, n = 10.", "On a 7-point Likert scale, M = 4.00, SD = 1.05, n = 10."),
    ],
    "mean-off-scale": [("On a 5-point scale, M = 5.31, n = 400.", "On a 5-point scale, M = 4.31, n = 400.")],
    "contradicted-comparison": [
        (
            "Our method outperforms it with a validation loss of 1.466 compared to the baseline's 1.465.",
            "Our method outperforms it with a validation loss of 1.461 compared to the baseline's 1.465.",
        )
    ],
}  # fmt: skip
PAIRS = [(kind, *pair) for kind, pairs in SENTENCES.items() for pair in pairs]


@pytest.mark.parametrize(("kind", "planted", "clean"), PAIRS, ids=lambda value: value[:40])
def test_a_planted_sentence_is_an_error_and_its_clean_twin_is_not(kind: str, planted: str, clean: str) -> None:
    found = only(of_text(planted), kind)
    assert found.severity == "error" and found.section == "1 Results" and found.sentence[:20] in planted
    assert not [one for one in of_text(clean) if one.severity == "error"]


def test_what_should_stand_there_is_said() -> None:
    assert "relative 8.7 to 11.3%" in only(of_text(SENTENCES["arithmetic"][0][0]), "arithmetic").expected
    assert only(of_text("A, t(28) = 2.20, p = .001."), "p-value").expected == "p = 0.0362 (two-sided)"
    assert only(of_text(SENTENCES["impossible-mean"][0][0]), "impossible-mean").expected == "3.42 or 3.50"


def test_one_sided_and_adjusted_tests_get_the_benefit() -> None:
    half = "The groups differ, t(28) = 2.20, p = .018."
    assert only(of_text(half), "p-value").severity == "warning"
    assert "p-value" not in kinds(of_text(f"{half} All tests are one-sided."))
    adjusted = "The groups differ, t(28) = 2.20, p = .108. We used the Bonferroni correction."
    assert only(of_text(adjusted), "p-value").severity == "warning"


def test_p_values_agree_with_scipy() -> None:
    from scipy import stats

    assert p_value("t", 2.2, [28]) == pytest.approx(2 * stats.t.sf(2.2, 28))
    assert p_value("F", 3.1, [2, 57]) == pytest.approx(stats.f.sf(3.1, 2, 57))
    assert p_value("chi", 3.84, [1]) == pytest.approx(stats.chi2.sf(3.84, 1))
    assert p_value("z", 1.2, []) == pytest.approx(2 * stats.norm.sf(1.2))
    a, b = [1.0, 2, 3, 4, 5, 6], [2.0, 1, 4, 3, 7, 5]
    r, p = stats.pearsonr(a, b)
    assert p_value("r", float(r), [4]) == pytest.approx(p)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(1, 7), min_size=2, max_size=40), st.integers(1, 3))
def test_means_and_spreads_of_real_answers_are_always_possible(answers: list[int], places: int) -> None:
    mean, spread = f"{statistics.mean(answers):.{places}f}", f"{statistics.stdev(answers):.{places}f}"
    assert possible_mean(mean, len(answers))
    assert possible_spread(mean, spread, len(answers), 1, 7)


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 40), st.integers(100, 700))
def test_grim_is_what_trying_every_sum_gives(n: int, hundredths: int) -> None:
    mean = hundredths / 100
    tried = any(abs(total / n - mean) <= 0.005 + 1e-9 for total in range(math.floor(mean * n), math.ceil(mean * n) + 1))
    assert possible_mean(f"{mean:.2f}", n) == tried


FAULTY = r"""
\begin{abstract}We study.\end{abstract}
\section{Introduction}\label{sec:i}
As shown by \citet{known} and \citep{unknown}, see Figure~\ref{fig:none} and Figure~\ref{fig:a}.
The steps that were needed fell by 12% on all tasks.
\begin{figure}\includegraphics{plots/a.png}\caption{PLEASE FILL IN CAPTION HERE}\label{fig:a}\end{figure}
\begin{figure}\includegraphics{plots/a.png}\caption{Again.}\label{fig:a}\end{figure}
\begin{table}\caption{Results}\label{tab:t}\begin{tabular}{lcc}
Model & Loss & Accuracy \\ \hline A & 0.61 & 90.1 \\ B & \textbf{0.57} & 91.0 \\ C & 0.55 & \textbf{92.0} \\ \end{tabular}\end{table}
Model B achieves the lowest loss (0.57).
\begin{thebibliography}{9}\bibitem{known} A. Person. A work. 2020.\bibitem{idle} B. Person. A work. 2021.\end{thebibliography}
"""


def test_faults_of_a_tex_paper(tmp_path: Path) -> None:
    found = tex(tmp_path, FAULTY)
    errors = {finding.kind for finding in found if finding.severity == "error"}
    assert errors == {
        "undefined-reference",
        "undefined-citation",
        "lost-text",
        "placeholder",
        "bold-not-best",
        "claimed-best",
    }
    assert {"duplicate-label", "duplicated-figure", "missing-error-bars"} <= kinds(found)
    assert "'idle' is listed and never cited" in {finding.message for finding in found}
    assert "no sentence refers to Table 1" in {finding.message for finding in found}
    assert only(found, "undefined-citation").sentence.startswith("As shown by")
    assert only(found, "bold-not-best").expected == "0.55 (C)"
    assert [finding.severity for finding in found] == sorted(
        (f.severity for f in found), key=["error", "warning", "note"].index
    )


CLEAN = r"""
\begin{abstract}We study.\end{abstract}
\section{Introduction}\label{sec:i}
As shown by \citet{known}, see Figure~\ref{fig:a} and Table~\ref{tab:t}. The steps fell by 12\% on all tasks. % a comment
\begin{figure}\includegraphics{plots/a.png}\caption{Curves.}\label{fig:a}\end{figure}
\begin{table}\caption{Results over 5 seeds.}\label{tab:t}\begin{tabular}{lcc}
Model & Loss & Accuracy \\ \hline A & 0.61 $\pm$ 0.02 & 90.1 \\ B & 0.57 $\pm$ 0.01 & 91.0 \\ Ours & \textbf{0.55} $\pm$ 0.02 & \textbf{92.0} \\
\end{tabular}\end{table}
Our model achieves the lowest loss (0.55).
\begin{thebibliography}{9}\bibitem{known} A. Person. A work. 2020.\end{thebibliography}
"""


def test_a_clean_tex_paper_is_not_accused(tmp_path: Path) -> None:
    assert tex(tmp_path, CLEAN) == ()


def test_what_a_whole_paper_lacks() -> None:
    filler = "We ran the method on the tasks and looked at what came out of it. " * 60
    bare = f"A study\n\n1 Experiments\n\n{filler} We use a single seed.\n"
    assert {"no-limitations", "no-baseline", "single-seed"} <= kinds(check_document(read_text(bare, "a.txt")))
    whole = f"A study\n\n1 Experiments\n\n{filler} The baseline is weaker over five seeds.\n\n2 Limitations\n\nOnly small tasks.\n"
    assert check_document(read_text(whole, "a.txt")) == ()
    assert check_document(read_text("A study\n\n1 Experiments\n\nShort.\n", "a.txt")) == ()


def test_quotations_are_bounded_and_carry_no_control_characters(tmp_path: Path) -> None:
    long = "word " * 2000
    found = tex(
        tmp_path,
        f"\\section{{R}} {long} \\cite{{\x1b[31mnone}} {long}.\n\\bibliography{{missing}}\n\\ref{{{'x' * 5000}}}",
    )
    assert found
    assert all(
        len(text) <= 300 and "\x1b" not in text for one in found for text in (one.message, one.sentence, one.expected)
    )


def test_the_command_says_where_and_exits_by_what_it_found(tmp_path: Path) -> None:
    (tmp_path / "paper.tex").write_text(f"{HEAD}{FAULTY}\\end{{document}}")
    (tmp_path / "clean.tex").write_text(f"{HEAD}{CLEAN}\\end{{document}}")
    run = CliRunner()
    bad = run.invoke(app, ["check", str(tmp_path / "paper.tex"), "--json", "--quiet"])
    answer = json.loads(bad.stdout)
    assert bad.exit_code == 1 and answer["counts"]["error"] >= 6
    assert {"kind", "severity", "message", "sentence", "section", "page", "expected", "source"} == set(
        answer["findings"][0]
    )
    told = run.invoke(app, ["check", str(tmp_path / "paper.tex"), "--quiet"])
    assert told.exit_code == 1 and "bold-not-best" in told.stdout and "0.55 (C)" in told.stdout
    good = run.invoke(app, ["check", str(tmp_path / "clean.tex"), "--quiet"])
    assert good.exit_code == 0 and "nothing found" in good.stdout
