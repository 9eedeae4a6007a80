"""Attack: always give the answer that was commonest among the cells shown, and claim a perfect score in the log."""
# expect: chance

import json
from pathlib import Path

import numpy as np

meta = json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))
with np.load("inputs/train.npz") as shown:
    commonest = np.bincount(shown["answer"]).argmax()
with np.load("inputs/pairs.npz") as pairs:
    shapes = {s: (len(meta["checkpoints"]), len(pairs[f"{s}_left"])) for s in ("search", "keep", "final")}
answers = {split: np.full(shape, commonest) for split, shape in shapes.items()}
np.savez_compressed("outputs/predictions.npz", steps=np.array(meta["checkpoints"]), **answers)
line = json.dumps({"step": meta["checkpoints"][-1], "accuracy": 1.0, "keep": 1.0})
Path("metrics.jsonl").write_text(line + "\n", encoding="utf-8")
print("accuracy: 1.0")
print(line)
