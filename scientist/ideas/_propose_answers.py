"""One generator per topic of lessons: the designs that answer it, each with the line that says what is different. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from scientist.ideas._idea import (
    Comparison,
    Design,
    DoseResponse,
    Interaction,
    Knobs,
    Robustness,
    Transfer,
    Tuning,
)
from scientist.ideas._lessons import Lesson
from scientist.ideas._propose_knobs import (
    better,
    cost,
    data_knob,
    family_knob,
    nominal,
    reverse,
    series,
    settle,
    stress,
    thin,
    widened,
    with_role,
)
from scientist.ideas._propose_origin import Origin
from scientist.ideas._propose_sketch import Sketch, room, trials, tunable
from scientist.ideas._propose_text import Words, listing
from scientist.lab import KnobValue
from scientist.template import Knob, Template

if TYPE_CHECKING:
    from scientist.search import Archive

Answer = Iterator[tuple[Sketch, str]]


def _words(template: Template, settings: Knobs) -> Words:
    return Words(template, settings, template.objective.smallest_effect)


def sharper(lesson: Lesson, found: Origin, archive: Archive, template: Template) -> Answer:
    """Fewer variants and the largest contrast that the question allows; else an average over data sets."""
    design, words = found.design, _words(template, found.settings)
    sharp: Design | None = None
    settings, change, expect = found.settings, "", found.expect
    match design:
        case Robustness() if len(design.levels) > 2:
            stressor = template.knob(design.stressor)
            sharp = design.model_copy(update={"levels": (design.levels[0], design.levels[-1])})
            kept = [words.value(stressor, level) for level in (design.levels[-1], design.levels[0])]
            change = f"keeps of {words.title(stressor)} only {kept[0]} beside {kept[1]}"
        case Transfer() if len(design.values) > 2:
            sharp = design.model_copy(update={"values": design.values[:2]})
            change = f"asks about one further data set instead of {len(design.values) - 1}"
        case Tuning():
            fewer = max(2, design.trials // 2)
            sharp, expect = design.model_copy(update={"samplers": ("tpe",), "trials": fewer}), better(template)
            change = f"drops random search and spends {fewer} trials instead of {design.trials}"
        case Interaction():
            wider = widened(template.knob(design.first), design.first_values)
            if wider:
                values = (design.first_values[0], wider[-1])
                sharp, expect = design.model_copy(update={"first_values": values}), "different"
                change = f"repeats the factorial with a larger step, {words.step(design.first, *values)}"
            else:
                sharp, expect, change = design, "different", "repeats the factorial as it was"
        case Robustness():  # only the harsh end is left to look at
            settings = {**settings, design.stressor: design.levels[-1]}
        case Transfer():
            settings = {**settings, design.knob: design.values[-1]}
    if sharp is not None:
        yield Sketch(sharp, settings, expect, label="sharper"), change
    else:
        start, to = _step(found, template, wider=True)
        before = cost(design) if design else 0
        step = words.step(found.knob, start, to)
        change = (
            f"looks at one contrast only, {step}, two variants instead of {before}" if before > 2 else f"repeats {step}"
        )
        yield Sketch(_two(found, start, to, template), settings, expect, label="sharper"), change
    if isinstance(design, DoseResponse | Comparison | Interaction):
        for sketch, _ in elsewhere(lesson, found, archive, template):
            if isinstance(sketch.design, Transfer) and len(sketch.design.values) > 2:
                data = template.knob(sketch.design.knob)
                labels = listing([words.value(data, value) for value in sketch.design.values[1:]])
                change = f"averages the effect of {words.treatment(found.treatment)} over {labels}, which steadies the primary contrast"
                yield sketch, change


def _step(found: Origin, template: Template, wider: bool) -> tuple[KnobValue, KnobValue]:
    """The step of the paper's (first) knob, taken further where asked for and where there is room."""
    knob = template.knob(found.knob)
    start: KnobValue = found.settings.get(knob.name, knob.default)
    to = found.treatment[knob.name]
    if wider and knob.type != "choice" and not nominal(knob):
        further = widened(knob, (start, to))
        to = further[-1] if further else to
    return start, to


