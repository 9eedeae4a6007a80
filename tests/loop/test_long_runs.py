"""Long runs, in whole campaigns: what is stopped early is said and counted, what was cut off continues where it was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from sample_loop import ROOT, call, campaign, command, dose_idea, environment, events, new_lab

from scientist.experiments import Analysis
from scientist.experiments._results import Usage
from scientist.ideas import Idea, write_idea
from scientist.lab import Lab, create_lab, read_json
from scientist.papers import Audit, Facts

GROKKING = ROOT / "templates" / "grokking"


def test_what_can_no_longer_win_is_stopped_and_the_paper_counts_it(tmp_path: Path) -> None:
    lab = new_lab(tmp_path / "lab", early_stop=True)
    hypothesis = "Turning the dial from 0 to 4 lowers the score by at least half a unit."
    design = {"kind": "dose-response", "knob": "effect", "levels": [0.0, 2.0, 4.0]}
    write_idea(lab.ideas, dose_idea(expect="less", hypothesis=hypothesis, design=design))
    (paper,) = campaign(lab)
    folder = lab.root / "papers" / paper.slug
    analysis, facts = read_json(Analysis, folder / "analysis.json"), read_json(Facts, folder / "facts.json").by_id()
    assert {contrast.verdict for contrast in analysis.contrasts} == {"futile"}
    begun = [path for path in folder.glob("runs/*/*/result.json") if json.loads(path.read_bytes())["status"] == "ok"]
    assert analysis.n_stopped == facts["study.n_stopped"].value > 0
    assert len(begun) + analysis.n_stopped == 3 * 12, "what was stopped is counted, not forgotten"
    assert len(begun) == 3 * int(facts["study.look"].value)
    audit = read_json(Audit, folder / "audit.json")
    assert [finding for finding in audit.findings if finding.severity == "error"] == []
    told = (folder / "manuscript.json").read_text()
    assert "were never begun; they are no failures" in told and "Early stopping" in told


def long_idea() -> Idea:
    """Two settings of the network, each trained for long enough that a run can be cut off in the middle."""
    return dose_idea(
        "does-decay-matter",
        template="grokking",
        title="Does weight decay matter?",
        question="Does weight decay raise accuracy?",
        hypothesis="Raising weight decay from 0 to 1 raises accuracy by at least five points.",
        smallest_effect=0.05,
        settings={"steps": 4000, "width": 16},
        design={"kind": "dose-response", "knob": "weight_decay", "levels": [0.0, 1.0]},
    )


def grokking_lab(root: Path) -> Path:
    create_lab(root)
    write_idea(Lab(root, {}).ideas, long_idea())
    return root


def outcome(lab: Path) -> dict[str, bytes]:
    """The facts and everything that a run left for good, curves too; not what it cost."""
    (folder,) = (lab / "papers").iterdir()
    paths = [folder / name for name in ("facts.json", "analysis.json", "final.json", "study.json")]
    paths += [path for name in ("result.json", "curve.jsonl") for path in folder.glob(f"runs/*/*/{name}")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(paths)}


@pytest.mark.slow
def test_killed_in_the_middle_of_a_run_and_continued_from_its_checkpoint(tmp_path: Path) -> None:
    run = ("run", str(GROKKING), "--ideas", "1", "--no-pdf", "--quiet")
    calm, cut = grokking_lab(tmp_path / "calm"), grokking_lab(tmp_path / "cut")
    done = call(calm, *run, timeout=500)
    assert done.returncode == 0, done.stderr

    process = subprocess.Popen(command(cut, *run), env=environment(), start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 300
        while not _works_on_the_study(cut) and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        ended = process.poll() is not None
        if not ended:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert not ended, "it ended before a run of the study had left a checkpoint"
    resumed = call(cut, "resume", "--no-pdf", "--quiet", timeout=500)
    assert resumed.returncode == 0, resumed.stderr

    expected, found = outcome(calm), outcome(cut)
    assert sorted(found) == sorted(expected) and "facts.json" in found
    assert any(name.endswith("curve.jsonl") for name in found)
    assert [name for name in found if found[name] != expected[name]] == []
    usages = [read_json(Usage, path) for path in cut.rglob("papers/*/runs/*/*/usage.json")]
    assert any(usage.resumed for usage in usages), "nothing was continued"
    assert not any(usage.resumed for usage in map(_usage, calm.rglob("papers/*/runs/*/*/usage.json")))
    assert events(cut).count("study.frozen") == events(calm).count("study.frozen") == 1


def _usage(path: Path) -> Usage:
    return read_json(Usage, path)


def _works_on_the_study(lab: Path) -> bool:
    """A run of the study itself, no longer of the pilot, has left a checkpoint and is not yet done."""
    if not any(lab.glob("papers/*/runs/*/*/result.json")):
        return False
    # While a run works there is a ticket for its slot; without one, what lies there is left of an earlier run.
    scratch = lab / ".scientist" / "scratch"
    return any((scratch / f"worker-{t.name}/run/checkpoint/state.npz").exists() for t in scratch.glob("tickets/*"))
