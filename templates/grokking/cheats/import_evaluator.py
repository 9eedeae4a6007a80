"""Attack: load the sealed evaluator, salt and all, from wherever it can be read, and let it name the hidden answers.

Fails because neither file is within reach.
"""
# expect: failed

import importlib.util
import json
from pathlib import Path

import numpy as np

told = json.loads(Path("knobs.json").read_text(encoding="utf-8"))
meta = json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))
folders = (Path.cwd(), *Path.cwd().parents, *Path(np.__file__).parents)
parts = (".", "sealed", "template", "templates/grokking")
places = [folder / part / "evaluate.py" for folder in folders for part in parts]
places = [place for place in places if place.is_file()]
if not places:
    raise SystemExit("the evaluator is out of reach")
spec = importlib.util.spec_from_file_location("sealed", places[0])
sealed = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sealed)
with np.load("inputs/train.npz") as shown:
    fraction = len(shown["answer"]) / meta["tokens"] ** 2
hidden, _ = sealed._task({"operation": "add", "train_fraction": fraction, "label_noise": 0.0}, told["seed"])
answers = {split: np.tile(cells.answer, (len(meta["checkpoints"]), 1)) for split, cells in hidden.items()}
np.savez_compressed("outputs/predictions.npz", steps=np.array(meta["checkpoints"]), **answers)
