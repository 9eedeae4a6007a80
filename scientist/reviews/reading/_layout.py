"""From words with positions to lines in the order in which they are read. Pure.

A page is cut into bands by the rows that run across its columns; a band is read column by column. Line numbers in the
margin, running heads and page numbers are taken out.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from operator import attrgetter
from statistics import median

from scientist.reviews.reading._lines import Line, Sheet, Word

_LEFT, _RIGHT = attrgetter("left"), attrgetter("right")
_PAGE_NUMBER = re.compile(
    r"[-–—\s]*(?:page|seite|p\.)?\s*(?:\d{1,4}|[ivxlc]{1,6}|[A-Z]?\d{0,3}[:.\-]\d{1,3})(?:\s*(?:of|/|von)\s*\d{1,4})?[-–—\s]*",
    re.IGNORECASE,
)


def ordered(sheets: Sequence[Sheet]) -> list[Line]:
    """All lines of a document in reading order, without line numbers, running heads and page numbers."""
    cleaned = [_without_line_numbers(sheet) for sheet in sheets]
    gutters = [_gutter(sheet) for sheet in cleaned]
    strong = [gutter for gutter in gutters if gutter and gutter[1]]
    common = median(gutter[0] for gutter in strong) if strong else None
    pages = []
    for sheet, gutter in zip(cleaned, gutters, strict=True):
        here = gutter[0] if gutter and gutter[1] else None
        if here is None and common is not None and len(strong) * 2 >= len(sheets):
            # The last page may have one column only, a page of wide floats few lines: they go as the others do.
            rows = _rows(sheet.words)
            across = sum(_crossed(row, common) == "across" for row in rows)
            here = common if across <= 0.6 * len(rows) else None
        pages.append(_lines_of(sheet, here))
    return [line for page in _without_running(pages, cleaned) for line in page]


# --- line numbers ---


def _without_line_numbers(sheet: Sheet) -> Sheet:
    digits = [word for word in sheet.words if re.fullmatch(r"\d{1,4}", word.text)]
    if len(digits) < 5:
        return sheet
    dropped: set[int] = set()
    for edge in ("left", "right"):
        groups: dict[int, list[Word]] = defaultdict(list)
        for word in digits:
            groups[round(getattr(word, edge) / 3)].append(word)
        for place in list(groups):
            group = sorted(groups[place] + groups.get(place + 1, []), key=lambda word: word.base)
            if len(group) < 5:
                continue
            values = [int(word.text) for word in group]
            steps = [b - a for a, b in pairwise(values)]
            if sum(step in (1, 5) for step in steps) < 0.85 * len(steps):
                continue
            if sum(_outside(word, sheet.words) for word in group) >= 0.9 * len(group):
                dropped |= {id(word) for word in group}
    if not dropped:
        return sheet
    return replace(sheet, words=[word for word in sheet.words if id(word) not in dropped])


def _outside(number: Word, words: Sequence[Word]) -> bool:
    """Whether a number stands beside the text of its row, with room between: nothing further out, nothing close."""
    row = [w for w in words if abs(w.base - number.base) < 4 and w is not number and not w.text.isdigit()]
    before = [w.right for w in row if w.right <= number.left + 1]
    after = [w.left for w in row if w.left >= number.right - 1]
    if before and after:
        return False
    room = min([number.left - right for right in before] + [left - number.right for left in after], default=99.0)
    return room > 5.0


# --- columns ---


def _rows(words: Sequence[Word]) -> list[list[Word]]:
    """Words of nearly one baseline, from top to bottom, each row from left to right."""
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda w: (w.base, w.left)):
        if rows and word.base - rows[-1][0].base <= 0.3 * min(word.size, rows[-1][0].size):
            rows[-1].append(word)
        else:
            rows.append([word])
    return [sorted(row, key=_LEFT) for row in rows]


def _crossed(row: Sequence[Word], x: float) -> str:
    """How a row, sorted from left to right, stands to a vertical line: 'across', 'both' sides of it with room between,
    'left' or 'right' of it."""
    place = bisect_left(row, x, key=_LEFT)
    if not place:
        return "right"
    before = max(row[:place], key=_RIGHT)
    if before.right > x + 2:
        return "across"
    if place == len(row):
        return "left"
    after = row[place]
    size = min(before.size, after.size)
    return "both" if after.left - before.right > max(8.0, 0.85 * size) else "across"


def _gutter(sheet: Sheet) -> tuple[float, bool] | None:
    """Where the space between two columns is, and whether this page alone shows it."""
    rows = [row for row in _rows(sheet.words) if sum(len(word.text) for word in row) > 3]
    if len(rows) < 4:
        return None
    lefts, rights = [row[0].left for row in rows], [row[-1].right for row in rows]
    left, right = sorted(lefts)[len(lefts) // 10], sorted(rights)[-1 - len(rights) // 10]
    middle = (left + right) / 2
    best: tuple[int, int, float] | None = None
    for step in range(-24, 25):
        x = middle + step * 1.5
        kinds = Counter(_crossed(row, x) for row in rows)
        shown = kinds["both"] + min(kinds["right"], kinds["left"] + kinds["both"])
        key = (shown - kinds["across"], -abs(step), x)
        if best is None or key > best:
            best = key
            told = kinds, shown
    if best is None:
        return None
    kinds, shown = told
    # Words beside the line must fill the columns: a table with a space in its middle does not.
    enough = shown >= 8 and shown >= 0.35 * len(rows)
    if enough and kinds["across"] > 0.25 * len(rows):
        enough = _full(rows, best[2], left, right)
    return (best[2], enough and _full(rows, best[2], left, right)) if shown >= 3 else None


def _full(rows: Sequence[Sequence[Word]], x: float, left: float, right: float) -> bool:
    """Whether most rows on each side of a line are filled with words, as running text is."""
    for low, high in ((left, x), (x, right)):
        shares = []
        for row in rows:
            if _crossed(row, x) == "across":
                continue
            inside = sum(min(w.right, high) - max(w.left, low) for w in row if w.right > low and w.left < high)
            if inside > 0:
                shares.append(inside / max(1.0, high - low))
        if len(shares) < 4 or median(shares) < 0.55:
            return False
    return True


def _lines_of(sheet: Sheet, gutter: float | None) -> list[Line]:
    if gutter is None:
        return _column(sheet.words, sheet.number, 0)
    bands: list[tuple[bool, list[Word]]] = []
    for row in _rows(sheet.words):
        wide = _crossed(row, gutter) == "across"
        if not bands or bands[-1][0] != wide:
            bands.append((wide, []))
        bands[-1][1].extend(row)
    bands = _without_slivers(bands, gutter)
    lines: list[Line] = []
    for wide, words in bands:
        if wide:
            lines += _column(words, sheet.number, 0)
        else:
            lines += _column([w for w in words if (w.left + w.right) / 2 < gutter], sheet.number, 1)
            lines += _column([w for w in words if (w.left + w.right) / 2 >= gutter], sheet.number, 2)
    return lines


def _without_slivers(bands: list[tuple[bool, list[Word]]], gutter: float) -> list[tuple[bool, list[Word]]]:
    """A script or a lone word between two wide rows belongs to them: it is no column."""
    kept: list[tuple[bool, list[Word]]] = []
    for place, (wide, words) in enumerate(bands):
        between = 0 < place < len(bands) - 1
        if not wide and between:
            high = max(w.base for w in words) - min(w.base for w in words)
            if high < 1.2 * max(w.size for w in words) and not (
                any(w.right < gutter for w in words) and any(w.left > gutter for w in words) and len(words) > 6
            ):
                wide = True
        if kept and kept[-1][0] == wide:
            kept[-1][1].extend(words)
        else:
            kept.append((wide, list(words)))
    return kept


# --- lines ---


def _column(words: Sequence[Word], page: int, column: int) -> list[Line]:
    """The lines of a column from top to bottom, scripts in the lines that they belong to."""
    if not words:
        return []
    lines = [Line(row, page, column=column) for row in _rows(words)]
    merged: list[Line] = []
    order = sorted(range(len(lines)), key=lambda i: -lines[i].size)
    taken: dict[int, int] = {}
    by_base = sorted(range(len(lines)), key=lambda i: lines[i].base)
    place_of = {i: p for p, i in enumerate(by_base)}
    for i in reversed(order):  # the smallest first
        small = lines[i]
        for step in (-1, 1, -2, 2):
            place = place_of[i] + step
            if not 0 <= place < len(by_base):
                continue
            j = by_base[place]
            big = lines[j]
            if j in taken or j == i or small.size > 0.86 * big.size:
                continue
            middle = small.base - 0.3 * small.size
            if not big.base - 1.15 * big.size < middle < big.base + 0.45 * big.size:
                continue
            near = all(
                any(-0.3 * big.size < w.left - other.right < 0.6 * big.size or -0.3 * big.size < other.left - w.right < 0.3 * big.size
                    or (w.left < other.right and w.right > other.left) for other in [*big.words, *small.words] if other is not w)
                for w in small.words
            )  # fmt: skip
            if near:
                taken[i] = j
                break
    for i, line in enumerate(lines):
        if i in taken:
            continue
        parts = [k for k, j in taken.items() if j == i]
        pending = list(parts)
        while pending:  # scripts of scripts
            k = pending.pop()
            more = [m for m, j in taken.items() if j == k and m not in parts]
            parts += more
            pending += more
        base = line.base
        for k in parts:
            for word in lines[k].words:
                line.words.append(word)
                line.scripts[id(word)] = 1 if word.base < base else -1
        line.words.sort(key=lambda w: w.left)
        line.forget()
        merged.append(line)
    for line in merged:
        for word in line.words:
            if word.size < 0.8 * line.size and abs(word.base - line.base) > 0.1 * line.size:
                line.scripts.setdefault(id(word), 1 if word.base < line.base else -1)
        line.forget()
    left = _edge([line.left for line in merged], 0.08)
    right = -_edge([-line.right for line in merged], 0.08)
    for line in merged:
        line.edge = (left, right)
    return sorted(merged, key=lambda line: line.base)


def _edge(values: Sequence[float], share: float) -> float:
    """The value below which only few lie: an edge that one stray word does not move."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


