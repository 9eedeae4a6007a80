"""The sealed evaluator of `grokking`: its metrics are right, it takes nothing but honest artefacts, attacks earn nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from template_runs import ROOT, arrange, evaluator, execute

from scientist.experiments import Bench, bubblewrap_works, choose_sandbox
from scientist.template import SPLITS, load_template

GROKKING = ROOT / "templates" / "grokking"
TEMPLATE = load_template(GROKKING)
JUDGE = evaluator(GROKKING)
CHEATS = sorted((GROKKING / "cheats").glob("*.py"))
EXPECTED = {path.name: re.findall(r"^# expect: (\w+)$", path.read_text(), re.MULTILINE) for path in CHEATS}
ALONE = [name for name, ends in EXPECTED.items() if ends != ["failed"] and name != "copy_other_runs.py"]
STEPS = JUDGE._checkpoints(1000)


def honest(share: float = 0.5, seed: int = 0) -> dict[str, np.ndarray]:
    """Answers of which about `share` are right at the end, and fewer before."""
    rng, found = np.random.default_rng(seed), {"steps": STEPS}
    for split, cells in JUDGE._task(TEMPLATE.defaults, 0)[0].items():
        shares = share * np.linspace(0, 1, len(STEPS))[:, None]
        right = rng.random((len(STEPS), JUDGE.TEST)) < shares
        found[split] = np.where(right, cells.answer, (cells.answer + 1) % JUDGE.P)
    return found


def judged(outputs: Path, split: str = "keep") -> dict[str, float]:
    return dict(JUDGE.score(outputs, split, TEMPLATE.defaults, 0))


@settings(max_examples=25)
@given(st.floats(0, 1), st.integers(0, 10**6), st.sampled_from(SPLITS))
def test_metrics_agree_with_their_definitions(tmp_path_factory: Any, share: float, seed: int, split: str) -> None:
    outputs = tmp_path_factory.mktemp("outputs")
    answers = honest(share, seed)
    np.savez(outputs / "predictions.npz", **answers)
    found, truth = judged(outputs, split), JUDGE._task(TEMPLATE.defaults, 0)[0][split].answer
    curve = [float(np.mean(row == truth)) for row in answers[split]]
    assert found["accuracy"] == curve[-1]
    assert found["curve_area"] == pytest.approx(np.trapezoid(curve, np.log(STEPS)) / np.log(1000))
    reached = next((i for i, value in enumerate(curve) if value >= 0.5), None)
    if reached is None:
        assert found["generalises_at"] == 1001
    else:
        assert STEPS[max(0, reached - 1)] <= found["generalises_at"] <= STEPS[reached] + 1e-9
    assert 0 <= found["curve_area"] <= 1


def test_the_half_way_step_lies_between_checkpoints_on_a_logarithmic_scale() -> None:
    place = np.log([1.0, 10.0, 1000.0])
    assert JUDGE._first(place, np.array([0.0, 0.25, 0.75])) == pytest.approx(100.0)
    assert JUDGE._first(place, np.array([0.5, 0.0, 0.0])) == pytest.approx(1.0)
    assert JUDGE._first(place, np.array([0.0, 0.5, 0.0])) == pytest.approx(10.0)
    assert JUDGE._first(place, np.array([0.0, 0.0, 0.49])) == 1001


def test_perfect_answers_are_perfect(tmp_path: Path) -> None:
    tests = JUDGE._task(TEMPLATE.defaults, 0)[0]
    rows = {split: np.tile(cells.answer.astype(np.int8), (len(STEPS), 1)) for split, cells in tests.items()}
    np.savez_compressed(tmp_path / "predictions.npz", steps=STEPS, **rows)
    assert judged(tmp_path) == pytest.approx({"accuracy": 1.0, "curve_area": 1.0, "generalises_at": 1.0})
    elsewhere = JUDGE.score(tmp_path, "keep", TEMPLATE.defaults, 1)
    assert elsewhere["accuracy"] < 0.2, "the answers of one seed are worth nothing for another"


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "int64", "fortran"])
def test_honest_forms_of_an_artefact_are_taken(dtype: str, tmp_path: Path) -> None:
    answers = honest()
    rows = {s: np.asfortranarray(answers[s]) if dtype == "fortran" else answers[s].astype(dtype) for s in SPLITS}
    np.savez(tmp_path / "predictions.npz", steps=STEPS, **rows)
    (tmp_path / "other").mkdir()
    np.savez_compressed(tmp_path / "other/predictions.npz", **answers)
    assert judged(tmp_path) == judged(tmp_path / "other")


def changed(**new: Any) -> Callable[[Path], None]:
    def write(outputs: Path) -> None:
        answers: dict[str, Any] = honest()
        for name, value in new.items():
            answers[name] = value(answers[name]) if callable(value) else value
        np.savez_compressed(outputs / "predictions.npz", **{k: v for k, v in answers.items() if v is not None})

    return write


def put(value: int) -> Callable[[np.ndarray], np.ndarray]:
    def change(answers: np.ndarray) -> np.ndarray:
        answers[0, 0] = value
        return answers

    return change


def linked(outputs: Path) -> None:
    np.savez(outputs.parent / "real.npz", **honest())
    (outputs / "predictions.npz").symlink_to(outputs.parent / "real.npz")


def rezipped(method: int = zipfile.ZIP_DEFLATED, alter: Callable[[bytes], bytes] = bytes) -> Callable[[Path], None]:
    def write(outputs: Path) -> None:
        np.savez(outputs.parent / "honest.npz", **honest())
        with (
            zipfile.ZipFile(outputs.parent / "honest.npz") as source,
            zipfile.ZipFile(outputs / "predictions.npz", "w", method) as target,
        ):
            for name in source.namelist():
                target.writestr(name, alter(source.read(name)))

    return write


BAD: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (lambda outputs: None, "cannot be opened"),
    "a pipe": (lambda outputs: os.mkfifo(outputs / "predictions.npz"), "not a plain file"),
    "a folder": (lambda outputs: (outputs / "predictions.npz").mkdir(), "not a plain file"),
    "a link": (linked, "cannot be opened"),
    "too large": (lambda outputs: (outputs / "predictions.npz").write_bytes(bytes(1 << 19)), "more than"),
    "no archive": (lambda outputs: (outputs / "predictions.npz").write_bytes(b"accuracy: 1.0"), "archive"),
    "a name too high": (changed(keep=put(31)), "no names"),
    "a name too low": (changed(final=put(-1)), "no names"),
    "floats": (changed(keep=lambda a: a + 0.5), "not whole numbers"),
    "NaN": (changed(keep=lambda a: a * np.nan), "not whole numbers"),
    "truth values": (changed(keep=lambda a: a > 3), "not whole numbers"),
    "words": (changed(keep=lambda a: a.astype("U2")), "not whole numbers"),
    "objects": (changed(keep=lambda a: a.astype(object)), "not whole numbers"),
    "too few cells": (changed(keep=lambda a: a[:, 1:]), "shape"),
    "too few checkpoints": (changed(keep=lambda a: a[1:]), "shape"),
    "one dimension": (changed(keep=lambda a: a[0]), "shape"),
    "three dimensions": (changed(keep=lambda a: a[None]), "one or two dimensions"),
    "steps with a gap": (changed(steps=lambda s: s + 1), "not the list"),
    "steps backwards": (changed(steps=lambda s: s[::-1]), "not the list"),
    "steps missing": (changed(steps=None), "exactly the arrays"),
    "a split missing": (changed(final=None), "exactly the arrays"),
    "an array too many": (changed(steps=lambda s: s, search=lambda a: a, keep=lambda a: a[:, :3]), "shape"),
    "bzip2": (rezipped(zipfile.ZIP_BZIP2), "unusual"),
    "inflates too far": (rezipped(alter=lambda raw: raw + bytes(1 << 16)), "larger than"),
    "padded": (rezipped(alter=lambda raw: raw + bytes(8)), "cut short or padded"),
    "cut short": (rezipped(alter=lambda raw: raw[:-8]), "cut short or padded"),
    "not an array": (rezipped(alter=lambda raw: b"GIF89a" + raw[6:]), "not a NumPy array file"),
}


@pytest.mark.parametrize("case", sorted(BAD))
def test_a_bad_artefact_is_refused_in_one_line(case: str, tmp_path: Path) -> None:
    write, words = BAD[case]
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    write(outputs)
    with pytest.raises(ValueError, match=words) as caught:
        judged(outputs)
    assert "\n" not in str(caught.value)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_damaged_archives_are_refused_or_read_never_worse(tmp_path_factory: Any, data: st.DataObject) -> None:
    outputs = tmp_path_factory.mktemp("outputs")
    np.savez_compressed(outputs / "predictions.npz", **honest())
    raw = bytearray((outputs / "predictions.npz").read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    (outputs / "predictions.npz").write_bytes(bytes(raw[: data.draw(st.integers(1, len(raw)))]))
    try:
        scores = judged(outputs)
    except ValueError as error:
        assert "\n" not in str(error)
    else:
        assert 0 <= scores["accuracy"] <= 1


# The attacks


def chance() -> float:
    """Guessing, plus four standard errors on the keep split."""
    facts = JUDGE.describe(TEMPLATE.defaults)
    return float(facts["majority"] + 4 * np.sqrt(facts["majority"] * (1 - facts["majority"]) / facts["keep"]))


def attack(name: str, place: Path, seed: int = 0) -> float:
    """The accuracy that one attack earns without any sandbox."""
    full = arrange(TEMPLATE, JUDGE, place, {}, seed)
    execute(GROKKING / "cheats" / name, place)
    return float(JUDGE.score(place / "outputs", "keep", full, seed)["accuracy"])


def test_every_attack_says_how_it_must_end_and_is_listed() -> None:
    assert len(CHEATS) >= 6
    listed = (GROKKING / "cheats" / "README.md").read_text(encoding="utf-8")
    for path in CHEATS:
        (end,) = EXPECTED[path.name]
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


def test_arithmetic_and_symmetry_would_work_without_the_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Plain:
        """Draws in which nothing is renamed."""

        def __init__(self, *stream: int) -> None:
            self._rng, self._named = np.random.default_rng([*JUDGE.SALT, *stream]), stream[0] == 1

        def __getattr__(self, name: str) -> Any:
            return np.arange if self._named and name == "permutation" else getattr(self._rng, name)

    monkeypatch.setattr(JUDGE, "_generator", Plain)
    assert attack("plain_arithmetic.py", tmp_path / "plain") == 1.0
    assert attack("mirror.py", tmp_path / "mirror") > 0.3


def test_replaying_the_names_would_work_with_the_salt(tmp_path: Path) -> None:
    place = tmp_path / "run"
    full = arrange(TEMPLATE, JUDGE, place, {}, 9)
    (place / "salt.json").write_text(json.dumps(JUDGE.SALT))
    execute(GROKKING / "cheats/replay_names.py", place)
    assert JUDGE.score(place / "outputs", "final", full, 9)["accuracy"] == 1.0


def test_asking_the_evaluator_and_copying_would_work_without_the_sandbox(tmp_path: Path) -> None:
    for name in ("evaluate.py", "salt.txt"):
        shutil.copy(GROKKING / name, tmp_path)
    assert attack("import_evaluator.py", tmp_path / "import" / "run") == 1.0
    assert attack("copy_other_runs.py", tmp_path / "copy" / "run") == 1.0


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    if not bubblewrap_works()[0]:
        pytest.skip("bubblewrap does not work here")
    sandbox = choose_sandbox("bubblewrap", TEMPLATE.hide)
    with Bench.local(TEMPLATE, sandbox, tmp_path_factory.mktemp("scratch") / "bench", 1) as ready:
        yield ready


def test_attacks_earn_nothing_in_the_sandbox(bench: Bench) -> None:
    # An honest run first: what it leaves behind is what `copy_other_runs` looks for.
    with bench.run(TEMPLATE.defaults, 0, ("keep",)) as outcome:
        assert outcome.status == "ok"
        assert outcome.metrics["keep"]["accuracy"] > 0.4
    before = TEMPLATE.fingerprint()
    for path in CHEATS:
        with bench.run(TEMPLATE.defaults, 0, ("keep",), {"train.py": path.read_bytes()}) as outcome:
            (end,) = EXPECTED[path.name]
            if end == "chance":
                assert outcome.status == "ok", path.name
                assert outcome.metrics["keep"]["accuracy"] <= chance(), path.name
            elif end == "failed":
                assert outcome.status == "failed"
                assert "out of reach" in outcome.reason
            else:
                assert outcome.status in ("invalid", "output"), path.name
    assert TEMPLATE.fingerprint() == before
