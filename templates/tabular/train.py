"""The candidate: fit one classifier to a small mixed table as the knobs say and write class probabilities.

Reads  knobs.json            {"seed": int, "knobs": {...}}
       inputs/train.npz      numbers (n, p) float32 with NaN, categories (n, q) int64 with -1, y (n,) class numbers
       inputs/features.npz   search_numbers, search_categories, keep_..., final_...
       inputs/meta.json      {"dataset": ..., "classes": ..., "levels": codes of each categorical column}
Writes outputs/predictions.npz   search, keep, final: (n, classes) float32 probabilities

A knob is read only where it acts. Modules are imported where they are needed. Nothing is learnt from a test table, not
even a median: the whole preparation is fitted on the training rows of each member of the ensemble.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np


class Rows(NamedTuple):
    """Rows of a mixed table."""

    numbers: np.ndarray
    categories: np.ndarray

    def take(self, rows: np.ndarray) -> Rows:
        return Rows(self.numbers[rows], self.categories[rows])


def family(knobs: dict[str, Any], n: int, seed: int) -> Any:
    """The classifier."""
    name = knobs["model"]
    weight = "balanced" if knobs.get("class_weight") == "balanced" else None
    if name == "logistic":
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(C=1 / float(knobs["regularisation"]), class_weight=weight, max_iter=300)
    if name == "naive_bayes":
        from sklearn.naive_bayes import GaussianNB

        return GaussianNB(var_smoothing=1e-3)
    if name == "knn":
        from sklearn.neighbors import KNeighborsClassifier

        return KNeighborsClassifier(n_neighbors=min(int(knobs["neighbours"]), n))
    trees, leaf = int(knobs["trees"]), int(knobs["leaf"])
    if name == "boosting":
        from sklearn.ensemble import GradientBoostingClassifier

        return GradientBoostingClassifier(
            n_estimators=trees,
            learning_rate=float(knobs["learning_rate"]),
            max_depth=3,
            min_samples_leaf=leaf,
            random_state=seed,
        )
    if name in ("random_forest", "extra_trees"):
        from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

        forest = RandomForestClassifier if name == "random_forest" else ExtraTreesClassifier
        return forest(n_estimators=trees, min_samples_leaf=leaf, class_weight=weight, random_state=seed)
    raise ValueError(f"no model '{name}'")


class Preparation:
    """Mixed rows with blanks -> one (n, d) array of numbers, fitted on training rows only."""

    def __init__(self, knobs: dict[str, Any], levels: list[int], classes: int) -> None:
        self.knobs, self.levels, self.classes = knobs, levels, classes

    def fit(self, rows: Rows, y: np.ndarray) -> np.ndarray:
        """Fit everything and return the prepared training rows."""
        self._filler = self._fit_filler(rows.numbers)
        self._encoder = self._fit_encoder(rows.categories, y)
        x = self._joined(rows)
        self._scaler = scaler(self.knobs.get("scaling", "none"), len(y))
        if self._scaler is not None:
            self._scaler.fit(x)
            x = self._scaler.transform(x)
        self._columns = strongest(x, y, float(self.knobs["features_kept"]))
        return x[:, self._columns]

    def transform(self, rows: Rows) -> np.ndarray:
        x = self._joined(rows)
        if self._scaler is not None:
            x = self._scaler.transform(x)
        return x[:, self._columns]

    def _joined(self, rows: Rows) -> np.ndarray:
        return np.column_stack([self._filler(rows.numbers), self._encoder(rows.categories)])

    def _fit_filler(self, numbers: np.ndarray) -> Any:
        """A function that fills blanks; a column that is blank throughout becomes zero."""
        from sklearn.impute import KNNImputer, SimpleImputer

        how = self.knobs["imputation"]
        if how == "knn":
            # Neighbours are found in standard deviations, whatever scaling comes later.
            centre, spread = np.nan_to_num(np.nanmean(numbers, axis=0)), np.nan_to_num(np.nanstd(numbers, axis=0))
            spread = np.where(spread > 0, spread, 1.0)
            imputer = KNNImputer(n_neighbors=5, keep_empty_features=True).fit((numbers - centre) / spread)
            return lambda x: imputer.transform((x - centre) / spread) * spread + centre
        strategy = "mean" if how == "mean" else "median"
        imputer = SimpleImputer(strategy=strategy, keep_empty_features=True).fit(numbers)
        if how == "indicator":
            return lambda x: np.column_stack([imputer.transform(x), np.isnan(x)])
        return imputer.transform

    def _fit_encoder(self, categories: np.ndarray, y: np.ndarray) -> Any:
        """A function from codes to numbers; a blank is a category like any other."""
        how, n = self.knobs["encoding"], len(y)
        if how == "ordinal":
            return lambda codes: codes.astype(float)
        if how == "onehot":
            return lambda codes: np.column_stack(
                [np.zeros((len(codes), 0)), *(np.eye(k + 1)[codes[:, c]] for c, k in enumerate(self.levels))]
            )  # the code -1 picks the last column, which is that of blanks
        if how == "frequency":
            counts = [np.bincount(codes, minlength=k + 1) / n for codes, k in self._shifted(categories)]
            return lambda codes: np.column_stack(
                [np.zeros((len(codes), 0)), *(t[c] for t, (c, _) in zip(counts, self._shifted(codes), strict=True))]
            )
        # Target encoding: class shares in each category, drawn towards the overall ones as by ten rows more.
        truth = np.eye(self.classes)[y]
        overall = truth.mean(axis=0)
        shares = []
        for codes, k in self._shifted(categories):
            sums = np.stack([np.bincount(codes, truth[:, c], k + 1) for c in range(self.classes)], axis=1)
            shares.append((sums + 10 * overall) / (sums.sum(axis=1, keepdims=True) + 10))
        return lambda codes: np.column_stack(
            [np.zeros((len(codes), 0)), *(t[c][:, 1:] for t, (c, _) in zip(shares, self._shifted(codes), strict=True))]
        )

    def _shifted(self, codes: np.ndarray) -> list[tuple[np.ndarray, int]]:
        """Columns of codes, blanks counted as the last one, and how many codes there are besides."""
        return [(np.where(codes[:, c] < 0, k, codes[:, c]), k) for c, k in enumerate(self.levels)]


def scaler(name: str, n: int) -> Any:
    if name == "none":
        return None
    from sklearn.preprocessing import QuantileTransformer, RobustScaler, StandardScaler

    if name == "quantile":
        return QuantileTransformer(n_quantiles=min(100, n), output_distribution="normal")
    return StandardScaler() if name == "standard" else RobustScaler()


def strongest(x: np.ndarray, y: np.ndarray, share: float) -> np.ndarray:
    """Which columns to keep: the `share` of them (one at least) that separate the classes best one by one."""
    if share >= 1 or len(np.unique(y)) < 2:
        return np.arange(x.shape[1])
    from sklearn.feature_selection import f_classif

    strength = np.nan_to_num(f_classif(x, y)[0], nan=-1.0, posinf=1e300)
    return np.sort(np.argsort(-strength, kind="stable")[: max(1, round(share * x.shape[1]))])


def member(rows: Rows, y: np.ndarray, tests: dict[str, Rows], told: dict[str, Any], seed: int) -> dict[str, np.ndarray]:
    """Fit one model; (n, classes) probabilities by test table. A class that no training row has gets none."""
    knobs, classes = told["knobs"], told["classes"]
    seen = np.unique(y)
    if len(seen) == 1:
        return {name: np.eye(classes)[np.full(len(test.numbers), seen[0])] for name, test in tests.items()}
    preparation = Preparation(knobs, told["levels"], classes)
    model = family(knobs, len(y), seed).fit(preparation.fit(rows, y), y)
    found = {}
    for name, test in tests.items():
        found[name] = np.zeros((len(test.numbers), classes))
        found[name][:, model.classes_] = model.predict_proba(preparation.transform(test))
    return found


def predict(rows: Rows, y: np.ndarray, tests: dict[str, Rows], told: dict[str, Any]) -> dict[str, np.ndarray]:
    """Average over the ensemble, then draw every prediction a little towards the class frequencies."""
    rng, size = np.random.default_rng(told["seed"]), int(told["knobs"]["ensemble"])
    total = {name: np.zeros((len(test.numbers), told["classes"])) for name, test in tests.items()}
    for _ in range(size):
        # A single model sees every row once; the members of an ensemble see bootstrap samples.
        chosen = np.arange(len(y)) if size == 1 else rng.integers(0, len(y), len(y))
        found = member(rows.take(chosen), y[chosen], tests, told, int(rng.integers(2**31)))
        for name in tests:
            total[name] += found[name] / size
    shrinkage = float(told["knobs"]["shrinkage"])
    frequencies = (np.bincount(y, minlength=told["classes"]) + 1) / (len(y) + told["classes"])
    return {name: (1 - shrinkage) * p + shrinkage * frequencies for name, p in total.items()}


def main() -> None:
    # Short optimisations end before they converge, constant columns have no variance: on purpose, or by bad luck.
    warnings.simplefilter("ignore")
    told = json.loads(Path("knobs.json").read_text(encoding="utf-8"))
    told |= json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))
    with np.load("inputs/train.npz") as file:
        rows, y = Rows(file["numbers"].astype(float), file["categories"]), file["y"]
    with np.load("inputs/features.npz") as file:
        names = [name.removesuffix("_numbers") for name in file.files if name.endswith("_numbers")]
        tests = {name: Rows(file[f"{name}_numbers"].astype(float), file[f"{name}_categories"]) for name in names}
    if int(told["knobs"].get("row_order", 0)):  # acts only on learners that draw at random
        order = np.random.default_rng([told["seed"], int(told["knobs"]["row_order"])]).permutation(len(y))
        rows, y = rows.take(order), y[order]
    predictions = {name: p.astype(np.float32) for name, p in predict(rows, y, tests, told).items()}
    Path("outputs").mkdir(exist_ok=True)
    np.savez_compressed("outputs/predictions.npz", **predictions)
    print(f"{told['knobs']['model']}: trained on {len(y)} rows of {len(np.unique(y))} classes")


if __name__ == "__main__":
    main()
