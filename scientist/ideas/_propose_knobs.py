"""What a template's knobs allow: prerequisites, dose series, treatments and the direction one may expect. All pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scientist.ideas._idea import (
    Comparison,
    Design,
    DoseResponse,
    Expect,
    Interaction,
    Knobs,
    Modification,
    Robustness,
    Transfer,
    Tuning,
)
from scientist.lab import KnobValue
from scientist.template import Knob, Template


def settle(template: Template, knobs: Sequence[str], fixed: Knobs) -> Knobs | None:
    """`fixed` plus whatever has to be set so that every knob in `knobs` acts; None when `fixed` forbids it.

    A knob with `only_with = {model: (mlp,)}` needs `model = mlp`, and whatever that needs in turn. Settings that equal
    the default are left out, so that the same plan is always written the same way.
    """
    wanted = dict(fixed)
    waiting = list(knobs)
    done: set[str] = set()
    while waiting:
        name = waiting.pop(0)
        if name in done:
            continue
        done.add(name)
        for other, values in template.knob(name).only_with.items():
            if wanted.get(other, template.knob(other).default) in values:
                pass
            elif other in wanted:
                return None
            else:
                wanted[other] = values[0]
            waiting.append(other)
    return {name: wanted[name] for name in sorted(wanted) if wanted[name] != template.knob(name).default}


def implied(design: Design, settings: Knobs, template: Template) -> list[Knobs]:
    """Every full knob assignment that the design's variants need, in order. ValueError for a bad name or value."""
    match design:
        case DoseResponse():
            partial: list[Knobs] = [{design.knob: level} for level in design.levels]
        case Comparison():
            partial = [{design.knob: choice} for choice in design.choices]
        case Interaction():
            partial = [{design.first: x, design.second: y} for x in design.first_values for y in design.second_values]
        case Robustness():
            partial = [{**arm, design.stressor: level} for level in design.levels for arm in ({}, design.treatment)]
        case Transfer():
            partial = [{**arm, design.knob: value} for value in design.values for arm in ({}, design.treatment)]
        case Tuning():
            partial = [{}]
            for name in design.knobs:
                template.knob(name)
        case Modification():
            partial = [{}]
    return [template.complete({**settings, **knobs}) for knobs in partial]


def sound(design: Design, settings: Knobs, template: Template) -> bool:
    """Whether the design can be run: valid values, no two variants that are the same work, every varied knob acting."""
    try:
        assignments = implied(design, settings, template)
    except ValueError:
        return False
    acting = [template.effective(knobs) for knobs in assignments]
    if len({repr(sorted(knobs.items())) for knobs in acting}) < len(acting):
        return False
    match design:
        case DoseResponse() | Comparison():
            varied = [design.knob]
        case Interaction():
            varied = [design.first, design.second]
        case Robustness():
            varied = [*design.treatment, design.stressor]
        case Transfer():
            varied = [*design.treatment, design.knob]
        case Tuning():
            varied = [*design.knobs]
        case Modification():
            varied = []
    return len(set(varied)) == len(varied) and all(name in knobs for knobs in acting for name in varied)


def cost(design: Design) -> int:
    """Runs per seed."""
    match design:
        case DoseResponse():
            return len(design.levels)
        case Comparison():
            return len(design.choices)
        case Interaction():
            return 4
        case Robustness():
            return 2 * len(design.levels)
        case Transfer():
            return 2 * len(design.values)
        case Tuning():
            return 1 + design.trials * len(design.samplers)
        case Modification():
            return 2


def series(knob: Knob, count: int = 4) -> tuple[KnobValue, ...]:
    """Up to `count` values of a knob, lowest dose first: its own levels thinned out, or its range divided evenly."""
    if knob.levels:
        return thin(knob.levels, count)
    if knob.type == "bool":
        return (False, True)
    if knob.type == "choice":
        return thin(knob.choices, count)
    assert knob.low is not None and knob.high is not None  # Knob refuses a number without a range
    log = knob.log and knob.low > 0
    values: list[KnobValue] = []
    for step in range(count):
        share = step / (count - 1)
        raw = (
            math.exp(math.log(knob.low) * (1 - share) + math.log(knob.high) * share)
            if log
            else knob.low + share * (knob.high - knob.low)
        )
        value = neat(knob, raw)
        if value not in values:
            values.append(value)
    return tuple(values)


def neat(knob: Knob, raw: float) -> KnobValue:
    """A number rounded to two digits (or to a whole number) and kept inside the knob's range."""
    assert knob.low is not None and knob.high is not None
    rounded = float(f"{raw:.2g}")
    inside = min(max(rounded, knob.low), knob.high)
    if knob.type == "int":
        return min(max(round(inside), math.ceil(knob.low)), math.floor(knob.high))
    return float(inside)


def thin(values: Sequence[KnobValue], count: int) -> tuple[KnobValue, ...]:
    """At most `count` of the values, evenly spread, the first and the last always among them."""
    if len(values) <= count:
        return tuple(values)
    picks = sorted({round(step * (len(values) - 1) / (count - 1)) for step in range(count)})
    return tuple(values[pick] for pick in picks)


