"""The template `digits`: what the evaluator prepares, and what the candidate does with it."""

from __future__ import annotations

import importlib
import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from template_runs import DIGITS, arrange, evaluator, execute, run

from scientist.lab import KnobValue
from scientist.template import SPLITS, Knob, load_template

TEMPLATE = load_template(DIGITS)
JUDGE = evaluator(DIGITS)
DATASETS = TEMPLATE.knob("dataset").choices
TOPICS = {
    "label-noise", "feature-noise", "sample-size", "learning-curves", "regularisation", "model-comparison",
    "random-forest", "boosting-bagging", "svm", "knn", "naive-bayes", "logistic-regression", "neural-networks",
    "augmentation", "calibration", "hyperparameter-optimisation", "statistics-of-comparison", "reproducibility",
    "imbalance", "feature-scaling", "dimensionality-reduction", "transfer-across-datasets",
    "interaction-of-factors", "datasets",
}  # fmt: skip


def prepared(folder: Path, partial: dict[str, KnobValue], seed: int = 0) -> dict[str, Any]:
    """What `prepare` wrote, as arrays by 'file.array'."""
    JUDGE.prepare(folder, TEMPLATE.complete(partial), seed)
    found: dict[str, Any] = {}
    for name in ("train", "features"):
        with np.load(folder / f"{name}.npz") as file:
            found |= {f"{name}.{key}": file[key] for key in file.files}
    return found


def rows(x: np.ndarray) -> set[bytes]:
    return {row.tobytes() for row in x}


# What is declared


def test_every_knob_says_why_in_words_and_names_real_sources() -> None:
    texts = [TEMPLATE.background, TEMPLATE.summary, *(knob.why for knob in TEMPLATE.knobs)]
    assert not [text for text in texts if re.search(r"\d", text)]
    assert {topic for knob in TEMPLATE.knobs for topic in knob.topics} <= TOPICS
    for name in {name for knob in TEMPLATE.knobs for name in knob.api}:
        module, _, thing = name.rpartition(".")
        assert getattr(importlib.import_module(module), thing).__doc__, name


def test_what_is_declared_warm_can_be_imported_and_metrics_are_what_the_evaluator_returns(tmp_path: Path) -> None:
    for module in TEMPLATE.warm:
        importlib.import_module(module)
    assert set(run(DIGITS, JUDGE, tmp_path / "run", {})) == {metric.name for metric in TEMPLATE.metrics}


def test_knobs_have_a_dose_series_where_they_are_numbers() -> None:
    def fine(knob: Knob) -> bool:
        levels = [float(level) for level in knob.levels]
        return len(levels) >= 3 and levels == sorted(levels)

    assert all(fine(knob) for knob in TEMPLATE.knobs if knob.type in ("int", "float"))


# The data


@pytest.mark.parametrize("dataset", DATASETS)
def test_facts_agree_with_the_data(dataset: str, tmp_path: Path) -> None:
    facts = JUDGE.describe(TEMPLATE.complete({"dataset": dataset}))
    found = prepared(tmp_path, {"dataset": dataset})
    assert facts["examples"] == facts["train"] + sum(facts[split] for split in SPLITS)
    for split in SPLITS:
        assert found[f"features.{split}"].shape == (facts[split], facts["features"])
    assert set(found["train.y"]) == set(range(facts["classes"]))
    assert 1 / facts["classes"] <= facts["majority"] < 0.65
    data = JUDGE._load(dataset)
    parts = [data.pool, *(data.rows[split] for split in SPLITS)]
    assert sorted(np.concatenate(parts)) == list(range(facts["examples"])), "disjoint, and nothing is lost"
    share = np.bincount(data.y) / len(data.y)
    for part in parts:
        counts = np.bincount(data.y[part], minlength=facts["classes"])
        assert np.abs(counts - share * len(part)).max() <= 2, "stratified"


