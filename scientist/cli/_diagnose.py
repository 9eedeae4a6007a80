"""`diagnose`: what failed in a paper, and a patch that was seen to mend it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scientist.cli._console import emit, err, escape, field, out
from scientist.cli._lookup import paper_folder, short, template_at
from scientist.cli._options import Json, Paper, Quiet
from scientist.cli._progress import mode, watching
from scientist.cli._run import BudgetOption, Model, Replay, asking
from scientist.errors import ScientistError, UsageError

if TYPE_CHECKING:
    from scientist._diagnose import Case, Diagnosis, Mend
    from scientist.experiments import FailedStep
    from scientist.lab import Lab
    from scientist.template import Template

NAMES_SHOWN = 4
"""Runs that are named for a person; --json names all."""


def diagnose(
    paper: Paper,
    model: Model = None,
    budget: BudgetOption = None,
    replay: Replay = None,
    run: Annotated[
        str, typer.Option(metavar="VARIANT/SEED-N", help="The failed run to mend; else the commonest.")
    ] = "",
    propose: Annotated[
        bool, typer.Option("--propose", metavar="", help="Put an idea that carries the mended change into the backlog.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say what failed in a paper; a model finds the cause, and a patch that was seen to mend it.

    Exit code 1 when something failed and no patch that mends it is offered.
    """
    from scientist._cast import Cast
    from scientist._diagnose import examine
    from scientist._mending import choose, mend
    from scientist.lab import Lab

    folder, lab = paper_folder(paper, unmade=True)
    if lab is not None:
        lab = Lab(lab.root, {"workers": 1, **asking(model, budget, replay)})
        if model:
            _prefer_model(lab)
    template, gap = _template(folder, lab)
    with watching(mode(json, quiet), stage="reading the records") as progress:
        case = examine(folder, lab, template)
        chosen = choose(case, run)
        why = gap or _why_nobody_is_asked(case, lab, chosen is not None)
        if lab is None or chosen is None or why:
            if propose and case.steps:
                raise UsageError("--propose has no change to carry", why or "nothing in the code failed")
            diagnosis = case.record()
        else:
            diagnosis = mend(case, chosen, Cast(lab, progress), progress, propose)
    if json:
        emit(
            {
                **diagnosis.model_dump(mode="json", exclude={"schema_version"}),
                "notes": [*case.notes, *([why] if why and case.steps else [])],
                "use": _how_to_use(case, diagnosis.mend) if _offered(diagnosis.mend) else "",
                "patch": short(folder / "diagnosis" / "patch.diff") if _offered(diagnosis.mend) else "",
            }
        )
    else:
        _show(case, diagnosis, why)
    raise typer.Exit(1 if diagnosis.failed and not _offered(diagnosis.mend) else 0)


def _prefer_model(lab: Lab) -> None:
    """A model that is named on the command line is asked, also where a coding program plays the Experimenter."""
    own = lab.settings.roles.get("experimenter")
    if own is not None and own.command:
        others = {role: chosen for role, chosen in lab.settings.roles.items() if role != "experimenter"}
        lab.settings = lab.settings.model_copy(update={"roles": others})


def _offered(mend: Mend | None) -> bool:
    return mend is not None and mend.outcome == "mended"


def _template(folder: Path, lab: Lab | None) -> tuple[Template | None, str]:
    """(template, "") or (None, why it is not at hand); by the study, else by the idea."""
    from scientist.experiments import Study
    from scientist.ideas import read_idea
    from scientist.lab import read_json

    try:
        declared = folder / "study.json"
        name = read_json(Study, declared).template if declared.is_file() else read_idea(folder / "idea.md").template
        return template_at(name, lab), ""
    except ScientistError as error:
        return None, str(error)


def _why_nobody_is_asked(case: Case, lab: Lab | None, mendable: bool) -> str:
    """Why no model is asked for a cause; empty when one is."""
    from scientist._cast import Cast
    from scientist.progress import Silent

    if not case.steps or not mendable:
        return "" if not case.steps else "no model is asked: the code is not at fault, or there is none to mend"
    if lab is None:
        return "no model is asked: the paper lies outside of a lab"
    if Cast(lab, Silent()).model("experimenter") is None:
        return "no model is asked: name one with --model or in scientist.toml (a coding program is not asked for this)"
    return ""


