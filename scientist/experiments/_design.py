"""From an idea's design to variants and contrasts: pure, and the same every time.

Every design is a set of variants (full knob assignments) and linear contrasts over their means, so that one analysis
serves them all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from scientist.errors import StudyError
from scientist.experiments._study import Contrast, Expect, Tuner, Variant
from scientist.ideas._idea import (
    Comparison,
    DoseResponse,
    Idea,
    Interaction,
    Knobs,
    Modification,
    Robustness,
    Transfer,
    Tuning,
)
from scientist.lab import KnobValue
from scientist.template import Template


def compile_design(
    idea: Idea, template: Template, code: Mapping[str, str] | None = None
) -> tuple[tuple[Variant, ...], tuple[Contrast, ...]]:
    """Variants and contrasts of an idea; `code` is file -> SHA-256 of the change that an Experimenter made for it.

    Raises :class:`StudyError` in one line when a knob does not exist, a value is out of range, or two variants come
    out the same (a contrast between equal things could only measure noise).
    """
    try:
        maker = _Maker(idea, template)
        design = idea.design
        if isinstance(design, DoseResponse):
            maker.dose_response(design)
        elif isinstance(design, Comparison):
            maker.comparison(design)
        elif isinstance(design, Interaction):
            maker.interaction(design)
        elif isinstance(design, Robustness):
            maker.grid(design.treatment, design.stressor, design.levels, transfer=False)
        elif isinstance(design, Transfer):
            maker.grid(design.treatment, design.knob, design.values, transfer=True)
        elif isinstance(design, Modification):
            maker.modification(design, code or {})
        else:
            maker.tuning(design)
    except ValueError as error:
        raise StudyError(f"idea '{idea.slug}': {error}", f"edit ideas/{idea.slug}.md") from error
    maker.refuse_twins()
    return tuple(maker.variants), tuple(maker.contrasts)


def identifier(*parts: object) -> str:
    """A name of lower-case letters, digits and underscores that starts with a letter: ('label_noise', 0.2) -> label_noise_0_2."""
    text = "_".join(f"{part:g}" if isinstance(part, float) else str(part) for part in parts).lower()
    text = re.sub(r"[^a-z0-9]+", "_", text.replace("-", "m")).strip("_")
    return text if text[:1].isalpha() else f"x_{text}"


class _Maker:
    def __init__(self, idea: Idea, template: Template) -> None:
        self.idea = idea
        self.template = template
        self.variants: list[Variant] = []
        self.contrasts: list[Contrast] = []

    def variant(self, name: str, title: str, knobs: Knobs, role: str = "treatment", tuner: Tuner | None = None) -> str:
        full = self.template.complete({**self.idea.settings, **knobs})
        self.variants.append(
            Variant(
                name=name,
                title=title,
                knobs=full,
                role="reference" if role == "reference" else "treatment",
                tuner=tuner,
            )
        )
        return name

    def contrast(
        self,
        contrast_id: str,
        title: str,
        weights: dict[str, float],
        expect: Expect,
        *,
        primary: bool = False,
        kind: str = "difference",
    ) -> None:
        self.contrasts.append(
            Contrast.model_validate(
                {
                    "id": contrast_id,
                    "title": title,
                    "kind": kind,
                    "weights": weights,
                    "expect": expect,
                    "primary": primary,
                    "smallest_effect": self.idea.smallest_effect,
                }
            )
        )

    def says(self, knob: str, value: KnobValue) -> str:
        """'label noise 0.2', 'a random forest', 'augmentation on'."""
        found = self.template.knob(knob)
        label = found.label(found.check(value))
        return label if found.type == "choice" else f"{found.title} {label}"

    def modification(self, design: Modification, code: Mapping[str, str]) -> None:
        """The code as it is against the code with the change."""
        if not code:
            raise ValueError("it changes the code, and nobody has written the change")
        as_it_is = self.variant("as_it_is", "the code as it is", {}, "reference")
        self.variant("changed", design.name, {})
        self.variants[-1] = self.variants[-1].model_copy(update={"code": dict(code)})
        weights = {"changed": 1.0, as_it_is: -1.0}
        self.contrast("change", f"{design.name} against the code as it is", weights, self.idea.expect, primary=True)

    def dose_response(self, design: DoseResponse) -> None:
        knob = design.knob
        names = []
        for index, level in enumerate(design.levels):
            role = "reference" if index == 0 else "treatment"
            names.append(self.variant(identifier(knob, level), self.says(knob, level), {knob: level}, role))
        last = len(names) - 1
        for index in range(1, len(names)):
            self.contrast(
                identifier("dose", design.levels[index]),
                f"{self.says(knob, design.levels[index])} against {self.template.knob(knob).label(design.levels[0])}",
                {names[index]: 1.0, names[0]: -1.0},
                self.idea.expect,
                primary=index == last,
            )

    def comparison(self, design: Comparison) -> None:
        knob = design.knob
        if design.reference not in design.choices:
            raise ValueError(f"reference {design.reference!r} is not among the choices")
        reference = self.variant(
            identifier(knob, design.reference), self.says(knob, design.reference), {knob: design.reference}, "reference"
        )
        others = [choice for choice in design.choices if choice != design.reference]
        for index, choice in enumerate(others):
            name = self.variant(identifier(knob, choice), self.says(knob, choice), {knob: choice})
            self.contrast(
                identifier("against", choice),
                f"{self.says(knob, choice)} against {self.says(knob, design.reference)}",
                {name: 1.0, reference: -1.0},
                self.idea.expect if index == 0 else "different",
                primary=index == 0,
            )

    def interaction(self, design: Interaction) -> None:
        a, b = design.first, design.second
        (a0, a1), (b0, b1) = design.first_values, design.second_values
        cell: dict[tuple[int, int], str] = {}
        for i, x in enumerate((a0, a1)):
            for j, y in enumerate((b0, b1)):
                cell[i, j] = self.variant(
                    identifier(a, x, b, y),
                    f"{self.says(a, x)}, {self.says(b, y)}",
                    {a: x, b: y},
                    "reference" if (i, j) == (0, 0) else "treatment",
                )
        step = f"{self.says(a, a1)} against {self.template.knob(a).label(a0)}"
        self.contrast(
            "interaction",
            f"change in the effect of {self.template.knob(a).title} as {self.template.knob(b).title} goes from "
            f"{self.template.knob(b).label(b0)} to {self.template.knob(b).label(b1)}",
            {cell[1, 1]: 1.0, cell[0, 1]: -1.0, cell[1, 0]: -1.0, cell[0, 0]: 1.0},
            self.idea.expect,
            primary=True,
            kind="interaction",
        )
        self.contrast("at_low", f"{step}, at {self.says(b, b0)}", {cell[1, 0]: 1.0, cell[0, 0]: -1.0}, "different")
        self.contrast("at_high", f"{step}, at {self.says(b, b1)}", {cell[1, 1]: 1.0, cell[0, 1]: -1.0}, "different")

    def grid(self, treatment: Knobs, factor: str, levels: tuple[KnobValue, ...], *, transfer: bool) -> None:
        """Treatment against none at every level of a stressor or on every data set."""
        without = self.template.complete(dict(self.idea.settings))
        what = " and ".join(self.says(name, value) for name, value in treatment.items())
        against = " and ".join(
            self.template.knob(name).label(self.template.knob(name).check(without[name])) for name in treatment
        )
        base = " and ".join(self.says(name, without[name]) for name in treatment)
        pairs: list[tuple[str, str]] = []
        for index, level in enumerate(levels):
            at = self.says(factor, level)
            off = self.variant(
                identifier("without", factor, level),
                f"{at}, {base}",
                {factor: level},
                "reference" if index == 0 else "treatment",
            )
            on = self.variant(identifier("with", factor, level), f"{at}, {what}", {**treatment, factor: level})
            pairs.append((on, off))
        hard = len(levels) - 1
        for index, (level, (on, off)) in enumerate(zip(levels, pairs, strict=True)):
            at = self.says(factor, level)
            self.contrast(
                identifier("effect", level),
                f"{what} against {against}, {'on' if transfer else 'at'} {at}",
                {on: 1.0, off: -1.0},
                self.idea.expect,
                primary=index == hard and (not transfer or hard == 1),
            )
        if transfer and hard > 1:
            share = 1.0 / hard
            weights = {}
            for on, off in pairs[1:]:
                weights[on], weights[off] = share, -share
            self.contrast(
                "mean_elsewhere",
                f"{what} against {against}, mean over the data sets it was not chosen on",
                weights,
                self.idea.expect,
                primary=True,
            )
        (first_on, first_off), (last_on, last_off) = pairs[0], pairs[-1]
        if not transfer:
            self.contrast(
                "change",
                f"change in that effect from {self.says(factor, levels[0])} to {self.says(factor, levels[-1])}",
                {last_on: 1.0, last_off: -1.0, first_on: -1.0, first_off: 1.0},
                "different",
                kind="interaction",
            )

    def tuning(self, design: Tuning) -> None:
        for knob in design.knobs:
            self.template.knob(knob)
        default = self.variant("untuned", "the default setting", {}, "reference")
        titles = {"random": "random search", "tpe": "TPE"}
        names = {}
        for sampler in design.samplers:
            tuner = Tuner(sampler=sampler, knobs=design.knobs, trials=design.trials)
            names[sampler] = self.variant(f"tuned_{sampler}", titles[sampler], {}, tuner=tuner)
        best = "tpe" if "tpe" in names else design.samplers[0]
        for sampler in sorted(names, key=lambda s: s != best):
            self.contrast(
                f"{sampler}_gain",
                f"{titles[sampler]} against the default setting",
                {names[sampler]: 1.0, default: -1.0},
                self.idea.expect,
                primary=sampler == best,
            )
        if len(names) == 2:
            self.contrast(
                "tpe_over_random",
                "TPE against random search at the same number of trials",
                {names["tpe"]: 1.0, names["random"]: -1.0},
                "different",
            )

    def refuse_twins(self) -> None:
        seen: dict[str, str] = {}
        for variant in self.variants:
            effective = self.template.effective(variant.knobs)
            key = repr((sorted(effective.items()), variant.tuner, sorted(variant.code.items())))
            if key in seen:
                raise StudyError(
                    f"idea '{self.idea.slug}': variants '{seen[key]}' and '{variant.name}' are the same work",
                    "give them different values of a knob that acts in these settings",
                )
            seen[key] = variant.name
