"""Papers about studies that are not ordinary: each says plainly what it is, and the audit finds nothing in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from designs import World, world
from kinds import KEEP_ONLY, STRANGER, baseline, kind_world
from written import write_paper

from scientist.experiments import Usage, analyse
from scientist.lab import read_json
from scientist.papers import (
    Facts,
    Manifest,
    Manuscript,
    Rebuild,
    audit,
    build_facts,
    build_tex,
    draw_figures,
    keep_baseline,
    load_context,
    plain,
    read_usages,
    trace,
)
from scientist.papers._trace import _Tracer
from scientist.template import SPLITS, Template

THREE_SPLITS = Template.model_validate({**KEEP_ONLY.model_dump(), "splits": SPLITS})


def known(best: float, **more: Any) -> dict[str, Any]:
    return {
        "six": {
            "name": "six",
            "title": "six points",
            "size": 6,
            "best_known": best,
            "best_known_by": "A. Person, by hand",
            **more,
        }
    }


KINDS: dict[str, Callable[[], World]] = {
    "ordinary": lambda: world("dose-response"),
    "nothing held out": kind_world,
    "reproduction": lambda: kind_world(spread=0.0, data=known(0.6)),
    "optimum": lambda: kind_world(spread=0.0, data=known(0.6, bound=0.6)),
    "spoken": lambda: kind_world(spread=0.0, data=known(0.6, known_steps=42.0)),
    "short": lambda: kind_world(data=known(0.7)),
    "one contrast": lambda: kind_world(
        texts={"design": {"kind": "dose-response", "knob": "step", "levels": [0.1, 0.4]}}
    ),
    "record": lambda: kind_world(data=known(0.55)),
    "self-reported": lambda: kind_world(STRANGER, data={}, curves=True, came_with=baseline(), expect="less"),
    "repetitions": lambda: kind_world(STRANGER, data={}, seeded=False, expect="less"),
    "no spread": lambda: kind_world(STRANGER, data={}, seeded=False, spread=0.0, expect="less"),
    "stopped": lambda: kind_world(THREE_SPLITS, look=6, seeds=12, effect=-0.02),
    "looked at": lambda: kind_world(THREE_SPLITS, look=6, seeds=12),
    "failures": lambda: kind_world(ends={(0, 0): "timeout", (1, 2): "invalid", (2, 3): "invalid"}),
}


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[World, Path]]:
    """kind -> its world and its paper, each written once."""
    root = tmp_path_factory.mktemp("kinds")

    @cache
    def paper(kind: str) -> tuple[World, Path]:
        made = KINDS[kind]()
        return made, write_paper(root / kind.replace(" ", "-"), made)

    return paper


Papers = Callable[[str], tuple[World, Path]]


def rebuilt(w: World) -> Rebuild:
    return Rebuild(w.template, analyse, build_facts, build_tex, draw_figures)


def words(paper: Path, section: str = "") -> str:
    """What a reader reads: the whole manuscript, or one section of it."""
    manuscript, facts = read_json(Manuscript, paper / "manuscript.json"), read_json(Facts, paper / "facts.json")
    parts = [text for s in manuscript.sections if section in ("", s.id) for text in s.paragraphs]
    if not section:
        parts += [manuscript.title, manuscript.abstract, *(t.caption for t in manuscript.tables)]
        parts += [figure.caption for figure in manuscript.figures]
        parts += [cell for table in manuscript.tables for row in (table.header, *table.rows) for cell in row]
    return " ".join(plain(text, facts) for text in parts)


def abstract(paper: Path) -> str:
    manuscript = read_json(Manuscript, paper / "manuscript.json")
    return plain(manuscript.abstract, read_json(Facts, paper / "facts.json"))


@pytest.mark.parametrize("kind", KINDS)
def test_the_audit_finds_nothing(papers: Papers, kind: str) -> None:
    w, paper = papers(kind)
    found = audit(paper, rebuild=rebuilt(w), lab=paper.parents[1])
    assert [(f.code, f.where, f.message) for f in found.findings if f.severity != "note"] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_fact_can_be_traced(papers: Papers, kind: str) -> None:
    _, paper = papers(kind)
    tracer = _Tracer(paper, load_context(paper))
    for fact_id, fact in read_json(Facts, paper / "facts.json").by_id().items():
        found = tracer.fact(fact_id, fact)
        assert found.agrees and found.intact, fact_id


@pytest.mark.parametrize("kind", [k for k in KINDS if k not in ("ordinary", "stopped", "looked at")])
def test_nothing_is_said_about_a_split_that_is_not_there(papers: Papers, kind: str) -> None:
    _, paper = papers(kind)
    assert "nothing was confirmed on fresh data" in abstract(paper)
    assert "Nothing was held out" in words(paper, "limitations")
    tex = build_tex_of(paper)
    for split in SPLITS:
        assert rf"\emph{{{split}}}" not in tex.replace(r"Verdicts are decided on \emph{keep}", "")
    assert "final.json" not in tex and " final" not in words(paper) and "splits" not in words(paper)
    headers = [cell for table in read_json(Manuscript, paper / "manuscript.json").tables for cell in table.header]
    assert not set(headers) & {*SPLITS, "holds"}


def build_tex_of(paper: Path) -> str:
    return (paper / "paper.tex").read_text()


def test_an_ordinary_paper_says_none_of_it(papers: Papers) -> None:
    text = words(papers("ordinary")[1])
    for phrase in ("self-reported", "repetition", "fresh data", "stopped early", "known value", "futile"):
        assert phrase not in text, phrase


def test_self_reported_metrics_are_marked_wherever_they_stand(papers: Papers) -> None:
    _, paper = papers("self-reported")
    manuscript = read_json(Manuscript, paper / "manuscript.json")
    captions = [t.caption for t in manuscript.tables] + [f.caption for f in manuscript.figures]
    assert len(captions) >= 6 and all("self-reported" in caption for caption in captions)
    assert "self-reported by the experiment's own code" in abstract(paper)
    assert "sealed" not in words(paper) and "scored by" not in words(paper)
    facts = read_json(Facts, paper / "facts.json")
    measured = [fact for fact in facts.facts if fact.id.startswith("run.")]
    assert measured and {fact.kind for fact in measured} == {"self-reported"}
    assert all("(self-reported)" in fact.title for fact in facts.facts if fact.id.startswith(("run.", "v.")))
    assert "self-reported by experiment.py" in trace(paper, measured[0].id)[0].formula
    assert "self-reported" in trace(paper, "v.lr_0_1.keep.val_loss.mean")[0].formula
    assert trace(paper, "lr_0_1/seed-11")[0].runs[0].tree == "0" * 64
    assert read_json(Manifest, paper / "manifest.json").judging == "self-reported"


def test_reported_standard_errors_are_set_beside_recomputed_ones(papers: Papers) -> None:
    _, paper = papers("self-reported")
    facts = read_json(Facts, paper / "facts.json").by_id()
    values = json.loads(baseline())["toy"]["final_info_dict"]["val_loss"]
    mean = sum(values) / 3
    right = (sum((v - mean) ** 2 for v in values) / 2) ** 0.5 / 3**0.5
    assert facts["reported.val_loss.recomputed"].value == pytest.approx(right)
    assert facts["reported.val_loss.stderr"].value == pytest.approx(right * (2 / 3) ** 0.5 / 3**0.5)
    assert facts["reported.val_loss.n"].value == 3
    assert facts["reported.val_loss.stderr"].file == "baseline/final_info.json"
    said = words(paper, "baseline")
    assert "differ for one metric" in said and "(0.47)" in said and "too short" in said
    table = words(paper)
    assert "s.d. with divisor n, over n" in table and "the same" in table


def test_the_copy_of_what_a_template_came_with_is_kept(tmp_path: Path) -> None:
    template = STRANGER.model_copy(update={"root": tmp_path / "t"})
    assert not keep_baseline(tmp_path / "paper", template)
    (tmp_path / "t" / "run_0").mkdir(parents=True)
    (tmp_path / "t" / "run_0" / "final_info.json").write_bytes(baseline())
    assert not keep_baseline(tmp_path / "paper", KEEP_ONLY.model_copy(update={"root": tmp_path / "t"}))
    assert keep_baseline(tmp_path / "paper", template)
    assert (tmp_path / "paper/baseline/final_info.json").read_bytes() == baseline()


def test_repetitions_are_called_repetitions(papers: Papers) -> None:
    _, paper = papers("repetitions")
    text = words(paper)
    assert "the pairs are arbitrary" in text and "cannot be reproduced exactly" in text
    assert "paired by repetition" in text and "8 repetitions each" in abstract(paper)
    assert set(re.findall(r"\b\w+ \w+ seeds?\b", text)) <= {"script takes no seed", "takes no seed"}
    assert r"(all 8 repetitions)" in build_tex_of(paper) and "Seeds: " not in build_tex_of(paper)


def test_a_script_that_never_varies_gets_no_interval_and_no_test(papers: Papers) -> None:
    _, paper = papers("no spread")
    text = words(paper)
    assert "the same number every time" in abstract(paper)
    assert "one number without an interval" in text and "interval 0" not in text and "sign-flip" not in text
    facts = read_json(Facts, paper / "facts.json").by_id()
    tested = [f for f in facts if f.startswith("c.") or ".val_loss." in f]
    assert tested and not [
        f for f in tested if f.rpartition(".")[2] in ("ci_low", "ci_high", "sd", "p", "p_holm", "dz")
    ]
    assert "reproduced exactly, because" not in text and "gives other numbers" not in text


def test_a_sealed_score_that_never_varies_gets_the_exact_test(papers: Papers) -> None:
    text = words(papers("reproduction")[1])
    assert "exact sign-flip test: 0.016" in text and "hence no interval" in text
    assert "[0.6" not in text and "lies beyond" not in text


@pytest.mark.parametrize(
    ("kind", "said", "unsaid"),
    [
        ("reproduction", "This is a reproduction of a known value.", "optimum"),
        ("optimum", "reaches the proven optimum. This is a reproduction of a known value.", "falls short"),
        ("short", "falls short of the best known value by", "reproduction"),
        ("record", "a reason to look for newer records, not a claim of novelty", "reproduction"),
    ],
)
def test_what_is_known_is_said_in_the_abstract(papers: Papers, kind: str, said: str, unsaid: str) -> None:
    _, paper = papers(kind)
    assert said in abstract(paper) and unsaid not in abstract(paper)
    results = words(paper, "results")
    assert "A. Person, by hand" in results and "selected after the fact" in results
    manuscript = read_json(Manuscript, paper / "manuscript.json")
    assert said in plain(manuscript.finding, read_json(Facts, paper / "facts.json"))


def test_a_known_value_is_said_in_the_units_in_which_people_speak_of_it(papers: Papers) -> None:
    _, paper = papers("spoken")
    facts = read_json(Facts, paper / "facts.json").by_id()
    assert facts["data.six.known_steps"].text == "42" and facts["data.six.known_steps"].value == 42.0
    steps = facts["best.six.steps"].text
    assert f"The best of 24 runs (steps {steps}) equals the best known value. This is a reproduction" in abstract(paper)
    results = words(paper, "results")
    assert "The best known steps on six points is 42 (A. Person, by hand)." in results
    assert f"reached {steps}, with step size 0.4 (smallest distance 0.6)" in results
    table = next(t for t in read_json(Manuscript, paper / "manuscript.json").tables if t.id == "data")
    assert table.header == ("problem", "size", "best known steps"), "the value in units of the objective is left out"
    plainly = next(t for t in read_json(Manuscript, papers("short")[1] / "manuscript.json").tables if t.id == "data")
    assert plainly.header == ("problem", "size", "best known")


def test_the_best_run_is_the_fact_and_its_provenance(papers: Papers) -> None:
    w, paper = papers("short")
    fact = read_json(Facts, paper / "facts.json").by_id()["best.six.distance"]
    values = {f"{r.variant}/seed-{r.seed}": r.metrics["keep"]["distance"] for r in w.results}
    assert fact.kind == "selected" and fact.n == 24 and fact.value == max(values.values())
    assert fact.runs == (max(values, key=lambda run: values[run]),) and fact.file == f"runs/{fact.runs[0]}/result.json"
    assert "best of the runs" in trace(paper, fact.id)[0].formula


def test_what_was_stopped_is_named_and_claims_nothing(papers: Papers) -> None:
    w, paper = papers("stopped")
    facts = read_json(Facts, paper / "facts.json").by_id()
    assert w.analysis.n_stopped == facts["study.n_stopped"].value == 18 and facts["study.look"].value == 6
    assert facts["study.n_failed"].value == 0 and facts["study.valid_share"].value == 1.0
    assert {c.verdict for c in w.analysis.contrasts} == {"futile"}
    assert "nothing is claimed" in abstract(paper)
    assert "97.50 % interval there lies wholly below" in words(paper, "method")
    results = words(paper, "results")
    assert "All 18 runs that were begun gave a result." in results and "18 runs were never begun" in results
    assert "failed" not in words(paper, "negative") and "Stopped early" in words(paper, "negative")
    assert "never begun" in build_tex_of(paper)


def test_a_look_that_stopped_nothing_is_reported(papers: Papers) -> None:
    assert "no contrast was futile" in words(papers("looked at")[1], "results")


def test_the_share_of_valid_results_is_reported_with_every_ending(papers: Papers) -> None:
    _, paper = papers("failures")
    facts = read_json(Facts, paper / "facts.json").by_id()
    assert facts["study.valid_share"].value == 21 / 24 and facts["study.status.invalid"].value == 2
    assert (
        "21 (87.5 %) ended in a valid result; of the others, 2 left something that is not valid and 1 ran out of time"
        in (words(paper, "results"))
    )


def test_the_share_of_valid_results_is_reported_when_all_are(papers: Papers) -> None:
    for kind in ("ordinary", "nothing held out"):
        assert "declared runs ended in a valid result (100.0 %)." in words(papers(kind)[1], "results")


def test_a_single_contrast_is_not_called_several(papers: Papers) -> None:
    _, paper = papers("one contrast")
    text = words(paper)
    assert "1 contrasts" not in text and "8 seeds each and 1 contrast was declared" in text
    assert "Holm's method has nothing to correct" in text and "there is nothing to adjust it for" in text
    assert "The 2 contrasts form one family" in words(papers("nothing held out")[1], "method")


def test_curves_are_drawn_from_the_runs_and_marked(papers: Papers) -> None:
    w, paper = papers("self-reported")
    facts = read_json(Facts, paper / "facts.json").by_id()
    assert facts["curve.series"].value == "val_loss" and facts["curve.lr_0_2.n"].value == 7
    manuscript = read_json(Manuscript, paper / "manuscript.json")
    assert [figure.id for figure in manuscript.figures] == ["main", "contrasts", "curves"]
    again = draw_figures(paper, w.template, w.idea, w.study, w.analysis, w.final, w.results)
    assert again == manuscript.figures
    assert "runs/lr_0_1/seed-11/curve.jsonl" in read_json(Manifest, paper / "manifest.json").files


def usage(**more: Any) -> Usage:
    return Usage.model_validate({"wall_s": 1, "cpu_s": 1, "max_rss_mb": 1, "sandbox": "bubblewrap", **more})


def test_where_runs_were_executed_is_said_exactly(tmp_path: Path) -> None:
    usages = (usage(node="a", judged=2), usage(node="b", resumed=True), usage(node="b", resumed=True))
    gaps = ("it shares the kernel & the clock", "it could use 100% of {one} core")
    w = kind_world()
    paper = write_paper(tmp_path / "far", w, sandbox="landlock", gaps=gaps, executor="ray", usages=usages)
    said = words(paper, "reproducibility")
    assert "isolated by landlock" in said and "executed through ray on two machines" in said
    assert f"What that does not cover: {'; '.join(gaps)}." in said
    assert "One run was judged a second time" in said and "Two runs continued from a checkpoint" in said
    manifest = read_json(Manifest, paper / "manifest.json")
    assert (manifest.executor, manifest.nodes) == ("ray", ("a", "b"))
    assert (manifest.judged_twice, manifest.resumed, manifest.sandbox_gaps) == (1, 2, gaps)
    near = write_paper(tmp_path / "near", w, gaps=gaps[:1])
    assert gaps[0] in words(near, "reproducibility") and "executed" not in words(near, "reproducibility")
    same = ("facts.json", "analysis.json", "study.json")
    assert all((near / name).read_bytes() == (paper / name).read_bytes() for name in same)
    assert read_usages(near) == ()
