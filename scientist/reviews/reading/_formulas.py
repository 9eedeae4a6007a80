"""Displayed formulas of a PDF: lines in fonts for formulas, away from the column's edge. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from scientist.reviews.reading._document import Equation
from scientist.reviews.reading._lines import Line
from scientist.reviews.reading._setting import Setting, box_of

_NUMBER = re.compile(r"\((\d{1,3}(?:\.\d{1,3})?[a-z]?|[A-Z]\.?\d{1,3})\)$")


def formula(lines: Sequence[Line], place: int, setting: Setting) -> tuple[list[Equation], int]:
    """The displayed formulas that begin at a line, and of how many lines they are."""
    taken: list[Line] = []
    for line in lines[place:]:
        if taken and (line.page != taken[-1].page or line.base - taken[-1].base > 2.2 * setting.leading):
            break
        if not _displayed(line, setting):
            break
        taken.append(line)
    if not taken:
        return [], 0
    made = []
    number = ""
    for line in taken:
        found = _NUMBER.search(line.text)
        said = line.text
        if found and line.right > line.edge[1] - 3 * setting.body:
            said = said[: found.start()].strip()
            number = found[1]
        if said or number:
            made.append(Equation(text=said[:2000], number=number, page=line.page, box=box_of([line])))
        number = ""
    return made, len(taken)


def _displayed(line: Line, setting: Setting) -> bool:
    """A line of a displayed formula: mostly in fonts for formulas, not beginning at the column's edge."""
    indented = line.left > line.edge[0] + 1.2 * setting.body
    numbered_ = bool(_NUMBER.search(line.text)) and line.right > line.edge[1] - 2
    math = line.share(lambda word: word.math)
    words = re.findall(r"[A-Za-z]{4,}", " ".join(w.text for w in line.words if not w.math))
    if numbered_ and indented and (math > 0.2 or len(words) <= 2):
        return True
    return indented and math > 0.3 and len(words) <= 3 and line.left - line.edge[0] > 2.5 * setting.body
