"""What figures are drawn from: the analysis in printed units, single seeds, and words for captions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from scientist.experiments._results import Analysis, Estimate, FinalScores, RunResult
from scientist.experiments._study import Study
from scientist.papers import _figures_draw as draw
from scientist.papers._figures_draw import Mark, plain
from scientist.papers._figures_pictures import Picture, picture_of
from scientist.papers._kinds import constant, held_out, marked, seed_word, seeds_word
from scientist.papers._print import escape, safe_unit
from scientist.template import Metric, Split, Template

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

Drawn = tuple[bytes, str, tuple[str, ...]]
"""A figure as PDF, its caption, and the facts it shows."""


class Numbers:
    """The analysis in printed units, and the list of facts that were drawn; where `pictured`, also a picture of each figure."""

    def __init__(
        self,
        template: Template,
        study: Study,
        analysis: Analysis,
        final: FinalScores,
        results: Sequence[RunResult],
        pictured: bool = False,
    ) -> None:
        template = marked(template, study)
        self.metric: Metric = template.metric(study.metric)
        self.study, self.analysis, self.results = study, analysis, tuple(results)
        self.curves = template.curves
        self.held_out = held_out(study)
        self.one, self.many = seed_word(study), seeds_word(study)
        self.seeds: dict[tuple[str, Split], tuple[float, ...]] = {}
        for variant in study.variants:
            mine = [r for r in results if r.variant == variant.name and r.status == "ok"]
            for split in ("search", "keep"):
                runs = {r.seed: r.metrics.get(split, {}).get(study.metric) for r in mine}
                self.seeds[variant.name, split] = self._scaled([runs[s] for s in study.seeds if s in runs])
            last = final.scores.get(variant.name, {})
            self.seeds[variant.name, "final"] = self._scaled(
                [last.get(str(s), {}).get(study.metric) for s in study.seeds]
            )
        self.shown: list[str] = []
        self.pictures: list[Picture] = []
        self._pictured = pictured

    def _scaled(self, values: Sequence[float | None]) -> tuple[float, ...]:
        return tuple(v * self.metric.scale for v in values if v is not None)

    def variant(self, name: str, split: Split) -> Mark | None:
        """Mean, interval and seeds of one variant; None when it has no result on that split."""
        estimate = self.analysis.variant(name).estimates.get(split, {}).get(self.metric.name)
        seeds = self.seeds[name, split] if self.dots else ()
        return self._mark(estimate, f"v.{name}.{split}.{self.metric.name}", seeds)

    def contrast(self, contrast: str, split: Split) -> Mark | None:
        """Mean and interval of one contrast; None when it was not tested on that split."""
        estimate = self.analysis.contrast(contrast).estimates.get(split)
        if estimate is None:
            return None
        short = Estimate.model_validate(estimate.model_dump(include={"n", "mean", "sd", "ci_low", "ci_high"}))
        return self._mark(short, f"c.{contrast}.{split}", ())

    def _mark(self, estimate: Estimate | None, fact: str, seeds: tuple[float, ...]) -> Mark | None:
        if estimate is None or estimate.mean is None:
            return None
        low, high = estimate.ci_low, estimate.ci_high
        scale = self.metric.scale
        if estimate.n < 2 or low is None or high is None or constant(estimate):
            self._show(f"{fact}.mean")
            return Mark(estimate.mean * scale, None, None, seeds)
        self._show(f"{fact}.mean", f"{fact}.ci_low", f"{fact}.ci_high")
        return Mark(estimate.mean * scale, low * scale, high * scale, seeds)

    def _show(self, *facts: str) -> None:
        self.shown.extend(fact for fact in facts if fact not in self.shown)

    def printed(self, figure: Canvas) -> bytes:
        """The figure as PDF, or nothing where only its picture is wanted, which is kept."""
        if self._pictured:
            self.pictures.append(picture_of(figure))
            return b""
        return draw.to_pdf(figure)

    def take_shown(self) -> tuple[str, ...]:
        """The facts drawn since the last call."""
        shown, self.shown = tuple(self.shown), []
        return shown

    @property
    def value_title(self) -> str:
        unit = self.metric.unit.replace("\\", "").strip()
        return plain(f"{self.metric.title} ({unit})" if unit else self.metric.title)

    @property
    def difference_title(self) -> str:
        unit = self.metric.difference.strip() or self.metric.unit.replace("\\", "").strip()
        return plain(f"difference in {self.metric.title}" + (f" ({unit})" if unit else ""))

    @property
    def margin(self) -> str:
        """The smallest effect as a LaTeX fragment, with its unit in words."""
        unit = escape(self.metric.difference.strip()) or safe_unit(self.metric.unit)
        gap = "" if not unit else r"\," if unit.startswith("\\") else "~"
        return rf"\val{{study.smallest_effect}}{gap}{unit}"

    def bars(self, dots: bool = True) -> str:
        """What the bars are (and the dots, where single seeds are drawn), as LaTeX sentences."""
        if len(self.study.seeds) < 2:
            return f"There is a single {self.one} per variant, hence no interval."
        fewer = r"fewer where runs failed; \val{study.n_failed} did" if self.analysis.n_failed else ""
        if self.analysis.n_stopped:
            stopped = r"\val{study.n_stopped} runs were not begun because of early stopping"
            fewer = f"{fewer}; {stopped}" if fewer else stopped
        fewer = f" ({fewer})" if fewer else ""
        seeds = f" Small dots are single {self.many}." if dots else ""
        flat = any(constant(v.estimates.get("keep", {}).get(self.study.metric)) for v in self.analysis.variants)
        none = " Where there is no bar, every run gave the same number." if flat else ""
        return rf"Bars are \val{{study.ci_level}}\,\% intervals over \val{{study.n_seeds}} {self.many}{fewer}.{seeds}{none}"

    @property
    def intervals(self) -> str:
        """What the markers of the splits are, as a LaTeX sentence."""
        if not self.held_out:
            return "Filled circles are means over the declared runs."
        return (
            r"Filled circles are the \emph{keep} split, on which verdicts are decided; hollow squares are the "
            r"\emph{final} split, scored once."
        )

    @property
    def on_keep(self) -> str:
        r"""' on \emph{keep}', or nothing where there is no other split."""
        return r" on \emph{keep}" if self.held_out else ""

    @property
    def keep_name(self) -> str:
        """How legends call what decides."""
        return "keep" if self.held_out else "mean"

    @property
    def dots(self) -> bool:
        """Whether single seeds are drawn beside their mean; with one seed they are the mean."""
        return len(self.study.seeds) > 1


def tex(words: str, start: bool = False) -> str:
    """A title as LaTeX text; with a capital at the start of a sentence."""
    safe = escape(words)
    return safe[:1].upper() + safe[1:] if start else safe
