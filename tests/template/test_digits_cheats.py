"""The attacks on `digits` earn nothing, and would earn something if the defence they test were not there."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from template_runs import DIGITS, arrange, evaluator, execute

from scientist.experiments import Bench, bubblewrap_works, choose_sandbox
from scientist.template import load_template

TEMPLATE = load_template(DIGITS)
JUDGE = evaluator(DIGITS)
CHEATS = sorted((DIGITS / "cheats").glob("*.py"))
EXPECTED = {path.name: re.findall(r"^# expect: (\w+)$", path.read_text(), re.MULTILINE) for path in CHEATS}
ALONE = [name for name, ends in EXPECTED.items() if ends != ["failed"] and name != "copy_other_runs.py"]


def chance() -> float:
    """Guessing, plus three standard errors on the keep split."""
    facts = JUDGE.describe(TEMPLATE.defaults)
    return float(facts["majority"] + 3 * np.sqrt(facts["majority"] * (1 - facts["majority"]) / facts["keep"]))


def attack(name: str, place: Path, **knobs: str) -> float:
    """The accuracy that one attack earns without any sandbox."""
    full = arrange(TEMPLATE, JUDGE, place, dict(knobs))
    execute(DIGITS / "cheats" / name, place)
    return float(JUDGE.score(place / "outputs", "keep", full, 0)["accuracy"])


def test_every_attack_says_how_it_must_end_and_is_listed() -> None:
    assert len(CHEATS) >= 7
    listed = (DIGITS / "cheats" / "README.md").read_text(encoding="utf-8")
    for path in CHEATS:
        (end,) = EXPECTED[path.name]
        assert end in ("invalid", "failed", "chance")
        assert path.read_text(encoding="utf-8").startswith('"""Attack: ')
        assert re.search(rf"^\| `{path.name}` \|.*\| {end} \|$", listed, re.MULTILINE)
    assert len(re.findall(r"^\| `", listed, re.MULTILINE)) == len(CHEATS)


@pytest.mark.parametrize("name", ALONE)
def test_an_attack_earns_nothing_even_without_a_sandbox(name: str, tmp_path: Path) -> None:
    limit = sys.getrecursionlimit()
    place = tmp_path / "above" / "scratch" / "run"
    if EXPECTED[name] == ["invalid"]:
        with pytest.raises(ValueError):
            attack(name, place)
    else:
        assert attack(name, place) <= chance()
    assert sys.getrecursionlimit() == limit, "the pickle's code ran in the judge"


def test_replaying_the_splits_would_work_without_the_salt(tmp_path: Path) -> None:
    place = tmp_path / "run"
    full = arrange(TEMPLATE, JUDGE, place, {"dataset": "wine"})
    (place / "salt.json").write_text(json.dumps(JUDGE._load("wine").salt))
    execute(DIGITS / "cheats/replay_splits.py", place)
    assert JUDGE.score(place / "outputs", "final", full, 0)["accuracy"] == 1.0
    assert attack("replay_splits.py", tmp_path / "without", dataset="wine") < 0.75


def test_looking_labels_up_would_work_without_the_sandbox(tmp_path: Path) -> None:
    assert attack("lookup_labels.py", tmp_path / "lookup") == 1.0
    shutil.copy(DIGITS / "evaluate.py", tmp_path)
    assert attack("import_evaluator.py", tmp_path / "import") == 1.0


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    if not bubblewrap_works()[0]:
        pytest.skip("bubblewrap does not work here")
    sandbox = choose_sandbox("bubblewrap", TEMPLATE.hide)
    with Bench.local(TEMPLATE, sandbox, tmp_path_factory.mktemp("scratch") / "bench", 1) as ready:
        yield ready


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_an_attack_earns_nothing_in_the_sandbox(name: str, bench: Bench) -> None:
    # An honest run first: what it leaves behind is what `copy_other_runs` looks for.
    with bench.run(TEMPLATE.defaults, 0, ("keep",)) as outcome:
        assert outcome.metrics["keep"]["accuracy"] > 0.8
    before = TEMPLATE.fingerprint()
    with bench.run(TEMPLATE.defaults, 0, ("keep",), {"train.py": (DIGITS / "cheats" / name).read_bytes()}) as outcome:
        (end,) = EXPECTED[name]
        if end == "chance":
            assert outcome.status == "ok"
            assert outcome.metrics["keep"]["accuracy"] <= chance()
        elif end == "failed":
            assert outcome.status == "failed"
            assert re.search("out of reach|No such file", outcome.reason)
        else:
            assert outcome.status in ("invalid", "output")
    assert TEMPLATE.fingerprint() == before
