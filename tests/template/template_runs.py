"""Runs of a template's candidate without bench or sandbox, for tests: prepare, run as `__main__`, score."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import os
import runpy
import warnings
from pathlib import Path
from types import ModuleType

from scientist.lab import KnobValue
from scientist.template import Template, load_template

ROOT = Path(__file__).resolve().parents[2]
DIGITS = ROOT / "templates" / "digits"
DIAL = ROOT / "tests" / "templates" / "dial"


def evaluator(folder: Path) -> ModuleType:
    """The sealed evaluator of a template, as a module of its own."""
    spec = importlib.util.spec_from_file_location(f"evaluate_{folder.name}", folder / "evaluate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def arrange(
    template: Template, judge: ModuleType, folder: Path, partial: dict[str, KnobValue], seed: int = 0
) -> dict[str, KnobValue]:
    """Make a run folder as the bench does; returns the full knobs."""
    full = template.complete(partial)
    (folder / "outputs").mkdir(parents=True)
    judge.prepare(folder / "inputs", full, seed)
    # Only what acts: a candidate that reads a knob that does not act fails here.
    method = {k: v for k, v in template.effective(full).items() if template.knob(k).applies == "method"}
    (folder / "knobs.json").write_text(json.dumps({"seed": seed, "knobs": method}), encoding="utf-8")
    return full


def execute(script: Path, folder: Path) -> str:
    """Run `script` as `__main__` in `folder`, in this process; returns what it printed."""
    before, said = Path.cwd(), io.StringIO()
    os.chdir(folder)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(said):
            runpy.run_path(str(script), run_name="__main__")
    finally:
        os.chdir(before)
    return said.getvalue()


def run(
    root: Path, judge: ModuleType, folder: Path, partial: dict[str, KnobValue], seed: int = 0, split: str = "keep"
) -> dict[str, float]:
    """One whole run of the template's own candidate; returns the metrics on one split."""
    full = arrange(load_template(root), judge, folder, partial, seed)
    execute(root / "train.py", folder)
    return dict(judge.score(folder / "outputs", split, full, seed))
