"""What a check says: one finding with its sentence, its place, and what should have stood there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from scientist.lab import Record
from scientist.reviews.reading import ABSTRACT, Document

Severity = Literal["error", "warning", "note"]
QUOTED = 300
"""Characters of a sentence that a finding quotes."""
_RANK = {"error": 0, "warning": 1, "note": 2}


class Finding(Record):
    """One thing that is wrong, or looks wrong.

    `error`: provable from the paper, or from the paper and its runs; `warning`: a reader should look; `note`: worth
    knowing. `section` is the heading or the table that the sentence stands in, `page` counts from 1 (0: no pages).
    `expected` is what should stand there, `source` the run, data set, metric or file that it should have come from.
    """

    kind: str
    severity: Severity
    message: str
    sentence: str = ""
    section: str = ""
    page: int = 0
    expected: str = ""
    source: str = ""


def finding(
    severity: Severity,
    kind: str,
    message: str,
    *,
    sentence: str = "",
    section: str = "",
    page: int = 0,
    expected: str = "",
    source: str = "",
) -> Finding:
    """A finding whose texts are bounded: what a stranger wrote is quoted, never repeated at any length."""
    return Finding(
        kind=kind,
        severity=severity,
        message=quoted(message),
        sentence=quoted(sentence),
        section=quoted(section)[:120],
        page=page,
        expected=quoted(expected),
        source=quoted(source),
    )


def quoted(text: str, around: int = 0) -> str:
    """One line of at most :data:`QUOTED` characters; of a long text the part around an offset."""
    text = re.sub(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]+", " ", text)
    if len(text) > QUOTED:
        start = max(0, min(around - QUOTED // 2, len(text) - QUOTED))
        end = start + QUOTED
        text = ("…" if start else "") + text[start + bool(start) : end - (end < len(text))] + "…" * (end < len(text))
    return text.strip()


def heading(document: Document, section: int) -> str:
    """What a section is called: '5.1 Addition', or 'Abstract'."""
    if section == ABSTRACT:
        return "Abstract"
    if not 0 <= section < len(document.sections):
        return ""
    found = document.sections[section]
    return f"{found.number} {found.title}".strip()


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Errors first, then warnings, then notes; each said once, otherwise in the order of the checks."""
    return tuple(sorted(dict.fromkeys(findings), key=lambda one: _RANK[one.severity]))
