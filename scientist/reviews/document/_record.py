"""The review of a document as a record: `review.json`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from scientist.lab import Record
from scientist.reviews.calibration import Prior
from scientist.reviews.checks import Finding
from scientist.reviews.forms import Kind
from scientist.reviews.injection import InjectionFinding


class Place(Record):
    """Where something stands: heading or table, page (0: there are none), and the sentence."""

    section: str = ""
    page: int = 0
    sentence: str = ""


class Weakness(Record):
    """All findings of one kind that are no notes. `cause`: that kind; `places`: the first of them, `count`: how many there are.

    `actionable`: a next study could settle it; `action`: what to do, by a study or by writing.
    """

    kind: Kind
    severity: Literal["error", "warning"]
    cause: str
    text: str
    count: int = 1
    places: tuple[Place, ...] = ()
    actionable: bool = False
    action: str


class Strength(Record):
    """What a program can show for the paper: what, and where it saw it."""

    text: str
    place: Place | None = None


class Expected(Record):
    """What the text alone makes one expect. `prior` is None where there is none; `cautions`: why it says less than usual.

    `widened`: the half-width of the interval is that many times the prior's own.
    """

    prior: Prior | None = None
    widened: float = Field(default=1.0, ge=1)
    cautions: tuple[str, ...] = ()


class References(Record):
    """What became of the list of references when it was looked up."""

    entries: int
    verified: int = 0
    wrong: int = 0
    not_found: int = 0
    unverifiable: int = 0
    out: tuple[str, ...] = Field(default=(), description="sources that did not answer, and why")


class Numbers(Record):
    """How many printed numbers were held against the runs, and how many of them a run gives."""

    looked_at: int
    bound: int


class DocumentReview(Record):
    """A review of anybody's paper, made by programs.

    `score` and `interval` are points from 1 to 10, never rounded; None: there is no prior, so nothing to start from. The
    mean human score is taken as normally distributed: centre `score`, `coverage` of it inside `interval` (cut to the scale).
    `acceptance`: the probability of acceptance at the venue of the prior, after the findings.
    """

    schema_version: Literal[1] = 1
    paper: str
    source: str = ""
    title: str = ""
    kind: str = ""
    pages: int = 0
    words: int = 0
    injections: tuple[InjectionFinding, ...] = ()
    findings: tuple[Finding, ...] = ()
    errors: int = Field(default=0, description="errors of substance")
    slips: int = Field(default=0, description="errors of the manuscript alone")
    warnings: int = 0
    expected: Expected = Expected()
    score: float | None = None
    interval: tuple[float, float] | None = None
    coverage: float | None = None
    acceptance: float | None = None
    rule: str = ""
    strengths: tuple[Strength, ...] = ()
    weaknesses: tuple[Weakness, ...] = ()
    numbers: Numbers | None = None
    references: References | None = None
    unchecked: tuple[str, ...] = Field(default=(), description="what could not be read or was not checked")
    made_from: str = Field(default="", description="hash of the paper's bytes, of the program and of what was asked")
