"""A patch for a failed run, by a model: offered only when the failed run, done again with it, ends well and is scored.

Nothing of the paper is touched: what is found goes to `papers/<slug>/diagnosis/`, which no gate reads.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from scientist._cast import Cast
from scientist._diagnose import Case, Diagnosis, Mend, Score
from scientist._stages import Workshop
from scientist.errors import AlarmError, StudyError, UsageError
from scientist.experiments import (
    VARIANT,
    Broken,
    Change,
    FailedRun,
    FailedStep,
    MendTry,
    RunResult,
    Study,
    Variant,
    compile_design,
    described,
    diff_of,
    find_mend,
    printable,
    redo,
    run_key,
)
from scientist.ideas import Idea, Modification, add_idea, load_backlog, read_idea
from scientist.ideas._propose_compose import free_slug
from scientist.lab import Lab, read_json, remove_tree, sha256, write_atomic
from scientist.lab._files import disk_error
from scientist.llm import BudgetReached, Model, NoAnswer
from scientist.papers._manifest import ASIDE
from scientist.progress import Progress
from scientist.template import Template

WHOLE = "whole.diff"
"""Of a variant with code of its own: its mended form against the template's files."""

TOO_LONG = "too long"
"""Instead of an idea's slug: the change does not fit an idea file. No slug holds a blank."""

MORE = 2
"""Further failed runs of the same group that are done again with a patch that passes."""

LONGEST_CHANGE = 2000
"""Characters that the field `change` of an idea takes."""


def choose(case: Case, wanted: str = "") -> FailedRun | None:
    """The failed run that is mended: the `wanted` one, else the first of the largest group whose code is at fault.

    Raises :class:`UsageError` when no run of that name failed.
    """
    mendable = [group for group, step in zip(case.groups, case.steps, strict=False) if step.fault == "code"]
    if wanted:
        named = [run for group in case.groups for run in group if wanted in (run.name, run.name.partition("/")[2])]
        if not named:
            raise UsageError(
                f"no run '{wanted}' failed in '{case.slug}'", "leave out --run, or name one that is listed"
            )
        return named[0] if any(named[0] in group for group in mendable) else None
    # Of a change that nobody could make, the last try is the one that was meant best.
    firsts = [group[-1] if group[0].stage == "code" else group[0] for group in mendable]
    return next((run for run in firsts if run.status != "refused"), None)


def mend(case: Case, run: FailedRun, cast: Cast, progress: Progress, propose: bool = False) -> Diagnosis:
    """Ask the Experimenter's model for the cause of one failed run and a patch; write what came of it.

    Raises typed errors: no model, the template is not the one that failed, a cap, an outage, an alarm. The lab is locked.
    """
    lab, template = case.lab, case.template
    model = cast.model("experimenter")
    assert lab is not None and template is not None and model is not None
    code = case.code_of(run)
    _ensure_same(case, run, code)
    if propose and not code:
        raise UsageError(
            "--propose carries a changed variant on, and here the template's own code fails",
            "leave it out: the patch is for the template's files",
        )
    staging = case.folder / f".{ASIDE}.tmp"
    with lab.lock(), Workshop(lab, template, progress, cast, pdf=False).open() as shop:
        progress.stage(case.slug, "the failed run, once more")
        remove_tree(staging)
        try:
            again = redo(shop.bench, run, code)
            if again.status != run.status:
                found = Mend(
                    run=run.name,
                    by=model.label,
                    outcome="differs",
                    about=f"done again as it was, it ended otherwise ({again.status}{f': {again.reason}' if again.reason else ''}), "
                    "so a patch could show nothing",
                )
            else:
                progress.stage(case.slug, "asking for a cause and a patch")
                found = _asked(case, run, code, model, shop, staging)
                if propose and found.outcome == "mended":
                    slug = _propose(case, found, (staging / WHOLE).read_text(encoding="utf-8"), lab)
                    found = found.model_copy(update={"idea": slug or TOO_LONG})
            made = case.record(found)
            write_atomic(staging / "diagnosis.json", made.canonical())
            _swap(staging, case.folder / ASIDE)
        except AlarmError as error:
            lab.journal.append("diagnosis.alarm", slug=case.slug, run=run.name, reason=error.message)
            raise
        except BudgetReached as error:
            command = f"scientist diagnose {case.slug}"
            raise BudgetReached(error.message, error.remedy.replace("scientist resume", command)) from error
        finally:
            remove_tree(staging)
    return made


