"""How figures look: one style, and the four kinds of plot that papers use.

Everything goes through matplotlib's object interface (no pyplot,
no global state) and is written as PDF without dates,
so that the same numbers give the same bytes. Matplotlib is imported when a figure is drawn, not before.

The keep split is filled and blue, the final split hollow and orange (Okabe and Ito's colours), with different
markers: a greyscale print, and a reader who cannot tell the two hues apart, lose nothing.
"""

from __future__ import annotations

import contextlib
import io
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:  # matplotlib takes half a second to import
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

WIDTH = 5.75
"""Text width in inches; figures are drawn at the size at which they are printed."""

STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8.0,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8.5,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "legend.fontsize": 8.0,
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "legend.columnspacing": 1.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.edgecolor": "#444444",
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "xtick.labelcolor": "black",
    "ytick.labelcolor": "black",
    "lines.linewidth": 1.1,
    "lines.markersize": 5.0,
    "pdf.fonttype": 42,
    "pdf.compression": 6,
    "svg.hashsalt": "scientist",
    "text.usetex": False,
    "text.parse_math": False,  # a dollar sign in a stranger's title is a dollar sign
    "path.simplify": False,
    "axes.unicode_minus": True,
}
BLUE, ORANGE, GREEN, BAND = "#0072B2", "#D55E00", "#009E73", "#ededed"


Entry = tuple[str, dict[str, Any]]
"""A legend entry: its title and the line properties that draw its sample."""


@dataclass(frozen=True)
class Mark:
    """A mean, its interval (None: too few seeds to have one) and the seeds behind it, in printed units."""

    mean: float
    low: float | None = None
    high: float | None = None
    seeds: tuple[float, ...] = ()


@dataclass(frozen=True)
class Series:
    """Marks that belong together: one split, or one split of one condition. A missing mark is None."""

    title: str
    marks: tuple[Mark | None, ...]
    filled: bool = True
    colour: str = BLUE
    marker: str = "o"
    shift: float = 0.0
    """How far beside its position a mark stands, in points, so that intervals never hide each other."""
    line: str = ""
    """Style of the line between the means; empty for none."""
    seeds_shift: float | None = None
    """Where the single seeds stand; None leaves them out."""


@dataclass(frozen=True)
class Row:
    """One row of a forest plot."""

    label: str
    margin: float
    primary: bool
    keep: Mark | None
    final: Mark | None
    note: str = ""


@contextlib.contextmanager
def canvas(width: float, height: float) -> Iterator[Canvas]:
    """An empty figure in the house style."""
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        for name, value in STYLE.items():
            matplotlib.rcParams[name] = value  # type: ignore[index]
        figure = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03))
        yield figure


def plain(text: str) -> str:
    """Text for a figure: on one line, without what cannot be seen, and without letters that its font does not have."""
    line = "".join(char if _has(char) else "?" for char in " ".join(text.split()) if char.isprintable())
    return line.lstrip("_")  # matplotlib hides what begins with an underscore


def _has(char: str) -> bool:
    """Letters that DejaVu Sans has: Latin, Greek, Cyrillic, Armenian, and the usual signs."""
    return ord(char) < 0x0590 or 0x1E00 <= ord(char) < 0x2300


def to_pdf(figure: Canvas) -> bytes:
    """The figure as PDF; the same figure gives the same bytes on any day."""
    from matplotlib.backends.backend_pdf import FigureCanvasPdf

    buffer = io.BytesIO()
    FigureCanvasPdf(figure).print_pdf(
        buffer, metadata={"CreationDate": None, "ModDate": None, "Producer": None, "Creator": None}
    )
    return buffer.getvalue()


def _beside(axes: Axes, points: float, along: Literal["x", "y"]) -> Any:
    """Data coordinates moved by some points along one axis: an offset that log scales do not change."""
    from matplotlib.transforms import ScaledTranslation

    x, y = (points / 72, 0.0) if along == "x" else (0.0, points / 72)
    return axes.transData + ScaledTranslation(x, y, axes.figure.dpi_scale_trans)


def _face(series: Series) -> str:
    return series.colour if series.filled else "white"


def vertical(axes: Axes, positions: Sequence[float], series: Sequence[Series]) -> None:
    """Values upward, conditions along x: intervals, means, seeds, and lines where a series asks for them."""
    for one in series:
        drawn = [(x, mark) for x, mark in zip(positions, one.marks, strict=True) if mark is not None]
        moved = _beside(axes, one.shift, "x")
        if one.line and len(drawn) > 1:
            axes.plot(
                [x for x, _ in drawn], [m.mean for _, m in drawn], ls=one.line, lw=0.9, color=one.colour,
                alpha=0.7,
                transform=moved, zorder=2,
            )  # fmt: skip
        for x, mark in drawn:
            if one.seeds_shift is not None:
                axes.plot(
                    [x] * len(mark.seeds), mark.seeds, ls="", marker="o", ms=2.4, mew=0, color=one.colour,
                    alpha=0.32,
                    transform=_beside(axes, one.seeds_shift, "x"), zorder=1,
                )  # fmt: skip
            if mark.low is not None and mark.high is not None:
                axes.plot([x, x], [mark.low, mark.high], color=one.colour, lw=1.2, transform=moved, zorder=3)
            axes.plot(
                [x], [mark.mean], ls="", marker=one.marker, color=one.colour, mfc=_face(one), mew=1.1,
                transform=moved, zorder=4,
            )  # fmt: skip
    _fit(
        axes,
        "y",
        [v for one in series for m in one.marks if m for v in _extent(m, one.seeds_shift is not None)],
    )


