"""Which works stand in a paper's related work, and under which part of the study: by records alone.

What a work did is its own gist or a sentence of its own abstract; what it is about are the keywords of its record and the
topics whose words it uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scientist.ideas._bibliography import KIND_TOPICS, topics_by_words, topics_in_use, used_values
from scientist.literature import FIELDS, SUBJECTS, Reference, clause, foreign, topics_told
from scientist.papers._phrases import Phrases
from scientist.papers._print import escape
from scientist.template import Knob

APART = frozenset({"statistics-of-comparison", "reproducibility", "datasets", "software"})
"""Topics of works that the method rests on, or the data: they are cited where they are used."""
ENOUGH = 12
"""Works below which more of each topic, then more topics are taken."""
MOST_TOPICS, PER_TOPIC, MOST_PER_TOPIC = 6, 3, 6
RECENT = 10
"""Years, counted back from the newest work that was found, in which a work is recent."""

_USE = {"task": "its task", "varied": "it varies {}", "compared": "it compares some", "held": "it holds {} fixed"}


@dataclass(frozen=True)
class Part:
    """A part of the study that a work may share: a topic, and what the study does with it."""

    topic: str
    role: Literal["task", "varied", "compared", "asked", "held"]
    """What it is there for: 'asked' is the form of the question."""
    knob: str = ""
    """What is varied or held, in running text."""

    @property
    def noun(self) -> str:
        return SUBJECTS[self.topic].noun

    @property
    def shared(self) -> str:
        """The noun, and what the study does with it."""
        return self.noun if self.role == "asked" else f"{self.noun} ({_USE[self.role].format(self.knob)})"


@dataclass(frozen=True)
class Placed:
    """A work with what it did and what it is about."""

    work: Reference
    did: str
    topics: tuple[str, ...]

    @property
    def cite(self) -> str:
        return rf"\citet{{{self.work.key}}}"


@dataclass(frozen=True)
class Group:
    """Works that share one topic with the study."""

    topic: str
    works: tuple[Placed, ...]


# -- what the study is about ---------------------------------------------------------------------------------------------


def parts_of(p: Phrases) -> tuple[Part, ...]:
    """The task, what the study varies, the form of its question, and what it holds at another value than usual: each by the
    topic that stands first for it."""
    varied = _varied(p)
    told: list[Part] = []
    held: list[Part] = []
    for knob in p.template.knobs:
        family = knob.role == "family"
        if knob.name in varied:
            role: Literal["compared", "varied"] = "compared" if family else "varied"
            told += [Part(topic, role, p.title(knob.name)) for topic in _main(p, knob)]
        elif knob.name in p.idea.settings:
            families = [topic for topic in _main(p, knob) if topic != "model-comparison"]
            value = escape(knob.label(p.idea.settings[knob.name]))
            held += [Part(topic, "held", value if family else p.title(knob.name)) for topic in families]
    found = [Part(topic, "task") for topic in p.template.topics if topic in FIELDS]
    found += [*told, *(Part(topic, "asked") for topic in KIND_TOPICS.get(p.idea.design.kind, ())), *held]
    first: dict[str, Part] = {}
    for part in found:
        if part.topic in SUBJECTS and part.topic not in APART:
            first.setdefault(part.topic, part)
    return tuple(first.values())


def topics_of(p: Phrases) -> tuple[str, ...]:
    """Topics that bear on the study, the most telling first: its parts, then what else its knobs stand for."""
    varied = _varied(p)
    knobs = [knob for knob in p.template.knobs if knob.name in varied or knob.name in p.idea.settings]
    knobs.sort(key=lambda knob: knob.name not in varied)
    also = [topic for knob in knobs for topic in topics_in_use(knob, used_values(knob, p.idea))]
    found = [topic for topic in (*(part.topic for part in parts_of(p)), *also) if topic not in APART]
    return tuple(dict.fromkeys(found or topics_by_words(p.idea, p.template)))


def _varied(p: Phrases) -> set[str]:
    reference = p.study.variants[0].knobs
    varied = {name for v in p.study.variants for name in v.knobs if v.knobs[name] != reference[name]}
    return varied | {name for v in p.study.variants if v.tuner for name in v.tuner.knobs}


def _main(p: Phrases, knob: Knob) -> list[str]:
    """The topic of a knob that says most; for one that chooses a family, the families in use."""
    if knob.role == "dataset":
        return []  # which data it is says nothing about the question; that there are several is its form
    topics = [topic for topic in topics_in_use(knob, used_values(knob, p.idea)) if topic not in APART]
    special = [topic for topic in topics if topic not in FIELDS] or topics
    return special if knob.role == "family" else special[:1]


# -- which works ---------------------------------------------------------------------------------------------------------


def placed(references: Sequence[Reference], topics: Sequence[str]) -> tuple[Placed, ...]:
    """The works of which a record tells what they did: not those that the method rests on, those of another field, and
    retracted ones, which are nothing to build on."""
    found = []
    for work in references:
        did, about = clause(work), topics_told(work)
        main = about[0] if about else ""
        if did and main and main not in APART and not work.retracted and not foreign(about, topics):
            found.append(Placed(work, escape(did), about))
    return tuple(found)


def grouped(topics: Sequence[str], works: Sequence[Placed]) -> tuple[Group, ...]:
    """Groups by topic, each work once, where it belongs most; recent and classic ones both.

    With fewer than :data:`ENOUGH` works in all, more of each topic are taken, then the topics that the works themselves are
    about, in the order of the works. Pure.
    """
    more = [topic for one in works for topic in one.topics if topic in SUBJECTS and topic not in APART]
    groups: tuple[Group, ...] = ()
    for wanted in (list(topics)[:MOST_TOPICS], list(dict.fromkeys([*topics, *more]))[:MOST_TOPICS]):
        for most in range(PER_TOPIC, MOST_PER_TOPIC + 1):
            groups = _filled(wanted, works, most)
            if sum(len(group.works) for group in groups) >= ENOUGH:
                return groups
    return groups


def _filled(topics: Sequence[str], works: Sequence[Placed], most: int) -> tuple[Group, ...]:
    newest = max((one.work.year or 0 for one in works), default=0)
    used: set[str] = set()
    groups = []
    for topic in topics:
        mine = [one for one in works if topic in one.topics and one.work.key not in used]
        # Topics are listed with the main one first. Among equals the record counts in its own order, that of relevance.
        mine.sort(key=lambda one: one.topics.index(topic))
        chosen = _both_ages(mine, most, newest)
        used |= {one.work.key for one in chosen}
        if chosen:
            groups.append(Group(topic, tuple(sorted(chosen, key=lambda one: (one.work.year or 0, one.work.key)))))
    return tuple(groups)


def _both_ages(works: Sequence[Placed], most: int, newest: int) -> list[Placed]:
    """The first works, the last of them given up for the first of the other age where all are recent or all are classic."""
    chosen = list(works[:most])

    def recent(one: Placed) -> bool:
        return (one.work.year or 0) > newest - RECENT

    if len(chosen) == most and len({recent(one) for one in chosen}) == 1:
        other = next((one for one in works[most:] if recent(one) != recent(chosen[0])), None)
        chosen = [*chosen[:-1], other] if other else chosen
    return chosen
