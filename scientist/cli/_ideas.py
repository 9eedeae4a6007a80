"""`ideas list|show|add|propose|check|approve|reject|rank|import|export`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from scientist.cli._app import app, open_lab
from scientist.cli._console import emit, escape, out
from scientist.cli._run import template_at
from scientist.errors import RecordError, UsageError
from scientist.ideas import (
    Backlog,
    HeuristicProposer,
    Idea,
    Lesson,
    active_lessons,
    add_idea,
    check_novelty,
    export_ideas,
    import_ideas,
    load_backlog,
    load_lessons,
    parse_idea,
    rank,
    render_idea,
    set_status,
)
from scientist.lab import Lab, read_text, write_atomic
from scientist.search import Archive
from scientist.template import Template

ideas = typer.Typer(
    no_args_is_help=True, help="The backlog: add, propose, check, rank, approve, reject, import, export."
)
app.add_typer(ideas, name="ideas", rich_help_panel="Work")

Json = Annotated[bool, typer.Option("--json", help="As JSON.")]
Slug = Annotated[str, typer.Argument(help="Slug of the idea, or its beginning.")]
TemplateOption = Annotated[Path | None, typer.Option("--template", "-t", help="Folder or name of the template.")]
COLOURS = {"approved": "green", "rejected": "red", "known": "yellow", "failed": "red", "done": "blue"}


def _template(lab: Lab, given: Path | None, name: str = "") -> Template:
    if given is None and not name:
        names = sorted({idea.template for idea in load_backlog(lab.ideas)})
        if len(names) != 1:
            raise UsageError("which template?", "pass --template FOLDER")
        name = names[0]
    return template_at(given or Path(name), lab) if given or name else template_at(Path(name), lab)


def _place(lab: Lab, idea: Idea, given: Path | None) -> Template:
    if given is not None:
        return template_at(given, lab)
    for candidate in (Path("templates") / idea.template, Path(idea.template)):
        if (candidate / "template.toml").is_file():
            return template_at(candidate, lab)
    return template_at(Path(idea.template), lab)


def _say_broken(backlog: Backlog) -> None:
    for _, message in backlog.broken:
        out.print(f"[red]skipped[/] {escape(message)}")


def _row(idea: Idea) -> dict[str, object]:
    return {
        "slug": idea.slug,
        "title": idea.title,
        "status": idea.status,
        "kind": idea.design.kind,
        "template": idea.template,
        "origin": idea.origin,
        "priority": idea.priority,
    }


@ideas.command("list")
def list_(
    status: Annotated[str | None, typer.Option(help="Only ideas in this state.")] = None, json: Json = False
) -> None:
    """The backlog, one line each; broken files are named with line and key."""
    backlog = load_backlog(open_lab().ideas)
    shown = [idea for idea in backlog if status in (None, idea.status)]
    if json:
        emit({"ideas": [_row(idea) for idea in shown], "broken": [message for _, message in backlog.broken]})
        return
    for idea in shown:
        colour = COLOURS.get(idea.status, "white")
        out.print(f"[{colour}]{idea.status:<9}[/] {idea.design.kind:<13} [bold]{idea.slug}[/]  {escape(idea.title)}")
    _say_broken(backlog)
    if not shown and not backlog.broken:
        out.print("no ideas yet: `scientist ideas propose --template FOLDER`, or write a file (docs/ideas.md)")


@ideas.command()
def show(slug: Slug, json: Json = False) -> None:
    """One idea, as its file has it."""
    idea = load_backlog(open_lab().ideas).find(slug)
    if json:
        emit({**idea.model_dump(mode="json"), "notes": idea.notes})
    else:
        out.print(escape(render_idea(idea)), end="")


@ideas.command()
def add(
    file: Annotated[Path, typer.Argument(help="Markdown file with front matter; '-' reads standard input.")],
) -> None:
    """Check an idea file and put it into the backlog."""
    lab = open_lab()
    text = sys.stdin.read() if str(file) == "-" else read_text(file)
    idea = parse_idea(text, "standard input" if str(file) == "-" else str(file))
    from scientist.experiments import compile_design

    compile_design(idea, _place(lab, idea, None))
    with lab.lock():
        path = add_idea(lab.ideas, idea)
        lab.journal.append("idea.added", slug=idea.slug)
    out.print(f"added {escape(str(path))}")


@ideas.command()
def propose(
    template: TemplateOption = None,
    count: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 5,
    seed: Annotated[int | None, typer.Option(help="Where random choices start.")] = None,
    json: Json = False,
) -> None:
    """Compose new ideas from the template's knobs, the lab's lessons and what was done; they join the backlog."""
    lab = open_lab(seed=seed)
    found = _template(lab, template)
    with lab.lock():
        proposed = HeuristicProposer().propose(
            found, load_backlog(lab.ideas), _lessons(lab, found), Archive.load(lab.papers), count, lab.settings.seed, 1
        )
        for idea in proposed:
            add_idea(lab.ideas, idea)
            lab.journal.append("idea.added", slug=idea.slug)
    if json:
        emit([_row(idea) for idea in proposed])
        return
    for idea in proposed:
        out.print(f"[bold]{idea.slug}[/]  {escape(idea.title)}\n  {escape(idea.hypothesis)}")
    if len(proposed) < count:
        out.print(f"[yellow]{len(proposed)} of {count}: the rest would repeat the backlog[/]")


def _lessons(lab: Lab, template: Template) -> tuple[Lesson, ...]:
    rounds = [lesson.round for file in load_lessons(lab.reviews) for lesson in file.lessons]
    number = max(rounds, default=0) + 1
    return active_lessons(
        load_lessons(lab.reviews), template.name, number, lab.settings.lessons, lab.settings.lesson_rounds
    )


@ideas.command()
def check(slug: Slug, template: TemplateOption = None, json: Json = False) -> None:
    """Is it new? A verdict with its evidence: backlog, finished papers, the library, and what answers online."""
    from scientist.loop import lab_sources

    lab = open_lab()
    backlog = load_backlog(lab.ideas)
    idea = backlog.find(slug)
    found = _place(lab, idea, template)
    others = [other for other in backlog.with_status("proposed", "approved", "rejected") if other.slug != idea.slug]
    done = [other for other in backlog.with_status("done", "failed") if other.slug != idea.slug]
    novelty = check_novelty(idea, found, others, done, lab_sources(lab), lab.settings.literature_deadline)
    if json:
        emit(novelty.model_dump(mode="json"))
        return
    out.print(f"[bold]{novelty.verdict}[/]: {escape(novelty.reason)}")
    for neighbour in novelty.neighbours:
        out.print(
            f"  {neighbour.similarity:.2f}  {neighbour.kind:<5} {escape(neighbour.key)}: {escape(neighbour.title)}"
        )
    for searched in novelty.searched:
        out.print(
            f"  [dim]{searched.source}: {searched.answer}, {searched.found} found{f' ({escape(searched.note)})' if searched.note else ''}[/]"
        )


def _decide(slug: str, status: str, note: str) -> None:
    lab = open_lab()
    with lab.lock():
        idea = set_status(lab.ideas, slug, status, note)  # type: ignore[arg-type]
        lab.journal.append(f"idea.{status}", slug=idea.slug, note=note, by="person")
    out.print(f"{idea.slug}: {status}")


@ideas.command()
def approve(slug: Slug, note: Annotated[str, typer.Option(help="Why; kept in the file and the journal.")] = "") -> None:
    """Put an idea before all that nobody approved."""
    _decide(slug, "approved", note)


@ideas.command()
def reject(slug: Slug, note: Annotated[str, typer.Option(help="Why; kept in the file and the journal.")] = "") -> None:
    """Never pursue this idea."""
    _decide(slug, "rejected", note)


@ideas.command("rank")
def rank_(template: TemplateOption = None, json: Json = False) -> None:
    """The order in which the next round would choose, with the parts of each score."""
    lab = open_lab()
    found = _template(lab, template)
    backlog = load_backlog(lab.ideas)
    open_ideas = [idea for idea in backlog.with_status("proposed", "approved") if idea.template == found.name]
    choices = rank(open_ideas, {}, _lessons(lab, found), Archive.load(lab.papers), lab.settings.seed, found)
    if json:
        emit([choice.model_dump() for choice in choices])
        return
    for place, choice in enumerate(choices, start=1):
        parts = ", ".join(f"{name} {value:+.2f}" for name, value in choice.parts.items() if value)
        out.print(f"{place:>3}. {choice.score:5.2f}  [bold]{choice.slug}[/]  [dim]{parts}[/]")
    _say_broken(backlog)


@ideas.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="JSON list: ours, or an AI-Scientist list of ideas.")],
    template: TemplateOption = None,
) -> None:
    """Bring in ideas from a file; what cannot become an idea is kept aside, not lost."""
    lab = open_lab()
    if not file.exists():
        raise RecordError(f"{file} does not exist", "check the path")
    with lab.lock():
        done = import_ideas(file, lab.ideas, _template(lab, template))
        for idea in done.ideas:
            lab.journal.append("idea.added", slug=idea.slug, source=file.name)
    out.print(f"{len(done.ideas)} imported, {len(done.already)} here already, {len(done.unmatched)} kept aside")
    for line in done.unmatched:
        out.print(f"  [yellow]·[/] {escape(line)}")


@ideas.command()
def export(
    file: Annotated[Path | None, typer.Argument(help="Where to; standard output when left out.")] = None,
) -> None:
    """The backlog as one JSON list."""
    data = export_ideas(load_backlog(open_lab().ideas))
    if file is None:
        sys.stdout.write(data.decode())
    else:
        write_atomic(file, data)
        out.print(f"wrote {escape(str(file))}")
