"""Papers as subjects of the self-test: a stranger's, one with its runs, one of a lab with its facts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from scientist.reviews.checks import Finding, check_document, check_intervals, check_runs, has_runs, in_order, read_runs
from scientist.reviews.injection import quarantined, scan
from scientist.reviews.model import own_document
from scientist.reviews.reading import Document, numbers, read_paper
from scientist.reviews.selftest._measure import Check, Subject

OWN = "manuscript.json"
_DECIMAL = re.compile(r"\d+\.\d+")


def subject_of(path: Path, name: str = "") -> Subject:
    """The paper at a path, with what it is to be held against. Raises :class:`RecordError`.

    Every twin is read as its text alone, without sources, so that original and edited paper are judged by the same checks.
    With runs in the layout of the AI Scientist every number is bound to them; in a paper of a lab every decimal has to be one
    that its facts print.
    """
    called = name or path.resolve().stem
    if (path / OWN).is_file():
        document = own_document(path)
        return Subject(called, document, _against_facts(document))
    reading = read_paper(path)
    document = quarantined(reading.document, scan(reading))  # what gives orders to reviewers is shown to none
    if path.is_dir() and has_runs(path):
        runs = read_runs(path)

        def against_runs(twin: Document) -> Sequence[Finding]:
            return in_order([*check_document(twin), *check_runs(twin, runs).findings])

        return Subject(called, document, against_runs)
    return Subject(called, document)


def papers_of_lab(folder: Path) -> list[Path]:
    """The finished papers of a lab's folder `papers/`, by name."""
    return sorted(path.parent for path in folder.glob(f"*/{OWN}") if (path.parent / "audit.json").is_file())


def _against_facts(original: Document) -> Check:
    """What the audit asks of a paper of a lab: no decimal that no fact prints, and no word against the sign of its difference.

    The build put all decimals of `original` there, and prints every difference as treated minus reference.
    """
    printed = frozenset(_decimals(original))

    def check(twin: Document) -> Sequence[Finding]:
        free = [
            Finding(
                kind="free-number",
                severity="error",
                message=f"no fact of the paper prints {number.text}"[:200],
                sentence=number.sentence.text[:300],
            )
            for number in numbers(twin)
            if any(part not in printed for part in _DECIMAL.findall(number.text))
        ]
        return in_order([*check_document(twin), *check_intervals(twin, signed=True), *free])

    return check


def _decimals(document: Document) -> list[str]:
    texts = [document.abstract, *(section.text for section in document.sections)]
    texts += [caption.text for caption in document.captions]
    texts += [cell for table in document.tables for row in table.rows for cell in row]
    return [part for text in texts for part in _DECIMAL.findall(text)]
