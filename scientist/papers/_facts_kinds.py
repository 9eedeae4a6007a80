"""Facts that only some studies have: how runs ended, and early stopping."""

from __future__ import annotations

from collections.abc import Sequence

from scientist.experiments import Analysis, RunResult, Study
from scientist.papers._collector import Collector
from scientist.papers._print import counted


def ending_facts(into: Collector, study: Study, analysis: Analysis, results: Sequence[RunResult]) -> None:
    """How many runs were done, gave a valid result, were never begun, and ended in each of the other ways."""
    valid = sum(variant.n_ok for variant in analysis.variants)
    done = valid + sum(variant.n_failed for variant in analysis.variants)
    share = valid / done if done else 0.0
    rows = (
        ("n_done", done, counted(done), "counted", "runs that ended, well or badly; a tuned result counts as one", ""),
        ("n_valid", valid, counted(valid), "counted", "runs that ended in a valid result", ""),
        ("valid_share", share, f"{100 * share:.1f}", "derived", "valid results as a share of the runs done", r"\%"),
    )
    for name, value, text, kind, title, unit in rows:
        into.add(f"study.{name}", value, text, title, kind, "analysis.json", "/variants", unit=unit)
    if study.early_stop is not None:
        stopped = analysis.n_stopped
        title = "runs never begun, because their variant could no longer win"
        into.add("study.n_stopped", stopped, counted(stopped), title, "counted", "analysis.json", "/n_stopped")
    for status in sorted({result.status for result in results} - {"ok", "stopped"}):
        runs = [f"{result.variant}/seed-{result.seed}" for result in results if result.status == status]
        file = f"runs/{runs[0]}/result.json"
        title = f"runs that ended as '{status}'"
        into.add(f"study.status.{status}", len(runs), counted(len(runs)), title, "counted", file, "/status", runs=runs)
