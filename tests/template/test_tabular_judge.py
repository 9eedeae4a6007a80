"""The sealed evaluator of `tabular`: its metrics are right, its field is fixed, and it takes nothing but honest artefacts."""

from __future__ import annotations

import json
import math
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference
from template_runs import ROOT, evaluator

from scientist.template import SPLITS, load_template

TABULAR = ROOT / "templates" / "tabular"
TEMPLATE = load_template(TABULAR)
JUDGE = evaluator(TABULAR)
DATASETS = TEMPLATE.knob("dataset").choices
FIELD = json.loads((TABULAR / "field.json").read_text(encoding="utf-8"))


def field_maker() -> ModuleType:
    import importlib.util

    spec = importlib.util.spec_from_file_location("make_field", TABULAR / "make_field.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def honest(dataset: str = "wine", seed: int = 0) -> dict[str, np.ndarray]:
    data, rng = JUDGE.tables.load(dataset), np.random.default_rng(seed)
    return {split: rng.dirichlet(np.ones(data.classes), len(data.rows[split])) for split in SPLITS}


def judged(outputs: Path, split: str = "keep", dataset: str = "wine") -> dict[str, float]:
    return dict(JUDGE.score(outputs, split, TEMPLATE.complete({"dataset": dataset}), 0))


def field_runs(dataset: str, split: str) -> np.ndarray:
    return np.concatenate([values for values in FIELD["skill"][dataset][split].values()])


# Metrics


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from(DATASETS), st.sampled_from(SPLITS))
def test_metrics_agree_with_their_definitions(tmp_path_factory: Any, seed: int, dataset: str, split: str) -> None:
    outputs = tmp_path_factory.mktemp("outputs")
    p = honest(dataset, seed)
    np.savez(outputs / "predictions.npz", **p)
    found, data = judged(outputs, split, dataset), JUDGE.tables.load(dataset)
    y, p_split = data.y[data.rows[split]], p[split]
    every = list(range(data.classes))
    floored = np.maximum(p_split, 1e-3)[np.arange(len(y)), y]
    assert found["log_loss"] == pytest.approx(-np.log(floored).mean())
    if floored.min() > 1e-3:
        assert found["log_loss"] == pytest.approx(reference.log_loss(y, p_split, labels=every))
    share = np.bincount(y) / len(y)
    constant = reference.log_loss(y, np.tile(share, (len(y), 1)), labels=every)
    assert found["skill"] == pytest.approx(1 - found["log_loss"] / constant)
    assert found["accuracy"] == pytest.approx(reference.accuracy_score(y, p_split.argmax(axis=1)))
    areas = [reference.roc_auc_score(y == c, p_split[:, c].round(9)) for c in every]
    assert found["auc"] == pytest.approx(np.mean(areas))


def test_ties_count_half_in_the_area(tmp_path: Path) -> None:
    data = JUDGE.tables.load("wine")
    coarse = {split: np.round(p * 2) + 0.01 for split, p in honest().items()}
    coarse = {split: p / p.sum(axis=1, keepdims=True) for split, p in coarse.items()}
    np.savez(tmp_path / "predictions.npz", **coarse)
    y = data.y[data.rows["keep"]]
    expected = np.mean([reference.roc_auc_score(y == c, coarse["keep"][:, c].round(9)) for c in range(3)])
    assert judged(tmp_path)["auc"] == pytest.approx(expected)


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_perfect_prediction_wins_gold_and_no_constant_wins_anything(dataset: str, tmp_path: Path) -> None:
    data = JUDGE.tables.load(dataset)
    np.savez(tmp_path / "predictions.npz", **{s: np.eye(data.classes)[data.y[data.rows[s]]] for s in SPLITS})
    perfect = {"skill": 1.0, "log_loss": 0.0, "accuracy": 1.0, "auc": 1.0, "beaten": 1.0, "medal": 1.0, "gold": 1.0}
    for split in SPLITS:
        assert judged(tmp_path, split, dataset) == pytest.approx(perfect)
    rng = np.random.default_rng(0)
    for split in SPLITS:
        share = np.bincount(data.y[data.rows[split]]) / len(data.rows[split])
        guesses = [share, np.ones(data.classes) / data.classes, *rng.dirichlet(np.ones(data.classes), 20)]
        for guess in guesses:
            np.savez(tmp_path / "predictions.npz", **{s: np.tile(guess, (len(data.rows[s]), 1)) for s in SPLITS})
            found = judged(tmp_path, split, dataset)
            assert found["skill"] <= 0
            assert str(found["skill"]) != "-0.0"
            assert found["auc"] == 0.5
            assert found["medal"] == found["gold"] == 0
        np.savez(tmp_path / "predictions.npz", **{s: np.tile(share, (len(data.rows[s]), 1)) for s in SPLITS})
        assert judged(tmp_path, split, dataset)["skill"] == 0


