"""Reviews of anybody's paper by programs alone: findings, a prior, one score, and what to do. See docs/reviews.md."""

from scientist.reviews.document._expected import expected_of
from scientist.reviews.document._files import Entry, entry_of, interval_told, kept_review, write_index, write_review
from scientist.reviews.document._find import Found, find_papers, fingerprint, name_of, named, sort_of
from scientist.reviews.document._form_page import form_web_page
from scientist.reviews.document._one import LookUp, Material, asked_of, examine, review_path
from scientist.reviews.document._page import render_document_review
from scientist.reviews.document._record import (
    DocumentReview,
    Expected,
    Numbers,
    Place,
    References,
    Strength,
    Weakness,
)
from scientist.reviews.document._references import references_of
from scientist.reviews.document._remedies import CITATION, Remedy, remedy_of
from scientist.reviews.document._review import accepted_after, review_document, weaknesses_of
from scientist.reviews.document._told import acceptance_told, counts_told, moved_told, place_told, score_told
from scientist.reviews.document._web import web_page

__all__ = [
    "CITATION",
    "DocumentReview",
    "Entry",
    "Expected",
    "Found",
    "LookUp",
    "Material",
    "Numbers",
    "Place",
    "References",
    "Remedy",
    "Strength",
    "Weakness",
    "acceptance_told",
    "accepted_after",
    "asked_of",
    "counts_told",
    "entry_of",
    "examine",
    "expected_of",
    "find_papers",
    "fingerprint",
    "form_web_page",
    "interval_told",
    "kept_review",
    "moved_told",
    "name_of",
    "named",
    "place_told",
    "references_of",
    "remedy_of",
    "render_document_review",
    "review_document",
    "review_path",
    "score_told",
    "sort_of",
    "weaknesses_of",
    "web_page",
    "write_index",
    "write_review",
]
