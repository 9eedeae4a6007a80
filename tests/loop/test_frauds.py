"""Frauds planted in a copy of a finished lab: each is caught by its name, and the command line says so with exit code 1."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sample_loop import DIAL, call, campaign, dose_idea, new_lab

from scientist._stages import rebuild_with
from scientist.experiments import Study
from scientist.ideas import write_idea
from scientist.lab import Lab, canonical_json, read_json, sha256_file, write_atomic
from scientist.papers import Audit, audit
from scientist.template import load_template

SLUG = "turning-the-dial-down"
REBUILD = rebuild_with(load_template(DIAL))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A lab with one paper, about an effect that fell: score goes down as the dial is turned down."""
    lab = new_lab(tmp_path_factory.mktemp("frauds") / "lab")
    (lab.ideas / "does-the-dial-work.md").unlink()
    down = {"kind": "dose-response", "knob": "effect", "levels": [2.0, 1.0, 0.0]}
    write_idea(lab.ideas, dose_idea(SLUG, design=down, expect="less"))
    campaign(lab)
    return lab


@pytest.fixture()
def lab(finished: Lab, tmp_path: Path) -> Path:
    """A copy that may be spoilt."""
    shutil.copytree(finished.root, tmp_path / "lab", ignore=shutil.ignore_patterns(".scientist"))
    return tmp_path / "lab"


def check(lab: Path) -> Audit:
    return audit(lab / "papers" / SLUG, rebuild=REBUILD, lab=lab)


def errors(lab: Path) -> set[str]:
    return {finding.code for finding in check(lab).findings if finding.severity == "error"}


def load(path: Path) -> Any:
    return json.loads(path.read_text())


def save(path: Path, value: Any) -> None:
    """As the program writes it, so that a changed form does not give the forger away."""
    write_atomic(path, canonical_json(value))


def rehash(paper: Path, *names: str) -> None:
    """The forger mends manifest.json for the files that he changed."""
    manifest = load(paper / "manifest.json")
    for name in names:
        manifest["files"][name] = sha256_file(paper / name)
    save(paper / "manifest.json", manifest)


def write_in(paper: Path, section: str, text: str) -> None:
    """Add a paragraph to the manuscript, and mend the manifest."""
    manuscript = load(paper / "manuscript.json")
    next(s for s in manuscript["sections"] if s["id"] == section)["paragraphs"].append(text)
    save(paper / "manuscript.json", manuscript)
    rehash(paper, "manuscript.json")


def a_run(paper: Path) -> str:
    """The result file of one run of the last variant, relative to the paper."""
    study = read_json(Study, paper / "study.json")
    return f"runs/{study.variants[-1].name}/seed-{study.seeds[0]}/result.json"


# -- the frauds --------------------------------------------------------------------------------------------------------


def typed_decimal(paper: Path) -> None:
    write_in(paper, "results", "The score was 3.7 on average.")


def fact_of_another_run(paper: Path) -> None:
    """A fact of one variant takes value, text and source of another's; all of it exists and agrees."""
    facts = load(paper / "facts.json")
    by_id = {fact["id"]: fact for fact in facts["facts"]}
    study = read_json(Study, paper / "study.json")
    worse, better = (by_id[f"v.{study.variants[i].name}.keep.score.mean"] for i in (-1, 0))
    worse.update({key: better[key] for key in ("value", "text", "file", "pointer", "sha256", "runs")})
    save(paper / "facts.json", facts)
    rehash(paper, "facts.json")


def edited_result(paper: Path) -> None:
    result = load(paper / a_run(paper))
    result["metrics"]["keep"]["score"] += 3.0
    save(paper / a_run(paper), result)


def edited_result_rehashed(paper: Path) -> None:
    """A cleverer forger: the result, every fact taken from it, and the manifest tell the same lie."""
    edited_result(paper)
    name = a_run(paper)
    digest, value = sha256_file(paper / name), load(paper / name)["metrics"]["keep"]["score"]
    facts = load(paper / "facts.json")
    for fact in facts["facts"]:
        if fact["file"] == name:
            fact["sha256"] = digest
            if fact["pointer"] == "/metrics/keep/score":
                fact["value"], fact["text"] = value, f"{value:.2f}"
    save(paper / "facts.json", facts)
    rehash(paper, name, "facts.json")


def swapped_figures(paper: Path) -> None:
    first, second = sorted((paper / "figures").glob("*.pdf"))[:2]
    a, b = first.read_bytes(), second.read_bytes()
    write_atomic(first, b)
    write_atomic(second, a)


def swapped_figures_rehashed(paper: Path) -> None:
    swapped_figures(paper)
    manuscript = load(paper / "manuscript.json")
    for figure in manuscript["figures"]:
        figure["sha256"] = sha256_file(paper / figure["file"])
    save(paper / "manuscript.json", manuscript)
    rehash(paper, "manuscript.json", *(figure["file"] for figure in manuscript["figures"]))


def unknown_citation(paper: Path) -> None:
    write_in(paper, "related", r"Others found the same \citep{nobody2031}.")


def increases_where_it_fell(paper: Path) -> None:
    study = read_json(Study, paper / "study.json")
    fact = rf"\val{{c.{study.primary.id}.keep.abs}}"
    write_in(paper, "results", f"Turning the dial down increases the score by {fact} units.")


