"""Reviews by models: scores that stand on quotations, several reviewers, an area chair, a stated rule. See docs/reviews.md."""

from scientist.reviews.model._chair import Decisive, MetaReview, meta_review
from scientist.reviews.model._lab import LabReviewer, with_lessons_of
from scientist.reviews.model._own import own_document, own_findings
from scientist.reviews.model._page import render_panel, write_panel
from scientist.reviews.model._panel import Panel, Spread, review_paper, spread_of, spreads_of
from scientist.reviews.model._quotes import Searchable, gives_orders, words
from scientist.reviews.model._reviewer import PERSONAS, ModelReviewer
from scientist.reviews.model._shown import LONGEST, Shown, show, shuffled

__all__ = [
    "LONGEST",
    "PERSONAS",
    "Decisive",
    "LabReviewer",
    "MetaReview",
    "ModelReviewer",
    "Panel",
    "Searchable",
    "Shown",
    "Spread",
    "gives_orders",
    "meta_review",
    "own_document",
    "own_findings",
    "render_panel",
    "review_paper",
    "show",
    "shuffled",
    "spread_of",
    "spreads_of",
    "with_lessons_of",
    "words",
    "write_panel",
]
