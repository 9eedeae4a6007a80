"""`ideas list|show|rank|add|propose|import|export|check|approve|reject`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from scientist.cli._console import emit, err, escape, field, out
from scientist.cli._lookup import open_lab, short, template_at
from scientist.cli._options import Json, Note, Quiet, Slug, TemplateOption
from scientist.errors import RecordError, StudyError, UsageError

if TYPE_CHECKING:
    from scientist.ideas import Backlog, Idea, Lesson
    from scientist.lab import Lab
    from scientist.template import Template

COLOURS = {"approved": "green", "rejected": "red", "known": "yellow", "failed": "red", "done": "blue"}


def _template(lab: Lab, given: Path | None) -> Template:
    """The template that is meant: the given one, else the only one that the backlog is about."""
    from scientist.ideas import load_backlog

    if given is not None:
        return template_at(given, lab)
    names = sorted({idea.template for idea in load_backlog(lab.ideas)})
    if len(names) == 1:
        return template_at(names[0], lab)
    why = f": the backlog is about {', '.join(names)}" if names else ""
    raise UsageError(f"which template?{why}", "pass --template FOLDER")


def _lessons(lab: Lab, template: Template) -> tuple[Lesson, ...]:
    """The lessons in force for the round that would come next."""
    from scientist.ideas import active_lessons, load_lessons

    files = load_lessons(lab.reviews)
    number = max((lesson.round for file in files for lesson in file.lessons), default=0) + 1
    return active_lessons(files, template.name, number, lab.settings.lessons, lab.settings.lesson_rounds)


def _say_broken(backlog: Backlog) -> None:
    for _, message in backlog.broken:
        err.print(f"[red]skipped[/] {escape(message)}")


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


def list_(
    status: Annotated[str | None, typer.Option(help="Only ideas in this state.")] = None, json: Json = False
) -> None:
    """The backlog, one line each; broken files are named with line and key."""
    from typing import get_args

    from scientist.ideas import Status, load_backlog
    from scientist.lab import nearest

    known = list(get_args(Status))
    if status is not None and status not in known:
        raise UsageError(f"no state '{status}'{nearest(status, known)}", f"one of: {', '.join(known)}")
    backlog = load_backlog(open_lab().ideas)
    shown = [idea for idea in backlog if status in (None, idea.status)]
    if json:
        emit({"ideas": [_row(idea) for idea in shown], "broken": [message for _, message in backlog.broken]})
        return
    width = max((len(idea.slug) for idea in shown), default=0)
    for idea in shown:
        state = f"[{COLOURS.get(idea.status, 'white')}]{idea.status:<8}[/]"
        out.print(f"{state} {idea.design.kind:<13} [bold]{idea.slug:<{width}}[/]  {escape(idea.title)}")
    _say_broken(backlog)
    if not shown and not backlog.broken:
        none = f"no idea is {status}" if status else "no ideas yet"
        out.print(f"{none}: `scientist ideas propose --template FOLDER`, or write a file (docs/ideas.md)")


def show(slug: Slug, json: Json = False) -> None:
    """One idea, as its file has it."""
    from scientist.ideas import load_backlog, render_idea

    idea = load_backlog(open_lab().ideas).find(slug)
    if json:
        emit({**idea.model_dump(mode="json"), "notes": idea.notes})
    else:
        out.print(escape(render_idea(idea)), end="")


def add(
    file: Annotated[Path, typer.Argument(help="Markdown file with front matter; '-' reads standard input.")],
    template: TemplateOption = None,
    json: Json = False,
) -> None:
    """Check an idea file against its template and put it into the backlog."""
    from scientist.experiments import compile_design
    from scientist.ideas import add_idea, parse_idea
    from scientist.lab import read_text

    lab = open_lab()
    piped = str(file) == "-"
    idea = parse_idea(sys.stdin.read() if piped else read_text(file), "standard input" if piped else str(file))
    try:
        compile_design(idea, template_at(template or idea.template, lab))
    except StudyError as error:
        where = "standard input" if piped else str(file)
        raise RecordError(f"{where}: {error.message}", "mend the file, then add it") from error
    with lab.lock():
        path = add_idea(lab.ideas, idea)
        lab.journal.append("idea.added", slug=idea.slug)
    if json:
        emit({"added": _row(idea), "path": short(path)})
    else:
        out.print(f"added {escape(short(path))}")


def propose(
    template: TemplateOption = None,
    count: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 5,
    seed: Annotated[int | None, typer.Option(help="Where random choices start.")] = None,
    json: Json = False,
) -> None:
    """Compose new ideas from the template's knobs, the lab's lessons and what was done."""
    from scientist.ideas import HeuristicProposer, add_idea, load_backlog
    from scientist.search import Archive

    lab = open_lab(seed=seed)
    found = _template(lab, template)
    with lab.lock():
        backlog, archive = load_backlog(lab.ideas), Archive.load(lab.papers)
        lessons = _lessons(lab, found)
        proposed = HeuristicProposer().propose(found, backlog, lessons, archive, count, lab.settings.seed, 1)
        for idea in proposed:
            add_idea(lab.ideas, idea)
            lab.journal.append("idea.added", slug=idea.slug)
    if json:
        emit({"proposed": [_row(idea) for idea in proposed]})
        return
    for idea in proposed:
        out.print(f"[bold]{idea.slug}[/]")
        field("asks", idea.title)
        field("expects", idea.hypothesis)
        for use in idea.lessons:
            field("learnt", f"{use.change} (because: {use.text})")
    if len(proposed) < count:
        out.print(f"[yellow]{len(proposed)} of {count}: the rest would repeat the backlog[/]")


def check(slug: Slug, template: TemplateOption = None, json: Json = False, quiet: Quiet = False) -> None:
    """Is it new? A verdict with its evidence.

    Looks at the backlog, at finished papers, in the library, and at what answers online.
    """
    from scientist._cast import Cast
    from scientist._literature import lab_sources
    from scientist.cli._progress import mode, watching
    from scientist.ideas import check_novelty, load_backlog
    from scientist.literature import outages
    from scientist.progress import Silent

    lab = open_lab()
    backlog = load_backlog(lab.ideas)
    idea = backlog.find(slug)
    found = template_at(template or idea.template, lab)
    others = [other for other in backlog.with_status("proposed", "approved", "rejected") if other.slug != idea.slug]
    done = [other for other in backlog.with_status("done", "failed") if other.slug != idea.slug]
    with watching(mode(json, quiet), stage="looking for what is close"):
        cast = Cast(lab, Silent())
        try:
            reader, deadline = cast.reader(), lab.settings.literature_deadline
            novelty = check_novelty(idea, found, others, done, lab_sources(lab), deadline, reader)
        finally:
            cast.close()
    if json:
        emit(novelty.model_dump(mode="json"))
        return
    out.print(f"[bold]{novelty.verdict}[/]: {escape(novelty.reason)}")
    for outage in outages(novelty.searched):
        out.print(f"  [yellow]{escape(outage)}[/]")
    for near in novelty.neighbours:
        out.print(f"  {near.similarity:.2f}  {near.kind:<5} {escape(near.key)}: {escape(near.title)}")
        if near.retracted:
            out.print(f"        [red]retracted[/]: {escape(near.retracted)}")
        for cover in near.covers:
            out.print(f"        told: {escape(cover.claim)}")
            out.print(f"        [dim]there ({escape(cover.by)}, {cover.coverage:.2f}): {escape(cover.passage)}[/]")
        for claim in near.lacks:
            out.print(f"        not told: {escape(claim)}")
    for searched in novelty.searched:
        note = f" ({searched.note})" if searched.note else ""
        said = f"{searched.source}: {searched.answer}, {searched.found} found{note}"
        out.print(f"  [dim]{escape(said)}[/]")


def _decide(slug: str, status: Literal["approved", "rejected"], note: str, json: bool) -> None:
    from scientist.ideas import load_backlog, set_status

    lab = open_lab()
    with lab.lock():
        before = load_backlog(lab.ideas).find(slug)
        if before.status == "done":
            raise UsageError(f"'{before.slug}' was studied already", f"see papers/{before.slug}, or propose another")
        idea = set_status(lab.ideas, before.slug, status, note)
        lab.journal.append(f"idea.{status}", slug=idea.slug, note=note, by="person")
    if json:
        emit(_row(idea))
    else:
        out.print(f"{idea.slug}: {status}")


def approve(slug: Slug, note: Note = "", json: Json = False) -> None:
    """Put an idea before all that nobody approved."""
    _decide(slug, "approved", note, json)


def reject(slug: Slug, note: Note = "", json: Json = False) -> None:
    """Never pursue this idea."""
    _decide(slug, "rejected", note, json)


def rank(template: TemplateOption = None, json: Json = False) -> None:
    """The order in which the next round would choose, and why."""
    from scientist.ideas import load_backlog
    from scientist.ideas import rank as order
    from scientist.search import Archive

    lab = open_lab()
    found = _template(lab, template)
    backlog = load_backlog(lab.ideas)
    open_ideas = [idea for idea in backlog.with_status("proposed", "approved") if idea.template == found.name]
    choices = order(open_ideas, {}, _lessons(lab, found), Archive.load(lab.papers), lab.settings.seed, found)
    if json:
        emit({"ranked": [choice.model_dump() for choice in choices]})
        return
    width = max((len(choice.slug) for choice in choices), default=0)
    for place, choice in enumerate(choices, start=1):
        parts = ", ".join(f"{name} {value:+.2f}" for name, value in choice.parts.items() if value)
        out.print(f"{place:>3}. {choice.score:5.2f}  [bold]{choice.slug:<{width}}[/]  [dim]{parts}[/]")
    if not choices:
        out.print(f"nothing to rank: no proposed or approved idea about {found.name}")
    _say_broken(backlog)


def import_(
    file: Annotated[Path, typer.Argument(help="JSON of ideas: ours, or of AI-Scientist, any version.")],
    template: TemplateOption = None,
    json: Json = False,
) -> None:
    """Bring in ideas from a file; what cannot become an idea is kept aside, not lost."""
    from scientist.ideas import import_ideas

    lab = open_lab()
    if not file.exists():
        raise RecordError(f"{file} does not exist", "check the path")
    found = _template(lab, template)
    with lab.lock():
        done = import_ideas(file, lab.ideas, found)
        for idea in done.ideas:
            lab.journal.append("idea.added", slug=idea.slug, source=file.name)
    if json:
        emit(
            {
                "imported": [_row(idea) for idea in done.ideas],
                "already": list(done.already),
                "unmatched": list(done.unmatched),
            }
        )
        return
    out.print(f"{len(done.ideas)} imported, {len(done.already)} here already, {len(done.unmatched)} kept aside")
    for line in done.unmatched:
        out.print(f"  [yellow]·[/] {escape(line)}")


def export(
    file: Annotated[Path | None, typer.Argument(help="Where to; standard output when left out.")] = None,
    shape: Annotated[
        Literal["lab", "v1", "v2", "v3"], typer.Option(help="Ours, or as a version of AI-Scientist keeps ideas.")
    ] = "lab",
) -> None:
    """The backlog as one JSON list."""
    from scientist.ideas import export_ideas, load_backlog
    from scientist.lab import write_atomic

    backlog = load_backlog(open_lab().ideas)
    data = export_ideas(backlog, shape)
    if file is None:
        sys.stdout.write(data.decode())
    else:
        write_atomic(file, data)
        out.print(f"wrote {escape(str(file))}")
    _say_broken(backlog)
