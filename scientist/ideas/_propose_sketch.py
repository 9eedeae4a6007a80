"""Sketches: designs before they are put into words, and all that a template's knobs offer by themselves. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scientist.ideas._idea import (
    Comparison,
    Design,
    DoseResponse,
    Expect,
    Interaction,
    Knobs,
    LessonUse,
    Modification,
    Robustness,
    Transfer,
    Tuning,
)
from scientist.ideas._propose_knobs import (
    better,
    data_knob,
    family_knob,
    nominal,
    ordered,
    series,
    settle,
    stress,
    together,
    treatments,
    with_role,
)
from scientist.lab import KnobValue
from scientist.template import Knob, Template

if TYPE_CHECKING:  # the archive reads experiments' records, and experiments reads ours: only its shape is needed here
    from scientist.search import Archive, Effect

SEEDS = 10
"""A design is kept so small that this many seeds fit the template's budget of runs."""


@dataclass(frozen=True)
class Sketch:
    """A design with its fixed knobs and the direction expected, and what made it worth proposing."""

    design: Design
    settings: Knobs
    expect: Expect
    score: float = 0.0
    uses: tuple[LessonUse, ...] = ()
    seeds: int | None = None
    parent: str = ""  # the paper it follows up: it may resemble that one
    label: str = ""  # what sets a follow-up apart, for its slug and title

    @property
    def varied(self) -> tuple[str, ...]:
        """The knobs that the design varies, the data set knob of a transfer left out."""
        design = self.design
        match design:
            case DoseResponse() | Comparison():
                return (design.knob,)
            case Interaction():
                return (design.first, design.second)
            case Robustness():
                return (*design.treatment, design.stressor)
            case Transfer():
                return tuple(design.treatment)
            case Tuning():
                return design.knobs
            case Modification():
                return ()

    def datasets(self, template: Template) -> tuple[str, ...]:
        """The data sets it uses; empty when the template has no choice of them."""
        knob = data_knob(template)
        if knob is None:
            return ()
        if isinstance(self.design, Transfer) and self.design.knob == knob.name:
            return tuple(str(value) for value in self.design.values)
        return (str(self.settings.get(knob.name, knob.default)),)


def contexts(template: Template, *varied: str, families: bool = True) -> Iterator[Knobs]:
    """Every family and data set in which the knobs `varied` act, as settings; what the design varies is left free.

    Without `families`, only the default family, or those that the knobs need.
    """
    family, data = family_knob(template), data_knob(template)
    seen: list[Knobs] = []
    for choice in _options(family, varied):
        for dataset in _options(data, varied):
            settled = settle(template, varied, {**choice, **dataset})
            if settled is None or settled in seen:
                continue
            seen.append(settled)
            yield settled
        if seen and not families and family and family.name not in seen[0]:
            return


def _options(knob: Knob | None, varied: tuple[str, ...]) -> list[Knobs]:
    """One setting per choice of the knob, the default first."""
    if knob is None or knob.name in varied:
        return [{}]
    return [{knob.name: choice} for choice in sorted(_choices(knob), key=lambda choice: choice != knob.default)]


def _choices(knob: Knob) -> tuple[str, ...]:
    """Of data sets only those that are offered: a template may have more, too heavy to be tried unasked."""
    return knob.offered if knob.role == "dataset" else knob.choices


