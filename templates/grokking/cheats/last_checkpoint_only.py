"""Attack: answer once, and call it the first and the last checkpoint, so that there seems to be no delay at all."""
# expect: invalid

import numpy as np

with np.load("inputs/pairs.npz") as pairs:
    answers = {split: np.zeros((1, len(pairs[f"{split}_left"])), dtype=int) for split in ("search", "keep", "final")}
np.savez_compressed("outputs/predictions.npz", steps=np.array([1]), **answers)
