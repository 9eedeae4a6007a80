"""Every reviewer of a set of papers in one table: the prior, other systems, simple baselines, alone and combined.

Nothing is judged on papers it was fitted on. Thresholds, probability curves, combinations and a refitted prior come from the
other parts of the data; what needs no fitting (ranks) is used as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scientist.errors import RecordError
from scientist.reviews.calibration import _metrics as metrics
from scientist.reviews.calibration._data import Data, Paper
from scientist.reviews.calibration._features import features, terms
from scientist.reviews.calibration._fit import Table, folds, opinions, out_of_fold, tabulate
from scientist.reviews.calibration._metrics import Bools, Floats, Interval
from scientist.reviews.calibration._prior import MIN_WORDS, prior_of, shipped
from scientist.reviews.calibration._strip import strip

MIN_PAPERS = 20
MIN_REFIT = 60
PARTS = 5
DRAWS = 500
COMBINING_RIDGE = 10.0
HUMAN_DRAWS = 20
MEASURES = (
    "AUC", "Spearman", "Spearman inside accepted", "Spearman inside rejected", "balanced accuracy", "F1", "FPR", "FNR",
    "Brier", "ECE",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One reviewer: on which papers, each measure with its interval, and what is needed to draw it."""

    name: str
    group: str
    papers: int
    measures: dict[str, Interval]
    scores: Floats
    rows: NDArray[np.intp]
    chances: Floats | None
    note: str = ""


@dataclass(frozen=True)
class Assessment:
    """The whole table. `means` are mean human scores (nan where there are none), `accepted` is None without outcomes."""

    name: str
    papers: int
    rows: tuple[Row, ...]
    means: Floats
    accepted: Bools | None
    notes: tuple[str, ...]
    seed: int
    facts: dict[str, Any] = field(default_factory=dict)


def assess(
    data: Data,
    *,
    seed: int = 0,
    refit: bool = True,
    also: Data | None = None,
    draws: int = DRAWS,
    progress: Callable[[int, int], None] | None = None,
) -> Assessment:
    """The table for a set of papers. Raises RecordError when there is nothing to measure with.

    `also`: papers with scores that the refitted prior learns from too, and that are not judged.
    """
    papers, notes = _usable(data)
    means = np.array([float(np.mean(paper.scores)) if paper.scores else np.nan for paper in papers])
    accepted = (
        np.array([bool(paper.accepted) for paper in papers]) if all(p.accepted is not None for p in papers) else None
    )
    if accepted is not None and accepted.all() == accepted.any():
        one = "accepted" if accepted.all() else "rejected"
        if np.isnan(means).all():
            raise RecordError(
                f"all {len(papers)} papers are {one}, and there are no scores",
                "add papers of the other kind, or scores",
            )
        notes.append(f"All papers are {one}: measures against the decision are left out.")
        accepted = None
    judge = _Judge(means, accepted, seed, draws)

    priors, counts, found = [], [], []
    for number, paper in enumerate(papers):
        priors.append(prior_of(paper.text))
        if refit:
            found.append(features(paper.text))
            counts.append(terms(paper.text))
        if progress:
            progress(number + 1, len(papers))
    known = sum(one.known for one in priors)
    columns: dict[str, tuple[Floats, str, str]] = {
        "constant": (np.zeros(len(papers)), "baseline", ""),
        "length of the stripped text": (
            np.array([float(len(strip(p.text).text.split())) for p in papers]),
            "baseline",
            "",
        ),
        "length of the whole text": (
            np.array([float(p.length) for p in papers]),
            "baseline",
            "appendix and print included",
        ),
    }
    if known:
        notes.append(f"The shipped prior was fitted on {known} of these {len(papers)} papers: its own row flatters it.")
    said = f"fitted on {known} of these papers" if known else "never saw these papers"
    columns["shipped prior"] = (np.array([one.score for one in priors]), "prior", said)
    target = means if not np.isnan(means).any() else None if accepted is None else accepted.astype(float)
    best = "shipped prior"
    if refit and target is not None and len(papers) >= MIN_REFIT:
        labels = accepted if accepted is not None else target > np.median(target)
        table = tabulate(found, counts)
        names = sorted({name for paper in papers for name in paper.reviewers})
        told = np.array([[paper.reviewers.get(name, np.nan) for name in names] for paper in papers])
        taught = opinions(told) if names and np.isfinite(told).any(axis=1).sum() >= MIN_PAPERS else None
        line = out_of_fold(table, target, labels, _second(also, table.vocabulary), taught, seed=seed)
        teachers = ["the humans", "the other reviewers"][: 1 + (taught is not None)] + ([also.name] if also else [])
        columns["refitted prior, out of fold"] = (line, "prior", f"taught by {', '.join(teachers)} on other papers")
        best = "refitted prior, out of fold"
    elif refit:
        notes.append(
            f"The prior is refitted from {MIN_REFIT} papers with a score or an outcome each; this was not possible here."
        )
    rows = [judge.row(name, group, scores, note=note) for name, (scores, group, note) in columns.items()]
    rows += judge.human(papers)
    rows += _others(judge, papers, columns[best][0], best, target)
    facts = {
        "known to the shipped prior": known,
        "accepted": None if accepted is None else int(accepted.sum()),
        "combining": "ridge on standardised columns, fitted on the other parts",
        "shipped prior": shipped().trained_on,
    }
    return Assessment(data.name, len(papers), tuple(rows), means, accepted, (*data.notes, *notes), seed, facts)


