"""Where nothing is, nothing may be claimed more often than alpha: simulated through `analyse`, and by real runs."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy import stats

from scientist.experiments import Analysis, analyse, power_of, seeds_needed
from scientist.lab import Settings

ALPHA = 0.05
DOUBT = 1e-4
"""A test fails when what it saw has a smaller probability than this under the claimed rate."""


def load_benchmark() -> ModuleType:
    """`benchmarks/null_check.py`, which is a script and no package."""
    path = Path(__file__).parents[2] / "benchmarks" / "null_check.py"
    spec = importlib.util.spec_from_file_location("null_check", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["null_check"] = module
    spec.loader.exec_module(module)
    return module


null_check = load_benchmark()

Draw = Callable[[np.random.Generator, int, int], np.ndarray]


def gaussian(rng: np.random.Generator, variants: int, seeds: int) -> np.ndarray:
    """Shared noise of the seed (the training sample) plus noise of the run."""
    return rng.standard_normal((variants, seeds)) + rng.standard_normal((1, seeds))


def accuracy(rng: np.random.Generator, variants: int, seeds: int) -> np.ndarray:
    """Accuracy on 150 examples; how hard the sample is differs from seed to seed."""
    hard = rng.beta(40, 10, (1, seeds))
    return rng.binomial(150, np.broadcast_to(hard, (variants, seeds))) / 150


def near_the_ceiling(rng: np.random.Generator, variants: int, seeds: int) -> np.ndarray:
    """Accuracy on 40 examples that are almost all easy: most paired differences are exactly zero."""
    return rng.binomial(40, 0.995, (variants, seeds)) / 40


def skewed(rng: np.random.Generator, variants: int, seeds: int) -> np.ndarray:
    """A loss with a long tail; the paired differences are symmetric, as they are whenever nothing is there."""
    return rng.lognormal(0.0, 1.0, (variants, seeds))


def claimed(analysis: Analysis) -> bool:
    """Any contrast claims an effect."""
    return any(result.verdict in ("supported", "contradicted") for result in analysis.contrasts)


def count_false(draw: Draw, contrasts: int, seeds: int, studies: int, failing: float = 0.0) -> int:
    """Of so many simulated studies without any effect, those with a false claim. The margin is small: all is claimed."""
    rng = np.random.default_rng([contrasts, seeds, int(100 * failing)])
    study = null_check.simulated_study(contrasts, seeds)
    tiny = tuple(c.model_copy(update={"smallest_effect": 1e-6}) for c in study.contrasts)
    study = study.model_copy(update={"contrasts": tiny})
    found = 0
    for _ in range(studies):
        table = draw(rng, contrasts + 1, seeds)
        failed = rng.random(table.shape) < failing
        found += claimed(analyse(study, null_check.simulated_results(study, table, failed)))
    return found


def too_many(found: int, of: int, promised: float) -> bool:
    """So many could hardly come about at the promised rate."""
    return bool(stats.binom.sf(found - 1, of, promised) < DOUBT)


def too_few(found: int, of: int, promised: float) -> bool:
    """So few could hardly come about at the promised rate."""
    return bool(stats.binom.cdf(found, of, promised) < DOUBT)


DRAWS = [gaussian, accuracy, near_the_ceiling, skewed]


@pytest.mark.parametrize("contrasts", [1, 2, 4])
@pytest.mark.parametrize("draw", DRAWS)
def test_false_claims_stay_at_or_below_alpha(draw: Draw, contrasts: int) -> None:
    studies = 250
    found = count_false(draw, contrasts, 12, studies)
    assert not too_many(found, studies, ALPHA), f"{found} of {studies}"


@pytest.mark.slow
@pytest.mark.parametrize("contrasts", [1, 2, 4])
@pytest.mark.parametrize("draw", DRAWS)
def test_false_claims_stay_at_or_below_alpha_over_thousands(draw: Draw, contrasts: int) -> None:
    studies = 3000
    found = count_false(draw, contrasts, 12, studies)
    assert not too_many(found, studies, ALPHA), f"{found} of {studies}"


@pytest.mark.parametrize("contrasts", [1, 4])
@pytest.mark.parametrize("draw", [gaussian, accuracy])
def test_runs_that_fail_at_random_make_no_claims(draw: Draw, contrasts: int) -> None:
    studies = 250
    found = count_false(draw, contrasts, 14, studies, failing=0.2)
    assert not too_many(found, studies, ALPHA), f"{found} of {studies}"


def test_the_rate_is_alpha_and_not_merely_below_where_the_test_is_exact() -> None:
    """Otherwise the tests above would be passed by an analysis that never claims anything."""
    studies = 1000
    found = count_false(gaussian, 1, 10, studies)
    assert not too_many(found, studies, ALPHA) and not too_few(found, studies, ALPHA), f"{found} of {studies}"


def test_without_holm_the_rate_would_not_pass() -> None:
    """The bound can fail: four uncorrected tests on the same studies break it."""
    rng, studies, found = np.random.default_rng(4), 300, 0
    study = null_check.simulated_study(4, 12)
    for _ in range(studies):
        analysis = analyse(study, null_check.simulated_results(study, gaussian(rng, 5, 12)))
        found += any((result.estimates["keep"].p or 1.0) < ALPHA for result in analysis.contrasts)
    assert too_many(found, studies, ALPHA)


@pytest.mark.parametrize("contrasts", [1, 2])
def test_a_planted_effect_is_found_with_the_power_that_was_promised(contrasts: int) -> None:
    """One contrast: exactly as the formula says. Several: at least that, since Holm gains on Bonferroni."""
    sd, studies = null_check.ONE_SD, 400
    seeds = seeds_needed(sd, sd, ALPHA / contrasts, 0.8)
    promised = power_of(seeds, sd, sd, ALPHA / contrasts)
    study, rng = null_check.simulated_study(contrasts, seeds), np.random.default_rng(contrasts)
    truth = np.linspace(0, sd, contrasts + 1)[:, None]
    found = 0
    for _ in range(studies):
        table = truth + rng.standard_normal((contrasts + 1, seeds))
        analysis = analyse(study, null_check.simulated_results(study, table))
        found += analysis.contrast(study.primary.id).verdict == "supported"
    assert promised >= 0.8 and not too_few(found, studies, promised), f"{found} of {studies}, promised {promised}"
    if contrasts == 1:
        assert not too_many(found, studies, promised)


@pytest.mark.parametrize("seeds", [12, 40])
def test_at_the_margin_equivalence_is_claimed_no_more_often_than_alpha(seeds: int) -> None:
    sd, studies, found = null_check.ONE_SD, 300, 0
    study, rng = null_check.simulated_study(2, seeds, expect="equivalent"), np.random.default_rng(seeds)
    for _ in range(studies):
        table = np.array([[0.0], [-sd], [sd]]) + rng.standard_normal((3, seeds))
        analysis = analyse(study, null_check.simulated_results(study, table))
        found += any(result.verdict in ("supported", "equivalent") for result in analysis.contrasts)
    assert not too_many(found, studies, ALPHA), f"{found} of {studies}"
    assert found > 0, "a test that never claims equivalence shows nothing"


@pytest.mark.slow
def test_forty_whole_studies_of_nothing_and_of_something(tmp_path: Path) -> None:
    settings = Settings(online=False)
    nothing = list(null_check.studies("nothing", 40, tmp_path, settings, seeds=12))
    false = sum(any(null_check.claims(one)) for one in nothing)
    assert not too_many(false, len(nothing), ALPHA), f"{false} of {len(nothing)}"
    planted = list(null_check.studies("planted", 40, tmp_path, settings))
    found = sum(null_check.finds(one) for one in planted)
    stated = float(np.mean([one.study.pilot.expected_power for one in planted]))
    assert not too_few(found, len(planted), stated), f"{found} of {len(planted)}, stated {stated}"
    assert all(one.analysis.n_failed == 0 and one.analysis.n_runs for one in (*nothing, *planted))
    assert len({one.study.seeds for one in (*nothing, *planted)}) == 80
    assert list(tmp_path.iterdir()) == []
