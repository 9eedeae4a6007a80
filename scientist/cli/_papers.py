"""`review`, `audit`, `trace`: looking at one paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scientist.cli._app import app, lab_root, open_lab
from scientist.cli._console import emit, escape, out
from scientist.cli._run import template_at
from scientist.errors import RecordError, ScientistError, UsageError
from scientist.lab import SETTINGS_FILE, nearest, read_json

if TYPE_CHECKING:
    from scientist.papers import Trace

Json = Annotated[bool, typer.Option("--json", help="As JSON.")]
Paper = Annotated[str, typer.Argument(help="Slug of a paper of the lab (or its beginning), or a paper's folder.")]
PANEL = "Checking"


def paper_folder(name: str) -> tuple[Path, Path | None]:
    """(the paper's folder, the lab it belongs to or None)."""
    given = Path(name)
    if (given / "study.json").is_file() or (given / "manuscript.json").is_file():
        folder = given.resolve()
        root = folder.parent.parent
        return folder, root if (root / SETTINGS_FILE).is_file() else None
    papers = lab_root() / "papers"
    slugs = sorted(path.name for path in papers.glob("*") if path.is_dir()) if papers.is_dir() else []
    matches = [name] if name in slugs else [slug for slug in slugs if slug.startswith(name)]
    if len(matches) == 1:
        return papers / matches[0], lab_root()
    if matches:
        raise UsageError(f"'{name}' could be {', '.join(matches[:4])}", "give more of the slug")
    raise UsageError(f"no paper '{name}'{nearest(name, slugs)}", f"look in {papers}, or pass --lab")


def _template_of(folder: Path, root: Path | None) -> Path:
    """Where the template of a paper is: the campaign that made it knows, else templates/<name>."""
    from scientist.experiments import Study
    from scientist.loop import Campaign

    name = read_json(Study, folder / "study.json").template
    for path in sorted((root / "campaigns").glob("*/campaign.json")) if root else []:
        campaign = read_json(Campaign, path)
        place = root / campaign.template if root else Path(campaign.template)
        if place.name == name and (place / "template.toml").is_file():
            return place
    for base in [root] if root else []:
        if (base / "templates" / name / "template.toml").is_file():
            return base / "templates" / name
    return Path("templates") / name


@app.command(rich_help_panel=PANEL)
def audit(paper: Paper, json: Json = False) -> None:
    """Check a paper against its runs, facts, figures, declared tests and history; exit 1 on an error."""
    from scientist._stages import rebuild_with
    from scientist.papers import Rebuild
    from scientist.papers import audit as check

    folder, root = paper_folder(paper)
    try:
        rebuild = rebuild_with(template_at(_template_of(folder, root), None))
        gap = ""
    except ScientistError as error:
        rebuild, gap = Rebuild(), f"recomputation left out: {error}"
    found = check(folder, rebuild=rebuild, lab=root)
    if json:
        emit({"findings": [finding.model_dump() for finding in found.findings]})
    else:
        colours = {"error": "red", "warning": "yellow", "note": "dim"}
        for finding in found.findings:
            colour = colours[finding.severity]
            out.print(
                f"[{colour}]{finding.severity:<7} {finding.code:<18}[/] {escape(finding.where)}: {escape(finding.message)}"
            )
        if gap:
            out.print(f"[yellow]{escape(gap)}[/]")
        if not found.findings:
            out.print(f"{escape(folder.name)}: nothing to find")
    raise typer.Exit(1 if found.errors else 0)


@app.command(rich_help_panel=PANEL)
def trace(
    paper: Paper,
    what: Annotated[str, typer.Argument(help="A fact's id, a printed number ('93.4', '-2.1'), or 'variant/seed-n'.")],
    json: Json = False,
) -> None:
    """Follow a number from the page to the runs it came from; exit 1 when nothing stands behind it."""
    from scientist.papers import trace as follow

    folder, _ = paper_folder(paper)
    found = follow(folder, what)
    if json:
        emit([hit.model_dump(mode="json") for hit in found])
    else:
        for hit in found:
            _show(hit)
    raise typer.Exit(0 if all(hit.agrees and hit.intact for hit in found) else 1)


RUNS_SHOWN = 6


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


@app.command(rich_help_panel=PANEL)
def review(paper: Paper, json: Json = False) -> None:
    """Review a paper by stated rules: form, scores, and what each remark is about."""
    from scientist.reviews import HeuristicReviewer, render_review

    folder, root = paper_folder(paper)
    if not (folder / "audit.json").exists():
        raise RecordError(f"{folder.name} has no audit.json", "finish it with `scientist resume`")
    template = template_at(_template_of(folder, root), open_lab() if root else None)
    form = HeuristicReviewer().review(folder, template)
    if json:
        emit(form.model_dump(mode="json"))
    else:
        out.print(escape(render_review(form)))
