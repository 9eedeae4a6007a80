"""Tiny templates with an evaluator of the test's own writing."""

from __future__ import annotations

import textwrap
from pathlib import Path

from scientist.experiments import Bench, choose_sandbox
from scientist.template import Template, load_template

TOML = """\
name = "tiny"
title = "A tiny task"
summary = "The candidate writes a number down, and the evaluator reads it."
background = "Nothing is learnt here. The evaluator of this task is written anew by every test that uses it."
editable = ["train.py"]
sealed = {sealed}
command = ["python", "train.py"]
hide = {hide}

[objective]
metric = "score"
smallest_effect = 0.1

[budget]
wall_s = 5
cpu_s = 5
memory_mb = 512
output_mb = 2
{artefacts}
[[metrics]]
name = "score"
title = "score"
direction = "{direction}"
{bound}

[[knobs]]
name = "value"
title = "value"
type = "float"
low = -1e6
high = 1e6
default = 1.0
why = "The candidate writes it down, and the evaluator takes it for the score."

[[knobs]]
name = "part"
title = "part of the data"
type = "choice"
choices = ["one", "two"]
default = "one"
applies = "data"
role = "dataset"
why = "Stands for a data set, so that there are two of them to tell apart."
"""
TRAIN = """\
import json
from pathlib import Path
value = json.loads(Path("knobs.json").read_text())["knobs"]["value"]
Path("outputs/value.json").write_text(json.dumps({"value": value}))
"""
HEAD = """\
import json
from pathlib import Path
"""
DESCRIBE = """\
def describe(knobs):
    return {"name": "tiny", "title": "tiny", "keep": 100, "majority": 0.5}
"""
PREPARE = """\
def prepare(inputs, knobs, seed):
    inputs.mkdir(parents=True, exist_ok=True)
    (inputs / "part.txt").write_text(knobs["part"])
"""
SCORE = """\
def score(outputs, split, knobs, seed):
    return {"score": float(json.loads((outputs / "value.json").read_text())["value"])}
"""


def make_template(
    folder: Path,
    *,
    score: str = SCORE,
    describe: str = DESCRIBE,
    prepare: str = PREPARE,
    head: str = "",
    files: dict[str, str] | None = None,
    artefacts: str = "",
    hide: str = "",
    direction: str = "maximize",
    bound: str = "",
    cheats: dict[str, str] | None = None,
) -> Template:
    """A template in `folder`; `files` are sealed beside evaluate.py, `head` is code at the top of it."""
    root = folder / "tiny"
    parts = [HEAD, *(textwrap.dedent(part) for part in (head, describe, prepare, score))]
    written = {"train.py": TRAIN, "evaluate.py": "\n".join(parts), **(files or {})}
    sealed = sorted({"evaluate.py", *(files or {})})
    written["template.toml"] = TOML.format(
        sealed=sealed, hide=[hide] if hide else [], artefacts=artefacts, direction=direction, bound=bound
    )
    for name, text in (cheats or {}).items():
        written[f"cheats/{name}.py"] = text
    for name, text in written.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return load_template(root)


def plain_bench(template: Template, folder: Path) -> Bench:
    """A bench of plain processes, to be entered."""
    return Bench.local(template, choose_sandbox("process", template.hide), folder / "scratch", 1)
