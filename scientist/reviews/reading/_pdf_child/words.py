"""The words of a page, with their places and how they are printed."""

from __future__ import annotations

import ctypes
import unicodedata
from collections import Counter
from typing import Any

from .frame import Frame, address_of, direct

PAGE_CHARS = 60_000
LIGATURES = {
    "\ufb00": "ff",
    "\ufb01": "fi",
    "\ufb02": "fl",
    "\ufb03": "ffi",
    "\ufb04": "ffl",
    "\ufb05": "st",
    "\ufb06": "st",
}
ACCENTS = {
    "´": "\u0301", "`": "\u0300", "ˋ": "\u0300", "¨": "\u0308", "ˆ": "\u0302", "^": "\u0302", "˜": "\u0303", "~": "\u0303",
    "¯": "\u0304", "ˇ": "\u030c", "˘": "\u0306", "˙": "\u0307", "˚": "\u030a", "¸": "\u0327", "˝": "\u030b", "˛": "\u0328",
}  # fmt: skip

# What TeX's bitmap fonts, which name no character, mean by a code: Cork's encoding, with Knuth's ligatures at 11 to 15.
_CORK = (
    "`´ˆ˜¨˝˚ˇ˘¯˙" + "\ufb00\ufb01\ufb02\ufb03\ufb04" + "“”„«»" + "–—\u200b‰ıȷ" + "\ufb00\ufb01\ufb02\ufb03\ufb04"
    + " !\"#$%&’()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_‘abcdefghijklmnopqrstuvwxyz{|}~-"
    + "ĂĄĆČĎĚĘĞĹĽŁŃŇŊŐŔŘŚŠŞŤŢŰŮŸŹŽŻĲİđ§ăąćčďěęğĺľłńňŋőŕřśšşťţűůÿźžżĳ¡¿£"
    + "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖŒØÙÚÛÜÝÞẞàáâãäåæçèéêëìíîïðñòóôõöœøùúûüýþß"
)  # fmt: skip

_SPACES = frozenset((0x20, 0xA0, 0x0A, 0x0D, 0x09, 0))
_HYPHENS = frozenset((2, 0xFFFE))  # what PDFium tells for a hyphen at the end of a line


