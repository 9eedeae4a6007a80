"""The figure that answers an idea's question, one function per kind of design."""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Callable, Sequence

from scientist.experiments._study import Contrast, Study, Variant
from scientist.ideas._idea import DoseResponse, Idea, Interaction, Robustness, Transfer
from scientist.lab import KnobValue
from scientist.papers import _figures_draw as draw
from scientist.papers._figures_data import Drawn, Numbers, tex
from scientist.papers._figures_draw import BLUE, GREEN, ORANGE, Series
from scientist.template import Knob, Template


def main_figure(template: Template, idea: Idea, numbers: Numbers) -> Drawn:
    """The figure for the idea's design; a dot plot of the variants where none fits."""
    design = idea.design
    if isinstance(design, DoseResponse):
        knob = template.knob(design.knob)
        arms = [_only(numbers.study, {design.knob: level}) for level in design.levels]
        if all(arm is not None for arm in arms):
            return _dose(knob, design.levels, [arm.name for arm in arms if arm is not None], numbers)
    elif isinstance(design, Interaction):
        cells = [
            [_only(numbers.study, {design.first: a, design.second: b}) for a in design.first_values]
            for b in design.second_values
        ]
        names = [[cell.name for cell in row if cell is not None] for row in cells]
        if all(len(row) == 2 for row in names):
            return _interaction(template, design, names, numbers)
    elif isinstance(design, Robustness | Transfer):
        name = design.stressor if isinstance(design, Robustness) else design.knob
        levels = design.levels if isinstance(design, Robustness) else design.values
        conditions = [_condition(numbers.study, name, level) for level in levels]
        if sum(found is not None for found in conditions) >= 2:
            treatment = [template.knob(part).title for part in design.treatment]
            return _survival(template.knob(name), treatment, levels, conditions, numbers)
    return _variants(numbers, design.kind)


def _only(study: Study, wanted: dict[str, KnobValue]) -> Variant | None:
    """The variant with these knob values, if there is exactly one."""
    hits = [v for v in study.variants if all(v.knobs.get(name) == value for name, value in wanted.items())]
    return hits[0] if len(hits) == 1 else None


def _condition(study: Study, knob: str, level: KnobValue) -> tuple[Contrast, str, str] | None:
    """The declared difference between two variants that share this level: contrast, treated, untreated."""
    for contrast in study.contrasts:
        acting = {name: weight for name, weight in contrast.weights.items() if weight}
        if contrast.kind != "difference" or sorted(acting.values()) != [-1.0, 1.0]:
            continue
        treated = next(name for name, weight in acting.items() if weight > 0)
        untreated = next(name for name, weight in acting.items() if weight < 0)
        if all(study.variant(name).knobs.get(knob) == level for name in (treated, untreated)):
            return contrast, treated, untreated
    return None


def _scale_of(knob: Knob, levels: Sequence[KnobValue], width: float) -> str:
    """Where doses go: 'linear', 'log', or 'even' when neither keeps neighbours a readable distance apart."""
    if knob.type not in ("float", "int") or any(isinstance(v, bool | str) for v in levels):
        return "even"
    doses = sorted(float(v) for v in levels)
    if len(set(doses)) < 2:
        return "even"

    def apart(f: Callable[[float], float]) -> float:
        at = [f(v) for v in doses]
        return min(b - a for a, b in itertools.pairwise(at)) / (at[-1] - at[0]) * width

    if doses[0] > 0 and (knob.log or doses[-1] / doses[0] >= 8) and apart(math.log) >= 0.42:
        return "log"
    return "linear" if apart(float) >= 0.42 and not knob.log else "even"


def _dose(knob: Knob, levels: Sequence[KnobValue], arms: Sequence[str], numbers: Numbers) -> Drawn:
    """The objective against the dose, with the band of changes too small to matter around the reference."""
    width = 4.6
    layout = _scale_of(knob, levels, width - 0.9)
    at = [float(v) for v in levels] if layout != "even" else [float(i) for i in range(len(levels))]
    marks = {s: tuple(numbers.variant(a, s) for a in arms) for s in ("keep", "final")}
    lines = len(set(at)) > 1 and knob.type in ("float", "int")
    series = (
        Series(numbers.keep_name, marks["keep"], shift=-2.6, line="-" if lines else "", seeds_shift=-7.0),
        Series("final", marks["final"], False, ORANGE, "s", 2.6, "--" if lines else "", 7.0),
    )
    reference = marks["keep"][0]
    with draw.canvas(width, 2.75) as figure:
        axes = figure.add_subplot()
        if layout == "log":
            axes.set_xscale("log")
        draw.vertical(axes, at, series)
        if reference is not None:
            half = numbers.study.smallest_effect * numbers.metric.scale
            axes.axhspan(reference.mean - half, reference.mean + half, color=draw.BAND, lw=0, zorder=0.4)
            low, high = axes.get_ylim()
            axes.set_ylim(min(low, reference.mean - 1.15 * half), max(high, reference.mean + 1.15 * half))
        draw.columns_axis(axes, at, [knob.label(v) for v in levels], width - 0.9)
        low, high = min(at), max(at)
        if layout == "log":
            pad = (high / low) ** (0.35 / (width - 0.9))
            axes.set_xlim(low / pad, high * pad)
        else:
            axes.set_xlim(low - 0.09 * (high - low), high + 0.09 * (high - low))
        axes.set_xlabel(_axis(knob))
        axes.set_ylabel(numbers.value_title)
        entries = [draw.key(s) for s in series if any(s.marks)]
        draw.legend(figure, [*entries, *_seeds(numbers), draw.swatch("smallest effect")])
        pdf = numbers.printed(figure)
    note = "" if layout != "even" or not lines else " Levels are spaced evenly, not to scale."
    caption = (
        f"{tex(numbers.metric.title, True)} against {tex(knob.title)}. {numbers.intervals} {numbers.bars()} The grey "
        f"band lies {numbers.margin} either side of the first level{numbers.on_keep}: what stays inside "
        f"it is too small to care about.{note} What to look for: whether the intervals leave the band"
        f"{', and whether both splits tell the same story' if numbers.held_out else ''}."
    )
    return pdf, caption, ("study.smallest_effect", *numbers.take_shown())


