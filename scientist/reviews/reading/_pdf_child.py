"""Reads one PDF with PDFium and tells its words, pictures and rules as JSON. Runs as a script of its own: see `_pdf`.

Imports nothing of ours, so that it starts quickly and holds nothing worth having. It limits itself before it looks at
the file: memory, processor time, no file may grow. Whatever a broken file does ends here.

Each page is drawn twice, with its text and without. Where the two are the same, the text cannot be seen, whatever the
reason: white on white, under a picture, in a hidden layer, clipped, transparent.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import resource
import sys
import time
import unicodedata
from typing import Any

MEMORY = 1600 << 20  # bytes of address space
SECONDS = 75  # of processor time
PAGES = 300
DRAWING = 25.0  # seconds after which pages are no longer drawn
CHARS = 4_000_000
PAGE_CHARS = 60_000
OBJECTS = 30_000  # drawn things of one page that are looked at
PIXELS = 2_500_000  # of one page
ANSWER = 96 << 20  # bytes
IMAGE = 64 << 20  # bytes of one picture that are hashed
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
    + "␣!\"#$%&’()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_‘abcdefghijklmnopqrstuvwxyz{|}~-"
    + "ĂĄĆČĎĚĘĞĹĽŁŃŇŊŐŔŘŚŠŞŤŢŰŮŸŹŽŻĲİđ§ăąćčďěęğĺľłńňŋőŕřśšşťţűůÿźžżĳ¡¿£"
    + "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖŒØÙÚÛÜÝÞẞàáâãäåæçèéêëìíîïðñòóôõöœøùúûüýþß"
)  # fmt: skip


def limit() -> None:
    """The least that reading needs."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Frame:
    """From the file's coordinates to points from the upper left corner of the page as it is shown."""

    def __init__(self, page: Any) -> None:
        left, bottom, right, top = page.get_cropbox()
        self.turn = page.get_rotation() % 360
        self.left, self.right = min(left, right), max(left, right)
        self.bottom, self.top = min(bottom, top), max(bottom, top)
        wide, high = self.right - self.left, self.top - self.bottom
        self.width, self.height = (high, wide) if self.turn in (90, 270) else (wide, high)

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the file is seen."""
        if self.turn == 90:
            return y - self.bottom, x - self.left
        if self.turn == 180:
            return self.right - x, y - self.bottom
        if self.turn == 270:
            return self.top - y, self.right - x
        return x - self.left, self.top - y

    def box(self, x0: float, y0: float, x1: float, y1: float) -> list[float]:
        """Left, top, right, bottom as seen."""
        (a, b), (c, d) = self.point(x0, y0), self.point(x1, y1)
        return [round(v, 2) for v in (min(a, c), min(b, d), max(a, c), max(b, d))]


class Reader:
    """Words, styles and drawn things of one document."""

    def __init__(self, path: str) -> None:
        import pypdfium2
        import pypdfium2.raw as raw

        self.raw = raw
        self.document = pypdfium2.PdfDocument(path)
        self.styles: dict[tuple[Any, ...], int] = {}
        self.chars = 0
        self.started = time.process_time()
        self.unread: list[str] = []
        self.cork = False  # a bitmap font of TeX was met

    def read(self) -> dict[str, Any]:
        """All pages, up to the limits."""
        count = len(self.document)
        pages = []
        for number in range(min(count, PAGES)):
            try:
                pages.append(self.page(number))
            except (self.error, ValueError, ArithmeticError) as error:
                pages.append({"width": 0, "height": 0, "words": [], "images": [], "rules": [], "forms": []})
                self.unread.append(f"page {number + 1}: it is broken ({type(error).__name__})")
            if self.chars > CHARS:
                self.unread.append(f"pages from {number + 2} on: too much text")
                break
        if count > PAGES:
            self.unread.append(f"pages from {PAGES + 1} on: only {PAGES} are read, there are {count}")
        if self.cork:
            self.unread.append("fonts that name no character: taken for TeX's bitmap fonts, and read by their encoding")
        return {
            "count": count,
            "pages": pages,
            "styles": [list(style) for style in self.styles],
            "unread": self.unread,
        }

    @property
    def error(self) -> type[Exception]:
        """What pypdfium2 raises."""
        import pypdfium2

        return pypdfium2.PdfiumError

    def page(self, number: int) -> dict[str, Any]:
        """One page: size, words [text, left, top, right, bottom, baseline, style, turned, form, seen], pictures, rules."""
        page = self.document[number]
        frame = Frame(page)
        found: dict[str, Any] = {"width": round(frame.width, 2), "height": round(frame.height, 2)}
        found |= {"images": [], "rules": [], "forms": []}
        inside = self.objects(page, frame, found)
        text = page.get_textpage()
        words, nameless = self.words(text, frame, inside)
        if nameless > 2:  # one or two are the large signs of formulas
            self.unread.append(f"page {number + 1}: {nameless} characters whose meaning the file does not tell")
        if time.process_time() - self.started < DRAWING:
            self.draw(page, frame, words)
        elif not any("not drawn" in line for line in self.unread):
            self.unread.append(f"pages from {number + 1} on were not drawn: hidden text is judged by colour alone")
        text.close()
        page.close()
        found["words"] = words
        return found

    # --- what is drawn ---

    def objects(self, page: Any, frame: Frame, found: dict[str, Any]) -> dict[int, int]:
        """Pictures, thin lines and forms; returns which form each nested text belongs to (its place in `forms`)."""
        raw = self.raw
        inside: dict[int, int] = {}
        left, bottom, right, top = (ctypes.c_float() for _ in range(4))
        seen = 0

        def bounds(thing: Any) -> list[float] | None:
            if not raw.FPDFPageObj_GetBounds(thing, left, bottom, right, top):
                return None
            return frame.box(left.value, bottom.value, right.value, top.value)

        def walk(count: int, get: Any, form: int, depth: int) -> None:
            nonlocal seen
            for place in range(count):
                seen += 1
                if seen > OBJECTS:
                    return
                thing = get(place)
                kind = raw.FPDFPageObj_GetType(thing)
                if kind == raw.FPDF_PAGEOBJ_TEXT:
                    if form >= 0:
                        inside[ctypes.cast(thing, ctypes.c_void_p).value or 0] = form
                    continue
                if kind == raw.FPDF_PAGEOBJ_FORM and depth < 6:
                    here = form
                    if form < 0:
                        found["forms"].append(bounds(thing) or [0, 0, 0, 0])
                        here = len(found["forms"]) - 1
                    walk(
                        raw.FPDFFormObj_CountObjects(thing),
                        lambda at, thing=thing: raw.FPDFFormObj_GetObject(thing, at),
                        here,
                        depth + 1,
                    )
                elif kind == raw.FPDF_PAGEOBJ_IMAGE:
                    box = bounds(thing) if form < 0 else found["forms"][form]
                    if box and len(found["images"]) < 300:
                        found["images"].append([*box, *self.image(thing)])
                elif kind == raw.FPDF_PAGEOBJ_PATH and form < 0 and len(found["rules"]) < 2_000:
                    box = bounds(thing)
                    if box and box[3] - box[1] < 2.5 and box[2] - box[0] > 18:
                        found["rules"].append([box[0], round((box[1] + box[3]) / 2, 2), box[2]])

        walk(raw.FPDFPage_CountObjects(page), lambda at: raw.FPDFPage_GetObject(page, at), -1, 0)
        return inside

    def image(self, thing: Any) -> tuple[str, int, int]:
        """SHA-256 of a picture's data as stored, width and height in pixels."""
        raw = self.raw
        wide, high = ctypes.c_uint(), ctypes.c_uint()
        raw.FPDFImageObj_GetImagePixelSize(thing, wide, high)
        size = raw.FPDFImageObj_GetImageDataRaw(thing, None, 0)
        if not 0 < size <= IMAGE:
            return "", wide.value, high.value
        data = (ctypes.c_ubyte * size)()
        raw.FPDFImageObj_GetImageDataRaw(thing, data, size)
        return hashlib.sha256(data).hexdigest(), wide.value, high.value

    def draw(self, page: Any, frame: Frame, words: list[list[Any]]) -> None:
        """How much each word changes the picture of the page: 0 is not at all, 1 from black to white."""
        import numpy

        raw = self.raw
        if not words or frame.width * frame.height <= 0:
            return
        scale = min(1.5, (PIXELS / (frame.width * frame.height)) ** 0.5)
        kept = {"scale": scale, "may_draw_forms": True, "draw_annots": False}
        with_text = page.render(**kept).to_numpy()[:, :, :3].astype(numpy.int16)
        hidden: list[Any] = []
        self.texts(page, hidden)
        for thing in hidden:
            raw.FPDFPageObj_SetIsActive(thing, False)
        without = page.render(**kept).to_numpy()[:, :, :3].astype(numpy.int16)
        for thing in hidden:
            raw.FPDFPageObj_SetIsActive(thing, True)
        change = abs(with_text - without).max(axis=2)
        high, wide = change.shape
        for word in words:
            x0, x1 = max(0, int(word[1] * scale)), min(wide, int(word[3] * scale) + 2)
            y0, y1 = max(0, int(word[2] * scale)), min(high, int(word[4] * scale) + 2)
            part = change[y0:y1, x0:x1]
            word[9] = round(float(part.max()) / 255, 3) if part.size else 0.0

    def texts(self, page: Any, found: list[Any]) -> None:
        """All text objects of a page, those inside forms too."""
        raw = self.raw

        def walk(count: int, get: Any, depth: int) -> None:
            for place in range(min(count, OBJECTS)):
                if len(found) > OBJECTS:
                    return
                thing = get(place)
                kind = raw.FPDFPageObj_GetType(thing)
                if kind == raw.FPDF_PAGEOBJ_TEXT:
                    found.append(thing)
                elif kind == raw.FPDF_PAGEOBJ_FORM and depth < 6:
                    walk(
                        raw.FPDFFormObj_CountObjects(thing),
                        lambda at, thing=thing: raw.FPDFFormObj_GetObject(thing, at),
                        depth + 1,
                    )

        walk(raw.FPDFPage_CountObjects(page), lambda at: raw.FPDFPage_GetObject(page, at), 0)

    # --- text ---

    def style(self, text: Any, at: int, thing: Any) -> tuple[int, float, float]:
        """(place in `styles`, size in points, turned by how many degrees) of the text that a character belongs to."""
        raw = self.raw
        matrix = raw.FS_MATRIX()
        raw.FPDFText_GetMatrix(text, at, matrix)
        size = raw.FPDFText_GetFontSize(text, at)
        up = (matrix.c**2 + matrix.d**2) ** 0.5
        points = round(size * up, 2) if up else round(size, 2)
        angle = 0.0 if abs(matrix.b) < 1e-3 * (abs(matrix.a) + 1e-9) and matrix.a >= 0 else 90.0
        font = self.font(text, at)
        red, green, blue, alpha = (ctypes.c_uint(0) for _ in range(4))
        alpha.value = 255
        mode = 0
        layer = actual = ""
        if thing:
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

    def words(self, text: Any, frame: Frame, inside: dict[int, int]) -> tuple[list[list[Any]], int]:
        """Words, and how many characters have no known meaning."""
        raw = self.raw
        count = min(raw.FPDFText_CountChars(text), PAGE_CHARS)
        self.chars += count
        x0, x1, y0, y1, ox, oy = (ctypes.c_double() for _ in range(6))
        loose = raw.FS_RECTF()
        words: list[list[Any]] = []
        now: dict[str, Any] | None = None
        known: dict[int, tuple[int, float, float]] = {}
        nameless = high = 0

        def close() -> None:
            nonlocal now
            if now is not None and now["text"].strip():
                said = compose(now["chars"])
                words.append([said, *now["box"], now["base"], now["style"], now["turned"], now["form"], None])
            now = None

        for at in range(count):
            code = raw.FPDFText_GetUnicode(text, at)
            wrong = raw.FPDFText_HasUnicodeMapError(text, at) == 1
            if wrong and code < 256 and self.font(text, at) == "":
                code = ord(_CORK[code])
                self.cork = True
                wrong = False
            elif raw.FPDFText_IsGenerated(text, at) == 1 or code in (0x20, 0xA0, 0x0A, 0x0D, 0x09, 0):
                if code not in (0, 2):
                    close()
                continue
            if 0xD800 <= code < 0xDC00:
                high = code
                continue
            if 0xDC00 <= code < 0xE000:
                code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00) if high else 0xFFFD
                high = 0
            if code in (2, 0xFFFE):
                code = 0x2D  # a hyphen at the end of a line
            if wrong or code < 0x20 or 0xE000 <= code < 0xF900:
                nameless += 1
                code = 0xFFFD
            thing = raw.FPDFText_GetTextObject(text, at)
            address = ctypes.cast(thing, ctypes.c_void_p).value or 0
            if address not in known:
                known[address] = self.style(text, at, thing)
            style, size, turned = known[address]
            if frame.turn and not turned:
                turned = 0.0
            raw.FPDFText_GetCharBox(text, at, x0, x1, y0, y1)
            raw.FPDFText_GetCharOrigin(text, at, ox, oy)
            left, top, right, bottom = frame.box(x0.value, y0.value, x1.value, y1.value)
            if raw.FPDFText_GetLooseCharBox(text, at, loose) and not frame.turn and not turned:
                # Between words counts how far a character advances: a slanted f leans over the space behind it.
                a, b = loose.left - frame.left, loose.right - frame.left
                if 0.0 < b - a < 2.5 * max(size, 1.0):
                    left, right = round(a, 2), round(b, 2)
            base = round(frame.point(ox.value, oy.value)[1], 2)
            char = LIGATURES.get(chr(code), chr(code))
            if now is not None:
                box = now["box"]
                gap = left - box[2]
                em = max(now["size"], size, 1.0)
                apart = now["style"] != style and (
                    abs(now["base"] - base) > 0.12 * em or abs(now["size"] - size) > 0.15 * em
                )
                moved = apart or abs(now["base"] - base) > 0.45 * em or gap > 0.22 * em or gap < -1.5 * em
                accent = char in ACCENTS or now["chars"][-1][0] in ACCENTS
                if moved and (not accent or gap > em or abs(now["base"] - base) > em):
                    close()
            form = inside.get(address, -1)
            if now is None:
                now = {"text": char, "chars": [], "box": [left, top, right, bottom], "base": base, "style": style}
                now |= {"size": size, "turned": 1 if turned else 0, "form": form}
            else:
                box = now["box"]
                now["text"] += char
                now["box"] = [min(box[0], left), min(box[1], top), max(box[2], right), max(box[3], bottom)]
            now["chars"].append((char, left, right))
        close()
        return words, nameless


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


def main() -> None:
    """One JSON object on standard output, whatever the file does; being killed is the only other end."""
    limit()
    told: dict[str, Any]
    try:
        told = Reader(sys.argv[1]).read()
    except MemoryError:
        told = {"problem": "it needs too much memory"}
    except Exception as error:  # noqa: BLE001 - a broken file makes the reader raise anything; the parent tells it
        words = str(error).lower()
        told = {"problem": "it is encrypted" if "password" in words else "it is broken, or no PDF"}
    answer = json.dumps(told, separators=(",", ":"))
    if len(answer) > ANSWER:
        answer = json.dumps({"problem": "it holds too much text"})
    sys.stdout.write(answer)


if __name__ == "__main__":
    main()