def _usable(data: Data) -> tuple[list[Paper], list[str]]:
    notes: list[str] = []
    papers = [paper for paper in data.papers if paper.scores or paper.accepted is not None]
    if not papers:
        raise RecordError(f"{data.name}: no paper has a decision or scores", "docs/prior.md shows the format")
    if len(papers) < len(data.papers):
        notes.append(f"{len(data.papers) - len(papers)} papers without decision and scores are left out.")
    long = [paper for paper in papers if terms(paper.text)[""] >= MIN_WORDS]
    if len(long) < len(papers):
        notes.append(f"{len(papers) - len(long)} papers have too little text and are left out.")
    if len(long) < MIN_PAPERS:
        raise RecordError(
            f"{data.name}: {len(long)} usable papers", f"at least {MIN_PAPERS} are needed to say anything"
        )
    decided = sum(paper.accepted is not None for paper in long)
    if 0 < decided < len(long):
        if decided >= MIN_PAPERS:
            long = [paper for paper in long if paper.accepted is not None]
            notes.append(f"{len(papers) - decided} papers without a decision are left out.")
        else:
            notes.append("Too few papers have a decision: measures against it are left out.")
    return long, notes


class _Judge:
    """Measures columns of scores against one set of outcomes."""

    def __init__(self, means: Floats, accepted: Bools | None, seed: int, draws: int) -> None:
        self.means, self.accepted, self.seed, self.draws = means, accepted, seed, draws

    def row(self, name: str, group: str, scores: Floats, rows: NDArray[np.intp] | None = None, note: str = "") -> Row:
        """One reviewer's row; `scores` are of the papers in `rows`."""
        rows = np.arange(len(scores)) if rows is None else rows
        measures: dict[str, Interval] = {}
        chances = None
        means = self.means[rows]

        def add(measure: str, of: Callable[[NDArray[np.intp]], float]) -> None:
            measures[measure] = metrics.bootstrap(of, len(rows), self.seed, self.draws)

        if not np.isnan(means).any():
            add("Spearman", lambda i: metrics.spearman(scores[i], means[i]))
        if self.accepted is not None:
            accepted = self.accepted[rows]
            add("AUC", lambda i: metrics.auc(scores[i], accepted[i]))
            if not np.isnan(means).any():
                add(
                    "Spearman inside accepted",
                    lambda i: metrics.spearman(scores[i[accepted[i]]], means[i[accepted[i]]]),
                )
                add(
                    "Spearman inside rejected",
                    lambda i: metrics.spearman(scores[i[~accepted[i]]], means[i[~accepted[i]]]),
                )
            if min(accepted.sum(), (~accepted).sum()) >= PARTS:
                yes, chances = self._fitted(scores, accepted)
                sure = chances
                for measure in ("balanced accuracy", "F1", "FPR", "FNR"):
                    add(measure, lambda i, measure=measure: metrics.rates(yes[i], accepted[i])[measure])  # type: ignore[misc]
                add("Brier", lambda i: metrics.brier(sure[i], accepted[i]))
                add("ECE", lambda i: metrics.calibration_error(sure[i], accepted[i]))
        return Row(name, group, len(rows), measures, scores, rows, chances, note)

    def _fitted(self, scores: Floats, accepted: Bools) -> tuple[Bools, Floats]:
        """Yes or no, and probabilities; threshold and curve of each part are fitted on the other parts."""
        yes, chances = np.zeros(len(scores), dtype=bool), np.zeros(len(scores))
        for held in folds(accepted, PARTS, self.seed):
            rest = np.setdiff1d(np.arange(len(scores)), held)
            yes[held] = scores[held] >= metrics.threshold(scores[rest], accepted[rest])
            chances[held] = metrics.chances_of(scores[held], metrics.platt(scores[rest], accepted[rest]))
        return yes, chances

    def human(self, papers: Sequence[Paper]) -> list[Row]:
        """One human against the mean of the rest, of papers with two scores and more."""
        rows = np.array([place for place, paper in enumerate(papers) if len(paper.scores) >= 2], dtype=int)
        if len(rows) < MIN_PAPERS:
            return []
        rng = np.random.default_rng(self.seed)
        ones: list[Floats] = []
        rests: list[Floats] = []
        for _ in range(HUMAN_DRAWS):
            one, rest = [], []
            for place in rows:
                scores = list(papers[place].scores)
                one.append(scores.pop(int(rng.integers(len(scores)))))
                rest.append(float(np.mean(scores)))
            ones.append(np.array(one))
            rests.append(np.array(rest))
        row = self.row("one human", "human", ones[0], rows)
        measures = dict(row.measures)

        def mean_of(which: Callable[[NDArray[np.intp]], NDArray[np.intp]]) -> Interval:
            def of(i: NDArray[np.intp]) -> float:
                chosen = which(i)
                return float(
                    np.mean([metrics.spearman(a[chosen], b[chosen]) for a, b in zip(ones, rests, strict=True)])
                )

            return metrics.bootstrap(of, len(rows), self.seed, max(self.draws // 10, 5))

        measures["Spearman"] = mean_of(lambda i: i)
        if self.accepted is not None:
            accepted = self.accepted[rows]
            measures["Spearman inside accepted"] = mean_of(lambda i: i[accepted[i]])
            measures["Spearman inside rejected"] = mean_of(lambda i: i[~accepted[i]])
        note = "against the mean of the other humans; the decision knew this score"
        return [Row("one human", "human", len(rows), measures, ones[0], rows, row.chances, note)]

    def combined(self, columns: Floats, target: Floats, rows: NDArray[np.intp]) -> Floats:
        """Ridge on standardised columns; what is said of each part is fitted on the other parts."""
        labels = self.accepted[rows] if self.accepted is not None else target > np.median(target)
        said = np.zeros(len(target))
        for held in folds(labels, PARTS, self.seed):
            rest = np.setdiff1d(np.arange(len(target)), held)
            mean, scale = columns[rest].mean(axis=0), columns[rest].std(axis=0)
            z = (columns - mean) / np.where(scale > 1e-9, scale, 1.0)
            inner = z[rest].T @ z[rest] + COMBINING_RIDGE * np.eye(columns.shape[1])
            weight = np.linalg.solve(inner, z[rest].T @ (target[rest] - target[rest].mean()))
            said[held] = target[rest].mean() + z[held] @ weight
        return said


def _second(also: Data | None, words: tuple[str, ...]) -> tuple[Table, Floats] | None:
    """A second set of papers as a table of the same vocabulary, with its mean scores."""
    papers = [paper for paper in also.papers if paper.scores] if also else []
    if not papers:
        return None
    table = tabulate([features(paper.text) for paper in papers], [terms(paper.text) for paper in papers], words)
    return table, np.array([float(np.mean(paper.scores)) for paper in papers])


def _others(judge: _Judge, papers: Sequence[Paper], prior: Floats, best: str, target: Floats | None) -> list[Row]:
    """Other systems' reviewers alone, with the prior, and all of them together, each on the papers it reviewed."""
    rows: list[Row] = []
    names = sorted({name for paper in papers for name in paper.reviewers})
    columns = {name: np.array([paper.reviewers.get(name, np.nan) for paper in papers]) for name in names}
    done: set[bytes] = set()
    usable = [name for name in names if np.isfinite(columns[name]).sum() >= MIN_PAPERS]
    for name in usable:
        which = np.flatnonzero(np.isfinite(columns[name]))
        if which.tobytes() not in done and len(which) < len(papers):
            done.add(which.tobytes())
            note = "the papers that the reviewers below reviewed"
            rows.append(judge.row(f"prior on {len(which)} papers", "prior", prior[which], which, note))
        scores = columns[name][which]
        rows.append(judge.row(name, "other system", scores, which))
        if target is not None:
            both = judge.combined(np.column_stack([prior[which], scores]), target[which], which)
            rows.append(judge.row(f"{name} + prior", "combined", both, which, best))
    every = (
        np.flatnonzero(np.isfinite(np.array([columns[name] for name in usable])).all(axis=0))
        if usable
        else np.array([])
    )
    if len(usable) > 1 and len(every) >= MIN_PAPERS and target is not None:
        matrix = np.column_stack([columns[name][every] for name in usable])
        alone = judge.combined(matrix, target[every], every)
        rows.append(judge.row("all other systems", "combined", alone, every))
        whole = judge.combined(np.column_stack([prior[every], matrix]), target[every], every)
        rows.append(judge.row("all other systems + prior", "combined", whole, every, best))
    return rows
