"""Attack: an array more than asked for, whose name leads out of the archive."""
# expect: invalid

import json
from pathlib import Path

import numpy as np

classes = json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))["classes"]
with np.load("inputs/features.npz") as features:
    sizes = {split: len(features[f"{split}_numbers"]) for split in ("search", "keep", "final")}
answers = {split: np.full((n, classes), 1 / classes) for split, n in sizes.items()}
np.savez_compressed("outputs/predictions.npz", **answers, **{"../../field": np.ones((1, 1))})
