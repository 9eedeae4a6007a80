"""The template `tabular`: what the evaluator prepares, and what the candidate does with it."""

from __future__ import annotations

import importlib
import itertools
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
from template_runs import ROOT, arrange, evaluator, execute, run

from scientist.lab import KnobValue
from scientist.template import SPLITS, Knob, load_template

TABULAR = ROOT / "templates" / "tabular"
TEMPLATE = load_template(TABULAR)
JUDGE = evaluator(TABULAR)
TABLES = JUDGE.tables
CANDIDATE = runpy.run_path(str(TABULAR / "train.py"))
DATASETS = TEMPLATE.knob("dataset").choices


def prepared(folder: Path, partial: dict[str, KnobValue], seed: int = 0) -> dict[str, Any]:
    """What `prepare` wrote, as arrays by 'file.array'."""
    JUDGE.prepare(folder, TEMPLATE.complete(partial), seed)
    found: dict[str, Any] = {}
    for name in ("train", "features"):
        with np.load(folder / f"{name}.npz") as file:
            found |= {f"{name}.{key}": file[key] for key in file.files}
    return found


def go(folder: Path, seed: int = 0, **knobs: KnobValue) -> dict[str, float]:
    return run(TABULAR, JUDGE, folder, dict(knobs), seed)


def same(a: np.ndarray, b: np.ndarray) -> bool:
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


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
    assert set(go(tmp_path / "run")) == {metric.name for metric in TEMPLATE.metrics}
    assert set(DATASETS) == set(TABLES.TABLES)
    (artefact,) = TEMPLATE.artefacts
    assert [path.name for path in (tmp_path / "run/outputs").iterdir()] == [artefact.name]
    assert tuple(artefact.arrays) == SPLITS


def test_knobs_have_a_dose_series_where_they_are_numbers() -> None:
    def fine(knob: Knob) -> bool:
        levels = [float(level) for level in knob.levels]
        return len(levels) >= 3 and levels == sorted(levels)

    assert all(fine(knob) for knob in TEMPLATE.knobs if knob.type in ("int", "float"))


# The tables


@pytest.mark.parametrize("dataset", DATASETS)
def test_facts_agree_with_the_table(dataset: str, tmp_path: Path) -> None:
    facts = JUDGE.describe(TEMPLATE.complete({"dataset": dataset}))
    found, data = prepared(tmp_path, {"dataset": dataset}), TABLES.load(dataset)
    assert facts["examples"] == facts["train"] + sum(facts[split] for split in SPLITS)
    for split in SPLITS:
        numbers, categories = found[f"features.{split}_numbers"], found[f"features.{split}_categories"]
        assert numbers.shape == (facts[split], facts["features"] - facts["categorical"])
        assert categories.shape == (facts[split], facts["categorical"])
        assert (categories < np.array(data.levels)).all() and categories.min() == -1
    parts = [data.pool, *(data.rows[split] for split in SPLITS)]
    assert sorted(np.concatenate(parts)) == list(range(facts["examples"])), "disjoint, and nothing is lost"
    share = np.bincount(data.y) / len(data.y)
    assert share.min() > 0.2
    for part in parts:
        counts = np.bincount(data.y[part], minlength=facts["classes"])
        assert np.abs(counts - share * len(part)).max() <= 2, "stratified"
    for size in (TEMPLATE.knob("train_size").default, *TEMPLATE.knob("train_size").levels):
        assert size < facts["train"]
    assert json.loads((tmp_path / "meta.json").read_text()) == {
        "dataset": dataset,
        "classes": facts["classes"],
        "levels": list(data.levels),
    }


def test_a_pool_has_only_so_many_rows(tmp_path: Path) -> None:
    too_many = TEMPLATE.complete({"dataset": "iris", "train_size": 100})
    for act in (lambda: JUDGE.describe(too_many), lambda: JUDGE.prepare(tmp_path, too_many, 0)):
        with pytest.raises(ValueError, match="train_size 100 is more than the 66 training rows of iris"):
            act()


def test_the_threshold_of_diabetes_looks_at_the_pool_only() -> None:
    from sklearn.datasets import load_diabetes

    data, target = TABLES.load("diabetes"), load_diabetes(scaled=False).target
    assert np.array_equal(data.y, target > np.median(target[data.pool]))


