"""A paper of the lab as reviewers of strangers' papers read it: from its manuscript, with the values put in."""

from __future__ import annotations

from pathlib import Path

from scientist.lab import Record, read_json
from scientist.papers import Audit, Facts, Manuscript, plain
from scientist.reviews.reading import Caption, Document, Paragraph, Section, Table
from scientist.reviews.rule import Checked

SIGNED = ("disclosure",)
"""Sections that say who wrote."""


class Audited(Record):
    """A finding of the audit, as reviewers are told it."""

    kind: str
    severity: str
    message: str
    sentence: str = ""
    section: str = ""


def own_document(folder: Path) -> Document:
    """The paper in a folder of the lab. Raises :class:`RecordError` naming the record that is missing or broken."""
    manuscript = read_json(Manuscript, folder / "manuscript.json")
    facts = read_json(Facts, folder / "facts.json").by_id()
    sections, captions, tables = [], [], []
    for section in manuscript.sections:
        if section.id in SIGNED:
            continue
        told = [text for fragment in section.paragraphs if (text := plain(fragment, facts).strip())]
        paragraphs = tuple(Paragraph(text=text) for text in told)
        sections.append(Section(title=section.title, appendix=section.appendix, paragraphs=paragraphs))
    for table in manuscript.tables:
        captions.append(Caption(kind="table", number=table.id, text=plain(table.caption, facts)))
        rows = tuple(tuple(plain(cell, facts) for cell in row) for row in (table.header, *table.rows))
        tables.append(Table(number=table.id, rows=rows))
    for figure in manuscript.figures:
        captions.append(Caption(kind="figure", number=figure.id, text=plain(figure.caption, facts)))
    abstract = plain(manuscript.abstract, facts)
    return Document(
        source=manuscript.slug,
        kind="tex",
        title=plain(manuscript.title, facts),
        abstract=abstract,
        sections=tuple(sections),
        captions=tuple(captions),
        tables=tuple(tables),
        words=sum(len(text.split()) for text in (abstract, *(section.text for section in sections))),
    )


def own_findings(folder: Path) -> tuple[Checked, ...]:
    """Errors and warnings of the paper's audit."""
    audit = read_json(Audit, folder / "audit.json")
    return tuple(
        Audited(kind=f"audit {one.code}", severity=one.severity, message=one.message, section=one.where)
        for one in audit.findings
        if one.severity != "note"
    )
