"""What each lesson turns into: the designs that answer it, and the line that says what is different. Pure.

| topic | what is proposed |
|---|---|
| underpowered | the same question with fewer variants, a larger contrast and more seeds |
| single-dataset | what worked, on the other data sets |
| robustness | what worked, under a corruption or with fewer examples |
| baseline | the same family with random search and TPE at equal budget |
| vanished | the same step made larger, with more data and more seeds |
| contradicted | where the effect flips: the knob together with another; and the opposite, declared in advance |
| scope | a wider range, or the values that were left out |
| failures | the same question without the values at which runs failed |
| negligible, novelty | something else: those knobs are left alone (see `_proposer.py`) |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from scientist.ideas import _propose_answers as _answers
from scientist.ideas._idea import (
    Comparison,
    Design,
    DoseResponse,
    Idea,
    Interaction,
    LessonUse,
    Modification,
    Robustness,
    Transfer,
    Tuning,
)
from scientist.ideas._lessons import Lesson
from scientist.ideas._propose_knobs import (
    cost,
    settle,
    sound,
)
from scientist.ideas._propose_origin import Origin, origin, whole
from scientist.ideas._propose_sketch import Sketch
from scientist.template import Template

if TYPE_CHECKING:
    from scientist.search import Archive


def answers(
    lesson: Lesson, lessons: Sequence[Lesson], ideas: Mapping[str, Idea], archive: Archive, template: Template
) -> list[Sketch]:
    """The sketches that answer one lesson, the aptest first; empty when the topic asks to look elsewhere.

    When the same paper was also found underpowered, its follow-ups get the seeds it lacked, and say so.
    """
    answer = ANSWERS.get(lesson.topic)
    found = origin(lesson, ideas, archive, template) if answer else None
    if answer is None or found is None:
        return []
    weak = next((one for one in lessons if one.topic == "underpowered" and one.paper == lesson.paper), None)
    sketches = []
    for sketch, change in answer(lesson, found, archive, template):
        settings = settle(template, [*sketch.varied], _answers.without(sketch.settings, *_free(sketch.design)))
        if settings is None or not sound(sketch.design, settings, template):
            continue
        sketch = replace(sketch, settings=settings)
        uses = (LessonUse(lesson=lesson.id, text=lesson.text, change=f"this study {change}"),)
        sketch = replace(sketch, uses=uses, parent=lesson.paper)
        if weak is not None or lesson.topic == "vanished":
            sketch = _with_seeds(sketch, weak or lesson, found, template)
        sketches.append(sketch)
    return sketches


def _free(design: Design) -> tuple[str, ...]:
    """The knobs that every variant sets by itself, so that no setting should. A treatment's base is not among them."""
    match design:
        case DoseResponse() | Comparison() | Transfer():
            return (design.knob,)
        case Interaction():
            return (design.first, design.second)
        case Robustness():
            return (design.stressor,)
        case Tuning():
            return design.knobs
        case Modification():
            return ()


def _with_seeds(sketch: Sketch, lesson: Lesson, found: Origin, template: Template) -> Sketch:
    """Allow the seeds that were needed (or twice as many as there were), as far as the budget of runs goes."""
    wanted = whole(lesson, "needed_seeds") or 2 * (found.seeds or SEEDS_GUESS)
    seeds = max(2, min(wanted, template.budget.runs // cost(sketch.design), 1000))
    if seeds <= (found.seeds or SEEDS_GUESS):
        return sketch
    more = f"allows up to {seeds} seeds per variant" + (f" instead of {found.seeds}" if found.seeds else "")
    own = [use for use in sketch.uses if use.lesson == lesson.id]
    if own:
        uses = tuple(
            use.model_copy(update={"change": f"{use.change}, and {more}"}) if use.lesson == lesson.id else use
            for use in sketch.uses
        )
    else:
        uses = (*sketch.uses, LessonUse(lesson=lesson.id, text=lesson.text, change=f"this study {more}"))
    return replace(sketch, seeds=seeds, uses=uses)


SEEDS_GUESS = 8
"""Seeds that a paper is taken to have used when nothing says how many."""


ANSWERS: dict[str, Callable[[Lesson, Origin, Archive, Template], _answers.Answer]] = {
    "underpowered": _answers.sharper,
    "single-dataset": _answers.elsewhere,
    "robustness": _answers.stressed,
    "baseline": _answers.tuned,
    "vanished": _answers.replicated,
    "contradicted": _answers.flipped,
    "scope": _answers.broader,
    "failures": _answers.spared,
}
"""Topics that lead to a design. `negligible` and `novelty` lead away from one: the proposer looks elsewhere."""
