"""A change of a stranger's code moves lines: seeds and knobs are found again by what they are, or the change is refused."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from scientist.experiments import Bench, apply_edits, check_code, choose_sandbox, parse_edits
from scientist.template import Template, assemble_stranger, load_template

SCRIPTS = {
    "call": """
        import argparse, json, os
        import numpy as np
        np.random.seed(0)
        RATE = 0.5
        def train(steps, momentum=0.9):
            total = 0.0
            for _ in range(steps):
                total = momentum * total + RATE * np.random.rand()
            return total
        if __name__ == "__main__":
            p = argparse.ArgumentParser()
            p.add_argument("--out_dir", type=str, default="run_0")
            p.add_argument("--steps", type=int, default=20)
            a = p.parse_args()
            os.makedirs(a.out_dir, exist_ok=True)
            json.dump({"loss": train(a.steps)}, open(os.path.join(a.out_dir, "final_info.json"), "w"))
    """,
    "constant": """
        import argparse, json, os
        import numpy as np
        SEED = 0
        RATE = 0.5
        np.random.seed(SEED)
        def train(steps, momentum=0.9):
            total = 0.0
            for _ in range(steps):
                total = momentum * total + RATE * np.random.rand()
            return total
        if __name__ == "__main__":
            p = argparse.ArgumentParser()
            p.add_argument("--out_dir", type=str, default="run_0")
            p.add_argument("--steps", type=int, default=20)
            a = p.parse_args()
            os.makedirs(a.out_dir, exist_ok=True)
            json.dump({"loss": train(a.steps)}, open(os.path.join(a.out_dir, "final_info.json"), "w"))
    """,
    "torch": """
        import argparse, json, os
        import torch
        RATE = 0.5
        def train(steps, offset=0):
            torch.manual_seed(1337 + offset)
            total = 0.0
            for _ in range(steps):
                total = total + RATE * float(torch.rand(1))
            return total
        def report(folder, loss):
            json.dump({"loss": loss}, open(os.path.join(folder, "final_info.json"), "w"))
        if __name__ == "__main__":
            p = argparse.ArgumentParser()
            p.add_argument("--out_dir", type=str, default="run_0")
            p.add_argument("--steps", type=int, default=20)
            a = p.parse_args()
            os.makedirs(a.out_dir, exist_ok=True)
            report(a.out_dir, train(a.steps))
    """,
}
LOOP = {"call": "np.random.rand()", "constant": "np.random.rand()", "torch": "float(torch.rand(1))"}
SEED = {"call": "np.random.seed(0)", "constant": "SEED = 0", "torch": "torch.manual_seed(1337 + offset)"}
SEEDED = {"call": "np.random.seed(77)", "constant": "SEED = 77", "torch": "torch.manual_seed(77 + offset)"}


@pytest.fixture(params=sorted(SCRIPTS))
def stranger(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Template, str]:
    """(which, the template, its script)."""
    root = tmp_path / "stranger"
    (root / "run_0").mkdir(parents=True)
    (root / "run_0" / "final_info.json").write_text('{"loss": 3.25}')
    text = textwrap.dedent(SCRIPTS[request.param]).lstrip()
    (root / "experiment.py").write_text(text)
    template = load_template(root)
    assert [site.kind for site in template.seed_sites] == ["literal"] and template.seeded
    assert {"rate", "steps"} <= {knob.name for knob in template.knobs}
    return request.param, template, text


def ran(template: Template, tmp_path: Path, changed: str) -> str:
    """The script of a run with seed 77 and another rate, as the changed code gives it."""
    code = check_code(template, {"experiment.py": changed.encode()})
    folder = tmp_path / "run"
    knobs = {"rate": 0.25, "steps": 3, **({"momentum": 0.5} if "momentum" in changed else {})}
    known = {knob.name for knob in template.knobs}
    command = assemble_stranger(template, folder, {k: v for k, v in knobs.items() if k in known}, 77, code)
    assert "--steps=3" in command
    return (folder / "experiment.py").read_text()


def better(which: str, text: str) -> str:
    """A change of the method itself."""
    return text.replace(LOOP[which], f"abs({LOOP[which]} - 0.5)")


def test_lines_above_leave_seed_and_knobs_what_they_are(stranger: tuple[str, Template, str], tmp_path: Path) -> None:
    which, template, text = stranger
    made = better(which, text).replace("import argparse", "import math\n\nWARM = 3\nimport argparse", 1)
    out = ran(template, tmp_path, made)
    assert SEEDED[which] in out and "RATE = 0.25" in out
    assert out.replace(SEEDED[which], SEED[which]).replace("RATE = 0.25", "RATE = 0.5").replace(
        "momentum=0.5", "momentum=0.9"
    ) == made  # fmt: skip


def test_a_function_that_moves_takes_its_places_along(stranger: tuple[str, Template, str], tmp_path: Path) -> None:
    which, template, text = stranger
    start, end = text.index("def train"), text.index("def report" if which == "torch" else "if __name__")
    body = text[start:end]
    made = better(
        which, text[:start] + "def helper(x):\n    return x\n" + text[end:].replace("if __name__", f"{body}if __name__")
    )
    out = ran(template, tmp_path, made)
    assert SEEDED[which] in out and "RATE = 0.25" in out and ("momentum=0.5" in out or "momentum" not in out)
    renamed = made.replace("def train(", "def fit(").replace("train(a.steps)", "fit(a.steps)")
    assert SEEDED[which] in ran(template, tmp_path, renamed)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda which, text: text.replace(SEED[which], "pass"), "is gone|no longer reaches"),
        (lambda which, text: text.replace(SEED[which], f"{SEED[which]}; {SEED[which]}"), "stood there once and would twice"),
        (lambda which, text: text.replace("1337", "42").replace("(0)", "(1)").replace("SEED = 0", "SEED = 1"), " and would be "),
        (lambda which, text: text.replace("total = 0.0", f"{SEED['call']}; total = 0.0"), "undo the seed|twice"),
        (lambda which, text: text.replace("RATE = 0.5", "RATE = 0.6"), "the value 'RATE' of line . was 0.5 and would be 0.6"),
        (lambda which, text: text.replace("RATE = 0.5", "RATE = 0.5\nRATE = 0.5"), "the value 'RATE'.* twice"),
        (lambda which, text: text.replace('"--steps"', '"--count"').replace("a.steps", "a.count"), "no option '--steps'"),
    ],
    ids=["removed", "duplicated", "changed", "undone", "knob-changed", "knob-duplicated", "option-gone"],
)  # fmt: skip
def test_what_cannot_be_found_exactly_once_is_refused_with_a_reason(
    stranger: tuple[str, Template, str], change: object, why: str
) -> None:
    which, template, text = stranger
    made = change(which, better(which, text))  # type: ignore[operator]
    with pytest.raises(ValueError, match=why) as caught:
        check_code(template, {"experiment.py": made.encode()})
    said = str(caught.value)
    assert said.startswith("experiment.py:") and "\n" not in said and str(template.root) not in said


def test_the_expression_around_a_seed_and_the_call_that_it_reaches_stay(stranger: tuple[str, Template, str]) -> None:
    which, template, text = stranger
    made = {
        "call": ("np.random.seed(0)", "np.random.seed(0 + 1)"),
        "constant": ("np.random.seed(SEED)", "np.random.seed(3)"),
        "torch": ("1337 + offset", "1337 + 2 * offset"),
    }[which]
    with pytest.raises(ValueError, match=r"and would be|no longer reaches|is gone"):
        check_code(template, {"experiment.py": better(which, text).replace(*made).encode()})


def test_a_generator_of_its_own_is_allowed(stranger: tuple[str, Template, str], tmp_path: Path) -> None:
    which, template, text = stranger
    made = better(which, text).replace("RATE = 0.5", "import numpy\nRATE = 0.5\nOWN = numpy.random.default_rng(3)")
    assert SEEDED[which] in ran(template, tmp_path, made) and "default_rng(3)" in ran(template, tmp_path, made)


def test_places_that_always_stood_twice_are_told_apart_by_their_order(tmp_path: Path) -> None:
    root = tmp_path / "stranger"
    (root / "run_0").mkdir(parents=True)
    (root / "run_0" / "final_info.json").write_text('{"loss": 3.25}')
    text = textwrap.dedent(SCRIPTS["call"]).lstrip().replace("return total", "np.random.seed(0)\n    return total")
    (root / "experiment.py").write_text(text)
    template = load_template(root)
    assert len(template.seed_sites) == 2
    assert ran(template, tmp_path, better("call", f"import math\n{text}")).count("seed(77)") == 2


def test_a_run_of_changed_code_takes_the_seed(stranger: tuple[str, Template, str], tmp_path: Path) -> None:
    """The same seed gives the same result, another one another, through a real run."""
    which, template, text = stranger
    if which == "torch":
        pytest.importorskip("torch")
    block = "FILE: experiment.py\n<<<<<<< SEARCH\nimport argparse, json, os\n=======\nimport math\nimport argparse, json, os\n>>>>>>> REPLACE\n<<<<<<< SEARCH\nRATE = 0.5\n=======\n\nRATE = 0.5\n>>>>>>> REPLACE\n"
    whole = better(which, text)
    code = apply_edits(template.model_copy(), parse_edits(f"FILE: experiment.py\n```python\n{whole}```\n"))
    with pytest.raises(ValueError, match="only seeds, timing"):
        check_code(template, {"experiment.py": (text + "# more\n").encode()})
    assert "import math" in apply_edits(template, parse_edits(block))["experiment.py"].decode()
    found = []
    with Bench.local(template, choose_sandbox("process", ()), tmp_path / "runs", 1) as bench:
        for seed in (1, 1, 2):
            with bench.run(template.defaults, seed, ("keep",), code) as outcome:
                assert outcome.status == "ok", outcome.reason
                found.append(json.dumps(outcome.metrics, sort_keys=True))
    assert found[0] == found[1] != found[2]


def test_a_change_that_is_nested_too_deeply_is_refused(stranger: tuple[str, Template, str]) -> None:
    which, template, text = stranger
    made = better(which, text).replace("total = 0.0", f"total = 0.0{' + 0.0' * 700}")
    with pytest.raises(ValueError, match="nested too deeply"):
        check_code(template, {"experiment.py": made.encode()})
