"""The area chair: words about several reviews. Numbers are not its business."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from scientist.lab import Record
from scientist.llm import Ask, Message, Model, data, render
from scientist.reviews.forms import FilledReview, Point
from scientist.reviews.model._answers import line
from scientist.reviews.model._reviewer import ROLE
from scientist.reviews.model._shown import shuffled

PERSONA = "an area chair who has not read the paper and knows it by its reviews"
ANSWER = 3_000  # tokens


class Decisive(Record):
    """A remark that decides, by its name, and why."""

    remark: str = Field(max_length=12)
    why: str = Field(max_length=600)


class MetaReview(Record):
    """What the chair makes of the reviews. Remarks are named `R<reviewer>.W<n>` (weakness), `.S<n>` (strength)."""

    summary: str = Field(min_length=1, max_length=4000)
    agreed: tuple[str, ...] = Field(default=(), max_length=15)
    disputed: tuple[str, ...] = Field(default=(), max_length=15)
    decisive: tuple[Decisive, ...] = Field(default=(), max_length=15)


def meta_review(
    model: Model, paper: str, reviews: Mapping[int, FilledReview], seed: int, findings: str = ""
) -> MetaReview:
    """The meta-review of reviews by their reviewers' numbers; `findings` as they are told. Raises :class:`NoAnswer`."""
    order = shuffled(sorted(reviews), seed, "chair")
    known = {name for number in order for name in remarks_of(number, reviews[number])}
    asked = render(
        "meta_review",
        example=next(iter(sorted(known)), "R1.W1"),
        reviews="\n\n".join(data(f"review R{number}", _told(number, reviews[number])) for number in order),
        findings=data("findings", findings) if findings else "",
    )

    def check(answer: MetaReview) -> None:
        if unknown := [one.remark for one in answer.decisive if one.remark not in known]:
            raise ValueError(f"there is no remark '{unknown[0]}': use the names as they stand in the reviews")

    ask = Ask(
        role=ROLE,
        task=f"meta-review of {paper}",
        messages=(
            Message(role="system", text=render("review_system", persona=PERSONA)),
            Message(role="user", text=asked),
        ),
        max_tokens=ANSWER,
    )
    found = model.ask_record(ask, MetaReview, check, paper)
    return MetaReview(
        summary=line(found.summary),
        agreed=tuple(map(line, found.agreed)),
        disputed=tuple(map(line, found.disputed)),
        decisive=tuple(Decisive(remark=one.remark, why=line(one.why)) for one in found.decisive),
    )


def remarks_of(number: int, review: FilledReview) -> dict[str, Point]:
    """The remarks of a review by their names."""
    strengths = {f"R{number}.S{n}": point for n, point in enumerate(review.strengths, start=1)}
    return strengths | {f"R{number}.W{n}": point for n, point in enumerate(review.weaknesses, start=1)}


def _told(number: int, review: FilledReview) -> str:
    """A review without its scores."""
    lines = [f"Review R{number}", f"Summary: {review.summary}"]
    for name, point in remarks_of(number, review).items():
        kind = f" ({point.kind})" if point.kind else ""
        place = f" [{point.quote.section}: “{point.quote.text}”]" if point.located and point.quote else " [not found]"
        lines.append(f"{name}{kind}: {point.text}{place}")
    lines += [f"Question: {question}" for question in review.questions]
    lines += [f"Limitation: {limit}" for limit in review.limitations]
    if review.ethical_concerns:
        lines.append(f"Ethics: {review.ethical_concerns}")
    return "\n".join(lines)
