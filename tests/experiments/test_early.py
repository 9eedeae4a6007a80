"""Early stopping: only hopeless variants, nothing is claimed about them, and no more false claims than without."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from scientist.experiments import (
    Bench,
    Contrast,
    EarlyStop,
    Pilot,
    RunResult,
    Study,
    Variant,
    analyse,
    choose_sandbox,
    declare_early_stop,
    futile_contrasts,
    run_study,
    stopped_variants,
)
from scientist.experiments._early import hopeless
from scientist.lab import KnobValue
from scientist.progress import Silent
from scientist.template import load_template

DIAL = Path(__file__).parents[1] / "templates" / "dial"
LOOK, SEEDS = 8, 16


def declared(
    effects: dict[str, dict[str, KnobValue]], expect: str = "greater", smallest: float = 1.0, look: int | None = LOOK
) -> Study:
    """Variants against the first one."""
    names = list(effects)
    template = load_template(DIAL)
    contrasts = [
        Contrast.model_validate(
            {
                "id": f"{name}_against_{names[0]}",
                "title": f"{name} against {names[0]}",
                "weights": {name: 1.0, names[0]: -1.0},
                "expect": expect,
                "primary": index == 0,
                "smallest_effect": smallest,
            }
        )
        for index, name in enumerate(names[1:])
    ]
    return Study(
        slug="early",
        template="dial",
        template_sha256=template.fingerprint(),
        idea_sha256="0" * 64,
        metric="score",
        direction="maximize",
        alpha=0.05,
        power=0.8,
        smallest_effect=smallest,
        variants=tuple(
            Variant(name=name, title=name, knobs=template.complete(dict(knobs))) for name, knobs in effects.items()
        ),
        contrasts=tuple(contrasts),
        seeds=tuple(range(100, 100 + SEEDS)),
        pilot=Pilot(seeds=(1, 2), sd={}, sd_upper={}, needed=SEEDS, capped=False, expected_power=0.8),
        early_stop=EarlyStop(look=look) if look else None,
    )


def simulated(study: Study, search: dict[str, np.ndarray], keep: dict[str, np.ndarray]) -> list[RunResult]:
    """Results as the machinery would leave them: everything up to the look, then only what was not stopped."""
    rows = [
        RunResult(
            variant=variant.name,
            seed=seed,
            key="k",
            knobs=variant.knobs,
            status="ok",
            metrics={
                "search": {"score": float(search[variant.name][index])},
                "keep": {"score": float(keep[variant.name][index])},
            },
        )
        for variant in study.variants
        for index, seed in enumerate(study.seeds)
    ]
    stopped = stopped_variants(study, futile_contrasts(study, rows))
    late = set(study.seeds[LOOK:])
    return [
        row.model_copy(update={"status": "stopped", "metrics": {}, "trials": 0})
        if row.variant in stopped and row.seed in late
        else row
        for row in rows
    ]


values = st.lists(st.floats(-20, 20, allow_nan=False), min_size=2, max_size=20)


@given(values, st.floats(0.1, 5), st.floats(0, 10))
def test_more_of_the_hoped_for_is_never_more_hopeless(drawn: list[float], smallest: float, more: float) -> None:
    contrast = declared({"a": {}, "b": {}}, smallest=smallest).contrasts[0]
    better = [value + more for value in drawn]
    assert not hopeless(contrast, better, 0.95) or hopeless(contrast, drawn, 0.95)
    mirrored = contrast.model_copy(update={"expect": "less"})
    assert hopeless(mirrored, [-value for value in drawn], 0.95) == hopeless(contrast, drawn, 0.95)
    for never in ("equivalent", "different"):
        assert not hopeless(contrast.model_copy(update={"expect": never}), drawn, 0.95)


@given(st.integers(2, 200))
def test_a_look_leaves_seeds_on_both_sides(seeds: int) -> None:
    rule = declare_early_stop(seeds)
    assert rule is None or 5 <= rule.look < seeds
    assert rule is not None or seeds < 10


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 4))
def test_only_variants_whose_every_contrast_is_futile_stop(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    study = declared({name: {} for name in "abcd"[:count]})
    scores = {v.name: rng.normal(rng.normal(0, 2), 1, SEEDS) for v in study.variants}
    rows = simulated(study, scores, scores)
    futile = futile_contrasts(study, rows)
    stopped = set(stopped_variants(study, futile))
    for contrast in study.contrasts:
        names = {name for name, weight in contrast.weights.items() if weight}
        if contrast.id not in futile:
            assert not names & stopped, "a contrast that may still win needs all of its variants"
    found = analyse(study, rows)
    for result in found.contrasts:
        assert (result.verdict == "futile") == (result.id in futile)
        if result.id in futile:
            assert result.p_holm is None and result.holds_on_final is None
    assert found.n_stopped == len(stopped) * (SEEDS - LOOK) and found.n_failed == 0
    assert found.n_runs == count * SEEDS - found.n_stopped


def test_no_look_declared_nothing_stopped() -> None:
    study = declared({"a": {}, "b": {}}, look=None)
    bad = {"a": np.zeros(SEEDS), "b": np.full(SEEDS, -9.0) + np.arange(SEEDS)}
    assert futile_contrasts(study, simulated(study, bad, bad)) == set()


def test_stopping_makes_no_false_claims() -> None:
    """True effect zero, search and keep strongly correlated: claims with the rule at most as often as alpha."""
    rng = np.random.default_rng(3)
    study = declared({"a": {}, "b": {}}, smallest=0.8)
    claims, stopped, studies = 0, 0, 1500
    for _ in range(studies):
        shared = {name: rng.normal(0, 1, SEEDS) for name in "ab"}
        search, keep = ({n: v + 0.3 * rng.normal(0, 1, SEEDS) for n, v in shared.items()} for _ in range(2))
        found = analyse(study, simulated(study, search, keep))
        claims += found.contrasts[0].verdict in ("supported", "contradicted")
        stopped += found.contrasts[0].verdict == "futile"
    assert stopped > studies / 10, "a rule that never stops anything proves nothing"
    assert stats.binom.sf(claims - 1, studies, study.alpha) > 1e-4, f"{claims} false claims in {studies}"


@pytest.mark.skipif(choose_sandbox("auto").name == "process", reason="needs a sandbox")
def test_real_runs_of_a_stopped_variant_are_not_begun(tmp_path: Path) -> None:
    study = declared({"low": {"effect": 0.0}, "far_below": {"effect": -5.0}, "high": {"effect": 5.0}})
    with Bench.local(load_template(DIAL), choose_sandbox("auto"), tmp_path / "scratch", 2) as bench:
        first = run_study(bench, study, tmp_path / "runs", Silent(), lambda: None)
        again = run_study(bench, study, tmp_path / "runs", Silent(), lambda: None)
    assert first == again
    by_status = {(row.variant, row.status) for row in first}
    assert ("far_below", "stopped") in by_status and ("low", "stopped") not in by_status
    assert sum(row.status == "stopped" for row in first) == SEEDS - LOOK
    verdicts = {result.id: result.verdict for result in analyse(study, first).contrasts}
    assert verdicts == {"far_below_against_low": "futile", "high_against_low": "supported"}
