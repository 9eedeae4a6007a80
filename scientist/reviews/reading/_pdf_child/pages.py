"""A PDF through PDFium: words, pictures and rules of its pages. Whatever a broken file does ends here."""

from __future__ import annotations

import time
from typing import Any

from .drawing import Drawing
from .frame import Frame
from .limits import answer, limit
from .words import Words

MEMORY = 1600 << 20
SECONDS = 75
PAGES = 300
DRAWING = 25.0  # seconds of processor time after which pages are no longer drawn
CHARS = 4_000_000


class Reader:
    """Words, styles and drawn things of one document."""

    def __init__(self, path: str) -> None:
        import pypdfium2
        from pypdfium2 import raw

        self.error = pypdfium2.PdfiumError
        self.document = pypdfium2.PdfDocument(path)
        self.words = Words(raw)
        self.drawing = Drawing(raw)
        self.started = time.process_time()
        self.unread: list[str] = []

    def read(self) -> dict[str, Any]:
        """All pages, up to the limits."""
        count = len(self.document)
        pages = []
        for number in range(min(count, PAGES)):
            try:
                pages.append(self.page(number))
            except (self.error, ValueError, ArithmeticError) as error:
                pages.append(
                    {"width": 0, "height": 0, "words": [], "images": [], "rules": [], "walls": [], "forms": []}
                )
                self.unread.append(f"page {number + 1}: it is broken ({type(error).__name__})")
            if self.words.chars > CHARS:
                self.unread.append(f"pages from {number + 2} on: too much text")
                break
        if count > PAGES:
            self.unread.append(f"pages from {PAGES + 1} on: only {PAGES} are read, there are {count}")
        if self.words.cork:
            self.unread.append("fonts that name no character: taken for TeX's bitmap fonts, and read by their encoding")
        return {
            "count": count,
            "pages": pages,
            "styles": [list(style) for style in self.words.styles],
            "unread": self.unread,
        }

    def page(self, number: int) -> dict[str, Any]:
        """One page: size, words, pictures, rules, forms."""
        page = self.document[number]
        text = page.get_textpage()
        frame = Frame(page, self.words.sideways(text, page.get_rotation() % 360))
        found: dict[str, Any] = {"width": round(frame.width, 2), "height": round(frame.height, 2)}
        found |= {"images": [], "rules": [], "walls": [], "forms": []}
        inside = self.drawing.objects(page, frame, found)
        words, nameless = self.words.read(text, frame, inside)
        if nameless > 2:  # one or two are the large signs of formulas
            self.unread.append(f"page {number + 1}: {nameless} characters whose meaning the file does not tell")
        if time.process_time() - self.started < DRAWING:
            self.drawing.contrast(page, frame, words)
        elif not any("not drawn" in line for line in self.unread):
            self.unread.append(f"pages from {number + 1} on were not drawn: hidden text is judged by colour alone")
        text.close()
        page.close()
        found["words"] = words
        return found


def main(path: str) -> None:
    """Tell what the pages of a file hold."""
    limit(MEMORY, SECONDS)
    answer(lambda: Reader(path).read())
