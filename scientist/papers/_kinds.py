"""What sort of study a paper is about: judged by whom, seeded or repeated, with or without something held out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scientist.experiments import ContrastEstimate, Estimate, Study, identifier
from scientist.lab import write_atomic
from scientist.template import Split, Template

SELF_REPORTED = " (self-reported)"
SAID_BY = "The metric is self-reported by the experiment's own code; no evaluator checked it."
"""What every caption and the abstract of such a study say."""

BASELINE = "baseline/final_info.json"
"""What a stranger's template came with, copied into the paper."""


def held_out(study: Study) -> bool:
    """There is a split that stays unopened until writing."""
    return study.confirm_on != "none"


def self_reported(study: Study) -> bool:
    """The metrics come from the code under test."""
    return study.judging == "self-reported"


def splits_of(study: Study) -> tuple[Split, ...]:
    """The splits that this study's runs are scored on."""
    return ("search", "keep", "final") if held_out(study) else ("keep",)


def seed_word(study: Study) -> str:
    """What one of several runs of the same variant is called, in the singular."""
    return "seed" if study.seeded else "repetition"


def seeds_word(study: Study) -> str:
    """The same in the plural."""
    return f"{seed_word(study)}s"


def marked(template: Template, study: Study) -> Template:
    """The template with every metric's title marked where the metric is self-reported."""
    if not self_reported(study):
        return template
    metrics = tuple(
        metric
        if metric.title.endswith(SELF_REPORTED)
        else metric.model_copy(update={"title": metric.title + SELF_REPORTED})
        for metric in template.metrics
    )
    return template.model_copy(update={"metrics": metrics})


def constant(found: Estimate | ContrastEstimate | None) -> bool:
    """Several runs gave the same number every time: there is no spread to make an interval from."""
    if found is None or found.mean is None or found.sd is None:
        return False
    return found.n > 1 and found.sd <= 1e-12 * max(1.0, abs(found.mean))


def datasets_of(template: Template, study: Study) -> dict[str, str]:
    """variant -> the entry of `study.data` that it ran on; variants for which that cannot be told are left out."""
    if len(study.data) == 1:
        only = next(iter(study.data))
        return {variant.name: only for variant in study.variants}
    knobs = [knob.name for knob in template.knobs if knob.role == "dataset"]
    found = {}
    for variant in study.variants:
        values = {identifier(variant.knobs[name]) for name in knobs if name in variant.knobs}
        hits = sorted(values & set(study.data))
        if len(hits) == 1:
            found[variant.name] = hits[0]
    return found


def keep_baseline(paper: Path, template: Template) -> bool:
    """Keep a copy of the results that a stranger's template came with, so that facts about them have a file here.

    Writes `baseline/final_info.json` and returns True; returns False, and writes nothing, where there are none.
    """
    first = template.root / "run_0" / "final_info.json"
    if template.layout != "ai-scientist" or first.is_symlink() or not first.is_file():
        return False
    write_atomic(paper / BASELINE, first.read_bytes())
    return True


def names_of(study: Study, variants: Sequence[str]) -> list[str]:
    """These variants in declared order."""
    return [variant.name for variant in study.variants if variant.name in variants]
