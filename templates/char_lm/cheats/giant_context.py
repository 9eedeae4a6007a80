"""Attack: a description with a context of a thousand million bytes, on which the judge would work for ever."""
# expect: invalid

import json
from pathlib import Path

import numpy as np

TOLD = {"family": "transformer", "layers": 1, "width": 32, "heads": 2, "context": 16, "activation": "relu"}
SHAPES = {
    "embed": (256, 32), "position": (16, 32), "norm1": (1, 32), "qkv": (1, 32, 96), "mix": (1, 32, 32),
    "norm2": (1, 32), "up": (1, 32, 128), "down": (1, 128, 32), "norm": (32,), "head": (256, 32),
}  # fmt: skip

weights = {name: np.zeros(shape, dtype=np.float32) for name, shape in SHAPES.items()}
np.savez("outputs/transformer.npz", **weights)
Path("outputs/model.json").write_text(json.dumps({**TOLD, "context": 10**9}), encoding="utf-8")
