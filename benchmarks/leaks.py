"""What tells the decision of a paper without a word about the work, before and after the prior has stripped it.

python benchmarks/leaks.py FILE

FILE is a table of papers with texts and decisions (.jsonl or .jsonl.gz). A leak is one or more numbers taken from a text. How
well it tells accepted papers from rejected ones is an AUC out of fold (each number turned the way it points on four parts
of the papers, judged on the fifth), with a bootstrap interval; a leak that is gone has the same numbers for every paper: 0.5.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from scientist.reviews.calibration import _metrics as metrics
from scientist.reviews.calibration import read_text, strip
from scientist.reviews.calibration._data import read_data
from scientist.reviews.calibration._fit import folds

Floats = NDArray[np.float64]
_YEAR = re.compile(r"\b20[012]\d\b")
_APPENDIX = re.compile(r"^[#* ]*(?:references|bibliography)\W*$", re.IGNORECASE | re.MULTILINE)


def _says(*words: str) -> Callable[[str], list[float]]:
    return lambda text: [float(word in text.lower()) for word in words]


def _after_references(text: str) -> list[float]:
    found = _APPENDIX.search(text, len(text) // 5)
    return [float(len(text[found.end() :].split()) if found else 0)]


def _newest(text: str) -> list[float]:
    years = [int(year) for year in _YEAR.findall(text) if 2005 < int(year) <= 2022]
    return [float(max(years, default=0)), float(sum(year >= 2021 for year in years))]


LEAKS: Mapping[str, Callable[[str], list[float]]] = {
    "header line": _says("published as", "under review"),
    "names of authors": lambda text: [float("anonymous" in text[:600].lower()), float(len(re.findall(r"@|univers|institut", text[:1500].lower())))],
    "acknowledgements": _says("acknowledg", "we thank", "supported by"),
    "statements": _says("ethics statement", "reproducibility statement"),
    "links to code": _says("github.com", "code is available", "https://"),
    "length after the references begin": _after_references,
    "newest years": _newest,
}  # fmt: skip


def judged(columns: Floats, accepted: NDArray[np.bool_]) -> metrics.Interval:
    """AUC out of fold of the sum of the ranked columns, each turned the way it points."""
    ranks = rankdata(columns, axis=0) / len(columns)
    line = np.zeros(len(columns))
    for held in folds(accepted, 5, 0):
        rest = np.setdiff1d(np.arange(len(columns)), held)
        turned = [np.sign(metrics.auc(column[rest], accepted[rest]) - 0.5) for column in columns.T]
        line[held] = ranks[held] @ np.array(turned)
    return metrics.bootstrap(lambda rows: metrics.auc(line[rows], accepted[rows]), len(line), 0, 300)


def table(path: Path) -> dict[str, tuple[metrics.Interval, metrics.Interval]]:
    """Of each leak the AUC in the text as it is, and in what the prior sees of it."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    accepted = np.array([bool(paper.accepted) for paper in read_data(path).papers])
    seen = []
    for row in rows:
        left = strip(read_text(row["text"], row.get("title") or "", row.get("abstract") or ""))
        seen.append(f"{left.title}\n{left.abstract}\n{left.text}\n" + "\n".join(left.references))
    return {
        name: (
            judged(np.array([leak(row["text"]) for row in rows]), accepted),
            judged(np.array([leak(text) for text in seen]), accepted),
        )
        for name, leak in LEAKS.items()
    }


def main() -> None:
    """Print the table in Markdown."""
    print("| leak | AUC of the text as it is | AUC of what the prior sees |")
    print("|---|---|---|")
    for name, pair in table(Path(sys.argv[1])).items():
        before, after = (f"{value:.2f} [{low:.2f}, {high:.2f}]" for value, low, high in pair)
        print(f"| {name} | {before} | {after} |")


if __name__ == "__main__":
    main()