def _variants(numbers: Numbers, kind: str) -> Drawn:
    """One row per variant: the reference on top, the others by their mean on keep, best first."""
    sign = -1.0 if numbers.metric.direction == "maximize" else 1.0
    order = {v.name: numbers.variant(v.name, "keep") for v in numbers.study.variants}

    def rank(variant: Variant) -> tuple[bool, float]:
        mark = order[variant.name]
        return variant.role != "reference", sign * mark.mean if mark else math.inf

    rows = sorted(numbers.study.variants, key=rank)
    series = (
        Series(numbers.keep_name, tuple(order[v.name] for v in rows), shift=2.4, seeds_shift=7.0),
        Series("final", tuple(numbers.variant(v.name, "final") for v in rows), False, ORANGE, "s", -2.4, "", -7.0),
    )
    reference = next((order[v.name] for v in rows if v.role == "reference"), None)
    with draw.canvas(5.6, 0.85 + 0.36 * len(rows)) as figure:
        axes = figure.add_subplot()
        draw.horizontal(axes, series)
        if reference is not None:
            half = numbers.study.smallest_effect * numbers.metric.scale
            axes.axvspan(reference.mean - half, reference.mean + half, color=draw.BAND, lw=0, zorder=0.4)
            low, high = axes.get_xlim()
            axes.set_xlim(min(low, reference.mean - 1.15 * half), max(high, reference.mean + 1.15 * half))
        draw.rows_axis(axes, [v.title + (" (reference)" if v.role == "reference" else "") for v in rows])
        axes.set_xlabel(numbers.value_title)
        entries = [draw.key(s) for s in series if any(s.marks)]
        band = [draw.swatch("smallest effect")] if reference is not None else []
        draw.legend(figure, [*entries, *_seeds(numbers), *band])
        pdf = numbers.printed(figure)
    spread = {
        "comparison": "the choices differ by more than their intervals",
        "modification": "the changed code leaves the band",
        "tuning": "tuned variants leave the band",
    }.get(kind, "a variant leaves the band")
    caption = (
        f"{tex(numbers.metric.title, True)} of every variant, the reference first and the others in the "
        f"order of their "
        f"means{numbers.on_keep}. {numbers.intervals} {numbers.bars()}"
    )
    if reference is not None:
        caption += f" The grey band lies {numbers.margin} either side of the reference{numbers.on_keep}."
    both = ", and whether the order is the same on both splits" if numbers.held_out else ""
    caption += f" What to look for: whether {spread}{both}."
    band_fact = ("study.smallest_effect",) if reference is not None else ()
    return pdf, caption, (*band_fact, *numbers.take_shown())


def _interaction(template: Template, design: Interaction, names: Sequence[Sequence[str]], numbers: Numbers) -> Drawn:
    """The two-by-two factorial: one line per value of the second knob; parallel lines mean no interaction."""
    first, second = template.knob(design.first), template.knob(design.second)
    width = 4.6
    series = []
    looks = ((BLUE, "o"), (GREEN, "^"))
    for row, value, (colour, marker), side in zip(names, design.second_values, looks, (-1, 1), strict=True):
        title = draw.plain(f"{second.title}: {second.label(value)}")
        keep = tuple(numbers.variant(name, "keep") for name in row)
        final = tuple(numbers.variant(name, "final") for name in row)
        series.append(
            Series(
                f"{title} (keep)" if numbers.held_out else title,
                keep,
                True,
                colour,
                marker,
                side * 3.5,
                "-",
                side * 16.0,
            )
        )
        series.append(Series(f"{title} (final)", final, False, colour, marker, side * 10.0, "--"))
    with draw.canvas(width, 2.9) as figure:
        axes = figure.add_subplot()
        draw.vertical(axes, (0.0, 1.0), series)
        draw.columns_axis(axes, (0.0, 1.0), [first.label(v) for v in design.first_values], width - 0.9)
        axes.set_xlim(-0.3, 1.3)
        axes.set_xlabel(draw.plain(first.title))
        axes.set_ylabel(numbers.value_title)
        from_each = [draw.key(s) for s in series if any(s.marks)]
        draw.legend(figure, from_each, columns=2)
        pdf = numbers.printed(figure)
    markers = (
        r"Filled markers are the \emph{keep} split, on which verdicts are decided; hollow ones are the \emph{final} "
        "split, scored once."
        if numbers.held_out
        else "Markers are means over the declared runs."
    )
    caption = (
        f"{tex(numbers.metric.title, True)} in the four cells of the factorial of {tex(first.title)} (along "
        f"the axis) and "
        f"{tex(second.title)} (colour and marker). {markers} {numbers.bars()} What to look "
        f"for: parallel lines mean that the two knobs act independently; lines that converge, "
        "diverge or cross mean that the effect of one depends on the other."
    )
    return pdf, caption, numbers.take_shown()


