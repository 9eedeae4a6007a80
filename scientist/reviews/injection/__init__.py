"""The injection scan: what a paper tells reviewers behind their backs. See docs/reading.md."""

from scientist.reviews.injection._scan import InjectionFinding, escaped, quarantined, scan

__all__ = ["InjectionFinding", "escaped", "quarantined", "scan"]
