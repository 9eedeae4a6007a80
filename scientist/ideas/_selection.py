"""Which ideas become papers: a person's approval first, then a score whose parts are stated. Pure functions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from scientist.ideas._idea import Idea
from scientist.ideas._lessons import Lesson
from scientist.ideas._propose_knobs import cost, data_knob
from scientist.ideas._propose_sketch import SEEDS, Sketch
from scientist.ideas._similarity import design_similarity, knobs_of
from scientist.lab import Record
from scientist.literature._reference import Novelty
from scientist.template import Template

if TYPE_CHECKING:
    from scientist.search import Archive

# What a full mark in each part adds to the score. The parts themselves lie in [0, 1]; a person's priority is added as it is.
NOVELTY, INFORMATION, LESSONS, COST = 1.0, 1.0, 2.5, 0.5
# What a pick takes from the others: the same kind of design, the same knobs, near the same study.
SAME_KIND, SAME_KNOBS, ALIKE = 0.4, 0.8, 0.8
UNDECIDED = 0.5
"""Novelty of an idea that nobody checked, or about which no source said anything."""


class Choice(Record):
    """One idea with its place in the ranking and what put it there; `score` is the sum of the parts."""

    slug: str
    score: float
    parts: dict[str, float] = Field(description="approved, priority, novelty, information, lessons, cost, diversity")
    reason: str


def eligible(idea: Idea, novelty: Mapping[str, Novelty], template: Template) -> bool:
    """Approved ideas are; proposed ones unless they are known to have been answered; anything else never is."""
    if idea.template != template.name:
        return False
    if idea.status == "approved":
        return True
    found = novelty.get(idea.slug)
    return idea.status == "proposed" and not (found and found.verdict == "known")


def select(
    candidates: Sequence[Idea],
    novelty: Mapping[str, Novelty],
    lessons: Sequence[Lesson],
    archive: Archive,
    count: int,
    seed: int,
    template: Template,
) -> list[Choice]:
    """The `count` ideas to pursue, best first; fewer when fewer are eligible.

    Approved ideas precede all others. Otherwise the best score is picked, then the best of what remains less what it
    shares with the picks so far (diversity). Of equals, one that somebody thought up (a person, a model) precedes one that
    rules composed; then `seed` decides. The order of `candidates` does not matter.
    """
    archive = archive.of(template.name)
    ideas = {idea.slug: idea for idea in candidates if eligible(idea, novelty, template)}
    parts = {slug: _parts(idea, novelty.get(slug), lessons, archive, template) for slug, idea in sorted(ideas.items())}
    choices: list[Choice] = []
    picked: list[Idea] = []
    while len(choices) < count and len(picked) < len(ideas):
        chosen = {idea.slug for idea in picked}

        def standing(slug: str) -> tuple[bool, float, bool, str]:
            total = sum(parts[slug].values()) + _diversity(ideas[slug], picked)
            return (
                ideas[slug].status == "approved",
                round(total, 9),
                ideas[slug].origin != "heuristic",
                _lot(seed, slug),
            )

        best = max((slug for slug in ideas if slug not in chosen), key=standing)
        full = {**parts[best], "diversity": _diversity(ideas[best], picked)}
        picked.append(ideas[best])
        choices.append(Choice(slug=best, score=sum(full.values()), parts=full, reason=_reason(ideas[best], full)))
    return choices


def rank(
    candidates: Sequence[Idea],
    novelty: Mapping[str, Novelty],
    lessons: Sequence[Lesson],
    archive: Archive,
    seed: int,
    template: Template,
) -> list[Choice]:
    """Every eligible idea in the order in which :func:`select` would take them."""
    return select(candidates, novelty, lessons, archive, len(candidates), seed, template)


def _parts(
    idea: Idea, found: Novelty | None, lessons: Sequence[Lesson], archive: Archive, template: Template
) -> dict[str, float]:
    return {
        "approved": 1.0 if idea.status == "approved" else 0.0,
        "priority": idea.priority,
        "novelty": NOVELTY * (UNDECIDED if found is None or found.verdict == "undecided" else found.score),
        "information": INFORMATION * information(idea, archive, template),
        "lessons": LESSONS * heeded(idea, lessons),
        "cost": COST * fit(idea, template),
    }


def information(idea: Idea, archive: Archive, template: Template) -> float:
    """Share of the idea's pairs of knob and data set that no finished paper varied, in [0, 1].

    A pair counts half when the knob was varied on other data sets only.
    """
    datasets = Sketch(idea.design, idea.settings, idea.expect).datasets(template)
    data = data_knob(template)
    names = [name for name in knobs_of(idea) if data is None or name != data.name] or list(knobs_of(idea))
    marks = [
        0.0 if archive.tried(name, dataset or None) else 0.5 if archive.tried(name) else 1.0
        for name in names
        for dataset in (datasets or ("",))
    ]
    return sum(marks) / len(marks)


def heeded(idea: Idea, lessons: Sequence[Lesson]) -> float:
    """How much the idea heeds the active lessons, in [0, 1]: half for using any, half for their weight.

    The weight is that of the lessons used as a share of the heaviest one.
    """
    used = {use.lesson for use in idea.lessons}
    weights = [lesson.weight for lesson in lessons if lesson.id in used]
    heaviest = max((lesson.weight for lesson in lessons), default=0.0)
    return 0.5 + 0.5 * min(1.0, sum(weights) / heaviest) if weights and heaviest else 0.0


def fit(idea: Idea, template: Template) -> float:
    """How well the study fits the budget: 1 when ten seeds do, falling with the seeds that fit."""
    return min(1.0, template.budget.runs / (SEEDS * cost(idea.design)))


def _diversity(idea: Idea, picked: Sequence[Idea]) -> float:
    """What an idea loses because of the picks, at most zero."""
    loss = 0.0
    for other in picked:
        mine, theirs = set(knobs_of(idea)), set(knobs_of(other))
        loss += SAME_KIND * (idea.design.kind == other.design.kind)
        loss += SAME_KNOBS * len(mine & theirs) / len(mine | theirs)
        loss += ALIKE * design_similarity(idea, other)
    return 0.0 - loss


def _lot(seed: int, slug: str) -> str:
    return hashlib.sha256(f"{seed}:{slug}".encode()).hexdigest()


SAID = {
    "priority": "a person's priority",
    "novelty": "novelty",
    "information": "what it would add to what was tried",
    "lessons": "the lessons it heeds",
    "cost": "its cost",
}


def _reason(idea: Idea, parts: Mapping[str, float]) -> str:
    """Why it was taken, in one line: what spoke most for it, and what against."""
    ordered = sorted(SAID, key=lambda name: (-parts[name], name))
    for_it = [SAID[name] for name in ordered if parts[name] > 0.25][:2]
    text = "approved by a person" if parts["approved"] else "chosen"
    if for_it:
        text += f" for {' and '.join(for_it)}" if not parts["approved"] else f"; also {' and '.join(for_it)}"
    against = []
    if parts["priority"] < 0:
        against.append("a person's priority")
    if parts["diversity"] < -0.5:
        against.append("its likeness to other picks")
    return f"{text}, in spite of {' and '.join(against)}" if against else text
