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
        "bold-not-best",
    }
)
"""Errors of the manuscript and not of what it found: the first two take something from the score, and none caps it."""


GRAVE = frozenset(
    {
        "unsupported-numbers",
        "abstract-number",
        "even-digits",
        "against-itself",
        "abstract-against-text",
        "compares-nothing",
        "section-order",
        "paragraph-order",
    }
)
"""Warnings about the paper as a whole, each said of at most one or two in a hundred papers that nobody harmed, and of most that were
harmed on purpose (docs/benchmarks.md). Nothing is proved by one: the first two kinds take three times what another warning does, and none caps the score."""


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
    """How many findings take something from a score: errors of substance, slips of the manuscript, warnings, and kinds of grave
    warnings, which are no `warnings` here."""

    errors: int
    slips: int
    warnings: int
    grave: int


def counts_of(findings: Sequence[Checked]) -> Counts:
    """Findings as the rule counts them; notes count nowhere."""
    errors = [one for one in findings if one.severity == "error"]
    slips = sum(one.kind in SLIPS for one in errors)
    warnings = [one.kind for one in findings if one.severity == "warning"]
    grave = {kind for kind in warnings if kind in GRAVE}
    return Counts(len(errors) - slips, slips, sum(kind not in GRAVE for kind in warnings), len(grave))


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