def test_coarsened_columns_keep_their_bins_and_lose_their_order() -> None:
    from sklearn.datasets import load_breast_cancer

    x, data = load_breast_cancer().data, TABLES.load("breast_cancer")
    assert data.numbers.shape[1] + data.categories.shape[1] == x.shape[1]
    assert data.categories.shape[1] == round(x.shape[1] / 3)
    kept = [c for c in range(x.shape[1]) if any(np.array_equal(x[:, c], column) for column in data.numbers.T)]
    lost = [c for c in range(x.shape[1]) if c not in kept]
    ordered = 0
    for column, codes in zip(lost, data.categories.T, strict=True):
        ranges = sorted((x[codes == code, column].min(), x[codes == code, column].max()) for code in np.unique(codes))
        assert all(high < low for (_, high), (low, _) in itertools.pairwise(ranges)), "bins"
        means = [x[codes == code, column].mean() for code in np.unique(codes)]
        ordered += means == sorted(means)
    assert ordered <= 2


def test_the_survey_has_what_tables_have() -> None:
    data = TABLES.load("survey")
    income, known = data.numbers[:, 0], ~np.isnan(data.numbers[:, 0])
    assert 0.05 < 1 - known.mean() < 0.3, "blanks of its own"
    assert np.nanmean(income) > 1.2 * np.nanmedian(income), "a skewed column"
    assert min(np.bincount(data.categories[:, 0])) < len(data.y) / 100, "rare categories"
    numbers, categories, y = TABLES.survey(np.random.default_rng(1), 4000)
    again = TABLES.survey(np.random.default_rng(1), 4000)
    assert same(numbers, again[0]) and same(categories, again[1]) and same(y, again[2])
    assert np.isfinite(numbers[:, 1:]).all()


@pytest.mark.parametrize("dataset", DATASETS)
def test_hidden_labels_are_not_in_the_inputs(dataset: str, tmp_path: Path) -> None:
    found, data = prepared(tmp_path, {"dataset": dataset}), TABLES.load(dataset)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["features.npz", "meta.json", "train.npz"]
    tests = {f"features.{split}_{kind}" for split in SPLITS for kind in ("numbers", "categories")}
    assert set(found) == {"train.numbers", "train.categories", "train.y", *tests}
    assert found["train.y"].shape == (60,)
    for split in SPLITS:
        y = data.y[data.rows[split]]
        # Position must not betray the class: neighbours in the file agree about as often as any two rows.
        agree, expected = (y[1:] == y[:-1]).mean(), ((np.bincount(y) / len(y)) ** 2).sum()
        assert abs(agree - expected) < 5 * np.sqrt(expected * (1 - expected) / len(y))


def test_inputs_follow_from_seed_and_data_knobs_alone(tmp_path: Path) -> None:
    stress: dict[str, KnobValue] = {"missing": 0.2, "irrelevant": 5, "duplicated": 0.25}
    settings = {"a": (stress, 3), "b": ({**stress, "model": "knn", "ensemble": 3}, 3), "c": (stress, 4)}
    for folder, (knobs, seed) in settings.items():
        prepared(tmp_path / folder, knobs, seed)
    for name in ("train.npz", "features.npz"):
        a, b, c = ((tmp_path / folder / name).read_bytes() for folder in "abc")
        assert a == b
        assert a != c


@pytest.mark.parametrize("dataset", ["survey", "wine"])
def test_doses_are_nested_so_that_differences_are_paired(dataset: str, tmp_path: Path) -> None:
    def with_(**knobs: KnobValue) -> dict[str, Any]:
        return prepared(tmp_path / repr(knobs), {"dataset": dataset, **knobs})

    base = with_()
    few = with_(train_size=15)
    for kind in ("numbers", "categories", "y"):
        assert same(few[f"train.{kind}"], base[f"train.{kind}"][:15])
    complete, more = with_(missing=0.0), with_(missing=0.4)
    for name in ("train.numbers", "features.keep_numbers"):
        blank = [np.isnan(found[name]) for found in (complete, base, more)]
        assert (blank[0] <= blank[1]).all() and (blank[1] <= blank[2]).all()
        assert same(np.where(blank[2], np.nan, complete[name]), more[name]), "what is not blank is unchanged"
        assert abs((blank[2] & ~blank[0]).mean() / (~blank[0]).mean() - 0.4) < 0.1
    hidden = more["features.final_categories"] == -1
    assert abs(hidden.mean() - 0.4) < 0.1
    assert same(np.where(hidden, -1, complete["features.final_categories"]), more["features.final_categories"])
    width = base["train.numbers"].shape[1]
    five, twenty = with_(irrelevant=5), with_(irrelevant=20)
    for name in ("train.numbers", "features.search_numbers"):
        assert same(five[name][:, :width], base[name])
        assert same(twenty[name][:, : width + 5], five[name])
        assert twenty[name].shape[1] == width + 20
        noise = twenty[name][:, width:]
        assert abs(np.isnan(noise).mean() - 0.1) < 0.05
        assert abs(np.nanmean(noise)) < 0.25 and 0.8 < np.nanstd(noise) < 1.2


