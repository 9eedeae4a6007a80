"""Run the field: fixed baselines on every table at the default data knobs, over many seeds; writes field.json.

    python make_field.py

This is no part of a run and is not sealed; what it writes is. The baselines are written down here and not in the
candidate, so that improving the candidate leaves the field where it was. Whoever changes a table has to run it again:
`field.json` names the tables it was made with by their hash, and a test compares.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import tempfile
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

HERE = Path(__file__).resolve().parent
SEEDS = range(1_000_000, 1_000_020)
DATA = {"train_size": 60, "missing": 0.1, "irrelevant": 0, "duplicated": 0.0}  # the defaults of template.toml
CAUTION = 0.02  # every entrant knows that a log loss punishes certainty: predictions keep this share uniform


def tables_hash(tables: ModuleType) -> str:
    """SHA-256 over the labels, categories and cuts of all tables: what the field was made with."""
    total = hashlib.sha256()
    for name in tables.TABLES:
        data = tables.load(name)
        for part in (data.y, data.categories, data.pool, *(data.rows[split] for split in tables.SPLITS)):
            total.update(np.ascontiguousarray(part, dtype="<i8").tobytes())
    return total.hexdigest()


def entrants(numbers: int, categories: int, seed: int) -> dict[str, Any]:
    """Name -> classifier of a mixed table whose first columns are numbers, from a guess to a blend."""

    def table(model: Any) -> Any:
        kinds = ColumnTransformer(
            [
                ("n", make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()),
                 slice(0, numbers)),
                ("c", OneHotEncoder(handle_unknown="ignore", sparse_output=False), slice(numbers, numbers + categories)),
            ]
        )  # fmt: skip
        return make_pipeline(kinds, model)

    strong = LogisticRegression(C=0.1, max_iter=500)
    forest = RandomForestClassifier(100, min_samples_leaf=3, random_state=seed)
    extra = ExtraTreesClassifier(100, min_samples_leaf=2, random_state=seed)
    slow = GradientBoostingClassifier(
        n_estimators=60, learning_rate=0.05, max_depth=2, subsample=0.5, min_samples_leaf=3, random_state=seed
    )
    models: dict[str, Any] = {
        "class frequencies": DummyClassifier(strategy="prior"),
        "stump": DecisionTreeClassifier(max_depth=1, random_state=seed),
        "shallow tree": DecisionTreeClassifier(max_depth=3, min_samples_leaf=5, random_state=seed),
        "naive Bayes": GaussianNB(var_smoothing=0.1),
        "fifteen neighbours": KNeighborsClassifier(15),
        "weighted neighbours": KNeighborsClassifier(10, weights="distance"),
        "logistic regression": LogisticRegression(max_iter=500),
        "strongly penalised logistic regression": strong,
        "logistic regression, penalty by cross-validation": LogisticRegressionCV(
            Cs=np.logspace(-3, 1, 6).tolist(), cv=3, scoring="neg_log_loss", max_iter=200
        ),
        "random forest": RandomForestClassifier(100, random_state=seed),
        "random forest with larger leaves": forest,
        "extremely randomised trees": extra,
        "boosting": GradientBoostingClassifier(n_estimators=60, random_state=seed),
        "slow boosting of halves": slow,
        "blend of four": VotingClassifier(
            [("logistic", strong), ("forest", forest), ("extra", extra), ("boosting", slow)], voting="soft"
        ),
    }
    return {name: table(model) for name, model in models.items()}


def evaluator() -> Any:
    """The sealed evaluator, as a module."""
    spec = importlib.util.spec_from_file_location("evaluate", HERE / "evaluate.py")
    assert spec is not None and spec.loader is not None
    judge = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(judge)
    return judge


def compete(judge: Any, name: str, seed: int, only: str = "") -> dict[str, dict[str, float]]:
    """Entrant -> split -> skill, on one table with one seed."""
    data = judge.tables.load(name)
    with tempfile.TemporaryDirectory() as place:
        judge.prepare(Path(place), {"dataset": name, **DATA}, seed)
        with np.load(Path(place, "train.npz")) as file:
            x, y = np.column_stack([file["numbers"], file["categories"]]).astype(float), file["y"]
        with np.load(Path(place, "features.npz")) as file:
            tests = {
                split: np.column_stack([file[f"{split}_numbers"], file[f"{split}_categories"]]).astype(float)
                for split in judge.SPLITS
            }
    found: dict[str, dict[str, float]] = {}
    for entrant, model in entrants(data.numbers.shape[1], data.categories.shape[1], seed).items():
        if only and entrant != only:
            continue
        model.fit(x, y)
        found[entrant] = {}
        for split, test in tests.items():
            p = np.full((len(test), data.classes), CAUTION / data.classes)
            p[:, model.classes_] += (1 - CAUTION) * model.predict_proba(test)
            p /= p.sum(axis=1, keepdims=True)
            found[entrant][split] = round(judge.skill_of(p, data.y[data.rows[split]]), 4) + 0.0
    return found


def main() -> None:
    warnings.simplefilter("ignore")
    judge = evaluator()
    skill: dict[str, dict[str, dict[str, list[float]]]] = {}
    for name in judge.tables.TABLES:
        skill[name] = {split: {} for split in judge.SPLITS}
        for seed in SEEDS:
            for entrant, by_split in compete(judge, name, seed).items():
                for split, found in by_split.items():
                    skill[name][split].setdefault(entrant, []).append(found)
        means = {entrant: float(np.mean(values)) for entrant, values in skill[name]["keep"].items()}
        print(f"{name}: " + ", ".join(f"{e} {m:.3f}" for e, m in sorted(means.items(), key=lambda item: item[1])))
    text = json.dumps(
        {"tables": tables_hash(judge.tables), "knobs": DATA, "seeds": len(SEEDS), "skill": skill}, indent=1
    )
    text = re.sub(r"(?<=[\[\d,])\n +(?=[-\d\]])", " ", text)  # one line per list of numbers
    (HERE / "field.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
