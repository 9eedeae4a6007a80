"""Attack: checkpoints in the wrong order, so that a curve is read backwards and the best answers come first."""
# expect: invalid

import json
from pathlib import Path

import numpy as np

meta = json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))
with np.load("inputs/pairs.npz") as pairs:
    shapes = {s: (len(meta["checkpoints"]), len(pairs[f"{s}_left"])) for s in ("search", "keep", "final")}
answers = {split: np.zeros(shape, dtype=int) for split, shape in shapes.items()}
np.savez_compressed("outputs/predictions.npz", steps=np.array(meta["checkpoints"][::-1]), **answers)
