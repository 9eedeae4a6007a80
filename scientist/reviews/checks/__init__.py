"""Deterministic checks of anybody's paper. See docs/checks.md."""

from scientist.reviews.checks._check import check_document
from scientist.reviews.checks._findings import Finding

__all__ = ["Finding", "check_document"]
