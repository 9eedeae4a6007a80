"""From a file or a folder to its review: read, scan, check, and where there are runs hold the numbers against them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scientist.reviews.checks import Finding, check_document, check_runs, has_runs, in_order, read_runs
from scientist.reviews.document._bounds import bounded
from scientist.reviews.document._find import fingerprint, name_of
from scientist.reviews.document._record import DocumentReview, Numbers, References
from scientist.reviews.document._review import review_document
from scientist.reviews.injection import InjectionFinding, quarantined, scan
from scientist.reviews.reading import Document, read_paper

LookUp = Callable[[Document], tuple[References, tuple[Finding, ...]]]
"""Looks the references of a document up: what became of them, and what is wrong."""


@dataclass(frozen=True)
class Material:
    """A paper as everything after the scan sees it, and what programs found: `document` is quarantined."""

    document: Document
    findings: tuple[Finding, ...]
    injections: tuple[InjectionFinding, ...]
    numbers: Numbers | None = None


def examine(path: Path, runs: Path | None = None) -> Material:
    """Read a paper, scan it, and check it. `runs`: a folder with its runs, else the paper's own folder where it holds some.

    Raises :class:`RecordError`, one line, for what cannot be read or costs too much.
    """
    with bounded(path.name):
        reading = read_paper(path)
        injections = scan(reading)
        document = quarantined(reading.document, injections)
        findings = check_document(document, reading.sources)
        numbers = None
        if runs is not None or has_runs(path):
            held = read_runs(runs or path)
            checked = check_runs(document, held)
            findings = in_order([*findings, *checked.findings])
            numbers = Numbers(looked_at=len(checked.numbers), bound=checked.count("bound"))
            document = document.model_copy(update={"unread": (*document.unread, *held.unread)})
    return Material(document, findings, tuple(injections), numbers)


def review_path(path: Path, name: str = "", look_up: LookUp | None = None) -> DocumentReview:
    """The review of anybody's paper. The same bytes and program give the same review, unless `look_up` asks others.

    Raises :class:`RecordError`, one line, for what cannot be read or costs too much.
    """
    made_from = fingerprint(path, asked_of(look_up))
    found = examine(path)
    references, wrong = look_up(found.document) if look_up else (None, ())
    with bounded(path.name):
        review = review_document(
            found.document,
            [*found.findings, *wrong],
            found.injections,
            name=name or name_of(path),
            references=references,
            numbers=found.numbers,
        )
    return review.model_copy(update={"made_from": made_from})


def asked_of(look_up: LookUp | None) -> str:
    """What was asked beyond a plain review."""
    return "references" if look_up else ""
