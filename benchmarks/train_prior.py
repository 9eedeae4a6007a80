"""Fits the reviewer's prior and writes scientist/reviews/calibration/prior.json, the same bytes for the same data, and the table in docs/prior.md.

python benchmarks/train_prior.py FOLDER [OUT]

FOLDER has iclr2022.jsonl.gz (what the prior is about) and iclr2017.jsonl.gz (a second venue, whose papers count less); see
docs/prior.md. Takes a few minutes. Also prints what each venue says of the other.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from scientist.reviews.calibration import _fit as fitting
from scientist.reviews.calibration import _metrics as metrics
from scientist.reviews.calibration._data import read_data
from scientist.reviews.calibration._features import FEATURES, features, terms
from scientist.reviews.calibration._prior import Model, dump, fingerprint, model_of, pack

SEED = 0
COVERAGE = 0.8
DATE = "2026-11"
PAGE = Path("docs/prior.md")
HEAD = "| feature | what is counted | better | points |\n|---|---|---|---|\n"
MATTERS = 0.011
"""Points below which a feature is said not to matter."""


def main() -> None:
    """Read, fit out of fold for the calibration, fit on everything, write."""
    folder = Path(sys.argv[1])
    out = Path(sys.argv[2] if len(sys.argv) > 2 else "scientist/reviews/calibration/prior.json")
    first, second = (read_data(folder / f"{name}.jsonl.gz").papers for name in ("iclr2022", "iclr2017"))
    counts = [terms(paper.text) for paper in first]
    table = fitting.tabulate([features(paper.text) for paper in first], counts)
    other_table = fitting.tabulate(
        [features(paper.text) for paper in second], [terms(paper.text) for paper in second], table.vocabulary
    )
    means, other_means = (np.array([np.mean(paper.scores) for paper in papers]) for papers in (first, second))
    accepted, other_accepted = (np.array([bool(paper.accepted) for paper in papers]) for papers in (first, second))
    other = (other_table, other_means)

    names = sorted({name for paper in first for name in paper.reviewers})
    taught = fitting.opinions(np.array([[paper.reviewers.get(name, np.nan) for name in names] for paper in first]))

    line = fitting.out_of_fold(table, means, accepted, other, taught, seed=SEED)
    slope = float(np.cov(line, means)[0, 1] / np.var(line, ddof=1))
    base = float(means.mean() - slope * line.mean())
    said = base + slope * line
    residual = float(np.quantile(np.abs(means - said), COVERAGE))
    measured = {
        "papers": len(first),
        "AUC": round(metrics.auc(said, accepted), 4),
        "Spearman": round(metrics.spearman(said, means), 4),
        "Spearman inside accepted": round(metrics.spearman(said[accepted], means[accepted]), 4),
        "Spearman inside rejected": round(metrics.spearman(said[~accepted], means[~accepted]), 4),
    }
    print("out of fold, with the second venue:", measured)
    for name, (a, sa, b, sb, ya) in {
        "2022 to 2017": (table, means, other_table, other_means, other_accepted),
        "2017 to 2022": (other_table, other_means, table, means, accepted),
    }.items():
        moved = fitting.fit(a, sa).of(b)
        print(name, "AUC", round(metrics.auc(moved, ya), 3), "Spearman", round(metrics.spearman(moved, sb), 3))
    for said_by, heard in (("2022 alone", taught), ("2022 alone, humans only", None)):
        own = fitting.out_of_fold(table, means, accepted, None, heard, seed=SEED)
        print(said_by, round(metrics.auc(own, accepted), 3), round(metrics.spearman(own, means), 3))

    model = model_of(
        fitting.fit(table, means, other, taught),
        base,
        slope,
        residual,
        COVERAGE,
        metrics.platt(said, accepted),
        trained_on=[
            {"name": "iclr2022", "papers": len(first), "weight": 1.0, "venue": "ICLR 2022", "read": DATE},
            {
                "name": "iclr2017",
                "papers": len(second),
                "weight": fitting.OTHER_WEIGHT,
                "venue": "ICLR 2017",
                "read": DATE,
            },
        ],
        script="benchmarks/train_prior.py",
        fitted={
            "target": "mean human score; where other systems reviewed a paper, a third of it is their mean",
            "splits": "5 folds by decision, 3 times, iclr2017 always in the training part; then all papers",
            "seed": SEED,
            "ridge": fitting.RIDGE,
            "terms": fitting.KEPT_TERMS,
        },
        out_of_fold=measured,
        papers=pack([fingerprint(paper.text) for paper in (*first, *second)]),
    )
    out.write_text(dump(model), encoding="utf-8")
    print(out, out.stat().st_size, "bytes")
    before, _, _ = PAGE.read_text(encoding="utf-8").partition(HEAD)
    PAGE.write_text(before + HEAD + table_of(model), encoding="utf-8")


def table_of(model: Model) -> str:
    """What docs/prior.md says of every feature, and of the words that weigh most."""
    rows = []
    for name, (_, _, _, _, weight) in model.features.items():
        way = "no matter" if abs(weight) < MATTERS else "higher" if weight > 0 else "lower"
        rows.append(f"| {name} | {FEATURES[name]} | {way} | {weight:+.3f} |")
    order = sorted(model.terms, key=lambda term: -model.terms[term][2])
    best, worst = (", ".join(f"`{term}`" for term in some) for some in (order[:25], order[:-26:-1]))
    return "\n".join(rows) + f"\n\nWords that raise the prior most: {best}.\n\nWords that lower it most: {worst}.\n"


if __name__ == "__main__":
    main()
