"""The walk-through in docs/templates.md works as written: the files on the page make a template that passes its check."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from template_runs import ROOT, evaluator, execute, run

from scientist.experiments import Bench, bubblewrap_works, choose_sandbox
from scientist.template import Knob, Metric, Template, load_template

PAGE = (ROOT / "docs" / "templates.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`templates/tide/([\w/.]+)`[^\n]*:\n\n```\w*\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


@pytest.fixture
def tide(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "tide" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "tide"


def test_the_page_holds_a_whole_template(tide: Path) -> None:
    template = load_template(tide)
    judge = evaluator(tide)
    assert sum(name.startswith("cheats/") for name in FILES) >= 3

    def mean(**knobs: int | float | str) -> float:
        place = tide.parent / "-".join(f"{k}{v}" for k, v in knobs.items())
        return float(np.mean([run(tide, judge, place / str(s), dict(knobs), s)["accuracy"] for s in range(5)]))

    assert mean(window=0) + 0.02 < mean(window=5) > mean(window=40) + 0.02
    assert mean(noise=1.0) > mean(noise=8.0)
    for shape in template.knob("shape").choices:
        assert mean(shape=shape) > 0.6
    a, b = (tide.parent / f"noise{n}" / "0/inputs/readings.json" for n in ("1.0", "8.0"))
    assert a.read_bytes() != b.read_bytes()


def test_its_attacks_end_as_they_say(tide: Path) -> None:
    if not bubblewrap_works()[0]:
        pytest.skip("bubblewrap does not work here")
    template = load_template(tide)
    with Bench.local(template, choose_sandbox("bubblewrap"), tide.parent / "scratch", 1) as bench:
        majority = bench.judge.describe(template.defaults)["majority"]
        for path in sorted((tide / "cheats").glob("*.py")):
            (end,) = re.findall(r"^# expect: (\w+)$", path.read_text(), re.MULTILINE)
            code = {"train.py": path.read_bytes()}
            with bench.run(template.defaults, 0, ("keep",), code) as outcome:
                assert outcome.status == ("ok" if end == "chance" else end), (path.name, outcome.reason)
                if end == "chance":
                    assert outcome.metrics["keep"]["accuracy"] <= float(majority) + 0.1


def test_reading_the_salt_works_where_it_can_be_read(tide: Path) -> None:
    place = tide / "scratch" / "run"
    (place / "outputs").mkdir(parents=True)
    execute(tide / "cheats/read_salt.py", place)
    assert (place / "outputs/answers.json").is_file()


def test_every_key_is_explained() -> None:
    known = set(Template.model_fields) - {
        "schema_version",
        "root",
        "objective",
        "budget",
        "metrics",
        "knobs",
        "artefacts",
    }
    for name in (*known, *Knob.model_fields, *set(Metric.model_fields)):
        assert f"`{name}`" in PAGE or f"`{name} " in PAGE, name
