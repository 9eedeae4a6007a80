"""A review of anybody's paper by programs: findings, what the text makes one expect, and one score of both. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

from scientist.reviews.checks import Finding, in_order
from scientist.reviews.document._expected import expected_of
from scientist.reviews.document._record import (
    DocumentReview,
    Expected,
    Numbers,
    Place,
    References,
    Weakness,
)
from scientist.reviews.document._remedies import remedy_of
from scientist.reviews.document._strengths import strengths_of
from scientist.reviews.injection import InjectionFinding
from scientist.reviews.reading import Document
from scientist.reviews.rule import combine, counts_of

LOW, HIGH = 1.0, 10.0
"""The scale of Overall."""
MOST_PLACES = 5
_SURE = 1e-6


def review_document(
    document: Document,
    findings: Sequence[Finding] = (),
    injections: Sequence[InjectionFinding] = (),
    *,
    name: str = "",
    expected: Expected | None = None,
    references: References | None = None,
    numbers: Numbers | None = None,
) -> DocumentReview:
    """Review a document. Pure: the same arguments give the same review.

    `findings`: of the checks, in any order; `injections`: what the scan found, with the document already
    `quarantined`; `expected`: what the text makes one expect (None: it is made from the document); `references`,
    `numbers`: what became of looking the references up, and of holding the numbers against runs, where that was done.

    The score is that of :func:`scientist.reviews.rule.combine`: the prior, less something for each error and the first
    warnings, and with an error of substance at most its ceiling. An injection takes nothing: it is shown first, and a
    person decides. One more finding never raises the score.
    """
    expected = expected_of(document) if expected is None else expected
    findings = in_order(findings)
    errors, slips, warnings, grave = counts_of(findings)
    prior = expected.prior
    combined = combine((prior.score - LOW) / (HIGH - LOW) if prior else None, None, errors, slips, warnings, grave)
    score = interval = acceptance = None
    if prior is not None and combined.share is not None:
        score = LOW + (HIGH - LOW) * combined.share
        half = expected.widened * max(prior.score - prior.interval[0], prior.interval[1] - prior.score)
        interval = (max(LOW, score - half), min(HIGH, score + half))
        acceptance = accepted_after(prior.acceptance, prior.score, score, half, prior.coverage)
    return DocumentReview(
        paper=name or document.source,
        source=document.source,
        title=document.title,
        kind=document.kind,
        pages=document.pages,
        words=document.words,
        injections=tuple(injections),
        findings=findings,
        errors=errors,
        slips=slips,
        warnings=sum(one.severity == "warning" for one in findings),
        expected=expected,
        score=score,
        interval=interval,
        coverage=prior.coverage if prior else None,
        acceptance=acceptance,
        rule=combined.rule,
        strengths=strengths_of(document, findings, references, numbers),
        weaknesses=weaknesses_of(findings),
        numbers=numbers,
        references=references,
        unchecked=_unchecked(document, references, numbers),
    )


def accepted_after(acceptance: float, before: float, after: float, half: float, coverage: float) -> float:
    """The probability of acceptance when the expected score moves from `before` to `after`.

    A normal distribution whose central `coverage` is ± `half` around `before` leaves `acceptance` above some threshold;
    what of the same distribution around `after` lies above that threshold is the answer.
    """
    spread = NormalDist(0.0, max(half, _SURE) / NormalDist().inv_cdf((1 + coverage) / 2))
    threshold = before + spread.inv_cdf(1 - min(max(acceptance, _SURE), 1 - _SURE))
    return 1 - spread.cdf(threshold - after)


def weaknesses_of(findings: Sequence[Finding]) -> tuple[Weakness, ...]:
    """One weakness for each kind of error or warning, in the order of the findings."""
    kinds: dict[tuple[str, str], list[Finding]] = {}
    for one in findings:
        kinds.setdefault((one.severity, one.kind), []).append(one)
    found = []
    for (severity, kind), same in kinds.items():
        if severity == "note":
            continue
        about, study, what = remedy_of(kind)
        found.append(
            Weakness(
                kind=about,
                severity=severity,
                cause=kind,
                text=same[0].message,
                count=len(same),
                places=tuple(Place(section=f.section, page=f.page, sentence=f.sentence) for f in same[:MOST_PLACES]),
                actionable=study,
                action=what,
            )
        )
    return tuple(found)


def _unchecked(document: Document, references: References | None, numbers: Numbers | None) -> tuple[str, ...]:
    """What could not be read, what nobody looked at, and what no program can see."""
    lines = list(document.unread)
    if not document.abstract:
        lines.append("no abstract was recognised")
    if references is None:
        lines.append(
            f"none of the {len(document.references)} references was looked up; `scientist verify-citations` does that"
            if document.references
            else "no list of references was recognised"
        )
    elif references.unverifiable:
        lines.append(f"{references.unverifiable} of {references.entries} references could not be verified now")
    if numbers is None:
        lines.append("there are no runs to hold the numbers against")
    pictures = len(document.figures)
    if pictures:
        lines.append(f"{pictures} picture{'s' if pictures > 1 else ''}: what they show is not looked at")
    return (*lines, "whether the argument holds, and whether the idea is new: no program judges that")
