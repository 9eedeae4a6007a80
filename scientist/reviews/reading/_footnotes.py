"""Footnotes of a PDF. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from scientist.reviews.reading._document import Footnote
from scientist.reviews.reading._lines import Line, Sheet
from scientist.reviews.reading._setting import Setting
from scientist.reviews.reading._shapes import caption, joined

_MARK = re.compile(r"(?:\d{1,2}|[*∗†‡§¶])(?=\s?\S)")


def footnotes(lines: Sequence[Line], sheets: Sequence[Sheet], setting: Setting) -> tuple[set[int], list[Footnote]]:
    """Small lines at the foot of a column that begin with a mark: which lines (by id), and what they say."""
    gone: set[int] = set()
    found: list[Footnote] = []
    columns: dict[tuple[int, int], list[Line]] = {}
    for line in lines:
        columns.setdefault((line.page, line.column), []).append(line)
    for (page, _), column in columns.items():
        column.sort(key=lambda x: x.base)
        sheet = sheets[page - 1]
        start = len(column)
        while start and column[start - 1].size < 0.93 * setting.body and not caption(column[start - 1].text):
            start -= 1
        small = column[start:]
        rule = next((r for r in reversed(sheet.rules) if small and r[1] < small[0].base and small[0].base - r[1] < 3 * setting.body
                     and r[2] - r[0] < 0.45 * sheet.width and r[0] < small[0].left + 20), None)  # fmt: skip
        while small and not _marked(small[0]):
            if rule is not None and small[0].base > rule[1] and start == 0:
                break
            small = small[1:]
        if not small or small[0].base < 0.4 * sheet.height:
            continue
        notes: list[list[Line]] = []
        for line in small:
            if _marked(line) or not notes:
                notes.append([])
            notes[-1].append(line)
        gone |= {id(line) for line in small}
        for note in notes:
            text = joined([line.text for line in note], setting.words)
            begun = _MARK.match(text)
            mark = begun.group() if begun else ""
            said = text[len(mark) :].lstrip("^ ").strip()
            found.append(Footnote(text=said, mark=mark, page=page))
    return gone, found


def _marked(line: Line) -> bool:
    first = line.words[0]
    if not re.match(r"\d{1,2}$|[*∗†‡§¶]", first.text) or len(line.words) < 2:
        return False
    return line.scripts.get(id(first), 0) > 0 or first.size < 0.85 * line.size or first.text[0] in "*∗†‡§¶"
