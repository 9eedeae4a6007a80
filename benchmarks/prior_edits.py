"""How the reviewer's prior moves when a paper is edited: harm it should notice, and tricks it must not fall for.

python benchmarks/prior_edits.py FILE [PAPERS]

FILE is a table of papers as `scientist calibrate` reads it (the raw text is needed: .jsonl or .jsonl.gz). The spread of a
second reading is the 95th percentile of how far two readings of a paper lie apart, a tenth of its sentences overlooked in each.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import numpy as np

from scientist.reviews.calibration import prior_of, read_text
from scientist.reviews.calibration._edits import HARMFUL, IDLE, retest

READINGS = 3


def main() -> None:
    """Print the table in Markdown."""
    path, many = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 60
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        rows = [json.loads(line) for line in file]
    rows = rows[:: max(len(rows) // many, 1)][:many]

    def score(row: dict[str, str], text: str) -> float:
        return prior_of(read_text(text, row["title"], row.get("abstract", ""))).score

    for row in rows:
        row["text"] = retest(row["text"], 0, share=0.0)  # paragraphs joined as every edit joins them
    before = np.array([score(row, row["text"]) for row in rows])
    again = np.array([[score(row, retest(row["text"], seed)) for seed in range(READINGS)] for row in rows])
    apart = np.abs(again[:, :, None] - again[:, None, :])[:, *np.triu_indices(READINGS, 1)]
    spread = float(np.quantile(apart, 0.95))
    places = np.argsort(np.argsort(before)) / max(len(before) - 1, 1)
    print(f"{len(rows)} papers; s.d. of scores {before.std():.2f}; spread of a second reading {spread:.2f}\n")
    print("| edit | mean change | 95 % of papers within | raised beyond the spread | mean change in percentiles |")
    print("|---|---|---|---|---|")
    for name, edit in {**HARMFUL, **IDLE}.items():
        after = np.array([score(row, edit(row["text"], 0)) for row in rows])
        change = after - before
        low, high = np.quantile(change, [0.025, 0.975])
        moved = np.array([(before < one).mean() for one in after]) - places
        print(
            f"| {name} | {change.mean():+.2f} | [{low:+.2f}, {high:+.2f}] | {(change > spread).sum()} of {len(rows)} | {100 * moved.mean():+.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
