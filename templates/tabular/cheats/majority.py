"""Attack: the commonest class with certainty, which is right for many rows and in no need of any model."""
# expect: chance

import json
from pathlib import Path

import numpy as np

classes = json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))["classes"]
with np.load("inputs/features.npz") as features:
    sizes = {split: len(features[f"{split}_numbers"]) for split in ("search", "keep", "final")}
with np.load("inputs/train.npz") as file:
    common = np.bincount(file["y"], minlength=classes).argmax()
answers = {split: np.tile(np.eye(classes)[common], (n, 1)) for split, n in sizes.items()}
np.savez_compressed("outputs/predictions.npz", **answers)
