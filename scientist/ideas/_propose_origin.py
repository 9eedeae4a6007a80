"""What a lesson is about: the change that its paper made, reconstructed from the idea, the findings or the lesson. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scientist.ideas._idea import (
    Comparison,
    Design,
    DoseResponse,
    Expect,
    Idea,
    Interaction,
    Knobs,
    Modification,
    Robustness,
    Transfer,
    Tuning,
)
from scientist.ideas._lessons import Lesson
from scientist.ideas._propose_knobs import data_knob, settle, treatments
from scientist.ideas._propose_sketch import lean
from scientist.lab import KnobValue
from scientist.template import Template

if TYPE_CHECKING:
    from scientist.search import Archive, Effect


@dataclass(frozen=True)
class Origin:
    """What a lesson is about: the paper's design, the change it made, where, and with how many seeds."""

    paper: str
    design: Design | None
    settings: Knobs
    treatment: Knobs
    expect: Expect
    seeds: int

    @property
    def knob(self) -> str:
        """The knob that the paper turned (the first, if several)."""
        return next(iter(self.treatment))


def origin(lesson: Lesson, ideas: Mapping[str, Idea], archive: Archive, template: Template) -> Origin | None:
    """Reconstruct what a lesson is about from its paper's idea, its findings, or its knobs, whichever there is.

    `settings` are such that a variant without the treatment is what the paper compared with. None when the lesson
    names nothing that the template knows.
    """
    names = {knob.name for knob in template.knobs}
    data = data_knob(template)
    idea = ideas.get(lesson.paper)
    design = idea.design if idea else None
    if isinstance(design, Modification):
        return None  # rules cannot write code; a model reads the lesson itself
    settings: Knobs = dict(idea.settings) if idea else {}
    if idea is None:
        settings = _recorded(lesson, archive, template)
    effects = archive.effects(paper=lesson.paper)
    treatment, start = _found(effects, template) or _designed(design, template) or _named(lesson, template)
    if not treatment or not {*treatment, *settings} <= names or not _valid(template, {**settings, **treatment}):
        return None
    if isinstance(design, Interaction) and design.second not in treatment:
        settings[design.second] = design.second_values[1]
    settings.update({name: value for name, value in start.items() if value != template.knob(name).default})
    settled = settle(template, [*treatment], settings)
    if settled is None or any(settled.get(name, template.knob(name).default) == treatment[name] for name in treatment):
        return None
    where = str(settled.get(data.name, data.default)) if data else ""
    base = template.complete(dict(settled))
    return Origin(
        paper=lesson.paper,
        design=design,
        settings=settled,
        treatment=treatment,
        expect=lean(template, archive, treatment, base, where),
        seeds=max([whole(lesson, "seeds"), *(effect.n for effect in effects)]),
    )


def whole(lesson: Lesson, key: str) -> int:
    """A count that a lesson carries, 0 when it has none: people may edit lessons."""
    value = lesson.values.get(key)
    usable = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e6
    return int(value) if usable and value is not None else 0


def _recorded(lesson: Lesson, archive: Archive, template: Template) -> Knobs:
    """What was held fixed in a paper whose idea is gone: its first variant's settings, else the lesson's data set."""
    data = data_knob(template)
    defaults = template.defaults
    node = next((node for node in archive.nodes if node.paper == lesson.paper), None)
    if node is not None:
        return {name: value for name, value in node.knobs.items() if name in defaults and value != defaults[name]}
    dataset = lesson.values.get("dataset")
    return {data.name: str(dataset)} if data and dataset in data.choices else {}


def _found(effects: Sequence[Effect], template: Template) -> tuple[Knobs, Knobs] | None:
    """Treatment and start of the clearest finding: claimed ones first, then the primary, then the largest."""
    data = data_knob(template)
    usable: list[tuple[tuple[bool, bool, float], Knobs, Knobs]] = []
    for effect in effects:
        changes = [change for change in effect.changes if data is None or change.knob != data.name]
        if effect.kind != "difference" or not changes:
            continue
        treatment = {change.knob: change.to for change in changes}
        start = {change.knob: change.start for change in changes}
        if _valid(template, treatment) and _valid(template, start):
            usable.append(((effect.claimed, effect.primary, abs(effect.mean or 0.0)), treatment, start))
    if not usable:
        return None
    best = max(usable, key=lambda entry: entry[0])
    return best[1], best[2]


def _valid(template: Template, knobs: Knobs) -> bool:
    try:
        template.complete(dict(knobs))
    except ValueError:
        return False
    return True


def _designed(design: Design | None, template: Template) -> tuple[Knobs, Knobs] | None:
    match design:
        case DoseResponse():
            return {design.knob: design.levels[-1]}, {design.knob: design.levels[0]}
        case Comparison():
            other = next(choice for choice in design.choices if choice != design.reference)
            return {design.knob: other}, {design.knob: design.reference}
        case Interaction():
            return {design.first: design.first_values[1]}, {design.first: design.first_values[0]}
        case Robustness() | Transfer():
            return dict(design.treatment), {}
        case Tuning():
            return _turned(design.knobs, {}, template), {}
        case _:
            return None


def _named(lesson: Lesson, template: Template) -> tuple[Knobs, Knobs]:
    return _turned(lesson.knobs, lesson.values, template), {}


def _turned(names: Sequence[str], carried: Mapping[str, KnobValue], template: Template) -> Knobs:
    """The first of the knobs that can be turned, at the value carried over or else at the most telling one."""
    for name in names:
        knob = next((knob for knob in template.knobs if knob.name == name and knob.role != "dataset"), None)
        if knob is None:
            continue
        value = carried.get(name)
        if value is not None and value != knob.default and _valid(template, {name: value}):
            return {name: value}
        for telling in treatments(template, knob)[:1]:
            return {name: telling}
    return {}