class Words:
    """Reads the characters of pages. `styles`: how they are printed, each once, in the order in which they were met."""

    def __init__(self, raw: Any) -> None:
        self.raw = raw
        self.styles: dict[tuple[Any, ...], int] = {}
        self.chars = 0
        self.cork = False  # a bitmap font of TeX was met
        at = (ctypes.c_void_p, ctypes.c_int)
        self._unicode = direct(raw.FPDFText_GetUnicode, ctypes.c_uint, *at)
        self._wrong = direct(raw.FPDFText_HasUnicodeMapError, ctypes.c_int, *at)
        self._made_up = direct(raw.FPDFText_IsGenerated, ctypes.c_int, *at)
        self._object = direct(raw.FPDFText_GetTextObject, ctypes.c_void_p, *at)
        self._box = direct(raw.FPDFText_GetCharBox, ctypes.c_int, *at, *[ctypes.c_void_p] * 4)
        self._origin = direct(raw.FPDFText_GetCharOrigin, ctypes.c_int, *at, *[ctypes.c_void_p] * 2)
        self._loose = direct(raw.FPDFText_GetLooseCharBox, ctypes.c_int, *at, ctypes.c_void_p)

    def read(self, text: Any, frame: Frame, inside: dict[int, int]) -> tuple[list[list[Any]], int]:
        """Words [text, left, top, right, bottom, baseline, style, turned, form, seen], and how many characters have no
        known meaning. `inside`: the form that a nested text belongs to, by its address."""
        count = min(self.raw.FPDFText_CountChars(text), PAGE_CHARS)
        self.chars += count
        page = address_of(text.raw)
        # This loop runs for every character of a paper: it keeps to local names and rounds what is kept.
        unicode_of, is_wrong, object_of = self._unicode, self._wrong, self._object
        box_of, origin_of, loose_of = self._box, self._origin, self._loose
        x0, x1, y0, y1, ox, oy = (ctypes.c_double() for _ in range(6))
        places = [ctypes.addressof(value) for value in (x0, x1, y0, y1)]
        origin = [ctypes.addressof(value) for value in (ox, oy)]
        loose = self.raw.FS_RECTF()
        loosely = ctypes.addressof(loose)
        upright, edge, head = not frame.turn, frame.left, frame.top
        words: list[list[Any]] = []
        letters: list[list[tuple[str, float, float]]] = []  # of each word
        known: dict[int, tuple[int, float, float]] = {}
        nameless = high = 0
        chars: list[tuple[str, float, float]] = []  # of the word that is open
        west = north = east = south = base = size = 0.0
        style, turned, form = 0, 0, -1

        def close() -> None:
            nonlocal chars
            if any(not char.isspace() for char, _, _ in chars):
                box = [west, round(north, 2), east, round(south, 2)]
                words.append([compose(chars), *box, base, style, turned, form, None])
                letters.append(chars)
            chars = []

        for at in range(count):
            code = unicode_of(page, at)
            wrong = is_wrong(page, at) == 1
            if wrong and code < 256 and self.font(text, at) == "":
                code = ord(_CORK[code])
                self.cork = True
                wrong = False
            if code in _SPACES or (code in _HYPHENS and self._made_up(page, at) == 1):
                if chars and code not in (0, 2):
                    close()
                continue
            if 0xD800 <= code < 0xE000:
                if code < 0xDC00:
                    high = code
                    continue
                code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00) if high else 0xFFFD
                high = 0
            if code in _HYPHENS:
                code = 0x2D  # a hyphen at the end of a line
            if wrong or code < 0x20 or 0xE000 <= code < 0xF900:
                nameless += 1
                code = 0xFFFD
            address = object_of(page, at) or 0
            if address not in known:
                known[address] = self.style(text, at, address, frame.turn)
            now, points, angle = known[address]
            box_of(page, at, *places)
            origin_of(page, at, *origin)
            if upright and not angle:
                top, bottom = head - y1.value, head - y0.value
                if top > bottom:
                    top, bottom = bottom, top
                # Between words counts how far a character advances: a slanted f leans over the space behind it.
                wide = loose_of(page, at, loosely) and loose.right - loose.left
                if wide and 0.0 < wide < 2.5 * max(points, 1.0):
                    left, right = round(loose.left - edge, 2), round(loose.right - edge, 2)
                else:
                    left, right = sorted((round(x0.value - edge, 2), round(x1.value - edge, 2)))
                height = round(head - oy.value, 2)
            else:
                left, top, right, bottom = frame.box(x0.value, y0.value, x1.value, y1.value)
                if not angle and loose_of(page, at, loosely):
                    a, _, b, _ = frame.box(loose.left, loose.bottom, loose.right, loose.top)
                    left, right = (a, b) if 0.0 < b - a < 2.5 * max(points, 1.0) else (left, right)
                height = round(frame.point(ox.value, oy.value)[1], 2)
            char = LIGATURES.get(chr(code), chr(code))
            if chars:
                gap = left - east
                em = max(size, points, 1.0)
                step = abs(base - height)
                apart = style != now and (step > 0.12 * em or abs(size - points) > 0.15 * em)
                moved = apart or step > 0.45 * em or gap > 0.22 * em or gap < -1.5 * em
                if angle and turned:
                    moved = abs(left - west) > em  # up and down the page it is the spaces that part words
                if moved:
                    accent = char in ACCENTS or chars[-1][0] in ACCENTS
                    if not accent or gap > em or step > em:
                        close()
            if chars:
                if left < west:
                    west = left
                if top < north:
                    north = top
                if right > east:
                    east = right
                if bottom > south:
                    south = bottom
            else:
                west, north, east, south, base, style, size = left, top, right, bottom, height, now, points
                turned, form = 1 if angle else 0, inside.get(address, -1)
            chars.append((char, left, right))
        if chars:
            close()
        return with_accents(words, letters), nameless

    def sideways(self, text: Any, rotation: int) -> int:
        """By how many degrees, clockwise, a page must be turned for most of its text to stand upright."""
        count = min(self.raw.FPDFText_CountChars(text), PAGE_CHARS)
        matrix = self.raw.FS_MATRIX()
        seen: Counter[int] = Counter()
        for at in range(0, count, max(1, count // 200)):
            if self._unicode(address_of(text.raw), at) not in _SPACES:
                self.raw.FPDFText_GetMatrix(text, at, matrix)
                seen[_direction(matrix)] += 1
        most = max(seen, key=lambda angle: seen[angle], default=rotation)
        return (most - rotation) % 360 if most >= 0 and seen[most] > 0.6 * seen.total() else 0

    def style(self, text: Any, at: int, address: int, turn: int) -> tuple[int, float, float]:
        """(place in `styles`, size in points, turned by how many degrees) of the text that a character belongs to."""
        raw = self.raw
        matrix = raw.FS_MATRIX()
        raw.FPDFText_GetMatrix(text, at, matrix)
        size = raw.FPDFText_GetFontSize(text, at)
        up = (matrix.c**2 + matrix.d**2) ** 0.5
        points = round(size * up, 2) if up else round(size, 2)
        angle = 0.0 if _direction(matrix) == turn else 90.0
        font = self.font(text, at)
        red, green, blue, alpha = (ctypes.c_uint(0) for _ in range(4))
        alpha.value = 255
        mode = 0
        layer = actual = ""
        if address:
            thing = ctypes.cast(address, raw.FPDF_PAGEOBJECT)
            raw.FPDFPageObj_GetFillColor(thing, red, green, blue, alpha)
            mode = raw.FPDFTextObj_GetTextRenderMode(thing)
            layer, actual = self.marks(thing)
            if mode == 1:
                raw.FPDFPageObj_GetStrokeColor(thing, red, green, blue, alpha)
        color = tuple(round(c.value / 255, 3) for c in (red, green, blue))
        key = (font, points, *color, round(alpha.value / 255, 3), mode, layer, actual)
        return self.styles.setdefault(key, len(self.styles)), points, angle

    def font(self, text: Any, at: int) -> str:
        """The name of a character's font; bitmap fonts have none."""
        flags = ctypes.c_int()
        name = ctypes.create_string_buffer(128)
        self.raw.FPDFText_GetFontInfo(text, at, name, 128, flags)
        return name.value.decode("utf-8", "replace")

    def marks(self, thing: Any) -> tuple[str, str]:
        """The layer that a text belongs to, and the text that is told instead of it."""
        raw = self.raw
        layer = actual = ""
        for place in range(min(raw.FPDFPageObj_CountMarks(thing), 20)):
            mark = raw.FPDFPageObj_GetMark(thing, place)
            name = self.wide(lambda buffer, size, got, m=mark: raw.FPDFPageObjMark_GetName(m, buffer, size, got))
            if name == "OC":
                layer = self.parameter(mark, b"Name") or "unnamed"
            actual = actual or self.parameter(mark, b"ActualText")
        return layer[:200], actual[:2000]

    def parameter(self, mark: Any, key: bytes) -> str:
        """A string that belongs to a mark."""
        raw = self.raw
        return self.wide(lambda b, size, got: raw.FPDFPageObjMark_GetParamStringValue(mark, key, b, size, got))

    def wide(self, call: Any) -> str:
        """What a call of PDFium writes as UTF-16."""
        got = ctypes.c_ulong()
        if not call(None, 0, got) or not 0 < got.value <= 65_536:
            return ""
        buffer = ctypes.create_string_buffer(got.value)
        pointer = ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort))
        call(pointer, got.value, got)
        return buffer.raw.decode("utf-16-le", "replace").rstrip("\0")


