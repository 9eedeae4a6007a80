"""Related work that compares: works by what they share with the study, what each did, what is shared and what differs.

Only records speak: what a work did is its own gist or a sentence of its own abstract, what it is about are the keywords of
its record or the topics whose words it uses. That none of them does something is said of the records that were found, never of
the field.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scientist.ideas._bibliography import KIND_TOPICS, topics_by_words, topics_in_use, used_values
from scientist.literature import FIELDS, SUBJECTS, Neighbour, Novelty, Reference, clause, deed, foreign, topics_told
from scientist.papers._phrases import Phrases, few, listing, start
from scientist.papers._print import escape
from scientist.template import Knob

APART = frozenset({"statistics-of-comparison", "reproducibility", "datasets", "software"})
"""Topics of works that the method rests on, or the data: they are cited where they are used."""
ENOUGH = 12
"""Works below which more of each topic, then more topics are taken."""
MOST_TOPICS, PER_TOPIC, MOST_PER_TOPIC = 6, 3, 6
RECENT = 10
"""Years, counted back from the newest work that was found, in which a work is recent."""
COMPARED = 3
"""Other parts of the study that a group of works is compared with."""

_KINDS = {"theory": "argued from theory", "method": "proposed methods", "overview": "surveyed the field"}
"""Past tense throughout: it agrees with one author and with many."""
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


def related_work(p: Phrases, novelty: Novelty) -> tuple[str, ...]:
    """One paragraph per topic of the study: what each work did, what the study shares with them and in what it differs; then
    all of them against the study, the nearest, and what was searched."""
    parts = parts_of(p)
    topics = topics_of(p)
    groups = grouped(topics, placed(novelty.references, topics))
    paragraphs = [
        rf"\paragraph{{{SUBJECTS[group.topic].head}.}} {_told(group)} {_compared(group, parts, turn)}"
        for turn, group in enumerate(groups)
    ]
    return (*paragraphs, rf"\paragraph{{What is different here.}} {_difference(p, novelty, parts, groups)}")


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


# -- in words ------------------------------------------------------------------------------------------------------------


def _told(group: Group) -> str:
    """What each did; every second and third are tied together so that it does not read like a list."""
    clauses = [f"{one.cite} {one.did}" for one in group.works]
    sentences = [clauses[0], *(", and ".join(clauses[at : at + 2]) for at in range(1, len(clauses), 2))]
    return " ".join(f"{start(sentence)}." for sentence in sentences)


def _compared(group: Group, parts: Sequence[Part], turn: int) -> str:
    """What the study shares with a group of works, and in what it differs from them."""
    several = len(group.works) > 1
    them, noun = "them" if several else "it", SUBJECTS[group.topic].noun
    mine = next((part for part in parts if part.topic == group.topic), None)
    if mine is None:
        text = f"{'They bear' if several else 'It bears'} on this study through {noun}"
    elif mine.role == "asked":
        text = f"With {them} this study shares the form of its question, {noun}"
    elif turn % 2:
        text = f"What this study has in common with {them} is {mine.shared}"
    else:
        text = f"With {them} this study shares {mine.shared}"
    others = [part for part in parts if part.topic != group.topic][:COMPARED]
    joined = [(part, tuple(one.cite for one in group.works if part.topic in one.topics)) for part in others]
    by_works: dict[tuple[str, ...], list[str]] = {}
    for part, works in joined:
        if works:
            by_works.setdefault(works, []).append(part.noun)
    told = [
        f"{listing(list(works)) if several else 'it'} also treated {listing(nouns)}"
        for works, nouns in by_works.items()
    ]
    absent = [part.noun for part, works in joined if not works]
    if told:
        text += f"; {'; '.join(told)}"
    if absent:
        none = "none of their records mentions" if several else "its record does not mention"
        text += f"{'; ' if told else ', but '}{none} {_either(absent)}"
    return f"{text}. {_kinds(group)}".strip()


def _either(items: list[str]) -> str:
    """'a', 'a or b', 'a, b or c'."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " or " + items[-1]


def _kinds(group: Group) -> str:
    """Which of the works measured, as the study does, and what the others are, by the verb of their clause."""
    kinds = [(one.cite, deed(one.did)) for one in group.works]
    measured = [cite for cite, kind in kinds if kind == "experiment"]
    others = [
        f"{listing(cites)} {did}"
        for key, did in _KINDS.items()
        if (cites := [cite for cite, kind in kinds if kind == key])
    ]
    if not measured or not others:
        return ""
    return f"As this study does, {listing(measured)} reported experiments; {listing(others)}."


