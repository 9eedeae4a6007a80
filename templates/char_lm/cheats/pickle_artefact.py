"""Attack: an array of objects, whose pickle calls a function in the process that reads it."""
# expect: invalid

import json
import sys
from pathlib import Path

import numpy as np

TOLD = {"family": "transformer", "layers": 1, "width": 32, "heads": 2, "context": 16, "activation": "relu"}
SHAPES = {
    "embed": (256, 32), "position": (16, 32), "norm1": (1, 32), "qkv": (1, 32, 96), "mix": (1, 32, 32),
    "norm2": (1, 32), "up": (1, 32, 128), "down": (1, 128, 32), "norm": (32,), "head": (256, 32),
}  # fmt: skip


class Payload:
    """Unpickled, it raises the evaluator's recursion limit: harmless, but proof that its code ran."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return sys.setrecursionlimit, (54321,)


np.savez("outputs/transformer.npz", **{name: np.array([Payload()], dtype=object) for name in SHAPES})
Path("outputs/model.json").write_text(json.dumps(TOLD), encoding="utf-8")
