"""`templates list`, `templates check`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from scientist.cli._app import app, lab_root, open_lab
from scientist.cli._console import emit, escape, out
from scientist.cli._run import template_at
from scientist.errors import TemplateError
from scientist.lab import SETTINGS_FILE
from scientist.template import find_templates, load_template

templates = typer.Typer(no_args_is_help=True, help="Tasks: list them, check them, attack their evaluators.")
app.add_typer(templates, name="templates", rich_help_panel="The lab")


@templates.command("list")
def list_(json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """The templates of this lab and of the current folder."""
    rows, broken = [], []
    for path in find_templates(Path("templates"), lab_root() / "templates"):
        try:
            template = load_template(path)
            rows.append(
                {"name": template.name, "title": template.title, "knobs": len(template.knobs), "path": str(path)}
            )
        except TemplateError as error:
            broken.append(str(error))
    if json:
        emit({"templates": rows, "broken": broken})
        return
    for row in rows:
        out.print(
            f"[bold]{escape(str(row['name'])):<12}[/] {escape(str(row['title']))} [dim]({row['knobs']} knobs, {escape(str(row['path']))})[/]"
        )
    for line in broken:
        out.print(f"[red]{escape(line)}[/]")
    if not rows and not broken:
        out.print("no templates here; docs/templates.md says how to write one")


@templates.command()
def check(
    template: Annotated[Path, typer.Argument(help="Folder of the template.")],
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Load a template, run it once as it is, and run every attack on its evaluator; exit 1 unless all score nothing."""
    from scientist.experiments import Bench, choose_sandbox, run_cheats

    has_lab = (lab_root() / SETTINGS_FILE).exists()
    found = template_at(template, open_lab() if has_lab else None)
    wanted = open_lab().settings.sandbox if has_lab else "auto"
    sandbox = choose_sandbox(wanted, found.hide)
    with tempfile.TemporaryDirectory(prefix="scientist-") as scratch, Bench(found, sandbox, Path(scratch), 1) as bench:
        with bench.run(found.defaults, 1, ("search", "keep")) as outcome:
            honest = outcome.metrics.get("keep", {}).get(found.objective.metric)
            status, reason, seconds = outcome.status, outcome.reason, outcome.usage.wall_s
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
