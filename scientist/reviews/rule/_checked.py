"""Findings of deterministic checks as reviewers are told them, and which of them cap a score. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

MOST_FINDINGS = 40
SLIPS = frozenset(
    {
        "undefined-reference",
        "undefined-citation",
        "duplicate-label",
        "duplicated-figure",
        "lost-text",
        "placeholder",
    }
)
"""Errors of the manuscript and not of what it found: the first two take something from the score, and none caps it."""


class Checked(Protocol):
    """A finding: its kind, 'error', 'warning' or 'note', in words, with the sentence it is about and its section."""

    @property
    def kind(self) -> str: ...
    @property
    def severity(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def sentence(self) -> str: ...
    @property
    def section(self) -> str: ...


class Counts(NamedTuple):
    """How many findings take something from a score: errors of substance, slips of the manuscript, warnings."""

    errors: int
    slips: int
    warnings: int


def counts_of(findings: Sequence[Checked]) -> Counts:
    """Findings as the rule counts them; notes count nowhere."""
    errors = [one for one in findings if one.severity == "error"]
    slips = sum(one.kind in SLIPS for one in errors)
    return Counts(len(errors) - slips, slips, sum(one.severity == "warning" for one in findings))


def told_findings(findings: Sequence[Checked], blind: Callable[[str], str]) -> str:
    """Findings as lines, the gravest first, the first forty of them, with what is hidden of the paper hidden here too."""
    rank = {"error": 0, "warning": 1}
    ordered = sorted(findings, key=lambda one: rank.get(one.severity, 2))
    lines = []
    for one in ordered[:MOST_FINDINGS]:
        where = f" [{blind(one.section[:120])}]" if one.section else ""
        sentence = f" In: “{blind(one.sentence[:400])}”" if one.sentence else ""
        lines.append(f"- {one.severity}{where}: {blind(one.message[:400])}{sentence}")
    if len(ordered) > MOST_FINDINGS:
        lines.append(f"- and {len(ordered) - MOST_FINDINGS} more")
    return "\n".join(lines)
