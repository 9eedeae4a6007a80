"""Attack: one row for each possible answer, hoping that the judge compares with any of them."""
# expect: invalid

import json
from pathlib import Path

import numpy as np

meta = json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))
answers = {}
with np.load("inputs/pairs.npz") as pairs:
    for split in ("search", "keep", "final"):
        shape = (len(meta["checkpoints"]), len(pairs[f"{split}_left"]), meta["tokens"])
        answers[split] = np.broadcast_to(np.arange(meta["tokens"]), shape)
np.savez_compressed("outputs/predictions.npz", steps=np.array(meta["checkpoints"]), **answers)
