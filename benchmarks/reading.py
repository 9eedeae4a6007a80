"""What is read of PDFs of many classes, against what was written into them.

Writes one paper (its words known) through twenty document classes and programs, reads each with
`scientist.reviews.reading`, and prints per PDF: the share of the written words that were read in their order, of what was
read that was never written, headings, captions, references and cells found, and seconds of processor time. Classes and programs that are not
installed are said to be missing.

    python benchmarks/reading.py [--out build/reading] [--only ieee]
"""

from __future__ import annotations

import argparse
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path

from scientist.errors import ScientistError
from scientist.reviews.reading import Document, read_paper

ROOT = Path(__file__).resolve().parents[1]
STOCK = """
the of and to in for with on by from as at this that which each when both than under over between across most few many
model data method result training network learning error layer gradient baseline sample benchmark estimate label noise
accuracy variance margin effect budget seed weight feature kernel policy reward token sequence attention encoder decoder
efficient affine flow difficult coefficient offset suffix fluctuation define final first field specific significant reflect
sufficient effective profile official classifier fidelity traffic waffle shuffle buffer baffling stuff fjord
increases reduces remains improves compares suggests indicates measures requires explains produces predicts achieves
small large robust stable simple linear deep shallow sparse dense random fixed adaptive common recent strong weak
state-of-the-art well-known fine-tuned low-rank self-supervised out-of-sample cross-validation high-dimensional
representation regularization generalization optimization initialization approximation hyperparameter characteristic
naïve café Gödel Erdős Schrödinger Łukasiewicz Poincaré Müller
""".split()  # noqa: SIM905
SURNAMES = "Alvarez Bishop Chen Dumont Eriksson Fischer Garcia Hoffmann Ivanova Jensen Kim Lopez Moreau Nguyen Olsen Petrov".split()  # noqa: SIM905
TITLES = (
    "Introduction",
    "Related Work",
    "Problem Setting",
    "Proposed Method",
    "Experiments",
    "Discussion",
    "Conclusion",
)


@dataclass
class Written:
    """A paper as it was written: what a reader should find."""

    title: str
    authors: list[str]
    abstract: str
    sections: list[tuple[str, list[str], list[tuple[str, list[str]]]]] = field(default_factory=list)
    captions: list[tuple[str, str]] = field(default_factory=list)  # (kind, text)
    table: list[list[str]] = field(default_factory=list)
    references: list[tuple[str, str, int]] = field(default_factory=list)  # (author, title, year)
    footnotes: list[str] = field(default_factory=list)

    def headings(self) -> list[str]:
        """All headings in order."""
        return [name for title, _, subs in self.sections for name in (title, *(sub for sub, _ in subs))]

    def words(self) -> list[str]:
        """The words of abstract, headings and paragraphs in order."""
        texts = [self.abstract]
        for title, paragraphs, subs in self.sections:
            texts += [title, *paragraphs]
            for sub, more in subs:
                texts += [sub, *more]
        return tokens(" ".join(texts))


def tokens(text: str) -> list[str]:
    """Words without marks, in small letters; what is cited and footnoted does not count."""
    text = re.sub(r"@\w+|\[[^\]]*\]|\([^)]*(?:19|20)\d\d[a-z]?\)", " ", text)
    text = unicodedata.normalize("NFKC", text).casefold().replace("‐", "-")
    return re.findall(r"[^\W_]+(?:[-'’][^\W_]+)*", text)