def widened(knob: Knob, levels: Sequence[KnobValue]) -> tuple[KnobValue, ...] | None:
    """The levels with the dose taken further: to the end of the range if that is near, else halfway there.

    Halfway is meant in logs where the knob is logarithmic. None when there is no room, when the knob has no order, or
    when it is a sample size with levels of its own: how many examples there are is up to the data set.
    """
    if knob.type not in ("int", "float") or nominal(knob) or (knob.role == "sample" and knob.levels):
        return None
    assert knob.low is not None and knob.high is not None  # Knob refuses a number without a range
    first, last = float(levels[0]), float(levels[-1])
    end = knob.high if last >= first else knob.low
    if abs(end - last) <= 0.5 * abs(last - first):
        further = neat(knob, end)
    else:
        log = knob.log and min(last, end) > 0
        further = neat(knob, math.sqrt(last * end) if log else (last + end) / 2)
    return None if further in levels or abs(float(further) - last) < 0.1 * abs(last - first) else (*levels, further)


def nominal(knob: Knob) -> bool:
    """Whether a number is only an index, as shuffles or folds are.

    It is when every value in its series has a name of its own, or when it merely counts up one by one from its lowest
    value, without a unit and without an expected effect.
    """
    if knob.type != "int" or len(knob.levels) < 2:
        return False
    if all(str(level) in knob.labels for level in knob.levels):
        return True
    counts = knob.levels == tuple(range(int(knob.low or 0), int(knob.low or 0) + len(knob.levels)))
    return counts and not knob.unit and knob.effect == "unknown" and knob.role == "procedure"


def ordered(knob: Knob, start: KnobValue, to: KnobValue) -> int:
    """+1 when `to` is more of the knob than `start`, -1 when it is less, 0 when the knob has no order."""
    if nominal(knob):
        return 0
    if knob.type == "choice":
        known = list(knob.levels)
        if start in known and to in known:
            return (known.index(to) > known.index(start)) - (known.index(to) < known.index(start))
        return 0
    return (float(to) > float(start)) - (float(to) < float(start))


def expected(knob: Knob, start: KnobValue, to: KnobValue) -> Expect:
    """The sign of metric(to) - metric(start), raw units, as far as the template says what more of the knob does."""
    if nominal(knob):
        return "equivalent"  # names of equal standing: that they differ would be the surprise
    if knob.effect == "unknown":
        return "different"
    sign = ordered(knob, start, to) * (1 if knob.effect == "raises" else -1)
    return "greater" if sign > 0 else "less" if sign < 0 else "different"


def better(template: Template) -> Expect:
    """The sign of an improvement in raw units of the objective."""
    return "greater" if template.metric(template.objective.metric).direction == "maximize" else "less"


def reverse(expect: Expect) -> Expect:
    """The opposite direction, where there is one."""
    return "less" if expect == "greater" else "greater" if expect == "less" else expect


def together(template: Template, treatment: Knobs, base: Knobs) -> Expect:
    """The direction expected of several changes at once: theirs if they agree, else 'different'."""
    found = {expected(template.knob(name), base[name], value) for name, value in sorted(treatment.items())}
    return found.pop() if len(found) == 1 else "different"


def treatments(template: Template, knob: Knob) -> tuple[KnobValue, ...]:
    """Values worth testing against the default: those expected to help first, then by distance in the series."""
    values = series(knob, 5)
    if knob.type in ("int", "float"):
        # The ends say most; values between them would be a dose-response.
        values = tuple(sorted(dict.fromkeys((values[0], values[-1])), key=lambda value: -_distance(knob, value)))
    wish = better(template)
    others = [value for value in values if value != knob.default]
    return tuple(sorted(others, key=lambda value: expected(knob, knob.default, value) != wish))


def _distance(knob: Knob, value: KnobValue) -> float:
    default, other = float(knob.default), float(value)
    if knob.log and default > 0 and other > 0:
        return abs(math.log(other / default))
    return abs(other - default)


def stress(template: Template, knob: Knob, count: int = 3) -> tuple[KnobValue, ...]:
    """The levels of a stressor from benign to harsh: the end that is better for the objective comes first."""
    levels = series(knob, count)
    if len(levels) < 2:
        return levels
    direction = expected(knob, levels[0], levels[-1])
    if direction == better(template):
        return tuple(reversed(levels))
    if direction == "different" and levels[-1] == knob.default:
        return tuple(reversed(levels))
    return levels


def with_role(template: Template, *roles: str) -> tuple[Knob, ...]:
    """The template's knobs of these roles, in its order."""
    return tuple(knob for knob in template.knobs if knob.role in roles)


def data_knob(template: Template) -> Knob | None:
    """The knob that chooses the data set, if the template has one with a choice."""
    return next((knob for knob in with_role(template, "dataset") if len(knob.choices) > 1), None)


def family_knob(template: Template) -> Knob | None:
    """The knob that chooses the model family, if the template has one with a choice."""
    return next((knob for knob in with_role(template, "family") if len(knob.choices) > 1), None)
