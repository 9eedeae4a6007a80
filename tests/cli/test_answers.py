"""What commands answer: one JSON document on standard output, progress on standard error, exit codes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import typer
from cli_calls import DIAL, IDEA, ROOT, SLUG, answer, call, complaint

from scientist import experiments as experiments_module
from scientist.cli import _lab as doctor_module
from scientist.experiments import _sandbox as sandbox_module
from scientist.experiments import choose_sandbox
from scientist.experiments._cgroups import Cgroups


def test_run_tells_on_standard_output_and_works_on_standard_error(tmp_path: Path) -> None:
    made = answer(call(None, "init", str(tmp_path / "lab"), "--json"))
    assert made == {"lab": str(tmp_path / "lab"), "ideas": 0, "broken": []}
    lab = tmp_path / "lab"
    (lab / "ideas" / f"{SLUG}.md").write_text(IDEA)
    (lab / "ideas" / "half-an-idea.md").write_text("half an ide")
    done = call(lab, "run", str(DIAL), "--ideas", "1", "--no-pdf", "--json")
    told = answer(done)
    assert [paper["slug"] for paper in told["papers"]] == [SLUG] and "score" in told["papers"][0]["finding"]
    progress = [json.loads(line) for line in done.stderr.splitlines()]
    assert {line["event"] for line in progress} >= {"stage", "runs"}
    assert any("half-an-idea.md:1" in line["text"] for line in progress if line["event"] == "note")
    assert (lab / "ideas" / "half-an-idea.md").read_text() == "half an ide"
    counts = [line for line in progress if line["event"] == "runs"]
    assert counts[0]["seconds_left"] is None and counts[-1]["seconds_left"] == 0
    assert any(line["seconds_left"] for line in counts), "how long still"

    again = call(lab, "run", str(DIAL), "--ideas", "1", "--no-pdf")
    assert again.returncode == 0 and "1 paper in" in again.stdout and "runs" not in again.stderr
    assert complaint(call(lab, "resume"), 2) == "nothing to resume: start with `scientist run TEMPLATE`"


def test_looking_at_a_finished_paper(finished: Path) -> None:
    states = answer(call(finished, "status", "--json"))
    assert states["papers"] == {SLUG: "done"} and states["working"] is None and states["unfinished"] == []
    found = answer(call(finished, "audit", "does-the", "--json"))
    assert all(set(row) >= {"severity", "code", "where", "message"} for row in found["findings"])
    assert not [row for row in found["findings"] if row["severity"] == "error"]
    form = answer(call(finished, "review", SLUG, "--json"))
    assert 1 <= form["overall"] <= 10
    text = call(finished, "review", str(finished / "papers" / SLUG))
    assert text.returncode == 0 and "## Weaknesses" in text.stdout and text.stderr == ""
    hits = answer(call(finished, "trace", SLUG, "c.dose_2.keep.mean", "--json"))
    assert hits["traces"][0]["agrees"] and hits["traces"][0]["runs"]
    assert answer(call(finished, "verify", "--json")) == {"faults": []}


def test_a_fraud_makes_audit_and_trace_and_verify_exit_with_one(finished: Path, tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    shutil.copytree(finished, lab)
    result = next((lab / "papers" / SLUG / "runs").glob("*/seed-*/result.json"))
    record = json.loads(result.read_text())
    record["metrics"]["keep"]["score"] += 1
    result.write_text(json.dumps(record))
    found = answer(call(lab, "audit", SLUG, "--json"), code=1)
    assert [row for row in found["findings"] if row["severity"] == "error"]
    assert call(lab, "trace", SLUG, f"{result.parent.parent.name}/{result.parent.name}").returncode == 1
    journal = lab / "journal.jsonl"
    journal.write_text(journal.read_text().replace("study.frozen", "study.thawed"))
    faults = answer(call(lab, "verify", "--json"), code=1)["faults"]
    assert any("changed after it was written" in fault for fault in faults)


def test_a_failure_with_json_is_an_object_too(tmp_path: Path) -> None:
    done = call(tmp_path, "status", "--json")
    assert "is not a lab" in complaint(done, 3)
    error = answer(done, 3)["error"]
    assert error["exit_code"] == 3 and error["kind"] == "LabError" and "scientist init" in error["remedy"]
    assert answer(call(tmp_path, "status", "--json", "--nonsense"), 2)["error"]["kind"] == "UsageError"


def test_the_backlog_from_empty_to_decided(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    answer(call(None, "init", str(lab), "--json"))
    assert "no ideas yet" in call(lab, "ideas", "list").stdout
    proposed = answer(call(lab, "ideas", "propose", "--template", str(DIAL), "--count", "2", "--json"))["proposed"]
    assert len(proposed) == 2 and all(row["status"] == "proposed" for row in proposed)
    (tmp_path / "mine.md").write_text(IDEA)
    piped = call(lab, "ideas", "add", "-", "--template", str(DIAL), "--json", text=IDEA)
    assert answer(piped)["added"]["slug"] == SLUG
    assert "exists already" in complaint(call(lab, "ideas", "add", str(tmp_path / "mine.md"), "-t", str(DIAL)), 2)
    assert answer(call(lab, "ideas", "reject", "does-the", "--note", "too plain", "--json"))["status"] == "rejected"
    kept = (lab / "ideas" / f"{SLUG}.md").read_text()
    assert "too plain" in kept and "Prose that must survive." in kept
    assert call(lab, "ideas", "approve", proposed[0]["slug"]).stdout == f"{proposed[0]['slug']}: approved\n"
    ranked = answer(call(lab, "ideas", "rank", "--template", str(DIAL), "--json"))["ranked"]
    assert ranked[0]["slug"] == proposed[0]["slug"] and len(ranked) == 2
    verdict = answer(call(lab, "ideas", "check", proposed[1]["slug"], "-t", str(DIAL), "--json"))
    assert verdict["verdict"] in ("novel", "close", "known", "undecided")
    exported = json.loads(call(lab, "ideas", "export").stdout)
    (tmp_path / "all.json").write_text(json.dumps(exported))
    other = tmp_path / "other"
    answer(call(None, "init", str(other), "--ideas", str(lab / "ideas"), "--json"))
    shutil.rmtree(other / "ideas")
    brought = answer(call(other, "ideas", "import", str(tmp_path / "all.json"), "-t", str(DIAL), "--json"))
    assert sorted(row["slug"] for row in brought["imported"]) == sorted(row["slug"] for row in exported)
    shown = answer(call(other, "ideas", "show", "does-the", "--json"))
    assert shown["design"]["levels"] == [0.0, 1.0, 2.0]
    assert complaint(call(other, "ideas", "list", "--status", "aproved"), 2).startswith(
        "no state 'aproved' (did you mean 'approved'?)"
    )


def test_templates_are_found_by_folder_by_name_and_through_campaigns(finished: Path, tmp_path: Path) -> None:
    rows = answer(call(finished, "templates", "list", "--json", cwd=tmp_path))["templates"]
    assert [(row["name"], row["knobs"]) for row in rows] == [("dial", 4)]
    checked = answer(call(None, "templates", "check", "dial", "--json", "--quiet", cwd=ROOT / "tests"))
    assert checked["passed"] and checked["honest"]["status"] == "ok" and len(checked["cheats"]) == 2


@pytest.mark.parametrize("name", ["doctor"])
def test_doctor_names_everything_and_what_to_do(finished: Path, name: str) -> None:
    done = call(finished, name, "--json")
    checks = {row["name"]: row for row in json.loads(done.stdout)["checks"]}
    assert set(checks) == {
        "python", "latex", "sandbox", "cgroups", "landlock", "ray", "local", "meaning", "network", "keys", "disk", "lab",
    }  # fmt: skip
    chosen = choose_sandbox("auto")
    assert checks["sandbox"]["seen"].startswith(chosen.describe())
    assert checks["sandbox"]["notes"] == [f"not covered: {gap}" for gap in chosen.gaps]
    assert all(row["ok"] or row["remedy"] for row in checks.values())
    assert done.returncode == int(any(row["needed"] and not row["ok"] for row in checks.values()))


def test_doctor_says_what_takes_the_place_of_walls_and_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a machine that offers nothing: every line has its remedy, and the list of gaps is whole."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(doctor_module, "lab_root", lambda: tmp_path)
    for module in (sandbox_module, experiments_module):
        monkeypatch.setattr(module, "detect_cgroups", lambda: Cgroups(0, {}))
        monkeypatch.setattr(module, "bubblewrap_works", lambda: ("", "bubblewrap is refused by this system (EPERM)"))
    monkeypatch.setattr(sandbox_module, "landlock_abi", lambda: 0)
    with pytest.raises(typer.Exit):
        doctor_module.doctor()
    told = capsys.readouterr().out
    lines = {line[5:14].strip(): line for line in told.splitlines() if line[5:14].strip()}
    assert lines["sandbox"].startswith("--") and "plain processes" in lines["sandbox"] and "EPERM" in lines["sandbox"]
    assert lines["cgroups"].startswith("--") and lines["landlock"].startswith("--")
    assert "the kernel has no Landlock" in lines["landlock"]
    for words in ("could use the network", "the keys in it", "looked at every 10 to 50 ms", "systemd-run", "Linux 6.12",
                  "security-opt"):  # fmt: skip
        assert words in told, words
    (tmp_path / "scientist.toml").write_text('sandbox = "bubblewrap"\n')
    with pytest.raises(typer.Exit) as ended:
        doctor_module.doctor()
    assert ended.value.exit_code == 1
    assert "fail sandbox" in capsys.readouterr().out