def write_paper(seed: int = 7) -> Written:
    """A paper of some eight pages with known words."""
    rng = random.Random(seed)

    def sentence(cite: bool) -> str:
        words = [rng.choice(STOCK) for _ in range(rng.randint(9, 22))]
        words[0] = words[0].capitalize()
        if rng.random() < 0.3:
            words.insert(rng.randint(2, 6), f"{rng.randint(1, 99)}.{rng.randint(0, 9)}")
        return " ".join(words) + (f" @{rng.randrange(24)}" if cite and rng.random() < 0.35 else "") + "."

    def paragraph(count: int = 5, cite: bool = True) -> str:
        return " ".join(sentence(cite) for _ in range(count))

    names = [f"{rng.choice(['Ada', 'Ben', 'Cleo', 'Dan'])} {name}" for name in rng.sample(SURNAMES, 3)]
    paper = Written("A Study of Reading Printed Papers with Known Words", names, paragraph(7, False))
    for number, title in enumerate(TITLES):
        subs = [
            (f"{a} of the {b}", [paragraph(), paragraph()]) for a, b in (("Choice", "Kernel"), ("Budget", "Search"))
        ]
        paper.sections.append((title, [paragraph() for _ in range(3)], subs if number in (3, 4) else []))
    paper.captions = [("figure", paragraph(2, False)), ("table", paragraph(1, False)), ("figure", paragraph(1, False))]
    head = ["Method", "Accuracy", "Loss", "Seeds"]
    paper.table = [head] + [
        [
            name,
            f"{rng.uniform(60, 99):.1f} ± {rng.uniform(0, 2):.1f}",
            f"{rng.uniform(0, 2):.3f}",
            str(rng.randint(3, 30)),
        ]
        for name in ("Ours", "Linear baseline", "No attention", "Random search", "Full model")
    ]
    for number in range(24):
        author = f"{rng.choice('ABCDE')}. {rng.choice(SURNAMES)} and {rng.choice('FGHKL')}. {rng.choice(SURNAMES)}"
        title = " ".join(rng.choice(STOCK[38:90]) for _ in range(7)).capitalize()
        paper.references.append((author, f"{title} {number}", rng.randint(1995, 2023)))
    paper.footnotes = [sentence(False) for _ in range(2)]
    return paper


# --- LaTeX ---

ACCENTED = {"ï": r"\"i", "é": r"\'e", "ö": r"\"o", "ő": r"\H{o}", "Ł": r"{\L}", "ü": r"\"u"}


def tex(text: str) -> str:
    """Text as LaTeX; `@3` cites the third work."""
    text = re.sub(r" @(\d+)", r"~\\cite{w\1}", text).replace("±", r"$\pm$")
    return "".join(ACCENTED.get(char, char) for char in text)


def body(paper: Written, floats: str = "", abstract: bool = True) -> str:
    """Everything between the title and the list of references."""
    star = floats
    out = [rf"\begin{{abstract}}{tex(paper.abstract)}\end{{abstract}}"] if abstract else []
    figure = (
        rf"\begin{{figure{star}}}[t]\centering\includegraphics[width=0.6\linewidth]{{plot}}"
        "\n" + r"\caption{%s}\end{figure" + star + "}"
    )
    for number, (title, paragraphs, subs) in enumerate(paper.sections):
        out.append(rf"\section{{{title}}}\label{{s{number}}}")
        if number == 1:
            paragraphs = [paragraphs[0][:-1] + rf"\footnote{{{tex(paper.footnotes[0])}}}.", *paragraphs[1:]]
        out.append("\n\n".join(tex(p).replace(r"\textbackslash", "\\") if number != 1 else _raw(p) for p in paragraphs))
        if number == 2:
            out.append(
                r"\begin{equation} \mathcal{L}(\theta) = \sum_{i=1}^{n} \frac{\alpha_i}{2} \| x_i - f_\theta(z_i) \|^2 + \lambda \end{equation}"
            )
            out.append(figure % tex(paper.captions[0][1]))
        if number == 4:
            rows = r"\\ ".join(
                " & ".join(tex(cell) for cell in row) + ("" if at else r"\\ \midrule ")
                for at, row in enumerate(paper.table)
            )
            rows = rows.replace(r"\midrule \\ ", r"\midrule ")
            head = (
                r"\begin{table}[t]\centering\caption{" + tex(paper.captions[1][1]) + r"}\begin{tabular}{lccc}\toprule "
            )
            out.append(head + rows + r" \\ \bottomrule\end{tabular}\end{table}")
            out.append(figure % tex(paper.captions[2][1]))
        for sub, more in subs:
            out.append(rf"\subsection{{{sub}}}")
            out.append("\n\n".join(tex(p) for p in more))
    return "\n\n".join(out)


def _raw(text: str) -> str:
    """A paragraph in which a footnote already stands."""
    before, found, after = text.partition(r"\footnote")
    return tex(before) + found + after


def listed(paper: Written, natbib: bool = False) -> str:
    """The list of references."""
    items = []
    for number, (author, title, year) in enumerate(paper.references):
        surnames = " and ".join(re.findall(r"[A-Z][a-z]+", author))
        label = f"[{{{surnames}}}({year})]" if natbib else ""
        items.append(
            rf"\bibitem{label}{{w{number}}} {author}. \newblock {title}. \newblock \emph{{Journal of Reading}}, {number + 1}:1--9, {year}."
        )
    return r"\begin{thebibliography}{99}" + "\n\n".join(items) + r"\end{thebibliography}"