@settings(max_examples=30)
@given(st.floats(0, 1), st.sampled_from(DATASETS), st.sampled_from(SPLITS))
def test_medals_are_shares_of_the_field_beaten(tmp_path_factory: Any, weight: float, dataset: str, split: str) -> None:
    outputs, data = tmp_path_factory.mktemp("outputs"), JUDGE.tables.load(dataset)
    p = {s: weight * np.eye(data.classes)[data.y[data.rows[s]]] + (1 - weight) / data.classes for s in SPLITS}
    np.savez(outputs / "predictions.npz", **p)
    found, runs = judged(outputs, split, dataset), field_runs(dataset, split)
    assert found["beaten"] == sum(run < found["skill"] for run in runs) / len(runs)
    assert (found["medal"], found["gold"]) == (found["beaten"] >= 0.5, found["beaten"] >= 0.9)


def test_honest_probabilities_are_the_best_policy(tmp_path: Path) -> None:
    """A proper score: of all that can be said about a coin of known bias, its bias earns most on average."""
    truth = np.array([0.6, 0.3, 0.1])

    def expected(said: np.ndarray) -> float:
        rows = np.tile(said, (3, 1))
        return -sum(truth[c] * JUDGE._log_loss(rows[[c]], np.array([c])) for c in range(3))

    rng = np.random.default_rng(0)
    assert all(expected(said) < expected(truth) for said in rng.dirichlet(np.ones(3), 200))


# The field


def test_the_field_was_made_with_these_tables_and_by_these_baselines() -> None:
    maker = field_maker()
    assert FIELD["tables"] == maker.tables_hash(JUDGE.tables)
    assert FIELD["knobs"] == {name: TEMPLATE.defaults[name] for name in FIELD["knobs"]}
    assert set(FIELD["knobs"]) == {k.name for k in TEMPLATE.knobs if k.applies == "data"} - {"dataset"}
    assert sorted(FIELD["skill"]) == sorted(DATASETS)
    for splits in FIELD["skill"].values():
        assert tuple(splits) == SPLITS
        for field in splits.values():
            assert len(field) >= 12
            assert {len(values) for values in field.values()} == {FIELD["seeds"]}
    for dataset in ("wine", "survey"):
        for entrant in ("logistic regression", "weighted neighbours"):
            again = maker.compete(JUDGE, dataset, maker.SEEDS[3], entrant)[entrant]
            kept = {split: FIELD["skill"][dataset][split][entrant][3] for split in SPLITS}
            assert again == pytest.approx(kept, abs=2e-3)


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_field_spans_from_guessing_to_something_good(dataset: str) -> None:
    means = {entrant: np.mean(values) for entrant, values in FIELD["skill"][dataset]["keep"].items()}
    assert abs(means["class frequencies"]) < 0.01
    assert max(means.values()) > 0.1
    assert means["logistic regression, penalty by cross-validation"] > 0.05
    facts = JUDGE.describe(TEMPLATE.complete({"dataset": dataset}))
    assert 0 < facts["bronze"] < facts["silver"] < facts["gold"] < 1
    assert facts["field"] == len(means)
    assert facts["majority"] == 0.0
    runs = field_runs(dataset, "keep")
    for medal, share in JUDGE.MEDALS.items():
        assert abs((runs < facts[medal] + 1e-4).mean() - share) < 0.01


# Artefacts


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "fortran", "stored"])
def test_honest_forms_of_an_artefact_are_taken(kind: str, tmp_path: Path) -> None:
    p = honest()
    save = np.savez if kind == "stored" else np.savez_compressed
    if kind.startswith("float"):
        p = {split: array.astype(kind) for split, array in p.items()}
    if kind == "fortran":
        p = {split: np.asfortranarray(array) for split, array in p.items()}
    save(tmp_path / "predictions.npz", **p)
    (tmp_path / "other").mkdir()
    np.savez(tmp_path / "other/predictions.npz", **honest())
    assert judged(tmp_path) == pytest.approx(judged(tmp_path / "other"), abs=4e-3)


