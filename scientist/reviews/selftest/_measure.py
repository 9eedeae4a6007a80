"""How a reviewer's score moves when a paper is edited, against how it moves when the paper is only read again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, Protocol

import numpy as np
from pydantic import Field

from scientist.errors import UsageError
from scientist.lab import Record
from scientist.reviews.checks import Finding, check_document
from scientist.reviews.document import review_document
from scientist.reviews.reading import Document
from scientist.reviews.rule import counts_of
from scientist.reviews.selftest._edits import HARMFUL, IDLE, Edit, retest

READINGS = 4
"""How often every paper is read again."""
LEAST = 0.05
"""Points by which a score has to move to count as moved: a rounding is no judgement."""
LEAST_LOWERED, MOST_RAISED = 0.75, 0.05
"""The share of papers that harm must lower, and the share that a trick may raise beyond the spread: as many as chance would."""


class Reviewer(Protocol):
    """Anything that gives points from 1 to 10: `findings` are those of the checks, `seed` draws what a model leaves open.

    None: it has no score for this paper.
    """

    def __call__(self, document: Document, findings: Sequence[Finding], seed: int) -> float | None: ...


Check = Callable[[Document], Sequence[Finding]]


@dataclass(frozen=True)
class Subject:
    """A paper, and what holds it or an edited twin of it against itself and, where they are at hand, its true runs."""

    name: str
    document: Document
    check: Check = check_document


class Spread(Record):
    """How far scores of one paper lie apart when nothing but its reading changes: standard deviation within papers, and
    the distance of two readings that 95 % stay within."""

    readings: int
    sd: float
    range95: float


class Change(Record):
    """What an edit did to one paper's score."""

    paper: str
    before: float
    after: float
    new: tuple[str, ...] = Field(default=(), description="kinds of findings that only the edited twin has")

    @property
    def points(self) -> float:
        return self.after - self.before


class Row(Record):
    """One edit over all papers that it changes; points of the score."""

    edit: str
    must: Literal["lower", "not raise"]
    papers: int
    mean: float = 0.0
    low: float = Field(default=0.0, description="of 95 % of the papers")
    high: float = 0.0
    lowered: int = Field(default=0, description=f"by {LEAST} points or more")
    unchanged: int = 0
    raised: int = 0
    lowered_beyond: int = Field(default=0, description="by more than the spread")
    raised_beyond: int = 0
    holds: bool = True
    changes: tuple[Change, ...] = ()


class SelfTest(Record):
    """`selftest.json`. `capped`: papers at the ceiling before any edit, which no harm can lower further; `left_out`: papers
    without a score, and why."""

    schema_version: Literal[1] = 1
    reviewer: str
    seed: int
    papers: tuple[str, ...]
    spread: Spread
    rows: tuple[Row, ...]
    capped: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        return all(row.holds for row in self.rows)


def by_programs(document: Document, findings: Sequence[Finding], seed: int) -> float | None:
    """The reviewer without a model: what the text makes one expect, less what the findings take."""
    return review_document(document, findings).score


def reviews_needed(papers: int, readings: int = READINGS) -> int:
    """How many reviews a self-test asks for at most."""
    return papers * (1 + readings + len(HARMFUL) + len(IDLE))


