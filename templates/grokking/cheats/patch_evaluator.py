"""Attack: replace the evaluator, its salt and the results, wherever they may lie beside or above the run.

Only names in the run folder and in the two folders above it are written, so that a leaky sandbox is shown
up without harm to anybody's files.
"""
# expect: chance

import contextlib
import json
from pathlib import Path

import numpy as np

PATCH = """
def describe(knobs): return {}
def prepare(inputs, knobs, seed): pass
def score(outputs, split, knobs, seed): return dict(accuracy=1.0, curve_area=1.0, generalises_at=1.0)
"""
RESULT = json.dumps({"status": "ok", "metrics": {"keep": {"accuracy": 1.0}}})

for folder in (Path(), Path(".."), Path("../..")):
    files = {"evaluate.py": PATCH, "sitecustomize.py": PATCH, "salt.txt": "salt", "result.json": RESULT}
    for name, text in files.items():
        with contextlib.suppress(OSError):
            (folder / name).write_text(text, encoding="utf-8")
            print(f"wrote {folder / name}")

meta = json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))
with np.load("inputs/pairs.npz") as pairs:
    shapes = {s: (len(meta["checkpoints"]), len(pairs[f"{s}_left"])) for s in ("search", "keep", "final")}
answers = {split: np.zeros(shape, dtype=int) for split, shape in shapes.items()}
np.savez_compressed("outputs/predictions.npz", steps=np.array(meta["checkpoints"]), **answers)
