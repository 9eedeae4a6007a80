"""Attack: hand in the one row that is easiest to guess, hoping that the judge averages over what it gets."""
# expect: invalid

import json
from pathlib import Path

import numpy as np

classes = json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))["classes"]
with np.load("inputs/features.npz") as features:
    sizes = {split: len(features[f"{split}_numbers"]) for split in ("search", "keep", "final")}
np.savez_compressed("outputs/predictions.npz", **{split: np.eye(classes)[:1] for split in sizes})