def _direction(matrix: Any) -> int:
    """Where text runs to in the file's coordinates: 0 right, 90 up, 180 left, 270 down; -1 aslant."""
    a, b = matrix.a, matrix.b
    if abs(b) < 1e-3 * (abs(a) + 1e-9):
        return 0 if a >= 0 else 180
    if abs(a) < 1e-3 * abs(b):
        return 90 if b > 0 else 270
    return -1


def compose(chars: list[tuple[str, float, float]]) -> str:
    """Characters as text: an accent that is drawn over a letter near it is part of that letter."""
    marks: dict[int, str] = {}
    gone: set[int] = set()
    for at, (char, left, right) in enumerate(chars):
        mark = ACCENTS.get(char)
        if not mark or len(chars) == 1:
            continue
        middle = (left + right) / 2
        near = [
            (abs((chars[k][1] + chars[k][2]) / 2 - middle), k)
            for k in range(max(0, at - 3), min(len(chars), at + 4))
            if k != at and chars[k][0].isalpha() and chars[k][1] - 0.5 < middle < chars[k][2] + 0.5 and k not in marks
        ]
        if near:
            marks[min(near)[1]] = mark
            gone.add(at)
    said = []
    for at, (char, _, _) in enumerate(chars):
        if at in gone:
            continue
        if at in marks:
            char = unicodedata.normalize("NFC", {"ı": "i", "ȷ": "j"}.get(char, char) + marks[at])
        said.append(char)
    return "".join(said)


def with_accents(words: list[list[Any]], letters: list[list[tuple[str, float, float]]]) -> list[list[Any]]:
    """Accents that stand alone join the letter that they are drawn over: PDFium tells those of old fonts, which are signs
    of their own, at the end of the line."""
    alone = [place for place, word in enumerate(words) if len(word[0]) == 1 and word[0] in ACCENTS]
    gone: set[int] = set()
    for place in alone[:500]:
        accent = words[place]
        middle = (accent[1] + accent[3]) / 2
        for other, word in enumerate(words):
            high = word[4] - word[2]
            if other == place or not word[1] < middle < word[3] or abs(word[5] - accent[5]) > 0.3 * high:
                continue
            under = next((n for n, char in enumerate(letters[other]) if char[1] < middle < char[2]), None)
            if under is not None and letters[other][under][0].isalpha():
                letters[other].insert(under + 1, letters[place][0])
                word[0] = compose(letters[other])
                word[2] = min(word[2], accent[2])
                gone.add(place)
                break
    return [word for place, word in enumerate(words) if place not in gone] if gone else words
