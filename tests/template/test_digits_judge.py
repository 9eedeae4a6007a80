"""The sealed evaluator of `digits`: its metrics are right, and it takes nothing but honest artefacts."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference
from template_runs import DIGITS, evaluator

from scientist.template import SPLITS, load_template

TEMPLATE = load_template(DIGITS)
JUDGE = evaluator(DIGITS)
DATASETS = TEMPLATE.knob("dataset").choices


def honest(dataset: str = "wine", seed: int = 0) -> dict[str, np.ndarray]:
    data, rng = JUDGE._load(dataset), np.random.default_rng(seed)
    return {split: rng.dirichlet(np.ones(data.classes), len(data.rows[split])) for split in SPLITS}


def judged(outputs: Path, split: str = "keep", dataset: str = "wine") -> dict[str, float]:
    return dict(JUDGE.score(outputs, split, TEMPLATE.complete({"dataset": dataset}), 0))


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from(DATASETS), st.sampled_from(SPLITS))
def test_metrics_agree_with_their_definitions(tmp_path_factory: Any, seed: int, dataset: str, split: str) -> None:
    outputs = tmp_path_factory.mktemp("outputs")
    p = honest(dataset, seed)
    np.savez(outputs / "predictions.npz", **p)
    found, data = judged(outputs, split, dataset), JUDGE._load(dataset)
    y, p_split = data.y[data.rows[split]], p[split]
    guess, every = p_split.argmax(axis=1), list(range(data.classes))
    assert found["accuracy"] == pytest.approx(reference.accuracy_score(y, guess))
    assert found["balanced_accuracy"] == pytest.approx(reference.balanced_accuracy_score(y, guess))
    floor = np.maximum(p_split, 1e-4)[np.arange(len(y)), y]
    assert found["log_loss"] == pytest.approx(-np.log(floor).mean())
    if floor.min() > 1e-4:
        assert found["log_loss"] == pytest.approx(reference.log_loss(y, p_split, labels=every))
    assert found["brier"] == pytest.approx(
        np.mean([((q - np.eye(data.classes)[t]) ** 2).sum() for q, t in zip(p_split, y, strict=True)])
    )
    gaps = 0.0
    for low in range(10):
        confidence = p_split.max(axis=1)
        inside = (confidence >= low / 10) & ((confidence < (low + 1) / 10) | (low == 9))
        gaps += abs((guess == y)[inside].sum() - confidence[inside].sum())
    assert found["ece"] == pytest.approx(gaps / len(y))


def test_a_perfect_prediction_is_perfect(tmp_path: Path) -> None:
    data = JUDGE._load("wine")
    np.savez(tmp_path / "predictions.npz", **{s: np.eye(3)[data.y[data.rows[s]]] for s in SPLITS})
    perfect = {"accuracy": 1.0, "balanced_accuracy": 1.0, "log_loss": 0.0, "brier": 0.0, "ece": 0.0}
    assert judged(tmp_path) == pytest.approx(perfect)


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "fortran", "stored"])
def test_honest_forms_of_an_artefact_are_taken(kind: str, tmp_path: Path) -> None:
    p = honest()
    save = np.savez if kind == "stored" else np.savez_compressed
    if kind.startswith("float"):
        p = {split: array.astype(kind) for split, array in p.items()}
    if kind == "fortran":
        p = {split: np.asfortranarray(array) for split, array in p.items()}
    save(tmp_path / "predictions.npz", **p)
    np.savez(tmp_path / "plain.npz", **honest())
    (tmp_path / "other").mkdir()
    (tmp_path / "plain.npz").rename(tmp_path / "other/predictions.npz")
    assert judged(tmp_path) == pytest.approx(judged(tmp_path / "other"), abs=2e-3)


def replaced(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    def write(outputs: Path) -> None:
        p: dict[str, Any] = honest()
        change(p)
        np.savez_compressed(outputs / "predictions.npz", **p)

    return write


def put(split: str, value: float) -> Callable[[dict[str, Any]], None]:
    def change(p: dict[str, Any]) -> None:
        p[split][0, 0] = value

    return change


def archive(
    method: int = zipfile.ZIP_DEFLATED, alter: Callable[[bytes], bytes] = bytes, twice: bool = False
) -> Callable[[Path], None]:
    """An archive written by hand, its members changed by `alter`."""

    def write(outputs: Path) -> None:
        np.savez(outputs / "honest.npz", **honest())
        with (
            zipfile.ZipFile(outputs / "honest.npz") as source,
            zipfile.ZipFile(outputs / "predictions.npz", "w", method) as target,
        ):
            for name in source.namelist() * (2 if twice else 1):
                target.writestr(name, alter(source.read(name)))

    return write


def shrunk_declaration(outputs: Path) -> None:
    """A member that inflates to a megabyte, although the archive declares a few bytes."""
    path = outputs / "predictions.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for split in SPLITS:
            target.writestr(f"{split}.npy", bytes(1 << 20))
    raw = path.read_bytes().replace((1 << 20).to_bytes(4, "little"), (700).to_bytes(4, "little"))
    path.write_bytes(raw)


def folder_linked(outputs: Path) -> None:
    (outputs.parent / "elsewhere").mkdir()
    np.savez(outputs.parent / "elsewhere/predictions.npz", **honest())
    outputs.rmdir()
    outputs.symlink_to(outputs.parent / "elsewhere")


def linked(outputs: Path) -> None:
    np.savez(outputs.parent / "real.npz", **honest())
    (outputs / "predictions.npz").symlink_to(outputs.parent / "real.npz")


def shape_claim(raw: bytes) -> bytes:
    old = re.search(rb"\(\d+, 3\)", raw)
    assert old is not None
    new = b"(999999, 3)"
    return raw.replace(old[0] + b", }" + b" " * (len(new) - len(old[0])), new + b", }", 1)


BAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "missing": (lambda outputs: None, "cannot be opened"),
    "a folder": (lambda outputs: (outputs / "predictions.npz").mkdir(), "not a plain file"),
    "a pipe": (lambda outputs: os.mkfifo(outputs / "predictions.npz"), "not a plain file"),
    "a link": (linked, "cannot be opened"),
    "a linked folder": (folder_linked, "is a link"),
    "too large": (lambda outputs: (outputs / "predictions.npz").write_bytes(bytes(2 << 20)) and None, "more than"),
    "no archive": (lambda outputs: (outputs / "predictions.npz").write_bytes(b"accuracy: 1.0") and None, "archive"),
    "NaN": (replaced(put("keep", np.nan)), "not finite"),
    "infinity": (replaced(put("keep", np.inf)), "not finite"),
    "NaN elsewhere": (replaced(put("final", np.nan)), "not finite"),
    "negative": (replaced(lambda p: p["keep"].__setitem__(0, [-0.5, 1.0, 0.5])), "no probabilities"),
    "above one": (replaced(lambda p: p["keep"].__imul__(2)), "no probabilities"),
    "all zero": (replaced(lambda p: p["keep"].__imul__(0)), "no probabilities"),
    "too few rows": (replaced(lambda p: p.update(keep=p["keep"][:-1])), "shape"),
    "too few columns": (replaced(lambda p: p.update(keep=p["keep"][:, :2])), "shape"),
    "three dimensions": (replaced(lambda p: p.update(keep=p["keep"][None])), "two-dimensional"),
    "whole numbers": (replaced(lambda p: p.update(keep=np.eye(3, dtype=int)[[0] * 32])), "not floating-point"),
    "complex": (replaced(lambda p: p.update(keep=p["keep"] + 0j)), "not floating-point"),
    "words": (replaced(lambda p: p.update(keep=np.full((32, 3), "1"))), "not floating-point"),
    "objects": (replaced(lambda p: p.update(keep=p["keep"].astype(object))), "two-dimensional|not floating"),
    "a split too few": (replaced(lambda p: p.pop("final") is None), "exactly the arrays"),
    "a split too many": (replaced(lambda p: p.update(extra=p["keep"])), "exactly the arrays"),
    "a name twice": (archive(twice=True), "exactly the arrays"),
    "bzip2": (archive(zipfile.ZIP_BZIP2), "unusual"),
    "lzma": (archive(zipfile.ZIP_LZMA), "unusual"),
    "inflates too far": (archive(alter=lambda raw: raw + bytes(1 << 20)), "larger than"),
    "padded": (archive(alter=lambda raw: raw + bytes(8)), "cut short or padded"),
    "cut short": (archive(alter=lambda raw: raw[:-8]), "cut short or padded"),
    "not an array": (archive(alter=lambda raw: b"GIF89a" + raw[6:]), "not a NumPy array file"),
    "claims more rows": (archive(alter=shape_claim), "shape"),
    "declares less than it holds": (shrunk_declaration, "archive"),
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


@settings(max_examples=150, deadline=None)
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
    code = (DIGITS / "evaluate.py").read_text(encoding="utf-8")
    assert not re.search(r"^\s*(import|from)\s+(train|pickle|subprocess|scientist)\b", code, re.MULTILINE)
