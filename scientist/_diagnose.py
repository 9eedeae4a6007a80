"""What failed in a paper, from its records alone; what a model makes of it is in `_mending.py`."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from scientist._stages import waiting_stage
from scientist.errors import LatexError, RecordError
from scientist.experiments import (
    VARIANT,
    Change,
    FailedRun,
    FailedStep,
    MendTry,
    StageRuns,
    apply_diff,
    code_folder,
    grouped,
    printable,
    read_ended,
    read_tries,
    told_step,
)
from scientist.ideas import read_idea
from scientist.lab import Lab, Record, read_json, read_text
from scientist.loop import Failure, Raised, alarm_of, raised_path
from scientist.papers import Manuscript, compile_pdf
from scientist.template import Template

_ORDER = ("runs", "pilot", "code")
"""Which failure is mended first: that of the study's own runs."""

Outcome = Literal["mended", "not mended", "differs", "no answer"]


class Score(Record):
    """One value of the objective on the split that may be looked at, and of what."""

    of: str
    value: float | None


class Mend(Record):
    """What a model made of one failed run. Only `mended` offers a patch.

    `changed`: the run's variant had code of its own, which is what the patch is for; else it is for the template's.
    `idea`: the slug of the idea that carries the mended change, where one was asked for.
    """

    run: str
    by: str
    outcome: Outcome
    about: str = ""
    cause: str = ""
    evidence: tuple[str, ...] = ()
    tries: tuple[MendTry, ...] = ()
    metric: str = ""
    split: str = ""
    patched: float | None = None
    reference: Score | None = None
    changed: bool = False
    idea: str = ""


class Diagnosis(Record):
    """`papers/<slug>/diagnosis/diagnosis.json`: what failed, and what a model made of it."""

    schema_version: Literal[1] = 1
    slug: str
    state: str
    failed: tuple[FailedStep, ...]
    mend: Mend | None = None


@dataclass
class Case:
    """A paper with everything that failed in it; `notes` say why something could not be looked at."""

    folder: Path
    lab: Lab | None
    template: Template | None
    state: str = "done"
    steps: list[FailedStep] = field(default_factory=list)
    groups: list[list[FailedRun]] = field(default_factory=list)
    ended: dict[str, StageRuns] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def slug(self) -> str:
        return self.folder.name

    def record(self, mend: Mend | None = None) -> Diagnosis:
        """What is told of it."""
        return Diagnosis(slug=self.slug, state=self.state, failed=tuple(self.steps), mend=mend)

    def step_of(self, run: FailedRun) -> FailedStep:
        """The failure that a run belongs to."""
        return next(step for step in self.steps if run.name in step.runs)

    def code_of(self, run: FailedRun) -> dict[str, bytes]:
        """What stood in the place of the template's files in a run; nothing when it ran the template's own code.

        Raises :class:`RecordError` when that cannot be found any more.
        """
        if run.stage == "code":
            try:
                assert self.template is not None
                return apply_diff(self.template, read_text(self.folder / run.name / "patch.diff"))
            except ValueError as error:
                raise RecordError(f"{run.name}: {error}", "the template was changed since that try") from error
        change = self.folder / "variants" / VARIANT / "change.json"
        if run.variant != VARIANT or not change.is_file():
            return {}
        names = read_json(Change, change).files
        try:
            return {name: (code_folder(self.folder, VARIANT) / name).read_bytes() for name in names}
        except OSError as error:
            raise RecordError(f"{error.filename} cannot be read: {error.strerror}", "restore it") from error


