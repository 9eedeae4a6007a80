"""Learning curves: JSON lines that a run appends while it works. Self-reported, shown and drawn, never a score."""

from __future__ import annotations

import json
import math
import os
import re
import stat
from pathlib import Path

CURVE_FILE = "metrics.jsonl"
LARGEST = 1 << 20  # bytes of a curve that are read
MOST = 20_000  # points
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_./-]{0,40}\Z")


def parse_point(line: str) -> dict[str, float] | None:
    """One line as {'step': n, name: finite number, ...}, or None when it is not of that form."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not 2 <= len(found) <= 33:
        return None
    step = found.get("step")
    if type(step) is not int or not 0 <= step < 2**53:
        return None
    point: dict[str, float] = {"step": step}
    for name, value in found.items():
        if name == "step":
            continue
        if not _NAME.match(name) or type(value) not in (int, float) or not math.isfinite(value):
            return None
        point[name] = value
    return point


class Tail:
    """Reads what a run appends to a file that it may also replace, link or fill with anything."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0
        self._rest = b""
        self._points = 0

    def read(self) -> list[dict[str, float]]:
        """The points of the lines completed since the last call. What is not a point is passed over."""
        if self._at >= LARGEST:
            return []
        try:
            # No link is followed, and a pipe that a run puts in its place cannot make us wait.
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return []
        with os.fdopen(descriptor, "rb") as handle:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return []
            handle.seek(self._at)
            new = handle.read(LARGEST - self._at)
        self._at += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        points = [point for line in lines if (point := parse_point(line.decode(errors="replace"))) is not None]
        points = points[: MOST - self._points]
        self._points += len(points)
        return points


def read_curve(path: Path) -> list[dict[str, float]]:
    """All points of a finished run's curve."""
    return Tail(path).read()


def render_curve(points: list[dict[str, float]]) -> bytes:
    """The canonical file of a curve: one compact JSON object a line, keys sorted."""
    return b"".join(json.dumps(point, sort_keys=True, separators=(",", ":")).encode() + b"\n" for point in points)