PACKAGES = r"\usepackage[utf8]{inputenc}\usepackage[T1]{fontenc}\usepackage{graphicx,booktabs,amsmath}"
OLD = r"\usepackage[utf8]{inputenc}\usepackage{graphicx,booktabs,amsmath}"


def article(
    options: str, extra: str = "", natbib: bool = False, packages: str = PACKAGES, cls: str = "article"
) -> Callable[[Written], str]:
    """A maker of a plain class with its options and lines of preamble."""

    def make(paper: Written) -> str:
        authors = r" \and ".join(paper.authors)
        nat = r"\usepackage[round]{natbib}\let\cite\citep" if natbib else ""
        return (
            rf"\documentclass[{options}]{{{cls}}}{packages}{nat}{extra}\title{{{paper.title}}}\author{{{authors}}}\date{{}}"
            rf"\begin{{document}}\maketitle {body(paper)} {listed(paper, natbib)}\end{{document}}"
        )

    return make


ICLR = r"""
\usepackage{times,fancyhdr}\usepackage[margin=1in,top=1.2in]{geometry}\pagestyle{fancy}\fancyhf{}
\lhead{Under review as a conference paper}\cfoot{\thepage}\renewcommand{\headrulewidth}{0.4pt}
\makeatletter\renewcommand{\section}{\@startsection{section}{1}{0pt}{-2ex}{1.2ex}{\large\sc\raggedright}}
\renewcommand{\subsection}{\@startsection{subsection}{2}{0pt}{-1.8ex}{0.8ex}{\normalsize\sc\raggedright}}
\renewcommand{\@maketitle}{{\LARGE\sc\raggedright\@title\par}\vskip 2em{\bf\begin{tabular}[t]{l}\@author\end{tabular}}\vskip 2em}
\renewcommand{\maketitle}{\thispagestyle{fancy}\@maketitle}
\renewenvironment{abstract}{\centerline{\large\sc Abstract}\begin{quote}}{\end{quote}}\makeatother
\setlength{\parindent}{0pt}\setlength{\parskip}{5.5pt}
"""
NEURIPS = r"""
\usepackage{times}\usepackage[textwidth=5.5in,textheight=9in]{geometry}
\makeatletter\renewcommand{\section}{\@startsection{section}{1}{0pt}{-2ex}{1.5ex}{\large\bf\raggedright}}
\renewcommand{\subsection}{\@startsection{subsection}{2}{0pt}{-1.8ex}{0.8ex}{\normalsize\bf\raggedright}}
\renewcommand{\maketitle}{\begin{center}\hrule height 4pt\vskip .25in{\LARGE\bf\@title\par}\vskip .29in\hrule height 1pt\vskip .1in
{\bf\begin{tabular}[t]{c}\@author\end{tabular}}\end{center}}
\renewenvironment{abstract}{\centerline{\large\bf Abstract}\begin{quote}}{\end{quote}}\makeatother
\setlength{\parindent}{0pt}\setlength{\parskip}{5.5pt}
"""
ICML = r"""
\usepackage{times}\usepackage[textwidth=6.75in,textheight=9in,columnsep=0.25in]{geometry}
\makeatletter\renewcommand{\section}{\@startsection{section}{1}{0pt}{-0.12in}{0.02in}{\large\bf\raggedright}}
\renewcommand{\thesection}{\arabic{section}.}\renewcommand{\thesubsection}{\arabic{section}.\arabic{subsection}.}\makeatother
"""
LM = r"\usepackage{lmodern}"
RULED = r"\usepackage{lineno}\linenumbers"
MARGINS = ICLR + r"\usepackage[switch]{lineno}\linenumbers"


def ieee(options: str) -> Callable[[Written], str]:
    """The IEEE class."""

    def make(paper: Written) -> str:
        authors = r" \and ".join(
            rf"\IEEEauthorblockN{{{name}}}\IEEEauthorblockA{{University of Reading}}" for name in paper.authors
        )
        if "conference" not in options:
            authors = ", ".join(paper.authors)
        return (
            rf"\documentclass[{options}]{{IEEEtran}}{PACKAGES}\title{{{paper.title}}}\author{{{authors}}}\begin{{document}}"
            rf"\maketitle {body(paper)} {listed(paper)}\end{{document}}"
        )

    return make


