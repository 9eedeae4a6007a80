"""All checks of a paper, in one call."""

from __future__ import annotations

from collections.abc import Sequence

from scientist.reviews.checks._arithmetic import check_arithmetic
from scientist.reviews.checks._claims import check_tables
from scientist.reviews.checks._consistency import check_consistency
from scientist.reviews.checks._findings import Finding, in_order
from scientist.reviews.checks._intervals import check_intervals
from scientist.reviews.checks._order import check_order
from scientist.reviews.checks._spoken import shortened
from scientist.reviews.checks._statistics import check_statistics
from scientist.reviews.checks._structure import (
    check_citations,
    check_figures,
    check_left_over,
    check_parts,
    check_references,
)
from scientist.reviews.checks._tex_faults import check_percent_signs
from scientist.reviews.reading import Document, SourceFile


def check_document(document: Document, sources: Sequence[SourceFile] = ()) -> tuple[Finding, ...]:
    """What can be said of a paper from its text alone, errors first.

    `sources`: the files of a TeX project as :class:`~scientist.reviews.reading.Reading` holds them; with them bold cells
    and lost text are checked too. Pure; the work is linear in the length of the paper.
    """
    document = shortened(document)
    return in_order(
        [
            *check_references(document, sources),
            *check_citations(document),
            *check_percent_signs(sources),
            *check_left_over(document),
            *check_figures(document),
            *check_arithmetic(document),
            *check_statistics(document),
            *check_intervals(document),
            *check_tables(document, sources),
            *check_parts(document),
            *check_consistency(document),
            *check_order(document),
        ]
    )
