"""Several independent reviewers and an area chair; means that stay means."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import Field

from scientist.lab import Record
from scientist.llm import Model, NoAnswer
from scientist.reviews.forms import CONFIDENCE, NEURIPS, OVERALL, FilledReview, Form
from scientist.reviews.model._chair import MetaReview, meta_review
from scientist.reviews.model._reviewer import ModelReviewer
from scientist.reviews.model._shown import LONGEST, show
from scientist.reviews.reading import Document
from scientist.reviews.rule import Checked, Coefficients, Combined, combine, counts_of, told_findings


class Spread(Record):
    """Scores of one criterion over reviewers: as given, never rounded. `sd` is the sample's (n − 1), None below two."""

    criterion: str
    low: float
    high: float
    scores: tuple[float, ...] = ()
    mean: float | None = None
    sd: float | None = None

    @property
    def n(self) -> int:
        return len(self.scores)


class Panel(Record):
    """`panel.json`: everything that came of one paper. `reviews` are in the order of their numbers."""

    schema_version: Literal[1] = 1
    paper: str
    form: str
    model: str
    seed: int
    asked: int
    numbers: tuple[int, ...] = Field(default=(), description="of the reviewers whose review is here")
    reviews: tuple[FilledReview, ...] = ()
    spreads: tuple[Spread, ...] = ()
    meta: MetaReview | None = None
    errors: int = Field(default=0, description="errors of substance that programs found")
    slips: int = Field(default=0, description="errors of the manuscript alone")
    warnings: int = 0
    prior: float | None = None
    combined: Combined
    overall: float | None = Field(default=None, description="the combined score on the form's scale of Overall")
    decision: Literal["Accept", "Reject", ""] = ""
    injections: tuple[str, ...] = Field(default=(), description="what the paper tried to tell its reviewers")
    hidden: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    failed: tuple[str, ...] = Field(default=(), description="who gave nothing that can be used, and why")


def spread_of(criterion: str, low: float, high: float, scores: Sequence[float]) -> Spread:
    """Mean and sample standard deviation. Pure."""
    mean = math.fsum(scores) / len(scores) if scores else None
    sd = None
    if mean is not None and len(scores) > 1:
        sd = math.sqrt(math.fsum((score - mean) ** 2 for score in scores) / (len(scores) - 1))
    return Spread(criterion=criterion, low=low, high=high, scores=tuple(scores), mean=mean, sd=sd)


def spreads_of(reviews: Sequence[FilledReview], form: Form) -> tuple[Spread, ...]:
    """Per criterion, Overall and confidence, over the scores that count."""
    rows = []
    for criterion in form.scored:
        scores = [score for review in reviews if (score := review.score(criterion.name)) is not None]
        rows.append(spread_of(criterion.name, criterion.low, criterion.high, scores))
    sure = [review.confidence for review in reviews if review.confidence is not None]
    return (*rows, spread_of(CONFIDENCE, form.confidence.low, form.confidence.high, sure))


def review_paper(
    document: Document,
    model: Model,
    form: Form = NEURIPS,
    *,
    name: str = "",
    reviewers: int = 3,
    seed: int = 0,
    findings: Sequence[Checked] = (),
    hide: Sequence[str] = (),
    injections: Sequence[str] = (),
    prior: float | None = None,
    coefficients: Coefficients | None = None,
    longest: int = LONGEST,
    say: Callable[[str], None] = lambda _: None,
) -> Panel:
    """Have a paper reviewed by `reviewers` independent reviewers, and by an area chair where there are at least two reviews.

    `findings` are those of the deterministic checks: reviewers see them once, after their first form. `hide`: passages
    that nobody is shown; `injections`: what an injection scan found and took out, in words, for people. `prior`: the mean human score that a calibrated model of
    the text expects, as a share of its scale. The
    same document, model, seed and settings ask the same questions. A reviewer without a usable answer is named in
    `failed`; everything else that asking a model raises is raised.
    """
    name = name or document.source
    shown = show(document, longest, hide)
    reviews: dict[int, FilledReview] = {}
    failed: list[str] = []
    for number in range(1, reviewers + 1):
        reviewer = ModelReviewer(model, form, number, seed)
        say(f"reviewer {number} of {reviewers} reads the paper")
        try:
            reviews[number] = reviewer.review(name, shown, findings)
        except NoAnswer as error:
            failed.append(f"reviewer {number}: {error.message}"[:400])
    meta = None
    if len(reviews) > 1:
        say("the area chair reads the reviews")
        try:
            meta = meta_review(model, name, reviews, seed, told_findings(findings, shown.blind))
        except NoAnswer as error:
            failed.append(f"area chair: {error.message}"[:400])
    errors, slips, warnings, grave = counts_of(findings)
    spreads = spreads_of(list(reviews.values()), form)
    overall = next(one for one in spreads if one.criterion == OVERALL)
    share = form.overall.share(overall.mean) if overall.mean is not None else None
    combined = combine(prior, share, errors, slips, warnings, grave, coefficients)
    score = form.overall.at(combined.share) if combined.share is not None else None
    decision: Literal["Accept", "Reject", ""] = ""
    if score is not None:
        decision = "Accept" if score >= form.accept_at and not errors else "Reject"
    return Panel(
        paper=name,
        form=form.name,
        model=model.label,
        seed=seed,
        asked=reviewers,
        numbers=tuple(reviews),
        reviews=tuple(reviews.values()),
        spreads=spreads,
        meta=meta,
        errors=errors,
        slips=slips,
        warnings=sum(one.severity == "warning" for one in findings),
        prior=prior,
        combined=combined,
        overall=score,
        decision=decision,
        injections=tuple(injections),
        hidden=shown.hidden,
        left_out=shown.left_out,
        failed=tuple(failed),
    )
