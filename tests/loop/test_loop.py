"""Whole rounds: they end, they continue, they repeat exactly, and what was bent is found."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from sample_loop import DIAL, artefacts, call, campaign, dose_idea, events, new_lab

from scientist.errors import Stopped, StudyError
from scientist.experiments import Analysis, Study
from scientist.ideas import load_backlog, write_idea
from scientist.lab import Lab, read_json, write_atomic
from scientist.loop import paper_states, unfinished
from scientist.papers import Audit
from scientist.reviews import Review

SLUG = "does-the-dial-work"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """One round with one paper. Tests that change anything work on a copy."""
    lab = new_lab(tmp_path_factory.mktemp("loop") / "lab")
    campaign(lab)
    return lab


def copy(lab: Lab, tmp_path: Path) -> Lab:
    shutil.copytree(lab.root, tmp_path / "copy", ignore=shutil.ignore_patterns(".scientist"))
    return Lab(tmp_path / "copy", lab.settings.model_dump())


def test_a_round_finds_the_planted_effect_and_leaves_every_artefact(finished: Lab) -> None:
    paper = finished.paper(SLUG)
    analysis = read_json(Analysis, paper / "analysis.json")
    study = read_json(Study, paper / "study.json")
    assert analysis.contrast(study.primary.id).verdict == "supported"
    assert analysis.n_failed == 0 and len(study.seeds) <= 12
    assert not set(study.seeds) & set(study.pilot.seeds)
    for name in (
        "idea.md",
        "novelty.json",
        "final.json",
        "facts.json",
        "manuscript.json",
        "paper.tex",
        "manifest.json",
    ):
        assert (paper / name).stat().st_size
    assert read_json(Audit, paper / "audit.json").errors == 0
    assert 1 <= read_json(Review, finished.reviews / SLUG / "heuristic.json").overall <= 10
    assert load_backlog(finished.ideas).find(SLUG).status == "done"
    assert paper_states(finished)[SLUG] == "done"
    assert finished.journal.verify() == [] and not unfinished(finished)


def test_the_study_was_frozen_before_the_first_run_and_final_opened_once_after_keep(finished: Lab) -> None:
    said = events(finished.root)
    assert (
        said.index("study.frozen")
        < said.index("keep.analysed")
        < said.index("final.opened")
        < said.index("paper.built")
    )
    assert said.count("final.opened") == 1


def test_running_again_does_nothing(finished: Lab) -> None:
    before = {p: p.stat().st_mtime_ns for p in finished.papers.rglob("*") if p.is_file()}
    campaign(finished)
    assert before == {p: p.stat().st_mtime_ns for p in finished.papers.rglob("*") if p.is_file()}
    assert events(finished.root).count("final.opened") == 1


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(finished: Lab, tmp_path: Path) -> None:
    again = new_lab(tmp_path / "again", workers=1)
    campaign(again)
    first, second = artefacts(finished.root), artefacts(again.root)
    different = [name for name in first.keys() | second.keys() if first.get(name) != second.get(name)]
    assert different == []
    other = new_lab(tmp_path / "other", seed=1)
    campaign(other)
    analysis = f"papers/{SLUG}/analysis.json"
    assert artefacts(other.root)[analysis] != first[analysis]


@pytest.mark.parametrize("name", ["facts.json", "manuscript.json", "final.json", "audit.json"])
def test_deleting_an_artefact_redoes_its_stage_and_those_after_it(finished: Lab, tmp_path: Path, name: str) -> None:
    lab = copy(finished, tmp_path)
    before = artefacts(lab.root)
    (lab.paper(SLUG) / name).unlink()
    campaign(lab)
    assert artefacts(lab.root) == before


def test_a_deleted_run_is_done_again_with_the_same_result(finished: Lab, tmp_path: Path) -> None:
    lab = copy(finished, tmp_path)
    before = artefacts(lab.root)
    run = next((lab.paper(SLUG) / "runs").glob("*/seed-*"))
    shutil.rmtree(run)
    campaign(lab)
    assert artefacts(lab.root) == before


def test_a_study_that_was_changed_after_the_freeze_stops_the_paper(finished: Lab, tmp_path: Path) -> None:
    lab = copy(finished, tmp_path)
    path = lab.paper(SLUG) / "study.json"
    study = json.loads(path.read_text())
    study["smallest_effect"] = 0.01
    path.write_text(json.dumps(study))
    (lab.paper(SLUG) / "facts.json").unlink()
    with pytest.raises(StudyError, match="changed after it was frozen"):
        campaign(lab)


def test_a_study_that_cannot_be_made_fails_alone_and_teaches(tmp_path: Path) -> None:
    lab = new_lab(tmp_path / "lab", ideas=2)
    write_idea(lab.ideas, dose_idea("the-dial-that-crashes", settings={"fault": "crash"}, priority=5.0))
    summaries = {summary.slug: summary for summary in campaign(lab)}
    assert "planted crash" in summaries["the-dial-that-crashes"].failure
    assert summaries[SLUG].failure == "" and summaries[SLUG].overall is not None
    assert load_backlog(lab.ideas).find("the-dial-that-crashes").status == "failed"
    taught = json.loads((lab.reviews / "the-dial-that-crashes" / "lessons.json").read_text())
    assert taught["lessons"][0]["topic"] == "failures"


def test_a_stop_request_ends_between_runs_and_resume_finishes(finished: Lab, tmp_path: Path) -> None:
    lab = new_lab(tmp_path / "lab")

    class StopsAtTheRuns:
        def stage(self, paper: str, stage: str) -> None:
            if stage == "runs":
                write_atomic(lab.stop_request, "stop\n")

        def runs(self, done: int, total: int, failed: int) -> None: ...

        def curve(self, run: str, point: object) -> None: ...

        def note(self, text: str) -> None: ...

    from sample_loop import DIAL

    from scientist.loop import campaign_for, run_campaign
    from scientist.progress import Silent
    from scientist.template import load_template

    with pytest.raises(Stopped):
        run_campaign(lab, campaign_for(lab, load_template(DIAL)), StopsAtTheRuns(), pdf=False)
    assert [c.id for c in unfinished(lab)] and "waiting" in paper_states(lab)[SLUG]
    run_campaign(lab, unfinished(lab)[0], Silent(), pdf=False)
    assert artefacts(lab.root) == artefacts(finished.root)


def test_the_second_round_uses_what_the_first_taught_and_not_without_feedback(tmp_path: Path) -> None:
    lab = new_lab(tmp_path / "with", rounds=2)
    assert any(summary.because for summary in campaign(lab) if summary.round == 2)
    without = new_lab(tmp_path / "without", rounds=2, feedback=False)
    assert not any(summary.because for summary in campaign(without))


def test_a_score_beyond_a_proven_bound_halts_the_campaign(tmp_path: Path) -> None:
    lab = new_lab(tmp_path / "lab")
    shutil.copytree(DIAL, tmp_path / "dial")
    declared = (tmp_path / "dial" / "template.toml").read_text()
    (tmp_path / "dial" / "template.toml").write_text(declared.replace("digits = 2\n", "digits = 2\nbound = 2.0\n", 1))
    for arguments in (["run", str(tmp_path / "dial"), "--rounds", "1"], ["resume"]):
        ended = call(lab.root, *arguments, "--no-pdf", "--quiet")
        assert ended.returncode == 8 and len(ended.stderr.strip().splitlines()) == 1
        assert "passes its proven bound 2.0" in ended.stderr
    raised = lab.journal.find("alarm.raised")
    assert len(raised) == 2 and raised[0]["data"]["value"] > 2.0 == raised[0]["data"]["bound"]
    kept = lab.root / raised[0]["data"]["kept"]
    assert json.loads((kept / "outputs" / "value.json").read_text())["value"] > 1.5
    assert (kept / "code" / "train.py").read_bytes() == (DIAL / "train.py").read_bytes()
    assert lab.journal.verify() == [] and "study.frozen" not in events(lab.root)
    told = json.loads(call(lab.root, "status", "--json").stdout)
    assert told["alarm"]["slug"] == SLUG and told["unfinished"]
