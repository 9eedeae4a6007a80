"""`check`: deterministic checks of anybody's paper, alone or against its runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scientist.cli._console import emit, escape, field, out
from scientist.cli._options import Json, Quiet
from scientist.cli._progress import mode, watching

if TYPE_CHECKING:
    from scientist.reviews.checks import Finding, RunsChecked

COLOURS = {"error": "red", "warning": "yellow", "note": "dim"}
VERDICTS = {
    "bound": "bound to a run",
    "unmatched": "match nothing",
    "wrong-run": "another run's",
    "contradicted": "contradicted",
}


def check(
    paper: Annotated[
        Path, typer.Argument(metavar="PAPER", help="A .tex file, a folder with one, a PDF, or plain text.")
    ],
    runs: Annotated[
        Path | None,
        typer.Option(
            "--runs", help="Folder with run_0/final_info.json, run_1/..., and notes.txt; else PAPER, if it holds them."
        ),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check anybody's paper against itself: references, arithmetic, statistics, tables, missing parts.

    With runs in the layout of the AI Scientist every number is bound to run, data set and metric, or named.
    An error is only what text and runs prove. Exit code 1 on an error.
    """
    from scientist.reviews.checks import check_document, check_runs, has_runs, in_order, read_runs
    from scientist.reviews.reading import read_paper

    checked: RunsChecked | None = None
    with watching(mode(json, quiet), stage="reading and checking"):
        reading = read_paper(paper)
        unread = list(reading.document.unread)
        findings = check_document(reading.document, reading.sources)
        if runs is not None or has_runs(paper):
            found = read_runs(runs or paper)
            unread += found.unread
            checked = check_runs(reading.document, found)
            findings = in_order([*findings, *checked.findings])
    counts = {kind: sum(finding.severity == kind for finding in findings) for kind in COLOURS}
    if json:
        answer = {"findings": [finding.model_dump() for finding in findings], "counts": counts, "unread": unread}
        if checked:
            answer["numbers"] = [number.model_dump() for number in checked.numbers]
        emit(answer)
        raise typer.Exit(1 if counts["error"] else 0)
    for finding in findings:
        _show(finding)
    for line in unread:
        out.print(f"[yellow]not read:[/] {escape(line)}")
    if checked:
        told = ", ".join(f"{n} {said}" for verdict, said in VERDICTS.items() if (n := checked.count(verdict)))  # type: ignore[arg-type]
        out.print(f"numbers looked at: {len(checked.numbers)}{': ' if told else ''}{told}")
    told = ", ".join(f"{n} {kind}{'s' if n != 1 else ''}" for kind, n in counts.items() if n) or "nothing found"
    out.print(f"{escape(reading.document.source)}: {told}")
    raise typer.Exit(1 if counts["error"] else 0)


def _show(finding: Finding) -> None:
    colour = COLOURS[finding.severity]
    out.print(f"[{colour}]{finding.severity:<7} {finding.kind}[/]  {escape(finding.message)}")
    place = ", ".join(part for part in (finding.section, f"page {finding.page}" if finding.page else "") if part)
    for label, text in (
        ("where", place),
        ("says", finding.sentence),
        ("expected", finding.expected),
        ("from", finding.source),
    ):
        if text:
            field(label, text)
