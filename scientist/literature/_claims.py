"""What an idea claims: what is changed, on what, measured how, and what is expected; and in which words to look for it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from scientist.lab import Record
from scientist.literature._text import clean, words

ClaimRole = Literal["idea", "mechanism", "setting", "measure", "expected"]
"""The idea in one line; what is changed; on what; measured how; what is expected to come of it."""

MOST_CLAIMS = 12
LONGEST = 400  # characters of a claim
FEWEST_WORDS = 3  # content words without which a sentence claims nothing that could be looked for
ENOUGH_WORDS = 8  # different content words without which an idea says too little to be compared with anything
PHRASINGS = 5

_SENTENCE = re.compile(r"(?<=[.!?;])\s+(?=\S)")
_ROLES: tuple[tuple[ClaimRole, str], ...] = (
    ("idea", "title"),
    ("expected", "hypothesis"),
    ("mechanism", "method"),
    ("measure", "experiment"),
)


class Claim(Record):
    """One part of an idea that a work may have done already."""

    role: ClaimRole
    text: str = Field(min_length=1, max_length=LONGEST)


def sentences(text: str) -> list[str]:
    """The sentences of a text, each as one line; parts between semicolons count as sentences."""
    return [line for line in (clean(part, LONGEST) for part in _SENTENCE.split(text)) if line]


def claims_of_text(title: str, hypothesis: str = "", method: str = "", experiment: str = "") -> tuple[Claim, ...]:
    """The claims of an idea told in free text: every sentence that says something, with the role of its field.

    At most :data:`MOST_CLAIMS`; the title comes first, then the fields take turns, so that a long one leaves room.
    """
    told = {"title": title, "hypothesis": hypothesis, "method": method, "experiment": experiment}
    fields = [[(role, line) for line in sentences(told[name])] for role, name in _ROLES]
    fields[0] = [("idea", clean(title, LONGEST))] if clean(title, LONGEST) else []
    kept = {
        (turn, place): Claim(role=role, text=line)
        for place, lines in enumerate(fields)
        for turn, (role, line) in enumerate(lines)
        if role == "idea" or len(set(words(line))) >= FEWEST_WORDS
    }
    chosen = sorted(kept)[:MOST_CLAIMS]
    return tuple(kept[at] for at in sorted(chosen, key=lambda at: (at[1], at[0])))


def says_enough(claims: Sequence[Claim]) -> bool:
    """Whether there are words enough to compare anything with; a verdict on less is no verdict."""
    return len({word for claim in claims for word in words(claim.text)}) >= ENOUGH_WORDS


def whole_text(claims: Sequence[Claim]) -> str:
    """All claims as one text."""
    return " ".join(claim.text for claim in claims)


def phrasings(claims: Sequence[Claim], most: int = PHRASINGS) -> tuple[str, ...]:
    """In which words to look for an idea: all of it, its title, what is changed, what is changed with its setting, and
    what is expected. Each once."""
    by_role = {role: " ".join(c.text for c in claims if c.role == role) for role in _ORDER}
    changed, setting = by_role["mechanism"], by_role["setting"]
    asked = (
        whole_text(claims),
        by_role["idea"],
        changed,
        f"{changed} {setting}" if setting else "",
        by_role["expected"],
    )
    return tuple(dict.fromkeys(text.strip() for text in asked if words(text)))[:most]


_ORDER: tuple[ClaimRole, ...] = ("idea", "mechanism", "setting", "measure", "expected")
