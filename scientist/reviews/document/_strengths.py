"""What a program can show for a paper: sentences that say it, or counts that hold. Nothing is taken on trust from adjectives."""

from __future__ import annotations

from collections.abc import Sequence

from scientist.reviews.checks import Finding
from scientist.reviews.document._record import Numbers, References, Strength
from scientist.reviews.reading import Document


def strengths_of(
    document: Document, findings: Sequence[Finding], references: References | None, numbers: Numbers | None
) -> tuple[Strength, ...]:
    """Strengths, each with the place where it was seen. None of them changes the score."""
    return ()
