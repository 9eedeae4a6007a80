"""The heuristic review: stated rules, monotone where they have to be, and every remark about something."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from designs import DESIGNS, TEMPLATE, world
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sample import SLUG, make_paper

from scientist.errors import RecordError
from scientist.experiments import Analysis
from scientist.ideas import Modification
from scientist.lab import read_json, write_atomic
from scientist.literature import Neighbour, Novelty
from scientist.papers import Audit, Facts, Finding, Manuscript, audit
from scientist.reviews import HeuristicReviewer, Review, Reviewer, render_review
from scientist.reviews._evidence import Evidence, Prose, measure
from scientist.reviews._heuristic import ACCEPT_AT, CEILING_WITH_ERRORS, judge, overall_score, quality
from scientist.reviews._rules import RULES, START, remarks

SCALES = ("originality", "quality", "clarity", "significance", "soundness", "presentation", "contribution")


def evidence(kind: str = "dose-response", effect: float = 0.03, seeds: int = 8, **changes: object) -> Evidence:
    """Evidence about a simulated study."""
    w = world(kind, effect=effect, seeds=seeds)
    novelty = Novelty(slug=w.study.slug, verdict="undecided", reason="no source answered", score=0.5)
    prose = Prose(limitations="one data set was used, with few seeds, and final was opened once")
    return replace(Evidence(w.template, w.idea, w.study, w.analysis, novelty, prose=prose), **changes)


def primary(e: Evidence, split: str = "keep", **changes: object) -> Evidence:
    """The same evidence with another result for the primary contrast."""
    contrasts = []
    for outcome in e.analysis.contrasts:
        if outcome.id == e.primary.id:
            whole = {k: v for k, v in changes.items() if k in ("verdict", "holds_on_final", "p_holm")}
            part = {k: v for k, v in changes.items() if k not in whole}
            estimate = outcome.estimates[split].model_copy(update=part)  # type: ignore[index]
            outcome = outcome.model_copy(update={**whole, "estimates": {**outcome.estimates, split: estimate}})
        contrasts.append(outcome)
    return replace(e, analysis=e.analysis.model_copy(update={"contrasts": tuple(contrasts)}))


def error(code: str = "free-number") -> Finding:
    return Finding(severity="error", code=code, where="section results", message="'93.4' was typed")


BASES = {kind: evidence(kind) for kind in sorted(DESIGNS)}
FINDINGS = st.lists(
    st.builds(
        Finding,
        severity=st.sampled_from(["error", "warning", "note"]),
        code=st.sampled_from(["free-number", "direction", "unused-label", "few-seeds", "figure-duplicate"]),
        where=st.sampled_from(["abstract", "section results"]),
        message=st.sampled_from(["one thing", "another thing"]),
    ),
    max_size=5,
).map(tuple)


# -- monotone ------------------------------------------------------------------------------------------------------


@given(st.sampled_from(sorted(BASES)), FINDINGS, st.sampled_from(["free-number", "direction", "fact-value"]))
def test_another_audit_error_never_helps(kind: str, before: tuple[Finding, ...], code: str) -> None:
    without = judge(replace(BASES[kind], findings=before))
    with_it = judge(replace(BASES[kind], findings=(*before, error(code))))
    assert with_it.overall <= without.overall
    assert with_it.overall <= CEILING_WITH_ERRORS and with_it.decision == "Reject"
    assert with_it.soundness <= without.soundness and with_it.soundness == 1
    assert all(getattr(with_it, scale) <= getattr(without, scale) for scale in SCALES)


WIDTHS = st.floats(0.0005, 0.08)


@given(st.sampled_from(sorted(BASES)), WIDTHS, WIDTHS)
def test_a_narrower_interval_never_lowers_quality_or_overall(kind: str, a: float, b: float) -> None:
    narrow, wide = sorted((a, b))
    mean = BASES[kind].keep.mean or 0.0
    of = {half: primary(BASES[kind], ci_low=mean - half, ci_high=mean + half) for half in (narrow, wide)}
    assert quality(of[narrow]) >= quality(of[wide])
    assert judge(of[narrow]).overall >= judge(of[wide]).overall


@given(st.sampled_from(sorted(BASES)))
def test_a_result_that_vanished_scores_less_than_one_that_holds(kind: str) -> None:
    base = primary(BASES[kind], verdict="supported")
    held, lost, unopened = (primary(base, holds_on_final=answer) for answer in (True, False, None))
    assert judge(lost).overall < judge(unopened).overall <= judge(held).overall
    assert judge(lost).soundness < judge(held).soundness
    assert "vanished" in {r.topic for r in judge(lost).weaknesses}


@given(st.sampled_from(sorted(BASES)))
def test_what_was_found_matters_less_than_that_it_was_found(kind: str) -> None:
    """A settled refutation scores as much as a settled confirmation, so that nobody gains by a safe hypothesis."""
    base = primary(BASES[kind], holds_on_final=True)
    refuted = judge(primary(base, verdict="contradicted"))
    confirmed = judge(primary(base, verdict="supported"))
    unsettled = judge(primary(base, verdict="inconclusive", holds_on_final=None))
    assert refuted.overall >= confirmed.overall > unsettled.overall
    assert refuted.soundness == confirmed.soundness > unsettled.soundness


@pytest.mark.parametrize("kind", sorted(BASES))
def test_novelty_is_ranked(kind: str) -> None:
    def scored(verdict: str) -> Review:
        novelty = Novelty.model_validate({"slug": "x", "verdict": verdict, "reason": "so", "score": 0.8})
        return judge(replace(BASES[kind], novelty=novelty))

    novel, close, known, undecided = map(scored, ("novel", "close", "known", "undecided"))
    assert novel.overall > close.overall > known.overall
    assert novel.originality > undecided.originality > known.originality
    assert undecided.confidence < novel.confidence  # nobody could look, so nobody can be sure


def test_a_huge_smallest_effect_buys_nothing() -> None:
    """Calling only huge effects worth caring about makes intervals look narrow; the task's own margin is used then."""
    e = evidence()
    study = e.study.model_copy(
        update={
            "smallest_effect": 0.2,
            "contrasts": tuple(c.model_copy(update={"smallest_effect": 0.2}) for c in e.study.contrasts),
        }
    )
    boasted = replace(e, study=study)
    assert judge(boasted).overall <= judge(e).overall
    assert quality(boasted) == quality(e)
    assert "margin" in {r.rule for r in judge(boasted).weaknesses}


