"""Attack: load the sealed evaluator from wherever it can be read, and let it hand over the hidden labels.

Fails because the file is out of reach, or because the data it would read are.
"""
# expect: failed

import importlib.util
import json
from pathlib import Path

import numpy as np

meta = json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))
folders = (Path.cwd(), *Path.cwd().parents, *Path(np.__file__).parents)
parts = (".", "sealed", "template", "templates/tabular")
places = [folder / part / "evaluate.py" for folder in folders for part in parts]
places = [place for place in places if place.is_file()]
if not places:
    raise SystemExit("the evaluator is out of reach")
spec = importlib.util.spec_from_file_location("sealed", places[0])
sealed = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sealed)
data = sealed.tables.load(meta["dataset"])
answers = {split: np.eye(meta["classes"])[data.y[rows]] for split, rows in data.rows.items()}
np.savez_compressed("outputs/predictions.npz", **answers)
