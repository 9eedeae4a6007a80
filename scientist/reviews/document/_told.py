"""How a review is put into words: the same lines for the terminal, Markdown and HTML. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from scientist.reviews.calibration import Prior
from scientist.reviews.document._record import DocumentReview, Place, Weakness
from scientist.reviews.injection import escaped

TITLES = {
    "soundness": "Soundness",
    "evidence": "Evidence",
    "novelty": "Novelty",
    "clarity": "Clarity",
    "scope": "Scope",
    "ethics": "Ethics",
}


def score_told(review: DocumentReview) -> str:
    """'4.80 of 10; 80 % interval 3.32 to 6.28'."""
    if review.score is None or review.interval is None or review.coverage is None:
        return "none: there is no prior to start from"
    low, high = review.interval
    return f"{review.score:.2f} of 10; {review.coverage:.0%} interval {low:.2f} to {high:.2f}".replace("%", " %")


def acceptance_told(review: DocumentReview) -> str:
    """'0.23 at ICLR 2022 (0.23 by the text alone)'; empty where there is none."""
    prior = review.expected.prior
    if review.acceptance is None or prior is None:
        return ""
    return f"{review.acceptance:.2f} at the venue of the prior ({prior.acceptance:.2f} by the text alone)"


def counts_told(review: DocumentReview) -> str:
    """'1 error, 2 slips of the manuscript, 3 warnings'."""
    counts = ((review.errors, "error"), (review.slips, "slip"), (review.warnings, "warning"))
    told = [f"{count} {name}{'s' if count > 1 else ''}" for count, name in counts if count]
    return ", ".join(told) or "nothing found"


def about_told(review: DocumentReview) -> str:
    """'paper.pdf, 12 pages, 5,255 words'."""
    pages = f", {review.pages} page{'s' if review.pages != 1 else ''}" if review.pages else ""
    return f"{escaped(review.source, 200)}{pages}, {review.words:,} words"


def place_told(place: Place) -> str:
    """'4.1 Results, page 3'."""
    return escaped(", ".join(part for part in (place.section, f"page {place.page}" if place.page else "") if part), 200)


def places_told(weakness: Weakness) -> str:
    """The first places, and how many more there are."""
    told = list(dict.fromkeys(text for place in weakness.places if (text := place_told(place))))
    more = weakness.count - len(weakness.places)
    return "; ".join(told) + (f"; and {more} more" if more > 0 else "")


def moved_told(prior: Prior) -> Sequence[tuple[str, str]]:
    """(feature, '+0.21') of what moved the prior most."""
    return [(one.feature, f"{one.points:+.2f}".replace("-", "−")) for one in prior.moved]
