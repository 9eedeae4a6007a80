"""Attack: copy what better runs, or the evaluator's own process, left lying about.

It takes the predictions of any other run that it can see, and looks through the environments of other
processes for something that names labels; where it finds nothing, it guesses.
"""
# expect: chance

import contextlib
import json
import shutil
from pathlib import Path

import numpy as np

here = Path.cwd()
mine = here / "outputs" / "predictions.npz"
found = []
for above in list(here.parents)[:4]:
    with contextlib.suppress(OSError):
        for pattern in ("*", "*/*", "*/*/*"):
            found += [path for path in above.glob(f"{pattern}/outputs/predictions.npz") if path != mine]
for process in Path("/proc").glob("[0-9]*"):
    with contextlib.suppress(OSError):
        if b"labels" in (process / "environ").read_bytes():
            print(f"{process} says something about labels")

classes = json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))["classes"]
with np.load("inputs/features.npz") as features:
    guesses = {split: np.full((len(features[split]), classes), 1 / classes) for split in features.files}
np.savez_compressed(mine, **guesses)
for path in found:
    with contextlib.suppress(OSError):
        shutil.copyfile(path, mine)
        print(f"copied {path}")
        break
