"""Bad input of every kind: one line that says what to do, a non-zero exit, and nothing lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli_calls import DIAL, IDEA, SLUG, answer, call, complaint, copy_dial, environment, new_lab

RUN = ("--ideas", "1", "--no-pdf", "--quiet")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lab in which nothing was begun; the tests that use it must leave it so."""
    return new_lab(tmp_path_factory.mktemp("bad") / "lab")


@pytest.mark.parametrize(
    ("old", "new", "said", "code"),
    [
        ('title = "A dial', 'subtitle = "A dial', "title: is missing", 4),
        ("wall_s = 2", 'wall_s = "long"', "template.toml:20: budget.wall_s: input should be a valid number", 4),
        ('name = "dial"', "name = [", "not valid TOML", 4),
        ("high = 5.0", "hihg = 5.0", "hihg", 4),
        ('sealed = ["evaluate.py"]', 'sealed = ["evaluate.py", "evaluator.py"]', "'evaluator.py' does not exist", 4),
    ],
)
def test_a_broken_template(lab: Path, tmp_path: Path, old: str, new: str, said: str, code: int) -> None:
    dial = copy_dial(tmp_path / "dial")
    text = (dial / "template.toml").read_text()
    assert old in text
    (dial / "template.toml").write_text(text.replace(old, new, 1))
    before = sorted(lab.rglob("*"))
    assert said in complaint(call(lab, "run", str(dial), *RUN), code)
    assert sorted(lab.rglob("*")) == before


def test_an_evaluator_that_does_not_load_is_named_with_its_line(tmp_path: Path) -> None:
    lab, dial = new_lab(tmp_path / "lab"), copy_dial(tmp_path / "dial")
    (dial / "evaluate.py").write_text("import json\nthis is not Python\n")
    line = complaint(call(lab, "run", str(dial), *RUN), 6)
    assert "evaluate.py" in line and "line 2" in line
    states = answer(call(lab, "status", "--json"))
    assert states["papers"] == {SLUG: "waiting at study"} and len(states["unfinished"]) == 1


def test_no_such_template_paper_or_idea_names_the_nearest(lab: Path, finished: Path) -> None:
    assert "did you mean 'dial'?" in complaint(call(lab, "run", "dail"), 4)
    assert "did you mean 'dial'?" in complaint(call(lab, "templates", "check", "dia"), 4)
    assert f"did you mean '{SLUG}'?" in complaint(call(lab, "ideas", "show", "does-the-dail-work"), 2)
    assert f"did you mean '{SLUG}'?" in complaint(call(finished, "audit", "does-the-dail-work"), 2)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("roundz = 3", "roundz: unknown key (did you mean 'rounds'?)"),
        ('alpha = "small"', "alpha: input should be a valid number"),
        ("power = 2", "power: input should be less than 1"),
        ("online = [", "not valid TOML"),
    ],
)
def test_broken_settings(tmp_path: Path, line: str, said: str) -> None:
    lab = new_lab(tmp_path / "lab")
    with (lab / "scientist.toml").open("a") as file:
        file.write(line + "\n")
    shown = complaint(call(lab, "status"), 4)
    assert said in shown and "scientist.toml" in shown


def test_flags_and_environment_are_blamed_by_their_own_name(lab: Path) -> None:
    assert complaint(call(lab, "run", str(DIAL), "--seeds", "0"), 2).startswith("--seeds: input should be")
    for name, said in [
        ("SCIENTIST_ALPHA", "environment SCIENTIST_ALPHA: "),
        ("SCIENTIST_ROUNDZ", "'SCIENTIST_ROUNDS'"),
    ]:
        assert said in complaint(call(lab, "verify", env=environment(**{name: "7"})), 2)


BROKEN_IDEAS = {
    "bad-yaml": (b"---\nslug: [x\n---\n", "bad-yaml.md:2:"),
    "not-text": (b"\xff\xfe\x00", "not UTF-8"),
    "no-front": (b"only prose", "no front matter"),
    "no-why": (IDEA.replace("why:", "because:").replace(SLUG, "no-why").encode(), "no-why.md"),
    "odd-way": (IDEA.replace("greater", "upwards").replace(SLUG, "odd-way").encode(), "odd-way.md:8: expect"),
}


def test_broken_ideas_are_named_and_skipped_and_kept(tmp_path: Path) -> None:
    lab = new_lab(tmp_path / "lab")
    for name, (raw, _) in BROKEN_IDEAS.items():
        (lab / "ideas" / f"{name}.md").write_bytes(raw)
    told = answer(call(lab, "ideas", "list", "--json"))
    assert [row["slug"] for row in told["ideas"]] == [SLUG]
    for name, (_, said) in BROKEN_IDEAS.items():
        assert any(f"{name}.md" in line and said in line and "\n" not in line for line in told["broken"]), name
    assert "not UTF-8" in complaint(call(lab, "ideas", "approve", "not-text"), 4)
    assert "odd-way.md:8" in complaint(call(lab, "ideas", "add", str(lab / "ideas" / "odd-way.md")), 4)
    assert call(lab, "ideas", "propose", "--count", "1", "--template", str(DIAL)).returncode == 0
    for name, (raw, _) in BROKEN_IDEAS.items():
        assert (lab / "ideas" / f"{name}.md").read_bytes() == raw


