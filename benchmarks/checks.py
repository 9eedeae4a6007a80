"""Papers in the layout of the AI Scientist against their runs: what is bound, and how much of what is planted is found.

`python benchmarks/checks.py FOLDER...`, each with a paper, run_0, run_1, ... and notes.txt. Two faults are planted in
one table cell after the other, each in a copy of the paper as it was read: the last digits moved, and the value of another run.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

from scientist.reviews.checks import Runs, check_document, check_runs, read_runs
from scientist.reviews.checks._grid import Cell, cells
from scientist.reviews.reading import Document, read_paper


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    asked = parser.parse_args()
    print(
        "| paper | looked at | bound | unmatched | wrong run | contradicted | error bars among them | text alone: errors | s |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    planted: dict[str, list[bool]] = {"last digits moved": [], "the value of another run": []}
    for folder in asked.folders:
        begun = time.monotonic()
        reading, runs = read_paper(folder), read_runs(folder)
        found = check_runs(reading.document, runs)
        alone = check_document(reading.document, reading.sources)
        counts = [found.count(verdict) for verdict in ("bound", "unmatched", "wrong-run", "contradicted")]
        bars = sum(one.kind == "unsupported-error-bar" for one in found.findings)
        errors = sum(one.severity == "error" for one in alone)
        shown = " | ".join(str(count) for count in (len(found.numbers), *counts, bars, errors))
        print(f"| `{folder.name}` | {shown} | {time.monotonic() - begun:.1f} |")
        sound = {
            number.place for number in found.numbers if number.verdict == "bound" and not number.text.startswith("±")
        }
        for kind, cell, value in plants(reading.document, runs, sound):
            again = check_runs(with_cell(reading.document, cell, value), runs)
            planted[kind].append(len(again.findings) > len(found.findings))
    print()
    for kind, hits in planted.items():
        print(f"{kind}: {sum(hits)} of {len(hits)} found")


def plants(document: Document, runs: Runs, sound: set[str]) -> Iterator[tuple[str, Cell, str]]:
    """(fault, cell, what is written into it) for every cell of a table that was bound."""
    for cell in cells(document):
        place = f"Table {document.tables[cell.table].number or cell.table + 1}, '{cell.row_head}', '{cell.column_head}'"
        if place not in sound:
            continue
        places = len(cell.text.partition(".")[2])
        yield "last digits moved", cell, f"{cell.value + 7 * 10.0**-places:.{places}f}"
        same = [one for one in runs.quantities if f"{one.mean:.{places}f}" == f"{cell.value:.{places}f}"]
        for one in same[:1]:
            others = [
                other
                for other in runs.quantities
                if (other.dataset, other.metric) == (one.dataset, one.metric)
                and f"{other.mean:.{places}f}" != f"{cell.value:.{places}f}"
            ]
            if others:
                other = max(others, key=lambda found: abs(found.mean - one.mean))
                yield "the value of another run", cell, f"{other.mean:.{places}f}"


def with_cell(document: Document, cell: Cell, value: str) -> Document:
    """The document with another value in one cell."""
    tables = list(document.tables)
    rows = [list(row) for row in tables[cell.table].rows]
    rows[cell.row][cell.column] = rows[cell.row][cell.column].replace(cell.text, value, 1)
    tables[cell.table] = tables[cell.table].model_copy(update={"rows": tuple(tuple(row) for row in rows)})
    return document.model_copy(update={"tables": tuple(tables)})


if __name__ == "__main__":
    main()
