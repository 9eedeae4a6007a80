"""Attack: replace the evaluator, and the results, wherever they may lie beside or above the run, and hand in nothing.

Only names in the run folder and in the two folders above it are written, so that a leaky sandbox is shown
up without harm to anybody's files.
"""
# expect: invalid

import contextlib
import json
from pathlib import Path

PATCH = """
def describe(knobs): return {}
def prepare(inputs, knobs, seed): pass
def score(outputs, split, knobs, seed): return dict(bits_per_byte=0.0, byte_accuracy=1.0)
"""
RESULT = json.dumps({"status": "ok", "metrics": {"keep": {"bits_per_byte": 0.0}}})

for folder in (Path(), Path(".."), Path("../..")):
    for name, text in (("evaluate.py", PATCH), ("sitecustomize.py", PATCH), ("result.json", RESULT)):
        with contextlib.suppress(OSError):
            (folder / name).write_text(text, encoding="utf-8")
            print(f"wrote {folder / name}")
Path("outputs/model.json").write_text("{}", encoding="utf-8")
