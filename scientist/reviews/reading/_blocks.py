"""From lines in reading order to the parts of a Document: paragraphs under their headings, and what stands between them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from scientist.reviews.reading._build import BAR, CLOSE, OPEN, Parts
from scientist.reviews.reading._document import Link, Paragraph, Section
from scientist.reviews.reading._floats import floats
from scientist.reviews.reading._footnotes import footnotes
from scientist.reviews.reading._formulas import formula
from scientist.reviews.reading._front import front
from scientist.reviews.reading._headings import CHAPTER, Heading, heading
from scientist.reviews.reading._layout import ordered
from scientist.reviews.reading._lines import Line, Sheet
from scientist.reviews.reading._pdf_references import entries, unheaded_list
from scientist.reviews.reading._pdf_tables import regions
from scientist.reviews.reading._setting import box_of, setting_of
from scientist.reviews.reading._shapes import LIST_NAME, Cited, caption, joined, referred

_URL = re.compile(r"https?://[^\s<>\[\]{}()]{4,500}")
_RUN_IN = re.compile(r"abstract\s*[—–:.\-]+\s*", re.IGNORECASE)
_LISTED = re.compile(r"\d$|[.·]\s?[.·]\s?[.·]")  # a line of a table of contents
_CONTENTS = re.compile(r"(?:table of )?contents|list of (?:figures|tables)|inhaltsverzeichnis|inhalt", re.IGNORECASE)
_KEYWORDS = re.compile(
    r"(?:key\s?words(?: and phrases)?|index terms|ccs concepts|acm reference format)\b", re.IGNORECASE
)


class Blocks:
    """Reads the lines once. `parts` holds the result, its texts with marks; `cited` knows the list of references."""

    def __init__(self, sheets: Sequence[Sheet]) -> None:
        self.sheets = sheets
        self.lines = ordered(sheets)
        self.parts = Parts()
        self.setting = setting_of(self.lines)
        self.heads = [Section(level=0)]
        self.paragraphs: list[list[Paragraph]] = [[]]
        self.mode = "text"  # or abstract, keywords, contents, references
        self.number = ""
        self.appendix = False
        self.open: list[Line] = []
        self.listed: list[Line] = []

    def read(self) -> None:
        """Fill `parts`."""
        rest = front(self.lines, self.setting.body, self.parts, self.setting.words)
        captions = [line for line in rest if caption(line.text) is not None]
        pages: dict[int, list[Line]] = {sheet.number: [] for sheet in self.sheets}
        for line in rest:
            pages[line.page].append(line)
        areas = {sheet.number: regions(sheet, pages[sheet.number], captions) for sheet in self.sheets}
        noted, self.parts.footnotes = footnotes(rest, self.sheets, self.setting)
        for note in self.parts.footnotes:
            self._links(note.text, note.page)
        rest = [line for line in rest if id(line) not in noted]
        rest, self.parts.captions, self.parts.tables = floats(rest, areas, self.setting)
        unheaded = unheaded_list(rest)
        place = 0
        while place < len(rest):
            if place == unheaded and self.mode != "references":
                self._close()
                self.mode = "references"
            place += self._take(rest, place)
        self._close()
        self.parts.references = entries(self.listed, self.setting)
        for entry in self.parts.references:
            self._links(entry.text, entry.page)
        self._finish()

    def _take(self, lines: Sequence[Line], place: int) -> int:
        """Take in what begins at a place; returns how many lines that were."""
        line = lines[place]
        if self.mode == "contents" and _LISTED.search(line.text) and not CHAPTER.fullmatch(line.text):
            return 1
        begun = heading(lines, place, self.setting, self.number, self.mode == "references")
        if begun is not None:
            self._begin(begun, line)
            if begun.rest is not None:
                self.open.append(begun.rest)
            return begun.count
        if self.mode == "references":
            self.listed.append(line)
            return 1
        early = self.mode != "abstract" and not self.parts.abstract and len(self.heads) == 1
        if early and (run_in := _RUN_IN.match(line.text)):
            self._close()
            self.mode = "abstract"
            self.parts.abstract, self.parts.abstract_page = line.text[run_in.end() :], line.page
            return 1
        if self.mode == "abstract" and _KEYWORDS.match(line.text):
            self._close()
            self.mode = "keywords"
        made, count = formula(lines, place, self.setting)
        if count:
            self.parts.equations += made
            return count
        if self.open and place and self._breaks(self.open[-1], line):
            self._close()
        self.open.append(line)
        return 1

    def _begin(self, begun: Heading, line: Line) -> None:
        self._close()
        number, name = begun.number, begun.title.strip()
        if re.fullmatch(r"abstract", name, re.IGNORECASE) and not self.parts.abstract:
            self.mode = "abstract"
            self.parts.abstract_page = line.page
            return
        if _CONTENTS.fullmatch(name):
            self.mode = "contents"
            return
        if LIST_NAME.fullmatch(name):
            self.mode = "references"
            return
        self.mode = "text"
        self.appendix |= number == "A" or bool(re.match(r"appendi|supplement", name, re.IGNORECASE))
        self.number = number or self.number
        box = box_of([line])
        self.heads.append(
            Section(
                number=number, title=name, level=min(begun.level, 4), page=line.page, box=box, appendix=self.appendix
            )
        )
        self.paragraphs.append([])

    def _links(self, text: str, page: int) -> None:
        self.parts.links += [Link(url=url.rstrip(".,;"), page=page) for url in _URL.findall(text)]

    # --- paragraphs ---

    def _breaks(self, last: Line, line: Line) -> bool:
        """Whether a new paragraph begins with a line."""
        if last.page != line.page or last.column != line.column:
            full = last.right > last.edge[1] - 2 * self.setting.body
            ended = last.text.rstrip('"”’)]').endswith((".", "?", "!", ":"))
            indented = line.left > line.edge[0] + 0.7 * self.setting.body
            return ended and (not full or indented)
        step = line.base - last.base
        if step > 1.3 * self.setting.leading or step < -self.setting.leading:
            return not (step < 0 or line.text[:1].islower()) or last.text.endswith((".", ":"))
        if abs(line.size - last.size) > 0.8:
            return True
        indent = line.left - line.edge[0]
        if (
            0.7 * self.setting.body < indent < 4 * self.setting.body
            and last.left - last.edge[0] < 0.5 * self.setting.body
        ):
            return True
        return bool(re.match(r"[•◦▪–—]\s|\(?\d{1,2}[.)]\s", line.text)) and indent > 0.5 * self.setting.body

    def _close(self) -> None:
        """End the open paragraph."""
        lines, self.open = self.open, []
        if not lines:
            return
        text, turns = self._said(lines)
        if not text:
            return
        if self.mode == "abstract":
            self.parts.abstract = joined([self.parts.abstract, text], self.setting.words)
            self.parts.abstract_page = self.parts.abstract_page or lines[0].page
            return
        if self.mode == "keywords":
            self.mode = "text"
        rows = self.paragraphs[-1]
        if rows and self._goes_on(rows[-1].text, text):
            whole = joined([rows[-1].text, text], self.setting.words)
            page = rows[-1].page + len(rows[-1].turns)
            more = (len(rows[-1].text) + 1,) * (lines[0].page - page)
            rows[-1] = rows[-1].model_copy(update={"text": whole, "turns": (*rows[-1].turns, *more)})
            return
        first = [line for line in lines if line.page == lines[0].page and line.column == lines[0].column]
        rows.append(Paragraph(text=text, page=lines[0].page, box=box_of(first), turns=turns))

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
            said = joined([said, text], self.setting.words)
            self._links(text, line.page)
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

    # --- the end ---

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
