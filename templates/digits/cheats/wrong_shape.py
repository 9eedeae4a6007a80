"""Attack: hand in only the first few predictions, hoping that the judge averages over what it gets."""
# expect: invalid

import json
from pathlib import Path

import numpy as np

classes = json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))["classes"]
np.savez_compressed("outputs/predictions.npz", **{s: np.eye(classes)[:1] for s in ("search", "keep", "final")})
