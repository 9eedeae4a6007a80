"""Reviews of anybody's paper by programs alone: findings, a prior, one score, and what to do. See docs/reviews.md."""

from scientist.reviews.document._expected import expected_of
from scientist.reviews.document._record import (
    DocumentReview,
    Expected,
    Numbers,
    Place,
    References,
    Strength,
    Weakness,
)
from scientist.reviews.document._remedies import Remedy, remedy_of
from scientist.reviews.document._review import accepted_after, review_document, weaknesses_of

__all__ = [
    "DocumentReview",
    "Expected",
    "Numbers",
    "Place",
    "References",
    "Remedy",
    "Strength",
    "Weakness",
    "accepted_after",
    "expected_of",
    "remedy_of",
    "review_document",
    "weaknesses_of",
]
