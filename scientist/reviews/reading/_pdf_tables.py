"""Tables of a PDF: which lines of a page are one, and which words are one cell. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scientist.reviews.reading._lines import Line, Sheet, Word, line_text

APART = 0.62
"""Space between two cells, in sizes of the print: columns of LaTeX stand 12 points apart, words three or four."""


@dataclass(frozen=True)
class Region:
    """Where a table is: a page, and the box of its outer rules. `levels`: the heights of its rules; `walls`: the upright
    lines in it, as (place, top, bottom)."""

    page: int
    left: float
    top: float
    right: float
    bottom: float
    levels: tuple[float, ...] = ()
    walls: tuple[tuple[float, float, float], ...] = ()

    def holds(self, line: Line) -> bool:
        """Whether a line stands in it."""
        return (
            line.page == self.page
            and self.top - 1 < line.base < self.bottom + 1
            and line.left > self.left - 6
            and line.right < self.right + 6
        )


def regions(sheet: Sheet, here: Sequence[Line], is_caption: Sequence[Line]) -> list[Region]:
    """Areas between horizontal rules of equal extent. `here`: the lines of that page. A caption or a line of running
    text between two rules parts them."""
    rules = _joined(sheet.rules)
    captions = {id(line) for line in is_caption}
    used = [False] * len(rules)
    found = []
    for start, first in enumerate(rules):
        if used[start]:
            continue
        last = first
        levels = [first[1]]
        for place in range(start + 1, len(rules)):
            rule = rules[place]
            if used[place] or abs(rule[0] - first[0]) > 3 or abs(rule[2] - first[2]) > 3 or rule[1] - last[1] < 1:
                continue
            between = [x for x in here if last[1] < x.base < rule[1] + 1 and x.left < first[2] and x.right > first[0]]
            if rule[1] - last[1] > 500 or any(id(line) in captions for line in between):
                break
            if not between or _prose(between, first, sheet.walls):
                break
            used[place] = True
            last = rule
            levels.append(rule[1])
        if len(levels) >= 2:
            walls = tuple(
                w for w in sheet.walls if first[0] - 3 < w[0] < first[2] + 3 and w[2] > first[1] and w[1] < last[1]
            )
            found.append(Region(sheet.number, first[0], first[1], first[2], last[1], tuple(levels), walls))
    return [
        a
        for a in found
        if not any(
            b is not a and b.top <= a.top and b.bottom >= a.bottom and b.left <= a.left + 1 and b.right >= a.right - 1
            for b in found
        )
    ]


def _joined(rules: Sequence[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    """Rules from top to bottom; pieces of one line, as around the cells of a word processor's table, are one rule."""
    found: list[tuple[float, float, float]] = []
    for left, height, right in sorted(rules, key=lambda rule: (round(rule[1] / 1.5), rule[0])):
        last = found[-1] if found else None
        if last and abs(last[1] - height) < 1.6 and left < last[2] + 3 and right > last[0] - 3:
            found[-1] = (min(last[0], left), last[1], max(last[2], right))
        else:
            found.append((left, height, right))
    return sorted(found, key=lambda rule: rule[1])


def _prose(
    lines: Sequence[Line], rule: tuple[float, float, float], walls: Sequence[tuple[float, float, float]]
) -> bool:
    """Whether most lines are full of words without wide spaces: running text between two rules is no table, unless an
    upright line runs through it."""
    full = sum(
        not any(line.left < x < line.right and top < line.base < bottom for x, top, bottom in walls)
        and len(line.cells(APART)) == 1
        and line.right - line.left > 0.8 * (rule[2] - rule[0])
        and len(line.words) > 6
        for line in lines
    )
    return full > 0.5 * len(lines)


def tabular(lines: Sequence[Line]) -> list[list[str]]:
    """The cells of lines that are a table. Columns are the stretches that its fullest rows fill; a cell over several
    columns stands once, followed by empty ones."""
    parted = _narrow([line.cells(APART) for line in lines])
    if not parted:
        return []
    spans = _columns(parted)
    rows: list[list[str]] = []
    previous: Line | None = None
    for line, cells in zip(lines, parted, strict=True):
        row = [""] * len(spans)
        for cell in cells:
            place = _place(cell, spans)
            said = line_text(line, cell)
            row[place] = f"{row[place]} {said}".strip()
        if rows and previous is not None and _continues(row, rows[-1], line, previous):
            rows[-1] = [f"{a} {b}".strip() for a, b in zip(rows[-1], row, strict=True)]
        else:
            rows.append(row)
        previous = line
    return rows


