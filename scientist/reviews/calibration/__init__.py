"""A prior from the text alone, and what any reviewer's scores are worth against outcomes and human scores.

The prior is never an objective of search, and a deterministic finding outranks it; docs/prior.md says why. What only
assessing needs (scipy) is imported when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scientist._lazy import lazy
from scientist.reviews.calibration._data import Data, Paper, read_data
from scientist.reviews.calibration._prior import Moved, Prior, prior_of
from scientist.reviews.calibration._strip import strip
from scientist.reviews.calibration._text import PaperText, Section, read_text

if TYPE_CHECKING:
    from scientist.reviews.calibration._assess import Assessment, Row, assess
    from scientist.reviews.calibration._report import as_json, as_markdown, write_report

__all__ = [
    "Assessment",
    "Data",
    "Moved",
    "Paper",
    "PaperText",
    "Prior",
    "Row",
    "Section",
    "as_json",
    "as_markdown",
    "assess",
    "prior_of",
    "read_data",
    "read_text",
    "strip",
    "write_report",
]

if not TYPE_CHECKING:  # a name that does not exist is still found by the type checker
    __getattr__ = lazy(
        __name__,
        {
            "Assessment": "_assess",
            "Row": "_assess",
            "assess": "_assess",
            "as_json": "_report",
            "as_markdown": "_report",
            "write_report": "_report",
        },
    )
