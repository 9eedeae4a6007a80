"""Who proposes ideas: the role, and its heuristic form, which composes studies from knobs, lessons and the archive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from scientist.ideas._backlog import Backlog
from scientist.ideas._idea import Idea, LessonUse, Robustness, Transfer
from scientist.ideas._lessons import Lesson
from scientist.ideas._propose_compose import compose
from scientist.ideas._propose_knobs import data_knob, family_knob, nominal, sound
from scientist.ideas._propose_lessons import answers
from scientist.ideas._propose_sketch import Sketch, coverage
from scientist.ideas._propose_text import listing
from scientist.ideas._similarity import design_similarity, knobs_of, signature
from scientist.template import Template

if TYPE_CHECKING:
    from scientist.search import Archive

NEAR_DUPLICATE = 0.9
"""Designs at least this alike (see `design_similarity`) are the same idea; the same design on another data set is not."""

# What makes a study that nobody asked for worth proposing. Coverage counts most, then what is known to point somewhere.
UNTRIED, ELSEWHERE, NEW_DATASET = 1.0, 0.5, 0.3
DIRECTION, RELATED, FOUND = 0.25, 0.4, 0.6
USUAL_FAMILY, USUAL_DATASET, CHANCE = 0.15, 0.1, 0.3
NEGLIGIBLE, INDEX, SAME_KIND_BEFORE = -0.7, -0.5, -0.1
AVOIDED = -2.0

# An answer to a lesson goes before anything that nobody asked for; each further one to the same lesson counts less.
ANSWER, WEIGHT, LATER, USED_BEFORE = 3.5, 0.4, 0.25, 1.0

# Two ideas of one round should not ask the same thing.
SAME_KIND, SAME_KNOB, SAME_DATASET, SAME_LESSON = 0.6, 0.7, 0.15, 1.0
EXPLORE = 4
"""Every so-many-th idea is proposed for coverage, whatever the lessons say: lessons alone would only dig deeper."""


POOL = 200
"""How many of the best-rated studies are looked at closely."""


class Proposer(Protocol):
    """The role that proposes ideas. Implementations write nothing: the caller keeps what it wants."""

    def propose(
        self,
        template: Template,
        backlog: Backlog,
        lessons: Sequence[Lesson],
        archive: Archive,
        count: int,
        seed: int,
        round: int,
    ) -> list[Idea]:
        """Up to `count` new ideas, best first: valid for the template, unlike the backlog, slugs free; fewer if it has none.

        The same arguments give the same ideas.
        """


@dataclass(frozen=True)
class HeuristicProposer:
    """Proposes without a model: answers the lessons first, then covers what was not tried. Pure and deterministic."""

    origin: str = "heuristic"

    def propose(
        self,
        template: Template,
        backlog: Backlog,
        lessons: Sequence[Lesson],
        archive: Archive,
        count: int,
        seed: int,
        round: int,
    ) -> list[Idea]:
        """See :class:`Proposer`. With no lesson it goes by coverage alone."""
        archive = archive.of(template.name)
        known = [idea for idea in backlog if idea.template == template.name]
        lessons = [lesson for lesson in lessons if lesson.template == template.name]
        rng = np.random.default_rng(np.random.SeedSequence([seed, round]))

        avoid = frozenset(name for lesson in lessons if lesson.topic == "negligible" for name in lesson.knobs)
        open_ = _by_coverage(template, known, archive, avoid, rng)
        asked = _by_lessons(template, known, lessons, archive, open_, avoid)
        return _pick(template, backlog, known, asked, open_, count)


def _by_coverage(
    template: Template, known: Sequence[Idea], archive: Archive, avoid: frozenset[str], rng: np.random.Generator
) -> list[Sketch]:
    """Everything the knobs offer, scored and sorted, best first."""
    sketches = coverage(template, archive)
    luck = rng.random(len(sketches))
    rate = _Rating(template, known, archive, avoid)
    scored = [
        replace(sketch, score=rate(sketch) + CHANCE * float(chance))
        for sketch, chance in zip(sketches, luck, strict=True)
    ]
    return sorted(scored, key=lambda sketch: -sketch.score)


class _Rating:
    """How much a study would add to what the lab knows."""

    def __init__(self, template: Template, known: Sequence[Idea], archive: Archive, avoid: frozenset[str]) -> None:
        self.template, self.avoid = template, avoid
        self.data, self.family = data_knob(template), family_knob(template)
        self.kinds = Counter(idea.design.kind for idea in known)
        pairs: set[tuple[str, str]] = {
            (name, dataset) for effect in archive.findings for name in effect.knobs for dataset in effect.datasets
        }
        for idea in known:
            if idea.status in ("proposed", "approved", "done"):
                where = Sketch(idea.design, idea.settings, idea.expect).datasets(template) or ("",)
                pairs |= {(name, dataset) for name in knobs_of(idea) for dataset in where}
        self.pairs = pairs
        self.knobs = {name for name, _ in pairs}
        self.places = {dataset for _, dataset in pairs}
        self.small = {
            name
            for effect in archive.findings
            if effect.primary and effect.verdict in ("negligible", "equivalent")
            for name in effect.knobs
        }
        self.found = {
            (change.knob, str(change.to))
            for effect in archive.findings
            if effect.claimed and effect.kind == "difference" and len(effect.changes) == 1
            for change in effect.changes
        }

    def __call__(self, sketch: Sketch) -> float:
        template, varied = self.template, sketch.varied
        datasets = sketch.datasets(template) or ("",)
        score = 0.0
        for name in varied:
            knob = template.knob(name)
            share = 1 / len(varied)
            if name not in self.knobs:
                score += UNTRIED * share
            elif any((name, dataset) not in self.pairs for dataset in datasets):
                score += ELSEWHERE * share
            score += AVOIDED * share * (name in self.avoid)
            score += NEGLIGIBLE * share * (name in self.small)
            score += INDEX * share * nominal(knob)
        score += NEW_DATASET * any(dataset not in self.places for dataset in datasets)
        score += DIRECTION * (sketch.expect in ("greater", "less"))
        if len(varied) == 2:
            first, second = (set(template.knob(name).topics) for name in varied)
            score += RELATED * bool(first & second)
        if isinstance(sketch.design, Robustness | Transfer):
            score += FOUND * any((name, str(value)) in self.found for name, value in sketch.design.treatment.items())
        if self.family:
            score += USUAL_FAMILY * (self.family.name not in sketch.settings)
        if self.data:
            score += USUAL_DATASET * (self.data.name not in sketch.settings)
        return score + SAME_KIND_BEFORE * min(4, self.kinds[sketch.design.kind])


def _by_lessons(
    template: Template,
    known: Sequence[Idea],
    lessons: Sequence[Lesson],
    archive: Archive,
    open_: Sequence[Sketch],
    avoid: frozenset[str],
) -> list[Sketch]:
    """The answers to every lesson, scored and sorted, best first."""
    by_slug: Mapping[str, Idea] = {idea.slug: idea for idea in known}
    before = Counter(use.lesson for idea in known if idea.status != "rejected" for use in idea.lessons)
    tried = {name for name in (knob.name for knob in template.knobs) if archive.tried(name)}
    tried |= {name for idea in known if idea.status in ("approved", "done") for name in knobs_of(idea)}
    scored: list[Sketch] = []
    for lesson in lessons:
        found = answers(lesson, lessons, by_slug, archive, template)
        if lesson.topic in ("negligible", "novelty"):
            found = _redirected(lesson, open_, template, tried)
        base = ANSWER + WEIGHT * min(lesson.weight, 4.0) - USED_BEFORE * before[lesson.id]
        for place, sketch in enumerate(sketch for sketch in found if sound(sketch.design, sketch.settings, template)):
            penalty = LATER * place - AVOIDED * bool(avoid & set(sketch.varied))
            scored.append(replace(sketch, score=base - penalty))
    return sorted(scored, key=lambda sketch: -sketch.score)


def _redirected(lesson: Lesson, open_: Sequence[Sketch], template: Template, tried: set[str]) -> list[Sketch]:
    """Away from the knobs of the lesson: the studies that coverage likes best and that do not touch them."""
    left = [knob.title for knob in template.knobs if knob.name in lesson.knobs and knob.role != "dataset"]
    chosen: list[Sketch] = []
    for sketch in open_:
        if len(chosen) == 4:
            break
        if set(sketch.varied) & set(lesson.knobs) or not sound(sketch.design, sketch.settings, template):
            continue
        if any(set(sketch.varied) == set(other.varied) for other in chosen):
            continue
        names = listing([template.knob(name).title for name in sketch.varied])
        if lesson.topic == "novelty" and not set(sketch.varied) & tried:
            change = f"varies {names}, which no study of the lab has varied yet"
        elif lesson.topic == "novelty" or not left:
            change = f"moves on to {names}"
        else:
            change = f"varies {names} and leaves {listing(left)} alone, whose effect was too small to matter"
        chosen.append(
            replace(sketch, uses=(LessonUse(lesson=lesson.id, text=lesson.text, change=f"this study {change}"),))
        )
    return chosen


@dataclass
class _Entry:
    """A sketch that waits to be picked; `standing` is its score, less what it shares with those picked so far."""

    sketch: Sketch
    standing: float
    varied: frozenset[str]
    datasets: frozenset[str]
    lesson: str

    @classmethod
    def of(cls, sketch: Sketch, template: Template) -> _Entry:
        lesson = sketch.uses[0].lesson if sketch.uses else ""
        return cls(sketch, sketch.score, frozenset(sketch.varied), frozenset(sketch.datasets(template)), lesson)

    def give_way(self, other: _Entry) -> None:
        """Lower the standing for what is shared with a sketch that was just picked."""
        lessons = {use.lesson for use in other.sketch.uses}
        self.standing -= SAME_KIND * (self.sketch.design.kind == other.sketch.design.kind)
        self.standing -= SAME_KNOB * len(self.varied & other.varied) / len(self.varied)
        self.standing -= SAME_DATASET * bool(self.datasets & other.datasets)
        self.standing -= SAME_LESSON * (self.lesson in lessons)


def _pick(
    template: Template,
    backlog: Backlog,
    known: Sequence[Idea],
    asked: Sequence[Sketch],
    open_: Sequence[Sketch],
    count: int,
) -> list[Idea]:
    """Greedily the best sketch that is sound and new, each time less inclined to what was picked already."""
    picked: list[Idea] = []
    answering = [_Entry.of(sketch, template) for sketch in asked]
    covering = [_Entry.of(sketch, template) for sketch in open_[: POOL + 20 * count]]
    taken = set(backlog.taken)
    titles = {idea.title for idea in known}
    while len(picked) < count and (answering or covering):
        explore = not answering or (len(picked) % EXPLORE == EXPLORE - 1 and covering)
        pool = covering if explore else answering
        entry = pool.pop(max(range(len(pool)), key=lambda index: (pool[index].standing, -index)))
        sketch = entry.sketch
        if not sound(sketch.design, sketch.settings, template):
            continue
        idea = compose(sketch, template, taken, titles)
        if idea is None or _repeats(idea, sketch.parent, [*known, *picked], template):
            continue
        picked.append(idea)
        taken.add(idea.slug)
        titles.add(idea.title)
        for other in (*answering, *covering):
            other.give_way(entry)
    return picked


def _repeats(idea: Idea, parent: str, others: Sequence[Idea], template: Template) -> bool:
    """Whether it is a near-duplicate of another idea.

    A follow-up may resemble the paper it follows; it may even repeat it, but then with more seeds.
    """
    own = signature(idea, template.defaults)
    for other in others:
        same = signature(other, template.defaults) == own
        if parent and other.slug == parent:
            if same and idea.seeds is None:
                return True
        elif same or design_similarity(idea, other) >= NEAR_DUPLICATE:
            return True
    return False