def gridded(lines: Sequence[Line], area: Region) -> list[list[str]]:
    """The cells of lines in a grid of upright and level lines; empty where the grid has one column.

    Lines between two levels are one row, cells of several lines, unless each of them fills most columns."""
    xs: list[float] = []
    for x in sorted(wall[0] for wall in area.walls):
        if area.left + 4 < x < area.right - 4 and (not xs or x - xs[-1] > 4):
            xs.append(x)
    if not xs:
        return []
    rows: list[tuple[int, list[str]]] = []
    for line in lines:
        cells = [""] * (len(xs) + 1)
        there = [x for x in xs if any(abs(w[0] - x) <= 4 and w[1] - 2 < line.base < w[2] + 2 for w in area.walls)]
        parts: dict[int, list[Word]] = {}
        for word in line.words:
            middle = (word.left + word.right) / 2
            begins = max(
                (x for x in there if x <= middle), default=area.left
            )  # a wide cell begins at the wall before it
            parts.setdefault(sum(x <= begins for x in xs), []).append(word)
        for place, words in parts.items():
            cells[place] = line_text(line, words)
        rows.append((sum(level < line.base for level in area.levels), cells))
    told: list[list[str]] = []
    for band in sorted({band for band, _ in rows}):
        here = [cells for at, cells in rows if at == band]
        full = [sum(bool(cell) for cell in cells) for cells in here]
        if min(full) > 0.6 * (len(xs) + 1):
            told += here
        else:
            told.append([" ".join(cell for cell in column if cell) for column in zip(*here, strict=True)])
    return told


def _narrow(parted: list[list[list[Word]]]) -> list[list[list[Word]]]:
    """Columns that stand close: a strip without words through every row that has words on both sides parts cells too.
    A sign between two numbers holds them together, and so does a first column of names."""
    if len(parted) < 4:
        return parted
    found = []
    known: dict[int, bool] = {}  # by place in points, so that a page full of cells takes no longer than its width
    for cells in parted:
        row: list[list[Word]] = []
        for cell in cells:
            row.append([cell[0]])
            for word in cell[1:]:
                x = (row[-1][-1].right + word.left) / 2
                bound = word.text[:1] in _SIGNS or row[-1][-1].text[-1:] in _SIGNS
                if round(x) not in known:
                    known[round(x)] = _strip(parted, x)
                if not bound and word.left - row[-1][-1].right > 1.0 and known[round(x)]:
                    row.append([word])
                else:
                    row[-1].append(word)
        found.append(row)
    return found


_SIGNS = frozenset("±×+/=<>(–—")


def _strip(parted: Sequence[Sequence[Sequence[Word]]], x: float) -> bool:
    """Whether a vertical line meets no word, has numbers on its right in nearly all rows, and something on its left."""
    beside = 0
    for cells in parted:
        words = [word for cell in cells for word in cell]
        if any(word.left < x - 0.2 and word.right > x + 0.2 for word in words):
            return False
        after = [word for word in words if word.left >= x - 0.2]
        beside += bool(
            after and len(after) < len(words) and any(char.isdigit() or char in "-–—✓" for char in after[0].text)
        )
    return beside >= 0.6 * len(parted)


def _continues(row: Sequence[str], above: Sequence[str], line: Line, previous: Line) -> bool:
    """A line with one cell only, close under the last one, in which that cell was not empty, goes on with it."""
    filled = [place for place, cell in enumerate(row) if cell]
    close = line.base - previous.base < 1.02 * max(line.size, previous.size)
    return bool(close and len(filled) == 1 and above[filled[0]] and len(row) > 1)


def _columns(parted: Sequence[Sequence[Sequence[Word]]]) -> list[tuple[float, float]]:
    most = max(len(cells) for cells in parted)
    spans: list[tuple[float, float]] = []
    for cells in sorted(parted, key=lambda cells: -len(cells)):
        if len(cells) < max(1, (most + 1) // 2):
            break
        for cell in cells:
            left, right = cell[0].left, max(word.right for word in cell)
            hit = [span for span in spans if span[0] < right and span[1] > left]
            if not hit:
                spans.append((left, right))
            elif len(hit) == 1:
                spans[spans.index(hit[0])] = (min(left, hit[0][0]), max(right, hit[0][1]))
    return sorted(spans)


def _place(cell: Sequence[Word], spans: Sequence[tuple[float, float]]) -> int:
    left, right = cell[0].left, max(word.right for word in cell)
    hit = [place for place, span in enumerate(spans) if span[0] < right and span[1] > left]
    if hit:
        return hit[0]
    middle = (left + right) / 2
    return min(range(len(spans)), key=lambda place: abs((spans[place][0] + spans[place][1]) / 2 - middle))
