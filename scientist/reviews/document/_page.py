"""A review as a page of Markdown: what is hidden first, then the score, the findings, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from scientist.reviews._markdown import safe
from scientist.reviews.checks import Finding
from scientist.reviews.document._record import DocumentReview, Place, Strength, Weakness
from scientist.reviews.document._remedies import remedy_of
from scientist.reviews.document._told import (
    TITLES,
    about_told,
    acceptance_told,
    counts_told,
    moved_told,
    place_told,
    places_told,
    score_told,
)
from scientist.reviews.injection import escaped

SHOWN = 200
"""Findings on a page; review.json has all."""


def render_document_review(review: DocumentReview) -> str:
    """The whole review; what the paper says is escaped and on one line."""
    prior = review.expected.prior
    parts = [
        f"# Review of {safe(escaped(review.title or review.paper, 300))}",
        f"{safe(about_told(review))}. Made by programs: no person and no model judged this paper.",
        _bullets(
            "What this paper hides from its readers, or tells its reviewers",
            (
                f"**{safe(one.kind)}**, {safe(escaped(one.where))}: “{safe(escaped(one.text))}”"
                for one in review.injections[:SHOWN]
            ),
        ),
        _score(review),
        _weaknesses(review.weaknesses),
        _bullets(
            "Errors and warnings",
            (_finding(one) for one in _shown(review.findings, ("error", "warning"))),
        )
        or "## Errors and warnings\n\nNone.",
        _bullets("Strengths that a program can show", map(_strength, review.strengths)),
        _bullets(
            "What moved the prior most, in points",
            (f"{safe(feature)} {points}" for feature, points in moved_told(prior)) if prior else (),
        ),
        _bullets("Notes", (_finding(one) for one in _shown(review.findings, ("note",)))),
        _bullets("What was not read or not checked", (safe(escaped(line)) for line in review.unchecked)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _shown(findings: Iterable[Finding], severities: tuple[str, ...]) -> list[Finding]:
    return [one for one in findings if one.severity in severities][:SHOWN]


def _score(review: DocumentReview) -> str:
    lines = [f"**Score {score_told(review)}.**"]
    if told := acceptance_told(review):
        lines.append(f"Probability of acceptance {told}.")
    if prior := review.expected.prior:
        low, high = prior.interval
        lines.append(
            f"By the text alone: {prior.score:.2f} ({low:.2f} to {high:.2f}), fitted on {safe(prior.trained_on)}."
        )
    lines += [f"{safe(line[:1].upper() + line[1:])}." for line in review.expected.cautions]
    lines.append(f"Rule: {safe(review.rule)}. Findings: {counts_told(review)}.")
    if review.numbers:
        lines.append(
            f"{review.numbers.looked_at} numbers were held against the runs, {review.numbers.bound} are theirs."
        )
    if review.references:
        refs = review.references
        lines.append(
            f"Of {refs.entries} references {refs.verified} were verified, {refs.wrong} are printed wrongly, "
            f"{refs.not_found} were not found, {refs.unverifiable} could not be verified now."
        )
    return "## Score\n\n" + "\n".join(lines)


def _finding(one: Finding) -> str:
    remedy = remedy_of(one.kind)
    place = place_told(Place(section=one.section, page=one.page))
    lines = [f"**{one.severity}** {safe(one.kind)} ({remedy.about}): {safe(escaped(one.message))}"]
    for label, text in (("Where", place), ("Says", one.sentence), ("Expected", one.expected), ("From", one.source)):
        if text:
            said = safe(escaped(text))
            lines.append(f"  - {label}: {f'“{said}”' if label == 'Says' else said}")
    return "\n".join(lines)


def _weaknesses(weaknesses: Iterable[Weakness]) -> str:
    rows = [
        f"| {TITLES[one.kind]} | {safe(one.cause)} | {one.count} | {safe(places_told(one))} | {safe(one.action)} "
        f"| {'a study' if one.actionable else 'writing'} |"
        for one in weaknesses
    ]
    head = "| type | kind | found | where | what to do | settled by |\n|---|---|---|---|---|---|\n"
    return "## Weaknesses\n\n" + head + "\n".join(rows) if rows else ""


def _strength(one: Strength) -> str:
    if one.place is None:
        return safe(one.text)
    said = f" “{safe(escaped(one.place.sentence))}”" if one.place.sentence else ""
    where = place_told(one.place)
    return f"{safe(one.text)}{said}" + (f" [{safe(where)}]" if where else "")


def _bullets(title: str, lines: Iterable[str]) -> str:
    told = "\n".join(f"- {line}" for line in lines)
    return f"## {title}\n\n{told}" if told else ""
