"""A review as a page for a browser. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from scientist.reviews.checks import Finding
from scientist.reviews.document._html import bullets, curve, page, section, table, text
from scientist.reviews.document._page import SHOWN
from scientist.reviews.document._record import DocumentReview, Place, Strength
from scientist.reviews.document._remedies import remedy_of
from scientist.reviews.document._told import (
    TITLES,
    about_told,
    acceptance_told,
    counts_told,
    moved_told,
    place_told,
    places_told,
)


def web_page(review: DocumentReview) -> str:
    """The whole page: what is hidden first, then the distribution, the findings, and what to do."""
    prior = review.expected.prior
    grave = [one for one in review.findings if one.severity != "note"]
    notes = [one for one in review.findings if one.severity == "note"]
    more = len(grave) - SHOWN
    findings = "\n".join(map(_finding, grave[:SHOWN])) or "<p>None was found.</p>"
    if more > 0:
        findings += f'<p class="soft">And {more} more; review.json has all.</p>'
    body = [
        f"<header><h1>{text(review.title or review.paper, 300)}</h1>",
        f'<p class="soft">{text(about_told(review))}. Made by programs: no person and no model judged this paper.</p></header>',
        _hidden(review),
        _score(review),
        section(
            "Weaknesses, and what to do",
            table(
                [("Type", False), ("Kind", False), ("Found", True), ("What to do", False), ("Settled by", False)],
                (
                    [
                        TITLES[one.kind],
                        f'<span class="{one.severity}">{text(one.cause)}</span>',
                        str(one.count),
                        f"{text(one.action)}<br><small>{text(places_told(one))}</small>",
                        "a study" if one.actionable else "writing",
                    ]
                    for one in review.weaknesses
                ),
            ),
        ),
        section("Errors and warnings", findings),
        section("Strengths that a program can show", bullets(map(_strength, review.strengths))),
        section(
            "What moved the prior most",
            table(
                [("Feature of the text", False), ("Points", True)],
                ([text(feature), points] for feature, points in moved_told(prior)),
            )
            + '<p class="soft">What was found in two years of one venue; no advice. Changing the text changes the prior and not the paper.</p>'
            if prior
            else "",
        ),
        section("What was not read or not checked", bullets(text(line) for line in review.unchecked)),
    ]
    if notes:
        told = "\n".join(map(_finding, notes[:SHOWN]))
        body.append(section("Notes", f"<details><summary>{len(notes)} for the record</summary>\n{told}\n</details>"))
    body.append(f'<p class="foot">Rule of the score: {text(review.rule)}.</p>')
    return page(f"Review of {review.title or review.paper}", body)


def _hidden(review: DocumentReview) -> str:
    if not review.injections:
        return ""
    told = bullets(
        f'<b class="error">{text(one.kind)}</b>, {text(one.where)}: “{text(one.text)}”'
        for one in review.injections[:SHOWN]
    )
    return (
        '<section class="box hidden"><p><b class="error">This paper hides text from its readers, or tells its reviewers what to say.</b> '
        f"It was left out of everything below and takes no points; what to do about it is for a person.</p>\n{told}</section>"
    )


def _score(review: DocumentReview) -> str:
    return '<section class="box">\n' + "\n".join(_score_lines(review)) + "\n</section>"


def _score_lines(review: DocumentReview) -> Iterator[str]:
    prior = review.expected.prior
    if review.score is not None and review.interval is not None and review.coverage is not None and prior is not None:
        low, high = review.interval
        yield (
            f'<div class="facts"><div><small>Score</small><span class="big">{review.score:.2f}<small> of 10</small></span></div>'
            f"<div><small>{review.coverage:.0%} interval</small><b>{low:.2f} to {high:.2f}</b></div>"
            f"<div><small>Probability of acceptance</small><b>{review.acceptance:.2f}</b></div>"
            f"<div><small>Findings</small><b>{text(counts_told(review))}</b></div></div>"
        )
        half = review.expected.widened * max(prior.score - prior.interval[0], prior.interval[1] - prior.score)
        yield curve(review.score, review.interval, review.coverage, half, prior.score)
        yield (
            f'<p class="soft">The mean score that human reviewers would give, as the text makes one expect it (fitted on {text(prior.trained_on)}), '
            f"less what was found. Probability of acceptance: {text(acceptance_told(review))}.</p>"
        )
    else:
        yield f"<p><b>No score.</b> Findings: {text(counts_told(review))}.</p>"
    for line in review.expected.cautions:
        yield f'<p class="warning">{text(line[:1].upper() + line[1:])}.</p>'
    if review.numbers:
        yield f"<p>{review.numbers.looked_at} numbers were held against the runs, {review.numbers.bound} are theirs.</p>"
    if review.references:
        refs = review.references
        yield (
            f"<p>Of {refs.entries} references {refs.verified} were verified, {refs.wrong} are printed wrongly, {refs.not_found} were not found, "
            f"{refs.unverifiable} could not be verified now.</p>"
        )


def _finding(one: Finding) -> str:
    about = TITLES[remedy_of(one.kind).about]
    rows = [
        (label, said)
        for label, said in (
            ("Where", place_told(Place(section=one.section, page=one.page))),
            ("Expected", one.expected),
            ("From", one.source),
        )
        if said
    ]
    listed = "".join(f"<dt>{label}</dt><dd>{text(said)}</dd>" for label, said in rows)
    quote = f"<blockquote>{text(one.sentence)}</blockquote>" if one.sentence else ""
    return (
        f'<div class="finding {one.severity}"><span class="tag">{one.severity} · {text(one.kind)}</span>'
        f'<span class="soft">{about}</span><p>{text(one.message)}</p>{quote}'
        + (f"<dl>{listed}</dl>" if listed else "")
        + "</div>"
    )


def _strength(one: Strength) -> str:
    if one.place is None:
        return text(one.text)
    where = place_told(one.place)
    quote = f"<blockquote>{text(one.place.sentence)}</blockquote>" if one.place.sentence else ""
    return text(one.text) + (f" <small>{text(where)}</small>" if where else "") + quote
