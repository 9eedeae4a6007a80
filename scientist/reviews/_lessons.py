"""From a review to lessons: what the next round should do differently, with what it needs to act on it."""

from __future__ import annotations

from collections.abc import Sequence

from scientist.experiments import Analysis, Study, Variant
from scientist.ideas import Idea, Interaction, Lesson, Lessons, Robustness, Topic, Transfer
from scientist.lab import KnobValue
from scientist.reviews._evidence import design_knobs, treatment_values
from scientist.reviews._form import Remark, Review
from scientist.template import Template

CAP = 5
"""Lessons per paper."""

TEXT_LIMIT = 240


def lessons_from(
    review: Review, study: Study, analysis: Analysis, idea: Idea, template: Template, round: int
) -> Lessons:
    """One lesson for each topic among the review's weaknesses, the costliest first, at most :data:`CAP`.

    A lesson names the weakness it came from (`reviews/<slug>/<reviewer>.json#weaknesses/<n>`), the knobs that the
    paper turned, and what to carry over: the values of the treated variant, the data set, the direction that was
    found (`raised`, `lowered` or `unclear`) and, where power was short, the seeds that were needed. The same review
    gives the same lessons. Its weight is 1 plus twice what the weakness took from Overall.
    """
    first: dict[Topic, tuple[int, Remark]] = {}
    for index, remark in enumerate(review.weaknesses):
        if remark.topic is not None and remark.topic not in first:
            first[remark.topic] = (index, remark)
    ordered = sorted(first.items(), key=lambda entry: (entry[1][1].weight, entry[1][0]))
    lessons = []
    for topic, (index, remark) in ordered[:CAP]:
        knobs = design_knobs(idea)
        lessons.append(
            Lesson(
                id=f"{study.slug}.{topic}",
                topic=topic,
                text=shorten(remark.text),
                source=f"reviews/{study.slug}/{review.reviewer}.json#weaknesses/{index}",
                paper=study.slug,
                template=template.name,
                knobs=knobs,
                values=carried(topic, study, analysis, idea, template, knobs),
                weight=min(10.0, 1.0 + 2.0 * abs(remark.weight)),
                round=round,
            )
        )
    return Lessons(lessons=tuple(lessons))


def carried(
    topic: Topic, study: Study, analysis: Analysis, idea: Idea, template: Template, knobs: Sequence[str]
) -> dict[str, KnobValue]:
    """What a lesson hands on. Knob values come under the knob's name."""
    data = next((knob for knob in template.knobs if knob.role == "dataset"), None)
    if topic == "failures":
        # Here the values are those at which runs failed, for the next study to keep away from.
        worst = study.variant(max(analysis.variants, key=lambda v: v.n_failed).name)
        apart = [
            name for name in (*knobs, *_conditions(idea)) if worst.knobs.get(name) != _reference(study).knobs.get(name)
        ]
        values: dict[str, KnobValue] = {name: worst.knobs[name] for name in apart if name in worst.knobs}
    else:
        values = treatment_values(study, study.primary, knobs)
    if data is not None:
        values["dataset"] = _reference(study).knobs.get(data.name, data.default)
    keep = analysis.contrast(study.primary.id).estimates.get("keep")
    found = analysis.contrast(study.primary.id).verdict in ("supported", "contradicted")
    mean = keep.mean if keep is not None else None
    different = found and mean is not None and study.primary.expect != "equivalent"
    values["direction"] = ("raised" if (mean or 0.0) > 0 else "lowered") if different else "unclear"
    if topic in ("underpowered", "vanished"):
        values["seeds"] = len(study.seeds)
        values["needed_seeds"] = max(study.pilot.needed, len(study.seeds))
        if keep is not None and keep.sd is not None:
            values["sd"] = keep.sd
    return values


def shorten(text: str) -> str:
    """At most :data:`TEXT_LIMIT` characters, cut at a sentence or else at a word."""
    if len(text) <= TEXT_LIMIT:
        return text
    whole = text[:TEXT_LIMIT].rfind(". ")
    if whole > TEXT_LIMIT // 3:
        return text[: whole + 1]
    return text[: text.rfind(" ", 0, TEXT_LIMIT - 3)].rstrip(",;:") + "..."


def _conditions(idea: Idea) -> tuple[str, ...]:
    design = idea.design
    if isinstance(design, Robustness):
        return (design.stressor,)
    if isinstance(design, Transfer):
        return (design.knob,)
    return (design.second,) if isinstance(design, Interaction) else ()


def _reference(study: Study) -> Variant:
    return next((v for v in study.variants if v.role == "reference"), study.variants[0])
