"""`run`, `resume`, `status`, `stop`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scientist.cli._console import emit, err, escape, field, out
from scientist.cli._lookup import lab_root, open_lab, short, template_at
from scientist.cli._options import Json, NoPdf, Quiet, TemplateArgument
from scientist.cli._progress import mode, seconds, watching
from scientist.errors import StudyError, UsageError

if TYPE_CHECKING:
    from scientist.lab import Lab
    from scientist.loop import Campaign, PaperSummary


Workers = Annotated[
    int | None, typer.Option(help="Runs at a time; 0 means one per core, or all that fit on the cluster.")
]
Executor = Annotated[
    str | None, typer.Option(metavar="local|ray", help="Where runs execute: on this machine or on a Ray cluster.")
]
Address = Annotated[
    str | None, typer.Option(metavar="HOST:PORT|auto", help="The Ray cluster to join; without it one is started here.")
]


Model = Annotated[
    str | None, typer.Option(metavar="PROVIDER/NAME", help="A model plays the roles; without it rules do.")
]
BudgetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--budget", metavar="CAP=AMOUNT", help="Cap on models: dollars, tokens, calls or seconds. Repeatable."
    ),
]
Replay = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Answer from recorded conversations; nothing is sent.")
]


def run(
    template: TemplateArgument,
    rounds: Annotated[
        int | None, typer.Option(help="Rounds: propose, experiment, write, review, learn.", show_default=False)
    ] = None,
    ideas: Annotated[int | None, typer.Option(help="Papers per round.")] = None,
    seeds: Annotated[int | None, typer.Option(help="Most seeds per variant.")] = None,
    workers: Workers = None,
    seed: Annotated[int | None, typer.Option(help="Where every random choice starts.")] = None,
    feedback: Annotated[
        bool | None,
        typer.Option("--feedback/--no-feedback", metavar="", help="Let reviews choose what comes next."),
    ] = None,
    model: Model = None,
    budget: BudgetOption = None,
    replay: Replay = None,
    executor: Executor = None,
    address: Address = None,
    no_pdf: NoPdf = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run a campaign on a template; running it again continues it.

    What is not given here comes from SCIENTIST_<KEY> in the environment, then from the lab's scientist.toml.
    """
    from scientist.loop import campaign_for

    how = {"workers": workers, "executor": executor, "address": address, **asking(model, budget, replay)}
    lab = open_lab(rounds=rounds, ideas=ideas, seeds=seeds, seed=seed, feedback=feedback, **how)
    _ensure_cluster(lab, address)
    _work(lab, campaign_for(lab, template_at(template, lab)), no_pdf, json, quiet)


