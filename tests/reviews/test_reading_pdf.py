"""PDFs, read by processes of their own: what is on the page, and files that are no use."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
import zlib
from pathlib import Path

import pypdf
import pytest
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from scientist.errors import RecordError
from scientist.reviews.reading import Document, numbers, read_paper, sentences

SAMPLES = sorted((Path(__file__).parents[2] / "papers").glob("*/paper.pdf"))
WORDS = "final efficient methods offset the reader and nobody waffles about state-of-the-art flow".split()  # noqa: SIM905
tex_needed = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX here")


def drawn(path: Path, lines: list[tuple[float, float, str, int]], pages: int = 1) -> Path:
    """A PDF with text at (x, y) as shares of the page."""
    with PdfPages(path) as file:
        for number in range(pages):
            figure = Figure(figsize=(8.27, 11.69))
            for x, y, text, size in lines:
                figure.text(x, y, text.replace("@", str(number + 1)), size=size)
            file.savefig(figure)
    return path


def raw_pdf(path: Path, stream: bytes, extra: bytes = b"") -> Path:
    """The least PDF: one page with that stream."""
    head = b"<< /Length %d %s >>" % (len(stream), extra)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>",
        head + b"\nstream\n" + stream + b"\nendstream", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]  # fmt: skip
    data = b"%PDF-1.5\n"
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(data))
        data += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table
    data += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    path.write_bytes(data)
    return path


def refused(path: Path) -> str:
    """The one line that a file is refused with."""
    with pytest.raises(RecordError) as told:
        read_paper(path)
    assert "\n" not in str(told.value)
    return str(told.value)


def test_what_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    empty, broken, other = tmp_path / "empty.pdf", tmp_path / "broken.pdf", tmp_path / "other.pdf"
    empty.touch()
    broken.write_bytes(b"%PDF-1.7\n" + bytes(range(256)) * 40)
    other.write_bytes(b"a letter, not a paper\n" * 100)
    with zipfile.ZipFile(tmp_path / "word.pdf", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"0" * (30 << 20))
    with (tmp_path / "huge.pdf").open("wb") as file:
        file.write(b"%PDF-1.7\n")
        file.truncate(200 << 20)
    writer = pypdf.PdfWriter(drawn(tmp_path / "open.pdf", [(0.1, 0.5, "secret words", 10)]))
    writer.encrypt("password", algorithm="AES-256" if shutil.which("nothing") else "RC4-128")
    writer.write(tmp_path / "locked.pdf")
    for name, said in (
        ("empty", "is empty"), ("broken", "broken"), ("other", "no PDF"), ("word", "zip archive"), ("huge", "larger than"),
        ("locked", "encrypted"),
    ):  # fmt: skip
        assert said in refused(tmp_path / f"{name}.pdf")


@pytest.mark.slow
def test_a_stream_that_blows_up_is_stopped(tmp_path: Path) -> None:
    once = zlib.compress(b"q " * (600 << 20 >> 1), 9)
    bomb = raw_pdf(tmp_path / "bomb.pdf", zlib.compress(once, 9), b"/Filter [/FlateDecode /FlateDecode]")
    assert bomb.stat().st_size < 100_000
    try:
        read = read_paper(bomb).document
    except RecordError as error:
        assert "\n" not in str(error)
    else:
        assert not read.words


@pytest.mark.slow
def test_no_more_than_three_hundred_pages(tmp_path: Path) -> None:
    writer = pypdf.PdfWriter()
    page = pypdf.PdfReader(drawn(tmp_path / "one.pdf", [(0.1, 0.5, "Words on it", 10)])).pages[0]
    for _ in range(303):
        writer.add_page(page)
    writer.write(tmp_path / "long.pdf")
    read = read_paper(tmp_path / "long.pdf").document
    assert read.pages == 303
    assert any("only 300 are read, there are 303" in line for line in read.unread)


def test_a_page_without_text_is_said(tmp_path: Path) -> None:
    figure = Figure(figsize=(6, 8))
    figure.figimage([[0.0, 1.0] * 280] * 560)
    figure.savefig(tmp_path / "scan.pdf")
    read = read_paper(tmp_path / "scan.pdf").document
    assert not read.words and read.unread[0].startswith("page 1: nothing read")


COLUMNS = [
    *((0.12, 0.77 - i * 0.0165, " ".join(WORDS[:6]) + f" left {i}", 9) for i in range(22)),
    *((0.53, 0.77 - i * 0.0165, " ".join(WORDS[:6]) + f" right {i}", 9) for i in range(22)),
    (0.12, 0.96, "A running head of the journal", 8), (0.5, 0.04, "@", 8),
    *((0.05, 0.77 - i * 0.0165, f"{i + 1}", 6) for i in range(22)),
]  # fmt: skip


def test_columns_heads_and_line_numbers(tmp_path: Path) -> None:
    read = read_paper(drawn(tmp_path / "two.pdf", COLUMNS, pages=3)).document
    text = " ".join([read.abstract, *(section.text for section in read.sections)])
    assert re.findall(r"(left|right) (\d+)", text)[:44] == [
        *(("left", str(i)) for i in range(22)), *(("right", str(i)) for i in range(22))
    ]  # fmt: skip
    assert "running head" not in text
    assert len(re.findall(r"\d+", text)) == 3 * 44  # neither page numbers nor those of the lines


@pytest.mark.skipif(not SAMPLES, reason="no sample papers here")
def test_a_paper_of_ours() -> None:
    read = read_paper(SAMPLES[0]).document
    assert read.title and read.abstract.endswith(".")
    assert [s.number for s in read.sections if s.level == 1 and s.number][:6] == ["1", "2", "3", "4", "5", "6"]
    assert {(c.kind, c.number) for c in read.captions} >= {("table", "1"), ("table", "2"), ("figure", "1")}
    assert all(len(row) == len(table.rows[0]) for table in read.tables for row in table.rows)
    assert len(read.references) > 10 and all(cite.known for cite in read.cites) and read.cites
    assert not any("?" in ref.label for ref in read.crossrefs)
    assert all(1 <= sentence.page <= read.pages for sentence in sentences(read))
    assert len(numbers(read)) > 50
    assert Document.model_validate_json(read.canonical()) == read


LATEX = r"""
\documentclass[10pt,twocolumn]{article}\usepackage{booktabs,amsmath}
\title{On the Reading of Papers}\author{Ada Lovelace}\date{}\begin{document}\maketitle
\begin{abstract}We find an efficient flow of 93.4\% in the office.\end{abstract}
\section{Introduction} As was shown~\cite{a}, the state-of-the-art is difficult\footnote{A note on the fjord.} to define. See Table~\ref{t}.
\subsection{Details} %s
\begin{table}\caption{Scores of both.}\label{t}\begin{tabular}{lcc}\toprule Method & Score & Seeds \\ \midrule
Ours & 91.2 & 5 \\ A baseline & 90.1 & 7 \\ \bottomrule\end{tabular}\end{table}
\begin{equation} E = m c^2 + \sum_i x_i \end{equation}
\section*{Acknowledgments} Thanks.
\begin{thebibliography}{9}\bibitem{a} A. Author. A title of a work. \emph{Journal of Things}, 3:1--9, 2019.
\bibitem{b} B. Writer. Another title. 2020.\end{thebibliography}\end{document}
"""


@tex_needed
def test_a_page_of_latex(tmp_path: Path) -> None:
    (tmp_path / "p.tex").write_text(LATEX.replace("%s", "Sufficient words fill the columns of it. " * 120))
    for _ in range(2):
        subprocess.run(
            ["pdflatex", "-interaction=batchmode", "p.tex"], cwd=tmp_path, stdout=subprocess.DEVNULL, check=False
        )
    reading = read_paper(tmp_path / "p.pdf")
    read = reading.document
    assert read.title == "On the Reading of Papers" and read.authors == ("Ada Lovelace",)
    assert read.abstract == "We find an efficient flow of 93.4% in the office."
    assert [(s.number, s.title) for s in read.sections if s.level] == [
        ("1", "Introduction"), ("1.1", "Details"), ("", "Acknowledgments")
    ]  # fmt: skip
    assert "state-of-the-art is difficult to define. See Table 1." in read.sections[0].text
    assert [(n.mark, n.text) for n in read.footnotes] == [("1", "A note on the fjord.")]
    assert read.tables[0].number == "1" and read.tables[0].rows == (
        ("Method", "Score", "Seeds"), ("Ours", "91.2", "5"), ("A baseline", "90.1", "7")
    )  # fmt: skip
    assert [e.number for e in read.equations if e.number] == ["1"]
    assert [(r.key, r.year, r.title) for r in read.references] == [
        ("1", 2019, "A title of a work"),
        ("2", 2020, "Another title"),
    ]
    assert [(c.key, c.known) for c in read.cites] == [("1", True)]
    assert [(c.label, c.known) for c in read.crossrefs] == [("Table 1", True)]
    assert all(run.contrast is not None and run.contrast > 0.3 for run in reading.runs)
