"""`templates show`: what was found in a directory, as the template.toml that would be used for it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scientist.cli._console import emit, err, escape
from scientist.cli._lookup import here_or_none, template_at
from scientist.cli._options import Json, Quiet, TemplateArgument

if TYPE_CHECKING:
    from scientist.template import ReportedCheck, Template

Run = Annotated[
    bool, typer.Option("--run", metavar="", help="Run the script once, in the sandbox, to learn what it reports.")
]


def show(template: TemplateArgument, run: Run = False, json: Json = False, quiet: Quiet = False) -> None:
    """Print a template's declaration; for an AI-Scientist directory, what reading its source found.

    Save it as the directory's template.toml to correct it. What was found is also told on standard error.
    """
    from scientist.template import declaration, describe_found, missing_packages, reported_checks

    found, notes = _run_once(template) if run else _as_it_is(template)
    checks = reported_checks(found)
    text = declaration(found, notes)
    if json:
        emit(
            {
                "template": found.model_dump(mode="json"),
                "toml": text,
                "found": describe_found(found),
                "notes": list(notes),
                "missing": list(missing_packages(found)),
                "reported": [_row(check) for check in checks],
            }
        )
        return
    if not quiet:
        for line in (*describe_found(found), *notes, *map(_sentence, checks)):
            err.print(f"[dim]{escape(line)}[/]")
    sys.stdout.write(text)


def _as_it_is(name: Path) -> tuple[Template, tuple[str, ...]]:
    """The template as it would be used, and what reading its source could not use."""
    from scientist.template import derive

    found = template_at(name, here_or_none())
    if found.layout != "ai-scientist" or (found.root / "template.toml").is_file():
        return found, ()
    return found, derive(found.root).notes


def _run_once(name: Path) -> tuple[Template, tuple[str, ...]]:
    """The template that follows from one run of the script."""
    from scientist.cli._progress import mode, watching
    from scientist.errors import TemplateError
    from scientist.experiments._first_run import first_run
    from scientist.template import derive

    if not (name / "experiment.py").is_file():
        raise TemplateError(f"{name} holds no experiment.py", "--run is for directories in the AI-Scientist layout")
    lab = here_or_none()
    with (
        watching(mode(False, False), stage="one run of the script") as progress,
        tempfile.TemporaryDirectory(prefix="scientist-") as scratch,
    ):
        progress.stage("", "one run of the script")
        info = first_run(name.resolve(), lab.settings.sandbox if lab else "auto", Path(scratch))
    derived = derive(name.resolve(), info)
    return derived.template, derived.notes


def _row(check: ReportedCheck) -> dict[str, object]:
    return {
        "metric": check.name,
        "mean": check.reported_mean,
        "stderr": check.reported_stderr,
        "n": check.n,
        "recomputed_mean": check.mean,
        "recomputed_stderr": check.stderr,
        "formula": check.formula,
    }


def _sentence(check: ReportedCheck) -> str:
    """What a baseline reported, and what follows from its raw values."""
    line = f"reported: {check.name} {check.reported_mean:.4g}"
    if check.reported_stderr is not None:
        line += f" with standard error {check.reported_stderr:.3g}"
    if check.stderr is not None:
        line += f"; from its {check.n} values {check.stderr:.3g}"
        if check.formula and check.formula != "sd / sqrt(n)":
            line += f" (what it printed is {check.formula})" if check.formula != "none" else " (the two do not agree)"
    return line
