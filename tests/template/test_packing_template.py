"""The template `packing`: what is declared, and the search of its candidate."""

from __future__ import annotations

import importlib
import json
import os
import re
import runpy
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from template_runs import ROOT, arrange, evaluator, execute, run

from scientist.experiments import compile_design
from scientist.ideas import read_idea
from scientist.ideas._propose_sketch import coverage
from scientist.lab import KnobValue
from scientist.template import Knob, load_template

PACKING = ROOT / "templates" / "packing"
TEMPLATE = load_template(PACKING)
JUDGE = evaluator(PACKING)
CANDIDATE = runpy.run_path(str(PACKING / "train.py"))
PROBLEMS = TEMPLATE.knob("problem").choices
ENV = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def go(folder: Path, seed: int = 0, **knobs: KnobValue) -> dict[str, float]:
    return run(PACKING, JUDGE, folder, dict(knobs), seed)


def history(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]


def make(problem: str) -> Any:
    found = JUDGE.PROBLEMS[problem]
    return CANDIDATE["Circles" if found.kind == "circles" else "Spread"](found.n, found.dimension)


# What is declared


def test_every_knob_says_why_in_words_and_names_real_sources() -> None:
    texts = [TEMPLATE.background, TEMPLATE.summary, *(knob.why for knob in TEMPLATE.knobs)]
    assert not [text for text in texts if re.search(r"\d", text)]
    for name in {name for knob in TEMPLATE.knobs for name in knob.api}:
        module, _, thing = name.rpartition(".")
        assert getattr(importlib.import_module(module), thing).__doc__, name


def test_declaration_and_evaluator_agree(tmp_path: Path) -> None:
    for module in TEMPLATE.warm:
        importlib.import_module(module)
    assert set(PROBLEMS) == set(JUDGE.PROBLEMS)
    assert set(go(tmp_path / "run", problem="spread_4")) == {metric.name for metric in TEMPLATE.metrics}
    assert TEMPLATE.splits == ("keep",)
    (artefact,) = TEMPLATE.artefacts
    assert [path.name for path in (tmp_path / "run/outputs").iterdir()] == [artefact.name]
    assert artefact.max_mb * 2**20 == JUDGE.LARGEST_FILE


def test_knobs_have_a_dose_series_where_they_are_numbers() -> None:
    def fine(knob: Knob) -> bool:
        levels = [float(level) for level in knob.levels]
        return len(levels) >= 3 and levels == sorted(levels)

    assert all(fine(knob) for knob in TEMPLATE.knobs if knob.type in ("int", "float"))


def test_what_ideas_take_unasked_is_light_and_the_record_waits_for_its_idea() -> None:
    problem = TEMPLATE.knob("problem")
    assert problem.offered[0] == problem.default and "circles_26" not in problem.offered
    assert max(JUDGE.PROBLEMS[name].n for name in problem.offered) <= 16
    for sketch in coverage(TEMPLATE):
        assert set(sketch.datasets(TEMPLATE)) <= set(problem.offered)
    idea = read_idea(PACKING / "ideas/twenty-six-circles.md")
    variants, contrasts = compile_design(idea, TEMPLATE)
    assert {variant.knobs["problem"] for variant in variants} == {"circles_26"}
    assert idea.status == "approved" and [c.expect for c in contrasts if c.primary] == ["greater"]


# The search


@pytest.mark.parametrize("n", range(3, 8))
def test_proven_optima_are_reached_and_never_passed(n: int, tmp_path: Path) -> None:
    for number, optimiser in enumerate(TEMPLATE.knob("optimiser").choices):
        scores = go(tmp_path / str(number), problem=f"spread_{n}", optimiser=optimiser, starts=4)
        assert 1 - 1e-9 <= scores["relative"] <= 1


@pytest.mark.parametrize("problem", PROBLEMS)
def test_every_problem_is_searched_with_decent_success(problem: str, tmp_path: Path) -> None:
    scores = go(tmp_path / "run", problem=problem, starts=2, hops=1)
    assert 0.9 < scores["relative"] <= 1
    assert (tmp_path / "run/outputs/solution.json").stat().st_size < 8_000


def cases() -> list[dict[str, KnobValue]]:
    """Every level of every method knob, each in a setting in which it acts."""
    found = []
    for knob in TEMPLATE.knobs:
        for value in knob.levels or knob.choices or (True, False):
            setting: dict[str, KnobValue] = {
                "problem": "circles_10",
                "iterations": 10,
                "polish": False,
                knob.name: value,
            }
            for other, values in knob.only_with.items():
                if TEMPLATE.defaults[other] not in values:
                    setting[other] = values[0]
            if knob.applies == "method":
                found.append(setting)
    return found


