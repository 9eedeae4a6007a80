"""`templates check` fails closed: one thing that is wrong with a template per test, and each has a line of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fraud_templates import HEAD, SCORE, make_template, plain_bench
from hypothesis import given
from hypothesis import strategies as st

from scientist.errors import TemplateError
from scientist.experiments import (
    Bench,
    CheatRow,
    TemplateReport,
    check_template,
    choose_sandbox,
    ensure_contained,
    run_cheats,
)
from scientist.experiments._cheats import beyond_guessing
from scientist.template import Template

HALF = "import json\nopen('outputs/value.json', 'w').write(json.dumps({'value': 0.5}))\n"
CHEATS = {
    "guess": f'"""Attack: guess."""\n# expect: chance\n{HALF}',
    "nothing": '"""Attack: die."""\n# expect: failed\nraise SystemExit(3)\n',
    "infinite": '"""Attack: more than any number."""\n# expect: invalid\n'
    "open('outputs/value.json', 'w').write('{\"value\": Infinity}')\n",
}


def report(folder: Path, **parts: Any) -> TemplateReport:
    template = make_template(folder, **{"cheats": CHEATS, **parts})
    return check_template(template, choose_sandbox("process"), folder / "check", lambda _: None)


def fails(found: TemplateReport) -> str:
    """The one line that fails."""
    assert not found.passed
    lines = [f"{finding.name}: {finding.detail}" for finding in found.findings if finding.status == "fail"]
    lines += [f"{row.name}: {row.status}: {row.detail}" for row in found.cheats if not row.contained]
    assert len(lines) == 1 and "\n" not in lines[0], lines
    return lines[0]


def test_a_sound_template_passes(tmp_path: Path) -> None:
    found = report(tmp_path)
    assert found.passed and found.honest.score == 1.0 and not found.findings
    assert [(row.name, row.status) for row in found.cheats] == [
        ("guess", "ok"),
        ("infinite", "invalid"),
        ("nothing", "failed"),
    ]


# -- attacks -----------------------------------------------------------------------------------------------------------


def test_a_template_without_attacks_does_not_pass(tmp_path: Path) -> None:
    assert fails(report(tmp_path, cheats={})).startswith("attacks: there are none")


BAD = {
    name: (code, why)
    for name, code, why in [
        ("better", f"# expect: chance\n{HALF.replace('0.5', '0.9')}", "scored 0.900, better than guessing"),
        ("not_stopped", f"# expect: failed\n{HALF}", "scored 0.500, not failed"),
        ("not_refused", f"# expect: invalid\n{HALF}", "scored 0.500, not invalid"),
        ("no_alarm", f"# expect: alarm\n{HALF}", "scored 0.500, not alarm"),
        ("unknown", f"# expect: nothing\n{HALF}", "unknown expectation 'nothing'"),
        ("said_twice", f"# expect: chance\n# expect: invalid\n{HALF}", "more than one line"),
        ("unsaid", HALF, "no line '# expect:"),
        ("no_python", "# expect: invalid\nopen('outputs/value.json', 'w'\n", "is no Python"),
        ("no_module", "# expect: invalid\nimport no_such_module\n", "never got to the judge, so it proves nothing"),
        ("dies", "# expect: chance\nraise SystemExit(1)\n", "never got to the judge, so it proves nothing"),
        ("too_far", "# expect: failed\nopen('outputs/x.json', 'w').write('{}{}')\n", "is not JSON"),
        (
            "crashes_the_judge",
            "# expect: failed\nopen('outputs/value.json', 'w').write('{}')\n",
            "the evaluator failed: KeyError",
        ),
    ]
}


@pytest.fixture(scope="module")
def badly_attacked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, CheatRow]:
    """What becomes of all these attacks."""
    cheats = {name: f'"""Attack: {name}."""\n{code}' for name, (code, _) in BAD.items()}
    found = report(tmp_path_factory.mktemp("bad"), cheats=cheats)
    assert not found.passed and found.honest.status == "ok"
    return {row.name: row for row in found.cheats}


@pytest.mark.parametrize("name", sorted(BAD))
def test_an_attack_must_end_exactly_as_it_says(badly_attacked: dict[str, CheatRow], name: str) -> None:
    row = badly_attacked[name]
    assert not row.contained and BAD[name][1] in row.detail and "\n" not in row.detail


def test_guessing_must_have_a_value(tmp_path: Path) -> None:
    told = 'def describe(knobs):\n    return {"name": "tiny"}\n'
    assert "no 'majority'" in fails(report(tmp_path, describe=told))


def test_an_attack_that_passes_the_bound_must_say_so(tmp_path: Path) -> None:
    beat = HALF.replace("0.5", "7.0")
    unsaid = {**CHEATS, "beat": f'"""Attack: beat."""\n# expect: chance\n{beat}'}
    assert "beat: alarm: score = 7.0 on keep passes its proven bound" in fails(
        report(tmp_path / "a", bound="bound = 5.0", cheats=unsaid)
    )
    said = {**CHEATS, "beat": f'"""Attack: beat."""\n# expect: alarm\n{beat}'}
    assert report(tmp_path / "b", bound="bound = 5.0", cheats=said).passed


def test_an_attack_that_brings_the_judge_down_is_not_contained(tmp_path: Path) -> None:
    score = """
    def score(outputs, split, knobs, seed):
        value = json.loads((outputs / "value.json").read_text())["value"]
        if value == 0.5:
            import os
            os.kill(os.getppid(), 9)
            os.kill(os.getpid(), 9)
        return {"score": float(value)}
    """
    cheats = {"guess": CHEATS["guess"]}
    assert "guess: error: the evaluator died" in fails(report(tmp_path, score=score, cheats=cheats))


@given(st.floats(0.01, 0.99), st.integers(1, 10_000), st.floats(-1, 2), st.sampled_from(["maximize", "minimize"]))
def test_guessing_is_four_standard_errors_wide(share: float, size: int, score: float, direction: str) -> None:
    template = _two_way(direction)
    slack = 4 * (share * (1 - share) / size) ** 0.5
    beyond = score - share if direction == "maximize" else share - score
    assert bool(beyond_guessing(template, {"majority": share, "keep": size}, score)) == (beyond > slack)


def _two_way(direction: str) -> Template:
    if direction not in TEMPLATES:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            TEMPLATES[direction] = make_template(Path(folder), direction=direction)
    return TEMPLATES[direction]


TEMPLATES: dict[str, Template] = {}


def test_a_campaign_does_not_begin_with_an_attack_that_cannot_be_run(tmp_path: Path) -> None:
    template = make_template(tmp_path, cheats={"broken": "# expect: invalid\n(\n"})
    with plain_bench(template, tmp_path) as bench, pytest.raises(TemplateError, match="'broken' is not contained"):
        ensure_contained(bench, tmp_path / "cache.txt")
    assert not (tmp_path / "cache.txt").exists()


def test_a_template_that_passed_is_not_attacked_again_until_an_attack_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = make_template(tmp_path, cheats=CHEATS)
    asked: list[int] = []

    def counted(bench: Bench) -> Any:
        asked.append(1)
        return run_cheats(bench)

    monkeypatch.setattr("scientist.experiments._cheats.run_cheats", counted)
    with plain_bench(template, tmp_path) as bench:
        assert ensure_contained(bench, tmp_path / "cache.txt") == []
        assert ensure_contained(bench, tmp_path / "cache.txt") == []
        assert len(asked) == 1
        (template.root / "cheats/one_more.py").write_text(CHEATS["nothing"])
        assert ensure_contained(bench, tmp_path / "cache.txt") == []
        assert len(asked) == 2


# -- the evaluator -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "code", "why"),
    [
        (
            "prepare",
            "def prepare(inputs, knobs, seed):\n    inputs.mkdir(exist_ok=True)\n"
            "    (inputs / 'order.txt').write_text(''.join({f'{n}' for n in range(50)}))\n",
            r"prepare: not deterministic: two processes made different inputs (order.txt)",
        ),
        (
            "score",
            "import os\nLUCK = os.getpid()\ndef score(outputs, split, knobs, seed):\n    return {'score': float(os.getppid())}\n",
            "score: not deterministic",
        ),
        (
            "describe",
            "import os\ndef describe(knobs):\n    return {'name': 'tiny', 'pid': os.getpid(), 'keep': 9, 'majority': 0.5}\n",
            "describe: not deterministic",
        ),
        (
            "describe",
            "def describe(knobs):\n    return {'name': 'two words', 'keep': 100, 'majority': 0.5}\n",
            "describe: with the defaults: 'name' must be an identifier",
        ),
        (
            "describe",
            "def describe(knobs):\n    if knobs['part'] == 'two':\n        raise ValueError('no such part')\n"
            "    return {'name': 'tiny', 'keep': 100, 'majority': 0.5}\n",
            "with part = two: the template cannot prepare these knobs: no such part",
        ),
    ],
)
def test_an_evaluator_that_breaks_its_contract_does_not_pass(tmp_path: Path, part: str, code: str, why: str) -> None:
    cheats = {"nothing": CHEATS["nothing"]}
    found = report(tmp_path, cheats=cheats, **{part: code})
    lines = [f"{finding.name}: {finding.detail}" for finding in found.findings if finding.status == "fail"]
    assert not found.passed and any(why in line for line in lines), lines


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({"score": "def score(outputs, split, knobs, seed):\n    return {}\n"}, "no 'score' among the scores"),
        ({"head": "raise RuntimeError('broken')\n"}, "broken"),
        ({"score": "x = 1\n"}, "has no attribute 'score'"),
        ({"score": SCORE.replace("return", "if split == 'final': 1 / 0\n    return")}, "ZeroDivisionError"),
    ],
)
def test_a_fault_of_the_evaluator_is_one_line(tmp_path: Path, parts: dict[str, str], why: str) -> None:
    found = report(tmp_path, **parts)
    lines = [finding.detail for finding in found.findings if finding.status == "fail"]
    assert not found.passed and len(lines) == 1 and why in lines[0] and "\n" not in lines[0]


def test_an_honest_run_that_fails_does_not_pass(tmp_path: Path) -> None:
    found = report(tmp_path, score=f"{HEAD}\ndef score(outputs, split, knobs, seed):\n    raise ValueError('never')\n")
    assert not found.passed and (found.honest.status, found.honest.reason) == ("invalid", "never")


def test_a_candidate_that_does_not_repeat_itself_is_noted(tmp_path: Path) -> None:
    template = make_template(
        tmp_path, cheats=CHEATS, score="def score(outputs, split, knobs, seed):\n    return {'score': 1.0}\n"
    )
    (template.root / "train.py").write_text(
        "import os\nopen('outputs/value.json', 'w').write('[%d]' % int.from_bytes(os.urandom(6), 'big'))\n"
    )
    cheats = template.root / "cheats"
    (cheats / "guess.py").unlink()
    found = check_template(template, choose_sandbox("process"), tmp_path / "check", lambda _: None)
    assert found.passed
    assert [(finding.name, finding.status) for finding in found.findings] == [("candidate", "note")]


# -- metrics that the code reports itself ------------------------------------------------------------------------------

REPORTING = """\
import argparse, json, os
parser = argparse.ArgumentParser()
parser.add_argument("--out_dir", type=str, default="run_0")
parser.add_argument("--rate", type=float, default=0.1)
args = parser.parse_args()
os.makedirs(args.out_dir, exist_ok=True)
accuracy = 0.5 + 0.0 * args.rate
LEAVE
"""
REPORT = "json.dump({'own': {'means': {'accuracy_mean': accuracy}}}, open(os.path.join(args.out_dir, 'final_info.json'), 'w'))"


def reporting(folder: Path, leave: str) -> Template:
    from scientist.template import load_template

    (folder / "theirs" / "run_0").mkdir(parents=True)
    (folder / "theirs/experiment.py").write_text(REPORTING.replace("LEAVE", leave))
    (folder / "theirs/run_0/final_info.json").write_text('{"own": {"means": {"accuracy_mean": 0.5}}}')
    return load_template(folder / "theirs")


def test_code_that_reports_its_own_metrics_passes_as_such_without_attacks(tmp_path: Path) -> None:
    template = reporting(tmp_path, REPORT)
    found = check_template(template, choose_sandbox("process"), tmp_path / "check", lambda _: None)
    assert found.passed and found.judging == "self-reported" and found.cheats == ()
    assert "nobody but the code itself computes the metrics" in found.findings[0].detail
    with plain_bench(template, tmp_path) as bench:
        assert ensure_contained(bench, tmp_path / "cache.txt") == []


def test_code_that_leaves_no_report_does_not_pass(tmp_path: Path) -> None:
    template = reporting(tmp_path, "pass")
    found = check_template(template, choose_sandbox("process"), tmp_path / "check", lambda _: None)
    assert not found.passed and "final_info.json" in found.honest.reason


def test_a_pickle_beside_a_report_is_neither_opened_nor_kept(tmp_path: Path) -> None:
    leave = f"{REPORT}\nimport pickle; pickle.dump(1, open(os.path.join(args.out_dir, 'results.pkl'), 'wb'))"
    template = reporting(tmp_path, leave)
    with plain_bench(template, tmp_path) as bench, bench.run(template.defaults, 1, ("keep",)) as outcome:
        assert outcome.status == "ok", outcome.reason
        assert list(outcome.artefacts) == ["final_info.json"]
        assert (outcome.folder / "outputs/results.pkl").exists()