def _swap(staging: Path, target: Path) -> None:
    """Put a diagnosis in the place of an earlier one."""
    try:
        remove_tree(target)
        os.replace(staging, target)  # noqa: PTH105 - the atomic rename is the point
    except OSError as error:
        raise disk_error(error, target) from error


def _ensure_same(case: Case, run: FailedRun, code: Mapping[str, bytes]) -> None:
    """Raises :class:`StudyError` when template or code are not those with which the run failed."""
    template = case.template
    assert template is not None
    if run.stage == "code":
        return  # its diff still applies
    declared = next((variant for variant in _variants(case, template) if variant.name == run.variant), None)
    same = declared is not None and declared.code == {name: sha256(content) for name, content in code.items()}
    if declared is None or not same or run_key(template, template.fingerprint(), declared, run.seed) != run.key:
        what = f"'{template.name}'" if same else "the variant's code"
        raise StudyError(
            f"{run.name} cannot be done again: {what} is not as it was when it failed",
            "restore it, or delete runs/ and study.json to declare and run a new study",
        )


def _variants(case: Case, template: Template) -> Sequence[Variant]:
    """Those of the frozen study, else those that the idea leads to."""
    if (case.folder / "study.json").is_file():
        return read_json(Study, case.folder / "study.json").variants
    change = case.folder / "variants" / VARIANT / "change.json"
    hashes = read_json(Change, change).files if change.is_file() else {}
    return compile_design(read_idea(case.folder / "idea.md"), template, hashes)[0]


def _asked(case: Case, run: FailedRun, code: dict[str, bytes], model: Model, shop: Workshop, staging: Path) -> Mend:
    template, step = shop.template, case.step_of(run)
    told = described(run, step.what, template, _circumstances(case, run, step))
    last: list[str] = []

    def keep(number: int, diff: str, log: str) -> None:
        write_atomic(staging / "tries" / str(number) / "patch.diff", diff)
        write_atomic(staging / "tries" / str(number) / "log.txt", log)
        last[:] = [diff, log]

    metric = template.objective.metric
    base = Mend(run=run.name, by=model.label, outcome="not mended", metric=metric, split=template.looked_at)
    tries: list[MendTry] = []
    unanswered, files = "", dict[str, bytes]()
    with tempfile.TemporaryDirectory(prefix="scientist-mend-") as scratch:
        broken = Broken(run, code, told)
        try:
            files = find_mend(model, shop.bench, broken, Path(scratch), case.slug, shop.progress.note, keep, tries)
        except NoAnswer as error:
            unanswered = printable(error.message)
    found = base.model_copy(update={"tries": tuple(tries)})
    if unanswered:
        return found.model_copy(update={"outcome": "no answer", "about": unanswered})
    final = tries[-1]
    found = found.model_copy(update={"cause": final.cause, "evidence": final.evidence})
    if not files:
        return found.model_copy(update={"about": f"{_patches(tries)}; the last: {final.status}, {final.reason}"})
    write_atomic(staging / "patch.diff", last[0])
    write_atomic(staging / "log.txt", last[1])
    if code:
        write_atomic(staging / WHOLE, diff_of(template, files))
    return found.model_copy(
        update={
            "outcome": "mended",
            "about": f"with the patch the same run ends well and is scored{_others(case, run, files, shop)}; {_patches(tries)}",
            "patched": final.scores.get(metric),
            "reference": _reference(case, run, code, shop),
            "changed": bool(code),
        }
    )


