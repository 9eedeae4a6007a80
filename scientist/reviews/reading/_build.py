"""Puts a Document together from what a reader found: cites and cross-references get their sentences, words are counted.

Readers leave marks in the text where something is cited or referred to. A mark is `OPEN`, a letter (c: cited, r: referred
to), the key or label, `BAR`, what is printed, `CLOSE`. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from scientist.reviews.reading._document import (
    ABSTRACT,
    Caption,
    Cite,
    CrossRef,
    Document,
    Equation,
    Figure,
    Footnote,
    Kind,
    Link,
    Paragraph,
    RefEntry,
    Section,
    Table,
)
from scientist.reviews.reading._language import split

OPEN, BAR, CLOSE = "\ue000", "\ue001", "\ue002"
_MARK = re.compile(f"{OPEN}([cr])([^{OPEN}{BAR}{CLOSE}]*){BAR}([^{OPEN}{BAR}{CLOSE}]*){CLOSE}")
LONGEST = 600  # characters of a sentence that a cite carries


def mark(kind: str, key: str, printed: str) -> str:
    """`printed`, marked as a citation ('c') or a reference ('r') of `key`."""
    return f"{OPEN}{kind}{key}{BAR}{printed}{CLOSE}"


def unmarked(text: str) -> str:
    """The text as printed."""
    return _MARK.sub(r"\3", text).translate({ord(char): None for char in (OPEN, BAR, CLOSE)})


@dataclass
class Parts:
    """What a reader has found so far; texts may hold marks."""

    title: str = ""
    authors: list[str] = field(default_factory=list)
    abstract: str = ""
    abstract_page: int = 0
    sections: list[Section] = field(default_factory=list)
    captions: list[Caption] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    equations: list[Equation] = field(default_factory=list)
    references: list[RefEntry] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    footnotes: list[Footnote] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    pages: int = 0


def finish(
    parts: Parts,
    source: str,
    kind: Kind,
    known_cite: Callable[[str], bool],
    known_label: Callable[[str], bool],
) -> Document:
    """The Document. `known_cite`, `known_label`: is there an entry, or a thing, of that name?"""
    cites: list[Cite] = []
    crossrefs: list[CrossRef] = []

    def gather(text: str, section: int, page: int, turns: Sequence[int] = ()) -> None:
        if OPEN not in text:
            return
        for begin, end in split(text):
            said = text[begin:end]
            where = page + sum(turn <= begin for turn in turns)
            for which, key, _ in _MARK.findall(said):
                told = {"sentence": unmarked(said)[:LONGEST], "section": section, "page": where}
                if which == "c":
                    cites.append(Cite(key=key, known=known_cite(key), **told))
                else:
                    crossrefs.append(CrossRef(label=key, known=known_label(key), **told))

    gather(parts.abstract, ABSTRACT, parts.abstract_page)
    sections = []
    for number, section in enumerate(parts.sections):
        paragraphs = []
        for paragraph in section.paragraphs:
            gather(paragraph.text, number, paragraph.page, paragraph.turns)
            paragraphs.append(_clean(paragraph))
        title = unmarked(section.title)
        sections.append(section.model_copy(update={"title": title, "paragraphs": tuple(paragraphs)}))
    here = len(sections) - 1
    for caption in parts.captions:
        gather(caption.text, here, caption.page)
    for note in parts.footnotes:
        gather(note.text, here, note.page)
    tables = [
        table.model_copy(update={"rows": tuple(tuple(unmarked(cell) for cell in row) for row in table.rows)})
        for table in parts.tables
    ]
    abstract = unmarked(parts.abstract)
    texts = [abstract, *(section.title for section in sections), *(section.text for section in sections)]
    return Document(
        source=source,
        kind=kind,
        title=unmarked(parts.title),
        authors=tuple(unmarked(name) for name in parts.authors),
        abstract=abstract,
        abstract_page=parts.abstract_page if abstract else 0,
        sections=tuple(sections),
        captions=tuple(c.model_copy(update={"text": unmarked(c.text)}) for c in parts.captions),
        tables=tuple(tables),
        equations=tuple(parts.equations),
        references=tuple(parts.references),
        cites=tuple(cites),
        crossrefs=tuple(crossrefs),
        figures=tuple(parts.figures),
        links=tuple(dict.fromkeys(parts.links)),
        footnotes=tuple(f.model_copy(update={"text": unmarked(f.text)}) for f in parts.footnotes),
        pages=parts.pages,
        words=sum(len(text.split()) for text in texts),
        unread=tuple(dict.fromkeys(parts.unread)),
    )


def _clean(paragraph: Paragraph) -> Paragraph:
    if OPEN not in paragraph.text:
        return paragraph
    turns = tuple(len(unmarked(paragraph.text[:turn])) for turn in paragraph.turns)
    return paragraph.model_copy(update={"text": unmarked(paragraph.text), "turns": turns})
