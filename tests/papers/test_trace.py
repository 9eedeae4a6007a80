"""From a printed number to its runs, and a plain answer when there is nothing behind it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample import edit_json

from scientist.errors import RecordError
from scientist.lab import write_atomic
from scientist.papers._build import build_ledger, load_context
from scientist.papers._fragments import free_digits, parse, plain, readable
from scientist.papers._ledger import by_variant
from scientist.papers._trace import NotTraced, _numbers_in, fragments, normal, resolve, trace


def test_every_printed_number_answers(sample_folder: Path) -> None:
    """Every value, and every number in the readable text of every fragment that reaches the page."""
    context = load_context(sample_folder)
    ledger = build_ledger(context)
    facts = context.facts.by_id()
    printed = [readable(facts[key].text) for key in ledger.uses] + [calc.text for calc in ledger.calcs.values()]
    assert len(printed) > 40
    for text in printed:
        assert trace(sample_folder, text), text
    numbers = {number for _, text in fragments(context.manuscript) for number in _numbers_in(plain(text, facts))}
    typed = {n for _, text in fragments(context.manuscript) for n in free_digits(parse(text))}
    assert len(numbers) > 25 and not typed
    for number in sorted(numbers):
        # A number in a sentence answers unless it is part of a citation key or a script.
        assert number in {"1908", "1979", "2"} or trace(sample_folder, number), number


def test_a_derived_value_names_its_runs_and_formula(sample_folder: Path) -> None:
    (found,) = trace(sample_folder, "c.dose_0_4.keep.mean")
    assert found.agrees and found.intact and found.value == found.found
    assert found.file == "analysis.json" and found.pointer.endswith("/keep/mean")
    assert {run.run for run in found.runs} == {
        f"label_noise_{level}/seed-{seed}" for level in ("0", "0_4") for seed in (101, 102, 103, 104)
    }
    means = [run.values["keep"] * (1 if "0_4" in run.run else -1) for run in found.runs]
    assert sum(means) / 4 == pytest.approx(float(found.value or 0), abs=1e-9)
    assert "mean" in found.formula and found.uses[0].where.startswith("section 'results'")
    assert readable(found.text) in found.uses[0].sentence


@pytest.mark.parametrize("query", ["-3.7", "−3.7", "-3.7%", r"$-$3.7", " -3.7 "])
def test_a_number_answers_however_it_is_written(sample_folder: Path, query: str) -> None:
    assert "c.dose_0_4.keep.mean" in {found.id for found in trace(sample_folder, query)}


def test_sizes_levels_words_and_calculations_answer(sample_folder: Path) -> None:
    assert trace(sample_folder, "1797")[0].id == trace(sample_folder, "1,797")[0].id == "data.digits.examples"
    assert "set.label_noise_0_2.label_noise" in {found.id for found in trace(sample_folder, "0.2")}
    assert trace(sample_folder, "Digits")[0].id == "data.digits.title"
    (calc,) = trace(sample_folder, "round(c.dose_0_4.keep.abs/c.dose_0_2.keep.abs, 1)")
    assert calc.kind == "calculation" and calc.agrees and len(calc.inputs) == 2 and len(calc.runs) == 5 + 5 + 4
    assert calc.id in {found.id for found in trace(sample_folder, calc.text)}


def test_runs_and_the_appendix_answer(sample_folder: Path) -> None:
    (run,) = trace(sample_folder, "label_noise_0/seed-101")
    assert run.kind == "run" and set(run.runs[0].values) == {"search", "keep", "final"} and run.intact
    raw = f"{run.runs[0].values['final']:.4f}"
    assert run.id in {found.id for found in trace(sample_folder, raw)}
    (failed,) = trace(sample_folder, "label_noise_0_4/seed-105")
    assert failed.runs[0].status == "timeout" and "20 s" in failed.runs[0].reason and failed.found == "timeout"
    power = trace(sample_folder, "0.8")
    assert [(found.kind, found.pointer) for found in power] == [("declared", "/power")]


def test_a_run_that_never_was_does_not_answer(sample_folder: Path) -> None:
    with pytest.raises(NotTraced):
        trace(sample_folder, "label_noise_0/seed-999")


@pytest.mark.parametrize("query", ["77.7", "nobody", "v.nobody.mean", "1+1", ""])
def test_what_is_nowhere_is_said_so_in_one_line(sample_folder: Path, query: str) -> None:
    with pytest.raises(NotTraced) as caught:
        trace(sample_folder, query)
    assert "\n" not in str(caught.value) and caught.value.exit_code == 1


def test_a_value_that_merely_equals_a_fact_is_no_provenance(sample_folder: Path) -> None:
    facts = load_context(sample_folder).facts.by_id()
    unprinted = readable(facts["v.label_noise_0.keep.log_loss.sd"].text)
    with pytest.raises(NotTraced, match="printed nowhere"):
        trace(sample_folder, unprinted)


def test_an_edited_file_no_longer_agrees(paper_folder: Path) -> None:
    edit_json(paper_folder / "analysis.json", "contrasts", 1, "estimates", "keep", "mean", value=-0.5)
    (found,) = trace(paper_folder, "c.dose_0_4.keep.mean")
    assert not found.agrees and not found.intact and found.found == -0.5
    (calc,) = trace(paper_folder, "round(c.dose_0_4.keep.abs / c.dose_0_2.keep.abs, 1)")
    assert not calc.agrees


def test_an_edited_result_is_seen(paper_folder: Path) -> None:
    edit_json(paper_folder / "runs/label_noise_0/seed-101/result.json", "metrics", "keep", "accuracy", value=0.99)
    (found,) = trace(paper_folder, "label_noise_0/seed-101")
    assert not found.agrees and not found.intact


def test_a_fact_pointed_elsewhere_no_longer_agrees(paper_folder: Path) -> None:
    facts = load_context(paper_folder).facts
    place = next(i for i, fact in enumerate(facts.facts) if fact.id == "c.dose_0_4.keep.mean")
    for pointer in ("/contrasts/0/estimates/keep/mean", "/contrasts/9/estimates/keep/mean", "/contrasts"):
        edit_json(paper_folder / "facts.json", "facts", place, "pointer", value=pointer)
        assert not trace(paper_folder, "c.dose_0_4.keep.mean")[0].agrees
    edit_json(paper_folder / "facts.json", "facts", place, "file", value="../../etc/passwd")
    found = trace(paper_folder, "c.dose_0_4.keep.mean")[0]
    assert not found.agrees and found.found is None


def test_resolve(paper_folder: Path) -> None:
    assert resolve(paper_folder, "study.json", "/seeds/#") == 5
    assert resolve(paper_folder, "idea.md", "/design/knob") == "label_noise"
    assert len(resolve(paper_folder, "study.json", "")) == 64
    for file, pointer in (
        ("study.json", "/nothing"),
        ("gone.json", "/x"),
        ("../x.json", "/x"),
        ("study.json", "/seeds/x"),
    ):
        with pytest.raises(RecordError):
            resolve(paper_folder, file, pointer)
    write_atomic(paper_folder / "broken.json", "{")
    with pytest.raises(RecordError, match="not JSON"):
        resolve(paper_folder, "broken.json", "/x")


@given(st.text(max_size=20))
def test_normal_forms_are_stable(text: str) -> None:
    assert normal(normal(text)) == normal(text) or "%" in text or "\\" in text or "$" in text


def test_runs_are_grouped() -> None:
    assert by_variant(("a/seed-2", "b/seed-1", "a/seed-1", "odd")) == {"a": [2, 1], "b": [1]}
