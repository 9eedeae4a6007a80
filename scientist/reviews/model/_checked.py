"""Findings of deterministic checks as reviewers are told them, and which of them cap a score. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

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
"""Errors of the manuscript and not of what it found: each takes something from the score, and none caps it."""


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


def errors_and_slips(findings: Sequence[Checked]) -> tuple[int, int]:
    """How many errors are of substance, and how many are slips of the manuscript."""
    errors = [one for one in findings if one.severity == "error"]
    slips = sum(one.kind in SLIPS for one in errors)
    return len(errors) - slips, slips


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
