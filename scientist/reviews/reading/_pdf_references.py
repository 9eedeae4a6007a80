"""The list of references of a PDF: where it begins, and which of its lines begin an entry. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import median

from scientist.reviews.reading._document import RefEntry
from scientist.reviews.reading._lines import Line
from scientist.reviews.reading._setting import Setting
from scientist.reviews.reading._shapes import LIST_NAME, entry, joined, numbered, starts_entry


def entries(lines: Sequence[Line], setting: Setting) -> list[RefEntry]:
    """The entries of a list."""
    if not lines:
        return []
    groups: list[list[Line]] = []
    for line, begins in zip(lines, _entry_starts(lines, setting.leading), strict=True):
        if begins or not groups:
            groups.append([])
        groups[-1].append(line)
    said = [(joined([line.text for line in group], setting.words), group[0].page) for group in groups]
    return [entry(text, page) for text, page in said if len(text) > 12]


def unheaded_list(lines: Sequence[Line]) -> int:
    """Where a list of references begins that has no heading: '[1]' late in the text, followed by '[2]' and '[3]'; else -1."""
    if any(LIST_NAME.fullmatch(numbered(x.text)[1] if numbered(x.text) else x.text.strip(" .:")) for x in lines):  # type: ignore[index]
        return -1
    marks = [(place, int(m[1])) for place, x in enumerate(lines) if (m := re.match(r"\[(\d{1,3})\]\s", x.text))]
    for at, (place, number) in enumerate(marks):
        if number == 1 and place > 0.4 * len(lines) and [n for _, n in marks[at : at + 3]] == [1, 2, 3]:
            return place
    return -1


def _entry_starts(lines: Sequence[Line], leading: float) -> list[bool]:
    """Which lines of a list of references begin an entry: by label, else by a hanging indent, else by the space above."""
    expected = 1
    labelled = []
    for line in lines:
        labelled.append(starts_entry(line.text, expected))
        expected += labelled[-1]
    if sum(labelled) >= max(2, 0.1 * len(lines)) and labelled[0]:
        return labelled
    lefts = [round(line.left - line.edge[0], 1) for line in lines]
    hanging = [left > 4 for left in lefts]
    if sum(hanging) >= 0.2 * len(lines):
        return [not hung for hung in hanging]
    steps = []
    for place, line in enumerate(lines):
        last = lines[place - 1] if place else None
        same = last is not None and last.page == line.page and last.column == line.column
        steps.append(line.base - last.base if same and last is not None else None)
    usual = median([s for s in steps if s is not None] or [leading])
    least = min([s for s in steps if s is not None and s > 0] or [leading])
    found = []
    for line, step in zip(lines, steps, strict=True):
        if step is None:
            place = lines.index(line)
            before = lines[place - 1].text if place else ""
            found.append(not place or before.rstrip().endswith(".") or bool(re.search(r"\d{4}[a-z]?\.?$", before)))
        else:
            found.append(step > 1.25 * min(usual, 1.3 * least))
    return found