def examine(folder: Path, lab: Lab | None, template: Template | None) -> Case:
    """Everything that failed in a paper, from its records alone. Only a PDF that is missing is set once more, elsewhere."""
    case = Case(folder, lab, template)
    failure = read_json(Failure, folder / "failure.json") if (folder / "failure.json").is_file() else None
    for stage in ("runs", "pilot"):
        case.ended[stage] = read_ended(folder, "runs" if stage == "runs" else "pilot")
    if failure is not None and failure.stage == "code" and template is not None:
        knobs = template.complete(dict(read_idea(folder / "idea.md").settings))
        case.ended["code"] = read_tries(folder / "variants" / VARIANT / "tries", folder, knobs)
    for stage in _ORDER:
        ended = case.ended.get(stage)
        if ended is None:
            continue
        for group in grouped(ended.failed, template.editable if template else ()):
            try:
                code = case.code_of(group[0]) if group[0].status != "refused" else {}
            except RecordError as error:
                case.notes.append(str(error))
                code = {}
            step = told_step(group, ended, template, code)
            if step.status == "refused":
                step = step.model_copy(
                    update={"advice": "mend the idea: what is wanted may be no change of these files"}
                )
            case.steps.append(step)
            case.groups.append(group)
    if failure is not None:
        case.state = printable(f"failed at {failure.stage}: {failure.reason}")
        if not case.steps:
            advice = f"mend the idea or reject it; deleting papers/{folder.name}/failure.json tries again"
            case.steps.append(_raised_step(failure.stage, "StudyError", failure.reason, advice))
    elif lab is not None:
        _what_waits(case, lab)
    return case


def _what_waits(case: Case, lab: Lab) -> None:
    """The stage that comes next, and how it ended when it was last tried."""
    stage = waiting_stage(lab, case.slug)
    if stage is None:
        return
    case.state = f"waiting at {stage}"
    path, alarm = raised_path(lab, case.slug), alarm_of(lab)
    raised = read_json(Raised, path) if path.is_file() else None
    if stage == "pdf" and (case.folder / "paper.tex").is_file():
        if (step := _set_again(case)) is not None:
            case.steps.append(step)
    elif alarm is not None and alarm.get("slug") == case.slug:
        advice = f"look at {alarm.get('kept', 'the journal')}, mend evaluate.py; nothing of that run counts"
        case.steps.append(_raised_step(stage, "AlarmError", str(alarm["reason"]), advice))
    elif raised is not None and raised.stage in (stage, "code"):
        case.steps.append(_raised_step(raised.stage, raised.kind, raised.message, raised.remedy))


def _raised_step(stage: str, kind: str, message: str, remedy: str) -> FailedStep:
    return FailedStep(
        stage=stage, status=kind, what="could not be done", reason=printable(message), fault="machine", advice=remedy
    )


def _set_again(case: Case) -> FailedStep | None:
    """The PDF set once more in a scratch folder: the first error, with the line of the source. None when it can be set."""
    tex = read_text(case.folder / "paper.tex")
    bib = case.folder / "references.bib"
    try:
        figures = [figure.file for figure in read_json(Manuscript, case.folder / "manuscript.json").figures]
        with tempfile.TemporaryDirectory(prefix="scientist-tex-") as scratch:
            if (case.folder / "figures").is_dir():
                shutil.copytree(case.folder / "figures", Path(scratch) / "figures")
            compile_pdf(Path(scratch), tex, read_text(bib) if bib.is_file() else "", figures)
    except LatexError as error:
        line = re.search(r"\bline (\d+)", error.message)
        lines = tex.splitlines()
        number = int(line[1]) if line else 0
        around = range(max(0, number - 3), min(len(lines), number + 2)) if 1 <= number <= len(lines) else range(0)
        return FailedStep(
            stage="pdf",
            status="LatexError",
            what="could not be set",
            reason=error.message,
            fault="paper" if line else "machine",
            advice=f"{error.remedy}; what comes from manuscript.json is checked before it is set, so please report this"
            if line
            else error.remedy,
            place=f"paper.tex:{number}" if line else "",
            source=lines[number - 1].strip()[:300] if around else "",
            log=tuple(f"{at + 1}: {lines[at][:200]}" for at in around),
        )
    case.notes.append("LaTeX sets the paper now: `scientist resume` goes on")
    return None
