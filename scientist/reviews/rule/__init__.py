"""One score by a stated rule, of a prior, reviewers' scores and what programs found. See docs/reviews.md."""

from scientist.reviews.rule._checked import SLIPS, Checked, Counts, counts_of, told_findings
from scientist.reviews.rule._combine import Coefficients, Combined, Row, combine, fit, shipped

__all__ = [
    "SLIPS",
    "Checked",
    "Coefficients",
    "Combined",
    "Counts",
    "Row",
    "combine",
    "counts_of",
    "fit",
    "shipped",
    "told_findings",
]