def changed_study(paper: Path) -> None:
    study = load(paper / "study.json")
    study["smallest_effect"] = 0.01
    save(paper / "study.json", study)


def changed_study_rehashed(paper: Path) -> None:
    """Every record of the paper names the new study; only the journal does not."""
    changed_study(paper)
    digest = read_json(Study, paper / "study.json").digest()
    names = ("facts.json", "analysis.json", "final.json")
    for name in (*names, "manifest.json"):
        save(paper / name, {**load(paper / name), "study_sha256": digest})
    rehash(paper, "study.json", *names)


def changed_journal_line(paper: Path) -> None:
    path = paper.parents[1] / "journal.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    index = next(i for i, line in enumerate(lines) if "study.frozen" in line)
    entry = json.loads(lines[index])
    entry["time"] = "2020-01-01T00:00:00Z"
    lines[index] = json.dumps(entry, sort_keys=True) + "\n"
    write_atomic(path, "".join(lines))


Fraud = Callable[[Path], None]

FRAUDS: list[tuple[Fraud, set[str]]] = [
    (typed_decimal, {"free-number"}),
    (fact_of_another_run, {"fact-provenance"}),
    (edited_result, {"result-changed", "fact-hash", "analysis-changed"}),
    (edited_result_rehashed, {"analysis-changed", "artefact-changed"}),
    (swapped_figures, {"figure-changed"}),
    (swapped_figures_rehashed, {"figure-changed"}),
    (unknown_citation, {"unknown-citation"}),
    (increases_where_it_fell, {"direction"}),
    (changed_study, {"study-changed"}),
    (changed_study_rehashed, {"study-changed"}),
    (changed_journal_line, {"journal-broken"}),
]


def test_the_honest_paper_has_no_error(lab: Path) -> None:
    assert errors(lab) == set()


@pytest.mark.parametrize(("fraud", "names"), FRAUDS)
def test_a_planted_fraud_is_caught_by_its_name(lab: Path, fraud: Fraud, names: set[str]) -> None:
    fraud(lab / "papers" / SLUG)
    assert names <= errors(lab)


@pytest.mark.slow
@pytest.mark.parametrize(("fraud", "names"), FRAUDS)
def test_the_command_line_says_so(lab: Path, fraud: Fraud, names: set[str]) -> None:
    fraud(lab / "papers" / SLUG)
    done = call(lab, "audit", SLUG, "--json")
    assert done.returncode == 1, done.stderr
    assert names <= {f["code"] for f in json.loads(done.stdout)["findings"] if f["severity"] == "error"}


def test_audit_and_verify_exit_with_one_only_when_something_is_wrong(lab: Path) -> None:
    honest = call(lab, "audit", SLUG, "--json")
    assert honest.returncode == 0, honest.stdout + honest.stderr
    assert not [f for f in json.loads(honest.stdout)["findings"] if f["severity"] == "error"]
    assert call(lab, "verify").returncode == 0
    edited_result(lab / "papers" / SLUG)
    changed_journal_line(lab / "papers" / SLUG)
    forged = call(lab, "audit", SLUG, "--json")
    assert forged.returncode == 1
    codes = {f["code"] for f in json.loads(forged.stdout)["findings"] if f["severity"] == "error"}
    assert {"result-changed", "journal-broken"} <= codes
    verified = call(lab, "verify", "--json")
    assert verified.returncode == 1
    faults = json.loads(verified.stdout)["faults"]
    assert len(faults) == 1 and "was changed after it was written (study.frozen)" in faults[0]


def test_trace_lands_on_the_run_and_notices_that_it_was_edited(lab: Path) -> None:
    paper = lab / "papers" / SLUG
    cell = a_run(paper).removeprefix("runs/").removesuffix("/result.json")
    assert call(lab, "trace", SLUG, cell).returncode == 0
    edited_result(paper)
    after = call(lab, "trace", SLUG, cell, "--json")
    assert after.returncode == 1
    hit = json.loads(after.stdout)["traces"][0]
    assert not (hit["agrees"] and hit["intact"])


def test_a_changed_study_stops_the_next_campaign_with_one_line(lab: Path) -> None:
    paper = lab / "papers" / SLUG
    changed_study_rehashed(paper)
    (paper / "audit.json").unlink()
    (paper / "manuscript.json").unlink()
    done = call(lab, "run", str(DIAL), "--ideas", "1", "--no-pdf", "--quiet")
    assert done.returncode == 5
    said = done.stderr.strip()
    assert "study.json was changed after it was frozen" in said and len(said.splitlines()) == 1


@pytest.mark.slow
def test_a_forger_who_lets_the_program_rebuild_the_paper_meets_the_journal(lab: Path) -> None:
    """He edits a run and deletes all that was made from it; the loop makes it again, and the journal remembers."""
    paper = lab / "papers" / SLUG
    edited_result(paper)
    for name in ("final.json", "analysis.json", "facts.json", "manuscript.json", "manifest.json", "audit.json"):
        (paper / name).unlink()
    done = call(lab, "run", str(DIAL), "--ideas", "1", "--no-pdf", "--quiet")
    assert done.returncode == 0, done.stderr
    assert "analysis-changed" in errors(lab)