def _show(case: Case, diagnosis: Diagnosis, why: str) -> None:
    for note in case.notes:
        err.print(f"[yellow]note[/] {escape(note)}")
    if not diagnosis.failed:
        after = "" if diagnosis.state == "done" else f"; it is {diagnosis.state}: `scientist resume` goes on"
        out.print(f"{escape(case.slug)}: nothing failed{escape(after)}")
        return
    out.print(f"[bold]{escape(case.slug)}[/]: {escape(diagnosis.state)}")
    shown: set[tuple[str, ...]] = set()
    for step in diagnosis.failed:
        _show_step(step, step.log not in shown)
        shown.add(step.log)
    if diagnosis.mend is not None:
        _show_mend(case, diagnosis.mend)
    elif why:
        out.print(f"[dim]{escape(why)}[/]")


def _show_step(step: FailedStep, with_log: bool) -> None:
    what = {"runs": "of {} runs", "pilot": "of {} pilot runs", "code": "of {} tries"}.get(step.stage, "")
    count = f"{len(step.runs)} {what.format(step.of)} " if step.runs else f"stage '{step.stage}' "
    out.print(f"[red]{count}[/]{escape(step.what)}: {escape(step.reason)}")
    if step.place:
        field("at", f"{step.place}: {step.source}")
    if step.runs:
        more = f" and {len(step.runs) - NAMES_SHOWN} more" if len(step.runs) > NAMES_SHOWN else ""
        field("in", ", ".join(step.runs[:NAMES_SHOWN]) + more)
        field("of", ", ".join(f"{name} ({failed} of {total})" for name, (failed, total) in step.variants.items()))
    for number, line in enumerate(step.log if with_log else ()):
        field("log" if number == 0 else "", line, "dim")
    if step.advice:
        field("do", step.advice)


def _show_mend(case: Case, mend: Mend) -> None:
    out.print(f"\n[bold]{escape(mend.run)}[/], diagnosed by {escape(mend.by)}")
    if mend.cause:
        field("cause", mend.cause)
    for quote in mend.evidence:
        field("evidence", quote, "dim")
    for number, one in enumerate(mend.tries, start=1):
        field(f"try {number}", "passes" if one.status == "ok" else f"{one.status}: {one.reason}")
    if mend.about:
        field("so", mend.about)
    if mend.outcome != "mended":
        out.print("[yellow]no patch is offered[/]")
        return
    reference = mend.reference
    beside = f"; {reference.of}: {_number(reference.value)}" if reference else ""
    field("score", f"{mend.metric} {_number(mend.patched)} on {mend.split} with the patch{beside}")
    field("patch", short(case.folder / "diagnosis" / "patch.diff"), "green")
    field("use", _how_to_use(case, mend))
    field("but", "that it runs and is scored is all that was seen: read it before you use it")


def _how_to_use(case: Case, mend: Mend | None) -> str:
    """What a person does with a patch that passes. A changed variant is never slipped into a study that was declared."""
    from scientist._mending import TOO_LONG, WHOLE

    assert mend is not None and case.template is not None
    folder = case.folder / "diagnosis"
    if not mend.changed:
        command = f"patch -p1 -d {short(case.template.root)} < {short(folder / 'patch.diff')}"
        return (
            f"the study stays as it is, changed code is a new one: `{command}`, then add the idea anew under another slug "
            "and run"
        )
    if mend.idea == TOO_LONG:
        return f"the change is too long for an idea file: write one by hand, from {short(folder / WHOLE)}"
    if mend.idea:
        return f"the idea '{mend.idea}' carries the whole change; `scientist ideas approve {mend.idea}` puts it first"
    return (
        f"the study stays as it is, a changed variant is a new one: `scientist diagnose {case.slug} --propose` puts an idea "
        "that carries the whole change into the backlog"
    )


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