def test_default_and_levels_of_the_training_size_suit_every_data_set(tmp_path: Path) -> None:
    knob = TEMPLATE.knob("train_size")
    for dataset in DATASETS:
        for size in (knob.default, *knob.levels):
            facts = JUDGE.describe(TEMPLATE.complete({"dataset": dataset, "train_size": size}))
            assert facts["train"] > size
    too_many = TEMPLATE.complete({"dataset": "wine", "train_size": 200})
    for act in (lambda: JUDGE.describe(too_many), lambda: JUDGE.prepare(tmp_path, too_many, 0)):
        with pytest.raises(ValueError, match="train_size 200 is more than the 90 training examples of wine"):
            act()


def test_the_threshold_of_diabetes_looks_at_the_pool_only() -> None:
    from sklearn.datasets import load_diabetes

    data, target = JUDGE._load("diabetes"), load_diabetes(scaled=False).target
    assert np.array_equal(data.y, target > np.median(target[data.pool]))


@pytest.mark.parametrize("dataset", DATASETS)
def test_hidden_labels_are_not_in_the_inputs(dataset: str, tmp_path: Path) -> None:
    found = prepared(tmp_path, {"dataset": dataset, "label_noise": 0.2})
    data = JUDGE._load(dataset)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["features.npz", "meta.json", "train.npz"]
    assert set(found) == {"train.x", "train.y", *(f"features.{split}" for split in SPLITS)}
    assert set(json.loads((tmp_path / "meta.json").read_text())) == {"dataset", "classes", "image"}
    assert found["train.y"].shape == (80,)
    assert rows(found["train.x"]) <= rows(data.x[data.pool].astype(np.float32))
    for split in SPLITS:
        x, y = found[f"features.{split}"], data.y[data.rows[split]]
        assert np.array_equal(x, data.x[data.rows[split]].astype(np.float32)), "features only, in the judge's order"
        # Position must not betray the class: neighbours in the file agree about as often as any two examples.
        agree = (y[1:] == y[:-1]).mean()
        expected = ((np.bincount(y) / len(y)) ** 2).sum()
        assert abs(agree - expected) < 5 * np.sqrt(expected * (1 - expected) / len(y))


def test_inputs_follow_from_the_seed_alone(tmp_path: Path) -> None:
    knobs: dict[str, KnobValue] = {"label_noise": 0.2, "feature_noise": 0.5, "class_imbalance": 0.5}
    for folder, seed in (("a", 3), ("b", 3), ("c", 4)):
        prepared(tmp_path / folder, knobs, seed)
    for name in ("train.npz", "features.npz"):
        a, b, c = ((tmp_path / folder / name).read_bytes() for folder in "abc")
        assert a == b
        assert a != c


def test_the_clean_test_sets_are_the_same_for_every_seed_and_method(tmp_path: Path) -> None:
    prepared(tmp_path / "a", {"train_size": 20}, 1)
    prepared(tmp_path / "b", {"model": "knn", "label_noise": 0.4}, 2)
    assert (tmp_path / "a/features.npz").read_bytes() == (tmp_path / "b/features.npz").read_bytes()


def test_doses_are_nested_so_that_differences_are_paired(tmp_path: Path) -> None:
    few, many = (prepared(tmp_path / str(n), {"train_size": n}) for n in (20, 80))
    assert np.array_equal(few["train.x"], many["train.x"][:20])
    low, high = (prepared(tmp_path / f"l{p}", {"label_noise": p}) for p in (0.1, 0.4))
    wrong = [found["train.y"] != many["train.y"] for found in (low, high)]
    assert [flips.sum() for flips in wrong] == [8, 32]
    assert (wrong[0] <= wrong[1]).all()
    half, whole = (prepared(tmp_path / f"f{s}", {"feature_noise": s}) for s in (0.5, 1.0))
    for key in ("train.x", "features.keep"):
        assert np.allclose(whole[key] - many[key], 2 * (half[key] - many[key]), atol=1e-4)


