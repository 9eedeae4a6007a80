"""TeX projects and plain text, read into the one record."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scientist.errors import RecordError
from scientist.reviews.reading import ABSTRACT, Document, numbers, read_paper, read_text, sentences

PAPER = r"""
\documentclass{article}
\newcommand{\acc}{accuracy}\newcommand{\best}[1]{\textbf{#1}}\newcommand{\two}[2][one]{#1 and #2}
\title{Reading \emph{Closely}}
\author{Ad\'a Lovel\"ace\thanks{Thanks.} \and Jos\'e {\L}ukasz}
\begin{document}
\maketitle
\begin{abstract}
We read papers at $93.4 \pm 0.2$\% \acc{}. % a comment that nobody reads
It works \citep{smith2020,jones21}.
\end{abstract}
\section{Introduction}\label{sec:intro}
As \citet{smith2020} show, see Section~\ref{sec:method} and Figure~\ref{fig:one}, but not \ref{fig:none}.

A second paragraph\footnote{With a note at \url{https://example.org/a_b}.} of \best{bold} words, \two{three}.
\input{parts/method}
\begin{figure}\includegraphics[width=\linewidth]{plots/a.png}
\caption{A figure of \acc.}\label{fig:one}\end{figure}
\begin{table}\caption{Results.}\label{tab:r}
\begin{tabular}{lcc}\toprule & \multicolumn{2}{c}{Score} \\ \cmidrule(lr){2-3} Method & A & B\\ \midrule
Ours \& more & \best{91.2} & 3.1 $\pm$ 0.4 \\ Base & 90.1 & -- \\ \bottomrule\end{tabular}\end{table}
\appendix
\section{Proofs}
\begin{equation}\label{eq:e} a = b \end{equation}
And $$c = d$$ is shown.
\begin{thebibliography}{9}
\bibitem{smith2020} J. Smith. \newblock A title of a work. \newblock \emph{Journal}, 2020.
\bibitem{unused} K. Other. \newblock Another title. \newblock 2019.
\end{thebibliography}
\end{document}
Nothing after the end is read.
"""


def paper(folder: Path, text: str = PAPER) -> Document:
    (folder / "parts").mkdir(exist_ok=True)
    (folder / "parts" / "method.tex").write_text(
        "\\section{Method}\\label{sec:method}\nOur method. It has 12 layers.\n"
    )
    (folder / "main.tex").write_text(text)
    return read_paper(folder).document


def test_the_parts_of_a_paper(tmp_path: Path) -> None:
    read = paper(tmp_path)
    assert read.title == "Reading Closely" and read.authors == ("Adá Loveläce", "José Łukasz")
    assert read.abstract == "We read papers at 93.4 ± 0.2% accuracy. It works [smith2020; jones21]."
    assert [(s.number, s.title, s.appendix) for s in read.sections] == [
        ("1", "Introduction", False), ("2", "Method", False), ("A", "Proofs", True)
    ]  # fmt: skip
    assert read.sections[0].paragraphs[0].text == ("As [smith2020] show, see Section 2 and Figure 1, but not ??.")
    assert read.sections[0].paragraphs[1].text.endswith("of bold words, one and three.")
    assert [(c.kind, c.number, c.text, c.label) for c in read.captions] == [
        ("figure", "1", "A figure of accuracy.", "fig:one"), ("table", "1", "Results.", "tab:r")
    ]  # fmt: skip
    assert read.tables[0].number == "1" and read.tables[0].rows == (
        ("", "Score", ""), ("Method", "A", "B"), ("Ours & more", "91.2", "3.1 ± 0.4"), ("Base", "90.1", "--")
    )  # fmt: skip
    assert [(e.text, e.number) for e in read.equations] == [("a = b", "1"), ("c = d", "")]
    assert [(r.key, r.year) for r in read.references] == [("smith2020", 2020), ("unused", 2019)]
    assert [(c.key, c.known, c.section) for c in read.cites] == [
        ("smith2020", True, ABSTRACT), ("jones21", False, ABSTRACT), ("smith2020", True, 0)
    ]  # fmt: skip
    assert [c.label for c in read.crossrefs if not c.known] == ["fig:none"]
    assert [f.name for f in read.figures] == ["plots/a.png"] and [x.url for x in read.links] == [
        "https://example.org/a_b"
    ]
    assert read.footnotes[0].text == "With a note at https://example.org/a_b."
    assert "comment" not in read.model_dump_json() and "Nothing after" not in read.model_dump_json()


def test_numbers_have_value_unit_spread_and_place(tmp_path: Path) -> None:
    found = numbers(paper(tmp_path))
    assert [(n.text, n.value, n.unit, n.spread, n.section) for n in found] == [
        ("93.4 ± 0.2%", 93.4, "%", 0.2, ABSTRACT), ("12", 12.0, "", None, 1)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("In Figure 3 and Section 4.1 we use F1 and ResNet-50 (Smith, 2020) [12, 3].", []),
        ("It rose from 1,234.5 to 2e-3, a drop of −3.1 points.", [1234.5, 0.002, -3.1]),
        ("A gain of 2.5× over 5 seeds at 3 × 10^-4; the interval is [0.81, 0.93].", [2.5, 5, 3e-4, 0.81, 0.93]),
        ("p < .05 in 2020 with 95% confidence, 10-20 runs.", [0.05, 95]),
    ],
)
def test_which_digits_are_numbers(text: str, values: list[float]) -> None:
    read = read_text(f"1 Introduction\n\n{text}\n", "x.txt")
    assert [n.value for n in numbers(read)] == pytest.approx(values)


def test_nothing_outside_the_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret.tex").write_text("SECRET")
    inner = tmp_path / "paper"
    inner.mkdir()
    (inner / "link.tex").symlink_to(tmp_path / "secret.tex")
    names = ("../secret", "/etc/hostname", "link", str(tmp_path / "secret.tex"))
    body = "".join(f"\\input{{{name}}}\n" for name in names)
    read = paper(inner, f"\\begin{{document}}Words.\n{body}\\bibliography{{../secret}}\\end{{document}}")
    assert "SECRET" not in read.model_dump_json()
    assert sum("not inside the folder" in line for line in read.unread) == 4


@pytest.mark.parametrize(
    "text",
    [
        r"\newcommand{\x}{\x\x}\begin{document}\x\end{document}",
        r"\newcommand{\a}{\b\b\b\b}\newcommand{\b}{\c\c\c\c}\newcommand{\c}{\d\d\d\d}\newcommand{\d}{\a}\begin{document}\a\end{document}",
        r"\input{main}",
        "\\begin{document}" + r"\footnote{" * 3_000,
        "\\begin{document}" + r"\begin{figure}" * 5_000,
        "\\begin{document}" + "{" * 100_000 + "$" * 9_999,
        "\\begin{document}" + r"\begin{verbatim}" * 20_000,
        r"\section",
    ],
)
def test_hostile_tex_ends(tmp_path: Path, text: str) -> None:
    read = paper(tmp_path, "\\documentclass{article}" + text)
    assert read.kind == "tex"


def test_no_paper_is_one_line(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.tex", tmp_path / "none.txt"):
        with pytest.raises(RecordError) as told:
            read_paper(path)
        assert "\n" not in str(told.value)


TEXT = """# A TITLE OF A PAPER

**Anonymous authors**

ABSTRACT

We study things that matter
for a compu-
tation (Smith & Jones, 2020a;b).

1 INTRODUCTION

See [the code](https://example.org/x) and Table 1. As Lee et al. (2019) say, it works. Nobody (2011) said so.

|Method|Score|
|---|---|
|Ours|91.2|

Table 1: Scores of both.

2.1 is not a heading because it is a sentence that goes on.

2 METHODS

2.1 DETAILS

Figure 2 shows nothing.

REFERENCES

Ann Lee, Bo Li. A fine title. Venue, 2019.

John Smith and Al Jones. Title of the first one. In
Proceedings, pp. 1900-1999, 2020a.

John Smith and Al Jones. The second one. arXiv:2001.01234, 2020b.

A APPENDIX

More text.
"""


def test_plain_text() -> None:
    read = read_text(TEXT, "x.txt")
    assert read.title == "A TITLE OF A PAPER" and read.abstract.startswith(
        "We study things that matter for a computation"
    )
    assert [(s.number, s.title, s.level, s.appendix) for s in read.sections if s.level] == [
        ("1", "INTRODUCTION", 1, False), ("2", "METHODS", 1, False), ("2.1", "DETAILS", 2, False), ("A", "APPENDIX", 1, True)
    ]  # fmt: skip
    assert read.tables[0].number == "1" and read.tables[0].rows == (("Method", "Score"), ("Ours", "91.2"))
    assert [(r.year, r.title) for r in read.references] == [
        (2019, "A fine title"), (2020, "Title of the first one"), (2020, "The second one")
    ]  # fmt: skip
    assert read.references[2].arxiv == "2001.01234"
    assert [(c.key, c.known) for c in read.cites] == [
        ("Smith & Jones, 2020a", True), ("Smith & Jones, 2020b", True), ("Lee et al., 2019", True), ("Nobody, 2011", False)
    ]  # fmt: skip
    assert [c.label for c in read.crossrefs if not c.known] == ["Figure 2"]


def test_sentences_end_where_they_end() -> None:
    text = "We follow Smith et al. (2020), i.e. the best. See Fig. 3 for D. Kingma. It rose by 3.5 points! Is it? Yes."
    found = sentences(read_text(f"1 Introduction\n\n{text}", "x"))
    assert [s.text for s in found] == [
        "We follow Smith et al. (2020), i.e. the best.", "See Fig. 3 for D. Kingma.", "It rose by 3.5 points!", "Is it?", "Yes."
    ]  # fmt: skip
    assert all(text[s.start : s.start + len(s.text)] == s.text for s in found)


def test_a_pipe_is_no_paper(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p.tex")
    with pytest.raises(RecordError, match="is not a file"):
        read_paper(tmp_path / "p.tex")
