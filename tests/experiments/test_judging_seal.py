"""What is sealed is held against its hashes around every judgement: one planted change per test."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from fraud_templates import make_template, plain_bench

from scientist.errors import MachineryError
from scientist.experiments import _seal
from scientist.experiments._judge import Judge
from scientist.experiments._seal import Seal
from scientist.template import Template


def settle(seal: Seal, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the files had lain there for a while, so that their status is believed."""
    monkeypatch.setattr(_seal, "GRAIN_NS", -(10**12))
    seal.check()
    monkeypatch.setattr(_seal, "_hash", lambda path: pytest.fail(f"{path} was hashed again"))
    seal.check()
    monkeypatch.undo()


@pytest.fixture
def template(tmp_path: Path) -> Template:
    return make_template(tmp_path, files={"labels.txt": "yes no yes"})


@pytest.fixture
def hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of labels in an installed package."""
    folder = tmp_path / "installed/labelled/data"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("")
    (folder / "labels.csv").write_text("1,0,1")
    monkeypatch.syspath_prepend(str(tmp_path / "installed"))
    return folder


def rewrite_unseen(path: Path, text: str) -> None:
    """Same size, same inode, and the modification time put back."""
    before = path.stat()
    assert len(text) == before.st_size
    with path.open("r+") as handle:
        handle.write(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_ino, after.st_size, after.st_mtime_ns) == (before.st_ino, before.st_size, before.st_mtime_ns)


def test_a_sealed_file_changed_between_two_judgements_is_named(template: Template, tmp_path: Path) -> None:
    with plain_bench(template, tmp_path) as bench:
        with bench.run(template.defaults, 1, ("keep",)) as outcome:
            assert outcome.status == "ok"
        (template.root / "labels.txt").write_text("no no no")
        with (
            pytest.raises(MachineryError, match=r"sealed file 'labels\.txt' .*changed"),
            bench.run({**template.defaults}, 1, ("keep",)),
        ):
            pass


def test_a_sealed_file_changed_during_a_judgement_voids_it(tmp_path: Path) -> None:
    score = """
    def score(outputs, split, knobs, seed):
        (Path(__file__).parent / "labels.txt").write_text("all of them right")
        return {"score": 1.0}
    """
    template = make_template(tmp_path, score=score, files={"labels.txt": "yes no yes"})
    with (
        plain_bench(template, tmp_path) as bench,
        pytest.raises(MachineryError, match=r"labels\.txt.*changed"),
        bench.run(template.defaults, 1, ("keep",)),
    ):
        pass


def test_putting_the_modification_time_back_hides_nothing(template: Template, monkeypatch: pytest.MonkeyPatch) -> None:
    seal = Seal(template)
    settle(seal, monkeypatch)
    time.sleep(0.02)  # the grain of the kernel's clock
    rewrite_unseen(template.root / "labels.txt", "no no nope")
    with pytest.raises(MachineryError, match=r"labels\.txt"):
        seal.check()


def test_a_file_changed_just_before_it_was_hashed_is_hashed_again(
    template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within one grain of the clock two changes leave the same times behind, so young files are not believed."""
    seal = Seal(template)
    calls: list[Path] = []
    hashed = _seal._hash
    monkeypatch.setattr(_seal, "_hash", lambda path: calls.append(path) or hashed(path))
    seal.check()
    assert {path.name for path in calls} == {"evaluate.py", "labels.txt"}


def test_a_sealed_file_that_is_gone_is_named(template: Template) -> None:
    seal = Seal(template)
    (template.root / "labels.txt").unlink()
    with pytest.raises(MachineryError, match=r"labels\.txt"):
        seal.check()


def test_a_sealed_file_replaced_by_a_link_to_its_like_is_believed_by_content_only(
    template: Template, tmp_path: Path
) -> None:
    seal = Seal(template)
    (tmp_path / "other.txt").write_text("no no yes!")
    (template.root / "labels.txt").unlink()
    (template.root / "labels.txt").symlink_to(tmp_path / "other.txt")
    with pytest.raises(MachineryError, match=r"labels\.txt"):
        seal.check()


@pytest.mark.parametrize("how", ["changed", "added", "gone"])
def test_held_out_data_that_change_are_named(
    hidden: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    template = make_template(tmp_path, hide="labelled:data")
    seal = Seal(template)
    settle(seal, monkeypatch)
    monkeypatch.syspath_prepend(str(hidden.parents[1]))
    time.sleep(0.02)
    if how == "changed":
        rewrite_unseen(hidden / "labels.csv", "0,0,0")
    elif how == "added":
        (hidden / "more.csv").write_text("1")
    else:
        (hidden / "labels.csv").unlink()
    with pytest.raises(MachineryError, match=r"held-out file .*(labels|more)\.csv"):
        seal.check()


@pytest.mark.parametrize("moment", ["final", "close"])
def test_everything_is_hashed_when_final_opens_and_when_the_bench_closes(
    template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Against whoever can forge a status: root, say, by the clock."""
    with (
        pytest.raises(MachineryError, match=r"labels\.txt"),
        plain_bench(template, tmp_path) as bench,
        bench.run(template.defaults, 1, ("keep",)) as outcome,
    ):
        monkeypatch.setattr(_seal, "GRAIN_NS", -(10**12))
        monkeypatch.setattr(_seal, "_state", lambda path: (1, 1, 1, 1, 1))
        bench.judge.seal.check(full=True)
        (template.root / "labels.txt").write_text("forged")
        bench.judge.seal.check()
        assert bench.judge.score(outcome.folder / "outputs", ("keep",), template.defaults, 1)[0]
        if moment == "final":
            bench.judge.score(outcome.folder / "outputs", ("final",), template.defaults, 1)
            pytest.fail("final was opened with a forged file")


def test_a_module_that_changed_after_it_was_sealed_is_not_loaded(tmp_path: Path) -> None:
    template = make_template(tmp_path, head="import rules\n", files={"rules.py": "WORTH = 1\n"})
    judge = Judge(template)
    (template.root / "rules.py").write_text("WORTH = 100\n")
    judge.start()
    try:
        with pytest.raises(MachineryError, match="not what was sealed"):
            judge.wait()
    finally:
        judge.stop()


def test_where_a_run_reports_its_own_metrics_the_whole_tree_is_sealed(template: Template) -> None:
    reported = template.model_copy(update={"layout": "ai-scientist", "sealed": ()})
    seal = Seal(reported)
    (template.root / "data").mkdir()
    (template.root / "data/new.bin").write_text("x")
    with pytest.raises(MachineryError, match=r"data/new\.bin"):
        seal.check()


def test_checking_the_seal_costs_next_to_nothing(template: Template, monkeypatch: pytest.MonkeyPatch) -> None:
    seal = Seal(template)
    monkeypatch.setattr(_seal, "GRAIN_NS", -(10**12))
    seal.check()
    started = time.perf_counter()
    for _ in range(200):
        seal.check()
    assert (time.perf_counter() - started) / 200 < 1e-3
