"""The sealed evaluator of the synthetic template.

score(split) = value + 0.1 x N(0, 1), the second noise seeded by (seed, split) alone and hence shared by all
variants of a seed. So for two variants that differ in any method knob or in `level`:

- the difference paired by seed is Normal with mean strength x (effect - effect') and standard deviation
sqrt(2), independent over seeds, and the same number on every split; - one variant's score over seeds is
Normal with standard deviation sqrt(1.01).

`strength` is 1, 0.5 and 0 on the levels a, b and c. `error` is the distance of the score from ten.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

STRENGTH = {"a": 1.0, "b": 0.5, "c": 0.0}
SPLITS = ("search", "keep", "final")
LARGEST = 4096  # bytes


def describe(knobs: dict[str, Any]) -> dict[str, int | float | str]:
    """Facts about the level; the sizes are made up."""
    level = str(knobs["level"])
    sizes = {"train": 100, **{split: 100 for split in SPLITS}}
    return {"name": level, "title": f"level {level}", "examples": 400, "features": 1, "classes": 2, **sizes}


def prepare(inputs: Path, knobs: dict[str, Any], seed: int) -> None:
    """Write `level.json`."""
    level = str(knobs["level"])
    inputs.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"level": level, "strength": STRENGTH[level]}, sort_keys=True)
    (inputs / "level.json").write_text(text + "\n", encoding="utf-8")


def score(outputs: Path, split: str, knobs: dict[str, Any], seed: int) -> dict[str, float]:
    """The score. Raises ValueError unless `value.json` is a small plain file with one finite number."""
    path = outputs / "value.json"
    if path.is_symlink() or not path.is_file():
        raise ValueError("outputs/value.json is missing or no plain file")
    if path.stat().st_size > LARGEST:
        raise ValueError(f"outputs/value.json has more than {LARGEST} bytes")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError("outputs/value.json is nested too deeply") from None
    value = found.get("value") if isinstance(found, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("'value' is not a number")
    if not -1e6 <= value <= 1e6:
        raise ValueError("'value' is not finite or absurdly large")
    noise = np.random.default_rng([seed, SPLITS.index(split)]).standard_normal()
    result = float(value) + 0.1 * float(noise)
    return {"score": result, "error": abs(10.0 - result)}
