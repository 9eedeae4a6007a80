"""The audit: silent on a clean paper, and every planted fraud caught by its own code."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from designs import DESIGNS, TEMPLATE, world
from sample import SLUG, edit_json, idea, make_paper
from written import write_paper

from scientist.experiments import Analysis, RunResult, Study, analyse
from scientist.lab import Journal, canonical_json, read_json, sha256_file, write_atomic
from scientist.papers import (
    Audit,
    BuildContext,
    Facts,
    Manuscript,
    Rebuild,
    build_facts,
    build_tex,
    draw_figures,
    load_context,
    make_manifest,
)
from scientist.papers import audit as run_audit
from scientist.papers._audit_claims import claims, masked
from scientist.papers._audit_values import prints, resolve
from scientist.papers._fragments import sentences
from scientist.papers._records import Fact, Figure

REBUILD = Rebuild(template=TEMPLATE, analyse=analyse, build_facts=build_facts, build_tex=build_tex, draw=draw_figures)

QUICK = replace(REBUILD, draw=None)
"""Without drawing, which takes most of an audit's second."""


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lab with one complete paper, its manifest and its journal. The PDF is a stand-in: the audit does not read it."""
    lab = tmp_path_factory.mktemp("lab")
    paper = lab / "papers" / SLUG
    make_paper(paper)
    study = read_json(Study, paper / "study.json")
    analysis = read_json(Analysis, paper / "analysis.json")
    results = load_context(paper).results
    facts = build_facts(paper, TEMPLATE, idea(), study, analysis, results)
    write_atomic(paper / "facts.json", facts.canonical())
    write_atomic(paper / "paper.tex", build_tex(load_context(paper)))
    write_atomic(paper / "paper.pdf", b"%PDF-1.5\n")
    journal = Journal(lab / "journal.jsonl")
    journal.append("study.frozen", slug=SLUG, sha256=study.digest())
    journal.append("keep.analysed", slug=SLUG, sha256=analyse(study, results).digest())
    journal.append("final.opened", slug=SLUG)
    manifest = make_manifest(paper, study, results, (), "none", (), {"writer": "heuristic"})
    write_atomic(paper / "manifest.json", manifest.canonical())
    journal.append("paper.built", slug=SLUG, manifest=sha256_file(paper / "manifest.json"), files=manifest.files)
    return lab


@pytest.fixture()
def paper(clean: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    shutil.copytree(clean, tmp_path / "lab")
    return tmp_path / "lab" / "papers" / SLUG


def check(paper: Path, rebuild: Rebuild | None = REBUILD) -> Audit:
    return run_audit(paper, rebuild=rebuild, lab=paper.parents[1])


def codes(paper: Path, rebuild: Rebuild | None = REBUILD) -> set[str]:
    """Codes of what is worse than a note."""
    return {f.code for f in check(paper, rebuild).findings if f.severity != "note"}


def write_section(paper: Path, name: str, *paragraphs: str) -> None:
    """Add paragraphs to a section of the manuscript."""
    manuscript = json.loads((paper / "manuscript.json").read_text())
    section = next(s for s in manuscript["sections"] if s["id"] == name)
    section["paragraphs"] += paragraphs
    write_atomic(paper / "manuscript.json", canonical_json(manuscript))


def test_a_clean_paper_raises_no_alarm(paper: Path) -> None:
    found = check(paper)
    assert [f for f in found.findings if f.severity != "note"] == []
    assert found.errors == 0 and found.slug == SLUG
    assert {f.code for f in found.findings} == {"power-capped"}


def test_the_audit_changes_nothing_and_repeats_itself(paper: Path) -> None:
    before = {path: path.read_bytes() for path in sorted(paper.parents[1].rglob("*")) if path.is_file()}
    first, second = check(paper), check(paper)
    assert first.canonical() == second.canonical()
    assert before == {path: path.read_bytes() for path in sorted(paper.parents[1].rglob("*")) if path.is_file()}


# -- planted frauds ------------------------------------------------------------------------------------------------


def typed_decimal(paper: Path) -> None:
    write_section(paper, "results", "Accuracy was 93.4 on average.")


def fact_of_another_run(paper: Path) -> None:
    """The fact of one run takes the value, text and file of a better one."""
    facts = json.loads((paper / "facts.json").read_text())
    by_id = {fact["id"]: fact for fact in facts["facts"]}
    worse, better_ = by_id["run.label_noise_0_4.s101.keep"], by_id["run.label_noise_0.s101.keep"]
    for name in ("value", "text", "file", "pointer", "sha256", "runs"):
        worse[name] = better_[name]
    write_atomic(paper / "facts.json", canonical_json(facts))


def mean_of_another_variant(paper: Path) -> None:
    facts = json.loads((paper / "facts.json").read_text())
    by_id = {fact["id"]: fact for fact in facts["facts"]}
    worse, better_ = (by_id[f"v.{name}.keep.accuracy.mean"] for name in ("label_noise_0_4", "label_noise_0"))
    worse.update({name: better_[name] for name in ("value", "text", "pointer", "runs")})
    write_atomic(paper / "facts.json", canonical_json(facts))


def fact_with_another_text(paper: Path) -> None:
    facts = json.loads((paper / "facts.json").read_text())
    next(f for f in facts["facts"] if f["id"] == "v.label_noise_0.keep.accuracy.mean")["text"] = "98.7"
    write_atomic(paper / "facts.json", canonical_json(facts))


def fact_with_another_value(paper: Path) -> None:
    facts = json.loads((paper / "facts.json").read_text())
    next(f for f in facts["facts"] if f["id"] == "c.dose_0_4.p_holm")["value"] = 0.0001
    write_atomic(paper / "facts.json", canonical_json(facts))


def edited_result(paper: Path) -> None:
    edit_json(paper / "runs/label_noise_0_4/seed-101/result.json", "metrics", "keep", "accuracy", value=0.991)


def edited_result_and_manifest(paper: Path) -> None:
    """A fraud who also mends the manifest is still caught by the facts, the statistics and the journal."""
    edited_result(paper)
    name = "runs/label_noise_0_4/seed-101/result.json"
    edit_json(paper / "manifest.json", "files", name, value=sha256_file(paper / name))


def swapped_figure(paper: Path) -> None:
    shutil.copy(paper / "figures/contrasts.pdf", paper / "figures/main.pdf")


def redrawn_figure(paper: Path) -> None:
    """The file, its hash in the manuscript and its hash in the manifest are changed together."""
    write_atomic(paper / "figures/main.pdf", (paper / "figures/main.pdf").read_bytes() + b"%\n")
    digest = sha256_file(paper / "figures/main.pdf")
    edit_json(paper / "manuscript.json", "figures", 0, "sha256", value=digest)
    edit_json(paper / "manifest.json", "files", "figures/main.pdf", value=digest)


def unknown_key(paper: Path) -> None:
    write_section(paper, "related", r"This was shown before \citep{nobody2031}.")


def invented_entry(paper: Path) -> None:
    """A key that is in references.bib, because somebody put it there, but that no source returned."""
    bib = (paper / "references.bib").read_text()
    write_atomic(paper / "references.bib", bib + "\n@misc{made2030,\n  title = {A work of fiction}\n}\n")
    write_section(paper, "related", r"This was shown before \citep{made2030}.")


def increase_where_it_fell(paper: Path) -> None:
    write_section(paper, "results", r"Label noise increases accuracy by \val{c.dose_0_4.keep.abs} points.")


def study_changed_after_the_runs(paper: Path) -> None:
    edit_json(paper / "study.json", "smallest_effect", value=0.001)


def study_changed_with_its_hashes(paper: Path) -> None:
    """Even when every record names the new study, the journal still has the frozen one."""
    edit_json(paper / "study.json", "alpha", value=0.2)
    digest = read_json(Study, paper / "study.json").digest()
    for name in ("facts.json", "analysis.json", "final.json", "manifest.json"):
        edit_json(paper / name, "study_sha256", value=digest)


def journal_line_changed(paper: Path) -> None:
    journal = paper.parents[1] / "journal.jsonl"
    lines = journal.read_text().splitlines()
    lines[0] = lines[0].replace(SLUG, "another-study")
    write_atomic(journal, "\n".join(lines) + "\n")


def journal_line_removed(paper: Path) -> None:
    journal = paper.parents[1] / "journal.jsonl"
    lines = journal.read_text().splitlines()
    write_atomic(journal, "\n".join([lines[0], *lines[2:]]) + "\n")


def edited_analysis(paper: Path) -> None:
    edit_json(paper / "analysis.json", "contrasts", 1, "p_holm", value=1e-9)


def edited_tex(paper: Path) -> None:
    tex = (paper / "paper.tex").read_text()
    write_atomic(paper / "paper.tex", tex.replace("Labels are made by people", "Labels are made by experts"))


def edited_pdf(paper: Path) -> None:
    write_atomic(paper / "paper.pdf", b"%PDF-1.5\nanother\n")


def no_pdf(paper: Path) -> None:
    (paper / "paper.pdf").unlink()


def twins(paper: Path) -> None:
    knobs = json.loads((paper / "study.json").read_text())["variants"][0]["knobs"]
    edit_json(paper / "study.json", "variants", 1, "knobs", value=knobs)


def run_of_other_knobs(paper: Path) -> None:
    edit_json(paper / "runs/label_noise_0_4/seed-101/result.json", "knobs", "label_noise", value=0.0)


def lost_run(paper: Path) -> None:
    (paper / "runs/label_noise_0_4/seed-102/result.json").unlink()


def no_limitations(paper: Path) -> None:
    manuscript = json.loads((paper / "manuscript.json").read_text())
    manuscript["sections"] = [s for s in manuscript["sections"] if s["id"] != "limitations"]
    write_atomic(paper / "manuscript.json", canonical_json(manuscript))


def figure_without_file(paper: Path) -> None:
    (paper / "figures/main.pdf").unlink()


FRAUDS: tuple[tuple[Callable[[Path], None], str], ...] = (
    (typed_decimal, "free-number"),
    (fact_of_another_run, "fact-provenance"),
    (mean_of_another_variant, "fact-provenance"),
    (fact_with_another_text, "fact-value"),
    (fact_with_another_value, "fact-value"),
    (edited_result, "result-changed"),
    (edited_result_and_manifest, "analysis-changed"),
    (swapped_figure, "figure-changed"),
    (swapped_figure, "figure-duplicate"),
    (redrawn_figure, "figure-changed"),
    (figure_without_file, "figure-missing"),
    (unknown_key, "unknown-citation"),
    (invented_entry, "unknown-citation"),
    (increase_where_it_fell, "direction"),
    (study_changed_after_the_runs, "study-changed"),
    (study_changed_with_its_hashes, "study-changed"),
    (journal_line_changed, "journal-broken"),
    (journal_line_removed, "journal-broken"),
    (edited_analysis, "analysis-changed"),
    (edited_tex, "tex-changed"),
    (edited_pdf, "artefact-changed"),
    (no_pdf, "pdf-missing"),
    (twins, "twin-variants"),
    (run_of_other_knobs, "result-changed"),
    (lost_run, "artefact-missing"),
    (no_limitations, "missing-section"),
)


@pytest.mark.parametrize(("fraud", "code"), FRAUDS, ids=lambda x: x if isinstance(x, str) else x.__name__)
def test_every_planted_fraud_is_caught_by_its_own_code(fraud: Callable[[Path], None], code: str, paper: Path) -> None:
    fraud(paper)
    rebuild = REBUILD if fraud is redrawn_figure else QUICK
    errors = [f for f in check(paper, rebuild).findings if f.severity == "error"]
    assert code in {f.code for f in errors}
    assert all("\n" not in f.message and f.message for f in errors)


@pytest.mark.parametrize(
    ("fraud", "code"),
    [
        (fact_of_another_run, "fact-provenance"),
        (mean_of_another_variant, "fact-provenance"),
        (edited_result, "result-changed"),
        (study_changed_after_the_runs, "study-changed"),
    ],
    ids=lambda x: x if isinstance(x, str) else x.__name__,
)
def test_what_is_caught_without_recomputing_anything(fraud: Callable[[Path], None], code: str, paper: Path) -> None:
    (paper / "manifest.json").unlink()
    fraud(paper)
    assert code in {f.code for f in run_audit(paper).findings}


# -- the text ------------------------------------------------------------------------------------------------------

TEXTS: tuple[tuple[str, str, str], ...] = (
    ("results", "We ran it three times and won by ten percent.", "free-number"),
    ("introduction", "Roughly 12.5 of them fail.", "free-number"),
    ("introduction", r"About 12\,\% fail.", "free-number"),
    ("introduction", r"It is \val{v.no_such.keep.accuracy.mean}.", "unknown-fact"),
    ("introduction", r"It is \calc{round(no.such / 2, 1)}{half}.", "unknown-fact"),
    ("introduction", r"It is \calc{c.dose_0_4.keep.abs / (study.n_seeds - study.n_seeds)}{nothing}.", "bad-expression"),
    ("introduction", r"See Figure~\ref{fig:nowhere}.", "undefined-ref"),
    ("introduction", r"\placetable{nowhere}", "undefined-ref"),
    ("introduction", r"\placefigure{main}", "placed-twice"),
    ("introduction", r"Lorem ipsum dolor sit amet.", "placeholder"),
    ("introduction", r"TODO: write this.", "placeholder"),
    ("introduction", r"As shown in Section~??.", "placeholder"),
    ("introduction", r"This is well known [citation needed].", "placeholder"),
    ("introduction", r"As an AI language model, we cannot say.", "placeholder"),
    ("introduction", r"Hidden \input{/etc/passwd} text.", "latex-unsafe"),
    ("introduction", r"A macro \val without its argument.", "latex-unsafe"),
)


@pytest.mark.parametrize(("section", "text", "code"), TEXTS)
def test_what_is_written_is_checked(section: str, text: str, code: str, paper: Path) -> None:
    write_section(paper, section, text)
    errors = [f for f in check(paper, None).findings if f.severity == "error"]
    assert code in {f.code for f in errors}
    assert any(f.where.startswith(f"section {section}") for f in errors if f.code == code) or code == "placed-twice"


def test_a_free_number_names_its_sentence(paper: Path) -> None:
    write_section(paper, "results", "First this. Then accuracy reached 97.2 at last. Then that.")
    (found,) = [f for f in check(paper, None).findings if f.code == "free-number"]
    assert "Then accuracy reached 97.2 at last." in found.where and "First" not in found.where


def test_a_small_whole_number_outside_the_results_is_only_a_warning(paper: Path) -> None:
    write_section(paper, "introduction", "There are 3 reasons.")
    (found,) = [f for f in check(paper, None).findings if f.code == "free-number"]
    assert found.severity == "warning"


def test_unused_things_are_told_apart_by_how_bad_they_are(paper: Path) -> None:
    bib = (paper / "references.bib").read_text().replace("student1908,\n", "student1908x,\n")
    write_atomic(paper / "references.bib", bib)
    manuscript = json.loads((paper / "manuscript.json").read_text())
    results = next(s for s in manuscript["sections"] if s["id"] == "results")
    results["paragraphs"] = [t.replace(r"Figure~\ref{fig:main}", "a figure") for t in results["paragraphs"]]
    results["paragraphs"] = [t for t in results["paragraphs"] if t != r"\placefigure{contrasts}"]
    write_atomic(paper / "manuscript.json", canonical_json(manuscript))
    write_atomic(paper / "figures/spare.pdf", b"%PDF-1.5\n")
    found = {f.code: f.severity for f in check(paper, None).findings}
    assert found["unused-label"] == found["figure-unused"] == "warning"
    assert found["unknown-citation"] == "error"


def test_a_listed_work_that_nobody_cites_is_a_note(paper: Path) -> None:
    manuscript = (paper / "manuscript.json").read_text().replace("student1908", "holm1979")
    write_atomic(paper / "manuscript.json", manuscript)
    found = [f for f in check(paper, None).findings if f.code == "unused-reference"]
    assert [f.severity for f in found] == ["note"]


def test_a_missing_or_broken_record_is_a_finding_and_no_exception(paper: Path) -> None:
    (paper / "facts.json").unlink()
    write_atomic(paper / "analysis.json", '{"schema_version": 1}')
    found = codes(paper)
    assert {"artefact-missing", "artefact-broken"} <= found


def test_an_interval_of_one_seed_is_refused(paper: Path) -> None:
    facts = read_json(Facts, paper / "facts.json")
    bent = tuple(
        f.model_copy(update={"value": 1, "text": "1"}) if f.id == "c.dose_0_4.keep.n" else f for f in facts.facts
    )
    write_atomic(paper / "facts.json", facts.model_copy(update={"facts": bent}).canonical())
    assert "interval-without-n" in codes(paper, None)


def test_negative_results_need_their_section_only_if_there_are_any(paper: Path) -> None:
    edit_json(paper / "analysis.json", "contrasts", 0, "verdict", value="inconclusive")
    messages = [f.message for f in check(paper, None).findings if f.code == "missing-section"]
    assert any("negative results" in message for message in messages)


def test_a_second_opening_of_final_is_noticed(paper: Path) -> None:
    Journal(paper.parents[1] / "journal.jsonl").append("final.opened", slug=SLUG)
    assert "final-reopened" in codes(paper)


def test_figures_are_not_redrawn_with_another_matplotlib(paper: Path) -> None:
    edit_json(paper / "manifest.json", "versions", "matplotlib", value="1.0.0")
    found = check(paper).findings
    assert "figure-unchecked" in {f.code for f in found if f.severity == "note"}


def test_a_rebuild_that_fails_is_an_error_and_no_crash(paper: Path) -> None:
    def broken(*_: Any) -> Any:
        raise ValueError("cannot")

    rebuild = Rebuild(template=TEMPLATE, analyse=broken, build_facts=broken, build_tex=broken, draw=broken)
    assert {"analysis-changed", "fact-provenance", "tex-changed", "figure-changed"} <= codes(paper, rebuild)


def test_every_code_is_documented() -> None:
    root = Path(__file__).parents[2]
    table = (root / "docs" / "audit.md").read_text()
    source = "".join(path.read_text() for path in sorted((root / "scientist" / "papers").glob("_audit_*.py")))
    found = set(re.findall(r'finding\(\s*(?:severity|"(?:error|warning|note)"),\s*"([a-z-]+)"', source))
    assert len(found) > 30 and {code for _, code in FRAUDS} <= found
    for code in found | {code for _, _, code in TEXTS}:
        assert f"`{code}`" in table, code


# -- claims --------------------------------------------------------------------------------------------------------


def said(text: str, maximize: bool = True) -> list[tuple[str, str, int]]:
    """contrast, word, sign of every claim that is neither doubted nor called small."""
    return [
        (claim.contrast, claim.word, claim.sign)
        for sentence in sentences(text)
        for claim in claims(sentence, maximize)
        if not claim.doubted and not claim.small
    ]


A, B = r"\val{c.a.keep.abs}", r"\val{c.b.keep.mean}"

ASSERTS: tuple[tuple[str, list[tuple[str, str, int]]], ...] = (
    (rf"Noise lowers accuracy by {A} points.", [("a", "lowers", -1)]),
    (rf"Raising the noise from none lowered accuracy by {A} points.", [("a", "lowered", -1)]),
    (rf"Noise changed it, lowering accuracy by {A} points.", [("a", "lowering", -1)]),
    (rf"As expected, accuracy fell by {A} points.", [("a", "fell", -1)]),
    (rf"Accuracy fell by {A} points and, at the lower level, by {B} points.", [("a", "fell", -1), ("b", "fell", -1)]),
    (rf"Accuracy fell by {A} points, but rose by {B} points elsewhere.", [("a", "fell", -1), ("b", "rose", 1)]),
    (rf"The difference was {A} points; accuracy improved.", [("a", "improved", 1)]),
    (rf"Accuracy was higher by {A} points.", [("a", "higher", 1)]),
    (rf"The error was reduced by {A} points.", [("a", "reduced", 1)]),
    (rf"Augmentation helped ({A} points).", [("a", "helped", 1)]),
    (rf"Depth changed the effect of noise by {A} points, from {B} to {B} points.", [("a", "changed", 0)]),
    (rf"Depth changed accuracy by {A} points and by {B} points.", [("a", "changed", 0), ("b", "changed", 0)]),
    (rf"The effect is significant ({A}).", [("a", "significant", 0)]),
    (r"Noise hurts: \calc{c.a.keep.abs / c.a.margin}{in margins} margins.", [("a", "hurts", -1)]),
    (r"\val{contrast.a.title} outperforms the rest.", [("a", "outperforms", 1)]),
)
SILENT = (
    rf"Noise did not lower accuracy; the difference was {A} points.",
    rf"There was no improvement ({A} points).",
    rf"There is no evidence that it helps ({A} points).",
    rf"Whether noise reduces accuracy the study cannot tell ({A}).",
    rf"We hypothesised that noise lowers accuracy; it was {A} points.",
    rf"It was expected that accuracy falls by {A} points.",
    rf"More seeds would have lowered the margin below {A} points.",
    rf"Does noise lower accuracy by {A} points?",
    rf"At the higher level the difference was {A} points.",
    rf"Raising the noise gave a difference of {A} points.",
    "Clean labels cost money, and noise lowers accuracy.",
    rf"Accuracy may have increased by {A} points.",
    rf"Accuracy rose by {A} points, an interval that includes zero.",
    rf"Accuracy fell by {A} points, too small to matter.",
    r"Accuracy fell by \val{c.a.keep.abs} points (\val{c.a.verdict}).",
    rf"It failed to improve accuracy ({A}).",
    rf"The interval's lower end is {A}.",
)


@pytest.mark.parametrize(("text", "expected"), ASSERTS)
def test_assertions_are_heard(text: str, expected: list[tuple[str, str, int]]) -> None:
    assert said(text) == expected


@pytest.mark.parametrize("text", SILENT)
def test_negations_doubts_questions_and_plans_claim_nothing(text: str) -> None:
    assert said(text) == []


def test_good_and_bad_follow_the_metric() -> None:
    assert said(rf"It improves by {A}.", maximize=False) == [("a", "improves", -1)]
    assert said(rf"It got worse by {A}.", maximize=False) == [("a", "worse", 1)]
    assert said(rf"The loss fell by {A}.", maximize=False) == [("a", "fell", -1)]


def test_macros_are_masked_in_place() -> None:
    (sentence,) = sentences(rf"By {A} \emph{{points}}.")
    assert masked(sentence) == "by ⟦1⟧ points."


def test_claims_follow_the_verdict(paper: Path) -> None:
    text = r"Label noise lowered accuracy by \val{c.dose_0_4.keep.abs} points."
    write_section(paper, "results", text)
    assert not codes(paper, None) & {"claim-unsupported", "direction"}
    for verdict, alarm in (
        ("inconclusive", True),
        ("equivalent", True),
        ("negligible", True),
        ("untested", True),
        ("contradicted", False),
    ):
        edit_json(paper / "analysis.json", "contrasts", 1, "verdict", value=verdict)
        assert ("claim-unsupported" in codes(paper, None)) is alarm, verdict


def test_a_claim_about_final_is_judged_by_final(paper: Path) -> None:
    edit_json(paper / "analysis.json", "contrasts", 1, "estimates", "final", "mean", value=0.02)
    write_section(paper, "results", r"On final, accuracy fell by \val{c.dose_0_4.final.abs} points.")
    found = [f.message for f in check(paper, None).findings if f.code == "direction"]
    assert any("final" in message for message in found)


def test_the_primary_contrast_has_to_be_told_first(paper: Path) -> None:
    text = (paper / "manuscript.json").read_text()
    manuscript = Manuscript.model_validate_json(text)
    hidden = manuscript.model_copy(update={"finding": "Something.", "abstract": "Something else happened here."})
    write_atomic(paper / "manuscript.json", hidden.canonical())
    assert "primary-unreported" in codes(paper, None)


@pytest.mark.parametrize("kind", sorted(DESIGNS))
@pytest.mark.parametrize("effect", [0.004, -0.03])
def test_the_heuristic_writer_raises_no_alarm_and_its_lies_would(
    kind: str, effect: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = itertools.count()  # real captions, but no time spent on pictures that nobody looks at
    monkeypatch.setattr("scientist.papers._figures_draw.to_pdf", lambda _: b"%%PDF-1.5 %d" % next(pictures))
    folder = write_paper(tmp_path, world(kind, effect=effect))
    assert [f for f in check(folder, QUICK).findings if f.severity != "note"] == []
    text = (folder / "manuscript.json").read_text()
    swapped = re.sub(
        r"\b(raised|lowered) accuracy", lambda m: {"raised": "lowered"}.get(m[1], "raised") + " accuracy", text
    )
    write_atomic(folder / "manuscript.json", swapped)
    assert ("direction" in codes(folder, None)) is (swapped != text)
    unsure = json.loads((folder / "analysis.json").read_text())
    for contrast in unsure["contrasts"]:
        contrast["verdict"] = "inconclusive"
    write_atomic(folder / "manuscript.json", text)
    write_atomic(folder / "analysis.json", canonical_json(unsure))
    assert ("claim-unsupported" in codes(folder, None)) is (swapped != text)


# -- small parts ---------------------------------------------------------------------------------------------------


def fact(value: Any, text: str, **more: Any) -> Fact:
    fields = {"id": "a.b", "kind": "derived", "title": "t", "file": "f", "pointer": "/x", "sha256": "", **more}
    return Fact.model_validate({"value": value, "text": text, **fields})


@pytest.mark.parametrize(
    ("value", "text", "good"),
    [
        (0.9345, "93.5", True),
        (0.9345, "93.4", True),  # halves go either way
        (0.934, "93.5", False),
        (-0.031, "-3.1", True),
        (-0.031, "3.1", False),
        (0.0004, "$<$0.001", True),
        (0.002, "$<$0.001", False),
        (1797, r"1\,797", True),
        (1798, r"1\,797", False),
        (0, "none", True),
        (0.5, "half of 1", False),
    ],
)
def test_a_text_has_to_print_its_value(value: float, text: str, good: bool) -> None:
    assert prints(fact(value, text)) is good


def test_pointers_follow_the_rfc_and_count_lists() -> None:
    document = {"a": [1, {"b/c": 2, "~": 3}], "n": {}}
    assert resolve(document, "/a/1/b~1c") == 2
    assert resolve(document, "/a/1/~0") == 3
    assert resolve(document, "/a/#") == 2
    assert resolve(document, "") is document
    for pointer in ("/x", "/a/9", "/a/-1", "/a/0/z"):
        with pytest.raises(LookupError):
            resolve(document, pointer)


def test_rebuild_is_called_with_what_it_needs(paper: Path) -> None:
    seen: list[str] = []

    def spy_tex(context: BuildContext) -> str:
        seen.append("tex")
        return build_tex(context)

    def spy_draw(folder: Path, *rest: Any) -> tuple[Figure, ...]:
        seen.append("draw" if folder != paper else "draw into the paper")
        return draw_figures(folder, *rest)

    def spy_analyse(study: Study, results: Any, final: Any) -> Analysis:
        seen.append(f"analyse {len(results)}")
        assert all(isinstance(r, RunResult) for r in results)
        return analyse(study, results, final)

    rebuild = Rebuild(TEMPLATE, spy_analyse, build_facts, spy_tex, spy_draw)
    assert codes(paper, rebuild) == set()
    assert sorted(set(seen)) == ["analyse 15", "draw", "tex"]
