"""The candidate: train one classifier as the knobs say and write class probabilities for the three test sets.

Reads  knobs.json            {"seed": int, "knobs": {...}}
       inputs/train.npz      x (n, d) float32, y (n,) class numbers, perhaps wrong ones
       inputs/features.npz   search, keep, final: (n, d) float32
       inputs/meta.json      {"dataset": ..., "classes": ..., "image": [rows, columns] or null}
Writes outputs/predictions.npz   search, keep, final: (n, classes) float16 probabilities

A knob is read only where it acts. Modules are imported where a family needs them.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

JITTER = 0.2  # of a feature's standard deviation: augmentation of tables


def family(knobs: dict[str, Any], n: int, seed: int) -> Any:
    """The classifier. `regularisation` is stronger when larger, in every family that has it."""
    name, strength = knobs["model"], float(knobs.get("regularisation", 1.0))
    weight = "balanced" if knobs.get("class_weight") == "balanced" else None
    if name == "logistic":
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(C=1 / strength, class_weight=weight, max_iter=200)
    if name == "svm_rbf":
        from sklearn.svm import SVC

        return SVC(C=1 / strength, class_weight=weight)
    if name == "lda":
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        # Shrinkage lies between none (0) and a diagonal covariance (1); a strength of one is half-way.
        return LinearDiscriminantAnalysis(solver="lsqr", shrinkage=strength / (1 + strength))
    if name == "naive_bayes":
        from sklearn.naive_bayes import GaussianNB

        return GaussianNB(var_smoothing=0.1 * strength)
    if name == "knn":
        from sklearn.neighbors import KNeighborsClassifier

        return KNeighborsClassifier(n_neighbors=min(int(knobs["neighbours"]), n))
    if name in ("random_forest", "extra_trees"):
        from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

        forest = RandomForestClassifier if name == "random_forest" else ExtraTreesClassifier
        return forest(n_estimators=int(knobs["trees"]), class_weight=weight, random_state=seed)
    if name == "mlp":
        from sklearn.neural_network import MLPClassifier

        layers = (int(knobs["width"]),)
        return MLPClassifier(layers, alpha=0.1 * strength, solver="lbfgs", max_iter=60, random_state=seed)
    raise ValueError(f"no model '{name}'")


def scaler(name: str) -> Any:
    from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

    return {"standard": StandardScaler, "minmax": MinMaxScaler, "robust": RobustScaler}[name]()


class Learner(ClassifierMixin, BaseEstimator):
    """Augmentation, scaling, projection and classifier as one estimator.

    What is inside is redone on every resample and fold, so no copy of an example crosses from the one side
    of a cross-validation to the other.
    """

    def __init__(self, knobs: dict[str, Any], image: tuple[int, int] | None, random_state: int = 0) -> None:
        self.knobs = knobs
        self.image = image
        self.random_state = random_state

    def fit(self, x: np.ndarray, y: np.ndarray) -> Learner:
        from sklearn.pipeline import make_pipeline

        rng = np.random.default_rng(self.random_state)
        copies = [jitter(x, self.image, rng) for _ in range(int(self.knobs["augment"]))]
        x, y = np.concatenate([x, *copies]), np.tile(y, 1 + len(copies))
        self.classes_ = np.unique(y)
        steps = [scaler(self.knobs["scaling"])] if self.knobs["scaling"] != "none" else []
        if self.knobs["variance_kept"] < 1:
            from sklearn.decomposition import PCA

            steps.append(PCA(n_components=float(self.knobs["variance_kept"]), svd_solver="full"))
        self.pipeline_ = make_pipeline(*steps, family(self.knobs, len(x), int(rng.integers(2**31))))
        self.pipeline_.fit(x, y)
        return self

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        if self.knobs["model"] != "svm_rbf":
            return self.pipeline_.predict_proba(x)
        # A support vector machine has margins, no probabilities: a softmax makes some, `calibration` better.
        margin = self.pipeline_.decision_function(x)
        margin = np.column_stack([-margin, margin]) if margin.ndim == 1 else margin
        raised = np.exp(margin - margin.max(axis=1, keepdims=True))
        return raised / raised.sum(axis=1, keepdims=True)

    def predict(self, x: np.ndarray) -> np.ndarray:
        return self.classes_[self.predict_proba(x).argmax(axis=1)]


def jitter(x: np.ndarray, image: tuple[int, int] | None, rng: np.random.Generator) -> np.ndarray:
    """A changed copy of every example: an image moves by one pixel, a row of a table gets a little noise."""
    if image is None:
        return (x + JITTER * x.std(axis=0) * rng.standard_normal(x.shape)).astype(x.dtype)
    padded = np.pad(x.reshape(-1, *image), ((0, 0), (1, 1), (1, 1)))
    down, right = rng.integers(0, 3, (2, len(x)))
    rows = down[:, None, None] + np.arange(image[0])[:, None]
    columns = right[:, None, None] + np.arange(image[1])
    return padded[np.arange(len(x))[:, None, None], rows, columns].reshape(len(x), -1)


def train(x: np.ndarray, y: np.ndarray, knobs: dict[str, Any], image: tuple[int, int] | None, seed: int) -> Any:
    """Fit the learner, in a bag and calibrated where the knobs ask for it."""
    model: Any = Learner(knobs, image, seed)
    if int(knobs["bagging"]) > 1:
        from sklearn.ensemble import BaggingClassifier

        model = BaggingClassifier(model, n_estimators=int(knobs["bagging"]), random_state=seed)
    if knobs["calibration"] != "none":
        from sklearn.calibration import CalibratedClassifierCV

        folds = min(3, int(np.unique(y, return_counts=True)[1].min()))
        if folds > 1:
            model = CalibratedClassifierCV(model, method=knobs["calibration"], cv=folds, ensemble=False)
        else:
            print("not calibrated: a class has a single training example")
    return model.fit(x, y)


def probabilities(model: Any, x: np.ndarray, classes: int) -> np.ndarray:
    """(n, classes) probabilities with four decimals, in half precision to keep the artefact small.

    A class that was never seen in training gets none.
    """
    p = np.zeros((len(x), classes))
    p[:, model.classes_] = model.predict_proba(x)
    p = np.round(p / p.sum(axis=1, keepdims=True), 4)
    p[np.arange(len(p)), p.argmax(axis=1)] += 1 - p.sum(axis=1)
    return p.astype(np.float16)


def main() -> None:
    # Short optimisations end before they converge, on purpose; saying so in every log helps nobody.
    warnings.simplefilter("ignore")
    told = json.loads(Path("knobs.json").read_text(encoding="utf-8"))
    meta = json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))
    seed, knobs = int(told["seed"]), told["knobs"]
    image = tuple(meta["image"]) if meta["image"] else None
    with np.load("inputs/train.npz") as file:
        x, y = file["x"], file["y"]
    if int(knobs.get("row_order", 0)):  # acts only on learners that draw at random
        order = np.random.default_rng([seed, int(knobs["row_order"])]).permutation(len(y))
        x, y = x[order], y[order]
    model = train(x, y, knobs, image, seed)
    with np.load("inputs/features.npz") as file:
        predictions = {split: probabilities(model, file[split], meta["classes"]) for split in file.files}
    Path("outputs").mkdir(exist_ok=True)
    np.savez_compressed("outputs/predictions.npz", **predictions)
    print(f"{knobs['model']}: trained on {len(y)} examples of {len(np.unique(y))} classes")


if __name__ == "__main__":
    main()
