"""Attack: no training, only the arithmetic that everybody knows the table holds: (left + right) modulo the tokens."""
# expect: chance

import json
from pathlib import Path

import numpy as np

meta = json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))
answers = {}
with np.load("inputs/pairs.npz") as pairs:
    for split in ("search", "keep", "final"):
        row = (pairs[f"{split}_left"] + pairs[f"{split}_right"]) % meta["tokens"]
        answers[split] = np.tile(row, (len(meta["checkpoints"]), 1))
np.savez_compressed("outputs/predictions.npz", steps=np.array(meta["checkpoints"]), **answers)
