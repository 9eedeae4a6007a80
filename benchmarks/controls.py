"""Does the reviewer notice harm, and does it fall for tricks? Paired edits of real papers, AI-written papers and the lab's own.

python benchmarks/controls.py FILE [PAPERS] [FOLDER...]

FILE is a table of papers with texts as `scientist calibrate` reads it (.jsonl or .jsonl.gz); PAPERS of them are taken, evenly over
their mean human scores. Every FOLDER is a paper with its runs, or of a lab. Prints two tables in Markdown: the reviewer without a model,
and the prior alone, which sees no finding.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from scientist.reviews.checks import Finding
from scientist.reviews.document import expected_of
from scientist.reviews.reading import Document, read_text
from scientist.reviews.selftest import SelfTest, Subject, as_markdown, by_programs, measure, subject_of


def papers(path: Path, many: int) -> list[Subject]:
    """Papers of a table, evenly over their mean scores."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    rows.sort(key=lambda row: (float(np.mean(row["scores"])), row["id"]))
    step = max(len(rows) // many, 1)
    return [
        Subject(row["id"], read_text(row["text"], row["id"], row["title"])) for row in rows[step // 2 :: step][:many]
    ]


def prior_alone(document: Document, findings: Sequence[Finding], seed: int) -> float | None:
    """The reviewer that sees no finding."""
    prior = expected_of(document).prior
    return prior.score if prior else None


def told(found: SelfTest) -> None:
    """The table, and which findings each edit brings about."""
    print(as_markdown(found))
    for row in found.rows:
        kinds = Counter(kind for change in row.changes for kind in change.new)
        if kinds:
            print(f"{row.edit}: " + ", ".join(f"{kind} {count}" for kind, count in kinds.most_common()))
    print(flush=True)


def main() -> None:
    """Print the tables."""
    many = int(sys.argv[2]) if len(sys.argv) > 2 else 40
    real, folders = papers(Path(sys.argv[1]), many), [Path(name) for name in sys.argv[3:]]
    told(measure(real, by_programs, name="programs"))
    told(measure([Subject(one.name, one.document, lambda _: ()) for one in real], prior_alone, name="the prior alone"))
    if folders:
        told(measure([subject_of(folder) for folder in folders], by_programs, name="programs, with runs or facts"))


if __name__ == "__main__":
    main()