def test_feature_noise_has_the_declared_spread(tmp_path: Path) -> None:
    clean = prepared(tmp_path / "a", {"dataset": "breast_cancer"})["features.keep"]
    noisy = prepared(tmp_path / "b", {"dataset": "breast_cancer", "feature_noise": 1.0})["features.keep"]
    data = JUDGE._load("breast_cancer")
    spread = (noisy - clean).std(axis=0) / data.x[data.pool].std(axis=0)
    assert abs(spread.mean() - 1) < 0.05


def test_label_noise_hits_every_other_class_alike(tmp_path: Path) -> None:
    steps: list[int] = []
    for seed in range(40):
        clean = prepared(tmp_path / f"c{seed}", {}, seed)["train.y"]
        noisy = prepared(tmp_path / f"n{seed}", {"label_noise": 0.5}, seed)["train.y"]
        steps += list((noisy - clean)[noisy != clean] % 10)
    counts = np.bincount(steps, minlength=10)
    assert counts[0] == 0
    assert counts.sum() == 40 * 40
    expected = counts.sum() / 9
    assert ((counts[1:] - expected) ** 2 / expected).sum() < 26.1, "chi-square, 8 degrees of freedom, p = 0.001"


@pytest.mark.parametrize("dataset", DATASETS)
def test_imbalance_thins_half_of_the_classes_and_never_removes_one(dataset: str, tmp_path: Path) -> None:
    full = prepared(tmp_path / "full", {"dataset": dataset})["train.y"]
    thin = prepared(tmp_path / "thin", {"dataset": dataset, "class_imbalance": 0.75})["train.y"]
    before, after = np.bincount(full), np.bincount(thin, minlength=full.max() + 1)
    changed = after < before
    assert changed.sum() == len(before) // 2
    assert np.array_equal(after[~changed], before[~changed])
    assert np.abs(after[changed] - before[changed] / 4).max() <= 0.75
    least = prepared(tmp_path / "least", {"dataset": dataset, "class_imbalance": 0.9, "train_size": 20})["train.y"]
    assert set(least) == set(full)


# The candidate


def cases() -> list[dict[str, KnobValue]]:
    """Every level of every knob, each in a setting in which it acts."""
    found = []
    for knob in TEMPLATE.knobs:
        for value in knob.levels or knob.choices:
            setting: dict[str, KnobValue] = {knob.name: value}
            for other, values in knob.only_with.items():
                if TEMPLATE.defaults[other] not in values:
                    setting[other] = values[0]
            found.append(setting)
    return found


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("model", TEMPLATE.knob("model").choices)
def test_every_family_learns_every_data_set(model: str, dataset: str, tmp_path: Path) -> None:
    scores = run(DIGITS, JUDGE, tmp_path / "run", {"model": model, "dataset": dataset})
    facts = JUDGE.describe(TEMPLATE.complete({"dataset": dataset}))
    chance = facts["majority"]
    assert scores["accuracy"] > chance + 3 * np.sqrt(chance * (1 - chance) / facts["keep"])
    assert scores["brier"] < 1 - 1 / facts["classes"], "better than a uniform guess"
    assert (tmp_path / "run/outputs/predictions.npz").stat().st_size < 20_000


@pytest.mark.parametrize("setting", cases(), ids=str)
def test_every_level_of_every_knob_runs(setting: dict[str, KnobValue], tmp_path: Path) -> None:
    facts = JUDGE.describe(TEMPLATE.complete(setting))
    assert run(DIGITS, JUDGE, tmp_path / "run", setting)["accuracy"] > facts["majority"]


def test_the_hardest_corners_run(tmp_path: Path) -> None:
    worst: dict[str, KnobValue] = {"train_size": 20, "class_imbalance": 0.9, "label_noise": 0.5, "feature_noise": 2.0}
    for number, model in enumerate(TEMPLATE.knob("model").choices):
        for dataset in ("digits", "wine"):
            more: dict[str, KnobValue] = {"model": model, "dataset": dataset, "bagging": 3, "calibration": "isotonic"}
            scores = run(DIGITS, JUDGE, tmp_path / f"{number}-{dataset}", {**worst, **more, "augment": 1})
            assert all(np.isfinite(value) for value in scores.values())


