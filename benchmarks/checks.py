"""Papers in the layout of the AI Scientist against their runs: what is bound, and how much of what is planted is found.

`python benchmarks/checks.py FOLDER...`, each with a paper, run_0, run_1, ... and notes.txt. Every number that is bound, of
tables and of running text, is replaced in a copy of the paper as it was read, one at a time, in each of these ways.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scientist.reviews.checks import Quantity, Runs, RunsChecked, check_document, check_runs, read_runs
from scientist.reviews.checks._grid import Cell, cells, name_of
from scientist.reviews.checks._passages import Passage, passages
from scientist.reviews.checks._rounding import decimals
from scientist.reviews.checks._words import vocabulary
from scientist.reviews.reading import ABSTRACT, Document, read_paper

KINDS = (
    "another run's value",
    "another data set's value",
    "another metric's value",
    "a number of the same form",
    "10% more",
    "10% less",
    "last digit up by one",
    "error bar twice as wide",
    "error bar of the same form",
)


@dataclass(frozen=True)
class Fault:
    """One number replaced: in what way, where (table or text), and what it was bound to before."""

    kind: str
    where: str
    document: Document
    source: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    asked = parser.parse_args()
    print(
        "| paper | looked at | bound | unmatched | wrong run | contradicted | unsupported ± | findings | text alone: errors | s |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    told: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for folder in asked.folders:
        begun = time.monotonic()
        reading, runs = read_paper(folder), read_runs(folder)
        found = check_runs(reading.document, runs)
        alone = check_document(reading.document, reading.sources)
        seconds = time.monotonic() - begun
        counts = [found.count(verdict) for verdict in ("bound", "unmatched", "wrong-run", "contradicted")]
        bars = sum(one.kind == "unsupported-error-bar" for one in found.findings)
        errors = sum(one.severity == "error" for one in alone)
        shown = " | ".join(str(n) for n in (len(found.numbers), *counts, bars, len(found.findings), errors))
        print(f"| `{folder.name}` | {shown} | {seconds:.1f} |")
        for fault in faults(reading.document, runs, found):
            tally = told[fault.kind, fault.where]
            tally["planted"] += 1
            hits = set(judged(fault, found, check_runs(fault.document, runs)))
            if not hits:  # the same paper against itself: 'a fall of 5% (from 0.161 to 0.153)'
                itself = set(check_document(fault.document, reading.sources)) - set(alone)
                hits = {{"error": "error", "warning": "found"}.get(one.severity, "") for one in itself} - {""}
                hits |= {"found", "by itself"} if hits else set()
            tally.update(hits)
    print("\n| planted | where | times | found | as an error | the run it was from is named |")
    print("|---|---|---|---|---|---|")
    for (kind, where), tally in sorted(told.items(), key=lambda item: (KINDS.index(item[0][0]), item[0][1])):
        n = tally["planted"]
        parts = " | ".join(f"{tally[key] / n:.0%}" for key in ("found", "error"))
        print(f"| {kind} | {where} | {n} | {parts} | {tally['named'] / max(1, tally['found']):.0%} |")


def judged(fault: Fault, before: RunsChecked, after: RunsChecked) -> Iterator[str]:
    """Whether the fault was found, as an error, and with what should have stood there."""
    wrong = sum(one.verdict != "bound" for one in after.numbers) - sum(one.verdict != "bound" for one in before.numbers)
    new = [finding for finding in after.findings if finding not in before.findings]
    if wrong <= 0 or not new:
        return
    yield "found"
    if any(finding.severity == "error" for finding in new):
        yield "error"
    place = fault.source.split(": ")[0]
    if any(place in f"{finding.expected} {finding.source} {finding.message}" for finding in new):
        yield "named"


def faults(document: Document, runs: Runs, found: RunsChecked) -> Iterator[Fault]:
    """Every way of replacing every bound number."""
    chance = random.Random(0)
    sound = {(one.text, one.place): one.source for one in found.numbers if one.verdict == "bound"}
    for cell in cells(document):
        place = f"{name_of(document.tables[cell.table], cell.table)}, '{cell.row_head}', '{cell.column_head}'"
        if source := sound.get((cell.text, place)):
            for kind, text in replaced(cell.text, cell.value, source, runs, chance):
                yield Fault(kind, "table", with_cell(document, cell, cell.text, text), source)
        if source := sound.get((f"± {cell.spread}", place)):
            for kind, text in widened(cell.spread, chance):
                yield Fault(kind, "table", with_cell(document, cell, cell.spread, text), source)
    bound = [one for one in found.numbers if not one.place.startswith("Table ") and not one.text.startswith("±")]
    for one, passage in zip(bound, passages(document, vocabulary(runs)), strict=True):
        number = passage.number
        if one.verdict == "bound" and not passage.caption and number.text[:1].isdigit() and not number.spread:
            digits = number.text.rstrip("%x× percntoi")
            for kind, text in replaced(digits, number.value, one.source, runs, chance):
                yield Fault(kind, "text", with_number(document, passage, digits, text), one.source)


def replaced(text: str, value: float, source: str, runs: Runs, chance: random.Random) -> Iterator[tuple[str, str]]:
    """(kind, what is printed instead) for one number; nothing that is printed as before."""
    places = max(0, decimals(text))
    made = {
        "a number of the same form": value * chance.uniform(0.5, 1.8),
        "10% more": value * 1.1,
        "10% less": value * 0.9,
        "last digit up by one": value + 10.0**-places,
    }
    own = next((one for one in runs.quantities if one.place == source), None)
    if own and own.mean:
        made |= {kind: other.mean * value / own.mean for kind, other in neighbours(own, value, places, runs, chance)}
    for kind, other in made.items():
        if f"{other:.{places}f}" != f"{value:.{places}f}":
            yield kind, f"{other:.{places}f}"


def neighbours(
    own: Quantity, value: float, places: int, runs: Runs, chance: random.Random
) -> Iterator[tuple[str, Quantity]]:
    """Values that stand beside a quantity in the runs, drawn at random, each printed differently."""
    for kind, same in (
        ("another run's value", (False, True, True)),
        ("another data set's value", (True, False, True)),
        ("another metric's value", (True, True, False)),
    ):
        others = [
            one
            for one in runs.quantities
            if (one.run == own.run, one.dataset == own.dataset, one.metric == own.metric) == same
            and abs(one.mean - own.mean) * abs(value / own.mean) >= 10.0**-places
            and 0.01 < one.mean / own.mean < 100  # what nobody would take for it is no fraud
        ]
        if others:
            yield kind, chance.choice(others)


def widened(text: str, chance: random.Random) -> Iterator[tuple[str, str]]:
    """An error bar that is not the one of the runs."""
    places, value = max(0, decimals(text)), float(text)
    if value:
        yield "error bar twice as wide", f"{value * 2:.{places}f}"
        yield "error bar of the same form", f"{value * chance.uniform(0.2, 4.0):.{places}f}"


def with_cell(document: Document, cell: Cell, old: str, new: str) -> Document:
    """The document with another value in one cell."""
    tables = list(document.tables)
    rows = [list(row) for row in tables[cell.table].rows]
    start = rows[cell.row][cell.column].rfind(old) if old == cell.spread else rows[cell.row][cell.column].find(old)
    printed = rows[cell.row][cell.column]
    rows[cell.row][cell.column] = printed[:start] + new + printed[start + len(old) :]
    tables[cell.table] = tables[cell.table].model_copy(update={"rows": tuple(tuple(row) for row in rows)})
    return document.model_copy(update={"tables": tuple(tables)})


def with_number(document: Document, passage: Passage, old: str, new: str) -> Document:
    """The document with another number in one sentence."""
    number, sentence = passage.number, passage.number.sentence
    start = sentence.start + number.start
    if sentence.section == ABSTRACT:
        return document.model_copy(update={"abstract": _put(document.abstract, start, old, new)})
    section = document.sections[sentence.section]
    paragraphs = list(section.paragraphs)
    text = _put(paragraphs[sentence.paragraph].text, start, old, new)
    paragraphs[sentence.paragraph] = paragraphs[sentence.paragraph].model_copy(update={"text": text})
    sections = list(document.sections)
    sections[sentence.section] = section.model_copy(update={"paragraphs": tuple(paragraphs)})
    return document.model_copy(update={"sections": tuple(sections)})


def _put(text: str, start: int, old: str, new: str) -> str:
    start = text.index(old, start)
    return text[:start] + new + text[start + len(old) :]


if __name__ == "__main__":
    main()
