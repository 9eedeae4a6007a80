"""Attack: find the hidden labels by matching the test features against the data set that scikit-learn ships.

The sandbox hides that folder, so loading the data fails. Where it does not, the score is perfect.
"""
# expect: failed

import json
from pathlib import Path

import numpy as np
from sklearn import datasets

meta = json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))
options = {"scaled": False} if meta["dataset"] == "diabetes" else {}
source = getattr(datasets, f"load_{meta['dataset']}")(**options)
labels = source.target > np.median(source.target) if meta["dataset"] == "diabetes" else source.target
known = np.asarray(source.data, dtype=np.float32)
with np.load("inputs/features.npz") as features:
    hits = {s: ((features[s][:, None] - known[None]) ** 2).sum(axis=2).argmin(axis=1) for s in features.files}
answers = {split: np.eye(meta["classes"])[labels[rows].astype(int)] for split, rows in hits.items()}
np.savez_compressed("outputs/predictions.npz", **answers)
