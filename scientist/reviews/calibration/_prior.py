"""The prior: what human reviewers of one venue gave to papers that read like this one. Never a verdict on the work."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from importlib.resources import files
from math import exp
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from scientist.errors import RecordError
from scientist.reviews.calibration._features import FEATURES, features, term_value, terms
from scientist.reviews.calibration._fit import CLIP, Weights
from scientist.reviews.calibration._strip import strip
from scientist.reviews.calibration._text import PaperText, normal

MIN_WORDS = 300
"""Shorter texts get no prior: densities of so few words say nothing."""
_HASH_BYTES = 3


class Moved(BaseModel):
    """How much one feature moved the score, in points of the venue's scale, away from the average paper."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    feature: str
    value: float
    usual: float
    points: float


class Prior(BaseModel):
    """The mean score human reviewers of one venue are expected to give, and how sure that is.

    `score` and `interval` are points of that venue's scale (1 to 10), the interval has `coverage` among papers like those
    the model was fitted on; `acceptance` is a probability at that venue; `moved` names the features that moved the score
    most; `known` says that the model was fitted on this very paper.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    score: float
    interval: tuple[float, float]
    coverage: float
    acceptance: float
    moved: tuple[Moved, ...]
    known: bool
    trained_on: str


class Model(BaseModel):
    """prior.json. A feature is (low, high, mean, scale, weight), a term (mean, scale, weight); weights are points."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: int = 1
    trained_on: list[dict[str, Any]]
    script: str
    fitted: dict[str, Any]
    out_of_fold: dict[str, Any]
    base: float
    residual: float
    coverage: float
    platt: tuple[float, float]
    features: dict[str, tuple[float, float, float, float, float]]
    terms: dict[str, tuple[float, float, float]]
    papers: str


@cache
def shipped() -> Model:
    """The model that comes with the program."""
    text = files("scientist.reviews.calibration").joinpath("prior.json").read_text(encoding="utf-8")
    return Model.model_validate(json.loads(text))


def prior_of(paper: PaperText, model: Model | None = None, most: int = 8) -> Prior:
    """The prior of a paper. Raises RecordError when there is too little text to say anything."""
    model = model or shipped()
    counts = terms(paper)
    if counts[""] < MIN_WORDS:
        raise RecordError("too little running text for a prior", f"give at least {MIN_WORDS} words of the main text")
    found = features(paper)
    moved: list[Moved] = []
    for name, (low, high, mean, scale, weight) in model.features.items():
        value = found[name]
        moved.append(
            Moved(feature=name, value=value, usual=mean, points=weight * (min(max(value, low), high) - mean) / scale)
        )
    for term, (mean, scale, weight) in model.terms.items():
        value = term_value(counts, term)
        z = min(max((value - mean) / scale, -CLIP), CLIP)
        moved.append(Moved(feature=f"the words “{term}”", value=value, usual=mean, points=weight * z))
    score = model.base + sum(one.points for one in moved)
    slope, start = model.platt
    moved.sort(key=lambda one: (-abs(one.points), one.feature))
    return Prior(
        score=min(max(score, 1.0), 10.0),
        interval=(max(score - model.residual, 1.0), min(score + model.residual, 10.0)),
        coverage=model.coverage,
        acceptance=1 / (1 + exp(-(slope * score + start))),
        moved=tuple(moved[:most]),
        known=fingerprint(paper) in _known(model.papers),
        trained_on=", ".join(str(part["name"]) for part in model.trained_on),
    )


def fingerprint(paper: PaperText) -> bytes:
    """Three bytes that tell a paper again, whatever a parser did to line ends, capitals and signs."""
    letters = re.sub(r"[^a-z]", "", normal(strip(paper).abstract).lower())[:600]
    return hashlib.sha256(letters.encode()).digest()[:_HASH_BYTES]


def pack(prints: list[bytes]) -> str:
    """Fingerprints as one short text."""
    return base64.b85encode(b"".join(sorted(prints))).decode()


@cache
def _known(packed: str) -> frozenset[bytes]:
    raw = base64.b85decode(packed)
    return frozenset(raw[at : at + _HASH_BYTES] for at in range(0, len(raw), _HASH_BYTES))


def model_of(
    weights: Weights,
    base: float,
    slope: float,
    residual: float,
    coverage: float,
    platt: tuple[float, float],
    **about: Any,
) -> Model:
    """A fitted line as the record that is shipped: weights in points, rounded to what matters."""
    return Model(
        base=round(base, 3),
        residual=round(residual, 3),
        coverage=coverage,
        platt=(round(platt[0], 4), round(platt[1], 4)),
        features={
            name: tuple(
                _short(float(part[place]))
                for part in (weights.low, weights.high, weights.mean, weights.scale, slope * weights.weight)
            )
            for place, name in enumerate(FEATURES)
        },
        terms={
            term: (_short(float(mean)), _short(float(scale)), _short(float(slope * weight), 2))
            for term, mean, scale, weight in zip(
                weights.terms, weights.term_mean, weights.term_scale, weights.term_weight, strict=True
            )
        },
        **about,
    )


def _short(value: float, digits: int = 3) -> float:
    return float(np.format_float_positional(value, precision=digits, fractional=False, trim="-")) if value else 0.0


def dump(model: Model) -> str:
    """The model as JSON, one feature or term on a line, so that a person can read it."""

    def block(rows: dict[str, Any]) -> str:
        lines = (
            f"    {json.dumps(key, ensure_ascii=False)}: {json.dumps(list(row), separators=(',', ':'))}"
            for key, row in rows.items()
        )
        return "{\n" + ",\n".join(lines) + "\n  }"

    parts = model.model_dump(mode="json")
    said = [
        f"  {json.dumps(key)}: {block(parts[key]) if key in ('features', 'terms') else json.dumps(parts[key], ensure_ascii=False, sort_keys=True)}"
        for key in Model.model_fields
    ]
    return "{\n" + ",\n".join(said) + "\n}\n"
