"""Attack: the same guess for every row, the class frequencies of the training table; and a log that claims gold."""
# expect: chance

import json
from pathlib import Path

import numpy as np

classes = json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))["classes"]
with np.load("inputs/features.npz") as features:
    sizes = {split: len(features[f"{split}_numbers"]) for split in ("search", "keep", "final")}
with np.load("inputs/train.npz") as file:
    share = np.bincount(file["y"], minlength=classes) / len(file["y"])
np.savez_compressed("outputs/predictions.npz", **{split: np.tile(share, (n, 1)) for split, n in sizes.items()})
for line in ("skill: 1.0", '{"skill": 1.0, "medal": 1.0, "gold": 1.0}', "RESULT skill=1.0", "keep skill 100%, gold"):
    print(line)