def test_every_level_of_every_knob_runs_and_all_but_the_defaults_change_something(tmp_path: Path) -> None:
    short: dict[str, KnobValue] = {"problem": "circles_10", "iterations": 10, "polish": False}
    go(tmp_path / "base", **short)
    base = (tmp_path / "base/outputs/solution.json").read_bytes()
    acting = TEMPLATE.effective(TEMPLATE.complete(short))
    for number, setting in enumerate(cases()):
        assert go(tmp_path / str(number), **setting)["relative"] > 0.7, setting
        same = (tmp_path / str(number) / "outputs/solution.json").read_bytes() == base
        if TEMPLATE.effective(TEMPLATE.complete(setting)) == acting:
            assert same, setting
        elif not {"starts", "hops"} & set(setting):  # more of these may fail to find anything better
            assert not same, setting


def test_more_starts_contain_fewer(tmp_path: Path) -> None:
    few, many = (go(tmp_path / str(k), problem="circles_10", starts=k, hops=1) for k in (2, 6))
    a, b = history(tmp_path / "2"), history(tmp_path / "6")
    assert a == b[:2]
    assert [line["step"] for line in b] == [1, 2, 3, 4, 5, 6]
    assert [line["best_value"] for line in b] == list(np.maximum.accumulate([line["value"] for line in b]))
    assert many["relative"] >= few["relative"] - 1e-12
    assert b[-1]["best_value"] == pytest.approx(many["value"], abs=1e-6)


def test_numbering_changes_nothing_but_rounding(tmp_path: Path) -> None:
    """Over a few iterations, that is: over many, a rounding error can decide which optimum a descent ends in."""
    short: dict[str, KnobValue] = {"problem": "circles_26", "starts": 2, "hop_kind": "none", "iterations": 3}
    plain, other = (go(tmp_path / str(k), **short, polish=False, numbering=k) for k in (0, 3))
    assert plain["relative"] == pytest.approx(other["relative"], rel=1e-9)
    a, b = ((tmp_path / str(k) / "outputs/solution.json").read_bytes() for k in (0, 3))
    assert a != b


def test_a_polish_costs_nothing_and_mends_a_descent_that_was_cut_short(tmp_path: Path) -> None:
    rough, fine = (
        go(tmp_path / str(polish), problem="circles_10", iterations=4, starts=1, polish=polish)["value"]
        for polish in (False, True)
    )
    assert fine > rough + 1e-4


def test_a_run_is_the_same_in_a_process_of_its_own(tmp_path: Path) -> None:
    setting: dict[str, KnobValue] = {
        "problem": "circles_10",
        "layout": "hexagonal",
        "hop_kind": "relocate",
        "starts": 2,
    }
    for name in ("here", "there"):
        arrange(TEMPLATE, JUDGE, tmp_path / name, setting, 7)
    said = execute(PACKING / "train.py", tmp_path / "here")
    command = [sys.executable, str(PACKING / "train.py")]
    done = subprocess.run(command, cwd=tmp_path / "there", env=ENV, capture_output=True, text=True, check=True)
    assert done.stdout == said
    assert done.stderr == ""
    for name in ("outputs/solution.json", "metrics.jsonl", "checkpoint/state.json"):
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()
    run(PACKING, JUDGE, tmp_path / "else", setting, 8)
    assert (tmp_path / "else/outputs/solution.json").read_bytes() != (
        tmp_path / "here/outputs/solution.json"
    ).read_bytes()


