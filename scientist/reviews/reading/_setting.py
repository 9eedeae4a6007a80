"""How a document is set: the size, font and leading of its running text. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from scientist.reviews.reading._document import Box
from scientist.reviews.reading._lines import Line
from scientist.reviews.reading._shapes import spoken


@dataclass(frozen=True)
class Setting:
    """Size and leading of the running text in points, its font, and how often each word stands in the document."""

    body: float
    font: str
    leading: float
    words: Mapping[str, int]


def setting_of(lines: Sequence[Line]) -> Setting:
    """Measure a document by its lines."""
    body = _body_size(lines)
    words = spoken(" ".join(line.text for line in lines))
    return Setting(body, _body_font(lines, body), _leading(lines, body), words)


def box_of(lines: Sequence[Line]) -> Box | None:
    """The box around lines; None around none."""
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
