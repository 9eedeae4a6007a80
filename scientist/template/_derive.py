"""From a directory in the AI-Scientist layout to a template: what it says, what its source shows, what it reported once.

Nothing of the directory is executed here. What is derived is shown to a person before it is used (`describe_found`,
`scientist templates show`), and can be saved as a `template.toml` and corrected.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from scientist.errors import RecordError, TemplateError
from scientist.lab import explain, read_text
from scientist.template._final_info import Reported, ReportedCheck, load_final_info, read_reported, recompute
from scientist.template._metrics import choose_metrics
from scientist.template._packages import distributions, missing, warmable
from scientist.template._source import MAIN, read_source
from scientist.template._source_knobs import Proposal, propose
from scientist.template._source_seeds import Seeding, seeding
from scientist.template._stranger import command_of, outside_paths
from scientist.template._stranger_files import tree_of
from scientist.template._template import Budget, Template
from scientist.template._words import clean, identifier, parts, plain_phrase, sentences_without_digits, task_of

BASELINE = "run_0/final_info.json"
DECLARATION = "template.toml"

WALL_S = 7200.0
"""Wall time of one run where the baseline does not say how long it took."""

_LONGEST_PROMPT = 200_000
_TOOK = frozenset({"time", "seconds", "duration", "runtime"})
_PART_OF_IT = frozenset({"inference", "per", "avg", "step"})


@dataclass(frozen=True)
class Derived:
    """A template made from a directory, and everything that a person should see before it is used."""

    template: Template
    proposals: tuple[Proposal, ...]
    seeding: Seeding
    notes: tuple[str, ...]
    missing: tuple[str, ...]


def is_stranger(folder: Path) -> bool:
    """Whether a folder is in the AI-Scientist layout: an experiment.py beside a prompt.json or a run_0."""
    return (folder / MAIN).is_file() and ((folder / "prompt.json").is_file() or (folder / "run_0").is_dir())


def baseline(root: Path) -> Any:
    """The final_info of run_0. Raises :class:`TemplateError` that says how to come by one."""
    try:
        return load_final_info(root / BASELINE)
    except ValueError as error:
        raise TemplateError(
            f"{root}: without {BASELINE} nobody knows what it measures ({error})",
            f"`scientist templates show {root} --run` runs it once and prints a declaration; save that as its {DECLARATION}",
        ) from error


def derive(root: Path, info: Any = None) -> Derived:
    """Derive a template from a directory. `info` is what a run of it reported, else that is read from run_0.

    Raises :class:`TemplateError` in one line: no baseline, source that cannot be read, nothing to vary, nowhere to
    write, too much to copy.
    """
    root = root.resolve()
    info = baseline(root) if info is None else info
    source = read_source(root)
    command, notes = command_of(source, root / MAIN)
    try:
        reported = read_reported(info)
        metrics, objective, more = choose_metrics(reported)
    except ValueError as error:
        raise TemplateError(f"{root / BASELINE}: {error}", "let the script report at least one number") from error
    measure = next(m for m in metrics if m.name == objective.metric)
    first = next(one for one in recompute(info) if one.name == objective.metric)
    proposals = propose(
        source,
        None if measure.assumed else measure.direction,
        first.dataset,
        len({one.dataset for one in reported}) == 1,
    )
    if not proposals:
        raise TemplateError(
            f"{root / MAIN}: nothing found that could be varied",
            f"name its settings (options or constants such as LEARNING_RATE = 1e-3), or write a {DECLARATION}",
        )
    seeds = seeding(source)
    tree = tree_of(root)
    scripts = tuple(sorted((n for n in tree.files if n.endswith(".py")), key=lambda name: (name != MAIN, name)))
    fields: dict[str, object] = {
        **_prose(root),
        "layout": "ai-scientist",
        "editable": scripts,
        "command": command,
        "splits": ("keep",),
        "seed_sites": seeds.sites,
        "seed_decides": seeds.decides or not seeds.sites,
        "warm": warmable(source.imported),
        "objective": objective,
        "metrics": metrics,
        "budget": _budget(reported),
        "knobs": tuple(proposal.knob for proposal in proposals),
        "packages": distributions(source.imported),
        "topics": tuple(sorted({topic for proposal in proposals for topic in proposal.knob.topics}))[:4],
        "root": root,
    }
    try:
        template = Template.model_validate(fields)
    except ValidationError as error:
        raise TemplateError(explain(error, Template, str(root)), f"write a {DECLARATION} by hand") from error
    lacking = missing(source.required)
    all_notes = (*notes, *more, *(f"left out of every run: {line}" for line in tree.left_out), *outside_paths(source))
    return Derived(template, tuple(proposals), seeds, all_notes, lacking)


def _prose(root: Path) -> dict[str, str]:
    """Name, title, summary and background from the folder's name and prompt.json, whose text is hostile."""
    said = ""
    path = root / "prompt.json"
    if path.is_file() and path.stat().st_size <= _LONGEST_PROMPT:
        try:
            data = json.loads(read_text(path))
        except (ValueError, RecursionError, RecordError) as error:
            raise TemplateError(f"{path}: not JSON ({str(error)[:80]})", "mend or remove it") from error
        told = data.get("task_description") if isinstance(data, dict) else None
        said = clean(told, 4000) if isinstance(told, str) else ""
    name = identifier(root.name, "template")
    task = task_of(said)
    title = plain_phrase(root.name) or "a script"
    summary = task or (
        "A script that was written elsewhere is run as it came; its settings are varied, and it reports its own metrics."
    )
    described = sentences_without_digits(said, 500)
    background = (
        "Research code comes with settings that somebody chose once, and papers seldom say how much of a result hangs on "
        "them. Asking that of code as it was published needs no new method: the script stays as it is, one setting at a "
        "time is varied, and every comparison is repeated often enough to tell an effect from luck."
    )
    if described:
        background += f" The authors describe the task of this script in these words: “{described}”"
    return {
        "name": name,
        "title": title[:1].upper() + title[1:],
        "summary": summary,
        "background": background,
    }


