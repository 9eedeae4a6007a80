"""The stated rule that makes one score of a prior, the reviewers' mean and deterministic findings. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from pydantic import Field

from scientist.errors import UsageError
from scientist.lab import Record

LEAST_ROWS = 20
MOST_SLIPS = 2
MOST_WARNINGS = 5
MOST_GRAVE = 2


class Coefficients(Record):
    """Of the rule, all on shares of the scale (0 to 1). `fitted_on`: the development data; empty: nobody fitted them."""

    schema_version: int = 1
    intercept: float = Field(ge=-2, le=1)
    prior: float = Field(ge=0, le=2)
    model: float = Field(ge=0, le=2)
    per_error: float = Field(default=0.05, ge=0, le=1, description="what every error takes")
    per_warning: float = Field(default=0.01, ge=0, le=1, description="what each of the first warnings takes")
    per_grave: float = Field(
        default=0.03, ge=0, le=1, description="what each of the first kinds of grave warnings takes"
    )
    ceiling: float = Field(default=0.2, ge=0, lt=0.3, description="the most that a paper with an error gets")
    fitted_on: str = ""
    rows: int = Field(default=0, ge=0)


class Combined(Record):
    """The score as a share of the scale, and how it came about."""

    share: float | None = None
    rule: str


class Row(Record):
    """A paper of the development data: prior and model mean as shares, and the mean of its human scores as one."""

    prior: float = Field(ge=0, le=1)
    model: float = Field(ge=0, le=1)
    human: float = Field(ge=0, le=1)


@cache
def shipped() -> Coefficients:
    """The coefficients that come with the program."""
    return Coefficients.model_validate_json((files("scientist.reviews.rule") / "combine.json").read_text("utf-8"))


def combine(
    prior: float | None,
    model: float | None,
    errors: int = 0,
    slips: int = 0,
    warnings: int = 0,
    grave: int = 0,
    coefficients: Coefficients | None = None,
) -> Combined:
    """One score of what is there, 0 to 1.

    `prior`: the mean human score that a calibrated model of the text expects; `model`: the mean of the reviewers'
    Overall; both as shares of the scale. Both: intercept + a·prior + b·model; one alone: itself. Every error of the deterministic
    checks then takes `per_error`. With one or more `errors` of substance the score is at most `ceiling`, whatever else speaks
    for the paper; `slips` are errors of the manuscript alone (a reference that leads nowhere): the first two
    take as much each, and none caps. Each of the first five `warnings` takes `per_warning`: nothing is proved by one, so
    together they cost what one error does. The first two kinds of `grave` warnings, about the paper as a whole, take `per_grave`
    each, and none caps.
    """
    c = coefficients or shipped()
    if prior is None and model is None:
        return Combined(rule="neither a prior nor a score of a reviewer that counts")
    if prior is not None and model is not None:
        share = c.intercept + c.prior * prior + c.model * model
        how = f"{c.intercept:+.3g} {c.prior:+.3g}·prior {c.model:+.3g}·model"
        told = f"{how}, fitted on {c.fitted_on}" if c.fitted_on else f"{how}, which nobody has fitted yet"
    elif model is not None:
        share, told = model, "the reviewers' mean alone, without a prior"
    else:
        assert prior is not None
        share, told = prior, "the prior alone, without a model"
    share -= c.per_error * (errors + min(slips, MOST_SLIPS))
    share -= c.per_grave * min(grave, MOST_GRAVE) + c.per_warning * min(warnings, MOST_WARNINGS)
    if warnings:
        told += f"; {warnings} warning{'s' if warnings > 1 else ''}"
    if grave:
        told += f"; {grave} grave warning{'s' if grave > 1 else ''} about the paper as a whole"
    if slips:
        told += f"; {slips} slip{'s' if slips > 1 else ''} of the manuscript"
    if errors:
        share = min(share, c.ceiling)
        told += f"; {errors} error{'s' if errors > 1 else ''} found by programs: at most {c.ceiling:.3g} of the scale"
    return Combined(share=min(1.0, max(0.0, share)), rule=told)


def fit(rows: Sequence[Row], fitted_on: str) -> Coefficients:
    """Coefficients that fit the human means best, by least squares with weights that are not negative.

    Lawson and Hanson's NNLS on centred columns; the intercept is free. Raises :class:`UsageError` with fewer than
    :data:`LEAST_ROWS` papers, or where neither column says anything.
    """
    import numpy as np
    from scipy.optimize import nnls

    if len(rows) < LEAST_ROWS:
        raise UsageError(f"{len(rows)} papers are too few to fit a rule", f"give at least {LEAST_ROWS}")
    x = np.array([(row.prior, row.model) for row in rows])
    y = np.array([row.human for row in rows])
    weights, _ = nnls(x - x.mean(axis=0), y - y.mean())
    if not weights.any():
        raise UsageError("neither the prior nor the model rises with the human scores", "keep the shipped coefficients")
    weights = np.minimum(weights, 2.0)
    intercept = float(np.clip(y.mean() - x.mean(axis=0) @ weights, -2.0, 1.0))
    return Coefficients(
        intercept=round(intercept, 6),
        prior=round(float(weights[0]), 6),
        model=round(float(weights[1]), 6),
        fitted_on=fitted_on,
        rows=len(rows),
    )
