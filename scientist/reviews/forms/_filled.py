"""A filled form: scores with the quotations they rest on, and remarks that say where they point."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field

from scientist.lab import Record

Kind = Literal["soundness", "evidence", "novelty", "clarity", "scope", "ethics"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Quotation(Record):
    """Words of the paper, and the section in which they were found; an empty section: they were not found."""

    text: str
    section: str = ""


class Answer(Record):
    """A score and what it rests on. `supported`: a quotation was found (None: nobody looked, as in an imported review).

    A score that is not supported is kept to be seen, and counts nowhere.
    """

    criterion: str
    score: float
    why: str = ""
    quotes: tuple[Quotation, ...] = ()
    supported: bool | None = None
    problem: str = ""

    @property
    def counts(self) -> bool:
        """Whether the score may be used."""
        return self.supported is not False


class Point(Record):
    """A strength or a weakness. `kind` is None for strengths and for weaknesses that nobody typed.

    `actionable`: a next study could mend it, and `action` says how. `located`: its quotation stands in the paper.
    """

    text: str
    kind: Kind | None = None
    quote: Quotation | None = None
    actionable: bool = False
    action: str = ""

    @property
    def located(self) -> bool:
        return self.quote is not None and bool(self.quote.section)


class FilledReview(Record):
    """One reviewer's form. `decision` is the reviewer's own where one was imported, else that of the form's threshold."""

    schema_version: Literal[1] = 1
    paper: str
    reviewer: str
    form: str
    summary: str = ""
    strengths: tuple[Point, ...] = ()
    weaknesses: tuple[Point, ...] = ()
    questions: tuple[str, ...] = ()
    limitations: tuple[str, ...] = ()
    ethical_concerns: str = ""
    texts: dict[str, str] = Field(default_factory=dict, description="free texts that the form asks for beyond these")
    answers: tuple[Answer, ...] = Field(description="the criteria, and 'overall'")
    confidence: float | None = None
    decision: str = ""
    before: dict[str, float] = Field(default_factory=dict, description="scores before the findings were seen")

    def answer(self, criterion: str) -> Answer | None:
        """The answer to a criterion, if there is one."""
        return next((one for one in self.answers if one.criterion == criterion), None)

    def score(self, criterion: str) -> float | None:
        """The score of a criterion; None where it was not given or does not count."""
        found = self.answer(criterion)
        return found.score if found is not None and found.counts else None

    @property
    def complete(self) -> bool:
        """Every score counts."""
        return bool(self.answers) and all(one.counts for one in self.answers)
