"""Which figures a paper shows: one that answers the idea's question, and every declared contrast."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scientist.experiments._results import Analysis, FinalScores, RunResult
from scientist.experiments._study import Study
from scientist.ideas._idea import Idea
from scientist.lab import sha256, write_atomic
from scientist.papers import _figures_draw as draw
from scientist.papers._figures_curves import curves_figure
from scientist.papers._figures_data import Drawn, Numbers
from scientist.papers._figures_designs import main_figure
from scientist.papers._figures_draw import ORANGE, Row, Series
from scientist.papers._figures_pictures import Picture
from scientist.papers._kinds import SAID_BY, self_reported
from scientist.papers._records import Figure
from scientist.template import Template

NOTES = {"futile": "stopped early"}
"""How a verdict is put beside its row, where not by its own name."""


def draw_figures(
    folder: Path,
    template: Template,
    idea: Idea,
    study: Study,
    analysis: Analysis,
    final: FinalScores,
    results: Sequence[RunResult],
) -> tuple[Figure, ...]:
    """Draw the figures of one paper into `folder/figures/*.pdf` and return their records.

    The first (`main`) answers the question that the idea's design asks; the second (`contrasts`) shows every
    declared contrast, so that nothing that was tested can be left out; a third (`curves`) shows the learning curves
    where the runs below `folder` left some. All values come from `analysis`,
    scaled as they are printed; `results` and `final` give the single seeds. Same inputs, same bytes. Raises
    :class:`LabError` when the folder cannot be written.
    """
    figures = []
    for name, pdf, caption, shows in _drawn(folder, template, idea, Numbers(template, study, analysis, final, results)):
        if self_reported(study) and name != "curves":  # the curves' caption says so itself
            caption = f"{caption} {SAID_BY}"
        path = f"figures/{name}.pdf"
        write_atomic(folder / path, pdf)
        figures.append(Figure(id=name, file=path, sha256=sha256(pdf), caption=caption, shows=shows))
    return tuple(figures)


def picture_figures(
    folder: Path,
    template: Template,
    idea: Idea,
    study: Study,
    analysis: Analysis,
    final: FinalScores,
    results: Sequence[RunResult],
) -> dict[str, Picture]:
    """The figures that :func:`draw_figures` draws as pictures for a model, by id; nothing is written."""
    numbers = Numbers(template, study, analysis, final, results, pictured=True)
    names = [name for name, *_ in _drawn(folder, template, idea, numbers)]
    return dict(zip(names, numbers.pictures, strict=True))


def _drawn(
    folder: Path, template: Template, idea: Idea, numbers: Numbers
) -> list[tuple[str, bytes, str, tuple[str, ...]]]:
    drawn = [("main", *main_figure(template, idea, numbers)), ("contrasts", *_contrasts(numbers))]
    if (curves := curves_figure(folder, numbers)) is not None:
        drawn.append(("curves", *curves))
    return drawn


def _contrasts(numbers: Numbers) -> Drawn:
    """The forest plot of every declared contrast."""
    rows = [
        Row(
            label=contrast.title,
            margin=contrast.smallest_effect * numbers.metric.scale,
            primary=contrast.id == numbers.study.primary.id,
            keep=numbers.contrast(contrast.id, "keep"),
            final=numbers.contrast(contrast.id, "final"),
            note=NOTES.get(verdict := numbers.analysis.contrast(contrast.id).verdict, verdict),
        )
        for contrast in numbers.study.contrasts
    ]
    with draw.canvas(draw.WIDTH, 0.85 + 0.34 * len(rows)) as figure:
        axes = figure.add_subplot()
        draw.forest(axes, rows)
        axes.set_xlabel(numbers.difference_title)
        entries = [draw.key(Series(numbers.keep_name, ()))]
        if any(row.final for row in rows):
            entries.append(draw.key(Series("final", (), False, ORANGE, "s")))
        draw.legend(figure, [*entries, draw.swatch("smallest effect")])
        pdf = numbers.printed(figure)
    markers = (
        "Filled circles are the \\emph{keep} split, on which the verdict is decided after Holm's correction; hollow squares "
        "are the \\emph{final} split, scored once."
        if numbers.held_out
        else "Verdicts are decided after Holm's correction."
    )
    caption = (
        "Every contrast declared before the runs, the primary one in bold, with its verdict on the right. "
        f"{markers} {_uncorrected(numbers)} The grey band holds differences "
        f"smaller than the "
        "smallest effect worth caring about. What to look for: intervals that exclude zero, and whether they "
        "reach beyond "
        "the band."
    )
    shown = numbers.take_shown()
    told = [f"c.{c.id}.{part}" for c in numbers.study.contrasts for part in ("margin", "verdict")]
    return pdf, caption, (*told, *shown)


def _uncorrected(numbers: Numbers) -> str:
    if len(numbers.study.seeds) < 2:
        return numbers.bars()
    return numbers.bars(dots=False).replace(
        "intervals over", f"intervals, paired by {numbers.one} and not corrected, over"
    )
