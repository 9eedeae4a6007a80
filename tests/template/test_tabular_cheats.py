"""The attacks on `tabular` earn nothing, and would earn something if the defence they test were not there."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from template_runs import ROOT, arrange, evaluator, execute

from scientist.experiments import Bench, bubblewrap_works, choose_sandbox
from scientist.template import load_template

TABULAR = ROOT / "templates" / "tabular"
TEMPLATE = load_template(TABULAR)
JUDGE = evaluator(TABULAR)
CHEATS = sorted((TABULAR / "cheats").glob("*.py"))
EXPECTED = {path.name: re.findall(r"^# expect: (\w+)$", path.read_text(), re.MULTILINE) for path in CHEATS}
ALONE = [name for name, ends in EXPECTED.items() if ends != ["failed"] and name != "copy_other_runs.py"]


def attack(name: str, place: Path, **knobs: str) -> dict[str, float]:
    """What one attack earns without any sandbox."""
    full = arrange(TEMPLATE, JUDGE, place, dict(knobs))
    execute(TABULAR / "cheats" / name, place)
    return dict(JUDGE.score(place / "outputs", "keep", full, 0))


def test_every_attack_says_how_it_must_end_and_is_listed() -> None:
    assert len(CHEATS) >= 7
    listed = (TABULAR / "cheats" / "README.md").read_text(encoding="utf-8")
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
        scores = attack(name, place)
        assert scores["skill"] <= 0
        assert scores["medal"] == scores["gold"] == 0
    assert sys.getrecursionlimit() == limit, "the pickle's code ran in the judge"


@pytest.mark.parametrize("dataset", ["wine", "iris"])
def test_replaying_the_splits_would_work_without_the_salt(dataset: str, tmp_path: Path) -> None:
    place = tmp_path / "run"
    full = arrange(TEMPLATE, JUDGE, place, {"dataset": dataset})
    (place / "salt.json").write_text(json.dumps(JUDGE.tables.load(dataset).salt))
    execute(TABULAR / "cheats/replay_splits.py", place)
    assert JUDGE.score(place / "outputs", "final", full, 0)["skill"] == 1.0
    assert attack("replay_splits.py", tmp_path / "without", dataset=dataset)["skill"] <= 0


def test_looking_labels_up_would_work_without_the_sandbox(tmp_path: Path) -> None:
    assert attack("lookup_labels.py", tmp_path / "lookup")["accuracy"] > 0.97
    for name in ("evaluate.py", "tables.py", "salt.txt"):
        shutil.copy(TABULAR / name, tmp_path)
    for dataset in ("breast_cancer", "survey"):
        assert attack("import_evaluator.py", tmp_path / f"import-{dataset}", dataset=dataset)["skill"] == 1.0
    with pytest.raises(ValueError, match=r"predictions\.npz cannot be opened"):
        attack("read_salt.py", tmp_path / "salt")
    assert (tmp_path / "salt/outputs/stolen.json").is_file()


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
        assert outcome.metrics["keep"]["skill"] > 0.3
    before = TEMPLATE.fingerprint()
    with bench.run(TEMPLATE.defaults, 0, ("keep",), {"train.py": (TABULAR / "cheats" / name).read_bytes()}) as outcome:
        (end,) = EXPECTED[name]
        if end == "chance":
            assert outcome.status == "ok"
            assert outcome.metrics["keep"]["skill"] <= 0
        elif end == "failed":
            assert outcome.status == "failed"
            assert re.search("out of reach|No such file", outcome.reason)
        else:
            assert outcome.status in ("invalid", "output")
    assert TEMPLATE.fingerprint() == before