def test_method_knobs_change_the_predictions_and_row_order_only_the_luck(tmp_path: Path) -> None:
    base = tmp_path / "base"
    run(DIGITS, JUDGE, base, {})
    default = (base / "outputs/predictions.npz").read_bytes()
    for number, setting in enumerate(cases()):
        (name, value), *_ = setting.items()
        knob = TEMPLATE.knob(name)
        # Weighting by class frequency can do nothing where the classes are equally frequent.
        if knob.applies == "data" or value == knob.default or name in ("row_order", "class_weight"):
            continue
        run(DIGITS, JUDGE, tmp_path / str(number), setting)
        assert (tmp_path / str(number) / "outputs/predictions.npz").read_bytes() != default, setting
    honest = run(DIGITS, JUDGE, tmp_path / "ordered", {})
    for order in (1, 2, 3):
        assert run(DIGITS, JUDGE, tmp_path / f"order-{order}", {"row_order": order})["accuracy"] == honest["accuracy"]
    thin: dict[str, KnobValue] = {"class_imbalance": 0.9, "class_weight": "balanced"}
    for model in TEMPLATE.knob("class_weight").only_with["model"]:
        plain = run(DIGITS, JUDGE, tmp_path / f"p-{model}", {**thin, "model": model, "class_weight": "none"})
        assert run(DIGITS, JUDGE, tmp_path / f"w-{model}", {**thin, "model": model}) != plain


def test_more_wrong_labels_hurt(tmp_path: Path) -> None:
    def mean(noise: float) -> float:
        runs = (run(DIGITS, JUDGE, tmp_path / f"{noise}-{s}", {"label_noise": noise}, s) for s in range(6))
        return float(np.mean([scores["accuracy"] for scores in runs]))

    assert mean(0.0) - 0.04 > mean(0.2) > mean(0.4) + 0.04


@pytest.mark.parametrize("model", ["random_forest", "mlp"])
def test_a_run_is_the_same_in_a_process_of_its_own(model: str, tmp_path: Path) -> None:
    setting: dict[str, KnobValue] = {"model": model, "bagging": 3, "calibration": "sigmoid", "augment": 1}
    for name in ("here", "there"):
        arrange(TEMPLATE, JUDGE, tmp_path / name, setting, 7)
    said = execute(DIGITS / "train.py", tmp_path / "here")
    done = subprocess.run(
        [sys.executable, str(DIGITS / "train.py")],
        cwd=tmp_path / "there",
        env={"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == said
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
    here, there = ((tmp_path / name / "outputs/predictions.npz").read_bytes() for name in ("here", "there"))
    assert here == there
    run(DIGITS, JUDGE, tmp_path / "else", setting, 8)
    assert (tmp_path / "else/outputs/predictions.npz").read_bytes() != here


def test_images_move_by_at_most_a_pixel_and_tables_a_little() -> None:
    module = runpy.run_path(str(DIGITS / "train.py"))
    image = np.zeros((50, 8, 8), dtype=np.float32)
    image[:, 3, 4] = 1
    moved = module["jitter"](image.reshape(50, 64), (8, 8), np.random.default_rng(0)).reshape(50, 8, 8)
    places = np.argwhere(moved)
    assert len(places) == 50
    offsets = places[:, 1:] - [3, 4]
    assert set(offsets.ravel()) == {-1, 0, 1}
    table = np.random.default_rng(1).normal(size=(400, 3)).astype(np.float32)
    shaken = module["jitter"](table, None, np.random.default_rng(0)) - table
    assert abs(shaken.std() - module["JITTER"]) < 0.02
