"""`run`, `resume`, `status`, `stop`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from scientist.cli._app import app, lab_root, open_lab
from scientist.cli._console import Mode, emit, escape, out, watching
from scientist.errors import TemplateError
from scientist.lab import Lab
from scientist.template import Template, find_templates, load_template

Json = Annotated[
    bool, typer.Option("--json", help="Result as JSON on standard output, progress as JSON lines on standard error.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]
NoPdf = Annotated[bool, typer.Option("--no-pdf", help="Stop at paper.tex; needs no LaTeX.")]
PANEL = "Work"


def mode(json: bool, quiet: bool) -> Mode:
    """Which progress the flags ask for."""
    return "json" if json else "quiet" if quiet else "person"


def template_at(name: Path, lab: Lab | None) -> Template:
    """A template by folder, or by name below the lab's templates/."""
    if (name / "template.toml").is_file():
        return load_template(name)
    for folder in [lab.root / name, lab.root / "templates" / name] if lab else []:
        if (folder / "template.toml").is_file():
            return load_template(folder)
    known = [path.name for path in find_templates(Path("templates"), *([lab.root / "templates"] if lab else []))]
    here = f"; here are: {', '.join(known)}" if known else ""
    raise TemplateError(f"no template at '{name}'", f"pass its folder{here}")


@app.command(rich_help_panel=PANEL)
def run(
    template: Annotated[Path, typer.Argument(help="Folder of the template.")],
    rounds: Annotated[int | None, typer.Option(help="Rounds of propose, experiment, write, review, learn.")] = None,
    ideas: Annotated[int | None, typer.Option(help="Papers per round.")] = None,
    seeds: Annotated[int | None, typer.Option(help="Most seeds per variant.")] = None,
    workers: Annotated[int | None, typer.Option(help="Runs at a time; 0 means one per core.")] = None,
    seed: Annotated[int | None, typer.Option(help="Where every random choice starts.")] = None,
    feedback: Annotated[
        bool | None, typer.Option("--feedback/--no-feedback", help="Let reviews choose what comes next.")
    ] = None,
    no_pdf: NoPdf = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run a campaign on a template; running it again continues it."""
    from scientist.loop import campaign_for, run_campaign

    lab = open_lab(rounds=rounds, ideas=ideas, seeds=seeds, workers=workers, seed=seed, feedback=feedback)
    campaign = campaign_for(lab, template_at(template, lab))
    started = time.monotonic()
    with watching(mode(json, quiet)) as progress:
        summaries = run_campaign(lab, campaign, progress, pdf=not no_pdf)
    _tell(lab, campaign.id, summaries, json, time.monotonic() - started)


@app.command(rich_help_panel=PANEL)
def resume(no_pdf: NoPdf = False, json: Json = False, quiet: Quiet = False) -> None:
    """Continue the newest campaign that was interrupted."""
    from scientist.loop import resume_campaign, unfinished

    lab = open_lab()
    waiting = unfinished(lab)
    if waiting:
        # The campaign's own choices beat what the file says today.
        first = waiting[0]
        lab = open_lab(rounds=first.rounds, ideas=first.ideas, seed=first.seed, feedback=first.feedback)
    started = time.monotonic()
    with watching(mode(json, quiet)) as progress:
        campaign, summaries = resume_campaign(lab, progress, pdf=not no_pdf)
    _tell(lab, campaign.id, summaries, json, time.monotonic() - started)


def _tell(lab: Lab, campaign: str, summaries: Sequence[object], json: bool, seconds: float) -> None:
    from scientist.loop import PaperSummary

    rows = [summary for summary in summaries if isinstance(summary, PaperSummary)]
    if json:
        emit({"campaign": campaign, "seconds": round(seconds, 1), "papers": [row.model_dump() for row in rows]})
        return
    for row in rows:
        out.print()
        out.print(f"[bold]{escape(row.title)}[/]  [dim]round {row.round} · {row.slug}[/]")
        if row.failure:
            out.print(f"  [red]no paper:[/] {escape(row.failure)}")
            continue
        out.print(f"  found    {escape(row.finding)}")
        if row.overall is not None:
            colour = "green" if row.decision == "Accept" else "yellow"
            audit = "audit clean" if row.errors == 0 else f"audit: {row.errors} errors"
            out.print(f"  review   [{colour}]{row.overall}/10, {row.decision}[/] · {audit}")
        if row.pdf:
            out.print(f"  paper    {escape(row.pdf)}")
        for line in row.because:
            out.print(f"  learnt   {escape(line)}")
    out.print()
    out.print(
        f"[dim]{len(rows)} papers in {seconds:.0f} s. Check one: scientist --lab {escape(_short(lab.root))} audit SLUG; follow a number: scientist --lab {escape(_short(lab.root))} trace SLUG NUMBER[/]"
    )


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


@app.command(rich_help_panel=PANEL)
def status(json: Json = False) -> None:
    """What the lab is doing, and where every paper stands."""
    from scientist.ideas import load_backlog
    from scientist.loop import paper_states, unfinished

    lab = open_lab()
    backlog = load_backlog(lab.ideas)
    counts: dict[str, int] = {}
    for idea in backlog:
        counts[idea.status] = counts.get(idea.status, 0) + 1
    states = paper_states(lab)
    waiting = [campaign.id for campaign in unfinished(lab)]
    holder = lab.holder()
    if json:
        emit(
            {
                "lab": str(lab.root),
                "working": holder,
                "unfinished": waiting,
                "ideas": counts,
                "broken_ideas": [message for _, message in backlog.broken],
                "papers": states,
            }
        )
        return
    out.print(f"lab       {escape(str(lab.root))}")
    out.print(f"working   {f'process {holder}' if holder else 'nobody'}")
    out.print(f"waiting   {', '.join(waiting) or 'nothing to resume'}")
    out.print(f"ideas     {', '.join(f'{n} {s}' for s, n in sorted(counts.items())) or 'none'}")
    for _, message in backlog.broken:
        out.print(f"          [red]{escape(message)}[/]")
    for slug, state in sorted(states.items()):
        out.print(f"paper     {escape(slug)}: {state}")


@app.command(rich_help_panel=PANEL)
def stop() -> None:
    """Ask the working scientist to end after the runs in flight."""
    from scientist.errors import UsageError
    from scientist.lab import Lab

    pid = Lab(lab_root()).request_stop()
    if pid is None:
        raise UsageError("nobody is working in this lab", "see `scientist status`")
    out.print(f"asked process {pid} to stop; `scientist resume` continues later")
