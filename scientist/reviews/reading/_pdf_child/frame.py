"""Where things are seen on a page, and calls of PDFium that cost little."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any


class Frame:
    """From the file's coordinates to points from the upper left corner of the page as it is shown."""

    def __init__(self, page: Any, turned: int = 0) -> None:
        """`turned`: by how many degrees more, clockwise, the page must be turned for its text to stand upright."""
        left, bottom, right, top = page.get_bbox()  # the boxes of a page may be those of its parent
        self.turned = turned
        self.turn = (page.get_rotation() + turned) % 360
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


def direct(function: Any, result: Any, *arguments: Any) -> Callable[..., Any]:
    """A function of the library that takes addresses as plain numbers: called for every character, the checks and casts
    of the binding cost more than the call."""
    address = address_of(function)
    made: Callable[..., Any] = ctypes.CFUNCTYPE(result, *arguments)(address)
    return made


def address_of(handle: Any) -> int:
    """The address that a handle of the library holds."""
    return ctypes.cast(handle, ctypes.c_void_p).value or 0
