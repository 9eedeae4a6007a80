"""A reference: a work that some literature source returned. Nothing else can be cited."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from scientist.lab import Record
from scientist.literature._claims import Claim

Answer = Literal["answered", "empty", "out", "skipped"]
NoveltyVerdict = Literal["novel", "close", "known", "undecided"]


class Reference(Record):
    """One work, with where its record came from."""

    key: str = Field(pattern=r"^[A-Za-z0-9:_+-]+$", description="citation key")
    title: str
    authors: tuple[str, ...] = ()
    year: int | None = None
    venue: str = ""
    volume: str = ""
    number: str = ""
    pages: str = ""
    doi: str = ""
    arxiv: str = ""
    url: str = ""
    abstract: str = ""
    gist: str = Field(default="", description="one clause for related work: 'showed that ...', without numbers")
    topics: tuple[str, ...] = ()
    source: str = Field(description="which source returned it: library, arxiv, openalex, docstring:<object>, ...")
    raw: str = Field(default="", description="the reference as its source printed it, when it could not be parsed")
    entry_type: str = "misc"
    retracted: str = Field(default="", description="who says that the work was retracted; empty when nobody does")
    also: tuple[str, ...] = Field(default=(), description="further sources that returned the same work")
    filled: tuple[tuple[str, str], ...] = Field(
        default=(), description="(field, source) of what `source` lacked and another of them gave"
    )

    def provenance(self) -> dict[str, str]:
        """Which source gave each field that is not empty."""
        given = dict(self.filled)
        names = [name for name in type(self).model_fields if name not in _ABOUT and getattr(self, name)]
        return {name: given.get(name, self.source) for name in names}


_ABOUT = frozenset({"key", "source", "also", "filled"})


class Searched(Record):
    """One source asked during a check: what for, and whether it answered."""

    source: str
    query: str
    answer: Answer
    found: int = 0
    note: str = ""
    when: str = Field(default="", description="the day (UTC) on which an open source gave this answer")


class Covered(Record):
    """A claim that a work tells, how much of it (in [0, 1]), the passage that does, and who found it."""

    claim: str
    coverage: float = Field(ge=0, le=1)
    passage: str
    by: str = Field(default="words", description="'words', or the model that quoted the passage")


class Neighbour(Record):
    """One piece of evidence: a work, an idea or a paper of the lab, and how near it is."""

    kind: Literal["work", "idea", "paper"]
    key: str
    title: str
    similarity: float = Field(ge=0, le=1)
    passage: str = ""
    covers: tuple[Covered, ...] = Field(default=(), description="claims of the idea that the work tells")
    lacks: tuple[str, ...] = Field(default=(), description="claims of the idea that it does not tell")
    retracted: str = Field(default="", description="who says that the work was retracted; empty when nobody does")


class Novelty(Record):
    """`novelty.json`: a verdict with its evidence. No evidence means `undecided`."""

    schema_version: Literal[1] = 1
    slug: str
    verdict: NoveltyVerdict
    reason: str
    score: float = Field(ge=0, le=1, description="orders ideas: 1 is far from everything that was found")
    neighbours: tuple[Neighbour, ...] = ()
    searched: tuple[Searched, ...] = ()
    references: tuple[Reference, ...] = Field(default=(), description="the closed set that the paper may cite")
    claims: tuple[Claim, ...] = Field(default=(), description="what the idea claims: what was looked for")
    told: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="how likely the nearest work tells the idea; None: nothing to compare with",
    )
    compared: str = Field(
        default="", description="by what works were compared: 'words', 'words and meaning', 'words and learnt vectors'"
    )