def horizontal(axes: Axes, series: Sequence[Series]) -> None:
    """Values along x, one row per condition (row 0 on top): labels of any length stay readable."""
    for one in series:
        moved = _beside(axes, one.shift, "y")
        for y, mark in enumerate(one.marks):
            if mark is None:
                continue
            if one.seeds_shift is not None:
                axes.plot(
                    mark.seeds, [y] * len(mark.seeds), ls="", marker="o", ms=2.4, mew=0, color=one.colour,
                    alpha=0.32,
                    transform=_beside(axes, one.seeds_shift, "y"), zorder=1,
                )  # fmt: skip
            if mark.low is not None and mark.high is not None:
                axes.plot([mark.low, mark.high], [y, y], color=one.colour, lw=1.2, transform=moved, zorder=3)
            axes.plot(
                [mark.mean], [y], ls="", marker=one.marker, color=one.colour, mfc=_face(one), mew=1.1,
                transform=moved, zorder=4,
            )  # fmt: skip
    _fit(
        axes,
        "x",
        [v for one in series for m in one.marks if m for v in _extent(m, one.seeds_shift is not None)],
    )


MOST_TICKS = 7
"""Beneath a plot that shares its width with long labels."""


def forest(axes: Axes, rows: Sequence[Row]) -> None:
    """Every contrast with its intervals, the zero line, and the band of differences too small to matter."""
    for y, row in enumerate(rows):
        band(axes, -row.margin, y - 0.5, 2 * row.margin, 1.0)
    axes.axvline(0.0, color="#444444", lw=0.8, zorder=0.9)
    horizontal(
        axes,
        (
            Series("keep", tuple(r.keep for r in rows), shift=2.6),
            Series("final", tuple(r.final for r in rows), filled=False, colour=ORANGE, marker="s", shift=-2.6),
        ),
    )
    extent = [v for row in rows for m in (row.keep, row.final) if m for v in _extent(m, False)]
    _fit(axes, "x", [*extent, *(row.margin for row in rows), *(-row.margin for row in rows)])
    low, high = axes.get_xlim()
    if sum(low <= tick <= high for tick in axes.get_xticks()) > MOST_TICKS:  # long numbers side by side would touch
        axes.locator_params(axis="x", nbins=MOST_TICKS - 1)
    rows_axis(axes, [row.label for row in rows], width=38, bold={y for y, row in enumerate(rows) if row.primary})
    for y, row in enumerate(rows):
        axes.annotate(
            row.note, (1.0, y), xycoords=("axes fraction", "data"), xytext=(6, 0), textcoords="offset points",
            va="center", ha="left", fontsize=7.5, color="#444444",
        )  # fmt: skip


def band(axes: Axes, x: float, y: float, width: float, height: float) -> None:
    """A rectangle of differences too small to matter; neighbours meet without a seam."""
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((x, y), width, height, facecolor=BAND, edgecolor=BAND, lw=0.3, zorder=0.4))


def rows_axis(axes: Axes, labels: Sequence[str], width: int = 30, bold: set[int] | None = None) -> None:
    """One labelled row per condition, first on top; long labels are wrapped."""
    labels = [plain(label) for label in labels]
    axes.set_yticks(range(len(labels)), ["\n".join(textwrap.wrap(label, width)) or label for label in labels])
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False, axis="y")
    for y, text in enumerate(axes.get_yticklabels()):
        text.set_fontweight("bold" if bold and y in bold else "normal")


def columns_axis(axes: Axes, positions: Sequence[float], labels: Sequence[str], width: float) -> None:
    """Labelled positions along x; labels that would touch (`width`: inches for all) wrap or slant."""
    labels = [plain(label) for label in labels]
    room = width / max(1, len(labels)) / 0.068  # characters of 8-point text that fit between two neighbours
    wrapped = ["\n".join(textwrap.wrap(label, max(4, int(room)), break_long_words=False)) or label for label in labels]
    longest = max((len(line) for label in wrapped for line in label.splitlines()), default=0)
    axes.set_xticks(list(positions), wrapped if longest <= room else list(labels))
    axes.minorticks_off()
    axes.grid(visible=False, axis="x")
    if longest > room:
        for text in axes.get_xticklabels():
            text.set(rotation=30, ha="right", rotation_mode="anchor")


def legend(figure: Canvas, entries: Sequence[Entry], columns: int = 4) -> None:
    """One legend above all panels, where it cannot cover data. Entries: title and line properties."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], label=title, **style) for title, style in entries]
    figure.legend(handles=handles, loc="outside upper center", ncols=min(columns, len(handles)), borderaxespad=0.2)


def key(series: Series) -> Entry:
    """A legend entry that looks like the series."""
    return series.title, {
        "color": series.colour, "marker": series.marker, "mfc": _face(series), "mew": 1.1,
        "ls": series.line or "-",
        "lw": 1.1,
    }  # fmt: skip


def swatch(title: str) -> Entry:
    """A legend entry for the grey band."""
    return title, {"color": "#dcdcdc", "lw": 7, "solid_capstyle": "butt"}


def dots(title: str) -> Entry:
    """A legend entry for the single seeds."""
    return title, {"color": "#666666", "marker": "o", "ms": 2.6, "mew": 0, "ls": "", "alpha": 0.6}


def _extent(mark: Mark, seeds: bool) -> list[float]:
    return [mark.mean, *(v for v in (mark.low, mark.high) if v is not None), *(mark.seeds if seeds else ())]


def _fit(axes: Axes, along: Literal["x", "y"], values: Sequence[float]) -> None:
    """Limits from the values themselves: matplotlib's own do not see artists drawn with an offset."""
    if not values:
        return
    low, high = min(values), max(values)
    pad = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    (axes.set_xlim if along == "x" else axes.set_ylim)(low - pad, high + pad)
