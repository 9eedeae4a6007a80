"""Paired edits that show whether a reviewer notices harm and falls for tricks. See docs/reviews.md, "Controls"."""

from scientist.reviews.selftest._edits import HARMFUL, IDLE, Edit, retest
from scientist.reviews.selftest._measure import (
    LEAST,
    READINGS,
    Reviewer,
    Row,
    SelfTest,
    Spread,
    Subject,
    by_programs,
    measure,
    reviews_needed,
)
from scientist.reviews.selftest._page import as_markdown, write_selftest
from scientist.reviews.selftest._papers import papers_of_lab, subject_of

__all__ = [
    "HARMFUL",
    "IDLE",
    "LEAST",
    "READINGS",
    "Edit",
    "Reviewer",
    "Row",
    "SelfTest",
    "Spread",
    "Subject",
    "as_markdown",
    "by_programs",
    "measure",
    "papers_of_lab",
    "retest",
    "reviews_needed",
    "subject_of",
    "write_selftest",
]
