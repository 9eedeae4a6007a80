"""What a reviewing model answers, and what is made of it: scores that stand on quotations, and remarks with a place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from pydantic import Field

from scientist.lab import Record
from scientist.reviews.forms import OVERALL, Answer, FilledReview, Form, Kind, Point, Quotation
from scientist.reviews.model._quotes import Searchable, words

MOST_USES = 3


class Scored(Record):
    """One criterion: reasons and quotations first, then the score."""

    criterion: str = Field(max_length=60)
    why: str = Field(max_length=2000)
    quotes: tuple[str, ...] = Field(default=(), max_length=5)
    score: int


class Strength(Record):
    """What speaks for the paper."""

    text: str = Field(min_length=1, max_length=1500)
    quote: str = Field(default="", max_length=1000)


class Weakness(Record):
    """What speaks against it. `action`: what a next study would do about it, where one could."""

    kind: Kind
    text: str = Field(min_length=1, max_length=1500)
    quote: str = Field(default="", max_length=1000)
    actionable: bool
    action: str = Field(default="", max_length=600)


class Written(Record):
    """A free text that the form asks for."""

    name: str = Field(max_length=60)
    text: str = Field(max_length=4000)


class Reviewed(Record):
    """A whole answer."""

    summary: str = Field(min_length=1, max_length=4000)
    strengths: tuple[Strength, ...] = Field(default=(), max_length=15)
    weaknesses: tuple[Weakness, ...] = Field(default=(), max_length=15)
    questions: tuple[str, ...] = Field(default=(), max_length=15)
    limitations: tuple[str, ...] = Field(default=(), max_length=15)
    ethical_concerns: str = Field(default="", max_length=2000)
    texts: tuple[Written, ...] = Field(default=(), max_length=20)
    scores: tuple[Scored, ...] = Field(min_length=1, max_length=25)
    confidence: int


class Mended(Record):
    """Criteria asked for a second time."""

    scores: tuple[Scored, ...] = Field(min_length=1, max_length=25)


def check_scores(scores: Sequence[Scored], form: Form, wanted: Sequence[str]) -> None:
    """Raises :class:`ValueError` naming a criterion that is unknown, missing, twice there, or off its scale."""
    told = [one.criterion for one in scores]
    if unknown := [name for name in told if name not in wanted]:
        raise ValueError(f"there is no criterion '{unknown[0][:40]}': they are {', '.join(wanted)}")
    if len(set(told)) != len(told):
        raise ValueError("answer every criterion once")
    if lacking := [name for name in wanted if name not in told]:
        raise ValueError(f"the criterion '{lacking[0]}' is missing")
    scales = {criterion.name: criterion for criterion in form.scored}
    for one in scores:
        if not scales[one.criterion].holds(one.score):
            raise ValueError(f"{one.score} is no score for '{one.criterion}': {scales[one.criterion].told()}")


def check_reviewed(answer: Reviewed, form: Form) -> None:
    """Raises :class:`ValueError` for an answer that is not this form filled."""
    check_scores(answer.scores, form, [criterion.name for criterion in form.scored])
    if not form.confidence.holds(answer.confidence):
        raise ValueError(f"{answer.confidence} is no confidence: {form.confidence.told()}")
    names = [text.name for text in form.own_texts]
    if lacking := [name for name in names if name not in [text.name for text in answer.texts]]:
        raise ValueError(f"the text '{lacking[0]}' is missing from `texts`")


def judged(scores: Sequence[Scored], paper: Searchable) -> dict[str, Answer]:
    """criterion -> score with its quotations looked up. It is supported where one of them stands in the paper.

    A quotation that is given for more than :data:`MOST_USES` criteria says nothing about any of them.
    """
    uses = Counter(key for one in scores for key in {" ".join(words(quote)) for quote in one.quotes})

    def problem(quote: str) -> str:
        if said := paper.problem(quote):
            return said
        return "the same quotation stands for too many criteria" if uses[" ".join(words(quote))] > MOST_USES else ""

    found = {}
    for one in scores:
        problems = [problem(quote) for quote in one.quotes] or ["there is no quotation"]
        quotes = tuple(
            Quotation(text=line(quote), section="" if said else paper.where(quote))
            for quote, said in zip(one.quotes, problems, strict=False)
        )
        supported = any(quote.section for quote in quotes)
        found[one.criterion] = Answer(
            criterion=one.criterion,
            score=one.score,
            why=line(one.why),
            quotes=quotes,
            supported=supported,
            problem="" if supported else problems[0],
        )
    return found


def filled(
    answer: Reviewed, answers: Sequence[Answer], form: Form, paper: Searchable, name: str, reviewer: str
) -> FilledReview:
    """The form as a record. Its decision is that of the form's threshold, where Overall counts."""
    given = {one.criterion: one for one in answers}
    overall = given[OVERALL]
    decision = ("Accept" if overall.score >= form.accept_at else "Reject") if overall.counts else ""
    texts = {text.name: line(text.text) for text in answer.texts}
    return FilledReview(
        paper=name,
        reviewer=reviewer,
        form=form.name,
        summary=line(answer.summary),
        strengths=tuple(Point(text=line(s.text), quote=_placed(s.quote, paper)) for s in answer.strengths),
        weaknesses=tuple(
            Point(
                text=line(w.text),
                kind=w.kind,
                quote=_placed(w.quote, paper),
                actionable=w.actionable and bool(w.action.strip()),
                action=line(w.action) if w.actionable else "",
            )
            for w in answer.weaknesses
        ),
        questions=tuple(said for text in answer.questions if (said := line(text[:1500]))),
        limitations=tuple(said for text in answer.limitations if (said := line(text[:1500]))),
        ethical_concerns=line(answer.ethical_concerns),
        texts={text.name: texts[text.name] for text in form.own_texts if text.name in texts},
        answers=tuple(given[criterion.name] for criterion in form.scored),
        confidence=answer.confidence,
        decision=decision,
    )


def counted(answers: Sequence[Answer]) -> Mapping[str, float]:
    """criterion -> score, of those that count."""
    return {one.criterion: one.score for one in answers if one.counts}


def _placed(quote: str, paper: Searchable) -> Quotation | None:
    said = line(quote)
    return Quotation(text=said, section=paper.where(quote) if not paper.problem(quote) else "") if said else None


def line(text: str) -> str:
    """One line of printable characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