def _difference(p: Phrases, novelty: Novelty, parts: Sequence[Part], groups: Sequence[Group]) -> str:
    """All works against the study, those nearest to it claim by claim, and where was looked."""
    text = _most_shared([one for group in groups for one in group.works], parts)
    text += (
        r"To what is known it adds the conditions of Section~\ref{sec:method}, with contrasts, margin and number of "
        f"{p.many} declared beforehand, and every contrast is reported whatever it showed. "
    )
    text += _nearest(novelty)
    text += f"For the novelty of the idea, the verdict is \\emph{{{novelty.verdict}}}"
    text += f": {escape(_no_digits(novelty.reason).rstrip('.'))}. "
    asked, out = _asked(novelty)
    if asked:
        text += f"Searched: {listing([escape(NAMES.get(name, name)) for name in asked])}. "
    if out:
        text += f"Not reached: {listing([escape(NAMES.get(name, name)) for name in out])}. "
    return text.strip()


def _most_shared(works: Sequence[Placed], parts: Sequence[Part]) -> str:
    """Which works share most of what the study is about; nothing where that is one thing."""
    if not works or len(parts) < 2:
        return ""
    about = listing([part.noun for part in parts])
    counts = [sum(part.topic in one.topics for part in parts) for one in works]
    most = max(counts)
    if most < 2:
        return f"This study joins {about}; none of the records found has more than one of them. "
    nearest = [one.cite for one, shared in zip(works, counts, strict=True) if shared == most]
    named = listing(nearest[:COMPARED]) + (" among others" if len(nearest) > COMPARED else "")
    whole = "both" if len(parts) == 2 else f"all {few(len(parts))}"
    of_these = f"{few(most)} of the {few(len(parts))}" if most < len(parts) else whole
    nobody = "" if most == len(parts) else "; none of the records found has them all"
    return f"This study is about {about}; {of_these} are shared by {named}{nobody}. "


_CLAIMS = {
    "idea": "the question as a whole",
    "mechanism": "what is varied",
    "setting": "the setting",
    "measure": "the measure",
    "expected": "what is expected",
}


def _nearest(novelty: Novelty) -> str:
    """The works that came nearest when the idea was checked: which of its claims their records tell, where that was compared."""
    records = {reference.key: reference for reference in novelty.references}
    works = [n for n in novelty.neighbours if n.kind == "work" and n.key in records]
    works = [n for n in works if not (records[n.key].topics and records[n.key].topics[0] in APART)][:COMPARED]
    compared = [n for n in works if n.covers or n.lacks]
    if compared:
        return " ".join(_claim_by_claim(n, novelty, bool(records[n.key].retracted)) for n in compared) + " "
    if works:
        cited = listing(
            [rf"\citet{{{n.key}}}{' (since retracted)' if records[n.key].retracted else ''}" for n in works]
        )
        return f"Nearest by the words of their records: {cited}. "
    return ""


def _claim_by_claim(near: Neighbour, novelty: Novelty, retracted: bool) -> str:
    roles = {claim.text: claim.role for claim in novelty.claims}
    told = list(dict.fromkeys(_CLAIMS[roles[one.claim]] for one in near.covers if one.claim in roles))
    not_told = list(dict.fromkeys(_CLAIMS[roles[text]] for text in near.lacks if text in roles))
    partly = [name for name in told if name in not_told]
    fully = [name for name in told if name not in partly]
    absent = [name for name in not_told if name not in partly]
    said = [f"tells {listing(fully)}" if fully else "", f"tells {listing(partly)} in part" if partly else ""]
    said += [f"does not tell {listing(absent)}" if absent else ""]
    since = " (since retracted)" if retracted else ""
    return rf"Claim by claim, the record of \citet{{{near.key}}}{since} {listing([part for part in said if part]) or 'tells nothing of it'}."


def _asked(novelty: Novelty) -> tuple[list[str], list[str]]:
    """Sources that answered, and those that did not."""
    names = list(dict.fromkeys(one.source for one in novelty.searched))
    answered = {one.source for one in novelty.searched if one.answer in ("answered", "empty")}
    return [name for name in names if name in answered], [name for name in names if name not in answered]


NAMES = {
    "library": "the laboratory's own library",
    "arxiv": "arXiv",
    "semanticscholar": "Semantic Scholar",
    "openalex": "OpenAlex",
    "crossref": "Crossref",
    "backlog": "the backlog of ideas",
    "docstrings": "the documentation of the software in use",
}


def _no_digits(text: str) -> str:
    """A reason for readers: sentences with digits in them (similarities, counts) stay in novelty.json."""
    kept = [s for s in text.split(". ") if not any(char.isdigit() for char in s)]
    return ". ".join(kept) or "see the appendix"
