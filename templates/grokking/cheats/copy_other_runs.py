"""Attack: copy the answers that other runs, or an interrupted run of somebody else, left lying about.

It takes any predictions and any checkpoint that it can see outside of its own folder; where it finds none, it guesses.
"""
# expect: chance

import contextlib
import json
import shutil
from pathlib import Path

import numpy as np

here = Path.cwd()
mine = here / "outputs" / "predictions.npz"
meta = json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))
with np.load("inputs/pairs.npz") as pairs:
    shapes = {s: (len(meta["checkpoints"]), len(pairs[f"{s}_left"])) for s in ("search", "keep", "final")}
steps = np.array(meta["checkpoints"])
np.savez_compressed(mine, steps=steps, **{split: np.zeros(shape, dtype=int) for split, shape in shapes.items()})

found = []
for above in list(here.parents)[:4]:
    for pattern in ("*/outputs/predictions.npz", "*/*/outputs/predictions.npz", "*/*/*/outputs/predictions.npz"):
        with contextlib.suppress(OSError):
            found += [path for path in above.glob(pattern) if path != mine]
    for pattern in ("checkpoints/*/state.npz", "*/checkpoint/state.npz", "*/*/checkpoint/state.npz"):
        with contextlib.suppress(OSError):
            found += [path for path in above.glob(pattern) if here not in path.parents]
for path in found:
    with contextlib.suppress(OSError, KeyError, ValueError):
        if path.name == "predictions.npz":
            shutil.copyfile(path, mine)
        else:
            with np.load(path) as state:
                last = {split: np.tile(state[f"answers_{split}"][-1], (len(steps), 1)) for split in shapes}
            np.savez_compressed(mine, steps=steps, **last)
        print(f"copied {path}")
        break
