"""From manuscript, facts and records to paper.tex. Everything a writer wrote passes the whitelist first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from pylatex import Command, Document, NoEscape, Package, Section
from pylatex import Figure as FigureFloat
from pylatex import Table as TableFloat

from scientist.errors import LatexError
from scientist.experiments import Change
from scientist.experiments._results import FinalScores, RunResult
from scientist.experiments._study import Study
from scientist.lab import read_json
from scientist.literature._reference import Novelty, Reference
from scientist.papers import _appendix
from scientist.papers._change import patch_section, read_change, read_patch
from scientist.papers._citations import citations_table, find_citations
from scientist.papers._fragments import check_latex, escape, parse, plain, readable
from scientist.papers._ledger import PREAMBLE, Ledger
from scientist.papers._records import Facts, Figure, Manuscript, Table
from scientist.papers._records import Section as SectionRecord
from scientist.papers._unicode import set_text

LAYOUT = r"""
\ifdefined\pdftrailerid\pdftrailerid{}\pdfinfoomitdate=1\pdfsuppressptexinfo=-1\fi
\captionsetup{font=small,labelfont=bf,skip=6pt,singlelinecheck=false,justification=justified}
\captionsetup[table]{position=above}
\setlength{\parindent}{0pt}\setlength{\parskip}{5.5pt plus 1pt minus 1pt}
\setlength{\bibsep}{3pt plus 1pt}\setlength{\emergencystretch}{2em}
\titlespacing*{\section}{0pt}{13pt plus 2pt minus 2pt}{4pt plus 1pt}
\titlespacing*{\subsection}{0pt}{9pt plus 2pt minus 1pt}{3pt}
\titlespacing*{\paragraph}{0pt}{4pt plus 1pt}{0.7em}
\titleformat*{\section}{\large\bfseries}\titleformat*{\subsection}{\normalsize\bfseries}
\setlist{topsep=1pt,itemsep=1pt,parsep=1pt,leftmargin=1.6em}
\renewcommand{\topfraction}{0.9}\renewcommand{\bottomfraction}{0.7}\renewcommand{\textfraction}{0.07}
\renewcommand{\floatpagefraction}{0.75}\setlength{\textfloatsep}{14pt plus 2pt minus 3pt}
\widowpenalty=9000\clubpenalty=9000\raggedbottom
\makeatletter
\newcommand{\figurewidth}{\ifdim\Gin@nat@width>\linewidth\linewidth\else\Gin@nat@width\fi}
\makeatother
\newsavebox{\tablebox}
\newcommand{\fittable}[1]{\sbox{\tablebox}{#1}\ifdim\wd\tablebox>\linewidth
  \resizebox{\linewidth}{!}{\usebox{\tablebox}}\else\usebox{\tablebox}\fi}
\renewenvironment{abstract}{\begin{center}\begin{minipage}{0.87\linewidth}\setlength{\parskip}{4pt}%
  \begin{center}\bfseries Abstract\end{center}\vspace{-3pt}\small}{\end{minipage}\end{center}\vspace{4pt}}
"""

PACKAGES: tuple[tuple[str, str], ...] = (
    ("microtype", ""),
    ("amsmath", ""),
    ("textcomp", ""),
    ("xcolor", ""),
    ("graphicx", ""),
    ("array", ""),
    ("booktabs", ""),
    ("longtable", ""),
    ("caption", ""),
    ("enumitem", ""),
    ("titlesec", ""),
    ("placeins", ""),
    ("url", "hyphens"),
    ("natbib", "round,authoryear,sort&compress"),
    ("refcount", ""),
    ("hyperref", "colorlinks=true,allcolors=fact,bookmarksnumbered=true,pdfpagemode=UseNone"),
)

_PIECES = r"(?:[lcr]|p\{[\d.]+(?:em|cm|in|\\linewidth)\}|@\{(?:\\,|\\quad|\\hspace\{[\d.]+(?:em|pt|cm)\})?\})"
_COLUMNS = re.compile(rf"{_PIECES}+")
_FIGURE = re.compile(r"figures/[A-Za-z0-9_-]+\.(?:pdf|png)")
_LABEL = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class BuildContext:
    """Everything the build reads: the records of one paper."""

    manuscript: Manuscript
    facts: Facts
    study: Study
    results: Sequence[RunResult]
    final: FinalScores | None = None
    references: Sequence[Reference] = ()
    change: Change | None = None
    patch: str = ""

    @property
    def study_sha256(self) -> str:
        """Hash of the frozen study."""
        return self.study.digest()


def load_context(folder: Path) -> BuildContext:
    """Read a paper's records from its folder. Raises :class:`RecordError` naming the file that is missing or broken."""
    study = read_json(Study, folder / "study.json")
    final, novelty = folder / "final.json", folder / "novelty.json"
    return BuildContext(
        manuscript=read_json(Manuscript, folder / "manuscript.json"),
        facts=read_json(Facts, folder / "facts.json"),
        study=study,
        results=load_results(folder, study),
        final=read_json(FinalScores, final) if final.exists() else None,
        references=read_json(Novelty, novelty).references if novelty.exists() else (),
        change=read_change(folder),
        patch=read_patch(folder),
    )


def load_results(folder: Path, study: Study) -> tuple[RunResult, ...]:
    """The results that are there, in the study's order: variant by variant, seed by seed."""
    paths = [folder / f"runs/{v.name}/seed-{seed}/result.json" for v in study.variants for seed in study.seeds]
    return tuple(read_json(RunResult, path) for path in paths if path.exists())


def _ragged(columns: str) -> str:
    """Narrow columns of words are set ragged: justified, they would be full of holes."""
    return re.sub(r"(p\{)", r">{\\raggedright\\arraybackslash}\1", columns)


def build_tex(context: BuildContext) -> str:
    """The whole of paper.tex; the same records give the same bytes.

    Raises :class:`LatexError` naming the place of a fragment that is not allowed, an unknown fact, figure or table;
    :class:`ExpressionError` for a `\\calc` that has no value.
    """
    return _Builder(context).document().dumps() + "\n"


def build_ledger(context: BuildContext) -> Ledger:
    """The ledger of the paper that :func:`build_tex` makes: what is printed, drawn and calculated."""
    builder = _Builder(context)
    builder.document()
    return builder.ledger


class _Builder:
    def __init__(self, context: BuildContext) -> None:
        self.context = context
        self.manuscript = context.manuscript
        self.ledger = Ledger.of(context.facts)
        self.keys = {reference.key for reference in context.references}
        self.cited = False

    def document(self) -> Document:
        manuscript = self.manuscript
        document = Document(
            documentclass="article",
            document_options=["10pt"],
            fontenc="T1",
            inputenc="utf8",
            lmodern=True,
            textcomp=False,
            page_numbers=False,
            geometry_options=["a4paper", "textwidth=5.75in", "textheight=9.3in", "centering"],
        )
        for name, options in PACKAGES:
            document.packages.append(Package(name, options=NoEscape(options) if options else None))
        document.preamble.append(NoEscape(PREAMBLE.strip() + LAYOUT.rstrip()))
        title = self.heading(manuscript.title, "title")
        document.preamble.append(
            Command("hypersetup", NoEscape(f"pdftitle={{{escape(readable(title))}}},pdfauthor={{scientist}}"))
        )
        document.append(NoEscape(_title_block(title)))
        abstract = self.expand(manuscript.abstract, "abstract")
        document.append(NoEscape("\\begin{abstract}\n" + abstract + "\n\\end{abstract}\n"))
        for section in manuscript.sections:
            if not section.appendix:
                document.append(self.section(section))
        document.append(NoEscape("\\FloatBarrier"))
        place = len(document.data)
        document.append(NoEscape("\\clearpage\\appendix"))
        for section in manuscript.sections:
            if section.appendix:
                document.append(self.section(section))
        if self.cited:
            document.insert(place, NoEscape("\\bibliographystyle{plainnat}\n\\bibliography{references}"))
        for part in self.appendices():
            document.append(part)
        return document

    def section(self, record: SectionRecord) -> Section:
        """One section of the manuscript; paragraphs are separated by blank lines."""
        if not _LABEL.fullmatch(record.id):
            raise LatexError(f"section '{record.id}' has no usable id", "use letters, digits, - and _")
        paragraphs = [
            self.paragraph(text, f"section '{record.id}', paragraph {place}")
            for place, text in enumerate(record.paragraphs, start=1)
        ]
        heading = self.heading(record.title, f"title of section '{record.id}'")
        part = Section(NoEscape(heading), label=False)
        part.append(NoEscape(rf"\label{{sec:{record.id}}}" + "\n" + "\n\n".join(paragraphs) + "\n"))
        return part

    def paragraph(self, text: str, where: str) -> str:
        """A paragraph, or the float that stands for it."""
        latex = self.expand(text, where)
        return latex if latex.strip() else ""

    def heading(self, text: str, where: str) -> str:
        """A title: a fragment whose values are printed without links, or plain text where it is no fragment."""
        if check_latex(text):
            return escape(text)
        if all(token.kind == "text" for token in parse(text)):
            return set_text(text)
        return escape(plain(text, self.context.facts))

    def expand(self, fragment: str, where: str) -> str:
        """A fragment with its macros replaced. Raises :class:`LatexError` when it is not allowed."""
        problems = check_latex(fragment)
        if problems:
            raise LatexError(
                f"{where}: {problems[0]}", "change the manuscript; see docs/artefacts.md for what is allowed"
            )
        pieces: list[str] = []
        for token in parse(fragment):
            match token.kind:
                case "text":
                    pieces.append(set_text(token.source))
                case "val" | "calc":
                    latex = (
                        self.ledger.value(token.args[0])
                        if token.kind == "val"
                        else self.ledger.calculated(token.args[0], token.args[1])
                    )
                    pieces.append(rf"\mbox{{{latex}}}" if token.math else latex)
                case "cite":
                    pieces.append(self.cite(token.command, token.keys, where))
                case "ref":
                    pieces.append(rf"\ref{{{token.args[0]}}}")
                case "placefigure":
                    pieces.append(self.figure(token.args[0], where))
                case "placetable":
                    pieces.append(self.table(token.args[0], where))
                case _:
                    assert_never(token.kind)
        return "".join(pieces)

    def cite(self, command: str, keys: Sequence[str], where: str) -> str:
        """A citation of known keys only."""
        unknown = [key for key in keys if key not in self.keys]
        if unknown:
            raise LatexError(f"{where}: no source returned the work '{unknown[0]}'", "cite keys of novelty.json only")
        self.cited = True
        return rf"\{'citep' if command == 'cite' else command}{{{','.join(keys)}}}"

    def figure(self, figure_id: str, where: str) -> str:
        """The float of one figure, its caption below."""
        figure: Figure | None = next((f for f in self.manuscript.figures if f.id == figure_id), None)
        if figure is None:
            raise LatexError(f"{where}: there is no figure '{figure_id}'", "place figures of the manuscript only")
        if not _FIGURE.fullmatch(figure.file):
            raise LatexError(f"figure '{figure_id}': '{figure.file}' is not a file below figures/", "draw it again")
        self.ledger.draw(figure_id, figure.shows)
        block = FigureFloat(position="!htbp")
        block.append(NoEscape(rf"\centering\includegraphics[width=\figurewidth]{{{figure.file}}}"))
        caption = self.expand(figure.caption, f"caption of figure '{figure_id}'")
        block.append(NoEscape(rf"\caption[]{{{caption}}}\label{{fig:{figure_id}}}"))
        return str(block.dumps())

    def table(self, table_id: str, where: str) -> str:
        """The float of one table, its caption above."""
        table: Table | None = next((t for t in self.manuscript.tables if t.id == table_id), None)
        if table is None:
            raise LatexError(f"{where}: there is no table '{table_id}'", "place tables of the manuscript only")
        if not _COLUMNS.fullmatch(table.columns.replace(" ", "")):
            raise LatexError(f"table '{table_id}': columns '{table.columns}' are not allowed", "use l, c, r and p{...}")
        caption = self.expand(table.caption, f"caption of table '{table_id}'")
        cells = [
            " & ".join(self.expand(cell, f"table '{table_id}', row {place}") for cell in row) + r" \\"
            for place, row in enumerate((table.header, *table.rows))
        ]
        body = "\n".join([r"\toprule", cells[0], r"\midrule", *cells[1:], r"\bottomrule"])
        block = TableFloat(position="!htbp")
        block.append(NoEscape(rf"\centering\caption[]{{{caption}}}\label{{tab:{table_id}}}\small"))
        block.append(
            NoEscape(
                rf"\fittable{{\begin{{tabular}}{{{_ragged(table.columns)}}}" + "\n" + body + "\n" + r"\end{tabular}}"
            )
        )
        return str(block.dumps())

    def citations(self) -> str:
        """The table of what every citation rests on."""
        return citations_table(find_citations(self.manuscript, self.context.references, self.context.facts))

    def appendices(self) -> list[Section]:
        """The sections that are the same in every paper."""
        context, taken = self.context, {section.id for section in self.manuscript.sections}
        parts = []
        changed = context.change
        for name, heading, body in (
            *([("code", "The change of the code", patch_section(changed, context.patch))] if changed else []),
            ("ledger", "Ledger: where every value comes from", _appendix.ledger(self.ledger, context.study)),
            ("runs", "Every run", _appendix.runs(context.study, context.results, context.final)),
            ("study", "The frozen study", _appendix.study(context.study)),
            *([("citations", "What the citations rest on", self.citations())] if self.cited else []),
            (
                "rebuild",
                "How to rebuild and check this paper",
                _appendix.rebuild(self.manuscript, context.study),
            ),
        ):
            labels = rf"\label{{app:{name}}}" + (rf"\label{{sec:{name}}}" if name not in taken else "")
            part = Section(NoEscape(heading), label=False)
            part.append(NoEscape(f"{labels}\n{body}\n"))
            parts.append(part)
        return parts


def _title_block(title: str) -> str:
    return rf"""
\pagestyle{{plain}}
\begin{{center}}
\rule{{\linewidth}}{{1.6pt}}\par\vspace{{9pt}}
{{\LARGE\bfseries\boldmath {title}\par}}
\vspace{{7pt}}\rule{{\linewidth}}{{0.6pt}}\par\vspace{{9pt}}
\textbf{{scientist}}\par {{\small automated draft; see the disclosure}}%
\renewcommand{{\thefootnote}}{{}}\begin{{NoHyper}}\footnotetext{{\hspace{{-1.8em}}Every value set in
\textcolor{{fact}}{{dark blue}} links to its row in Appendix~\ref{{app:ledger}}, which names the file and the runs it
comes from.}}\end{{NoHyper}}
\end{{center}}
"""
