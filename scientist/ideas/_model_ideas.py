"""What a model proposes, as a record that every server's schemas can say, and how that becomes an idea of ours. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pydantic import Field, ValidationError

from scientist.ideas._idea import (
    Comparison,
    Design,
    DoseResponse,
    Expect,
    Idea,
    Interaction,
    Knobs,
    LessonUse,
    Modification,
    Robustness,
    Transfer,
    Tuning,
)
from scientist.ideas._lessons import Lesson
from scientist.ideas._propose_compose import LONGEST_SLUG, free_slug, shortened, slugged
from scientist.ideas._propose_knobs import cost, implied, sound
from scientist.ideas._similarity import design_similarity, signature
from scientist.lab import KnobValue, Record, explain, nearest
from scientist.template import Template

NEAR_DUPLICATE = 0.9
LONGEST_TEXT = 1200


class Setting(Record):
    """A knob and its value. Pairs, because strict schemas have no objects with free keys."""

    knob: str
    value: KnobValue


class Plan(Record):
    """A design of any kind; what a kind does not need is empty."""

    kind: str = Field(pattern="^(dose-response|comparison|interaction|robustness|transfer|tuning|modification)$")
    knob: str = ""
    levels: tuple[KnobValue, ...] = ()
    second_knob: str = ""
    second_levels: tuple[KnobValue, ...] = ()
    treatment: tuple[Setting, ...] = ()
    trials: int = 0
    name: str = ""
    change: str = ""


class Heeded(Record):
    """A lesson, and what it changed."""

    lesson: str
    change: str


class Proposed(Record):
    """One study as a model proposes it."""

    title: str = Field(description="a question or a claim, at most 150 characters, without markup")
    question: str = Field(description="what is asked: one sentence that ends in a question mark")
    hypothesis: str = Field(description="what is expected, against what, by how much, and why: falsifiable")
    expect: Expect
    smallest_effect: float
    why: str = Field(description="why anybody would want to know")
    plan: Plan
    settings: tuple[Setting, ...] = ()
    lessons: tuple[Heeded, ...] = ()


class Batch(Record):
    """What is asked for in one go."""

    ideas: tuple[Proposed, ...] = Field(min_length=1, max_length=24)


def to_idea(
    proposed: Proposed, template: Template, taken: Collection[str], others: Sequence[Idea], lessons: Sequence[Lesson]
) -> Idea:
    """The idea, checked as any other. Raises :class:`ValueError` with one line that a model can mend it by."""
    known = {lesson.id: lesson for lesson in lessons}
    design, settings = _design(proposed.plan), _knobs(proposed.settings)
    for name in (*_named(design), *settings):
        _ensure_knob(name, template)
    try:
        implied(design, settings, template)
    except ValueError as error:
        raise ValueError(f"the plan has an impossible value: {error}") from None
    if not sound(design, settings, template):
        raise ValueError("two variants of the plan would be the same work, or a knob that varies does not act there")
    if cost(design) * 3 > template.budget.runs:
        raise ValueError(f"the plan needs {cost(design)} runs per seed; the budget has {template.budget.runs} in all")
    if unknown := [use.lesson for use in proposed.lessons if use.lesson not in known]:
        raise ValueError(f"there is no lesson '{unknown[0]}'{nearest(unknown[0], sorted(known))}")
    uses = tuple(
        LessonUse(lesson=use.lesson, text=known[use.lesson].text, change=_plain(use.change)) for use in proposed.lessons
    )
    try:
        idea = Idea(
            slug=free_slug(shortened(slugged(proposed.title), LONGEST_SLUG) or "untitled", taken),
            title=_plain(proposed.title),
            template=template.name,
            origin="model",
            question=_plain(proposed.question),
            hypothesis=_plain(proposed.hypothesis),
            expect=proposed.expect,
            smallest_effect=proposed.smallest_effect,
            why=_plain(proposed.why),
            design=design,
            settings={name: value for name, value in settings.items() if value != template.knob(name).default},
            lessons=uses,
        )
    except ValidationError as error:
        raise ValueError(explain(error, Idea, f"'{_plain(proposed.title)[:60]}'")) from None
    least = template.objective.smallest_effect
    if not least / 20 <= idea.smallest_effect <= least * 20:
        raise ValueError(
            f"a smallest effect of {idea.smallest_effect:g} is out of all proportion to the usual {least:g}"
        )
    own = signature(idea, template.defaults)
    for other in others:
        if signature(other, template.defaults) == own or design_similarity(idea, other) >= NEAR_DUPLICATE:
            raise ValueError(f"it is nearly the same study as '{other.title}'")
    return idea


def _design(plan: Plan) -> Design:
    """Raises :class:`ValueError` when the parts that the kind needs are not there."""
    treatment = _knobs(plan.treatment)
    try:
        match plan.kind:
            case "dose-response":
                return DoseResponse(knob=plan.knob, levels=plan.levels)
            case "comparison":
                reference = plan.levels[0] if plan.levels else ""
                return Comparison(knob=plan.knob, choices=plan.levels, reference=reference)
            case "interaction":
                if len(plan.levels) != 2 or len(plan.second_levels) != 2:
                    raise ValueError("an interaction needs two levels of each knob")
                (a, b), (c, d) = plan.levels, plan.second_levels
                return Interaction(first=plan.knob, first_values=(a, b), second=plan.second_knob, second_values=(c, d))
            case "robustness":
                return Robustness(treatment=treatment, stressor=plan.knob, levels=plan.levels)
            case "transfer":
                return Transfer(treatment=treatment, knob=plan.knob, values=plan.levels)
            case "modification":
                return Modification(name=_plain(plan.name), change=_plain(plan.change))
            case _:
                knobs = tuple(name.strip() for name in plan.knob.split(",") if name.strip())
                return Tuning(knobs=knobs, trials=plan.trials)
    except ValidationError as error:
        raise ValueError(explain(error, Plan, f"plan of kind {plan.kind}")) from None


def _knobs(settings: Sequence[Setting]) -> Knobs:
    return {setting.knob: setting.value for setting in settings}


def _named(design: Design) -> list[str]:
    match design:
        case DoseResponse() | Comparison():
            return [design.knob]
        case Interaction():
            return [design.first, design.second]
        case Robustness():
            return [design.stressor, *design.treatment]
        case Transfer():
            return [design.knob, *design.treatment]
        case Tuning():
            return list(design.knobs)
        case Modification():
            return []


def _ensure_knob(name: str, template: Template) -> None:
    known = [knob.name for knob in template.knobs]
    if name not in known:
        raise ValueError(f"there is no knob '{name}'{nearest(name, known)}")


def _plain(text: str) -> str:
    """One line of printable text. What it means in LaTeX is for the writer to escape."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:LONGEST_TEXT]