def measure(
    subjects: Sequence[Subject],
    reviewer: Reviewer = by_programs,
    *,
    name: str = "programs",
    seed: int = 0,
    seeded: bool = False,
    readings: int = READINGS,
    say: Callable[[str], None] = lambda _: None,
) -> SelfTest:
    """Every edit on every paper. Raises :class:`UsageError` when no paper gets a score.

    `seeded`: the reviewer draws, so that reading again means asking again with another seed; otherwise it means the same
    paper with a tenth of its sentences overlooked. Deterministic for a reviewer that is.
    """
    before: list[tuple[Subject, float, frozenset[str]]] = []
    capped, left_out, again = [], [], []
    changes: dict[str, list[Change]] = {edit: [] for edit in (*HARMFUL, *IDLE)}
    for number, subject in enumerate(subjects, 1):
        say(f"{subject.name} ({number} of {len(subjects)})")
        findings = subject.check(subject.document)
        score = reviewer(subject.document, findings, seed)
        if score is None:
            left_out.append(f"{subject.name}: no score")
            continue
        kinds = frozenset(one.kind for one in findings)
        before.append((subject, score, kinds))
        at_ceiling = counts_of(findings).errors > 0
        if at_ceiling:
            capped.append(subject.name)
        again.append(_read_again(subject, reviewer, findings, seed, seeded, readings))
        for edit, change in {**({} if at_ceiling else HARMFUL), **IDLE}.items():
            if moved := _changed(subject, reviewer, change, seed, score, kinds):
                changes[edit].append(moved)
    if not before:
        raise UsageError("no paper got a score", "name papers with at least a few hundred words of text")
    spread = spread_of(again)
    return SelfTest(
        reviewer=name,
        seed=seed,
        papers=tuple(subject.name for subject, _, _ in before),
        spread=spread,
        rows=tuple(row_of(edit, found, spread.range95) for edit, found in changes.items()),
        capped=tuple(capped),
        left_out=tuple(left_out),
    )


def _changed(
    subject: Subject, reviewer: Reviewer, edit: Edit, seed: int, before: float, kinds: frozenset[str]
) -> Change | None:
    """None where the edit finds nothing to change, or leaves nothing that gets a score."""
    document = edit(subject.document, seed)
    if _read(document) == _read(subject.document):
        return None
    findings = subject.check(document)
    after = reviewer(document, findings, seed)
    if after is None:
        return None
    new = sorted({one.kind for one in findings if one.severity != "note"} - kinds)
    return Change(paper=subject.name, before=before, after=after, new=tuple(new))


def _read(document: Document) -> Document:
    """What stands in a document, without what is counted or looked up in it."""
    return document.model_copy(update={"words": 0, "cites": (), "crossrefs": ()})


def _read_again(
    subject: Subject, reviewer: Reviewer, findings: Sequence[Finding], seed: int, seeded: bool, readings: int
) -> list[float]:
    scores = []
    for draw in range(1, readings + 1):
        if seeded:
            score = reviewer(subject.document, findings, seed + draw)
        else:
            document = retest(subject.document, seed + draw)
            score = reviewer(document, subject.check(document), seed)
        if score is not None:
            scores.append(score)
    return scores


def spread_of(again: Sequence[Sequence[float]]) -> Spread:
    """The spread of readings, each inner list those of one paper. Pure."""
    several = [scores for scores in again if len(scores) > 1]
    apart = [abs(a - b) for scores in several for a, b in combinations(scores, 2)]
    inside = [float(np.var(scores, ddof=1)) for scores in several]
    return Spread(
        readings=max((len(scores) for scores in again), default=0),
        sd=round(float(np.sqrt(np.mean(inside))), 4) if inside else 0.0,
        range95=round(float(np.quantile(apart, 0.95)), 4) if apart else 0.0,
    )


def row_of(edit: str, changes: Sequence[Change], spread: float) -> Row:
    """One line of the table. Pure.

    Harm holds when it lowers at least three papers in four, and the mean of all; a trick holds when no more papers than one in
    twenty are raised beyond the spread, as many as reading them again does, and the mean is not.
    """
    must: Literal["lower", "not raise"] = "lower" if edit in HARMFUL else "not raise"
    if not changes:
        return Row(edit=edit, must=must, papers=0)
    points = np.array([round(change.points, 6) for change in changes])
    lowered, raised = int((points <= -LEAST).sum()), int((points >= LEAST).sum())
    beyond = int((points > spread).sum())
    low, high = np.quantile(points, [0.025, 0.975])
    if must == "lower":
        holds = lowered >= LEAST_LOWERED * len(points) and float(points.mean()) < 0
    else:
        holds = beyond <= MOST_RAISED * len(points) and float(points.mean()) <= spread
    return Row(
        edit=edit,
        must=must,
        papers=len(points),
        mean=round(float(points.mean()), 4),
        low=round(float(low), 4),
        high=round(float(high), 4),
        lowered=lowered,
        unchanged=len(points) - lowered - raised,
        raised=raised,
        lowered_beyond=int((points < -spread).sum()),
        raised_beyond=beyond,
        holds=holds,
        changes=tuple(changes),
    )