def _survival(
    knob: Knob,
    treatment: Sequence[str],
    levels: Sequence[KnobValue],
    conditions: Sequence[tuple[Contrast, str, str] | None],
    numbers: Numbers,
) -> Drawn:
    """Left: both arms in each condition. Right: the effect of the treatment there, with its margin."""
    kept = [(level, found) for level, found in zip(levels, conditions, strict=True) if found is not None]
    labels = [knob.label(level) for level, _ in kept]
    at = [float(i) for i in range(len(kept))]
    ordered = knob.type in ("float", "int")
    arms = (("without treatment", 2, False, GREEN, "^", -3.0), ("with treatment", 1, True, BLUE, "o", 3.0))
    left = tuple(
        Series(
            title, tuple(numbers.variant(str(found[which]), "keep") for _, found in kept), filled, colour,
            marker,
            shift, ("-" if filled else "--") if ordered else "", 2.6 * shift,
        )
        for title, which, filled, colour, marker, shift in arms
    )  # fmt: skip
    right = (
        Series(
            "effect (keep)" if numbers.held_out else "effect",
            tuple(numbers.contrast(f[0].id, "keep") for _, f in kept),
            shift=-3.0,
        ),
        Series(
            "effect (final)",
            tuple(numbers.contrast(f[0].id, "final") for _, f in kept),
            False,
            ORANGE,
            "s",
            3.0,
        ),
    )
    with draw.canvas(draw.WIDTH, 2.75) as figure:
        one, two = figure.subplots(1, 2)
        draw.vertical(one, at, left)
        one.set_ylabel(textwrap.fill(numbers.value_title, 34))
        one.set_title("both arms (keep)" if numbers.held_out else "both arms", loc="left")
        draw.vertical(two, at, right)
        margins = [found[0].smallest_effect * numbers.metric.scale for _, found in kept]
        for x, margin in zip(at, margins, strict=True):
            draw.band(two, x - 0.5, -margin, 1.0, 2 * margin)
        two.axhline(0.0, color="#444444", lw=0.8, zorder=0.9)
        low, high = two.get_ylim()
        two.set_ylim(min(low, -1.2 * max(margins)), max(high, 1.2 * max(margins)))
        two.set_ylabel(textwrap.fill(numbers.difference_title.replace("difference in", "effect on"), 34))
        two.set_title("effect of the treatment", loc="left")
        for axes in (one, two):
            draw.columns_axis(axes, at, labels, draw.WIDTH / 2 - 0.75)
            axes.set_xlim(-0.5, len(at) - 0.5)
            axes.set_xlabel(_axis(knob))
        draw.legend(figure, [*map(draw.key, left), *[draw.key(s) for s in right if any(s.marks)]])
        pdf = numbers.printed(figure)
    sides = (
        r"it on the \emph{keep} split. Right: the paired effect in each condition, filled on \emph{keep}, where verdicts "
        r"are decided, and hollow on \emph{final}, scored once."
        if numbers.held_out
        else "it. Right: the paired effect in each condition."
    )
    asked = f"survive {tex(knob.title)}" if ordered else f"carry over from one {tex(knob.title)} to another"
    caption = (
        f"Does the effect of {tex(' and '.join(treatment))} {asked}? Left: {tex(numbers.metric.title)} with "
        f"and without "
        f"{sides} "
        f"{numbers.bars()} The grey band holds effects too small to care about. What to look for: whether "
        f"the effect keeps "
        "its sign and stays outside the band from one condition to the next."
    )
    margins_shown = tuple(f"c.{found[0].id}.margin" for _, found in kept)
    return pdf, caption, (*margins_shown, *numbers.take_shown())


def _seeds(numbers: Numbers) -> list[draw.Entry]:
    return [draw.dots(f"single {numbers.many}")] if numbers.dots else []


def _axis(knob: Knob) -> str:
    return draw.plain(knob.title + (f" ({knob.unit.replace(chr(92), '')})" if knob.unit else ""))
