"""Review forms: what is asked, what was answered, and how others write it. See docs/reviews.md."""

from scientist.reviews.forms._builtin import BUILTIN, ICLR, NEURIPS
from scientist.reviews.forms._filled import KINDS, Answer, FilledReview, Kind, Point, Quotation
from scientist.reviews.forms._form import (
    CONFIDENCE,
    OVERALL,
    STANDARD_TEXTS,
    Criterion,
    Form,
    FreeText,
    Scale,
    form_of,
    load_form,
)
from scientist.reviews.forms._imported import read_review_txt
from scientist.reviews.forms._openreview import openreview_note

__all__ = [
    "BUILTIN",
    "CONFIDENCE",
    "ICLR",
    "KINDS",
    "NEURIPS",
    "OVERALL",
    "STANDARD_TEXTS",
    "Answer",
    "Criterion",
    "FilledReview",
    "Form",
    "FreeText",
    "Kind",
    "Point",
    "Quotation",
    "Scale",
    "form_of",
    "load_form",
    "openreview_note",
    "read_review_txt",
]