def resume(
    workers: Workers = None,
    model: Model = None,
    budget: BudgetOption = None,
    replay: Replay = None,
    executor: Executor = None,
    address: Address = None,
    no_pdf: NoPdf = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Continue the newest campaign that was interrupted."""
    from scientist.loop import unfinished

    waiting = unfinished(open_lab())
    if not waiting:
        raise UsageError("nothing to resume", "start with `scientist run TEMPLATE`")
    first = waiting[0]
    # The campaign's own choices beat what the file says today.
    own = {"rounds": first.rounds, "ideas": first.ideas, "seeds": first.seeds, "seed": first.seed}
    asked = asking(first.model if model is None else model, budget, replay)
    how = {"workers": workers, "executor": executor, "address": address, **asked}
    lab = open_lab(feedback=first.feedback, **own, **how)
    _ensure_cluster(lab, address)
    _work(lab, first, no_pdf, json, quiet)


def asking(model: str | None, budget: list[str] | None, replay: Path | None) -> dict[str, Any]:
    """Who is asked, for how much, or from which recording; the folder as the lab finds it wherever it is called from."""
    recording = str(replay.resolve()) if replay is not None else None
    return {"model": model, "budget": caps_of(budget), "replay": recording}


def caps_of(given: list[str] | None) -> dict[str, float] | None:
    """`dollars=2` as a setting has it."""
    if not given:
        return None
    caps = {}
    for one in given:
        name, _, amount = one.partition("=")
        try:
            caps[name.strip()] = float(amount) if name.strip() in ("dollars", "seconds") else int(amount)
        except ValueError:
            raise UsageError(f"--budget {one}: the amount is no number", "write e.g. --budget dollars=2") from None
    return caps


def _ensure_cluster(lab: Lab, address: str | None) -> None:
    """Whoever names a cluster wants it used."""
    if address and lab.settings.executor != "ray":
        raise UsageError("--address names a Ray cluster, but runs execute on this machine", "add --executor ray")


def _work(lab: Lab, campaign: Campaign, no_pdf: bool, json: bool, quiet: bool) -> None:
    from scientist.loop import finished_papers, run_campaign

    started = time.monotonic()
    left = campaign.rounds * campaign.ideas - finished_papers(lab, campaign)
    with watching(mode(json, quiet), papers=left, stage="starting") as progress:
        papers = run_campaign(lab, campaign, progress, pdf=not no_pdf)
    _tell(lab, campaign, papers, json, time.monotonic() - started)
    if papers and all(paper.failure for paper in papers):
        raise typer.Exit(StudyError.exit_code)


def _tell(lab: Lab, campaign: Campaign, papers: Sequence[PaperSummary], json: bool, took: float) -> None:
    """What a campaign ends with: per paper title, finding, review, place, and what an earlier review changed."""
    if json:
        emit({"campaign": campaign.id, "seconds": round(took, 1), "papers": [paper.model_dump() for paper in papers]})
        return
    made = 0
    for paper in papers:
        out.print()
        out.print(f"[bold]{escape(paper.title)}[/]  [dim]round {paper.round} · {paper.slug}[/]")
        if paper.failure:
            field("no paper", paper.failure, "red")
            continue
        made += 1
        field("found", paper.finding)
        if paper.overall is not None:
            audit = "audit clean" if paper.errors == 0 else f"audit: {paper.errors} errors"
            colour = "green" if paper.decision == "Accept" else "yellow"
            field("review", f"{paper.overall}/10, {paper.decision} · {audit}", colour)
        field("paper", paper.pdf or short(lab.paper(paper.slug) / "paper.tex"))
        for line in paper.by_rules:
            field("by rules", f"instead: {line}", "yellow")
        for line in paper.because:
            field("learnt", line)
    out.print()
    failed = f", {len(papers) - made} without" if made < len(papers) else ""
    out.print(f"{made} paper{'s' if made != 1 else ''}{failed} in {seconds(took)}")
    if made:
        at = f"scientist --lab {short(lab.root)}"
        err.print(f"[dim]check one: {escape(at)} audit SLUG; follow a number: {escape(at)} trace SLUG NUMBER[/]")


def status(json: Json = False) -> None:
    """What the lab is doing, and where every paper stands."""
    from scientist.ideas import load_backlog
    from scientist.loop import alarm_of, paper_states, told_by_rules, unfinished

    lab = open_lab()
    backlog = load_backlog(lab.ideas)
    counts: dict[str, int] = {}
    for idea in backlog:
        counts[idea.status] = counts.get(idea.status, 0) + 1
    states = paper_states(lab)
    waiting = [campaign.id for campaign in unfinished(lab)]
    holder = lab.holder()
    alarm = alarm_of(lab)
    instead = told_by_rules(lab)
    if json:
        emit(
            {
                "lab": str(lab.root),
                "working": holder,
                "unfinished": waiting,
                "alarm": alarm,
                "ideas": counts,
                "broken_ideas": [message for _, message in backlog.broken],
                "papers": states,
                "by_rules": instead,
            }
        )
        return
    field("lab", str(lab.root))
    field("working", f"process {holder}" if holder else "nobody")
    begun = ("in progress: " if holder else "to resume: ") + ", ".join(waiting)
    field("campaigns", begun if waiting else "nothing to resume")
    if alarm is not None:
        field("alarm", f"{alarm['reason']}; see {alarm.get('kept', 'the journal')}", "red")
    field("ideas", ", ".join(f"{n} {s}" for s, n in sorted(counts.items())) or "none")
    for _, message in backlog.broken:
        field("", message, "red")
    for slug, state in sorted(states.items()):
        field("paper", f"{slug}: {state}")
    for line in instead:
        field("by rules", f"instead: {line}", "yellow")


def stop(json: Json = False) -> None:
    """Ask the working scientist to end after the runs in flight."""
    from scientist.lab import Lab

    pid = Lab(lab_root()).request_stop()
    if pid is None:
        raise UsageError("nobody is working in this lab", "see `scientist status`")
    if json:
        emit({"asked": pid})
    else:
        out.print(f"asked process {pid} to end after the runs in flight; `scientist resume` continues later")
