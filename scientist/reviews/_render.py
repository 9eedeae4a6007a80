"""A review as text that reads well in a terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from scientist.reviews._form import Remark, Review

_SCALES = (
    ("Originality", "originality"),
    ("Quality", "quality"),
    ("Clarity", "clarity"),
    ("Significance", "significance"),
    ("Soundness", "soundness"),
    ("Presentation", "presentation"),
    ("Contribution", "contribution"),
)


def render_review(review: Review) -> str:
    """The form from summary to decision; every remark with where it points and what it did to Overall."""
    parts = [
        f"# Review of {review.slug} ({review.reviewer})",
        f"**{review.decision}** · Overall {review.overall}/10 · Confidence {review.confidence}/5",
        "\n".join(f"- {title}: {getattr(review, name)}/4" for title, name in _SCALES),
        f"## Summary\n\n{review.summary}",
        _listing("Strengths", review.strengths),
        _listing("Weaknesses", review.weaknesses),
        _listing("Questions", review.questions),
        _citations(review),
        f"## Limitations\n\n{review.limitations}",
        f"## Ethical concerns\n\n{review.ethical_concerns}",
    ]
    return "\n\n".join(parts) + "\n"


def _listing(title: str, remarks: Sequence[Remark]) -> str:
    lines = [f"- {remark.text} [{remark.where}{_points(remark)}]" for remark in remarks]
    return f"## {title}\n\n" + ("\n".join(lines) or "None.")


def _citations(review: Review) -> str:
    lines = [
        f"- {c.key}: {c.passage if c.passage_of != 'title' else 'the record has no more than a title'} "
        f"[{c.passage_of}, {c.source}; {c.times} sentence{'s' if c.times != 1 else ''}]"
        for c in review.citations
    ]
    return "## What the citations rest on\n\n" + (
        "\n".join(lines) or "Nothing is cited, or the review is older than this part of the form."
    )


def _points(remark: Remark) -> str:
    return f"; {remark.weight:+.2f}".replace("-", "−") if remark.weight else ""
