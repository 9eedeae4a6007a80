"""The attacks on `packing` earn nothing, and would earn something if the defence they test were not there."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from template_runs import ROOT, arrange, evaluator, execute

from scientist.experiments import Bench, bubblewrap_works, choose_sandbox
from scientist.template import load_template

PACKING = ROOT / "templates" / "packing"
TEMPLATE = load_template(PACKING)
JUDGE = evaluator(PACKING)
CHEATS = sorted((PACKING / "cheats").glob("*.py"))
EXPECTED = {path.name: re.findall(r"^# expect: (\w+)$", path.read_text(), re.MULTILINE) for path in CHEATS}


def attack(name: str, place: Path, problem: str = "circles_26") -> float:
    """What one attack earns without any sandbox."""
    full = arrange(TEMPLATE, JUDGE, place, {"problem": problem})
    execute(PACKING / "cheats" / name, place)
    return float(JUDGE.score(place / "outputs", "keep", full, 0)["relative"])


def test_every_attack_says_how_it_must_end_and_is_listed() -> None:
    assert len(CHEATS) >= 7
    listed = (PACKING / "cheats" / "README.md").read_text(encoding="utf-8")
    for path in CHEATS:
        (end,) = EXPECTED[path.name]
        assert end in ("invalid", "failed"), "nothing is guessed here, so nothing ends in chance"
        assert path.read_text(encoding="utf-8").startswith('"""Attack: ')
        assert re.search(rf"^\| `{path.name}` \|.*\| {end} \|$", listed, re.MULTILINE)
    assert len(re.findall(r"^\| `", listed, re.MULTILINE)) == len(CHEATS)


@pytest.mark.parametrize("name", [name for name, ends in EXPECTED.items() if ends == ["invalid"]])
def test_an_attack_earns_nothing_even_without_a_sandbox(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        attack(name, tmp_path / "above" / "scratch" / "run")


@pytest.mark.parametrize("name", ["wrong_count.py", "coincide.py"])
def test_attacks_that_know_points_fail_there_too(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a list of 16|coincide"):
        attack(name, tmp_path / "run", "spread_16")


def test_a_hair_would_pass_a_verifier_with_a_tolerance(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="overlap"):
        attack("overlap_by_a_hair.py", tmp_path / "run")
    x, y, r = np.array(json.loads((tmp_path / "run/outputs/solution.json").read_text())["circles"], dtype=float).T
    i, j = np.triu_indices(len(r), 1)
    gap = np.hypot(x[i] - x[j], y[i] - y[j]) - r[i] - r[j]
    assert -1e-9 < gap.min() < 0
    assert min((x - r).min(), (y - r).min(), (1 - x - r).min(), (1 - y - r).min()) >= 0
    assert r.sum() > 2.45


def test_copying_the_known_construction_would_work_without_the_sandbox(tmp_path: Path) -> None:
    shutil.copytree(PACKING / "known", tmp_path / "known")
    assert attack("copy_known.py", tmp_path / "scratch" / "run") > 1 - 1e-9


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    if not bubblewrap_works()[0]:
        pytest.skip("bubblewrap does not work here")
    sandbox = choose_sandbox("bubblewrap", TEMPLATE.hide)
    with Bench.local(TEMPLATE, sandbox, tmp_path_factory.mktemp("scratch") / "bench", 1) as ready:
        yield ready


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_an_attack_earns_nothing_in_the_sandbox(name: str, bench: Bench) -> None:
    before = TEMPLATE.fingerprint()
    code = {"train.py": (PACKING / "cheats" / name).read_bytes()}
    with bench.run(TEMPLATE.defaults, 0, ("keep",), code) as outcome:
        if EXPECTED[name] == ["failed"]:
            assert outcome.status == "failed"
            assert "out of reach" in outcome.reason
        else:
            assert outcome.status in ("invalid", "output")
        assert not outcome.metrics
    assert TEMPLATE.fingerprint() == before


def test_an_honest_run_is_scored_in_the_sandbox(bench: Bench) -> None:
    knobs = TEMPLATE.complete({"problem": "spread_7"})
    with bench.run(knobs, 0, ("keep",)) as outcome:
        assert outcome.status == "ok", outcome.reason
        assert 1 - 1e-9 < outcome.metrics["keep"]["relative"] <= 1
