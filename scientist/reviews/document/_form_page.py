"""The form of a paper of a lab as a page for a browser. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from scientist.reviews.document._html import bullets, page, section, table, text

if TYPE_CHECKING:
    from scientist.reviews._form import Remark, Review

PARTS = ("originality", "quality", "clarity", "significance", "soundness", "presentation", "contribution")


def form_web_page(review: Review) -> str:
    """The filled form: decision and Overall first, then the parts and every remark with where it points."""
    cited = (
        f"<b>{text(one.key)}</b>: {text(one.passage)} <small>{text(one.passage_of)}, {text(one.source)}</small>"
        for one in review.citations
    )
    body = [
        f"<header><h1>{text(review.slug)}</h1>",
        f'<p class="soft">Reviewed by {text(review.reviewer)}, by stated rules.</p></header>',
        '<section class="box"><div class="facts">'
        f'<div><small>Overall</small><span class="big">{review.overall}<small> of 10</small></span></div>'
        f"<div><small>Decision</small><b>{review.decision}</b></div>"
        f"<div><small>Confidence</small><b>{review.confidence} of 5</b></div></div>"
        + table(
            [("Part", False), ("of 4", True)],
            ([name.title(), str(getattr(review, name))] for name in PARTS),
        )
        + "</section>",
        section("Summary", f"<p>{text(review.summary, 4_000)}</p>"),
        section("Strengths", _remarks(review.strengths)),
        section("Weaknesses", _remarks(review.weaknesses)),
        section("Questions", _remarks(review.questions)),
        section("What the citations rest on", bullets(cited)),
        section("Limitations", f"<p>{text(review.limitations, 4_000)}</p>"),
        section("Ethical concerns", f"<p>{text(review.ethical_concerns, 4_000)}</p>"),
    ]
    return page(f"Review of {review.slug}", body)


def _remarks(remarks: Sequence[Remark]) -> str:
    return bullets(
        f"{text(one.text)} <small>{text(one.where)}{f'; {one.weight:+.2f}'.replace('-', '−') if one.weight else ''}</small>"
        for one in remarks
    )
