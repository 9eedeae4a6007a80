"""How alike two designs are: pure functions for the proposer (no near-duplicates) and the novelty check."""

from __future__ import annotations

import re
from collections.abc import Mapping

from scientist.ideas._idea import (
    Comparison,
    DoseResponse,
    Idea,
    Interaction,
    Modification,
    Robustness,
    Transfer,
    Tuning,
)
from scientist.lab import KnobValue

# What two ideas about the same knobs share by that alone, and what each further agreement adds. The knobs
# weigh most: the same knob at other doses, or in another kind of design, answers nearly the same question.
SAME_KNOBS, SAME_KIND, SAME_VALUES, SAME_SETTINGS = 0.40, 0.20, 0.25, 0.15

CODE = "(code)"
"""Stands among the knobs for the code itself; no knob can be called that."""

_WORD = re.compile(r"[a-z][a-z_]{3,}")

Value = float | str
Values = dict[str, tuple[Value, ...]]


def knobs_of(idea: Idea) -> tuple[str, ...]:
    """The knobs that the design varies (for a transfer, its data set too), in the order of the design."""
    design = idea.design
    match design:
        case DoseResponse() | Comparison():
            names = [design.knob]
        case Interaction():
            names = [design.first, design.second]
        case Robustness():
            names = [*design.treatment, design.stressor]
        case Transfer():
            names = [*design.treatment, design.knob]
        case Tuning():
            names = [*design.knobs]
        case Modification():
            names = [CODE]
    return tuple(dict.fromkeys(names))


def values_of(idea: Idea) -> dict[str, tuple[KnobValue, ...]]:
    """Which values of which knob the design compares; a tuning design names its samplers and its trials, a change of the
    code the words that say what is changed."""
    design = idea.design
    match design:
        case DoseResponse():
            return {design.knob: design.levels}
        case Comparison():
            return {design.knob: tuple(dict.fromkeys((design.reference, *design.choices)))}
        case Interaction():
            return {design.first: design.first_values, design.second: design.second_values}
        case Robustness():
            return {**_each(design.treatment), design.stressor: design.levels}
        case Transfer():
            return {**_each(design.treatment), design.knob: design.values}
        case Tuning():
            return {"(samplers)": tuple(design.samplers), "(trials)": (design.trials,)}
        case Modification():
            return {CODE: tuple(sorted(set(_WORD.findall(design.change.lower()))))}


def _each(knobs: Mapping[str, KnobValue]) -> dict[str, tuple[KnobValue, ...]]:
    return {name: (value,) for name, value in knobs.items()}


def signature(idea: Idea, defaults: Mapping[str, KnobValue] | None = None) -> tuple[object, ...]:
    """What makes two ideas the same study: template, kind, knobs, the values compared and what is held fixed.

    The order of values does not matter, nor which factor of an interaction comes first. With the template's
    `defaults`, a setting at its default is the same as none. Titles, hypotheses and seeds play no part.
    """
    settings = {k: v for k, v in idea.settings.items() if defaults is None or _plain(defaults.get(k)) != _plain(v)}
    return (
        idea.template,
        idea.design.kind,
        tuple(sorted(knobs_of(idea))),
        tuple(sorted((name, _ordered(values)) for name, values in values_of(idea).items())),
        tuple(sorted((name, _ordered((value,))) for name, value in settings.items())),
    )


def design_similarity(a: Idea, b: Idea) -> float:
    """How alike two designs are, in [0, 1]; symmetric, and 1 for the same design.

    Nothing in common, or another template: 0. Otherwise the share of knobs in common (Jaccard) times a weight that
    grows with the same kind of design, near values and near settings; numbers are near by their ratio. The same
    design under one other condition, such as another data set, is 0.85.
    """
    if a.template != b.template:
        return 0.0
    if signature(a) == signature(b):
        return 1.0
    knobs_a, knobs_b = set(knobs_of(a)), set(knobs_of(b))
    shared = len(knobs_a & knobs_b) / len(knobs_a | knobs_b)
    weight = SAME_KNOBS
    weight += SAME_KIND * (a.design.kind == b.design.kind)
    weight += SAME_VALUES * _agreement(_plain_values(values_of(a)), _plain_values(values_of(b)))
    weight += SAME_SETTINGS * _least(_settings(a), _settings(b))
    return min(1.0, max(0.0, shared * weight))


def _settings(idea: Idea) -> Values:
    return {name: (_plain(value),) for name, value in idea.settings.items()}


def _plain_values(values: Mapping[str, tuple[KnobValue, ...]]) -> Values:
    return {name: tuple(_plain(value) for value in series) for name, series in values.items()}


def _plain(value: KnobValue | None) -> Value:
    """Numbers as floats, so that 1 and 1.0 agree; true and false as words, so that true and 1 do not."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return float(value)


def _ordered(values: tuple[KnobValue, ...]) -> tuple[tuple[str, Value], ...]:
    return tuple(sorted({(type(plain).__name__, plain) for plain in map(_plain, values)}))


def _agreement(a: Values, b: Values) -> float:
    """Mean over the union of names of how well values of one are found in the other; 1 if both are empty."""
    names = sorted(set(a) | set(b))
    if not names:
        return 1.0
    return sum(_overlap(a.get(name, ()), b.get(name, ())) for name in names) / len(names)


def _least(a: Values, b: Values) -> float:
    """The worst agreement of any one setting: a study under one other condition is another study, however many are the
    same. 1 if both are empty."""
    return min((_overlap(a.get(name, ()), b.get(name, ())) for name in sorted(set(a) | set(b))), default=1.0)


def _overlap(a: tuple[Value, ...], b: tuple[Value, ...]) -> float:
    if not a or not b:
        return 0.0
    found_a = sum(max(_near(x, y) for y in b) for x in a)
    found_b = sum(max(_near(x, y) for y in a) for x in b)
    return (found_a + found_b) / (len(a) + len(b))


def _near(x: Value, y: Value) -> float:
    """1 for equal values; for two numbers of the same sign the ratio of the smaller to the larger; else 0."""
    if x == y:
        return 1.0
    if isinstance(x, str) or isinstance(y, str) or x * y <= 0:
        return 0.0
    low, high = sorted((abs(x), abs(y)))
    return low / high
