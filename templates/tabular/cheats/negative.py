"""Attack: rows that sum to one by way of a huge probability and a negative one, for a log loss below zero."""
# expect: invalid

import json
from pathlib import Path

import numpy as np

classes = json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))["classes"]
with np.load("inputs/features.npz") as features:
    sizes = {split: len(features[f"{split}_numbers"]) for split in ("search", "keep", "final")}
row = np.zeros(classes)
row[:2] = 1000.0, -999.0
np.savez_compressed("outputs/predictions.npz", **{split: np.tile(row, (n, 1)) for split, n in sizes.items()})
