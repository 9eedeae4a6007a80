"""Fits the rule that combines prior and reviewers' mean, and writes scientist/reviews/rule/combine.json.

python benchmarks/train_rule.py FOLDER [OUT]

FOLDER has iclr2022.jsonl.gz, where about half of the papers have Overall scores of reviewers that models played (other systems,
six settings). The prior is out of fold. The rule is fitted on all these papers; what is printed was fitted on the part
called `train` and judged on the part called `dev`. Takes a few minutes.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import numpy as np

from scientist.reviews.calibration import _fit as fitting
from scientist.reviews.calibration import _metrics as metrics
from scientist.reviews.calibration._data import read_data
from scientist.reviews.calibration._features import features, terms
from scientist.reviews.rule import Row, combine, fit

NAME = "ICLR 2022 (764 papers, {rows} with reviews by six settings of other systems' models), prior out of fold"


def main() -> None:
    """Read, make the prior out of fold, judge on one part what was fitted on the other, write what all of them give."""
    table_of = Path(sys.argv[1]) / "iclr2022.jsonl.gz"
    out = Path(sys.argv[2] if len(sys.argv) > 2 else "scientist/reviews/rule/combine.json")
    with gzip.open(table_of, "rt", encoding="utf-8") as lines:
        told = [json.loads(line) for line in lines]
    papers = read_data(table_of).papers
    table = fitting.tabulate([features(p.text) for p in papers], [terms(p.text) for p in papers])
    means = np.array([np.mean(paper.scores) for paper in papers])
    accepted = np.array([bool(paper.accepted) for paper in papers])
    names = sorted({name for paper in papers for name in paper.reviewers})
    taught = fitting.opinions(np.array([[paper.reviewers.get(name, np.nan) for name in names] for paper in papers]))
    line = fitting.out_of_fold(table, means, accepted, None, taught)
    slope = float(np.cov(line, means)[0, 1] / np.var(line, ddof=1))
    prior = np.clip(means.mean() + slope * (line - line.mean()), 1, 10)

    rows, parts, yes = [], [], []
    for number, row in enumerate(told):
        overall = [form["Overall"] for form in (row.get("llm_reviews") or {}).values() if form.get("Overall")]
        if overall:
            shares = [(score - 1) / 9 for score in (prior[number], float(np.mean(overall)), means[number])]
            rows.append(Row(prior=shares[0], model=min(1.0, shares[1]), human=shares[2]))
            parts.append(row["split"])
            yes.append(bool(accepted[number]))
    here = [row for row, part in zip(rows, parts, strict=True) if part == "train"]
    there = np.array([part == "dev" for part in parts])
    rule = fit(here, "the part called train")
    human = np.array([row.human for row in rows])[there]
    label = np.array(yes)[there]
    columns = {
        "prior alone": [row.prior for row in rows],
        "model mean alone": [row.model for row in rows],
        "equal weights": [(row.prior + row.model) / 2 for row in rows],
        "the fitted rule": [combine(row.prior, row.model, coefficients=rule).share for row in rows],
    }
    print(
        f"fitted on {len(here)}, judged on {int(there.sum())} papers; rule {rule.intercept} {rule.prior} {rule.model}"
    )
    for name, column in columns.items():
        said = np.array(column, dtype=float)[there]
        error = float(np.sqrt(np.mean((said - human) ** 2))) * 9
        print(
            f"{name:<18} AUC {metrics.auc(said, label):.3f}  Spearman {metrics.spearman(said, human):.3f}  RMSE {error:.2f} points"
        )
    out.write_bytes(fit(rows, NAME.format(rows=len(rows))).canonical())


if __name__ == "__main__":
    main()
