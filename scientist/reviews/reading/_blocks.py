"""From lines in reading order to the parts of a Document: what is a heading, a caption, a table, a footnote, a reference."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from scientist.reviews.reading._build import Parts
from scientist.reviews.reading._document import Box, Caption, Equation, Footnote, Link, Paragraph, Section, Table
from scientist.reviews.reading._front import front
from scientist.reviews.reading._layout import Line, Sheet, line_text, ordered
from scientist.reviews.reading._pdf_tables import APART, Region, regions, tabular
from scientist.reviews.reading._shapes import (
    LIST_NAME,
    NAMED,
    Cited,
    caption,
    entry,
    follows,
    joined,
    numbered,
    referred,
    spoken,
    starts_entry,
    under_roman,
)

_EQUATION_NUMBER = re.compile(r"\((\d{1,3}(?:\.\d{1,3})?[a-z]?|[A-Z]\.?\d{1,3})\)$")
_MARK = re.compile(r"(?:\d{1,2}|[*∗†‡§¶])(?=\s?\S)")
_URL = re.compile(r"https?://[^\s<>\[\]{}()]{4,500}")
_RUN_IN = re.compile(r"abstract\s*[—–:.\-]+\s*", re.IGNORECASE)
_KEYWORDS = re.compile(
    r"(?:key\s?words(?: and phrases)?|index terms|ccs concepts|acm reference format)\b", re.IGNORECASE
)


class Blocks:
    """Reads the lines once. `parts` holds the result, its texts with marks; `cited` knows the list of references."""

    def __init__(self, sheets: Sequence[Sheet]) -> None:
        self.sheets = sheets
        self.lines = ordered(sheets)
        self.parts = Parts()
        self.words = spoken(" ".join(line.text for line in self.lines))
        self.body = _body_size(self.lines)
        self.font = _body_font(self.lines, self.body)
        self.leading = _leading(self.lines, self.body)
        self.heads = [Section(level=0)]
        self.paragraphs: list[list[Paragraph]] = [[]]
        self.mode = "text"
        self.number = ""
        self.appendix = False
        self.open: list[Line] = []
        self.listed: list[Line] = []
        self.list_page = 0

    def read(self) -> None:
        """Fill `parts`."""
        rest = front(self.lines, self.body, self.parts, self.words)
        captions = [line for line in rest if self._captioned(line)]
        areas = {sheet.number: regions(sheet, rest, captions) for sheet in self.sheets}
        notes = self._footnotes(rest)
        rest = [line for line in rest if id(line) not in notes]
        rest = self._floats(rest, areas)
        unheaded = _unheaded_list(rest)
        place = 0
        while place < len(rest):
            if place == unheaded and self.mode != "references":
                self._close()
                self.mode = "references"
            place += self._take(rest, place)
        self._close()
        self._references()
        self._finish()

    # --- one block at a time ---

    def _take(self, lines: Sequence[Line], place: int) -> int:
        """Take in what begins at a place; returns how many lines that were."""
        line = lines[place]
        text = line.text
        previous = lines[place - 1] if place else None
        if (count := self._heading(lines, place)) > 0:
            return count
        if self.mode == "references":
            self.listed.append(line)
            return 1
        if (
            self.mode != "abstract"
            and not self.parts.abstract
            and (run_in := _RUN_IN.match(text))
            and len(self.heads) == 1
        ):
            self._close()
            self.mode = "abstract"
            said = text[run_in.end() :]
            self.parts.abstract, self.parts.abstract_page = said, line.page
            return 1
        if self.mode == "abstract" and _KEYWORDS.match(text):
            self._close()
            self.mode = "keywords"
        if (count := self._formula(lines, place)) > 0:
            return count
        if self.open and previous is not None and self._breaks(self.open[-1], line):
            self._close()
        self.open.append(line)
        return 1

    def _heading(self, lines: Sequence[Line], place: int) -> int:
        line = lines[place]
        text = line.text.strip()
        if len(text) > 200 or len(line.words) > 25:
            return 0
        if (rest := self._run_in(line)) is not None:
            self.open.append(rest)
            return 1
        found = numbered(text)
        styled = self._styled(line)
        before = lines[place - 1] if place else None
        apart = (
            before is None
            or before.page != line.page
            or before.column != line.column
            or line.base - before.base > 1.15 * self.leading
        )
        fits = bool(found and follows(self.number, found[0]))
        if found and re.match(r"[IVX]+(?:\.[A-Z])?$", self.number):
            full = under_roman(self.number, found[0])
            found, fits = ((full, found[1], full.count(".") + 1), True) if full else (found, False)
        if found and fits and (styled or (apart and found[1].isupper() and len(found[1]) > 3)):
            if self.mode == "references" and found[0][:1].isdigit() and not line.bold:
                return 0
            more = self._more_of_heading(lines, place)
            title = joined([found[1], *(x.text for x in more)], self.words)
            self._begin(found[0], title, found[2], line)
            return 1 + len(more)
        name = text.rstrip(":. ")
        spaced = re.sub(r"(?<=\b\w) (?=\w\b)", "", name)  # 'A B S T R A C T'
        if NAMED.fullmatch(name) or NAMED.fullmatch(spaced):
            named = name if NAMED.fullmatch(name) else spaced
            if styled or text.isupper() or (apart and text[:1].isupper()):
                self._begin("", named, 1, line)
                return 1
        if self.mode != "references" and styled and apart and not found and self._alone(lines, place):
            more = self._more_of_heading(lines, place)
            level = 1 if line.size > 1.12 * self.body else 2
            self._begin("", joined([text, *(x.text for x in more)], self.words), level, line)
            return 1 + len(more)
        return 0

    def _run_in(self, line: Line) -> Line | None:
        """Begin the numbered bold heading that a line of text begins with; returns what follows it on the line."""
        count = next((p for p, w in enumerate(line.words) if not w.bold and (p or not re.match(r"[\d.]+$", w.text))), 0)
        head = line_text(line, line.words[:count])
        found = numbered(head) if count > 1 and head.endswith((".", ":")) else None
        if found is None or not follows(self.number, found[0]):
            return None
        self._begin(found[0], found[1].rstrip(".:"), found[2], line)
        return Line(line.words[count:], line.page, line.edge, line.column, line.scripts)

    def _alone(self, lines: Sequence[Line], place: int) -> bool:
        """A short bold or large line of words, without a stop at its end, followed by ordinary text."""
        line = lines[place]
        text = line.text
        if (
            not re.match(r"[A-ZÀ-Þ]", text)
            or text.endswith((".", ",", ";", ":"))
            or not re.search(r"[a-zA-Z]{3}", text)
        ):
            return False
        following = next((x for x in lines[place + 1 : place + 4] if not self._styled(x)), None)
        return following is not None and line.share(lambda w: w.math) < 0.2 and line.right < line.edge[1] + 1

    def _more_of_heading(self, lines: Sequence[Line], place: int) -> list[Line]:
        """Lines that go on with a heading: the same print, directly below, and no heading of their own."""
        more: list[Line] = []
        last = lines[place]
        for line in lines[place + 1 : place + 4]:
            close = line.page == last.page and 0 < line.base - last.base < 1.5 * max(last.size, line.size)
            if not close or abs(line.size - last.size) > 0.4 or line.bold != last.bold or not self._styled(line):
                break
            if (
                numbered(line.text)
                or NAMED.fullmatch(line.text.strip())
                or lines[place].words[0].font != line.words[0].font
            ):
                break
            more.append(line)
            last = line
        return more

    def _styled(self, line: Line) -> bool:
        """Set apart from running text: bold, larger, small capitals, or another font throughout."""
        if line.bold or line.size > 1.07 * self.body:
            return True
        if line.size < 0.9 * self.body and not line.text.isupper():
            return False
        rest = [w for place, w in enumerate(line.words) if place or not re.match(r"[\dA-Z.]+$", w.text)]
        other = bool(rest) and all(w.font != self.font and not w.math for w in rest)  # but for the number before it
        # Small capitals come as capitals of two sizes.
        letters = re.sub(r"[^A-Za-z]", "", line.text)
        small = letters.isupper() and len(letters) > 3 and len({round(w.size) for w in line.words}) > 1
        return small or (other and (letters.isupper() or len(line.words) < 14))

    def _begin(self, number: str, title: str, level: int, line: Line) -> None:
        self._close()
        name = title.strip()
        if re.fullmatch(r"abstract", name, re.IGNORECASE) and not self.parts.abstract:
            self.mode = "abstract"
            self.parts.abstract_page = line.page
            return
        if LIST_NAME.fullmatch(name):
            self.mode = "references"
            self.list_page = line.page
            return
        self.mode = "text"
        self.appendix |= number == "A" or bool(re.match(r"appendi|supplement", name, re.IGNORECASE))
        self.number = number or self.number
        box = _box([line])
        self.heads.append(
            Section(number=number, title=name, level=min(level, 4), page=line.page, box=box, appendix=self.appendix)
        )
        self.paragraphs.append([])

    # --- formulas ---

    def _formula(self, lines: Sequence[Line], place: int) -> int:
        taken: list[Line] = []
        for line in lines[place:]:
            if taken and (line.page != taken[-1].page or line.base - taken[-1].base > 2.2 * self.leading):
                break
            if not self._displayed(line):
                break
            taken.append(line)
        if not taken:
            return 0
        number = ""
        for line in taken:
            found = _EQUATION_NUMBER.search(line.text)
            said = line.text
            if found and line.right > line.edge[1] - 3 * self.body:
                said = said[: found.start()].strip()
                number = found[1]
            if said or number:
                self.parts.equations.append(Equation(text=said[:2000], number=number, page=line.page, box=_box([line])))
            number = ""
        return len(taken)

    def _displayed(self, line: Line) -> bool:
        """A line of a displayed formula: mostly in fonts for formulas, not beginning at the column's edge."""
        indented = line.left > line.edge[0] + 1.2 * self.body
        numbered_ = bool(_EQUATION_NUMBER.search(line.text)) and line.right > line.edge[1] - 2
        math = line.share(lambda word: word.math)
        words = re.findall(r"[A-Za-z]{4,}", " ".join(w.text for w in line.words if not w.math))
        if numbered_ and indented and (math > 0.2 or len(words) <= 2):
            return True
        return indented and math > 0.3 and len(words) <= 3 and line.left - line.edge[0] > 2.5 * self.body

    # --- captions, tables ---

    def _captioned(self, line: Line) -> bool:
        return caption(line.text) is not None

    def _floats(self, lines: Sequence[Line], areas: dict[int, list[Region]]) -> list[Line]:
        """Take captions and tables out; what is left is running text."""
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
            if found and self._is_caption(lines, place):
                end = self._end_of_caption(lines, place, areas.get(line.page, ()))
                said = joined([found[2], *(x.text for x in lines[place + 1 : end])], self.words)
                box = _box(lines[place:end])
                made = Caption(kind=found[0], number=found[1], text=said, page=line.page, box=box)
                told.append((made, line, lines[end - 1]))
                place = end
                continue
            left.append(line)
            place += 1
        loose = self._loose_tables(left, told, held)
        kept = [line for line in left if id(line) not in loose]
        self.parts.captions += [made for made, _, _ in told]
        for area in sorted(held, key=lambda a: (a.page, a.top)):
            self._table(area, held[area], told, kept)
        places = {id(line): place for place, line in enumerate(lines)}
        return sorted(kept, key=lambda line: places[id(line)])

    def _is_caption(self, lines: Sequence[Line], place: int) -> bool:
        """A line that begins like a caption and does not go on a paragraph."""
        line = lines[place]
        before = lines[place - 1] if place else None
        if before is None or before.page != line.page or before.column != line.column:
            return True
        return (
            line.base - before.base > 1.2 * self.leading
            or abs(before.size - line.size) > 0.3
            or before.right < line.edge[1] - 2 * self.body
            or line.words[0].font != before.words[-1].font
        )

    def _end_of_caption(self, lines: Sequence[Line], place: int, areas: Sequence[Region]) -> int:
        first = lines[place]
        end = place + 1
        leading = 1.35 * max(first.size, 6)
        told = caption(first.text)
        wordy = bool(told and told[2])  # IEEE: 'TABLE I' stands alone, its text below in other capitals
        while end < len(lines):
            line, last = lines[end], lines[end - 1]
            if any(area.holds(line) for area in areas):
                break
            if line.page != first.page or line.column != first.column or caption(line.text):
                break
            step = line.base - last.base
            if step <= 0 or step > 1.12 * leading or abs(line.size - first.size) > (0.6 if wordy else 2.5):
                break
            if (
                last.right < first.edge[1] - 6 * self.body
                and last.right < max(x.right for x in lines[place:end]) - 6 * self.body
            ):
                break  # the last line was short: the caption ended
            if end == place + 1:
                leading = step * 1.05
            end += 1
            if end - place > 30:
                break
        return end

    def _loose_tables(
        self, left: Sequence[Line], told: Sequence[tuple[Caption, Line, Line]], held: dict[Region, list[Line]]
    ) -> set[int]:
        """Tables without rules: lines parted by wide spaces, next to a caption of a table that has no ruled one."""
        gone: set[int] = set()
        for made, first, last in told:
            if made.kind != "table" or any(self._near(area, made) for area in held):
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
                    if abs(line.base - at) > 2.6 * self.leading or len(line.cells(APART)) < 2:
                        break
                    taken.append(line)
                    at = line.base
                if len(taken) >= 2:
                    taken.sort(key=lambda x: x.base)
                    box = _box(taken)
                    if box is not None:
                        held[Region(made.page, box.left, box.top - 1, box.right, box.bottom + 1)] = taken
                    gone |= {id(x) for x in taken}
                    break
        return gone

    def _near(self, area: Region, made: Caption) -> bool:
        if area.page != made.page or made.box is None:
            return False
        beside = made.box.left < area.right and made.box.right > area.left
        return beside and min(abs(area.top - made.box.bottom), abs(made.box.top - area.bottom)) < 4 * self.body

    def _table(
        self, area: Region, lines: list[Line], told: Sequence[tuple[Caption, Line, Line]], kept: list[Line]
    ) -> None:
        rows = tabular(sorted(lines, key=lambda line: line.base))
        near = [made for made, _, _ in told if made.kind == "table" and self._near(area, made)]
        near.sort(
            key=lambda made: min(abs(area.top - made.box.bottom), abs(made.box.top - area.bottom)) if made.box else 0.0
        )
        algorithm = any(
            made.kind == "algorithm"
            and made.page == area.page
            and made.box
            and area.top - 25 < made.box.top < area.bottom
            for made, _, _ in told
        )
        if algorithm or (not near and (len(rows) < 2 or max(map(len, rows)) < 2)):
            kept += lines  # an algorithm, a box: text between rules
            return
        box = Box(left=area.left, top=area.top, right=area.right, bottom=area.bottom)
        self.parts.tables.append(
            Table(number=near[0].number if near else "", rows=tuple(map(tuple, rows)), page=area.page, box=box)
        )

    # --- footnotes ---

    def _footnotes(self, lines: Sequence[Line]) -> set[int]:
        """Small lines at the foot of a column that begin with a mark."""
        gone: set[int] = set()
        columns: dict[tuple[int, int], list[Line]] = {}
        for line in lines:
            columns.setdefault((line.page, line.column), []).append(line)
        for (page, _), column in columns.items():
            column.sort(key=lambda x: x.base)
            sheet = self.sheets[page - 1]
            start = len(column)
            while start and column[start - 1].size < 0.93 * self.body and not caption(column[start - 1].text):
                start -= 1
            small = column[start:]
            rule = next((r for r in reversed(sheet.rules) if small and r[1] < small[0].base and small[0].base - r[1] < 3 * self.body
                         and r[2] - r[0] < 0.45 * sheet.width and r[0] < small[0].left + 20), None)  # fmt: skip
            while small and not self._marked(small[0]):
                if rule is not None and small[0].base > rule[1] and start == 0:
                    break
                small = small[1:]
            if not small or small[0].base < 0.4 * sheet.height:
                continue
            notes: list[list[Line]] = []
            for line in small:
                if self._marked(line) or not notes:
                    notes.append([])
                notes[-1].append(line)
            gone |= {id(line) for line in small}
            for note in notes:
                text = joined([line.text for line in note], self.words)
                found = _MARK.match(text)
                mark = found.group() if found else ""
                said = text[len(mark) :].lstrip("^ ").strip()
                self.parts.footnotes.append(Footnote(text=said, mark=mark, page=page))
                self.parts.links += [Link(url=u.rstrip(".,;"), page=page) for u in _URL.findall(said)]
        return gone

    def _marked(self, line: Line) -> bool:
        first = line.words[0]
        if not re.match(r"\d{1,2}$|[*∗†‡§¶]", first.text) or len(line.words) < 2:
            return False
        return line.scripts.get(id(first), 0) > 0 or first.size < 0.85 * line.size or first.text[0] in "*∗†‡§¶"

    # --- paragraphs ---

    def _breaks(self, last: Line, line: Line) -> bool:
        """Whether a new paragraph begins with a line."""
        if last.page != line.page or last.column != line.column:
            full = last.right > last.edge[1] - 2 * self.body
            ended = last.text.rstrip('"”’)]').endswith((".", "?", "!", ":"))
            indented = line.left > line.edge[0] + 0.7 * self.body
            return ended and (not full or indented)
        step = line.base - last.base
        if step > 1.3 * self.leading or step < -self.leading:
            return not (step < 0 or line.text[:1].islower()) or last.text.endswith((".", ":"))
        if abs(line.size - last.size) > 0.8:
            return True
        indent = line.left - line.edge[0]
        if 0.7 * self.body < indent < 4 * self.body and last.left - last.edge[0] < 0.5 * self.body:
            return True
        return bool(re.match(r"[•◦▪–—]\s|\(?\d{1,2}[.)]\s", line.text)) and indent > 0.5 * self.body

    def _close(self) -> None:
        """End the open paragraph."""
        lines, self.open = self.open, []
        if not lines:
            return
        text, turns = self._said(lines)
        if not text:
            return
        if self.mode == "abstract":
            self.parts.abstract = joined([self.parts.abstract, text], self.words)
            self.parts.abstract_page = self.parts.abstract_page or lines[0].page
            return
        if self.mode == "keywords":
            self.mode = "text"
        rows = self.paragraphs[-1]
        if rows and self._goes_on(rows[-1].text, text):
            whole = joined([rows[-1].text, text], self.words)
            page = rows[-1].page + len(rows[-1].turns)
            more = (len(rows[-1].text) + 1,) * (lines[0].page - page)
            rows[-1] = rows[-1].model_copy(update={"text": whole, "turns": (*rows[-1].turns, *more)})
            return
        first = [line for line in lines if line.page == lines[0].page and line.column == lines[0].column]
        rows.append(Paragraph(text=text, page=lines[0].page, box=_box(first), turns=turns))

    def _goes_on(self, before: str, text: str) -> bool:
        """A formula, a float or a page may stand inside a sentence."""
        return (text[:1].islower() and not before.endswith((".", "?", "!", ":"))) or (
            before.endswith("-") and text[:1].islower()
        )

    def _said(self, lines: Sequence[Line]) -> tuple[str, tuple[int, ...]]:
        said = ""
        turns: list[int] = []
        page = lines[0].page
        for line in lines:
            text = self._unnoted(line)
            if line.page > page:
                turns += [len(said) + 1] * (line.page - page)
                page = line.page
            said = joined([said, text], self.words)
            self.parts.links += [Link(url=u.rstrip(".,;"), page=line.page) for u in _URL.findall(text)]
        return said, tuple(min(turn, len(said)) for turn in turns)

    def _unnoted(self, line: Line) -> str:
        """The text of a line without the marks of footnotes on its page."""
        marks = {note.mark for note in self.parts.footnotes if note.page == line.page and note.mark}
        gone = [
            word for place, word in enumerate(line.words)
            if marks and word.text in marks and line.scripts.get(id(word), 0) > 0 and place
            and not line.words[place - 1].math and not line.words[place - 1].text[-1:].isdigit()
        ]  # fmt: skip
        if not gone:
            return line.text
        kept = [word for word in line.words if word not in gone]
        return Line(kept, line.page, line.edge, line.column, line.scripts).text

    # --- references, end ---

    def _references(self) -> None:
        lines = self.listed
        if not lines:
            return
        starts = _entry_starts(lines, self.leading)
        groups: list[list[Line]] = []
        for line, begins in zip(lines, starts, strict=True):
            if begins or not groups:
                groups.append([])
            groups[-1].append(line)
        for group in groups:
            text = joined([line.text for line in group], self.words)
            if len(text) > 12:
                self.parts.references.append(entry(text, group[0].page))
                self.parts.links += [Link(url=u.rstrip(".,;"), page=group[0].page) for u in _URL.findall(text)]

    def _finish(self) -> None:
        self.cited = Cited(self.parts.references)
        for head, rows in zip(self.heads, self.paragraphs, strict=True):
            if head.level or rows:
                marked = tuple(p.model_copy(update={"text": referred(self.cited.marked(p.text))}) for p in rows)
                turned = tuple(
                    m.model_copy(update={"turns": _moved(p.text, m.text, p.turns)})
                    for p, m in zip(rows, marked, strict=True)
                )
                self.parts.sections.append(head.model_copy(update={"paragraphs": turned}))
        self.parts.abstract = referred(self.cited.marked(self.parts.abstract))
        if self.parts.equations:
            count = len(self.parts.equations)
            self.parts.unread.append(
                f"{count} lines of displayed formulas: their signs are read, not how they stand to each other"
            )


