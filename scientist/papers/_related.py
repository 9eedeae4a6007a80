"""Related work that compares: works by what they share with the study, what each did, what is shared and what differs.

That none of the works does something is said of the records that were found, never of the field.
"""

from __future__ import annotations

from collections.abc import Sequence

from scientist.literature import SUBJECTS, Neighbour, Novelty, Reference, deed, topics_told
from scientist.papers._phrases import Phrases, few, listing, start
from scientist.papers._print import escape
from scientist.papers._related_works import APART, Group, Part, grouped, parts_of, placed, topics_of

COMPARED = 3
"""Other parts of the study that a group of works is compared with, and works that are compared one by one."""

_KINDS = {"theory": "argued from theory", "method": "proposed methods", "overview": "surveyed the field"}
"""Past tense throughout: it agrees with one author and with many."""


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
    return (*paragraphs, rf"\paragraph{{What is different here.}} {_difference(p, novelty, parts)}")


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


def _difference(p: Phrases, novelty: Novelty, parts: Sequence[Part]) -> str:
    """All works against the study, those nearest to it claim by claim, and where was looked."""
    text = _most_shared(novelty.references, parts)
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


def _most_shared(records: Sequence[Reference], parts: Sequence[Part]) -> str:
    """Which of all records share most of what the study is about; nothing where that is one thing."""
    topics = {work.key: set(topics_told(work)) for work in records if not work.retracted}
    counts = {key: sum(part.topic in told for part in parts) for key, told in topics.items()}
    if len(parts) < 2 or not any(counts.values()):
        return ""
    about = listing([part.noun for part in parts])
    most = max(counts.values())
    if most < 2:
        return f"This study joins {about}; none of the records found has more than one of them. "
    nearest = [rf"\citet{{{key}}}" for key, shared in counts.items() if shared == most]
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
