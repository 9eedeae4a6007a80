"""Ideas compile to variants and contrasts that mean what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scientist.errors import StudyError
from scientist.experiments import compile_design
from scientist.ideas import Idea
from scientist.template import Template, load_template

DIAL = Path(__file__).parents[1] / "templates" / "dial"


@pytest.fixture(scope="module")
def dial() -> Template:
    return load_template(DIAL)


def idea(design: dict[str, Any], **more: Any) -> Idea:
    return Idea.model_validate(
        {
            "slug": "an-idea",
            "title": "An idea about the dial",
            "template": "dial",
            "question": "Does the dial move the score?",
            "hypothesis": "Turning the dial up raises the score by a unit.",
            "expect": "greater",
            "smallest_effect": 0.5,
            "why": "Because a test needs to know what it will find.",
            "design": design,
            **more,
        }
    )


DESIGNS: list[tuple[dict[str, Any], int, int]] = [
    ({"kind": "dose-response", "knob": "effect", "levels": [0.0, 1.0, 2.0]}, 3, 2),
    ({"kind": "comparison", "knob": "level", "choices": ["a", "b", "c"], "reference": "b"}, 3, 2),
    (
        {
            "kind": "interaction",
            "first": "effect",
            "first_values": [0.0, 1.0],
            "second": "level",
            "second_values": ["a", "c"],
        },
        4,
        3,
    ),
    ({"kind": "robustness", "treatment": {"effect": 1.0}, "stressor": "nothing", "levels": [0, 1, 2]}, 6, 4),
    ({"kind": "transfer", "treatment": {"effect": 1.0}, "knob": "level", "values": ["a", "b", "c"]}, 6, 4),
    ({"kind": "tuning", "knobs": ["effect"], "trials": 4}, 3, 3),
]


@pytest.mark.parametrize(("design", "variants", "contrasts"), DESIGNS)
def test_every_design_compiles(dial: Template, design: dict[str, Any], variants: int, contrasts: int) -> None:
    made, declared = compile_design(idea(design), dial)
    assert (len(made), len(declared)) == (variants, contrasts)
    names = {variant.name for variant in made}
    assert len(names) == variants and len({c.id for c in declared}) == contrasts
    assert sum(c.primary for c in declared) == 1
    for contrast in declared:
        assert set(contrast.weights) <= names
        assert sum(contrast.weights.values()) == pytest.approx(0.0)  # a contrast: blind to what all variants share
    for variant in made:
        assert variant.knobs == dial.complete(variant.knobs)


def test_contrasts_recover_known_effects(dial: Template) -> None:
    """With means set to strength(level) x effect, each contrast must come out as the algebra says."""
    strength = {"a": 1.0, "b": 0.5, "c": 0.0}
    expected = {
        "interaction": {"interaction": -1.0, "at_low": 1.0, "at_high": 0.0},
        "transfer": {"effect_a": 1.0, "effect_b": 0.5, "effect_c": 0.0, "mean_elsewhere": 0.25},
        "robustness": {"effect_0": 1.0, "effect_1": 1.0, "effect_2": 1.0, "change": 0.0},
    }
    for design, _, _ in DESIGNS:
        if design["kind"] in expected:
            variants, contrasts = compile_design(idea(design), dial)
            means = {v.name: strength[str(v.knobs["level"])] * float(v.knobs["effect"]) for v in variants}
            found = {c.id: float(np.sum([w * means[n] for n, w in c.weights.items()])) for c in contrasts}
            assert found == pytest.approx(expected[design["kind"]])


@pytest.mark.parametrize(
    ("design", "said"),
    [
        ({"kind": "dose-response", "knob": "efect", "levels": [0.0, 1.0]}, "did you mean 'effect'"),
        ({"kind": "dose-response", "knob": "effect", "levels": [0.0, 9.0]}, "between -5 and 5"),
        ({"kind": "dose-response", "knob": "effect", "levels": [1.0, 1]}, "same work"),
        ({"kind": "comparison", "knob": "level", "choices": ["a", "b"], "reference": "c"}, "not among the choices"),
        ({"kind": "tuning", "knobs": ["nowhere"], "trials": 3}, "has no knob"),
    ],
)
def test_impossible_designs_are_one_line(dial: Template, design: dict[str, Any], said: str) -> None:
    with pytest.raises(StudyError, match=said):
        compile_design(idea(design), dial)
