"""What figures are drawn from: the analysis in printed units, single seeds, and words for captions."""

from __future__ import annotations

from collections.abc import Sequence

from scientist.experiments._results import Analysis, Estimate, FinalScores, RunResult
from scientist.experiments._study import Study
from scientist.papers._figures_draw import Mark
from scientist.template import Metric, Split, Template

Drawn = tuple[bytes, str, tuple[str, ...]]
"""A figure as PDF, its caption, and the facts it shows."""

INTERVALS = (
    r"Filled circles are the \emph{keep} split, on which verdicts are decided; hollow squares are the "
    r"\emph{final} split, scored once."
)


class Numbers:
    """The analysis in printed units, and the list of facts that were drawn."""

    def __init__(
        self,
        template: Template,
        study: Study,
        analysis: Analysis,
        final: FinalScores,
        results: Sequence[RunResult],
    ) -> None:
        self.metric: Metric = template.metric(study.metric)
        self.study, self.analysis = study, analysis
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
        short = Estimate(n=estimate.n, mean=estimate.mean, ci_low=estimate.ci_low, ci_high=estimate.ci_high)
        return self._mark(short, f"c.{contrast}.{split}", ())

    def _mark(self, estimate: Estimate | None, fact: str, seeds: tuple[float, ...]) -> Mark | None:
        if estimate is None or estimate.mean is None:
            return None
        low, high = estimate.ci_low, estimate.ci_high
        scale = self.metric.scale
        if estimate.n < 2 or low is None or high is None:
            self._show(f"{fact}.mean")
            return Mark(estimate.mean * scale, None, None, seeds)
        self._show(f"{fact}.mean", f"{fact}.ci_low", f"{fact}.ci_high")
        return Mark(estimate.mean * scale, low * scale, high * scale, seeds)

    def _show(self, *facts: str) -> None:
        self.shown.extend(fact for fact in facts if fact not in self.shown)

    def take_shown(self) -> tuple[str, ...]:
        """The facts drawn since the last call."""
        shown, self.shown = tuple(self.shown), []
        return shown

    @property
    def value_title(self) -> str:
        unit = self.metric.unit.replace("\\", "").strip()
        return f"{self.metric.title} ({unit})" if unit else self.metric.title

    @property
    def difference_title(self) -> str:
        unit = self.metric.difference.strip() or self.metric.unit.replace("\\", "").strip()
        return f"difference in {self.metric.title}" + (f" ({unit})" if unit else "")

    @property
    def margin(self) -> str:
        """The smallest effect as a LaTeX fragment, with its unit in words."""
        unit = self.metric.difference.strip() or self.metric.unit.strip()
        gap = "" if not unit else r"\," if unit.startswith("\\") else "~"
        return rf"\val{{study.smallest_effect}}{gap}{unit}"

    def bars(self, dots: bool = True) -> str:
        """What the bars are (and the dots, where single seeds are drawn), as LaTeX sentences."""
        if len(self.study.seeds) < 2:
            return "There is a single seed per variant, hence no interval."
        failed = r" (fewer where runs failed; \val{study.n_failed} did)" if self.analysis.n_failed else ""
        seeds = " Small dots are single seeds." if dots else ""
        return rf"Bars are \val{{study.ci_level}}\,\% intervals over \val{{study.n_seeds}} seeds{failed}.{seeds}"

    @property
    def dots(self) -> bool:
        """Whether single seeds are drawn beside their mean; with one seed they are the mean."""
        return len(self.study.seeds) > 1


_TEX = {"&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}"}


def tex(words: str, start: bool = False) -> str:
    """A title as LaTeX text; with a capital at the start of a sentence."""
    safe = "".join(_TEX.get(c, c) for c in words.replace("\\", "")).replace("~", r"\textasciitilde{}")
    return safe[:1].upper() + safe[1:] if start else safe