def test_duplicates_are_copies_of_rows_that_stay(tmp_path: Path) -> None:
    base = prepared(tmp_path / "base", {"dataset": "survey"})
    changed = []
    for share in (0.25, 0.75):
        found = prepared(tmp_path / str(share), {"dataset": "survey", "duplicated": share})
        moved = ~np.array([same(a, b) for a, b in zip(base["train.numbers"], found["train.numbers"], strict=True)])
        assert moved.sum() == round(60 * share)
        stays = {row.tobytes() for row in base["train.numbers"][~moved]}
        assert {row.tobytes() for row in found["train.numbers"]} == stays
        assert same(found["features.keep_numbers"], base["features.keep_numbers"]), "test tables are left alone"
        changed.append(moved)
    assert (changed[0] <= changed[1]).all()


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
def test_every_family_ranks_rows_better_than_chance(model: str, dataset: str, tmp_path: Path) -> None:
    scores = go(tmp_path / "run", model=model, dataset=dataset)
    assert scores["auc"] > 0.55
    assert (tmp_path / "run/outputs/predictions.npz").stat().st_size < 30_000
    if model == "random_forest":
        assert scores["skill"] > 0


def test_every_level_of_every_knob_runs_and_changes_the_predictions(tmp_path: Path) -> None:
    by_work: dict[str, bytes] = {}
    for number, setting in enumerate(cases()):
        scores = go(tmp_path / str(number), **{"dataset": "wine", "trees": 10, **setting})
        assert all(np.isfinite(value) for value in scores.values()), setting
        assert scores["auc"] > 0.5, setting
        acting = TEMPLATE.effective(TEMPLATE.complete({"dataset": "wine", "trees": 10, **setting}))
        content = (tmp_path / str(number) / "outputs/predictions.npz").read_bytes()
        assert by_work.setdefault(json.dumps(acting, sort_keys=True), content) == content
    assert len(set(by_work.values())) == len(by_work), "two different settings did the same work"


def test_the_hardest_corners_run(tmp_path: Path) -> None:
    worst: dict[str, KnobValue] = {"train_size": 12, "missing": 0.8, "irrelevant": 20, "duplicated": 0.9}
    corner = 0
    for model in TEMPLATE.knob("model").choices:
        for dataset in ("survey", "iris", "breast_cancer"):
            for imputation, encoding in (("knn", "target"), ("indicator", "frequency"), ("mean", "onehot")):
                more: dict[str, KnobValue] = {"imputation": imputation, "encoding": encoding, "ensemble": 2, "trees": 5}
                scaling: dict[str, KnobValue] = {"scaling": "quantile"} if model in ("logistic", "knn") else {}
                corner += 1
                scores = go(
                    tmp_path / str(corner),
                    seed=corner,
                    **{**worst, **more, **scaling, "model": model, "dataset": dataset, "features_kept": 0.25},
                )
                assert all(np.isfinite(value) for value in scores.values())


def test_more_rows_help_and_blanks_and_noise_hurt(tmp_path: Path) -> None:
    def mean(**knobs: KnobValue) -> float:
        place = tmp_path / repr(knobs)
        scores = (go(place / str(s), s, trees=25, **knobs)["skill"] for s in range(5))
        return float(np.mean(list(scores)))

    base = mean(dataset="survey")
    assert mean(dataset="survey", train_size=400) - 0.03 > base > mean(dataset="survey", train_size=15) + 0.03
    assert mean(dataset="survey", missing=0.4) + 0.03 < base
    assert mean(dataset="survey", irrelevant=80) + 0.03 < base
    assert mean(dataset="survey", duplicated=0.75) + 0.03 < base


def test_an_honest_run_beats_guessing_and_some_of_the_field(tmp_path: Path) -> None:
    for dataset in DATASETS:
        scores = [go(tmp_path / f"{dataset}-{s}", s, dataset=dataset) for s in range(2)]
        assert np.mean([found["skill"] for found in scores]) > 0
        assert np.mean([found["beaten"] for found in scores]) > 0.25


