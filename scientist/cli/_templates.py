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
    """Load a template, ask its evaluator twice, run it as it is, and run every attack on its evaluator.

    Exit code 1 unless the honest run is scored, the evaluator repeats itself and every attack ends as it must. What
    cannot be tried counts as failed. A template whose code reports its own metrics has no evaluator to attack; it is
    run once.
    """
    from scientist.cli._progress import mode, watching
    from scientist.experiments import check_template, choose_sandbox

    lab = here_or_none()
    found = template_at(template, lab)
    sandbox = choose_sandbox(lab.settings.sandbox if lab else "auto", found.hide)
    with (
        watching(mode(json, quiet), stage="starting sandbox and evaluator") as progress,
        tempfile.TemporaryDirectory(prefix="scientist-") as scratch,
    ):
        report = check_template(found, sandbox, Path(scratch), lambda words: progress.stage("", words))
    if json:
        emit(report.model_dump(mode="json"))
        raise typer.Exit(0 if report.passed else 1)
    out.print(f"[bold]{found.name}[/]: {len(found.knobs)} knobs, sandbox {sandbox.name}")
    marks = {"ok": "[green]ok  [/]", "fail": "[red]fail[/]", "note": "[dim]note[/]"}
    honest = report.honest
    metric = found.objective.metric
    score = f"{metric} {honest.score:.3f} on keep" if honest.score is not None else escape(honest.reason or "not done")
    out.print(f"{marks['ok' if honest.status == 'ok' else 'fail']} honest run: {score} ({honest.wall_s:.2f} s)")
    for finding in report.findings:
        out.print(f"{marks[finding.status]} {finding.name}: {escape(finding.detail)}")
    for row in report.cheats:
        mark = marks["ok"] if row.contained else "[red]LEAK[/]"
        out.print(f"{mark} {row.name:<18} {row.status}: {escape(row.detail)}  [dim]expected {row.expect}[/]")
    if report.passed and report.judging == "self-reported":
        out.print("usable, self-reported")
    if not report.passed:
        out.print("[red]not fit to spend budget: see the lines marked fail or LEAK[/]")
    raise typer.Exit(0 if report.passed else 1)
