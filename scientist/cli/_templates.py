"""`templates list`, `templates check`."""

from __future__ import annotations

import tempfile
from pathlib import Path

import typer

from scientist.cli._console import emit, escape, out
from scientist.cli._lookup import here_or_none, short, template_at, template_folders
from scientist.cli._options import Json, Quiet, TemplateArgument


def list_(json: Json = False) -> None:
    """The templates of the lab, of its campaigns and of the current folder."""
    from scientist.errors import TemplateError
    from scientist.template import load_template

    rows, broken = [], []
    for path in template_folders(here_or_none()):
        try:
            found = load_template(path)
            rows.append({"name": found.name, "title": found.title, "knobs": len(found.knobs), "path": short(path)})
        except TemplateError as error:
            broken.append(str(error))
    if json:
        emit({"templates": rows, "broken": broken})
        return
    for row in rows:
        about = f"[dim]({row['knobs']} knobs, {escape(str(row['path']))})[/]"
        out.print(f"[bold]{escape(str(row['name'])):<12}[/] {escape(str(row['title']))} {about}")
    for line in broken:
        out.print(f"[red]broken[/]       {escape(line)}")
    if not rows and not broken:
        out.print("no templates here; docs/templates.md says how to write one")


def check(template: TemplateArgument, json: Json = False, quiet: Quiet = False) -> None:
    """Load a template, run it once as it is, and run every attack on its evaluator.

    Exit code 1 unless the honest run is scored and every attack scores nothing.
    """
    from scientist.cli._progress import mode, watching
    from scientist.experiments import Bench, choose_sandbox, run_cheats

    lab = here_or_none()
    found = template_at(template, lab)
    sandbox = choose_sandbox(lab.settings.sandbox if lab else "auto", found.hide)
    with (
        watching(mode(json, quiet), stage="starting sandbox and evaluator") as progress,
        tempfile.TemporaryDirectory(prefix="scientist-") as scratch,
        Bench.local(found, sandbox, Path(scratch), 1) as bench,
    ):
        progress.stage("", "the honest run")
        with bench.run(found.defaults, 1, ("search", "keep")) as outcome:
            honest = outcome.metrics.get("keep", {}).get(found.objective.metric)
            status, reason, seconds = outcome.status, outcome.reason, outcome.usage.wall_s
        progress.stage("", "attacks on the evaluator")
        rows = run_cheats(bench)
    passed = status == "ok" and all(row.contained for row in rows)
    if json:
        emit(
            {
                "template": found.name,
                "sandbox": sandbox.name,
                "honest": {"status": status, "reason": reason, "score": honest, "wall_s": seconds},
                "cheats": [row.model_dump() for row in rows],
                "passed": passed,
            }
        )
        raise typer.Exit(0 if passed else 1)
    out.print(f"[bold]{found.name}[/]: {len(found.knobs)} knobs, sandbox {sandbox.name}")
    score = f"{found.objective.metric} {honest:.3f} on keep" if honest is not None else escape(reason)
    out.print(f"{'[green]ok  [/]' if status == 'ok' else '[red]fail[/]'} honest run: {score} ({seconds:.2f} s)")
    for row in rows:
        mark = "[green]ok  [/]" if row.contained else "[red]LEAK[/]"
        out.print(f"{mark} {row.name:<18} {row.status}: {escape(row.detail)}  [dim]expected {row.expect}[/]")
    if not passed:
        out.print("[red]not fit to spend budget: an attack earns something, or the honest run fails[/]")
    raise typer.Exit(0 if passed else 1)
