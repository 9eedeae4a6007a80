"""Strangers' scripts are really run: what they report is what is judged, and a seed means what it says."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from scientist.cli._app import app
from scientist.experiments import Bench, choose_sandbox
from scientist.experiments._bench import Outcome
from scientist.experiments._self_reported import score
from scientist.lab import create_lab
from scientist.template import load_template

STRANGERS = Path(__file__).resolve().parents[1] / "templates_strangers"


@contextmanager
def bench(root: Path, scratch: Path) -> Iterator[Any]:
    template = load_template(root)
    with Bench.local(template, choose_sandbox("process"), scratch / "bench", 1) as opened:

        def run(seed: int, **knobs: Any) -> Outcome:
            with opened.run(template.complete(knobs), seed, ("keep",)) as outcome:
                return outcome

        yield run


def test_a_seed_decides_a_run_and_a_knob_changes_it(tmp_path: Path) -> None:
    with bench(STRANGERS / "char_softmax", tmp_path) as run:
        first, again, other, slow = run(5), run(5), run(6), run(5, max_iters=30)
    assert {first.status, again.status, other.status, slow.status} == {"ok"}
    assert first.metrics == again.metrics and first.metrics != other.metrics
    assert slow.metrics["keep"]["vowels_final_train_loss"] > first.metrics["keep"]["vowels_final_train_loss"] + 0.1
    assert first.tree == other.tree != slow.tree
    assert set(first.metrics["keep"]) >= {"vowels_best_val_loss", "runs_best_val_loss"}


def test_options_reach_a_script_that_makes_its_own_folder(tmp_path: Path) -> None:
    with bench(STRANGERS / "option_ridge", tmp_path) as run:
        clean, noisy = run(3), run(3, label_noise=0.4)
    assert (clean.status, noisy.status) == ("ok", "ok"), clean.reason
    assert noisy.metrics["keep"]["test_acc"] < clean.metrics["keep"]["test_acc"]


def test_a_script_that_takes_no_seed_varies_all_the_same(tmp_path: Path) -> None:
    with bench(STRANGERS / "loose_anneal", tmp_path) as run:
        first, again = run(3), run(3)
    assert (first.status, again.status) == ("ok", "ok")
    assert first.metrics != again.metrics, "the same number is only the name of a repetition"
    assert "gradient_norm" not in first.metrics["keep"]


@pytest.mark.parametrize(
    ("report", "status", "says"),
    [
        ('{"loss": 0.5}', "ok", ""),
        ('{"loss": NaN}', "invalid", "no finite"),
        ('{"other": 1}', "invalid", "'loss'"),
        ("not json", "invalid", "not JSON"),
        ("[1]", "invalid", "JSON object"),
        ("[" * 20_000, "invalid", "nested"),
    ],
)
def test_reports_that_cannot_be_believed_are_refused(tmp_path: Path, report: str, status: str, says: str) -> None:
    root = tmp_path / "reporter"
    (root / "run_0").mkdir(parents=True)
    (root / "run_0" / "final_info.json").write_text('{"loss": 1.0}')
    (root / "experiment.py").write_text(
        "import argparse, os\nWIDTH = 8\np = argparse.ArgumentParser()\np.add_argument('--out_dir')\na = p.parse_args()\n"
        f"os.makedirs(a.out_dir)\nprint(WIDTH)\nopen(a.out_dir + '/final_info.json', 'w').write({report!r})\n"
        "open(a.out_dir + '/all_results.npy', 'wb').write(b'never opened')\n"
    )
    with bench(root, tmp_path) as run:
        outcome = run(1)
    assert outcome.status == status and says in outcome.reason, outcome.reason
    assert "all_results.npy" not in outcome.artefacts


def test_the_evaluator_reads_one_file_and_no_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.json").write_text('{"loss": 0}')
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    (outputs / "final_info.json").symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(ValueError, match="missing"):
        score(outputs, "keep", {}, 1)
    (outputs / "final_info.json").unlink()
    (outputs / "final_info.json").write_text('{"hills": {"means": {"loss_mean": 2}}}')
    assert score(outputs, "keep", {}, 1) == {"loss": 2.0, "hills_loss": 2.0}


# -- the command -----------------------------------------------------------------------------------------------------


def test_show_prints_toml_and_tells_what_was_found(tmp_path: Path) -> None:
    root = Path(shutil.copytree(STRANGERS / "char_softmax", tmp_path / "char_softmax"))
    done = CliRunner().invoke(app, ["templates", "show", str(root)])
    assert done.exit_code == 0, done.output
    assert "knob: momentum = 0.9 (experiment.py:" in done.stderr and "population sd / n" in done.stderr
    (root / "template.toml").write_text(done.stdout)
    saved = load_template(root)
    (root / "template.toml").unlink()
    assert saved == load_template(root)
    told = json.loads(CliRunner().invoke(app, ["templates", "show", str(root), "--json"]).stdout)
    assert told["toml"] == done.stdout and told["missing"] == []
    assert {row["metric"] for row in told["reported"]} == {metric.name for metric in saved.metrics}


def test_show_with_a_run_learns_what_a_script_reports(tmp_path: Path) -> None:
    root = Path(shutil.copytree(STRANGERS / "option_ridge", tmp_path / "option_ridge"))
    shutil.rmtree(root / "run_0")
    before = sorted(path.name for path in root.iterdir())
    done = CliRunner().invoke(app, ["templates", "show", str(root), "--run"])
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in root.iterdir()) == before
    (root / "template.toml").write_text(done.stdout)
    assert load_template(root).objective.metric == "test_acc"


def test_check_says_what_it_can_check_and_what_not(tmp_path: Path) -> None:
    root = tmp_path / "drifting"
    (root / "run_0").mkdir(parents=True)
    (root / "run_0" / "final_info.json").write_text('{"loss": 1.0}')
    (root / "experiment.py").write_text(
        "import argparse, json, os, time\nRATE = 0.5\np = argparse.ArgumentParser()\np.add_argument('--out_dir')\n"
        "p.add_argument('--seed', type=int, default=0)\na = p.parse_args()\nos.makedirs(a.out_dir)\n"
        "json.dump({'loss': a.seed + RATE + time.time_ns() % 1000003}, open(a.out_dir + '/final_info.json', 'w'))\n"
    )
    done = CliRunner().invoke(app, ["templates", "check", str(root), "--quiet"])
    assert done.exit_code == 1 and "the same seed gave other metrics" in done.stdout
    done = CliRunner().invoke(app, ["templates", "check", str(STRANGERS / "char_softmax"), "--quiet"])
    assert done.exit_code == 0 and "usable, self-reported" in done.stdout
    assert "not checked: whether the metrics are true" in done.stdout


def test_the_templates_folder_of_a_lab_may_hold_strangers(tmp_path: Path) -> None:
    create_lab(tmp_path / "lab")
    shutil.copytree(STRANGERS / "loose_anneal", tmp_path / "lab" / "templates" / "loose_anneal")
    done = CliRunner().invoke(app, ["--lab", str(tmp_path / "lab"), "templates", "list", "--json"])
    rows = {row["name"]: row for row in json.loads(done.stdout)["templates"]}
    assert rows["loose_anneal"]["knobs"] == 5 and rows["loose_anneal"]["title"] == "Loose anneal"
