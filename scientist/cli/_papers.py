"""`review`, `audit`, `trace`: looking at one paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scientist.cli._console import emit, err, escape, out
from scientist.cli._lookup import paper_folder, template_or_gap
from scientist.cli._options import Json, Paper, Quiet
from scientist.cli._progress import mode, watching
from scientist.cli._run import BudgetOption
from scientist.errors import UsageError

if TYPE_CHECKING:
    from scientist.papers import Trace

RUNS_SHOWN = 6
"""Runs that a trace lists for a person; --json lists all."""


def review(
    papers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PAPER...",
            help="A PDF, a .tex or a text; a folder with TeX or with runs; a folder of papers; a paper of the lab (slug or its "
            "beginning, or its folder).",
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Reviewers that this model plays: provider/name, e.g. ollama/qwen3:8b.")
    ] = None,
    reviewers: Annotated[int, typer.Option(min=1, max=20, help="With --model: how many, independent.")] = 3,
    form: Annotated[str, typer.Option(help="With --model: neurips, iclr, or a form of yours (.toml).")] = "neurips",
    seed: Annotated[int, typer.Option(min=0, help="With --model: draws orders and points of view.")] = 0,
    budget: BudgetOption = None,
    references: Annotated[
        bool,
        typer.Option("--references", help="Look the references up too, as verify-citations does; asks the network."),
    ] = False,
    selftest: Annotated[
        bool,
        typer.Option(
            "--selftest",
            help="Review the reviewer: does it notice papers spoilt on purpose, does it fall for tricks? Without PAPER those of the lab.",
        ),
    ] = False,
    into: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where the files go; else reviews/NAME.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Review papers: anybody's by programs alone, a paper of the lab by stated rules, any by a model.

    Findings first, then a score as a distribution, what to do, and a page for a browser. Several papers get an index;
    run again, it goes on where it was stopped.
    """
    if selftest:
        from scientist.cli._selftest import selftest_of

        selftest_of(papers or [], model, reviewers, seed, budget, into, json, quiet)
        return
    if not papers:
        raise UsageError("no paper is named", "name a PDF, a .tex, a folder or a paper of the lab")
    if model is not None:
        from scientist.cli._review import Asked, review_by_model

        review_by_model(papers, Asked(model, reviewers, form, seed, budget, into), json, quiet)
        return
    from scientist.cli._review_papers import review_papers

    review_papers(papers, into, references, json, quiet)


def audit(paper: Paper, json: Json = False, quiet: Quiet = False) -> None:
    """Check a paper against its runs, facts, figures, declared tests and history.

    Exit code 1 on an error.
    """
    from scientist._stages import rebuild_with
    from scientist.papers import Rebuild
    from scientist.papers import audit as check

    folder, lab = paper_folder(paper)
    template, gap = template_or_gap(folder, lab)
    rebuild = rebuild_with(template) if template else Rebuild()
    if gap:
        err.print(f"[yellow]recomputation left out:[/] {escape(gap)}")
    with watching(mode(json, quiet), stage="recomputing and checking"):
        found = check(folder, rebuild=rebuild, lab=lab.root if lab else None)
    if json:
        emit({"findings": [finding.model_dump() for finding in found.findings]})
        raise typer.Exit(1 if found.errors else 0)
    colours = {"error": "red", "warning": "yellow", "note": "dim"}
    for finding in found.findings:
        head = f"[{colours[finding.severity]}]{finding.severity:<7} {finding.code:<18}[/]"
        out.print(f"{head} {escape(finding.where)}: {escape(finding.message)}")
    counts = {kind: sum(finding.severity == kind for finding in found.findings) for kind in colours}
    told = ", ".join(f"{n} {kind}{'s' if n != 1 else ''}" for kind, n in counts.items() if n) or "nothing found"
    out.print(f"{escape(folder.name)}: {told}")
    raise typer.Exit(1 if found.errors else 0)


def trace(
    paper: Paper,
    what: Annotated[str, typer.Argument(help="A fact's id, a printed number ('93.4', '-2.1'), or 'variant/seed-n'.")],
    json: Json = False,
) -> None:
    """Follow a number from the page to the runs it came from.

    Exit code 1 when nothing stands behind it.
    """
    from scientist.papers import trace as follow

    folder, _ = paper_folder(paper)
    found = follow(folder, what)
    if json:
        emit({"traces": [hit.model_dump(mode="json") for hit in found]})
    else:
        for hit in found:
            _show(hit)
    raise typer.Exit(0 if all(hit.agrees and hit.intact for hit in found) else 1)


def _show(hit: Trace) -> None:
    """One trace as a person reads it: what it is, where it stands, what it rests on."""
    ok = hit.agrees and hit.intact
    unit = f" {hit.unit.replace(chr(92), '')}" if hit.unit else ""
    out.print(f"[bold]{escape(hit.text)}{escape(unit)}[/]  {escape(hit.title)}  [dim]{hit.kind} {escape(hit.id)}[/]")
    if hit.formula:
        out.print(f"  made by  {escape(hit.formula)}")
    if hit.inputs:
        out.print(f"  from     {escape(', '.join(hit.inputs))}")
    if hit.file:
        mark = "[green]agrees[/]" if ok else "[red]DIFFERS[/]" if not hit.agrees else "[red]the file changed[/]"
        out.print(f"  stands   {escape(hit.file)} {escape(hit.pointer)} = {escape(str(hit.found))}  {mark}")
    for use in hit.uses:
        out.print(f"  printed  {escape(use.where)}: {escape(use.sentence)}")
    for run in hit.runs[:RUNS_SHOWN]:
        values = ", ".join(f"{split} {value:.4g}" for split, value in run.values.items()) or run.reason
        out.print(f"  run      {escape(run.run)}: {escape(values)}")
    if len(hit.runs) > RUNS_SHOWN:
        out.print(f"  run      ... and {len(hit.runs) - RUNS_SHOWN} more (--json lists all)")
    out.print()
