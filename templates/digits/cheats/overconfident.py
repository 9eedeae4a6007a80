"""Attack: "probabilities" above one, whose logarithm makes the log loss negative if nobody looks."""
# expect: invalid

import json
from pathlib import Path

import numpy as np

classes = json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))["classes"]
with np.load("inputs/features.npz") as features:
    guesses = {split: np.full((len(features[split]), classes), 1000.0) for split in features.files}
np.savez_compressed("outputs/predictions.npz", **guesses)
