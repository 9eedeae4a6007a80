"""Which lines of a page are headings: by their number, their name and how they are set. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from scientist.reviews.reading._lines import Line, line_text
from scientist.reviews.reading._setting import Setting
from scientist.reviews.reading._shapes import NAMED, follows, joined, numbered, under_roman

CHAPTER = re.compile(r"(?:Chapter|Kapitel|Chapitre|Cap[ií]tulo|Appendix|Anhang)\s+(\d{1,2}|[A-Z]|[IVX]{1,5})")


@dataclass(frozen=True)
class Heading:
    """A heading that begins at some line: `count` lines of it; `rest` is text that follows it on its line."""

    number: str
    title: str
    level: int
    count: int = 1
    rest: Line | None = None


def heading(lines: Sequence[Line], place: int, setting: Setting, previous: str, listing: bool) -> Heading | None:
    """The heading that begins at a line, or None. `previous`: the last number of a heading; `listing`: in the references."""
    line = lines[place]
    text = line.text.strip()
    if len(text) > 200 or len(line.words) > 25:
        return None
    if (begun := _run_in(line, previous)) is not None:
        return begun
    found = numbered(text)
    styled = _styled(line, setting)
    before = lines[place - 1] if place else None
    apart = (
        before is None
        or before.page != line.page
        or before.column != line.column
        or line.base - before.base > 1.15 * setting.leading
    )
    fits = bool(found and follows(previous, found[0]))
    if found and re.match(r"[IVX]+(?:\.[A-Z])?$", previous):
        full = under_roman(previous, found[0])
        found, fits = ((full, found[1], full.count(".") + 1), True) if full else (found, False)
    if found and fits and (styled or (apart and found[1].isupper() and len(found[1]) > 3)):
        if listing and found[0][:1].isdigit() and not line.bold:
            return None
        more = _more_of_heading(lines, place, setting)
        title = joined([found[1], *(x.text for x in more)], setting.words)
        return Heading(found[0], title, found[2], 1 + len(more))
    if styled and (chapter := CHAPTER.fullmatch(text)):
        more = _more_of_heading(lines, place + 1, setting) if place + 1 < len(lines) else []
        title = joined(
            [lines[place + 1].text if place + 1 < len(lines) else "", *(x.text for x in more)], setting.words
        )
        return Heading(chapter[1], title, 1, 2 + len(more))
    name = text.rstrip(":. ")
    spaced = re.sub(r"(?<=\b\w) (?=\w\b)", "", name)  # 'A B S T R A C T'
    if NAMED.fullmatch(name) or NAMED.fullmatch(spaced):
        named = name if NAMED.fullmatch(name) else spaced
        if styled or text.isupper() or (apart and text[:1].isupper()):
            return Heading("", named, 1)
    if not listing and styled and apart and not found and _alone(lines, place, setting):
        more = _more_of_heading(lines, place, setting)
        level = 1 if line.size > 1.12 * setting.body else 2
        return Heading("", joined([text, *(x.text for x in more)], setting.words), level, 1 + len(more))
    return None


def _run_in(line: Line, previous: str) -> Heading | None:
    """The numbered bold heading that a line of text begins with."""
    count = next((p for p, w in enumerate(line.words) if not w.bold and (p or not re.match(r"[\d.]+$", w.text))), 0)
    head = line_text(line, line.words[:count])
    found = numbered(head) if count > 1 and head.endswith((".", ":")) else None
    if found is None or not follows(previous, found[0]):
        return None
    rest = Line(line.words[count:], line.page, line.edge, line.column, line.scripts)
    return Heading(found[0], found[1].rstrip(".:"), found[2], 1, rest)


def _alone(lines: Sequence[Line], place: int, setting: Setting) -> bool:
    """A short bold or large line of words, without a stop at its end, followed by ordinary text."""
    line = lines[place]
    text = line.text
    if not re.match(r"[A-ZÀ-Þ]", text) or text.endswith((".", ",", ";", ":")) or not re.search(r"[a-zA-Z]{3}", text):
        return False
    following = next((x for x in lines[place + 1 : place + 4] if not _styled(x, setting)), None)
    return following is not None and line.share(lambda w: w.math) < 0.2 and line.right < line.edge[1] + 1


def _more_of_heading(lines: Sequence[Line], place: int, setting: Setting) -> list[Line]:
    """Lines that go on with a heading: the same print, directly below, and no heading of their own."""
    more: list[Line] = []
    last = lines[place]
    for line in lines[place + 1 : place + 4]:
        close = line.page == last.page and 0 < line.base - last.base < 1.5 * max(last.size, line.size)
        if not close or abs(line.size - last.size) > 0.4 or line.bold != last.bold or not _styled(line, setting):
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


def _styled(line: Line, setting: Setting) -> bool:
    """Set apart from running text: bold, larger, small capitals, or another font throughout."""
    if line.bold or line.size > 1.07 * setting.body:
        return True
    if line.size < 0.9 * setting.body and not line.text.isupper():
        return False
    rest = [w for place, w in enumerate(line.words) if place or not re.match(r"[\dA-Z.]+$", w.text)]
    other = bool(rest) and all(w.font != setting.font and not w.math for w in rest)  # but for the number before it
    # Small capitals come as capitals of two sizes.
    letters = re.sub(r"[^A-Za-z]", "", line.text)
    small = letters.isupper() and len(letters) > 3 and len({round(w.size) for w in line.words}) > 1
    return small or (other and (letters.isupper() or len(line.words) < 14))
