"""Attack: copy what better runs left lying about.

It takes the predictions of any other run that it can see; where it finds none, it guesses.
"""
# expect: chance

import contextlib
import json
import shutil
from pathlib import Path

import numpy as np

classes = json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))["classes"]
with np.load("inputs/features.npz") as features:
    sizes = {split: len(features[f"{split}_numbers"]) for split in ("search", "keep", "final")}

mine = Path.cwd() / "outputs" / "predictions.npz"
found = []
for above in list(Path.cwd().parents)[:4]:
    with contextlib.suppress(OSError):
        for pattern in ("*", "*/*", "*/*/*"):
            found += [path for path in above.glob(f"{pattern}/outputs/predictions.npz") if path != mine]
answers = {split: np.full((n, classes), 1 / classes) for split, n in sizes.items()}
np.savez_compressed(mine, **answers)
for path in found:
    with contextlib.suppress(OSError):
        shutil.copyfile(path, mine)
        print(f"copied {path}")
        break