def test_padding_the_text_buys_nothing() -> None:
    e = evidence()
    best = judge(e).overall
    for prose in (Prose(abstract=2000), Prose(sentence=70.0), Prose(abstract=0, floats=0), Prose(floats=40)):
        assert judge(replace(e, prose=prose)).overall <= best


def test_seeds_power_and_failures_cost() -> None:
    e = evidence()
    capped = e.study.pilot.model_copy(update={"capped": True, "needed": 40, "expected_power": 0.3})
    assert judge(replace(e, study=e.study.model_copy(update={"pilot": capped}))).overall < judge(e).overall
    failing = tuple(v.model_copy(update={"n_failed": 4, "n_ok": 4}) for v in e.analysis.variants)
    failed = judge(replace(e, analysis=e.analysis.model_copy(update={"variants": failing})))
    assert failed.overall < judge(e).overall and failed.quality < judge(e).quality
    assert "failures" in {r.topic for r in failed.weaknesses}
    assert judge(evidence(seeds=1)).overall <= 2


# -- the form ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(DESIGNS))
@pytest.mark.parametrize("effect", [0.03, 0.0, -0.03])
def test_overall_is_the_sum_of_its_remarks(kind: str, effect: float) -> None:
    e = evidence(kind, effect)
    review = judge(e)
    points = START + sum(r.weight for r in (*review.strengths, *review.weaknesses, *review.questions))
    assert review.overall == overall_score(e, points)
    assert (review.decision == "Accept") is (review.overall >= ACCEPT_AT)
    assert all(r.weight > 0 for r in review.strengths)
    assert all(r.weight <= 0 for r in review.weaknesses)
    assert [r.weight for r in review.weaknesses] == sorted(r.weight for r in review.weaknesses)


@pytest.mark.parametrize("kind", sorted(DESIGNS))
def test_every_remark_is_about_something(kind: str) -> None:
    e = evidence(kind, 0.0)
    known = {f"contrast {c.id}" for c in e.study.contrasts} | {f"variant {v.name}" for v in e.study.variants}
    for said in remarks(e):
        place = said.remark.where.split(",")[0]
        assert place in known or re.match(r"(section|figure|abstract|audit|study\.json|novelty\.json|whole)", place), (
            place
        )
        assert not said.remark.text[0].islower() and said.remark.text.rstrip()[-1] in ".?"
    review = judge(e)
    about_results = [r for r in (*review.strengths, *review.weaknesses) if r.where.startswith("contrast")]
    assert any(re.search(r"\d", r.text) for r in about_results)
    assert e.primary.title in " ".join(r.text for r in (*review.weaknesses, *review.strengths))


def test_rules_are_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "reviews.md").read_text()
    for rule in RULES:
        assert rule.__doc__
    named = {said.remark.rule for kind in BASES for said in remarks(replace(BASES[kind], findings=(error(),)))}
    for rule in named:
        assert f"`{rule}`" in text, rule