def _budget(reported: list[Reported]) -> Budget:
    """Ten times what the baseline says it took, ten minutes at least; :data:`WALL_S` where it does not say."""
    took = 0.0
    for one in reported:
        words = set(parts(one.key))
        whole = _TOOK & words and not _PART_OF_IT & words
        if whole and math.isfinite(one.mean) and one.mean > 0:
            took += one.mean * max(1, len(one.values))
    wall = min(86400.0, max(600.0, float(math.ceil(10 * took)))) if took else WALL_S
    return Budget(
        wall_s=wall,
        cpu_s=wall,
        memory_mb=16384,
        output_mb=256,
        disk_mb=2048,
        log_mb=32,
        processes=256,
        open_files=1024,
        runs=60,
    )


def reported_checks(template: Template) -> tuple[ReportedCheck, ...]:
    """What the script's own baseline, run_0, reported, beside what its raw values give.

    Empty for templates whose metrics are not self-reported, and where there is no readable baseline. Pointers are into
    `run_0/final_info.json`. Only the metrics that the template declares.
    """
    if template.judging != "self-reported":
        return ()
    try:
        checks = recompute(load_final_info(template.root / BASELINE))
    except ValueError:
        return ()
    declared = {metric.name for metric in template.metrics}
    return tuple(check for check in checks if check.name in declared)


def missing_packages(template: Template) -> tuple[str, ...]:
    """What has to be installed before a stranger's script can start, as names for pip; nothing is imported to find out."""
    return missing(read_source(template.root).required) if template.layout == "ai-scientist" else ()


def describe_found(template: Template) -> list[str]:
    """What a person should see before a stranger's template is used: one short line each; empty for our own layout."""
    if template.layout != "ai-scientist":
        return []
    saved = (template.root / DECLARATION).is_file()
    source = read_source(template.root)
    metric = template.metric(template.objective.metric)
    better = "larger" if metric.direction == "maximize" else "smaller"
    lines = [
        f"{'declared in ' + DECLARATION if saved else 'found by reading the source'}; metrics are self-reported: "
        "nothing recomputes what the script says of itself",
        f"objective: {metric.title} ({metric.name}), {better} is better"
        f"{' (assumed: its name does not say)' if metric.assumed else ''}, smallest effect {template.objective.smallest_effect:g}"
        f"{f' ({template.objective.basis})' if template.objective.basis else ''}",
        f"seed: {seed_words(template)}",
        *(f"knob: {line}" for line in knob_lines(template)),
    ]
    if not template.seeded:
        lines += [f"not seeded: {note}" for note in seeding(source).notes[:3]]
    lines += [f"note: {line}" for line in (*tree_of(template.root).left_out, *outside_paths(source))[:5]]
    if lacking := missing(source.required):
        lines.append(f"missing: pip install {' '.join(lacking)}")
    return lines


def seed_words(template: Template) -> str:
    """Where the seed goes, in words."""
    if not template.seed_sites:
        return "no place found, runs are repetitions"
    options = [site for site in template.seed_sites if site.kind == "option"]
    places = [f"option {site.name}" for site in options]
    places += [f"{site.name} at {site.file}:{site.line}" for site in template.seed_sites if site.kind == "literal"]
    told = ", ".join(places[:4]) + (f" and {len(places) - 4} more" if len(places) > 4 else "")
    return told if template.seed_decides else f"{told}; it does not decide a run, so runs are repetitions"


def knob_lines(template: Template) -> list[str]:
    """One line per knob: its default, where it was found, and its range."""
    lines = []
    for knob in template.knobs:
        where = f"{knob.site.file}:{knob.site.line}" if knob.site else "?"
        if knob.site and knob.site.kind == "option":
            where = f"option {knob.site.name}"
        over = ", ".join(knob.choices) if knob.choices else "true or false" if knob.type == "bool" else ""
        if knob.low is not None and knob.high is not None:
            over = f"{knob.low:g} to {knob.high:g}"
        value = str(knob.default).lower() if knob.type == "bool" else knob.label(knob.default)
        lines.append(f"{knob.name} = {value} ({where}), {over}")
    return lines