def room(template: Template) -> int:
    """Most runs per seed of a design."""
    return max(2, template.budget.runs // SEEDS)


def trials(template: Template, samplers: int = 2) -> int:
    """Trials of a tuning design that fit the budget, 0 when fewer than three would."""
    fit = min(16, (room(template) - 1) // samplers)
    return fit if fit >= 3 else 0


def lean(template: Template, archive: Archive | None, treatment: Knobs, base: Knobs, dataset: str = "") -> Expect:
    """The direction to expect: what earlier papers of the lab found, else what the template says."""
    if archive is not None and len(treatment) == 1:
        name, to = next(iter(treatment.items()))
        found = direction_found(archive.effects(name), template.knob(name), base[name], to, dataset)
        if found is not None:
            return found
    return together(template, treatment, base)


def direction_found(
    effects: Sequence[Effect], knob: Knob, start: KnobValue, to: KnobValue, dataset: str
) -> Expect | None:
    """The sign that claimed effects of this knob give the step from `start` to `to`; None when they say nothing clear.

    Effects on `dataset` are heard first. A choice is the same step only with the same two values.
    """
    near = [effect for effect in effects if dataset and effect.datasets == (dataset,)]
    for group in (near, list(effects)):
        signs = set()
        for effect in group:
            change = effect.changes[0]
            if not effect.claimed or effect.kind != "difference" or len(effect.changes) != 1:
                continue
            if knob.type == "choice":
                turn = ((change.start, change.to) == (start, to)) - ((change.start, change.to) == (to, start))
            elif isinstance(change.to, str):
                continue
            else:
                turn = ordered(knob, change.start, change.to) * ordered(knob, start, to)
            if turn:
                signs.add(turn * (1 if (effect.mean or 0) > 0 else -1))
        if len(signs) == 1:
            return "greater" if signs.pop() > 0 else "less"
    return None


def coverage(template: Template, archive: Archive | None = None) -> list[Sketch]:
    """Every study that the knobs offer by themselves, in a fixed order, unscored."""
    return [
        *_doses(template, archive),
        *_comparisons(template, archive),
        *_interactions(template),
        *_robustness(template, archive),
        *_transfers(template, archive),
        *_tunings(template),
    ]


def _at(template: Template, settings: Mapping[str, KnobValue]) -> str:
    knob = data_knob(template)
    return str(settings.get(knob.name, knob.default)) if knob else ""


def _doses(template: Template, archive: Archive | None) -> Iterator[Sketch]:
    for knob in template.knobs:
        if knob.role in ("family", "dataset") or nominal(knob) or (knob.type == "choice" and not knob.levels):
            continue
        levels = series(knob, 4)
        if len(levels) < 2:
            continue
        for settings in contexts(template, knob.name):
            expect = lean(template, archive, {knob.name: levels[-1]}, {knob.name: levels[0]}, _at(template, settings))
            yield Sketch(DoseResponse(knob=knob.name, levels=levels), settings, expect)


def _comparisons(template: Template, archive: Archive | None) -> Iterator[Sketch]:
    for knob in template.knobs:
        named = knob.type == "choice" and not knob.levels
        if knob.role == "dataset" or not (named or nominal(knob)):
            continue
        others = [value for value in (knob.choices or knob.levels) if value != knob.default]
        groups = [tuple(others[start : start + 3]) for start in range(0, len(others), 3)]
        if len(groups) > 1 and len(groups[-1]) < 2:
            groups[-1] = tuple(others[-3:])
        for settings in contexts(template, knob.name):
            for group in groups:
                where = _at(template, settings)
                expect = lean(template, archive, {knob.name: group[0]}, {knob.name: knob.default}, where)
                design = Comparison(knob=knob.name, choices=(knob.default, *group), reference=knob.default)
                yield Sketch(design, settings, expect)


def _pairs(template: Template) -> Iterator[tuple[Knob, tuple[KnobValue, KnobValue]]]:
    """First factors of interactions: the ends of a numeric knob, or the default of a choice against another value."""
    for knob in with_role(template, "family", "procedure", "regularisation", "capacity"):
        if nominal(knob):
            continue
        if knob.type == "choice":
            for value in [choice for choice in knob.choices if choice != knob.default][:4]:
                yield knob, (knob.default, value)
        elif len(ends := series(knob, 2)) == 2:
            yield knob, (ends[0], ends[1])


def _interactions(template: Template) -> Iterator[Sketch]:
    seconds = [
        knob
        for knob in with_role(template, "corruption", "sample", "regularisation", "capacity")
        if knob.type != "choice" and not nominal(knob)
    ]
    done: set[tuple[str, str]] = set()
    for first, a in _pairs(template):
        for second in seconds:
            b = stress(template, second, 2)
            if first.name == second.name or (second.name, first.name) in done or len(b) < 2:
                continue
            done.add((first.name, second.name))
            design = Interaction(first=first.name, first_values=a, second=second.name, second_values=(b[0], b[-1]))
            for settings in contexts(template, first.name, second.name, families=False):
                yield Sketch(design, settings, "different")


def _method_treatments(template: Template) -> Iterator[tuple[Knob, KnobValue]]:
    for knob in template.knobs:
        if knob.role in ("dataset", "corruption", "sample") or nominal(knob):
            continue
        for value in treatments(template, knob)[: 4 if knob.role == "family" else 2]:
            yield knob, value


def _robustness(template: Template, archive: Archive | None) -> Iterator[Sketch]:
    for knob, value in _method_treatments(template):
        for stressor in with_role(template, "corruption", "sample"):
            levels = stress(template, stressor, min(3, room(template) // 2))
            if len(levels) < 2:
                continue
            for settings in contexts(template, knob.name, stressor.name, families=False):
                base = template.complete(dict(settings))
                expect = lean(template, archive, {knob.name: value}, base, _at(template, settings))
                yield Sketch(
                    Robustness(treatment={knob.name: value}, stressor=stressor.name, levels=levels),
                    settings,
                    expect,
                )


def _transfers(template: Template, archive: Archive | None) -> Iterator[Sketch]:
    data = data_knob(template)
    if data is None:
        return
    values = sorted(data.offered, key=lambda choice: choice != data.default)[: max(2, min(4, room(template) // 2))]
    for knob, value in _method_treatments(template):
        for settings in contexts(template, knob.name, data.name, families=False):
            base = template.complete(dict(settings))
            expect = lean(template, archive, {knob.name: value}, base)
            yield Sketch(Transfer(treatment={knob.name: value}, knob=data.name, values=tuple(values)), settings, expect)


def _tunings(template: Template) -> Iterator[Sketch]:
    if not trials(template):
        return
    for settings in contexts(template):
        knobs = tunable(template, settings)
        if knobs:
            yield Sketch(Tuning(knobs=knobs, trials=trials(template)), settings, better(template))


def tunable(template: Template, settings: Knobs) -> tuple[str, ...]:
    """Up to three method knobs that act in these settings: regularisation and capacity, special to the family, first."""
    base = template.complete(dict(settings))
    acting = template.effective(base)
    family = family_knob(template)
    own = [
        knob
        for knob in with_role(template, "regularisation", "capacity", "procedure")
        if knob.applies == "method" and knob.name in acting and not nominal(knob)
    ]
    own.sort(
        key=lambda knob: (
            knob.role == "procedure",
            family is None or family.name not in knob.only_with,
            knob.type == "choice",
        )
    )
    return tuple(knob.name for knob in own[:3])