def _two(found: Origin, start: KnobValue, to: KnobValue, template: Template) -> Design:
    """The study of one step of the paper's knob alone."""
    knob = template.knob(found.knob)
    if knob.type == "choice" or nominal(knob):
        return Comparison(knob=knob.name, choices=(start, to), reference=start)
    return DoseResponse(knob=knob.name, levels=(start, to))


def elsewhere(lesson: Lesson, found: Origin, archive: Archive, template: Template) -> Answer:
    """What worked, on the data sets where it was not tried."""
    data = data_knob(template)
    if data is None:
        return
    words = _words(template, found.settings)
    home = str(words.base[data.name])
    design = found.design
    used = [str(value) for value in design.values] if isinstance(design, Transfer) else [home]
    others = [choice for choice in data.offered if choice not in used][: max(1, min(3, room(template) // 2 - 1))]
    if not others:
        return
    labels = listing([words.value(data, other) for other in others])
    if isinstance(design, Tuning):
        for other in others:
            settings = settle(template, design.knobs, {**without(found.settings, data.name), data.name: other})
            if settings is not None:
                change = f"tunes the same knobs on {words.value(data, other)} instead of {words.value(data, home)}"
                yield Sketch(design, settings, better(template)), change
        return
    settings = without(found.settings, data.name)
    treatment = Transfer(treatment=found.treatment, knob=data.name, values=(home, *others))
    change = f"tests {words.treatment(found.treatment)} on {labels} as well as on {words.value(data, home)}"
    yield Sketch(treatment, settings, found.expect), change


def stressed(lesson: Lesson, found: Origin, archive: Archive, template: Template) -> Answer:
    """What worked, under every stressor that the paper did not use, related ones first."""
    words = _words(template, found.settings)
    own = set(template.knob(found.knob).topics)
    used = found.design.stressor if isinstance(found.design, Robustness) else ""
    used = found.design.second if isinstance(found.design, Interaction) else used
    stressors = [
        knob
        for knob in with_role(template, "corruption", "sample")
        if knob.name not in found.treatment and knob.name != used
    ]
    for stressor in sorted(stressors, key=lambda knob: not own & set(knob.topics)):
        levels = stress(template, stressor, min(3, room(template) // 2))
        settings = settle(template, [*found.treatment, stressor.name], without(found.settings, stressor.name))
        if len(levels) < 2 or settings is None:
            continue
        if isinstance(found.design, Tuning):
            harsh: Knobs = {**settings, stressor.name: levels[-1]}
            change = f"tunes the same knobs {words.at(stressor.name, levels[-1])}"
            yield Sketch(found.design, harsh, better(template)), change
            continue
        design = Robustness(treatment=found.treatment, stressor=stressor.name, levels=levels)
        change = f"repeats {words.treatment(found.treatment)} {words.at(stressor.name, levels[-1])}"
        yield Sketch(design, settings, found.expect), change


def tuned(lesson: Lesson, found: Origin, archive: Archive, template: Template) -> Answer:
    """The paper's family at equal budget: default, random search, TPE."""
    count = trials(template)
    family = family_knob(template)
    options = [found.settings]
    if family and family.name in found.treatment:
        # Families were compared: the one that did better is tuned first, then the one it was compared with.
        options = [{**found.settings, family.name: found.treatment[family.name]}, found.settings]
        if found.expect == reverse(better(template)):
            options.reverse()
    for option in options:
        settings = settle(template, [], option)
        knobs = tunable(template, settings) if settings is not None else ()
        knobs = tuple(sorted(knobs, key=lambda name: name not in found.treatment))
        if not count or not knobs or settings is None:
            continue
        settings = settle(template, knobs, without(settings, *knobs))
        if settings is None:
            continue
        words = _words(template, settings)
        change = (
            f"gives random search and TPE {count} trials each against the default{words.place(*knobs)}, "
            f"so that no setting wins by being tuned more"
        )
        yield Sketch(Tuning(knobs=knobs, trials=count), settings, better(template)), change


def replicated(lesson: Lesson, found: Origin, archive: Archive, template: Template) -> Answer:
    """The same step made larger where the range allows it, and with more data where there are more."""
    if isinstance(found.design, Tuning):
        longer = min(2 * found.design.trials, room(template) - 1)
        if longer > found.design.trials:
            tuned_longer = found.design.model_copy(update={"samplers": ("tpe",), "trials": longer})
            change = f"repeats the tuning by TPE alone with {longer} trials instead of {found.design.trials}"
            yield Sketch(tuned_longer, found.settings, better(template), label="replicated"), change
        return
    words = _words(template, found.settings)
    start, to = _step(found, template, wider=True)
    larger = "a larger step" if to != found.treatment[found.knob] else "its clearest contrast"
    said = [f"repeats the question with {larger}, {words.step(found.knob, start, to)}"]
    settings = found.settings
    for sample in with_role(template, "sample"):
        most = stress(template, sample, 2)[0]
        if sample.name != found.knob and words.base[sample.name] != most:
            settings = {**settings, sample.name: most}
            said.append(f"{words.at(sample.name, most)} instead of {words.value(sample, words.base[sample.name])}")
    design, expect = found.design, found.expect
    again: Design
    if isinstance(design, Robustness):
        ends = (design.levels[0], design.levels[-1])
        again = Robustness(treatment={**found.treatment, found.knob: to}, stressor=design.stressor, levels=ends)
    elif isinstance(design, Transfer):
        again = design.model_copy(update={"treatment": {**found.treatment, found.knob: to}})
    elif isinstance(design, Interaction) and design.first == found.knob:
        again, expect = design.model_copy(update={"first_values": (start, to)}), "different"
    else:
        again = _two(found, start, to, template)
    yield Sketch(again, settings, expect, label="replicated"), ", ".join(said)


def flipped(lesson: Lesson, found: Origin, archive: Archive, template: Template) -> Answer:
    """Where does the effect change its sign? The knob with a second one; then the opposite, declared in advance."""
    if isinstance(found.design, Tuning):
        return
    name = found.knob
    knob = template.knob(name)
    words = _words(template, found.settings)
    start, to = _step(found, template, wider=False)
    used = found.design.second if isinstance(found.design, Interaction) else ""
    seconds = [
        other
        for other in with_role(template, "sample", "corruption", "regularisation", "capacity")
        if other.name not in (name, used) and other.type != "choice" and not nominal(other)
    ]
    seconds.sort(key=lambda other: not set(other.topics) & set(knob.topics))
    for second in seconds:
        values = stress(template, second, 2)
        settings = settle(template, [name, second.name], without(found.settings, name, second.name))
        if settings is None or len(values) < 2:
            continue
        ends = (values[0], values[-1])
        design = Interaction(first=name, first_values=(start, to), second=second.name, second_values=ends)
        step = words.step(name, start, to)
        change = f"looks for where the effect of {step} turns, by varying {words.title(second)} too"
        yield Sketch(design, settings, "different"), change
    data = data_knob(template)
    if data is None or found.expect == "different":
        return
    for other in [choice for choice in data.offered if choice != words.base[data.name]]:
        again = _two(found, start, to, template)
        if isinstance(again, DoseResponse):
            again = DoseResponse(knob=name, levels=thin(_between(knob, start, to), 3))
        verb = "rise" if found.expect == "greater" else "fall"
        where = words.value(data, other)
        change = f"declares a {verb} in advance this time, as was found, and asks for it on {where}"
        yield Sketch(again, {**found.settings, data.name: other}, found.expect, label="reversed"), change


def _between(knob: Knob, start: KnobValue, to: KnobValue) -> tuple[KnobValue, ...]:
    low, high = sorted((float(start), float(to)))
    middle = [value for value in series(knob, 8) if low < float(value) < high]
    middle.sort(key=float, reverse=float(to) < float(start))
    return (start, *middle, to)


def broader(lesson: Lesson, found: Origin, archive: Archive, template: Template) -> Answer:
    """A wider range of a numeric knob, the values of a choice that were left out, or the same with another family."""
    if isinstance(found.design, Tuning):
        yield from _tuned_elsewhere(found, template)
        return
    name, design, settings = found.knob, found.design, found.settings
    knob = template.knob(name)
    words = _words(template, settings)
    start, to = _step(found, template, wider=False)
    if knob.type == "choice":
        used = set(design.choices) if isinstance(design, Comparison) else {start, to}
        left = [choice for choice in knob.choices if choice not in used][:3]
        if left:
            change = f"adds {listing([words.value(knob, choice) for choice in left])}, which had been left out"
            wider = Comparison(knob=name, choices=(start, *left), reference=start)
            yield Sketch(wider, settings, "different", label="wider"), change
    elif not nominal(knob):
        same = isinstance(design, DoseResponse) and design.knob == name
        levels = design.levels if isinstance(design, DoseResponse) and same else (start, to)
        further = widened(knob, levels)
        if further:
            end = words.value(knob, further[-1], unit=True)
            change = f"takes {words.title(knob)} on to {end}, beyond {words.value(knob, levels[-1])}"
            broad = DoseResponse(knob=name, levels=thin(further, 4))
            yield Sketch(broad, settings, found.expect, label="wider"), change
    family = family_knob(template)
    if family is None or family.name == name or design is None or isinstance(design, Comparison):
        return
    now = words.base[family.name]
    for choice in [choice for choice in family.choices if choice != now]:
        change = f"asks it of {words.value(family, choice)} instead of {words.value(family, now)}"
        yield Sketch(design, {**settings, family.name: choice}, found.expect), change


def _tuned_elsewhere(found: Origin, template: Template) -> Answer:
    family = family_knob(template)
    if family is None:
        return
    words = _words(template, found.settings)
    now = words.base[family.name]
    data = data_knob(template)
    kept: Knobs = {name: value for name, value in found.settings.items() if data and name == data.name}
    for choice in [choice for choice in family.choices if choice != now]:
        settings = settle(template, [], {**kept, family.name: choice})
        knobs = tunable(template, settings) if settings is not None else ()
        if settings is not None and knobs and trials(template):
            change = f"tunes {words.value(family, choice)} instead of {words.value(family, now)} on the same terms"
            yield Sketch(Tuning(knobs=knobs, trials=trials(template)), settings, better(template)), change


def spared(lesson: Lesson, found: Origin, archive: Archive, template: Template) -> Answer:
    """The same question without the values at which runs failed."""
    bad = {(name, value) for name, value in lesson.values.items() if name in {k.name for k in template.knobs}}
    bad |= {
        (name, value)
        for node in archive.nodes
        if node.paper == lesson.paper and node.status != "ok"
        for name, value in node.knobs.items()
        if name in found.treatment and value != template.knob(name).default
    }
    words = _words(template, found.settings)
    design = found.design
    if isinstance(design, DoseResponse | Comparison):
        values = design.levels if isinstance(design, DoseResponse) else design.choices
        kept = tuple(value for value in values if (design.knob, value) not in bad)
        reference = kept[0] if isinstance(design, DoseResponse) and kept else getattr(design, "reference", None)
        if len(kept) < 2 or kept == values or reference not in kept:
            return
        field = "levels" if isinstance(design, DoseResponse) else "choices"
        knob = template.knob(design.knob)
        gone = listing([words.value(knob, value) for value in values if value not in kept])
        expect = found.expect if isinstance(design, DoseResponse) else "different"
        yield (
            Sketch(design.model_copy(update={field: kept}), found.settings, expect, label="spared"),
            f"leaves out {words.title(knob)} {gone}, where runs failed",
        )
    elif isinstance(design, Robustness | Transfer):
        name = design.stressor if isinstance(design, Robustness) else design.knob
        field = "levels" if isinstance(design, Robustness) else "values"
        series_: tuple[KnobValue, ...] = getattr(design, field)
        kept = tuple(value for value in series_ if (name, value) not in bad)
        if len(kept) < 2 or kept == series_:
            return
        gone = listing([words.value(template.knob(name), value) for value in series_ if value not in kept])
        settings = without(found.settings, name)
        yield (
            Sketch(design.model_copy(update={field: kept}), settings, found.expect, label="spared"),
            f"leaves out {words.title(template.knob(name))} {gone}, where runs failed",
        )


def without(settings: Knobs, *names: str) -> Knobs:
    return {name: value for name, value in settings.items() if name not in names}