# --- running heads, page numbers ---


def _without_running(pages: Sequence[list[Line]], sheets: Sequence[Sheet]) -> list[list[Line]]:
    """Lines at the top and bottom of pages that are page numbers, or that many pages have at the same height."""
    margins = [_margins(page, sheet) for page, sheet in zip(pages, sheets, strict=True)]
    seen: Counter[tuple[str, int]] = Counter()
    for margin in margins:
        seen.update(set(margin.values()))
    least = max(2, min(4, round(0.4 * len(pages))))
    kept = []
    for page, sheet, margin in zip(pages, sheets, margins, strict=True):
        ends = min((x.base for x in page), default=0.0), max((x.base for x in page), default=0.0)

        def runs(line: Line, margin: dict[int, tuple[str, int]] = margin) -> bool:
            text, height = margin.get(id(line), ("", 0))
            return id(line) in margin and sum(seen[text, height + step] for step in (-1, 0, 1)) >= least

        def numbers(line: Line, sheet: Sheet = sheet, ends: tuple[float, float] = ends) -> bool:
            return line.base in ends and _far(line, sheet) and _PAGE_NUMBER.fullmatch(line.text) is not None

        kept.append([line for line in page if not runs(line) and not numbers(line)])
    return kept


def _margins(page: Sequence[Line], sheet: Sheet) -> dict[int, tuple[str, int]]:
    """Lines at the very top or bottom, where the rest of the page begins or ends, by id: what they say, and how high."""
    bases = sorted(line.base for line in page)
    found = {}
    for line in page:
        inner = 0.115 * sheet.height <= line.base <= 0.9 * sheet.height
        outer = line.base < 0.2 * sheet.height or line.base > 0.8 * sheet.height
        above, below = bisect_left(bases, line.base - 2), len(bases) - bisect_right(bases, line.base + 2)
        if not inner or (outer and min(above, below) <= 1):
            found[id(line)] = re.sub(r"\d+|\b[ivxlc]+\b", "#", line.text.casefold())[:80], round(line.base / 4)
    return found


def _far(line: Line, sheet: Sheet) -> bool:
    return line.base < 0.14 * sheet.height or line.base > 0.82 * sheet.height