def _moved(before: str, after: str, turns: tuple[int, ...]) -> tuple[int, ...]:
    """Offsets after marks came in: counted in what is printed."""
    if before == after or not turns:
        return turns
    from scientist.reviews.reading._build import BAR, CLOSE, OPEN

    found = []
    for turn in turns:
        printed = place = 0
        hidden = False
        while place < len(after) and printed < turn:
            char = after[place]
            if char == OPEN:
                hidden = True
            elif char == BAR:
                hidden = False
            elif char != CLOSE and not hidden:
                printed += 1
            place += 1
        found.append(place)
    return tuple(found)


def _unheaded_list(lines: Sequence[Line]) -> int:
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


def _box(lines: Sequence[Line]) -> Box | None:
    if not lines:
        return None
    return Box(
        left=round(min(line.left for line in lines), 1),
        top=round(min(line.top for line in lines), 1),
        right=round(max(line.right for line in lines), 1),
        bottom=round(max(line.bottom for line in lines), 1),
    )


def _body_size(lines: Sequence[Line]) -> float:
    counts: Counter[float] = Counter()
    for line in lines:
        for word in line.words:
            counts[round(word.size * 2) / 2] += len(word.text)
    return max(counts, key=lambda size: (counts[size], size)) if counts else 10.0


def _body_font(lines: Sequence[Line], body: float) -> str:
    counts: Counter[str] = Counter()
    for line in lines:
        for word in line.words:
            if abs(word.size - body) < 0.6:
                counts[word.font] += len(word.text)
    return max(counts, key=lambda font: (counts[font], font)) if counts else ""


def _leading(lines: Sequence[Line], body: float) -> float:
    steps = [
        b.base - a.base
        for a, b in pairwise(lines)
        if a.page == b.page and a.column == b.column and abs(a.size - body) < 0.6 and 0 < b.base - a.base < 3 * body
    ]
    return median(steps) if steps else 1.2 * body