def acm(options: str) -> Callable[[Written], str]:
    """The ACM class."""

    def make(paper: Written) -> str:
        authors = "".join(
            rf"\author{{{name}}}\affiliation{{\institution{{University of Reading}}\country{{UK}}}}"
            for name in paper.authors
        )
        return (
            rf"\documentclass[{options}]{{acmart}}\settopmatter{{printacmref=false}}\usepackage{{graphicx,booktabs}}\title{{{paper.title}}}{authors}"
            rf"\begin{{document}}\begin{{abstract}}{tex(paper.abstract)}\end{{abstract}}\maketitle {body(paper, abstract=False)} {listed(paper, True)}\end{{document}}"
        )

    return make


def revtex(paper: Written) -> str:
    """The class of the American Physical Society."""
    authors = "".join(rf"\author{{{name}}}\affiliation{{University of Reading}}" for name in paper.authors)
    return (
        rf"\documentclass[aps,prl,reprint]{{revtex4-2}}{PACKAGES}{LM}\begin{{document}}\title{{{paper.title}}}{authors}"
        rf"\begin{{abstract}}{tex(paper.abstract)}\end{{abstract}}\maketitle {body(paper, abstract=False)} {listed(paper)}\end{{document}}"
    )


def llncs(paper: Written) -> str:
    """The class of Lecture Notes."""
    authors = r" \and ".join(paper.authors)
    return (
        rf"\documentclass{{llncs}}{PACKAGES}{LM}\title{{{paper.title}}}\author{{{authors}}}\institute{{University of Reading}}"
        rf"\begin{{document}}\maketitle {body(paper)} {listed(paper)}\end{{document}}"
    )


def elsarticle(paper: Written) -> str:
    """The class of Elsevier."""
    authors = "".join(rf"\author{{{name}}}" for name in paper.authors)
    return (
        rf"\documentclass[preprint,12pt]{{elsarticle}}{PACKAGES}{LM}\begin{{document}}\begin{{frontmatter}}\title{{{paper.title}}}{authors}"
        rf"\begin{{abstract}}{tex(paper.abstract)}\end{{abstract}}\end{{frontmatter}}{body(paper, abstract=False)} {listed(paper)}\end{{document}}"
    )


LATEX: dict[str, tuple[str, Callable[[Written], str]]] = {
    "article": ("pdflatex", article("10pt", r"\usepackage{lmodern,hyperref}")),
    "article, bitmap fonts (Type 3)": ("pdflatex", article("10pt")),
    "article, old fonts (OT1)": ("pdflatex", article("11pt,a4paper", packages=OLD)),
    "article, two columns": ("pdflatex", article("10pt,twocolumn", LM)),
    "article, line numbers": ("pdflatex", article("11pt", LM + RULED)),
    "ICLR-like": ("pdflatex", article("10pt", ICLR, natbib=True)),
    "ICLR-like, numbers on both margins": ("pdflatex", article("10pt,twoside", MARGINS, natbib=True)),
    "NeurIPS-like": ("pdflatex", article("10pt", NEURIPS)),
    "ICML-like, two columns": ("pdflatex", article("10pt,twocolumn", ICML, natbib=True)),
    "IEEEtran conference": ("pdflatex", ieee("conference")),
    "IEEEtran journal": ("pdflatex", ieee("journal")),
    "acmart sigconf": ("pdflatex", acm("sigconf,nonacm")),
    "revtex4-2 reprint": ("pdflatex", revtex),
    "llncs": ("pdflatex", llncs),
    "elsarticle": ("pdflatex", elsarticle),
    "amsart": ("pdflatex", article("11pt", r"\usepackage{lmodern}", cls="amsart")),
    "scrartcl": ("pdflatex", article("11pt", r"\usepackage{lmodern,microtype}", cls="scrartcl")),
}


def build(engine: str, source: str, folder: Path) -> Path | None:
    """The PDF of a source, or None where the class or the engine is missing."""
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    figure = Figure(figsize=(4, 2.5))
    axes = figure.subplots()
    axes.plot([1, 2, 3], [3, 1, 2], label="a curve")
    axes.set_xlabel("labels that are no text")
    axes.legend()
    figure.savefig(folder / "plot.pdf")
    (folder / "paper.tex").write_text(source, encoding="utf-8")
    if shutil.which(engine) is None:
        return None
    for _ in range(2):
        subprocess.run(
            [engine, "-interaction=nonstopmode", "-no-shell-escape", "paper.tex"],
            cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300,
        )  # fmt: skip
    made = folder / "paper.pdf"
    return made if made.exists() else None