def test_questions_follow_from_what_is_open() -> None:
    review = judge(primary(evidence(), verdict="inconclusive", holds_on_final=None))
    assert any("How many seeds" in q.text for q in review.questions)
    review = judge(primary(evidence(), verdict="contradicted"))
    assert any("mechanism" in q.text for q in review.questions)


def test_ethics_and_limitations_speak_of_this_paper() -> None:
    assert "Breast Cancer Wisconsin" in judge(evidence("transfer")).ethical_concerns
    assert "Digits" in judge(evidence()).limitations
    silent = judge(replace(evidence(), prose=Prose(limitations="nothing much", disclosed=False)))
    assert "does not disclose" in silent.ethical_concerns
    assert "limitations" in {r.rule for r in silent.weaknesses}


def test_close_work_is_named() -> None:
    near = Neighbour(kind="work", key="x2020", title="The same thing before", similarity=0.91)
    novelty = Novelty(slug="x", verdict="known", reason="it was done", score=0.1, neighbours=(near,))
    texts = [r.text for r in judge(replace(evidence(), novelty=novelty)).weaknesses]
    assert any("The same thing before" in text and "0.91" in text for text in texts)


# -- from files ----------------------------------------------------------------------------------------------------


def reviewed(paper: Path) -> Review:
    reviewer: Reviewer = HeuristicReviewer()
    return reviewer.review(paper, TEMPLATE)


def test_a_paper_is_reviewed_from_its_files(tmp_path: Path) -> None:
    make_paper(tmp_path)
    with pytest.raises(RecordError, match=r"audit\.json"):
        reviewed(tmp_path)
    write_atomic(tmp_path / "audit.json", audit(tmp_path).canonical())
    review = reviewed(tmp_path)
    assert review.slug == SLUG and review.reviewer == "heuristic"
    assert review.canonical() == reviewed(tmp_path).canonical()
    assert review.decision == "Reject"  # there is no PDF, which is an audit error
    assert "fell by" in review.summary and r"\val" not in review.summary
    write_atomic(tmp_path / "audit.json", Audit(slug=SLUG).canonical())
    better = reviewed(tmp_path)
    assert better.overall > review.overall
    analysis = read_json(Analysis, tmp_path / "analysis.json")
    low = analysis.contrast("dose_0_4").estimates["keep"].ci_low
    assert low is not None and f"{100 * low:.1f}" in " ".join(r.text for r in better.strengths)


def test_the_text_is_measured_as_it_is_read(tmp_path: Path) -> None:
    make_paper(tmp_path)
    manuscript, facts = read_json(Manuscript, tmp_path / "manuscript.json"), read_json(Facts, tmp_path / "facts.json")
    prose = measure(manuscript, facts)
    assert 80 <= prose.abstract <= 300
    assert 8 < prose.sentence < 30 and prose.longest <= 80
    assert prose.floats == 3 and prose.disclosed and "one data set" in prose.limitations
    long = manuscript.sections[0].model_copy(update={"paragraphs": (" ".join(["word"] * 90) + ".",)})
    worse = measure(manuscript.model_copy(update={"sections": (long, *manuscript.sections[1:])}), facts)
    assert worse.longest == 90 and worse.longest_where == "section introduction, paragraph 1"
    # A sentence that begins with the authors of a work begins anew.
    cited = long.model_copy(update={"paragraphs": (r"\citet{ann2001} " + " ".join(["word"] * 40) + ". ",)})
    twice = cited.model_copy(update={"paragraphs": (cited.paragraphs[0] * 3,)})
    assert measure(manuscript.model_copy(update={"sections": (twice,)}), facts).longest == 41


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=5)
@given(st.sampled_from(sorted(BASES)))
def test_rendered_reviews_tell_everything(kind: str) -> None:
    review = judge(BASES[kind])
    text = render_review(review)
    for part in (*review.strengths, *review.weaknesses, *review.questions):
        assert part.text in text and part.where in text
    for word in (
        "Summary",
        "Limitations",
        "Ethical concerns",
        "Soundness",
        "Contribution",
        "Confidence",
        review.decision,
    ):
        assert word in text


def test_a_change_of_the_code_is_called_by_its_name() -> None:
    base = primary(BASES["comparison"], verdict="supported")
    design = Modification(name="warm restarts", change="In train, start again from the best weights every ten steps.")
    said = " ".join(r.remark.text for r in remarks(replace(base, idea=base.idea.model_copy(update={"design": design}))))
    assert "The effect of the change “warm restarts” was seen under one set of conditions" in said
    assert "What the change “warm restarts” does elsewhere is not known." in said and "  " not in said