def test_an_idea_whose_knob_is_out_of_range(lab: Path, tmp_path: Path) -> None:
    far = tmp_path / "far.md"
    far.write_text(IDEA.replace("2.0]", "900.0]"))
    line = complaint(call(lab, "ideas", "add", str(far), "--template", str(DIAL)), 4)
    assert "far.md" in line and "'effect' lies between -5 and 5, not 900.0" in line
    other = new_lab(tmp_path / "lab", far.read_text())
    done = call(other, "run", str(DIAL), *RUN)
    assert done.returncode == 5 and "not 900.0" in done.stdout and "Traceback" not in done.stderr
    assert "'effect' lies between" in complaint(call(other, "audit", SLUG), 2)


def test_no_latex_is_said_before_anything_is_begun(lab: Path) -> None:
    before = sorted(lab.rglob("*"))
    env = environment(PATH=str(Path(sys.executable).parent))
    line = complaint(call(lab, "run", str(DIAL), env=env), 7)
    assert "no LaTeX found" in line and "--no-pdf" in line
    assert sorted(lab.rglob("*")) == before
    assert call(lab, "doctor", env=env).returncode == 1


def bubblewrapped(*more: str) -> list[str]:
    """A program start on another view of the file system, or a skip where bubblewrap does not work."""
    bwrap = shutil.which("bwrap") or ""
    start = [bwrap, "--bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    if not bwrap or subprocess.run([*start, "true"], capture_output=True, check=False).returncode:
        pytest.skip("bubblewrap does not work here")
    return [*start, *more]


def test_a_read_only_lab(finished: Path) -> None:
    before = bubblewrapped("--ro-bind", str(finished), str(finished))
    assert answer(call(finished, "status", "--json", before=before))["papers"] == {SLUG: "done"}
    assert call(finished, "audit", SLUG, before=before).returncode == 0
    for words in (("run", str(DIAL), *RUN), ("ideas", "propose", "-t", str(DIAL))):
        line = complaint(call(finished, *words, before=before), 3)
        assert "not allowed to write" in line and "permissions" in line


@pytest.mark.slow
def test_a_full_disk_stops_with_one_line_and_resume_ends_the_same(tmp_path: Path, finished: Path) -> None:
    """The lab lies on a file system of its own that runs full during the runs; then the filler is taken away."""
    disk = tmp_path / "disk"
    disk.mkdir()
    script = f"""
        set -u
        S="{sys.executable} -m scientist --lab {disk}/lab"
        $S init {disk}/lab --quiet && cp {tmp_path}/idea.md {disk}/lab/ideas/{SLUG}.md || exit 90
        $S ideas list > /dev/null || exit 91
        head -c 1400000 /dev/zero > {disk}/filler || exit 92
        $S run {DIAL} {" ".join(RUN)} > {tmp_path}/out 2> {tmp_path}/err; echo $? > {tmp_path}/code
        rm {disk}/filler
        $S resume --no-pdf --json --quiet > {tmp_path}/resumed || exit 93
        $S verify > /dev/null || exit 94
        cp {disk}/lab/papers/{SLUG}/analysis.json {tmp_path}/analysis.json
    """
    (tmp_path / "idea.md").write_text(IDEA)
    before = bubblewrapped("--size", "1600000", "--tmpfs", str(disk))
    env = environment(SCIENTIST_SANDBOX="process")
    done = subprocess.run([*before, "sh", "-c", script], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.returncode, done.stderr)
    assert (tmp_path / "code").read_text() == "3\n"
    error = (tmp_path / "err").read_text()
    assert len(error.splitlines()) == 1 and "no space left" in error and "scientist resume" in error
    assert json.loads((tmp_path / "resumed").read_text())["papers"][0]["errors"] == 0
    assert (tmp_path / "analysis.json").read_bytes() == (finished / "papers" / SLUG / "analysis.json").read_bytes()


def test_damaged_records_are_redone_or_named(finished: Path, tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    shutil.copytree(finished, lab, ignore=shutil.ignore_patterns(".scientist"))
    paper = lab / "papers" / SLUG
    facts, run = paper / "facts.json", ("run", str(DIAL), *RUN)
    whole = facts.read_bytes()
    os.truncate(facts, len(whole) // 2)
    result = next((paper / "runs").glob("*/seed-*/result.json"))
    kept = result.read_bytes()
    os.truncate(result, 40)
    line = complaint(call(lab, *run), 4)
    assert str(result) in line and "delete the file" in line
    result.unlink()
    assert call(lab, *run).returncode == 0
    assert (result.read_bytes(), facts.read_bytes()) == (kept, whole), "what is gone or half is made again"

    campaign = next(lab.glob("campaigns/*/campaign.json"))
    campaign.write_text(campaign.read_text().replace('"rounds"', '"roundz"'))
    assert f"{campaign}" in complaint(call(lab, "status"), 4)


def test_a_broken_journal_line_is_named_and_a_torn_one_mended(finished: Path, tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    shutil.copytree(finished, lab, ignore=shutil.ignore_patterns(".scientist"))
    journal = lab / "journal.jsonl"
    whole = journal.read_text()
    journal.write_text(whole + '{"n": 99, "ev')
    assert call(lab, "ideas", "approve", "--note", "x", SLUG).returncode == 2  # done already; but the lab opens
    assert call(lab, "ideas", "propose", "--count", "1", "-t", str(DIAL)).returncode == 0
    assert call(lab, "verify").returncode == 0
    lines = whole.splitlines()
    journal.write_text("\n".join([lines[0], "gibberish", *lines[1:]]) + "\n")
    for words in (("status",), ("run", str(DIAL), *RUN)):
        line = complaint(call(lab, *words), 3)
        assert "journal.jsonl:2" in line and "scientist verify" in line
    assert any("journal.jsonl:2: not JSON" in fault for fault in answer(call(lab, "verify", "--json"), 1)["faults"])
