"""What was read of a paper: one record for PDF, TeX and plain text.

A page counts from 1; 0 means that there are no pages (TeX, plain text). A box is in points from the upper left corner
of the page as it is shown. `section` is a place in `Document.sections`, or :data:`ABSTRACT`.
"""

from __future__ import annotations

from typing import Literal

from scientist.lab import Record

ABSTRACT = -1
"""The `section` of what stands in the abstract."""

Kind = Literal["pdf", "tex", "text"]


class Box(Record):
    """A rectangle on a page, in points: left, top, right, bottom from the upper left corner."""

    left: float
    top: float
    right: float
    bottom: float


class Paragraph(Record):
    """Running text without markup. `turns`: offsets in `text` at which the next page begins."""

    text: str
    page: int = 0
    box: Box | None = None
    turns: tuple[int, ...] = ()


class Section(Record):
    """A heading and what stands below it up to the next heading. Level 1 is a section; 0 is text before any heading."""

    number: str = ""
    title: str = ""
    level: int = 1
    page: int = 0
    box: Box | None = None
    appendix: bool = False
    paragraphs: tuple[Paragraph, ...] = ()

    @property
    def text(self) -> str:
        """The paragraphs, an empty line between two."""
        return "\n\n".join(paragraph.text for paragraph in self.paragraphs)


class Caption(Record):
    """What stands under a figure or over a table, without 'Figure 3:'."""

    kind: Literal["figure", "table", "algorithm"]
    number: str = ""
    text: str = ""
    page: int = 0
    box: Box | None = None
    label: str = ""  # TeX: the name in \label


class Table(Record):
    """The cells of a table, row by row. `number` is that of its caption; a cell over several columns stands once,
    followed by empty ones."""

    number: str = ""
    rows: tuple[tuple[str, ...], ...] = ()
    page: int = 0
    box: Box | None = None


class Equation(Record):
    """A displayed formula: TeX as written, or the characters of a PDF as they could be read."""

    text: str
    number: str = ""
    page: int = 0
    box: Box | None = None
    label: str = ""


class RefEntry(Record):
    """One entry of the list of references. `key`: the BibTeX key in TeX, in a PDF the label in brackets if there is one."""

    key: str = ""
    text: str = ""
    title: str = ""
    year: int | None = None
    doi: str = ""
    arxiv: str = ""
    page: int = 0


class Cite(Record):
    """One citation of one work: `key` as in `RefEntry.key`, or the printed label ('Smith et al., 2020').
    `known`: an entry of the list answers to it."""

    key: str
    known: bool = True
    sentence: str = ""
    section: int = 0
    page: int = 0


class CrossRef(Record):
    """A reference to a section, figure, table or equation. `label`: TeX's name, or the printed number ('Figure 3');
    `known`: there is such a thing."""

    label: str
    known: bool = True
    sentence: str = ""
    section: int = 0
    page: int = 0


class Figure(Record):
    """A picture. `sha256` is that of the image's data, empty for drawings; width and height in pixels (0: a drawing)."""

    name: str = ""
    sha256: str = ""
    page: int = 0
    width: int = 0
    height: int = 0
    box: Box | None = None


class Link(Record):
    """An address in the text or behind it."""

    url: str
    page: int = 0


class Footnote(Record):
    """A footnote with its mark as printed."""

    text: str
    mark: str = ""
    page: int = 0


class Sentence(Record):
    """A sentence, where it stands, and where it begins in its paragraph."""

    text: str
    section: int
    paragraph: int = 0
    start: int = 0
    page: int = 0


class Number(Record):
    """A number as printed ('93.4'), its value, what follows it directly ('%', 'x'), and the spread after ± if there is one."""

    text: str
    value: float
    unit: str = ""
    spread: float | None = None
    start: int = 0
    sentence: Sentence

    @property
    def section(self) -> int:
        """The section that it stands in."""
        return self.sentence.section

    @property
    def page(self) -> int:
        """The page that it stands on."""
        return self.sentence.page


class Document(Record):
    """A paper as it was read. `words`: of abstract, headings and paragraphs, without captions, tables and references.
    `unread`: one line for each thing that could not be read, with its page."""

    schema_version: int = 1
    source: str
    kind: Kind
    title: str = ""
    authors: tuple[str, ...] = ()
    abstract: str = ""
    abstract_page: int = 0
    sections: tuple[Section, ...] = ()
    captions: tuple[Caption, ...] = ()
    tables: tuple[Table, ...] = ()
    equations: tuple[Equation, ...] = ()
    references: tuple[RefEntry, ...] = ()
    cites: tuple[Cite, ...] = ()
    crossrefs: tuple[CrossRef, ...] = ()
    figures: tuple[Figure, ...] = ()
    links: tuple[Link, ...] = ()
    footnotes: tuple[Footnote, ...] = ()
    pages: int = 0
    words: int = 0
    unread: tuple[str, ...] = ()


class Run(Record):
    """Text of a PDF drawn in one way. Colours are red, green, blue from 0 to 1.

    `contrast`: the largest difference of brightness (0 to 1) between pixels of its box when the page is drawn; None where
    the page was not drawn. `background`: the lightest or darkest colour around it. `alpha`: 0 is transparent.
    """

    text: str
    page: int
    box: Box
    size: float
    font: str = ""
    color: tuple[float, float, float] = (0.0, 0.0, 0.0)
    alpha: float = 1.0
    mode: int = 0  # text rendering mode: 3 draws nothing, 7 only clips
    layer: str = ""  # name of the optional-content group that it belongs to
    contrast: float | None = None
    figure: bool = False  # it stands inside a drawing
    turned: bool = False  # it is not printed upright, and so is no part of the text


class Extra(Record):
    """Text of a file that stands on no page: metadata, an annotation, an attachment, a script, an alternative text;
    in TeX a comment, text set very small, and what is hidden by white, boxes without width and the like."""

    kind: Literal[
        "metadata",
        "annotation",
        "attachment",
        "script",
        "alt-text",
        "layer",
        "form",
        "bookmark",
        "hidden",
        "comment",
        "small",
    ]
    name: str = ""
    text: str = ""
    page: int = 0


class SourceFile(Record):
    """One file of a TeX project, or a plain text, as written."""

    name: str
    text: str


class Page(Record):
    """Size of a page as it is shown, in points, and how much of it pictures cover (0 to 1)."""

    width: float
    height: float
    pictures: float = 0.0


class Reading(Record):
    """The document, and the material that the injection scan looks at."""

    document: Document
    runs: tuple[Run, ...] = ()
    page_sizes: tuple[Page, ...] = ()
    extras: tuple[Extra, ...] = ()
    sources: tuple[SourceFile, ...] = ()
