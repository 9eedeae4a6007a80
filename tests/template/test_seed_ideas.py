"""The seed ideas that come with the repository can be read, fit the template and become studies."""

from __future__ import annotations

from pathlib import Path

import pytest
from template_runs import DIGITS, ROOT

from scientist.experiments import compile_design
from scientist.ideas._idea import parse_idea, read_idea, render_idea
from scientist.template import load_template

TEMPLATE = load_template(DIGITS)
SEEDS = (
    "do-random-splits-travel",
    "does-tuning-pay-on-noisy-labels",
    "more-neighbours-against-wrong-labels",
    "principal-components-as-a-noise-filter",
    "random-forest-as-first-choice",
    "wide-networks-on-wrong-labels",
)
PATHS = [ROOT / "ideas" / f"{slug}.md" for slug in SEEDS]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_seed_idea_becomes_a_study_within_the_budget(path: Path) -> None:
    idea = read_idea(path)
    assert idea.template == TEMPLATE.name
    assert idea.origin == "person"
    assert idea.question.endswith("?")
    assert len([part for part in idea.notes.split("\n\n") if len(part) > 150]) >= 2
    variants, contrasts = compile_design(idea, TEMPLATE)
    (primary,) = [contrast for contrast in contrasts if contrast.primary]
    assert primary.expect == idea.expect
    for variant in variants:
        assert TEMPLATE.complete(variant.knobs) == variant.knobs
    per_seed = sum(variant.tuner.trials if variant.tuner else 1 for variant in variants)
    assert TEMPLATE.budget.runs // per_seed >= 12, "enough seeds to see anything"
    assert parse_idea(render_idea(idea), str(path)) == idea


def test_the_seed_ideas_cover_every_design_and_several_knobs_and_data_sets() -> None:
    ideas = [read_idea(path) for path in PATHS]
    assert len({idea.design.kind for idea in ideas}) == 6
    used: set[str] = set()
    for idea in ideas:
        for variant in compile_design(idea, TEMPLATE)[0]:
            used |= {name for name, value in variant.knobs.items() if value != TEMPLATE.defaults[name]}
            used |= set(variant.tuner.knobs) if variant.tuner else set()
    assert len(used) >= 8
