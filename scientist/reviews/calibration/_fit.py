"""Fitting the prior: a ridge regression on clipped, standardised features and densities of words, distilled to few words.

Ridge: Hoerl and Kennard (1970), solved in its dual form. All words of a teacher are distilled into a student that keeps the
few hundred words that say together what all of them say, and is fitted to what the teacher says of the training papers (Hinton et al. 2015).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scientist.reviews.calibration._features import FEATURES, INTRODUCTION, term_value

Floats = NDArray[np.float64]

RIDGE = 1000.0
STUDENT_RIDGE = 100.0
PURSUIT_RIDGE = 30.0
OTHER_WEIGHT = 0.25
TERM_SCALE = 0.3
"""Words count this much less than features before the ridge is paid: there are so many of them."""
SCALES = {"specific prose": 1.5, "evidence": 1.5, "works cited": 2.0, "reference list": 3.0}
"""Features that count this much more: the ridge would share their weight among a hundred others."""
CAPS = {"works cited": 0.85, "reference list": 0.85}
"""Features that anybody can raise by inventing stop counting at this quantile of the papers; the others at 0.95."""
KEPT_TERMS = 400
MIN_SHARE = 0.05
"""A word is a candidate when it is in this share of the papers."""
CLIP = 3.0
"""Densities of words count up to this many standard deviations from their mean."""
_EVIDENCE = re.compile(r"baseline|compar|ablat|limitation|outperform|sota|deviation|\bseeds?\b|et al")
_POLISH = re.compile(r"\border\b|\bpaper\b|\bdata\b|\bdatasets?\b|\butili[sz]|\bvery\b|\bbesides\b|\bable to\b")
"""Words that an editor replaces without having read the work."""
_BLOCK = np.array([SCALES.get(name, 1.0) for name in FEATURES])
_CAPS = np.array([CAPS.get(name, 0.95) for name in FEATURES])


@dataclass(frozen=True)
class Table:
    """Papers in numbers: features (n, features), densities of the terms of `vocabulary` (n, terms)."""

    values: Floats
    densities: Floats
    vocabulary: tuple[str, ...]

    def rows(self, which: NDArray[np.intp]) -> Table:
        """The same table with these rows only."""
        return Table(self.values[which], self.densities[which], self.vocabulary)


@dataclass(frozen=True)
class Weights:
    """A fitted line. Its value is `sum(weight * z)`; a unit is one standard deviation of the training scores."""

    low: Floats
    high: Floats
    mean: Floats
    scale: Floats
    weight: Floats
    terms: tuple[str, ...]
    term_mean: Floats
    term_scale: Floats
    term_weight: Floats

    def of(self, table: Table) -> Floats:
        """One value for each row of the table."""
        where = {term: place for place, term in enumerate(table.vocabulary)}
        chosen = table.densities[:, [where[term] for term in self.terms]]
        line = standard(table.values, self.low, self.high, self.mean, self.scale) @ self.weight
        return line + np.clip((chosen - self.term_mean) / self.term_scale, -CLIP, CLIP) @ self.term_weight


def vocabulary(counts: Sequence[Counter[str]]) -> tuple[str, ...]:
    """Terms that are in at least MIN_SHARE of the papers, in alphabetical order. Looks at no score.

    Words of comparisons, ablations and limits are no candidates, leaving evidence out must never be what pays; nor are
    those that polishing replaces.
    """
    seen: Counter[str] = Counter()
    for count in counts:
        seen.update(count.keys())
    return tuple(
        sorted(
            term
            for term, papers in seen.items()
            if papers >= max(MIN_SHARE * len(counts), 3)
            and term not in ("", INTRODUCTION)
            and not _EVIDENCE.search(term)
            and not _POLISH.search(term)
        )
    )


def tabulate(
    found: Sequence[dict[str, float]], counts: Sequence[Counter[str]], words: tuple[str, ...] | None = None
) -> Table:
    """The table of these papers; `words` where the vocabulary is that of other papers."""
    words = vocabulary(counts) if words is None else words
    values = np.array([[one[name] for name in FEATURES] for one in found], dtype=float)
    return Table(values, np.array([[term_value(count, word) for word in words] for count in counts]), words)


def standard(values: Floats, low: Floats, high: Floats, mean: Floats, scale: Floats) -> Floats:
    """Values clipped to the range of ordinary papers, in standard deviations from their mean."""
    return (np.clip(values, low, high) - mean) / scale


def _ranges(values: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    low = np.quantile(values, 0.05, axis=0)
    high = np.array([np.quantile(column, cap) for column, cap in zip(values.T, _CAPS, strict=True)])
    high = np.where(high > low, high, values.max(axis=0))
    clipped = np.clip(values, low, high)
    spread = clipped.std(axis=0)
    return low, high, clipped.mean(axis=0), np.where(spread > 1e-9, spread, 1.0)


def _spread(densities: Floats) -> tuple[Floats, Floats]:
    spread = densities.std(axis=0)
    return densities.mean(axis=0), np.where(spread > 1e-9, spread, 1.0)


def _ridge(rows: Floats, target: Floats, penalty: float) -> Floats:
    solved: Floats = rows.T @ np.linalg.solve(rows @ rows.T + penalty * np.eye(len(rows)), target)
    return solved


def _z(scores: Floats) -> Floats:
    return (scores - scores.mean()) / (scores.std() or 1.0)


def opinions(columns: Floats) -> Floats:
    """What other reviewers say of each paper: the mean of their standardised scores; (papers, reviewers), nan where there is none."""
    told = np.isfinite(columns)
    counted = np.where(told, columns, 0.0)
    many = np.maximum(told.sum(axis=0), 1)
    mean = counted.sum(axis=0) / many
    spread = np.sqrt((np.where(told, columns - mean, 0.0) ** 2).sum(axis=0) / many)
    z = np.where(told, (columns - mean) / np.where(spread > 1e-9, spread, 1.0), 0.0)
    said: Floats = np.where(told.any(axis=1), z.sum(axis=1) / np.maximum(told.sum(axis=1), 1), np.nan)
    return said


def fit(
    table: Table,
    scores: Floats,
    other: tuple[Table, Floats] | None = None,
    taught: Floats | None = None,
    kept: int = KEPT_TERMS,
) -> Weights:
    """Weights learnt from mean human scores.

    `other` is a second set of papers (same vocabulary) with scores: it is standardised by itself, so that another venue,
    scale or parser shifts nothing, and each of its papers counts OTHER_WEIGHT. `taught`: what other reviewers said of the
    papers (:func:`opinions`); with one or two noisy human scores a paper, what they agree on is worth hearing.
    """
    ranges = _ranges(table.values)
    mean, spread = _spread(table.densities)
    many = len(FEATURES)

    def columns(values: Floats, densities: Floats, by: tuple[Floats, ...], around: Floats, scale: Floats) -> Floats:
        low, high, centre, width = by
        terms = np.clip((densities - around) / scale, -CLIP, CLIP)
        return np.hstack([standard(values, low, high, centre, width) * _BLOCK, terms * TERM_SCALE])

    own = columns(table.values, table.densities, ranges, mean, spread)
    rows, target = own, _z(scores)
    if taught is not None:
        target = np.where(np.isfinite(taught), (target + np.nan_to_num(taught)) / 1.5, target)
    if other is not None:
        second, second_scores = other
        more = columns(second.values, second.densities, _ranges(second.values), *_spread(second.densities))
        share = np.sqrt(OTHER_WEIGHT)
        rows, target = np.vstack([own, share * more]), np.concatenate([target, share * _z(second_scores)])
    teacher = _ridge(rows, target, RIDGE)
    chosen = np.sort(_telling(own[:, many:], own[:, many:] @ teacher[many:], kept))
    said = own @ teacher
    student = _ridge(own[:, np.concatenate([np.arange(many), many + chosen])], said - said.mean(), STUDENT_RIDGE)
    return Weights(
        *ranges,
        student[:many] * _BLOCK,
        tuple(table.vocabulary[place] for place in chosen),
        mean[chosen],
        spread[chosen],
        student[many:] * TERM_SCALE,
    )


def _telling(rows: Floats, line: Floats, kept: int) -> NDArray[np.intp]:
    """The columns that together say best what all of them say: orthogonal matching pursuit (Pati et al. 1993), twenty at a time."""
    rows, line = rows - rows.mean(axis=0), line - line.mean()
    sizes = np.linalg.norm(rows, axis=0)
    left, chosen = line, np.empty(0, dtype=np.intp)
    while len(chosen) < min(kept, rows.shape[1]):
        match = np.abs(rows.T @ left) / np.where(sizes > 1e-9, sizes, np.inf)
        match[chosen] = -1.0
        more = np.argsort(-match, kind="stable")[: min(20, kept - len(chosen))]
        chosen = np.concatenate([chosen, more])
        few = rows[:, chosen]
        left = line - few @ np.linalg.solve(few.T @ few + PURSUIT_RIDGE * np.eye(len(chosen)), few.T @ line)
    return chosen


def folds(labels: NDArray[np.bool_], parts: int, seed: int) -> list[NDArray[np.intp]]:
    """Rows of each of `parts` parts with equal shares of both labels, in a random order that only `seed` decides."""
    shuffled = np.random.default_rng(seed)
    part = np.empty(len(labels), dtype=int)
    for label in (False, True):
        rows = shuffled.permutation(np.flatnonzero(labels == label))
        part[rows] = np.arange(len(rows)) % parts
    return [np.flatnonzero(part == number) for number in range(parts)]


def out_of_fold(
    table: Table,
    scores: Floats,
    labels: NDArray[np.bool_],
    other: tuple[Table, Floats] | None = None,
    taught: Floats | None = None,
    *,
    parts: int = 5,
    repeats: int = 3,
    seed: int = 0,
) -> Floats:
    """What models that never saw a paper say of it; the mean over `repeats` ways to divide the papers."""
    found = np.zeros(len(scores))
    for repeat in range(repeats):
        for held in folds(labels, parts, seed + repeat):
            rest = np.setdiff1d(np.arange(len(scores)), held)
            heard = None if taught is None else taught[rest]
            found[held] += fit(table.rows(rest), scores[rest], other, heard).of(table.rows(held))
    return found / repeats
