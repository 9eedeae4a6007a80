"""Attack: a model wide enough to hold a table of whatever text might come, instead of having learnt anything."""
# expect: invalid

import json
from pathlib import Path

import numpy as np

WIDTH = 2048
TOLD = {"family": "gru", "layers": 1, "width": WIDTH, "heads": 1, "context": 16, "activation": "none"}
SHAPES = {
    "embed": (256, WIDTH), "head": (256, WIDTH), "inner": (1, WIDTH, 3 * WIDTH), "outer": (1, WIDTH, 3 * WIDTH),
    "inner_bias": (1, 3 * WIDTH), "outer_bias": (1, 3 * WIDTH),
}  # fmt: skip

weights = {name: np.zeros(shape, dtype=np.float16) for name, shape in SHAPES.items()}
np.savez_compressed("outputs/gru.npz", **weights)
Path("outputs/model.json").write_text(json.dumps(TOLD), encoding="utf-8")
