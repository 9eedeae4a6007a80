"""`read`: what a paper says, whoever wrote it, and what it hides."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scientist.cli._console import emit, escape, out
from scientist.cli._options import Json, Quiet
from scientist.cli._progress import mode, watching

if TYPE_CHECKING:
    from scientist.reviews.injection import InjectionFinding
    from scientist.reviews.reading import Document

SHOWN = 20
"""Lines of one list that a person is shown; --json lists all."""


def read(
    paper: Annotated[Path, typer.Argument(help="A PDF, a TeX project (folder or .tex), or plain text.")],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Read a paper of anybody: its parts, what could not be read, and hidden instructions, which come first.

    Exit code 1 when text for reviewers was found that readers do not see.
    """
    from scientist.reviews.injection import quarantined, scan
    from scientist.reviews.reading import read_paper

    with watching(mode(json, quiet), stage="reading the paper"):
        reading = read_paper(paper)
        found = scan(reading)
    document = quarantined(reading.document, found)
    if json:
        emit({"findings": [finding.model_dump() for finding in found], "document": document.model_dump(mode="json")})
    else:
        _show(document, found)
    raise typer.Exit(1 if found else 0)


def _show(document: Document, found: list[InjectionFinding]) -> None:
    from scientist.reviews.injection import escaped
    from scientist.reviews.reading import numbers

    for finding in found[:SHOWN]:
        held = f"  [bold]({escape(', '.join(finding.commands))})[/]" if finding.commands else ""
        out.print(f"[red]{finding.kind:<20}[/] {escape(finding.where)}: “{escape(finding.text)}”{held}")
    if len(found) > SHOWN:
        out.print(f"... and {len(found) - SHOWN} more (--json lists all)")
    if found:
        out.print("[dim]What was found is left out below and for every reviewer.[/]\n")
    out.print(f"[bold]{escape(escaped(document.title) or document.source)}[/]")
    if document.authors:
        out.print(escape(escaped(", ".join(document.authors))))
    for section in document.sections:
        words = sum(len(paragraph.text.split()) for paragraph in section.paragraphs)
        page = f"p. {section.page}" if section.page else ""
        title = f"{section.number} {section.title}".strip() or "(before any heading)"
        out.print(f"  {page:<6} {'  ' * max(0, section.level - 1)}{escape(escaped(title, 100))}  [dim]{words} words[/]")
    counts = {
        "pages": document.pages, "words": document.words, "captions": len(document.captions), "tables": len(document.tables),
        "formulas": len(document.equations), "figures": len(document.figures), "references": len(document.references),
        "cites": len(document.cites), "numbers": len(numbers(document)), "links": len(document.links),
        "footnotes": len(document.footnotes),
    }  # fmt: skip
    out.print(", ".join(f"{count} {name}" for name, count in counts.items() if count))
    for line in document.unread[:SHOWN]:
        out.print(f"[yellow]not read[/]  {escape(escaped(line))}")
    if len(document.unread) > SHOWN:
        out.print(f"[yellow]not read[/]  ... and {len(document.unread) - SHOWN} more (--json lists all)")
