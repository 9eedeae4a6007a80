"""The audit: deterministic checks of a paper against its facts, runs, figures, declared tests and history.

Each check is a function from a :class:`Context` to findings and can be read and tested alone. docs/audit.md
lists the codes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from scientist.papers import _audit_claims as claims
from scientist.papers import _audit_kinds as kinds
from scientist.papers import _audit_records as records
from scientist.papers import _audit_text as text
from scientist.papers._audit_context import Context, Rebuild, load
from scientist.papers._records import Audit, Finding

__all__ = ["CHECKS", "Rebuild", "audit"]

Check = Callable[[Context], Iterable[Finding]]

CHECKS: tuple[Check, ...] = (
    text.check_free_numbers,
    text.check_facts_exist,
    text.check_intervals,
    text.check_citations,
    text.check_labels,
    text.check_placeholders,
    text.check_latex_safe,
    text.check_sections,
    claims.check_claims,
    claims.check_primary,
    records.check_fact_values,
    records.check_fact_hashes,
    records.check_fact_provenance,
    records.check_results,
    records.check_artefacts,
    records.check_analysis,
    records.check_figures,
    records.check_study,
    records.check_journal,
    records.check_build,
    records.check_twins,
    kinds.check_same_code,
    kinds.check_splits,
    kinds.check_stopped,
    kinds.check_judging,
    records.check_power,
)

_RANK = {"error": 0, "warning": 1, "note": 2}


def audit(paper: Path, *, rebuild: Rebuild | None = None, lab: Path | None = None) -> Audit:
    """Audit the paper in a folder.

    `rebuild` says how to make the derived artefacts again, so that they can be compared; without a part of it
    that comparison is left out. `lab` is the folder whose journal the paper belongs to; without it the
    journal is not read. A record that is missing or broken is a finding, never an exception;
    :class:`RecordError` only if `paper` is no folder. Errors come first; within a severity the order is that
    of :data:`CHECKS`.
    """
    ctx = load(paper, rebuild or Rebuild(), lab)
    found = dict.fromkeys(ctx.problems)
    for check in CHECKS:
        found.update(dict.fromkeys(check(ctx)))
    slug = ctx.study.slug if ctx.study else ctx.manuscript.slug if ctx.manuscript else paper.resolve().name
    return Audit(slug=slug, findings=tuple(sorted(found, key=lambda one: _RANK[one.severity])))