# --- other programs ---


def plain(text: str) -> str:
    """Text with its cites as an author would type them in a word processor."""
    return re.sub(r" @(\d+)", lambda m: f" [{int(m[1]) + 1}]", text)


def html(paper: Written) -> str:
    """The paper as HTML with headings that number themselves by hand, as people do."""
    rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in paper.table)
    out = [
        f"<h1 align=center>{paper.title}</h1><p align=center>{', '.join(paper.authors)}</p><h2>Abstract</h2><p>{paper.abstract}</p>"
    ]
    for number, (title, paragraphs, subs) in enumerate(paper.sections, start=1):
        out.append(f"<h2>{number}. {title}</h2>" + "".join(f"<p>{plain(p)}</p>" for p in paragraphs))
        if number == 5:
            out.append(f"<p>Table 1: {paper.captions[1][1]}</p><table border=1>{rows}</table>")
        for at, (sub, more) in enumerate(subs, start=1):
            out.append(f"<h3>{number}.{at} {sub}</h3>" + "".join(f"<p>{plain(p)}</p>" for p in more))
    out.append("<h2>References</h2>")
    out += [
        f"<p>[{n}] {a}. {t}. Journal of Reading, {n}:1–9, {y}.</p>"
        for n, (a, t, y) in enumerate(paper.references, start=1)
    ]
    return "<html><meta charset=utf-8><body>" + "\n".join(out) + "</body></html>"


