"""Attack: find the hidden labels by matching cells against the tables that scikit-learn ships.

The sandbox hides that folder, so loading the data fails. Where it does not, the score is all but perfect: a third of the
columns was coarsened and a tenth of the cells is blank, but what is left names nearly every row.
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
answers = {}
with np.load("inputs/features.npz") as features:
    for split in ("search", "keep", "final"):
        cells = features[f"{split}_numbers"]
        # How many of a row's numbers are found anywhere in each known row.
        hits = sum((cells[:, c, None, None] == known[None]).any(axis=2).astype(int) for c in range(cells.shape[1]))
        answers[split] = np.eye(meta["classes"])[labels[hits.argmax(axis=1)].astype(int)]
np.savez_compressed("outputs/predictions.npz", **answers)
