"""The figure of the learning curves: mean and pointwise interval of the most telling series, per variant."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from scientist.papers import _figures_draw as draw
from scientist.papers._curves import Band, Curve, band_of, choose_curves, series_of
from scientist.papers._figures_data import Drawn, Numbers
from scientist.papers._figures_draw import BLUE, GREEN, ORANGE
from scientist.papers._phrases import count, listing, val
from scientist.template import Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = (BLUE, ORANGE, GREEN, "#CC79A7", "#56B4E9", "#806000")
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1, 4, 1)))
LOG_FROM = 100.0
"""A range of positive values wider than this is drawn on a logarithmic axis."""
DEEPEST = 1e5
"""What has fallen to less than this part of the highest value is as good as zero."""


def curves_figure(folder: Path, numbers: Numbers) -> Drawn | None:
    """The figure, its caption and facts; None unless two variants have a series in common."""
    study = numbers.study
    chosen = choose_curves(folder, study, numbers.results, numbers.curves)
    if chosen is None:
        return None
    series = series_of(chosen.series, numbers.curves)
    bands = {
        variant: band_of([_scaled(curve, series.scale) for curve in curves.values()], 1 - study.alpha)
        for variant, curves in chosen.curves.items()
    }
    with draw.canvas(draw.WIDTH, 2.9) as figure:
        axes = figure.add_subplot()
        entries = []
        for (variant, band), colour, line in zip(bands.items(), COLOURS, LINES, strict=False):
            axes.plot(band.steps, band.mean, color=colour, ls=line, lw=1.2, zorder=3)
            axes.fill_between(
                band.steps,
                [m if v is None else v for v, m in zip(band.low, band.mean, strict=True)],
                [m if v is None else v for v, m in zip(band.high, band.mean, strict=True)],
                color=colour,
                alpha=0.16,
                lw=0,
                zorder=2,
            )
            title = "\n".join(textwrap.wrap(draw.plain(study.variant(variant).title), 42)[:2])
            entries.append((title, {"color": colour, "ls": line, "lw": 1.4}))
        _limits(axes, list(bands.values()))
        logarithmic = _late(list(bands.values()))
        if logarithmic:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        else:
            axes.locator_params(axis="x", integer=True)  # steps are counted
        axes.set_xlabel("step (logarithmic)" if logarithmic else "step")
        axes.set_ylabel(_axis(series))
        draw.legend(figure, entries, columns=2)
        pdf = numbers.printed(figure)
    names = listing([f"{val(f'curve.{v}.n')} with {val(f'variant.{v}.title')}" for v in chosen.curves])
    fewer = " Not every run got equally far, so later steps may rest on fewer." if _uneven(bands) else ""
    left = f" {count(chosen.left_out, 'further variant')} had such curves too." if chosen.left_out else ""
    caption = (
        rf"Learning curves: \emph{{{val('curve.series')}}} against the step, as the runs reported it while they worked. "
        rf"Lines are means, bands pointwise {val('study.ci_level')}\,\% Student intervals over {numbers.many} "
        f"({names}); between reported steps values are interpolated.{fewer}{left} The curves come from the code under "
        "test: they are self-reported, enter no test and decide nothing. What to look for: whether the variants "
        "differ early or late, and whether they had stopped moving when they were judged."
    )
    return pdf, caption, ("curve.series", *(f"curve.{variant}.n" for variant in chosen.curves))


def _scaled(curve: Curve, scale: float) -> Curve:
    return tuple((step, scale * value) for step, value in curve)


def _axis(series: Series) -> str:
    """'accuracy on the cells shown (%), self-reported', in lines that fit beside the axis."""
    unit = draw.plain(series.unit.replace("\\", "").strip())
    shown = f" ({unit})" if unit else ""
    title = textwrap.shorten(draw.plain(series.title), 48, placeholder=" ...")
    return "\n".join(textwrap.wrap(f"{title}{shown}, self-reported", 28, break_on_hyphens=False))


def _late(bands: list[Band]) -> bool:
    """Whether the runs reported at ever larger steps, so that a linear axis would squeeze what they watched closely."""
    steps = sorted({step for band in bands for step in band.steps})
    return steps[0] > 0 and steps[-1] / steps[0] >= LOG_FROM and steps[len(steps) // 2] < steps[-1] / 5


def _uneven(bands: dict[str, Band]) -> bool:
    return any(len(set(band.n)) > 1 for band in bands.values())


def _limits(axes: Axes, bands: list[Band]) -> None:
    """A logarithmic axis where the values span orders of magnitude, with its ticks as plain numbers."""
    values = [v for band in bands for v in (*band.mean, *band.low, *band.high) if v is not None]
    means = [v for band in bands for v in band.mean]
    # A loss may fall until it is rounded to zero: that end is cut off rather than the rest squeezed.
    falls = min(means) >= 0 and all(band.mean[-1] < band.mean[0] for band in bands)
    shown = [v for v in means if v > (max(means) / DEEPEST if falls else 0)]
    if (falls or min(means) > 0) and max(shown, default=0) >= LOG_FROM * min(shown, default=1):
        axes.set_yscale("log")
        axes.set_ylim(min(shown) / 1.3, max(max(values), max(shown)) * 1.3)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.yaxis.set_minor_formatter(lambda value, _: "")
