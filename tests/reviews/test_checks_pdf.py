"""The checks of a text through LaTeX and a PDF: what is planted is found as it is printed, and the clean twin is not accused."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

from scientist.reviews.checks import Finding, check_document
from scientist.reviews.reading import read_paper

pytestmark = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX here")

FILLER = (
    "The models were trained on rivers and lakes, and what came out was looked at by hand, since there are many and each is long. "
    * 12
)
PAPER = r"""\documentclass{article}\usepackage{graphicx,booktabs}\begin{document}
\title{Gates for Water}\author{A. Person}\maketitle
\begin{abstract}We study sparse gates for the flow of water and compare them on two data sets.\end{abstract}
\section{Introduction}
Gates were studied before \cite{known}, see FIGURE and Table~\ref{tab:t}. Rivers were studied by others CITED and nobody looked at sparse gates.
\section{Experiments}
We train every model with the same budget, with SEEDS for each configuration, and split the data into 70\% training, 20\% validation and PART\% test.
The accuracy rises from 0.80 to 0.88, an improvement of CHANGE\%. Of all the cases 12 of 40 (SHARE\%) were wet. The error was reduced FROM by the gate.
The groups differed, t(28) = 2.20, p = PVALUE. Answers to one item on a scale from 1 to 7 had M = MEAN, SD = 1.24, n = 12.
On a 7-point Likert scale, M = 4.00, SD = SPREAD, n = 10.
Ours achieves the lowest loss (LOWEST). Ours outperforms the other with a loss of BETTER compared to the baseline's 1.465.
\begin{table}[h]\centering\caption{Loss and accuracy on rivers.}\label{tab:t}
\begin{tabular}{lcc}\toprule Model & Loss & Accuracy \\ \midrule CELLS \\ \bottomrule\end{tabular}\end{table}
\begin{figure}[h]\centering\includegraphics[width=5cm]{one.png}\caption{Curves of the first model.}\label{fig:a}\end{figure}
\begin{figure}[h]\centering\includegraphics[width=5cm]{PICTURE.png}\caption{CAPTION}\label{fig:b}\end{figure}
Figure~\ref{fig:a} shows the curves. FILLER
\section{Conclusion} Gates are good for water. LIMITS FILLER
\begin{thebibliography}{9}\bibitem{known} A. Person and B. Other. A work on gates. Journal of Water, 12(3), 2020.
\bibitem{other} C. Person. A work on rivers. Journal of Water, 13(1), 2021.\end{thebibliography}\end{document}
"""
PARTS = {  # what stands there in the clean paper and in the faulty one, and what the fault is called
    "FIGURE": (r"Figure~\ref{fig:b}", r"Figure~\ref{fig:none}", "undefined-reference"),
    "CITED": (r"\cite{other}", r"\cite{known,missing}", "undefined-citation"),
    "SEEDS": ("five random seeds", "a single random seed", "single-seed"),
    "PART": ("10", "15", "parts-of-a-whole"),
    "CHANGE": ("10", "15", "arithmetic"),
    "SHARE": ("30", "25", "arithmetic"),
    "FROM": ("from 0.35 to 0.30", "from 0.30 to 0.35", "direction"),
    "PVALUE": (".036", ".001", "p-value"),
    "MEAN": ("3.42", "3.47", "impossible-mean"),
    "SPREAD": ("1.05", "3.90", "impossible-spread"),
    "LOWEST": ("0.55", "0.57", "claimed-best"),
    "BETTER": ("1.455", "1.466", "contradicted-comparison"),
    "CELLS": (
        r"Baseline & 0.61 $\pm$ 0.02 & 90.1 $\pm$ 0.3 \\ Ours & 0.55 $\pm$ 0.01 & 92.0 $\pm$ 0.4 \\ Third & 0.57 $\pm$ 0.02 & 91.0 $\pm$ 0.2",
        r"First & 0.61 & 90.1 \\ Ours & 0.57 & 92.0 \\ Third & 0.55 & 91.0",
        "missing-error-bars",
    ),
    "PICTURE": ("three", "two", "duplicated-figure"),
    "CAPTION": ("Curves of the second model.", "PLEASE FILL IN CAPTION HERE", "placeholder"),
    "LIMITS": ("A limitation is that only two data sets were looked at.", "", "no-limitations"),
}


def picture(path: Path, seed: int) -> None:
    """A grey picture of noise."""
    chance, side = random.Random(seed), 120
    rows = b"".join(b"\0" + bytes(chance.randrange(256) for _ in range(side)) for _ in range(side))

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )


def printed(folder: Path, text: str) -> tuple[Finding, ...]:
    """What the checks say of the PDF that LaTeX makes of a text."""
    for name, seed in (("one", 1), ("two", 1), ("three", 3)):
        picture(folder / f"{name}.png", seed)
    (folder / "paper.tex").write_text(text.replace("FILLER", FILLER))
    for _ in range(2):  # the second time with the references of the first
        latex = ["pdflatex", "-no-shell-escape", "-interaction=batchmode", "paper.tex"]
        subprocess.run(latex, cwd=folder, stdout=subprocess.DEVNULL, timeout=60, check=False)
    reading = read_paper(folder / "paper.pdf")
    return check_document(reading.document, reading.sources)


def filled(which: int) -> str:
    text = PAPER
    for mark, parts in PARTS.items():
        text = text.replace(mark, parts[which])
    return text


def test_a_clean_pdf_is_not_accused(tmp_path: Path) -> None:
    assert printed(tmp_path, filled(0)) == ()


def test_what_is_planted_is_found_in_the_pdf(tmp_path: Path) -> None:
    found = printed(tmp_path, filled(1))
    assert {kind for _, _, kind in PARTS.values()} | {"uncited-entry"} <= {finding.kind for finding in found}
    assert sum(finding.kind == "arithmetic" for finding in found) == 2
    assert all(finding.page for finding in found if finding.severity == "error")


def test_results_that_are_compared_with_nothing_are_named_in_the_pdf(tmp_path: Path) -> None:
    bare = r"\documentclass{article}\title{Water}\begin{document}\maketitle\section{Experiments} FILLER FILLER \end{document}"
    assert {"no-baseline", "no-limitations"} <= {finding.kind for finding in printed(tmp_path, bare)}
