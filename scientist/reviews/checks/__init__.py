"""Deterministic checks of anybody's paper, alone or against its runs. See docs/checks.md."""

from scientist.reviews.checks._binding import Bound, RunsChecked, check_runs
from scientist.reviews.checks._check import check_document
from scientist.reviews.checks._findings import Finding, in_order
from scientist.reviews.checks._intervals import check_intervals
from scientist.reviews.checks._runs import Quantity, Run, Runs, has_runs, read_runs

__all__ = [
    "Bound",
    "Finding",
    "Quantity",
    "Run",
    "Runs",
    "RunsChecked",
    "check_document",
    "check_intervals",
    "check_runs",
    "has_runs",
    "in_order",
    "read_runs",
]
