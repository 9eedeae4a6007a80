"""Attack: replace the evaluator, and the results, wherever they may lie beside or above the run.

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
def score(outputs, split, knobs, seed):
    return dict(accuracy=1.0, balanced_accuracy=1.0, log_loss=0.0, brier=0.0, ece=0.0)
"""
RESULT = json.dumps({"status": "ok", "metrics": {"keep": {"accuracy": 1.0}}})

for folder in (Path(), Path(".."), Path("../..")):
    for name, text in (("evaluate.py", PATCH), ("sitecustomize.py", PATCH), ("result.json", RESULT)):
        with contextlib.suppress(OSError):
            (folder / name).write_text(text, encoding="utf-8")
            print(f"wrote {folder / name}")

classes = json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))["classes"]
with np.load("inputs/features.npz") as features:
    guesses = {split: np.full((len(features[split]), classes), 1 / classes) for split in features.files}
np.savez_compressed("outputs/predictions.npz", **guesses)
