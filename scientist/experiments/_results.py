"""What runs leave behind, and what the declared statistics make of it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from scientist.experiments._study import Expect
from scientist.lab import KnobValue, Record
from scientist.template import Split

Status = Literal[
    "ok", "failed", "timeout", "memory", "processes", "disk", "log", "output", "invalid", "killed", "stopped"
]
"""How a run ended; `stopped` was never begun, because its variant could no longer win (see `Study.early_stop`)."""

Verdict = Literal["supported", "contradicted", "negligible", "equivalent", "inconclusive", "untested", "futile"]
"""`futile`: stopped early; an effect worth caring about was excluded on *search*, and nothing is claimed."""


class RunResult(Record):
    """`runs/<variant>/seed-<n>/result.json`: how one run ended. Nothing in it depends on the clock.

    `metrics` holds the splits scored so far; *final* is scored once per paper and kept in `final.json`.
    """

    schema_version: Literal[1] = 1
    variant: str
    seed: int
    key: str = Field(description="hash of everything that determines the run: code, effective knobs, seed, limits")
    knobs: dict[str, KnobValue]
    status: Status
    reason: str = ""
    metrics: dict[Split, dict[str, float]] = Field(default_factory=dict)
    artefacts: dict[str, str] = Field(default_factory=dict, description="path below outputs/ -> sha256")
    tree: str = Field(
        default="", description="hash of all code and knobs, without the seed: the same work has the same"
    )
    trials: int = Field(default=1, description="runs spent to get this result (tuning)")
    reused_from: str = Field(default="", description="an identical run whose result this is")


class Usage(Record):
    """`usage.json` beside a result: what the run cost. Kept apart because it differs from machine to machine."""

    wall_s: float
    cpu_s: float
    max_rss_mb: float
    sandbox: str
    gaps: tuple[str, ...] = Field(default=(), description="what the sandbox did not cover, where it was executed")
    node: str = Field(default="", description="the machine, where it was not this one")
    judged: int = Field(default=1, description="how often the artefacts were judged; a suspiciously good score twice")
    resumed: bool = Field(default=False, description="it continued from a checkpoint")


class FinalScores(Record):
    """`final.json`: the *final* split, opened once, at writing. variant -> seed -> metrics."""

    schema_version: Literal[1] = 1
    study_sha256: str
    scores: dict[str, dict[str, dict[str, float]]]


class Estimate(Record):
    """A mean with its interval. With n = 1 (or 0) there is no interval and no standard deviation."""

    n: int
    mean: float | None
    sd: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None


class VariantSummary(Record):
    """One variant on every split and metric: split -> metric -> estimate over seeds."""

    name: str
    n_ok: int
    n_failed: int
    n_stopped: int = Field(default=0, description="never begun, because the variant could no longer win")
    estimates: dict[Split, dict[str, Estimate]]


class ContrastEstimate(Record):
    """A contrast of the study's metric on one split, paired by seed."""

    n: int
    mean: float | None
    sd: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    dz: float | None = Field(default=None, description="Cohen's d_z: mean / sd of the paired differences")
    p: float | None = None
    p_equivalence: float | None = Field(default=None, description="larger p of the two one-sided tests (TOST)")
    p_signed_rank: float | None = Field(default=None, description="Wilcoxon signed-rank, as a sensitivity check")


class ContrastResult(Record):
    """A declared contrast with its verdict, decided on *keep* after Holm over the family, and its fate on *final*."""

    id: str
    estimates: dict[Split, ContrastEstimate]
    p_holm: float | None
    p_equivalence_holm: float | None
    verdict: Verdict
    expect: Expect
    holds_on_final: bool | None = Field(
        description="same sign and final interval excludes zero (difference), or inside the margin (equivalence); "
        "None when the verdict claims nothing or final was not opened"
    )


class Analysis(Record):
    """`analysis.json`: the whole of the declared statistics, recomputed by the audit from the results."""

    schema_version: Literal[1] = 1
    study_sha256: str
    n_runs: int
    n_failed: int
    n_stopped: int = 0
    variants: tuple[VariantSummary, ...]
    contrasts: tuple[ContrastResult, ...]

    def contrast(self, contrast_id: str) -> ContrastResult:
        """The result of one declared contrast."""
        return next(c for c in self.contrasts if c.id == contrast_id)

    def variant(self, name: str) -> VariantSummary:
        """The summary of one variant."""
        return next(v for v in self.variants if v.name == name)
