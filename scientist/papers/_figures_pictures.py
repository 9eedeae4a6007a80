"""Figures as pictures for a model that sees: small PNG files, and a hash of what they draw that no machine's fonts change."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scientist.lab import canonical_json, sha256

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure as Canvas

LONGEST_SIDE = 1000
"""Pixels. Providers scale down what is much larger."""

FINE = 1000
"""Steps to an axis: what differs by less than one is not seen, and libraries that round differently differ by far less."""


@dataclass(frozen=True)
class Picture:
    """A PNG, and the SHA-256 of what it draws."""

    png: bytes
    shows: str


def picture_of(figure: Canvas) -> Picture:
    """The figure as a PNG, no side longer than :data:`LONGEST_SIDE` pixels.

    The bytes depend on the fonts and libraries of the machine; `shows` is made of what is drawn, and does not.
    """
    shows = sha256(canonical_json(content(figure)))
    dots = (LONGEST_SIDE - 1) / max(figure.get_size_inches())
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dots, metadata={"Software": None})
    return Picture(buffer.getvalue(), shows)


def content(figure: Canvas) -> list[Any]:
    """What a figure draws: marks, lines, areas and words, positions in thousandths of the axes' ranges."""
    words = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    return [words, *(_of_axes(axes) for axes in figure.axes)]


def _of_axes(axes: Axes) -> dict[str, Any]:
    from matplotlib.colors import to_hex

    x, y = _Scale(axes.xaxis), _Scale(axes.yaxis)
    lines = [
        [
            x.of(np.ravel(line.get_xdata())),
            y.of(np.ravel(line.get_ydata())),
            to_hex(line.get_color()),
            str(line.get_marker()),
        ]
        for line in axes.lines
    ]
    paths = [patch.get_path().transformed(patch.get_patch_transform()) for patch in axes.patches]
    paths += [path for area in axes.collections for path in area.get_paths()]
    shapes = [np.asarray(path.vertices, dtype=float) for path in paths]
    return {
        "axes": [x.told, y.told],
        "lines": lines,
        "shapes": [[x.of(points[:, 0]), y.of(points[:, 1])] for points in shapes],
        "words": [axes.get_title(), *(text.get_text() for text in axes.texts)],
    }


class _Scale:
    """One axis: its words, its range, and where values are on it."""

    def __init__(self, axis: Axis) -> None:
        from matplotlib.ticker import FixedLocator

        self._log = axis.get_scale() == "log"
        low, high = (self._at(float(end)) for end in axis.get_view_interval())
        self._low, self._range = low, (high - low) or 1.0
        chosen = isinstance(axis.get_major_locator(), FixedLocator)  # else matplotlib puts ticks where it likes
        labels = [label.get_text() for label in axis.get_majorticklabels()] if chosen else []
        ends = [f"{self._range:.4g}", round(FINE * low / self._range)]
        self.told = [axis.get_label_text(), axis.get_scale(), *ends, *labels]

    def _at(self, value: float) -> float:
        return math.log10(value) if self._log and value > 0 else -math.inf if self._log else value

    def of(self, values: Iterable[Any]) -> list[int | None]:
        """Thousandths of the range from the lower end; None for what is nowhere on it."""
        places = [(self._at(float(value)) - self._low) / self._range for value in values]
        return [round(FINE * place) if math.isfinite(place) else None for place in places]
