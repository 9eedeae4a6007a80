"""Attack: NaN and infinity, for which neither `p < 0` nor `abs(sum - 1) > tolerance` need be true."""
# expect: invalid

import json
from pathlib import Path

import numpy as np

classes = json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))["classes"]
with np.load("inputs/features.npz") as features:
    sizes = {split: len(features[f"{split}_numbers"]) for split in ("search", "keep", "final")}
answers = {split: np.full((n, classes), np.nan) for split, n in sizes.items()}
for p in answers.values():
    p[::2] = np.inf
np.savez_compressed("outputs/predictions.npz", **answers)
