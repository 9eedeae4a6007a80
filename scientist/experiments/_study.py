"""The study: an idea made testable, and frozen before the first run."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from scientist.lab import KnobValue, Record
from scientist.template import Direction

Expect = Literal["greater", "less", "equivalent", "different"]


class Tuner(Record):
    """A variant that chooses its knobs by a search over the *search* split, at a fixed number of runs per seed."""

    sampler: Literal["random", "tpe"]
    knobs: tuple[str, ...]
    trials: int = Field(ge=2)


class Variant(Record):
    """The baseline or one change to it: a full knob assignment, or a tuner that starts from it."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str = Field(description="how prose calls it")
    knobs: dict[str, KnobValue]
    role: Literal["reference", "treatment"] = "treatment"
    tuner: Tuner | None = None
    code: dict[str, str] = Field(
        default_factory=dict,
        description="editable file -> SHA-256 of what stands in its place, in variants/<name>/files",
    )


class Contrast(Record):
    """A weighted sum of variant means, declared before the runs: sum of weights x mean(variant).

    `expect` is what the idea says the sign will be *in raw metric units*; the test is two-sided all the same.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str = Field(description="'label noise 0.2 against none'")
    kind: Literal["difference", "trend", "interaction"] = "difference"
    weights: dict[str, float]
    expect: Expect
    primary: bool = False
    smallest_effect: float = Field(gt=0)


class Pilot(Record):
    """What the pilot said about spread, from which the seed count follows. Its runs are never part of a test."""

    seeds: tuple[int, ...]
    sd: dict[str, float] = Field(description="contrast -> standard deviation of the paired differences")
    sd_upper: dict[str, float] = Field(description="contrast -> its 80 % upper confidence limit (Browne 1995)")
    needed: int = Field(description="seeds per variant for the wanted power at the primary contrast")
    capped: bool = Field(description="the budget allowed fewer than needed")
    expected_power: float = Field(ge=0, le=1, description="power at the primary contrast with the seeds chosen")


class EarlyStop(Record):
    """When a variant may be stopped, declared with the study.

    After `look` seeds the paired interval at level `alpha` / contrasts is taken on *search*, never on the split that
    decides. A contrast is futile when that interval lies wholly below the smallest effect in the expected direction;
    a variant all of whose contrasts are futile is not run any further, and those contrasts claim nothing. Stopping for
    futility alone cannot raise the rate of false claims; they stay in the family that Holm's correction counts.
    """

    look: int = Field(ge=2, description="seeds after which it is looked at, once")
    split: Literal["search"] = "search"


class Study(Record):
    """Everything that is decided before the first run. Its canonical bytes are hashed, journaled and never changed."""

    schema_version: Literal[1] = 1
    slug: str
    template: str
    template_sha256: str
    idea_sha256: str
    metric: str
    direction: Direction
    decide_on: Literal["keep"] = "keep"
    confirm_on: Literal["final", "none"] = Field(default="final", description="'none': the template holds nothing out")
    judging: Literal["sealed", "self-reported"] = "sealed"
    seeded: bool = Field(default=True, description="false: seeds only number repetitions of a run that takes no seed")
    early_stop: EarlyStop | None = None
    alpha: float
    power: float
    correction: Literal["holm"] = "holm"
    test: Literal["paired-t"] = "paired-t"
    smallest_effect: float
    variants: tuple[Variant, ...] = Field(min_length=2)
    contrasts: tuple[Contrast, ...] = Field(min_length=1)
    seeds: tuple[int, ...] = Field(min_length=1)
    pilot: Pilot
    data: dict[str, dict[str, float | int | str]] = Field(
        default_factory=dict, description="what the evaluator says about each data set in use"
    )

    def variant(self, name: str) -> Variant:
        """The variant of that name (KeyError if there is none)."""
        return next(v for v in self.variants if v.name == name)

    @property
    def primary(self) -> Contrast:
        """The contrast that the hypothesis is about."""
        return next((c for c in self.contrasts if c.primary), self.contrasts[0])

    @property
    def n_runs(self) -> int:
        """Runs the study declares, tuning trials included."""
        return len(self.seeds) * sum(v.tuner.trials if v.tuner else 1 for v in self.variants)