def replaced(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    def write(outputs: Path) -> None:
        p: dict[str, Any] = honest()
        change(p)
        np.savez_compressed(outputs / "predictions.npz", **p)

    return write


def put(split: str, *row: float) -> Callable[[Path], object]:
    return replaced(lambda p: p[split].__setitem__(0, row))


def archive(method: int = zipfile.ZIP_DEFLATED, alter: Callable[[bytes], bytes] = bytes, times: int = 1) -> Any:
    """An archive written by hand, its members changed by `alter`."""

    def write(outputs: Path) -> None:
        np.savez(outputs / "honest.npz", **honest())
        with (
            zipfile.ZipFile(outputs / "honest.npz") as source,
            zipfile.ZipFile(outputs / "predictions.npz", "w", method) as target,
        ):
            for name in source.namelist() * times:
                target.writestr(name, alter(source.read(name)))

    return write


def linked(outputs: Path) -> None:
    np.savez(outputs.parent / "real.npz", **honest())
    (outputs / "predictions.npz").symlink_to(outputs.parent / "real.npz")


def folder_linked(outputs: Path) -> None:
    (outputs.parent / "elsewhere").mkdir()
    np.savez(outputs.parent / "elsewhere/predictions.npz", **honest())
    outputs.rmdir()
    outputs.symlink_to(outputs.parent / "elsewhere")


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda outputs: None, "cannot be opened"),
    "a folder": (lambda outputs: (outputs / "predictions.npz").mkdir(), "not a plain file"),
    "a pipe": (lambda outputs: os.mkfifo(outputs / "predictions.npz"), "not a plain file"),
    "a link": (linked, "cannot be opened"),
    "a linked folder": (folder_linked, "is a link"),
    "too large": (lambda outputs: (outputs / "predictions.npz").write_bytes(bytes(2 << 20)), "more than"),
    "no archive": (lambda outputs: (outputs / "predictions.npz").write_bytes(b"medal: gold"), "archive"),
    "NaN": (put("keep", math.nan, 0.5, 0.5), "not finite"),
    "infinity": (put("keep", math.inf, 0, 0), "not finite"),
    "NaN in another split": (put("final", math.nan, 0.5, 0.5), "not finite"),
    "negative": (put("keep", -0.5, 1.0, 0.5), "no probabilities"),
    "above one": (replaced(lambda p: p["keep"].__imul__(2)), "no probabilities"),
    "all one": (put("keep", 1, 1, 1), "no probabilities"),
    "all zero": (put("keep", 0, 0, 0), "no probabilities"),
    "too few rows": (replaced(lambda p: p.update(keep=p["keep"][:-1])), "shape"),
    "too few columns": (replaced(lambda p: p.update(keep=p["keep"][:, :2])), "shape"),
    "three dimensions": (replaced(lambda p: p.update(keep=p["keep"][None])), "two-dimensional"),
    "class numbers": (replaced(lambda p: p.update(keep=p["keep"].argmax(axis=1))), "two-dimensional"),
    "whole numbers": (replaced(lambda p: p.update(keep=np.eye(3, dtype=int)[[0] * 32])), "not floating-point"),
    "complex": (replaced(lambda p: p.update(keep=p["keep"] + 0j)), "not floating-point"),
    "words": (replaced(lambda p: p.update(keep=np.full((32, 3), "1"))), "not floating-point"),
    "objects": (replaced(lambda p: p.update(keep=p["keep"].astype(object))), "two-dimensional|not floating"),
    "a split too few": (replaced(lambda p: p.pop("final")), "exactly the arrays"),
    "a split too many": (replaced(lambda p: p.update(extra=p["keep"])), "exactly the arrays"),
    "a name twice": (archive(times=2), "exactly the arrays"),
    "bzip2": (archive(zipfile.ZIP_BZIP2), "unusual"),
    "lzma": (archive(zipfile.ZIP_LZMA), "unusual"),
    "inflates too far": (archive(alter=lambda raw: raw + bytes(1 << 20)), "larger than"),
    "padded": (archive(alter=lambda raw: raw + bytes(8)), "cut short or padded"),
    "cut short": (archive(alter=lambda raw: raw[:-8]), "cut short or padded"),
    "not an array": (archive(alter=lambda raw: b"GIF89a" + raw[6:]), "not a NumPy array file"),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
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


def test_the_evaluator_imports_neither_candidate_nor_anything_dangerous() -> None:
    for name in ("evaluate.py", "tables.py"):
        code = (TABULAR / name).read_text(encoding="utf-8")
        assert not re.search(r"^\s*(import|from)\s+(train|pickle|subprocess|scientist)\b", code, re.MULTILINE)
