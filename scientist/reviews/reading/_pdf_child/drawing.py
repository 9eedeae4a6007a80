"""What is drawn on a page: pictures, thin lines, forms; and how well each word can be seen.

A page is drawn twice, with its text and without. Where the two are the same, the text cannot be seen, whatever the
reason: white on white, under a picture, in a hidden layer, clipped, transparent.
"""

from __future__ import annotations

import ctypes
import hashlib
from typing import Any

from .frame import Frame, address_of

OBJECTS = 30_000  # drawn things of one page that are looked at
PIXELS = 2_500_000  # of one page
IMAGE = 64 << 20  # bytes of one picture that are hashed


class Drawing:
    """Looks at the drawn things of pages."""

    def __init__(self, raw: Any) -> None:
        self.raw = raw

    def objects(self, page: Any, frame: Frame, found: dict[str, Any]) -> dict[int, int]:
        """Pictures, thin level and upright lines, forms; returns which form each nested text belongs to (its place in `forms`)."""
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
                        inside[address_of(thing)] = form
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
                elif kind == raw.FPDF_PAGEOBJ_PATH and form < 0 and len(found["rules"]) + len(found["walls"]) < 4_000:
                    box = bounds(thing)
                    if box and box[3] - box[1] < 2.5 and box[2] - box[0] > 18:
                        found["rules"].append([box[0], round((box[1] + box[3]) / 2, 2), box[2]])
                    elif box and box[2] - box[0] < 2.5 and box[3] - box[1] > 6:
                        found["walls"].append([round((box[0] + box[2]) / 2, 2), box[1], box[3]])

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

    def contrast(self, page: Any, frame: Frame, words: list[list[Any]]) -> None:
        """How much each word changes the picture of the page: 0 is not at all, 1 from black to white."""
        import numpy

        if not words or frame.width * frame.height <= 0:
            return
        scale = min(1.5, (PIXELS / (frame.width * frame.height)) ** 0.5)
        kept = {"scale": scale, "rotation": frame.turned, "may_draw_forms": True, "draw_annots": False}
        with_text = page.render(**kept).to_numpy()[:, :, :3]
        hidden: list[Any] = []
        self.texts(page, hidden)
        for thing in hidden:
            self.raw.FPDFPageObj_SetIsActive(thing, False)
        without = page.render(**kept).to_numpy()[:, :, :3]
        for thing in hidden:
            self.raw.FPDFPageObj_SetIsActive(thing, True)
        change = numpy.maximum(with_text, without) - numpy.minimum(with_text, without)  # stays within a byte
        high, wide, _ = change.shape
        for word in words:
            x0, x1 = max(0, int(word[1] * scale)), min(wide, int(word[3] * scale) + 2)
            y0, y1 = max(0, int(word[2] * scale)), min(high, int(word[4] * scale) + 2)
            part = change[y0:y1, x0:x1]
            word[9] = round(int(part.max()) / 255, 3) if part.size else 0.0

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
