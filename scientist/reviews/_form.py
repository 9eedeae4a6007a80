"""The review form: NeurIPS-style, every remark pointing at what it is about."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from scientist.ideas._lessons import Topic
from scientist.lab import Record

Decision = Literal["Accept", "Reject"]


class Remark(Record):
    """One strength, weakness or question, and where in the paper (section, table, contrast, finding) it points."""

    text: str
    where: str
    rule: str = Field(description="the stated rule that made it, see docs/reviews.md")
    topic: Topic | None = Field(default=None, description="weaknesses that a next study can act on")
    weight: float = Field(default=0.0, description="what it took from (or added to) Overall")


class Citation(Record):
    """A work that the paper cites, and the passage of its record that the citations rest on."""

    key: str
    passage: str
    passage_of: str
    source: str
    times: int = Field(ge=1, description="sentences that cite it")


class Review(Record):
    """`reviews/<slug>/<reviewer>.json`: NeurIPS 2024 scales (1–4 for parts, 1–10 overall, 1–5 confidence)."""

    schema_version: Literal[1] = 1
    slug: str
    reviewer: str
    summary: str
    strengths: tuple[Remark, ...]
    weaknesses: tuple[Remark, ...]
    questions: tuple[Remark, ...]
    limitations: str
    ethical_concerns: str
    originality: int = Field(ge=1, le=4)
    quality: int = Field(ge=1, le=4)
    clarity: int = Field(ge=1, le=4)
    significance: int = Field(ge=1, le=4)
    soundness: int = Field(ge=1, le=4)
    presentation: int = Field(ge=1, le=4)
    contribution: int = Field(ge=1, le=4)
    overall: int = Field(ge=1, le=10)
    confidence: int = Field(ge=1, le=5)
    decision: Decision
    citations: tuple[Citation, ...] = Field(default=(), description="what the citations rest on; in order of the keys")