def office(paper: Written, folder: Path) -> Path | None:
    """Through LibreOffice Writer: HTML to .docx, and that to PDF."""
    program = shutil.which("soffice")
    if program is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "paper.html").write_text(html(paper), encoding="utf-8")
    home = f"-env:UserInstallation=file://{folder.resolve()}/home"
    for form, name in (("docx:MS Word 2007 XML", "paper.html"), ("pdf:writer_pdf_Export", "paper.docx")):
        kind = ["--infilter=HTML (StarWriter)"] if name.endswith("html") else []
        subprocess.run(
            [program, home, "--headless", *kind, "--convert-to", form, "--outdir", str(folder), str(folder / name)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300,
        )  # fmt: skip
    made = folder / "paper.pdf"
    return made if made.exists() else None


def drawn(paper: Written, folder: Path) -> Path:
    """A PDF that matplotlib draws line by line: no structure, Type 42 fonts."""
    import textwrap

    import matplotlib
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    lines: list[tuple[str, int, str]] = [
        (paper.title, 16, "bold"),
        (", ".join(paper.authors), 10, "normal"),
        ("Abstract", 12, "bold"),
    ]
    wrapped = [(line, 10, "normal") for line in textwrap.wrap(paper.abstract, 88)]
    lines += wrapped
    for number, (title, paragraphs, subs) in enumerate(paper.sections, start=1):
        blocks = [
            (f"{number} {title}", paragraphs),
            *((f"{number}.{at} {sub}", more) for at, (sub, more) in enumerate(subs, start=1)),
        ]
        for heading, texts in blocks:
            lines += [("", 10, "normal"), (heading, 12, "bold")]
            for text in texts:
                lines += [(line, 10, "normal") for line in textwrap.wrap(plain(text), 88)] + [("", 10, "normal")]
    lines += [("References", 12, "bold")]
    for number, (author, title, year) in enumerate(paper.references, start=1):
        lines += [(line, 10, "normal") for line in textwrap.wrap(f"[{number}] {author}. {title}. Journal, {year}.", 88)]
    made = folder / "paper.pdf"
    with matplotlib.rc_context({"pdf.fonttype": 42}), PdfPages(made) as pages:
        for start in range(0, len(lines), 50):
            figure = Figure(figsize=(8.27, 11.69))
            for place, (text, size, weight) in enumerate(lines[start : start + 50]):
                figure.text(0.1, 0.93 - place * 0.0172, text, size=size, weight=weight, parse_math=False)
            pages.savefig(figure)
    return made


def scanned(source: Path, folder: Path, pages: int = 3) -> Path | None:
    """The first pages of a PDF as pictures."""
    import pypdfium2

    folder.mkdir(parents=True, exist_ok=True)
    document = pypdfium2.PdfDocument(source)
    pictures = [document[n].render(scale=2, grayscale=True).to_pil() for n in range(min(pages, len(document)))]
    made = folder / "paper.pdf"
    pictures[0].save(made, save_all=True, append_images=pictures[1:])
    return made


# --- judging ---


@dataclass(frozen=True)
class Row:
    """What was read of one PDF; shares from 0 to 1."""

    name: str
    pages: int
    seconds: float
    words: float
    foreign: float
    headings: str
    captions: str
    references: str
    cells: str
    unread: int


def judged(name: str, paper: Written, read: Document, seconds: float) -> Row:
    """Compare what was read with what was written."""
    said = [read.abstract]
    for section in read.sections:
        said += [section.title, section.text]
    found, written = tokens(" ".join(said)), paper.words()
    matcher = SequenceMatcher(None, written, found, autojunk=False)
    hit = sum(block.size for block in matcher.get_matching_blocks())
    titles = [" ".join(tokens(section.title)) for section in read.sections]
    headings = [" ".join(tokens(heading)) for heading in paper.headings()]
    right = sum(heading in titles for heading in headings)
    captions = {(c.kind, " ".join(tokens(c.text))) for c in read.captions}
    wanted = [(kind, " ".join(tokens(text))) for kind, text in paper.captions]
    if "LibreOffice" in name:
        wanted = wanted[1:2]
    elif "matplotlib" in name:
        wanted = []
    references = sum(
        any(r.year == year and " ".join(tokens(title)) in " ".join(tokens(r.text)) for r in read.references)
        for _, title, year in paper.references
    )
    cells = best_table(paper.table, read) if wanted else (0, 0)
    return Row(
        name, read.pages, seconds, hit / len(written), (len(found) - hit) / max(1, len(found)),
        f"{right}/{len(headings)}" + (f" (+{len(titles) - right})" if len(titles) > right else ""),
        f"{sum(caption in captions for caption in wanted)}/{len(wanted)}",
        f"{references}/{len(paper.references)}" + (f" (+{len(read.references) - references})" if len(read.references) > references else ""),
        f"{cells[0]}/{cells[1]}", len(read.unread),
    )  # fmt: skip


def processor() -> float:
    """Seconds of processor time of this process and of those that it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def best_table(written: list[list[str]], read: Document) -> tuple[int, int]:
    """(cells that stand where they were written, cells written), for the table that agrees best."""
    total = sum(map(len, written))
    best = 0
    for table in read.tables:
        rows = [[cell for cell in row] for row in table.rows]
        hit = sum(
            i < len(rows) and j < len(rows[i]) and tokens(rows[i][j]) == tokens(cell)
            for i, row in enumerate(written)
            for j, cell in enumerate(row)
        )
        best = max(best, hit)
    return best, total


def main() -> int:
    """Make, read, compare, print one table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--only", default="")
    chosen = parser.parse_args()
    out = chosen.out or Path(tempfile.mkdtemp(prefix="reading-"))
    paper = write_paper()
    made: dict[str, Path | None] = {}
    for number, (name, (engine, maker)) in enumerate(LATEX.items()):
        if chosen.only in name:
            folder = out / f"{number:02d}"
            made[name] = (
                folder / "paper.pdf" if (folder / "paper.pdf").exists() else build(engine, maker(paper), folder)
            )
    if chosen.only in "LibreOffice Writer":
        made["LibreOffice Writer (.docx)"] = (
            out / "office/paper.pdf" if (out / "office/paper.pdf").exists() else office(paper, out / "office")
        )
    if chosen.only in "matplotlib":
        made["matplotlib, line by line"] = drawn(paper, out / "drawn")
    if first := made.get("article"):
        made["scanned (pictures of pages)"] = scanned(first, out / "scanned")
    print("| PDF | pages | s | words in order | foreign | headings | captions | references | cells | said unread |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, path in made.items():
        if path is None:
            print(f"| {name} | not installed | | | | | | | | |")
            continue
        started = processor()
        try:
            read = read_paper(path).document
        except ScientistError as error:
            print(f"| {name} | {error} | | | | | | | | |")
            continue
        row = judged(name, paper, read, processor() - started)
        print(
            f"| {row.name} | {row.pages} | {row.seconds:.1f} | {row.words:.1%} | {row.foreign:.1%} | {row.headings} | {row.captions} "
            f"| {row.references} | {row.cells} | {row.unread} |"
        )
        sys.stdout.flush()
    print(f"\nPDFs in {out}" if chosen.out else "")
    return 0


if __name__ == "__main__":
    sys.exit(main())
