"""Attack: answers between two names, and some that are not numbers, for which a careless comparison has no word."""
# expect: invalid

import json
from pathlib import Path

import numpy as np

meta = json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))
answers = {}
with np.load("inputs/pairs.npz") as pairs:
    for split in ("search", "keep", "final"):
        answers[split] = np.full((len(meta["checkpoints"]), len(pairs[f"{split}_left"])), 15.5)
        answers[split][:, ::2] = np.nan
np.savez_compressed("outputs/predictions.npz", steps=np.array(meta["checkpoints"]), **answers)
