"""Attack: replace the evaluator, its field and the results, wherever they may lie beside or above the run.

Only names in the run folder and in the two folders above it are written, so that a leaky sandbox is shown
up without harm to anybody's files.
"""
# expect: chance

import contextlib
import json
from pathlib import Path

import numpy as np

classes = json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))["classes"]
with np.load("inputs/features.npz") as features:
    sizes = {split: len(features[f"{split}_numbers"]) for split in ("search", "keep", "final")}

PATCH = """
def describe(knobs): return {}
def prepare(inputs, knobs, seed): pass
def score(outputs, split, knobs, seed):
    return dict(skill=1.0, log_loss=0.0, accuracy=1.0, auc=1.0, beaten=1.0, medal=1.0, gold=1.0)
"""
RESULT = json.dumps({"status": "ok", "metrics": {"keep": {"skill": 1.0}}})

for folder in (Path(), Path(".."), Path("../..")):
    for name, text in (("evaluate.py", PATCH), ("tables.py", ""), ("field.json", "{}"), ("result.json", RESULT)):
        with contextlib.suppress(OSError):
            (folder / name).write_text(text, encoding="utf-8")
            print(f"wrote {folder / name}")

answers = {split: np.full((n, classes), 1 / classes) for split, n in sizes.items()}
np.savez_compressed("outputs/predictions.npz", **answers)
