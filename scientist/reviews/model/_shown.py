"""What a reviewer is shown of a paper: blinded, bounded, its sections in an order of the reviewer's own. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

from scientist.reviews.model._blind import THANKS, Blinder
from scientist.reviews.model._quotes import Searchable
from scientist.reviews.reading import Document, Section

LONGEST = 60_000
"""Characters of a paper that a reviewer is shown: about 15,000 tokens, nine pages and a short appendix."""
LONGEST_ABSTRACT, LONGEST_TABLE, MOST_FLOATS = 4_000, 3_000, 60
FRONT = 40  # words: shorter paragraphs before the first long one are title, names and addresses

T = TypeVar("T")


@dataclass(frozen=True)
class Part:
    """Running text under one heading, or a figure or table with its caption."""

    name: str
    text: str


@dataclass(frozen=True)
class Group:
    """Parts that stay together: a section with its subsections, or the floats."""

    parts: tuple[Part, ...]
    appendix: bool = False

    @property
    def size(self) -> int:
        return sum(len(part.text) + len(part.name) + 6 for part in self.parts)


@dataclass(frozen=True)
class Shown:
    """A paper as reviewers get it. `hidden` and `left_out` say, for people, what they do not get; `blind` takes the same
    things out of what is said about the paper."""

    title: str
    abstract: str
    groups: tuple[Group, ...]
    references: int
    hidden: tuple[str, ...]
    left_out: tuple[str, ...]
    blind: Blinder

    def text(self, *salt: object) -> str:
        """The paper for one reviewer: the abstract, then sections in an order drawn by `salt`, appendices after the rest."""
        body = shuffled([g for g in self.groups if not g.appendix], *salt)
        body += shuffled([g for g in self.groups if g.appendix], *salt)
        blocks = [f"# {self.title or '(no title)'}", f"## Abstract\n\n{self.abstract or '(none)'}"]
        blocks += [f"## {part.name}\n\n{part.text}" for group in body for part in group.parts]
        return "\n\n".join(blocks)

    def searchable(self) -> Searchable:
        """Where quotations are looked for: in what was shown, and nowhere else."""
        parts = [(part.name, part.text) for group in self.groups for part in group.parts]
        return Searchable.of([("Title", self.title), ("Abstract", self.abstract), *parts])


def shuffled(items: Iterable[T], *salt: object) -> list[T]:
    """The items in an order that depends on nothing but their number and the salt."""
    told = "/".join(map(str, salt))
    keyed = [(sha256(f"{told}/{number}".encode()).digest(), item) for number, item in enumerate(items)]
    return [item for _, item in sorted(keyed, key=lambda pair: pair[0])]


def show(document: Document, longest: int = LONGEST, hide: Sequence[str] = ()) -> Shown:
    """A paper as a reviewer may see it. `hide`: passages, such as those that an injection scan found, that stay out."""
    ordinary = " ".join((document.abstract, *(s.text[: 2 * longest] for s in document.sections)))
    blind = Blinder(document.authors, ordinary, hide)
    groups, dropped = _groups(document, blind, longest)
    kept, left_out = bounded(groups, longest)
    title, abstract = blind(_line(document.title))[:400], blind(document.abstract)
    if len(abstract) > LONGEST_ABSTRACT:
        left_out = (f"{len(abstract) - LONGEST_ABSTRACT} characters of the abstract", *left_out)
    return Shown(
        title=title,
        abstract=abstract[:LONGEST_ABSTRACT],
        groups=kept,
        references=len(document.references),
        hidden=(*(["the line of authors"] if document.authors else []), *dropped, *blind.lines()),
        left_out=(*left_out, *(f"not read: {line}" for line in document.unread[:20])),
        blind=blind,
    )


def bounded(groups: Sequence[Group], longest: int) -> tuple[tuple[Group, ...], tuple[str, ...]]:
    """Groups within `longest` characters, and what was left out.

    The main text comes first, appendices share what remains. Among equals the longest is cut first: all get the same
    bound, the largest with which they fit.
    """
    allowed: dict[int, int] = {}
    remaining = longest
    for appendix in (False, True):
        mine = sorted((g.size, n) for n, g in enumerate(groups) if g.appendix is appendix)
        for place, (size, number) in enumerate(mine):
            allowed[number] = min(size, remaining // (len(mine) - place))
            remaining -= allowed[number]
    kept, left_out = [], []
    for number, group in enumerate(groups):
        parts, missing = _cut(group, allowed[number])
        if missing:
            left_out.append(f"{missing} of {group.size} characters of '{group.parts[0].name}'")
        if parts:
            kept.append(Group(parts, group.appendix))
    return tuple(kept), tuple(left_out)


def _cut(group: Group, most: int) -> tuple[tuple[Part, ...], int]:
    """The parts of a group within `most` characters, and how many characters are missing."""
    if group.size <= most:
        return group.parts, 0
    parts: list[Part] = []
    for part in group.parts:
        room = most - len(part.name) - 6
        if len(part.text) <= room:
            parts.append(part)
            most = room - len(part.text)
            continue
        end = part.text.rfind(". ", 0, max(0, room)) + 1
        if end > 0:
            parts.append(Part(part.name, part.text[:end]))
        break
    return tuple(parts), group.size - Group(tuple(parts)).size


# -- from the document -----------------------------------------------------------------------------------------------


def _groups(document: Document, blind: Blinder, longest: int) -> tuple[list[Group], list[str]]:
    groups: list[list[Part]] = []
    appendix: list[bool] = []
    dropped: list[str] = []
    below = sum(len(s.text) for s in document.sections if s.level)
    headed = below > 2 * sum(len(s.text) for s in document.sections if not s.level)  # else the paper has no headings
    skipping: int | None = None  # the level of a section of thanks, which takes its subsections with it
    for number, section in enumerate(document.sections):
        if skipping is not None and section.level > skipping:
            continue
        skipping = None
        if THANKS.match(section.title) and section.title:
            skipping = section.level
            dropped.append(f"the section '{_line(section.title)[:60]}'")
            continue
        if not section.level and headed:
            if section.text:
                dropped.append("what stands before the first heading")
            continue
        text = _body(section, front=not number and not headed, dropped=dropped)
        part = Part(blind(_heading(section)), blind(text[: 2 * longest]))
        if section.level <= 1 or not groups or appendix[-1] is not section.appendix:
            groups.append([part])
            appendix.append(section.appendix)
        else:
            groups[-1].append(part)
    made = [
        Group(tuple(p for p in parts if p.text), is_appendix)
        for parts, is_appendix in zip(groups, appendix, strict=True)
        if any(part.text for part in parts)
    ]
    if floats := _floats(document, blind):
        made.append(Group(floats))
    if document.footnotes:
        dropped.append(f"{len(document.footnotes)} footnotes")
    return made, list(dict.fromkeys(dropped))


def _body(section: Section, front: bool, dropped: list[str]) -> str:
    paragraphs = [p.text for p in section.paragraphs]
    if front:
        first = next((n for n, text in enumerate(paragraphs) if len(text.split()) >= FRONT), 0)
        if first:
            dropped.append(f"{first} short paragraphs at the beginning")
        paragraphs = paragraphs[first:]
    kept = [text for text in paragraphs if not THANKS.match(text[:60])]
    if len(kept) < len(paragraphs):
        dropped.append("paragraphs of thanks")
    return "\n\n".join(kept)


def _floats(document: Document, blind: Blinder) -> tuple[Part, ...]:
    """Captions, and the cells of tables below theirs."""
    cells = {t.number: t for t in reversed(document.tables) if t.number}
    parts = []
    for caption in document.captions[:MOST_FLOATS]:
        text = blind(caption.text[:LONGEST_TABLE])
        table = cells.get(caption.number) if caption.kind == "table" else None
        if table is not None:
            rows = "\n".join(" | ".join(row) for row in table.rows[:200])
            text = f"{text}\n{blind(rows[:LONGEST_TABLE])}"
        if text.strip():
            parts.append(Part(f"{caption.kind.capitalize()} {caption.number}".strip(), text.strip()))
    parts += [
        Part("Table without a number", blind("\n".join(" | ".join(row) for row in t.rows[:200])[:LONGEST_TABLE]))
        for t in document.tables[:MOST_FLOATS]
        if not t.number and t.rows
    ]
    return tuple(parts)


def _heading(section: Section) -> str:
    return _line(f"{section.number} {section.title}")[:120] or "Text without a heading"


def _line(text: str) -> str:
    return " ".join(text.split())