def test_a_run_is_the_same_in_a_process_of_its_own(tmp_path: Path) -> None:
    setting: dict[str, KnobValue] = {"trees": 15, "ensemble": 3, "dataset": "survey", "imputation": "knn"}
    for name in ("here", "there"):
        arrange(TEMPLATE, JUDGE, tmp_path / name, setting, 7)
    said = execute(TABULAR / "train.py", tmp_path / "here")
    done = subprocess.run(
        [sys.executable, str(TABULAR / "train.py")],
        cwd=tmp_path / "there",
        env={"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == said
    assert done.stderr == ""
    here, there = ((tmp_path / name / "outputs/predictions.npz").read_bytes() for name in ("here", "there"))
    assert here == there
    run(TABULAR, JUDGE, tmp_path / "else", setting, 8)
    assert (tmp_path / "else/outputs/predictions.npz").read_bytes() != here


def mixed() -> tuple[Any, np.ndarray]:
    numbers = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan], [10.0, np.nan]])
    return CANDIDATE["Rows"](numbers, np.array([[0], [0], [-1], [1]])), np.array([0, 1, 0, 1])


def prepare_with(imputation: str, encoding: str) -> tuple[np.ndarray, Any]:
    rows, y = mixed()
    knobs = {"imputation": imputation, "encoding": encoding, "features_kept": 1.0}
    preparation = CANDIDATE["Preparation"](knobs, [3], 2)
    return preparation.fit(rows, y), preparation


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")
def test_blanks_are_filled_as_the_knob_says() -> None:
    assert np.allclose(prepare_with("median", "ordinal")[0][:, :2], [[1, 0], [3, 0], [3, 0], [10, 0]])
    assert np.allclose(prepare_with("mean", "ordinal")[0][2, :2], [14 / 3, 0])
    assert np.allclose(prepare_with("indicator", "ordinal")[0][:, 2:4], [[0, 1], [0, 1], [1, 1], [0, 1]])
    near = CANDIDATE["Rows"](np.array([[1.0, 5.0], [2.0, 6.0], [9.0, 50.0], [1.5, np.nan]]), np.zeros((4, 0), int))
    many = CANDIDATE["Rows"](np.vstack([near.numbers[:2]] * 3 + [near.numbers[2:]]), np.zeros((8, 0), int))
    knobs = {"imputation": "knn", "encoding": "onehot", "features_kept": 1.0}
    filled = CANDIDATE["Preparation"](knobs, [], 2).fit(many, np.arange(8) % 2)
    assert 5 <= filled[-1, 1] <= 6, "from its neighbours, not from everybody"
    assert np.isfinite(prepare_with("knn", "onehot")[0]).all()


def test_categories_are_encoded_as_the_knob_says() -> None:
    unseen = CANDIDATE["Rows"](np.zeros((2, 2)), np.array([[2], [-1]]))
    x, preparation = prepare_with("median", "onehot")
    assert np.array_equal(x[:, 2:], [[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 1, 0, 0]])
    assert np.array_equal(preparation.transform(unseen)[:, 2:], [[0, 0, 1, 0], [0, 0, 0, 1]])
    x, preparation = prepare_with("median", "frequency")
    assert np.array_equal(x[:, 2], [0.5, 0.5, 0.25, 0.25])
    assert np.array_equal(preparation.transform(unseen)[:, 2], [0, 0.25])
    x, preparation = prepare_with("median", "target")
    assert np.allclose(x[:, 2], [6 / 12, 6 / 12, 5 / 11, 6 / 11])
    assert np.allclose(preparation.transform(unseen)[:, 2], [0.5, 5 / 11])


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")
def test_the_strongest_columns_are_kept() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    x = np.column_stack([rng.normal(size=40), y + 0.1 * rng.normal(size=40), np.ones(40), 2 * y])
    assert list(CANDIDATE["strongest"](x, y, 0.5)) == [1, 3]
    assert list(CANDIDATE["strongest"](x, y, 0.01)) == [3]
    assert list(CANDIDATE["strongest"](x, y, 1.0)) == [0, 1, 2, 3]


def test_row_order_moves_only_luck(tmp_path: Path) -> None:
    scores = [[go(tmp_path / f"{o}-{s}", s, row_order=o, trees=15)["skill"] for s in range(8)] for o in (0, 1)]
    difference = np.subtract(*scores)
    assert difference.any()
    assert abs(difference.mean()) < 3 * difference.std(ddof=1) / np.sqrt(8) + 0.01


def test_a_sample_of_one_class_and_a_class_without_rows_are_survived() -> None:
    rows, _ = mixed()
    knobs = {k.name: k.default for k in TEMPLATE.knobs if k.applies == "method"}
    told = {"knobs": knobs, "classes": 3, "levels": [3], "seed": 1}
    for y in (np.array([1, 1, 1, 1]), np.array([0, 2, 2, 0])):
        p = CANDIDATE["predict"](rows, y, {"keep": rows}, told)["keep"]
        assert np.allclose(p.sum(axis=1), 1)
        assert (p > 0).all(), "shrinkage leaves no class without hope"
        assert (p.argmax(axis=1) != (0 if y[0] else 1)).all()
