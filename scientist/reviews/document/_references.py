"""What looking the references up says against a paper. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from scientist.reviews.checks import Finding
from scientist.reviews.document._record import References
from scientist.reviews.document._remedies import CITATION

if TYPE_CHECKING:
    from scientist.literature import Checked, FormFault, Verification

QUOTED = 300


def references_of(found: Verification) -> tuple[References, tuple[Finding, ...]]:
    """Counts, and a warning for each entry that is wrong: indexes err too, so nothing is proved by one."""
    counts = References(
        entries=len(found.entries),
        verified=found.count("verified"),
        wrong=found.count("wrong metadata"),
        not_found=found.count("not found"),
        unverifiable=found.count("unverifiable now"),
        out=tuple(sorted(f"{name}: {why}"[:QUOTED] for name, why in found.out.items())),
    )
    findings = [one for entry in found.entries for one in _of_entry(entry)]
    return counts, (*findings, *(_fault(fault, "") for fault in found.faults))


def _of_entry(entry: Checked) -> Iterator[Finding]:
    what = _short(f"{entry.key}: {entry.title}" if entry.key else entry.title)
    if entry.verdict == "not found":
        yield _finding("not-found", "no open index that was asked has such a work", what)
    for one in entry.wrong:
        message = f"the {one.field} is not that of any record: printed “{one.printed or 'nothing'}”"
        yield _finding("wrong-metadata", message, what, expected=one.right, source=one.source)
    for said in entry.retracted:
        yield _finding("retracted", "the work was retracted", what, source=said)
    yield from (_fault(fault, what) for fault in entry.faults)


def _fault(fault: FormFault, what: str) -> Finding:
    from scientist.literature import NOTES

    return _finding(fault.code, fault.message, what, severity="note" if fault.code in NOTES else "warning")


def _finding(
    code: str, message: str, what: str, *, expected: str = "", source: str = "", severity: str = "warning"
) -> Finding:
    return Finding(
        kind=f"{CITATION}{code}",
        severity="note" if severity == "note" else "warning",
        message=_short(message),
        sentence=what,
        section="References",
        expected=_short(expected),
        source=_short(source),
    )


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= QUOTED else text[: QUOTED - 1] + "…"
