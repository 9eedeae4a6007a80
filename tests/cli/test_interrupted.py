"""Ctrl-C, SIGTERM, `stop`, two scientists in one lab: the state stays whole and `resume` ends with the same bytes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
from cli_calls import DIAL, IDEA, SLUG, answer, call, complaint, copy_dial, end, new_lab, start, wait_for

RUN = ("run", str(DIAL), "--ideas", "1", "--no-pdf")


def in_the_runs(line: dict[str, object]) -> bool:
    return line["event"] == "stage" and line["stage"] == "runs"


def started(line: dict[str, object]) -> bool:
    return line["event"] == "runs"


def nobody_left(group: subprocess.Popen[str], lab: Path) -> bool:
    """No process that works in the lab, or was started from there, is alive."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        left = []
        for process in psutil.process_iter():
            try:
                if str(lab) in " ".join(process.cmdline()) or process.cwd().startswith(str(lab)):
                    left.append(process)
            except (psutil.Error, OSError):  # gone, somebody else's, or in a folder deeper than a path may be long
                continue
        if not left:
            return True
        time.sleep(0.1)
    return False


def whole(lab: Path) -> None:
    """Every record can be read, no half-written file lies about, and the journal's chain holds."""
    for path in lab.rglob("*.json"):
        if ".scientist" not in path.parts and not any(part.endswith(".tmp") for part in path.parts):
            json.loads(path.read_bytes())
    assert answer(call(lab, "verify", "--json")) == {"faults": []}


def test_ctrl_c_then_sigterm_then_stop_then_resume(finished: Path, tmp_path: Path) -> None:
    lab = new_lab(tmp_path / "lab")
    process = start(lab, *RUN)
    wait_for(process, started)
    os.killpg(process.pid, signal.SIGINT)
    code, out, said = end(process)
    assert code == 130 and said.startswith("error interrupted") and "scientist resume" in said and "\n" not in said
    assert json.loads(out)["error"]["kind"] == "Interrupted"
    assert nobody_left(process, lab)
    whole(lab)

    process = start(lab, "resume", "--no-pdf")
    wait_for(process, in_the_runs)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGTERM)  # an impatient second one must not disturb the first
    code, _, said = end(process)
    assert code == 130 and said.startswith("error interrupted") and "\n" not in said
    assert nobody_left(process, lab)

    process = start(lab, "resume", "--no-pdf")
    wait_for(process, started)
    process.send_signal(signal.SIGSTOP)  # it works on, but not before we have looked
    assert answer(call(lab, "status", "--json"))["working"] == process.pid
    second = complaint(call(lab, "ideas", "approve", SLUG), 3)
    assert f"another scientist (process {process.pid})" in second and "scientist stop" in second
    assert answer(call(lab, "stop", "--json")) == {"asked": process.pid}
    process.send_signal(signal.SIGCONT)
    code, _, said = end(process)
    assert code == 130 and "stopped on request" in said and "scientist resume" in said and "\n" not in said
    assert "nobody is working" in complaint(call(lab, "stop"), 2)
    waiting = answer(call(lab, "status", "--json"))
    assert len(waiting["unfinished"]) == 1 and waiting["papers"][SLUG].startswith("waiting at")

    assert answer(call(lab, "resume", "--no-pdf", "--json"))["papers"][0]["errors"] == 0
    for name in ("study.json", "analysis.json", "facts.json", "paper.tex"):
        assert (lab / "papers" / SLUG / name).read_bytes() == (finished / "papers" / SLUG / name).read_bytes(), name
    whole(lab)


def test_ctrl_c_does_not_wait_for_a_run_that_hangs_and_leaves_no_result_of_it(tmp_path: Path) -> None:
    dial = copy_dial(tmp_path / "dial")
    (dial / "template.toml").write_text((dial / "template.toml").read_text().replace("wall_s = 2", "wall_s = 600"))
    lab = new_lab(tmp_path / "lab", IDEA.replace("seeds: 5", "seeds: 5\nsettings:\n  fault: hang"))
    process = start(lab, "run", str(dial), "--ideas", "1", "--no-pdf")
    wait_for(process, started)
    time.sleep(0.5)
    before = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    code, _, said = end(process, patience=15)
    assert code == 130 and said.startswith("error interrupted") and "\n" not in said
    assert time.monotonic() - before < 8
    assert not list(lab.glob("papers/*/pilot/*/seed-*")), "a run that was given up is no failed run"
    assert nobody_left(process, lab)


def test_a_pid_that_a_killed_scientist_left_behind_is_nobody(tmp_path: Path) -> None:
    lab = new_lab(tmp_path / "lab")
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        (lab / ".scientist").mkdir()
        (lab / ".scientist" / "lock").touch()
        (lab / ".scientist" / "pid").write_text(str(bystander.pid))
        assert "nobody is working" in complaint(call(lab, "stop"), 2)
        assert call(lab, "ideas", "approve", SLUG).returncode == 0
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
