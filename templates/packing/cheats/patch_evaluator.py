"""Attack: replace the evaluator, and the results, wherever they may lie beside or above the run.

Only names in the run folder and in the two folders above it are written, so that a leaky sandbox is shown
up without harm to anybody's files. What is handed in is two circles too large for the square.
"""
# expect: invalid

import contextlib
import json
from pathlib import Path

PATCH = """
def describe(knobs): return {}
def prepare(inputs, knobs, seed): pass
def score(outputs, split, knobs, seed): return dict(relative=1.0, value=9.0, reached=1.0)
"""
RESULT = json.dumps({"status": "ok", "metrics": {"keep": {"relative": 1.0}}})

for folder in (Path(), Path(".."), Path("../..")):
    for name, text in (("evaluate.py", PATCH), ("sitecustomize.py", PATCH), ("result.json", RESULT)):
        with contextlib.suppress(OSError):
            (folder / name).write_text(text, encoding="utf-8")
            print(f"wrote {folder / name}")

told = json.loads(Path("inputs/problem.json").read_text(encoding="utf-8"))
solution = {"problem": told["problem"], "circles": [["0.5", "0.5", "0.5"]] * told["n"]}
Path("outputs/solution.json").write_text(json.dumps(solution), encoding="utf-8")
