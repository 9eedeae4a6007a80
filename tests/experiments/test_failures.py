"""Reading failures: places, the error in one line, groups; diffs that apply again; answers that are anything."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scientist.experiments import (
    Bench,
    FailedRun,
    Tuner,
    Variant,
    apply_diff,
    choose_sandbox,
    diff_of,
    grouped,
    place_of,
    printable,
    read_cause,
    read_ended,
    redo,
    run_cells,
    run_key,
    told_step,
)
from scientist.experiments._failures import fault_of, said_of
from scientist.progress import Silent
from scientist.template import load_template

DIAL = load_template(Path(__file__).parents[1] / "templates" / "dial")
LOG = """\
Traceback (most recent call last):
  File "train.py", line 3, in <module>
    a()
KeyError: 'first'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "train.py", line 20, in <module>
    work(x)
  File "/run/train.py", line 31, in work
    np.ones(-1)
  File "/usr/lib/python3/numpy/numeric.py", line 232, in ones
    a = empty(shape)
ValueError: negative dimensions 17
which numpy does not allow
loaded 12 rows
"""


def failed(status: str = "failed", reason: str = "loaded 12 rows", log: str = LOG, seed: int = 1) -> FailedRun:
    return FailedRun("runs", f"runs/x/seed-{seed}", "x", seed, {}, status, reason, log)


def test_the_last_line_of_the_candidates_own_code_is_named() -> None:
    assert place_of(LOG, ["train.py"]) == ("train.py", 31)
    assert place_of(LOG, ["other.py", "numeric.py"]) == ("numeric.py", 232)
    assert place_of(LOG, ["rain.py"]) is None and place_of("", ["train.py"]) is None
    assert place_of('  File "train.py", line 99999999999999999999\n', ["train.py"]) is None
    assert place_of('  File "train.py", line 1\n    x = (\nSyntaxError: never closed\n', ["train.py"]) == (
        "train.py",
        1,
    )


def test_the_error_is_the_tracebacks_and_not_what_was_printed_after_it() -> None:
    assert failed().said == "ValueError: negative dimensions 17"
    assert failed(log="no traceback\nloaded 12 rows\n").said == "loaded 12 rows"
    assert said_of("timeout", "no end within 2 s", LOG) == "no end within 2 s"
    assert said_of("failed", "ended by signal 11 (SIGSEGV)", LOG) == "ended by signal 11 (SIGSEGV)"


def test_the_same_error_is_one_group_whatever_its_numbers() -> None:
    runs = [failed(seed=seed, log=LOG.replace("dimensions 17", f"dimensions {seed * 1.5}")) for seed in range(4)]
    other = failed(seed=9, log=LOG.replace("line 31", "line 32"))
    late = failed("timeout", "no end within 2 s", seed=10)
    assert [len(group) for group in grouped([late, other, *runs], ["train.py"])] == [4, 1, 1]


@pytest.mark.parametrize(
    ("status", "reason", "changed", "fault", "says"),
    [
        ("failed", "ValueError: x", False, "code", ""),
        ("invalid", "'value' is not a number", False, "code", ""),
        ("failed", "ended by signal 11 (SIGSEGV)", False, "code", ""),
        ("failed", "ended by signal 9 (SIGKILL)", False, "machine", "scientist doctor"),
        ("killed", "the run took its sandbox down", True, "machine", "scientist doctor"),
        ("failed", "ModuleNotFoundError: No module named 'torch'", False, "machine", "'torch' is not installed"),
        ("failed", "ModuleNotFoundError: No module named 'torch'", True, "code", ""),
        ("timeout", "used more CPU time than allowed", False, "limit", "'cpu_s' (now 2)"),
        ("timeout", "no end within 2 s", True, "limit", "'wall_s' (now 2)"),
        ("processes", "started more than 64", False, "limit", "'processes' (now 64)"),
        ("disk", "wrote more than 256 MB", False, "limit", "'disk_mb' (now 256)"),
        ("log", "printed more than 8 MB", False, "limit", "'log_mb' (now 8)"),
        ("output", "artefacts are larger than 1 MB", False, "limit", "'output_mb' (now 1)"),
        ("output", "no artefact was written", False, "code", ""),
    ],
)
def test_whose_fault_it_is_and_which_setting_helps(
    status: str, reason: str, changed: bool, fault: str, says: str
) -> None:
    found = fault_of(failed(status, reason, ""), DIAL, changed)
    assert found[0] == fault and says in found[1] and bool(found[1]) == (fault != "code")


def test_trials_of_a_tuned_variant_count_one_by_one_and_can_be_done_again(tmp_path: Path) -> None:
    shutil.copytree(DIAL.root, tmp_path / "dial", ignore=shutil.ignore_patterns("__pycache__"))
    train = tmp_path / "dial" / "train.py"
    line = 'value = data["strength"]'
    train.write_text(train.read_text().replace(line, f"assert float(knobs['effect']) <= 0.0, 'too far'\n{line}"))
    template = load_template(tmp_path / "dial")
    tuner = Tuner(sampler="random", knobs=("effect",), trials=6)
    tuned = Variant(name="tuned", title="tuned", knobs=template.defaults, tuner=tuner)
    paper = tmp_path / "paper"
    with Bench.local(template, choose_sandbox("process", ()), tmp_path / "scratch", 1) as bench:
        run_cells(bench, [tuned], [3], paper / "runs", Silent(), lambda: None)
        found = read_ended(paper, "runs")
        good, total = found.counts["tuned"]
        assert total == 6 and 0 < good < 6 and len(found.failed) == 6 - good
        (group,) = grouped(found.failed, template.editable)
        step = told_step(group, found, template, {})
        assert step.reason == "AssertionError: too far" and step.variants == {"tuned": (6 - good, 6)}
        assert group[0].name.startswith("runs/tuned/seed-3/trial-") and group[0].knobs["effect"] > 0
        assert group[0].key == run_key(template, template.fingerprint(), tuned, 3)
        assert redo(bench, group[0], {}).status == "failed"
        mended = train.read_text().replace("<= 0.0", "<= 5.0").encode()
        again = redo(bench, group[0], {"train.py": mended})
        assert again.status == "ok" and set(again.scores) == {"score", "error"}


LINES = st.lists(
    st.sampled_from(["a", "b = 1", "", " c", "-- d", "++ e", "@@ -1 +1 @@", "--- a/train.py"]), max_size=12
)


@given(LINES, LINES)
def test_a_diff_applies_again_to_the_same_bytes(before: list[str], after: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        template = DIAL.model_copy(update={"root": Path(name)})
        (template.root / "train.py").write_text("".join(f"{line}\n" for line in before))
        new = {"train.py": "".join(f"{line}\n" for line in after).encode()}
        if before == after:
            return
        assert apply_diff(template, diff_of(template, new)) == new


@given(st.text(max_size=300))
def test_no_diff_and_no_answer_does_more_than_be_refused(text: str) -> None:
    for diff in (
        text,
        f"--- a/train.py\n+++ b/train.py\n{text}",
        f"--- a/train.py\n+++ b/train.py\n@@ -1,3 +1,3 @@\n{text}",
    ):
        try:
            assert set(apply_diff(DIAL, diff)) == {"train.py"}
        except ValueError as error:
            assert "\n" not in str(error)
    for said in (
        text,
        f"CAUSE: {text}\nEVIDENCE: {text}\nNO EDITS",
        f"CAUSE: it is so.\nEVIDENCE: {text}\nFILE: {text}",
    ):
        try:
            cause, _ = read_cause(said, "some log\nand a line")
        except ValueError:
            continue
        assert all(quote in "some log\nand a line" for quote in cause.evidence) and cause.evidence


def test_quotes_may_stand_in_marks_and_nothing_else_is_forgiven() -> None:
    given = 'KeyError: "a"\nx = table[1]\n'
    for quote in ("x = table[1]", "`x = table[1]`", "  x = table[1]  ", '"x = table[1]"', 'KeyError: "a"'):
        cause, edits = read_cause(f"CAUSE: no such entry.\n- EVIDENCE: {quote}\nNO EDITS\n", given)
        assert cause.evidence[0] in given and edits == []
    for quote in ("x = table[2]", "x", "", "X = table[1]", "x =  table[1]"):
        with pytest.raises(ValueError, match=r"EVIDENCE|evidence"):
            read_cause(f"CAUSE: no such entry.\nEVIDENCE: {quote}\nNO EDITS\n", given)


def test_what_steers_a_terminal_is_dropped() -> None:
    assert printable("a\x1b[31mb\x07\u202ec\U000e0041\td\n") == "a[31mbc\td\n"
