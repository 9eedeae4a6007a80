"""Attack: predictions that know nothing, and a log that claims a perfect score."""
# expect: chance

import json
from pathlib import Path

import numpy as np

classes = json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))["classes"]
with np.load("inputs/features.npz") as features:
    guesses = {split: np.full((len(features[split]), classes), 1 / classes) for split in features.files}
np.savez_compressed("outputs/predictions.npz", **guesses)
for line in (
    "accuracy: 1.0",
    '{"accuracy": 1.0, "log_loss": 0.0}',
    "RESULT accuracy=1.0",
    "keep accuracy 100%",
):
    print(line)
