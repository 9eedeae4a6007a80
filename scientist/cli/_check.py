"""`check`: deterministic checks of anybody's paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scientist.cli._console import emit, escape, field, out
from scientist.cli._options import Json, Quiet
from scientist.cli._progress import mode, watching

COLOURS = {"error": "red", "warning": "yellow", "note": "dim"}


def check(
    paper: Annotated[
        Path, typer.Argument(metavar="PAPER", help="A .tex file, a folder with one, a PDF, or plain text.")
    ],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check anybody's paper against itself: references, arithmetic, statistics, tables, missing parts.

    An error is only what the text proves. Exit code 1 on an error.
    """
    from scientist.reviews.checks import check_document
    from scientist.reviews.reading import read_paper

    with watching(mode(json, quiet), stage="reading and checking"):
        reading = read_paper(paper)
        findings = check_document(reading.document, reading.sources)
    counts = {kind: sum(finding.severity == kind for finding in findings) for kind in COLOURS}
    if json:
        emit(
            {
                "findings": [finding.model_dump() for finding in findings],
                "counts": counts,
                "unread": list(reading.document.unread),
            }
        )
        raise typer.Exit(1 if counts["error"] else 0)
    for finding in findings:
        place = ", ".join(part for part in (finding.section, f"page {finding.page}" if finding.page else "") if part)
        colour = COLOURS[finding.severity]
        out.print(f"[{colour}]{finding.severity:<7} {finding.kind}[/]  {escape(finding.message)}")
        for label, text in (
            ("where", place),
            ("says", finding.sentence),
            ("expected", finding.expected),
            ("from", finding.source),
        ):
            if text:
                field(label, text)
    for line in reading.document.unread:
        out.print(f"[yellow]not read:[/] {escape(line)}")
    told = ", ".join(f"{n} {kind}{'s' if n != 1 else ''}" for kind, n in counts.items() if n) or "nothing found"
    out.print(f"{escape(reading.document.source)}: {told}")
    raise typer.Exit(1 if counts["error"] else 0)
