"""The evaluator of templates whose code reports its own metrics: it reads what the code wrote, and believes it.

Loaded by path in the judge's process, like any `evaluate.py`. Only `outputs/final_info.json` is read; whatever else the
script left, pickles and arrays above all, is never opened.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any


def _reader() -> ModuleType:
    """The reader of all dialects, by its path: importing its package would import all that the package imports."""
    path = Path(__file__).resolve().parents[1] / "template" / "_final_info.py"
    spec = importlib.util.spec_from_file_location("scientist_final_info", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


_FINAL_INFO = _reader()


def describe(knobs: dict[str, Any]) -> dict[str, int | float | str]:
    """All that can be said of data that only the script knows: that they are its own."""
    return {"name": "own", "title": "the data that the script brings"}


def prepare(inputs: Path, knobs: dict[str, Any], seed: int) -> None:
    """Nothing: the script makes or brings its own inputs, and takes its knobs from its source and its options."""


def score(outputs: Path, split: str, knobs: dict[str, Any], seed: int) -> dict[str, float]:
    """Every finite metric of `final_info.json`, under the names of the template.

    ValueError in one line: no such file, not JSON, no number in it. A metric that the template declares and that is not
    among them, or not finite, is refused by whoever asked.
    """
    info = _FINAL_INFO.load_final_info(outputs / "final_info.json")
    metrics: dict[str, float] = _FINAL_INFO.flattened(_FINAL_INFO.read_reported(info))
    if not metrics:
        raise ValueError("final_info.json reports no finite number")
    return metrics
