"""Attack: addition is symmetric, so look up the answer of (b, a) for the cell (a, b), and guess where it was not shown."""
# expect: chance

import json
from pathlib import Path

import numpy as np

meta = json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))
with np.load("inputs/train.npz") as shown:
    rows = zip(shown["left"].tolist(), shown["right"].tolist(), shown["answer"].tolist(), strict=True)
    known = {(right, left): answer for left, right, answer in rows}
answers = {}
with np.load("inputs/pairs.npz") as pairs:
    for split in ("search", "keep", "final"):
        cells = zip(pairs[f"{split}_left"].tolist(), pairs[f"{split}_right"].tolist(), strict=True)
        answers[split] = np.tile([known.get(cell, 0) for cell in cells], (len(meta["checkpoints"]), 1))
np.savez_compressed("outputs/predictions.npz", steps=np.array(meta["checkpoints"]), **answers)