def test_a_killed_search_goes_on_where_it_was(tmp_path: Path) -> None:
    setting: dict[str, KnobValue] = {"problem": "spread_7", "starts": 40}
    for name in ("whole", "killed"):
        arrange(TEMPLATE, JUDGE, tmp_path / name, setting)
    execute(PACKING / "train.py", tmp_path / "whole")
    place = tmp_path / "killed"
    with subprocess.Popen([sys.executable, str(PACKING / "train.py")], cwd=place, env=ENV) as process:
        deadline = time.monotonic() + 60
        while not (place / "metrics.jsonl").is_file() or len(history(place)) < 3:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    left = json.loads((place / "checkpoint/state.json").read_text(encoding="utf-8"))
    assert 2 <= len(left["history"]) < 40
    assert not (place / "outputs/solution.json").exists()
    (place / "metrics.jsonl").unlink()  # the loop gives back checkpoint/ only
    execute(PACKING / "train.py", place)
    for name in ("outputs/solution.json", "metrics.jsonl", "checkpoint/state.json"):
        assert (place / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_checkpoint_of_other_work_is_not_continued(tmp_path: Path) -> None:
    for name, seed in (("other", 1), ("fresh", 2), ("misled", 2)):
        arrange(TEMPLATE, JUDGE, tmp_path / name, {"problem": "spread_5"}, seed)
    execute(PACKING / "train.py", tmp_path / "other")
    (tmp_path / "misled/checkpoint").mkdir()
    state = (tmp_path / "other/checkpoint/state.json").read_bytes()
    (tmp_path / "misled/checkpoint/state.json").write_bytes(state)
    for name in ("fresh", "misled"):
        execute(PACKING / "train.py", tmp_path / name)
    assert history(tmp_path / "misled") == history(tmp_path / "fresh")


# Its parts


@pytest.mark.parametrize("problem", ["circles_10", "spread_7", "spread3d_14"])
def test_gradients_are_those_of_the_constraints(problem: str) -> None:
    a, rng = make(problem), np.random.default_rng(0)
    z = rng.random(len(a.c))
    exact = a.jacobian(z).copy()
    for k in range(len(z)):
        step = np.zeros(len(z))
        step[k] = 1e-6
        assert np.allclose(exact[:, k], (a.constraints(z + step) - a.constraints(z - step)) / 2e-6, atol=1e-7)


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from(["circles_5", "circles_26"]), st.floats(0, 0.6))
def test_any_circles_are_made_exactly_feasible(tmp_path_factory: Any, seed: int, problem: str, size: float) -> None:
    """Even wildly overlapping ones, some with centres outside; those that were feasible lose next to nothing."""
    a, rng, outputs = make(problem), np.random.default_rng(seed), tmp_path_factory.mktemp("o")
    centres, radii = rng.uniform(-0.1, 1.1, (2, a.n)), rng.uniform(-0.1, 1, a.n) * size

    def value(z: np.ndarray) -> float:
        rows = [[CANDIDATE["decimal"](v) for v in row] for row in a.exact(z)]
        (outputs / "solution.json").write_text(json.dumps({"problem": problem, "circles": rows}), encoding="utf-8")
        return float(JUDGE.score(outputs, "keep", {"problem": problem}, 0)["value"])

    assert value(np.concatenate([*centres, radii])) >= 0
    for repaired in (a.repair(np.concatenate([*centres, radii])), a.tidy(np.concatenate([*centres, radii]))):
        assert a.constraints(repaired).min() > -1e-15
        assert value(repaired) == pytest.approx(a.value(repaired), abs=1e-13)


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("layout", TEMPLATE.knob("layout").choices)
def test_layouts_put_different_points_into_the_cube(layout: str, problem: str) -> None:
    found = JUDGE.PROBLEMS[problem]
    for seed in range(3):
        knobs = {"layout": layout, "jitter": 0.0, "numbering": 0}
        p = CANDIDATE["lay_out"](knobs, found.n, found.dimension, np.random.default_rng(seed))
        assert p.shape == (found.dimension, found.n)
        assert p.min() >= 0 and p.max() <= 1
        length, _ = make(problem).distances(p)
        spacing = length.min() * found.n ** (1 / found.dimension)
        assert spacing > (0 if layout == "uniform" else 0.5)
        turned = CANDIDATE["lay_out"]({**knobs, "numbering": 2}, found.n, found.dimension, np.random.default_rng(seed))
        assert sorted(map(tuple, turned.T)) == sorted(map(tuple, p.T))
        assert not np.array_equal(turned, p)


def test_known_optima_can_be_written_again() -> None:
    before = {path: path.read_bytes() for path in (PACKING / "known").glob("spread_?.json")}
    runpy.run_path(str(PACKING / "known/make_known.py"))
    assert len(before) == 5
    assert {path: path.read_bytes() for path in before} == before


def test_decimals_are_exact() -> None:
    for value in (0.1, -2.5e-17, 1 / 3, 1.0, 0.0, -1.0):
        units = CANDIDATE["whole"](value)
        assert abs(Fraction(units, 10**30) - Fraction(value)) <= Fraction(1, 10**30)
        assert Fraction(CANDIDATE["decimal"](units)) == Fraction(units, 10**30)