def _others(case: Case, run: FailedRun, files: Mapping[str, bytes], shop: Workshop) -> str:
    """How many other runs of the same group pass with the patch. It is said, and decides nothing: they may fail otherwise."""
    group = next(group for group in case.groups if run in group)
    others = [other for other in group if other is not run and other.stage != "code"][:MORE]
    passing = sum(redo(shop.bench, other, files).status == "ok" for other in others)
    return f", as do {passing} of {len(others)} others of its group that were tried" if others else ""


def _patches(tries: Sequence[MendTry]) -> str:
    tried = sum(bool(one.diff) for one in tries)
    return f"{tried} patch{'es' if tried != 1 else ''} tried"


def _circumstances(case: Case, run: FailedRun, step: FailedStep) -> str:
    """How many runs ended so, and how the other variants did."""
    lines = [f"{len(step.runs)} of {step.of} runs ended so."]
    if step.place:
        lines.append(f"The traceback names {step.place}: {step.source}")
    counts = case.ended[run.stage].counts
    for name, (good, total) in sorted(counts.items()):
        this = " (the failed run is one of them)" if name == run.variant else ""
        lines.append(f"variant {name}: {good} of {total} runs ended well{this}")
    return "\n".join(lines)


def _reference(case: Case, run: FailedRun, code: Mapping[str, bytes], shop: Workshop) -> Score:
    """What the patched run's score stands beside: the template's own code there, else the reference's run of that seed."""
    template, metric = shop.template, shop.template.objective.metric
    if code:
        plain = redo(shop.bench, run, {})
        return Score(of="the code as it is, same knobs and seed", value=plain.scores.get(metric))
    reference = next(variant for variant in _variants(case, template) if variant.role == "reference")
    paths = sorted((case.folder / run.stage / reference.name).glob("seed-*/result.json"))
    good = [result for path in paths if (result := read_json(RunResult, path)).status == "ok"]
    if not good:
        return Score(of=f"the reference '{reference.title}', none of whose runs ended well", value=None)
    scores = {result.seed: result.metrics[template.looked_at][metric] for result in good}
    if run.seed in scores:
        return Score(of=f"the reference '{reference.title}', same seed", value=scores[run.seed])
    return Score(
        of=f"the reference '{reference.title}', mean of {len(scores)} runs", value=sum(scores.values()) / len(scores)
    )


def _propose(case: Case, found: Mend, whole: str, lab: Lab) -> str:
    """Put an idea that carries the mended change into the backlog; returns its slug, or nothing when it does not fit."""
    old = read_idea(case.folder / "idea.md")
    assert isinstance(old.design, Modification)
    backlog = load_backlog(lab.ideas)
    carried = f"Make exactly the change of this patch:\n{whole}"
    if len(carried) > LONGEST_CHANGE:
        return ""
    text = f"{old.design.change}\n{carried}"
    design = Modification(name=old.design.name, change=text if len(text) <= LONGEST_CHANGE else carried)
    if there := next((idea for idea in backlog if idea.design == design), None):
        return there.slug
    idea = Idea(
        slug=free_slug(f"{old.slug[:70]}-mended", [path.stem for path in lab.ideas.glob("*.md")]),
        title=old.title,
        template=old.template,
        origin="model",
        question=old.question,
        hypothesis=old.hypothesis,
        expect=old.expect,
        smallest_effect=old.smallest_effect,
        why=old.why,
        design=design,
        settings=old.settings,
        seeds=old.seeds,
        note=f"mended after papers/{case.slug} failed",
        notes=f"{old.notes}\n\nThe first form failed: {found.cause}".strip(),
    )
    add_idea(lab.ideas, idea)
    lab.journal.append("idea.added", slug=idea.slug, source=f"papers/{case.slug}/{ASIDE}")
    return idea.slug
