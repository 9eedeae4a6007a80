"""Captions and tables of a PDF: taken out of the lines, so that running text is left. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from scientist.reviews.reading._document import Box, Caption, Table
from scientist.reviews.reading._lines import Line
from scientist.reviews.reading._pdf_tables import APART, Region, gridded, tabular
from scientist.reviews.reading._setting import Setting, box_of
from scientist.reviews.reading._shapes import caption, joined


def floats(
    lines: Sequence[Line], areas: dict[int, list[Region]], setting: Setting
) -> tuple[list[Line], list[Caption], list[Table]]:
    """The running text that is left, captions, tables."""
    left: list[Line] = []
    held: dict[Region, list[Line]] = {}
    told: list[tuple[Caption, Line, Line]] = []
    place = 0
    while place < len(lines):
        line = lines[place]
        area = next((a for a in areas.get(line.page, ()) if a.holds(line)), None)
        if area is not None:
            held.setdefault(area, []).append(line)
            place += 1
            continue
        found = caption(line.text)
        if found and _is_caption(lines, place, setting):
            end = _end_of_caption(lines, place, areas.get(line.page, ()), setting)
            said = joined([found[2], *(x.text for x in lines[place + 1 : end])], setting.words)
            box = box_of(lines[place:end])
            made = Caption(kind=found[0], number=found[1], text=said, page=line.page, box=box)
            told.append((made, line, lines[end - 1]))
            place = end
            continue
        left.append(line)
        place += 1
    loose = _loose_tables(left, told, held, setting)
    kept = [line for line in left if id(line) not in loose]
    tables = []
    for area in sorted(held, key=lambda a: (a.page, a.top)):
        made_table = _table(area, held[area], [made for made, _, _ in told], setting)
        if made_table is None:
            kept += held[area]  # an algorithm, a box: text between rules
        else:
            tables.append(made_table)
    places = {id(line): place for place, line in enumerate(lines)}
    return sorted(kept, key=lambda line: places[id(line)]), [made for made, _, _ in told], tables


def _is_caption(lines: Sequence[Line], place: int, setting: Setting) -> bool:
    """A line that begins like a caption and does not go on a paragraph."""
    line = lines[place]
    before = lines[place - 1] if place else None
    if before is None or before.page != line.page or before.column != line.column:
        return True
    return (
        line.base - before.base > 1.2 * setting.leading
        or abs(before.size - line.size) > 0.3
        or before.right < line.edge[1] - 2 * setting.body
        or line.words[0].font != before.words[-1].font
    )


def _end_of_caption(lines: Sequence[Line], place: int, areas: Sequence[Region], setting: Setting) -> int:
    first = lines[place]
    end = place + 1
    leading = 1.35 * max(first.size, 6)
    told = caption(first.text)
    wordy = bool(told and told[2])  # IEEE: 'TABLE I' stands alone, its text below in other capitals
    while end < len(lines):
        line, last = lines[end], lines[end - 1]
        if any(area.holds(line) for area in areas):
            break
        below = not first.column and abs(line.left - first.left) < 2  # the last words of a wide caption
        if line.page != first.page or (line.column != first.column and not below) or caption(line.text):
            break
        step = line.base - last.base
        if step <= 0 or step > 1.12 * leading or abs(line.size - first.size) > (0.6 if wordy else 2.5):
            break
        if (
            last.right < first.edge[1] - 6 * setting.body
            and last.right < max(x.right for x in lines[place:end]) - 6 * setting.body
        ):
            break  # the last line was short: the caption ended
        if end == place + 1:
            leading = step * 1.05
        end += 1
        if end - place > 30:
            break
    return end


def _loose_tables(
    left: Sequence[Line], told: Sequence[tuple[Caption, Line, Line]], held: dict[Region, list[Line]], setting: Setting
) -> set[int]:
    """Tables without rules: lines parted by wide spaces, next to a caption of a table that has no ruled one."""
    gone: set[int] = set()
    for made, first, last in told:
        if made.kind != "table" or any(_near(area, made, setting) for area in held):
            continue
        for direction in (1, -1):
            here = [
                x for x in left if x.page == made.page and id(x) not in gone
                and (x.base > last.base if direction > 0 else x.base < first.base)
            ]  # fmt: skip
            here.sort(key=lambda x: direction * x.base)
            taken: list[Line] = []
            at = last.base if direction > 0 else first.base
            for line in here:
                if abs(line.base - at) > 2.6 * setting.leading or len(line.cells(APART)) < 2:
                    break
                taken.append(line)
                at = line.base
            if len(taken) >= 2:
                taken.sort(key=lambda x: x.base)
                box = box_of(taken)
                if box is not None:
                    held[Region(made.page, box.left, box.top - 1, box.right, box.bottom + 1)] = taken
                gone |= {id(x) for x in taken}
                break
    return gone


def _near(area: Region, made: Caption, setting: Setting) -> bool:
    if area.page != made.page or made.box is None:
        return False
    beside = made.box.left < area.right and made.box.right > area.left
    return beside and min(abs(area.top - made.box.bottom), abs(made.box.top - area.bottom)) < 4 * setting.body


def _table(area: Region, lines: list[Line], told: Sequence[Caption], setting: Setting) -> Table | None:
    """The table of an area, or None where it is none."""
    by_height = sorted(lines, key=lambda line: line.base)
    rows = gridded(by_height, area) or tabular(by_height)
    near = [made for made in told if made.kind == "table" and _near(area, made, setting)]
    near.sort(
        key=lambda made: min(abs(area.top - made.box.bottom), abs(made.box.top - area.bottom)) if made.box else 0.0
    )
    algorithm = any(
        made.kind == "algorithm" and made.page == area.page and made.box and area.top - 25 < made.box.top < area.bottom
        for made in told
    )
    if algorithm or (not near and (len(rows) < 2 or max(map(len, rows)) < 2)):
        return None
    box = Box(left=area.left, top=area.top, right=area.right, bottom=area.bottom)
    number = near[0].number if near else ""
    return Table(number=number, rows=tuple(map(tuple, rows)), page=area.page, box=box)
