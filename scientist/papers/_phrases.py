"""Sentences about contrasts: what was compared, what happened to it, and how sure one can be.

Every value is a macro; the words follow the verdict, so that a sentence can never claim more than its test.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from scientist.experiments import Analysis, Contrast, ContrastResult, Study
from scientist.ideas._idea import (
    Comparison,
    DoseResponse,
    Idea,
    Interaction,
    Modification,
    Robustness,
    Transfer,
    Tuning,
)
from scientist.papers._kinds import constant, held_out, seed_word, seeds_word, self_reported
from scientist.papers._print import escape, safe_unit
from scientist.template import Knob, Metric, Split, Template


def val(fact_id: str) -> str:
    """The macro that prints a fact."""
    return rf"\val{{{fact_id}}}"


def _called(knob: Knob) -> str:
    """A knob in running text, with the article that 'number of trees' needs."""
    title = escape(knob.title)
    return f"the {title}" if re.match(r"[A-Za-z]+ of ", title) else title


def start(sentence: str) -> str:
    """The sentence with its first letter capitalised (a leading macro is left alone)."""
    return sentence[:1].upper() + sentence[1:]


def listing(items: list[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1] if items else ""


NUMBER_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def count(number: int, noun: str) -> str:
    """'no runs', 'one run', 'three runs' (words, so that no digit is typed); beyond twelve 'many'."""
    word = NUMBER_WORDS[number] if number < len(NUMBER_WORDS) else "many"
    return f"{word} {noun}{'' if number == 1 else 's'}"


def few(number: int) -> str:
    """'none', 'one', 'two': a count that stands alone."""
    return "none" if number == 0 else NUMBER_WORDS[number] if number < len(NUMBER_WORDS) else "many"


def share(some: int, of: int) -> str:
    """'none', 'both', 'all three', 'two': how many of a number that was just named."""
    if some == of and of > 1:
        return "both" if of == 2 else f"all {few(of)}"
    return few(some)


def series(items: list[str]) -> str:
    """A list whose members may hold commas of their own: joined by semicolons then."""
    return "; ".join(items)


GIVES_UP = 10_000
"""Where the calculation of the seeds that are needed stops counting."""


@dataclass(frozen=True)
class Phrases:
    """The vocabulary of one paper."""

    template: Template
    idea: Idea
    study: Study
    analysis: Analysis

    @cached_property
    def metric(self) -> Metric:
        return self.template.metric(self.study.metric)

    @property
    def held_out(self) -> bool:
        """There is a split that stays unopened until writing."""
        return held_out(self.study)

    @property
    def self_reported(self) -> bool:
        """The metrics come from the code under test."""
        return self_reported(self.study)

    @property
    def one(self) -> str:
        """'seed', or 'repetition' where runs take none."""
        return seed_word(self.study)

    @property
    def many(self) -> str:
        """The plural of :attr:`one`."""
        return seeds_word(self.study)

    @property
    def seedless(self) -> str:
        """Why runs are repetitions, as a sentence without its full stop."""
        if self.template.seed_sites:
            return "The script draws at random where no seed reaches"
        return "The script takes no seed"

    @property
    def needed(self) -> str:
        """The seeds that the wanted power asks for; the calculation gives up at :data:`GIVES_UP`."""
        return ("more than " if self.study.pilot.needed >= GIVES_UP else "") + val("study.needed_seeds")

    @property
    def dataset(self) -> str:
        """What the task calls that on which variants are run: 'data set', 'table', 'problem'."""
        return next((escape(knob.title) for knob in self.template.knobs if knob.role == "dataset"), "data set")

    @property
    def deterministic(self) -> bool:
        """Every variant gave one number however often it was run."""
        found = [v.estimates.get("keep", {}).get(self.study.metric) for v in self.analysis.variants]
        return all(constant(estimate) for estimate in found)

    @property
    def on_keep(self) -> str:
        r"""' on \emph{keep}', or nothing where there is no other split."""
        return r" on \emph{keep}" if self.held_out else ""

    @property
    def name(self) -> str:
        """The metric in words."""
        return escape(self.metric.title)

    @property
    def points(self) -> str:
        """The unit of a difference, with a leading thin space, or nothing."""
        return f" {escape(self.metric.difference)}" if self.metric.difference else ""

    @property
    def unit(self) -> str:
        """The unit of a value, as LaTeX."""
        return self.unit_of(self.metric)

    def unit_of(self, metric: Metric) -> str:
        """The unit of a value of any metric, with its leading thin space."""
        unit = safe_unit(metric.unit)
        return rf"\,{unit}" if unit else ""

    def knob(self, name: str) -> Knob:
        return self.template.knob(name)

    def title(self, knob: str) -> str:
        """How prose calls a knob: 'label noise', 'the number of trees'."""
        return _called(self.template.knob(knob))

    # -- what was compared ---------------------------------------------------------------------------------------

    def step(self, knob: str, low: str, high: str) -> str:
        """'raising label noise from 0 to 0.4', 'replacing logistic regression by a random forest'; variants by name."""
        found = self.knob(knob)
        before, after = val(f"set.{low}.{knob}"), val(f"set.{high}.{knob}")
        if found.type == "choice":
            named = found.role in ("family", "dataset")
            return f"replacing {before} by {after}" if named else f"changing {_called(found)} from {before} to {after}"
        if found.type == "bool":
            return f"switching {_called(found)} from {before} to {after}"
        x, y = self.study.variant(low).knobs[knob], self.study.variant(high).knobs[knob]
        verb = "taking" if isinstance(x, str) or isinstance(y, str) else "raising" if float(y) > float(x) else "cutting"
        return f"{verb} {_called(found)} from {before} to {after}"

    def subject(self, contrast: Contrast) -> str:
        """The comparison as the subject of a sentence, in small letters: 'raising label noise from 0 to 0.4'."""
        design = self.idea.design
        plus = [name for name, weight in contrast.weights.items() if weight > 0]
        minus = [name for name, weight in contrast.weights.items() if weight < 0]
        if contrast.kind == "interaction":
            if isinstance(design, Interaction):
                return self.step(design.second, *self._ends(design.second))
            if isinstance(design, Robustness):
                return self.step(design.stressor, minus_first(self.study, contrast), plus[0])
        if isinstance(design, DoseResponse | Comparison):
            return self.step(design.knob, minus[0], plus[0])
        if isinstance(design, Interaction):
            at = val(f"set.{plus[0]}.{design.second}")
            where = f"at {at}" if self.knob(design.second).type != "choice" else f"with {at}"
            name = "" if self.knob(design.second).type == "choice" else f" {escape(self.knob(design.second).title)}"
            return f"{self.step(design.first, minus[0], plus[0])}, {where.replace('at ', f'at{name} ', 1)},"
        if isinstance(design, Robustness | Transfer):
            treatment = listing([self.step(knob, minus[0], plus[0]) for knob in design.treatment])
            if len(plus) > 1:
                return f"{treatment}, averaged over the data sets it was not chosen on,"
            factor = design.stressor if isinstance(design, Robustness) else design.knob
            return f"{treatment}, {self.place(factor, plus[0])},"
        if isinstance(design, Tuning):
            if contrast.id == "tpe_over_random":
                return "choosing TPE rather than random search"
            return f"tuning by {val(f'variant.{plus[0]}.title')}"
        if isinstance(design, Modification):
            return f"the change of the code called ``{val(f'variant.{plus[0]}.title')}''"
        return val(f"contrast.{contrast.id}.title")

    def place(self, factor: str, variant: str) -> str:
        """'on wine cultivars', 'with a random forest', 'at label noise 0.4'."""
        found = self.knob(factor)
        value = val(f"set.{variant}.{factor}")
        if found.role == "dataset":
            return f"on {value}"
        return f"with {value}" if found.type == "choice" else f"at {escape(found.title)} {value}"

    def _ends(self, knob: str) -> tuple[str, str]:
        """Two variants that stand at the low and the high value of a factor of the design."""
        design = self.idea.design
        assert isinstance(design, Interaction)
        values = design.second_values if knob == design.second else design.first_values
        found = [next(v.name for v in self.study.variants if v.knobs[knob] == self.knob(knob).check(x)) for x in values]
        return found[0], found[1]

    # -- what happened -------------------------------------------------------------------------------------------

    def titles(self, contrasts: list[Contrast]) -> str:
        """The contrasts by name, as a list; semicolons where the names hold commas."""
        names = [val(f"contrast.{c.id}.title") for c in contrasts]
        return series(names) if len(names) > 1 and any("," in c.title for c in contrasts) else listing(names)

    def interval(self, contrast_id: str, split: str = "keep") -> str:
        """'95 % interval -3.1 to -1.2 points'; no interval where there is no spread."""
        if constant(self.analysis.contrast(contrast_id).estimates.get(_split(split))):
            return f"the same at every {self.one}, hence no interval"
        low, high = val(f"c.{contrast_id}.{split}.ci_low"), val(f"c.{contrast_id}.{split}.ci_high")
        return rf"{val('study.ci_level')}\,\% interval {low} to {high}{self.points}"

    def sureness(self, contrast_id: str) -> str:
        """Interval and adjusted p, in brackets."""
        test = " of the exact sign-flip test" if self._flat(contrast_id) else ""
        return f"({self.interval(contrast_id)}; Holm-adjusted $p${test}: {val(f'c.{contrast_id}.p_holm')})"

    def _flat(self, contrast_id: str) -> bool:
        return constant(self.analysis.contrast(contrast_id).estimates["keep"])

    def never_varies(self, contrast: Contrast) -> bool:
        """Every variant of an untested contrast gave one number however often it was run."""
        return self.analysis.contrast(contrast.id).verdict == "untested" and all(
            constant(self.analysis.variant(name).estimates.get("keep", {}).get(self.study.metric))
            for name in contrast.weights
        )

    def outcome(self, contrast: Contrast) -> str:
        """One sentence: what the contrast showed on *keep*, in words that follow its verdict."""
        result = self.analysis.contrast(contrast.id)
        subject = self.subject(contrast)
        keep = f"c.{contrast.id}.keep"
        mean = result.estimates["keep"].mean
        if result.verdict == "futile":
            return (
                f"The comparison {val(f'contrast.{contrast.id}.title')} was stopped early, and nothing is claimed about it: "
                f"after {val('study.look')} {self.many} the interval on \\emph{{search}} excluded an effect of "
                f"{val(f'c.{contrast.id}.margin')}{self.points} in the direction that was expected."
            )
        if mean is not None and self.never_varies(contrast):
            return (
                f"The script gave the same number every time it was run, so there is nothing to test: {subject} "
                f"shifted {self.effect_name() if contrast.kind == 'interaction' else self.name} by "
                f"{val(keep + '.mean')}{self.points}, one number without an interval."
            )
        if result.verdict == "untested" or mean is None:
            return (
                f"{start(subject)} could not be tested: too few {self.many} gave a result for every variant that the "
                f"comparison {val(f'contrast.{contrast.id}.title')} needs."
            )
        estimate = f"{val(keep + '.mean')}{self.points}"
        if result.verdict in ("supported", "contradicted") and contrast.expect != "equivalent":
            if contrast.kind == "interaction":
                span = self.effect_span()
                return (
                    f"{start(subject)} changed {self.effect_name()} by {estimate}{span} {self.sureness(contrast.id)}."
                )
            verb = "raised" if mean > 0 else "lowered"
            return f"{start(subject)} {verb} {self.name} by {val(keep + '.abs')}{self.points} {self.sureness(contrast.id)}."
        thing = self.effect_name() if contrast.kind == "interaction" else self.name
        if result.verdict == "negligible":
            return (
                f"{start(subject)} shifted {thing} by {estimate} {self.sureness(contrast.id)}; that is "
                f"distinguishable from zero, but the whole interval lies inside the margin of "
                f"{val(f'c.{contrast.id}.margin')}{self.points} that was declared as the smallest effect worth caring about."
            )
        if result.verdict in ("equivalent", "supported"):
            return (
                f"{start(subject)} made no difference to {thing} beyond the declared margin of "
                f"{val(f'c.{contrast.id}.margin')}{self.points}: the mean difference was {estimate} "
                f"({self.interval(contrast.id)}; Holm-adjusted $p$ of the equivalence test: "
                f"{val(f'c.{contrast.id}.p_equivalence_holm')})."
            )
        return (
            f"The study cannot tell what {subject} does to {thing}: the mean difference was {estimate} "
            f"{self.sureness(contrast.id)}, {self._why_unsettled(result, contrast)}."
        )

    def _why_unsettled(self, result: ContrastResult, contrast: Contrast) -> str:
        keep = result.estimates["keep"]
        if constant(keep):
            return f"a number that was the same at every {self.one} and that the exact test cannot tell from chance"
        assert keep.ci_low is not None and keep.ci_high is not None
        if keep.ci_low <= 0 <= keep.ci_high:
            reach = max(abs(keep.ci_low), abs(keep.ci_high)) >= contrast.smallest_effect
            more = (
                " and still admits differences large enough to matter" if reach else ", although it excludes large ones"
            )
            return f"an interval that includes zero{more}"
        return "which excludes zero on its own but does not survive the correction for the number of contrasts"

    def effect_span(self) -> str:
        """', from -6.0 to 6.3 points': the effect at the two ends of a factorial; empty for other designs."""
        ends = {"at_low", "at_high"} & {c.id for c in self.study.contrasts}
        if not isinstance(self.idea.design, Interaction) or len(ends) < 2:
            return ""
        return f", from {val('c.at_low.keep.mean')} to {val('c.at_high.keep.mean')}{self.points}"

    def effect_name(self) -> str:
        """'the effect of regularisation strength on accuracy'."""
        design = self.idea.design
        if isinstance(design, Interaction):
            return f"the effect of {self.title(design.first)} on {self.name}"
        if isinstance(design, Robustness | Transfer):
            return f"the effect of {listing([self.title(knob) for knob in design.treatment])} on {self.name}"
        return f"the effect on {self.name}"

    def on_final(self, contrast: Contrast) -> str:
        """One sentence on whether a claim held on the split that was opened once; empty when it claims nothing."""
        result = self.analysis.contrast(contrast.id)
        if result.holds_on_final is None:
            return ""
        there = f"{val(f'c.{contrast.id}.final.mean')}{self.points} ({self.interval(contrast.id, 'final')})"
        if result.holds_on_final:
            return (
                f"On the \\emph{{final}} split, opened once, the same comparison gave {there}: the result holds there."
            )
        return (
            f"On the \\emph{{final}} split, opened once, the same comparison gave {there}: "
            "the result was not confirmed there."
        )


def _split(name: str) -> Split:
    return "final" if name == "final" else "keep"


def minus_first(study: Study, contrast: Contrast) -> str:
    """The first variant of the study, in declared order, that a contrast subtracts."""
    return next(v.name for v in study.variants if contrast.weights.get(v.name, 0.0) < 0)
