"""`calibrate`: what reviewers' scores are worth on a set of papers with outcomes or human scores."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scientist.cli._console import emit, err, escape, out
from scientist.cli._options import Json, Quiet

if TYPE_CHECKING:
    from scientist.reviews.calibration import Row

SHOWN = ("AUC", "Spearman", "Spearman inside accepted", "Spearman inside rejected")


def calibrate(
    data: Annotated[
        Path, typer.Argument(help="Papers with decisions or scores: .jsonl, .jsonl.gz, .csv, or a folder.")
    ],
    reviews: Annotated[
        list[Path] | None, typer.Option("--reviews", help="A table of another system's reviews; may be given again.")
    ] = None,
    also: Annotated[
        Path | None,
        typer.Option("--also", help="Papers with scores that the refitted prior learns from too; not judged."),
    ] = None,
    into: Annotated[Path, typer.Option("--out", help="Folder for report.md, report.json and plots.")] = Path(
        "calibration"
    ),
    seed: Annotated[int, typer.Option(min=0, help="Of resampling, parts and draws.")] = 0,
    no_refit: Annotated[bool, typer.Option("--no-refit", metavar="", help="Only the prior as it is shipped.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """What reviewers are worth on papers with known outcomes: the prior, other systems, baselines, alone and combined.

    The formats are described in docs/prior.md.
    """
    from scientist.reviews.calibration import as_json, assess, read_data, write_report

    def progress(done: int, of: int) -> None:
        if not quiet and (done % 100 == 0 or done == of):
            err.print(f"{done} of {of} papers read")

    more = read_data(also) if also else None
    judged = read_data(data, tuple(reviews or ()))
    found = assess(judged, seed=seed, refit=not no_refit, also=more, progress=progress)
    files = write_report(found, into)
    if json:
        emit({**as_json(found), "files": [str(path) for path in files]})
        return
    for note in found.notes:
        out.print(f"[yellow]{escape(note)}[/]")
    width = max(len(row.name) for row in found.rows)
    out.print(f"[bold]{'reviewer':<{width}}  papers   AUC  Spearman  in accepted  in rejected[/]")
    for row in found.rows:
        auc, rho, inside, outside = (_said(row, measure) for measure in SHOWN)
        out.print(escape(f"{row.name:<{width}}  {row.papers:>6}  {auc:>4}  {rho:>8}  {inside:>11}  {outside:>11}"))
    out.print(f"report in {escape(str(files[1]))}")


def _said(row: Row, measure: str) -> str:
    value = row.measures.get(measure, (math.nan,))[0]
    return "–" if math.isnan(value) else f"{value:.2f}"
