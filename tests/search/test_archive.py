"""The archive, read back from studies that were really compiled and analysed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scientist.experiments import Pilot, RunResult, Study, analyse, compile_design
from scientist.ideas import Comparison, Design, DoseResponse, Idea, Interaction, Transfer, Tuning
from scientist.lab import write_atomic
from scientist.search import Archive
from scientist.template import load_template

DIGITS = load_template(Path(__file__).resolve().parents[2] / "templates" / "digits")
SEEDS = tuple(range(1, 9))


def write_paper(papers: Path, slug: str, design: Design, score: dict[str, float], **more: Any) -> None:
    """A finished paper: every variant scores what `score` says (0.5 if it does not), plus noise that seeds share."""
    idea = Idea(
        slug=slug,
        title="A title that says it",
        template="digits",
        question="Does it make a difference?",
        hypothesis="It makes a difference of a point.",
        expect=more.pop("expect", "greater"),
        smallest_effect=0.01,
        why="Somebody would like to know, for some reason.",
        design=design,
        settings=more.pop("settings", {}),
    )
    variants, contrasts = compile_design(idea, DIGITS)
    pilot = Pilot(seeds=(1,), sd={}, sd_upper={}, needed=8, capped=False, expected_power=0.8)
    study = Study(
        slug=slug,
        template="digits",
        template_sha256="0",
        idea_sha256="0",
        metric="accuracy",
        direction="maximize",
        alpha=0.05,
        power=0.8,
        smallest_effect=0.01,
        variants=variants,
        contrasts=contrasts,
        seeds=SEEDS,
        pilot=pilot,
        data={name: {"classes": 3} for name in ("digits", "wine", "diabetes", "breast_cancer")},
    )
    results = []
    for variant in variants:
        for seed in SEEDS:
            failed = (variant.name, seed) in more.get("failed", ())
            value = score.get(variant.name, 0.5) + 0.001 * seed + (0.0002 * seed if variant.role == "treatment" else 0)
            metrics = {} if failed else {split: {"accuracy": value} for split in ("search", "keep")}
            results.append(
                RunResult(
                    variant=variant.name,
                    seed=seed,
                    key="k",
                    knobs=variant.knobs,
                    status="failed" if failed else "ok",
                    metrics=metrics,
                )
            )
    write_atomic(papers / slug / "study.json", study.canonical())
    write_atomic(papers / slug / "analysis.json", analyse(study, results).canonical())


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("papers")
    noise = {"label_noise_0": 0.9, "label_noise_0_4": 0.6}
    write_paper(folder, "dose", DoseResponse(knob="label_noise", levels=(0.0, 0.4)), noise, expect="less")
    wine = {"dataset": "wine"}
    pair = Comparison(knob="model", choices=("knn", "lda"), reference="knn")
    write_paper(folder, "pair", pair, {"model_lda": 0.8}, settings=wine, failed=[("model_knn", 1)])
    cross = Interaction(first="augment", first_values=(0, 4), second="label_noise", second_values=(0.0, 0.4))
    write_paper(folder, "cross", cross, {"augment_4_label_noise_0_4": 0.7})
    write_paper(folder, "moved", Transfer(treatment={"scaling": "none"}, values=("digits", "wine", "diabetes")), {})
    write_paper(folder, "tuned", Tuning(knobs=("regularisation",), trials=3), {"tuned_tpe": 0.95})
    return folder


def test_effects_say_what_changed_where_and_how_it_ended(papers: Path) -> None:
    archive = Archive.load(papers)
    assert archive.skipped == ()
    (dose,) = archive.effects(paper="dose")
    (change,) = dose.changes
    assert (change.knob, change.start, change.to) == ("label_noise", 0.0, 0.4)
    assert (dose.dataset, dose.metric, dose.n, dose.primary, dose.verdict) == (
        "digits",
        "accuracy",
        8,
        True,
        "supported",
    )
    assert dose.mean == pytest.approx(-0.3 + 0.0002 * 4.5)
    assert dose.ci_low is not None and dose.ci_low < dose.mean < dose.ci_high
    assert dose.claimed and dose.holds_on_final is None
    (pair,) = archive.effects(paper="pair")
    assert pair.datasets == ("wine",) and pair.n == 7
    assert [(c.knob, c.start, c.to) for c in pair.changes] == [("model", "knn", "lda")]


def test_interactions_transfers_and_tuners(papers: Path) -> None:
    archive = Archive.load(papers)
    cross = {effect.contrast: effect for effect in archive.effects(paper="cross")}
    both = {(c.knob, c.start, c.to) for c in cross["interaction"].changes}
    assert both == {("label_noise", 0.0, 0.4), ("augment", 0, 4)}
    assert cross["interaction"].kind == "interaction"
    assert [c.knob for c in cross["at_high"].changes] == ["augment"]
    mean = next(effect for effect in archive.effects(paper="moved") if effect.primary)
    assert mean.datasets and set(mean.datasets) == {"wine", "diabetes"}
    assert [(c.knob, c.start, c.to) for c in mean.changes] == [("scaling", "standard", "none")], "not the data sets"
    gain = next(effect for effect in archive.effects(paper="tuned") if effect.primary)
    assert [(c.knob, c.start, c.to) for c in gain.changes] == [("regularisation", 1.0, "tuned by tpe")]
    assert all(effect.changes for effect in archive.findings)


def test_queries(papers: Path) -> None:
    archive = Archive.load(papers)
    assert archive.tried("label_noise") and archive.tried("label_noise", "digits")
    assert not archive.tried("label_noise", "wine")
    assert not archive.tried("width")
    assert archive.tried("scaling", "diabetes")
    (best,) = archive.best("accuracy")
    assert (best.paper, best.variant, best.tuned) == ("tuned", "tuned_tpe", ("regularisation",))
    (worst,) = archive.best("accuracy", maximize=False, dataset="wine")
    assert worst.dataset == "wine"
    assert archive.best("accuracy", split="final") == ()
    assert [node.variant for node in archive.best("accuracy", dataset="wine", count=1)] == ["model_lda"]
    assert archive.of("elsewhere").nodes == () and archive.of("digits") == archive


def test_nodes_keep_means_counts_and_how_they_ended(papers: Path) -> None:
    nodes = {(node.paper, node.variant): node for node in Archive.load(papers).nodes}
    knn = nodes["pair", "model_knn"]
    assert knn.status == "partial"
    mean, n = knn.metrics["keep"]["accuracy"]
    assert n == 7 and mean == pytest.approx(0.505)
    assert nodes["dose", "label_noise_0"].status == "ok"


def test_unfinished_and_unreadable_papers_are_skipped_with_a_line(papers: Path, tmp_path: Path) -> None:
    write_paper(tmp_path, "good", DoseResponse(knob="bagging", levels=(1, 3)), {})
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "study.json").write_text("{}")
    for slug, text in (("torn", '{"schema_version": 1'), ("alien", None)):
        (tmp_path / slug).mkdir()
        (tmp_path / slug / "study.json").write_bytes((tmp_path / "good" / "study.json").read_bytes())
        (tmp_path / slug / "analysis.json").write_text(text or (papers / "pair" / "analysis.json").read_text())
    (tmp_path / "orphan").mkdir()
    (tmp_path / "orphan" / "analysis.json").write_bytes((tmp_path / "good" / "analysis.json").read_bytes())
    archive = Archive.load(tmp_path)
    assert {node.paper for node in archive.nodes} == {"good"}
    assert {effect.paper for effect in archive.findings} == {"good"}
    lines = "\n".join(archive.skipped)
    assert len(archive.skipped) == 3
    assert all(name in lines for name in ("torn", "alien", "orphan")) and "begun" not in lines
    assert Archive.load(tmp_path / "nowhere") == Archive()


def test_a_study_edited_by_hand_does_not_stop_the_rest(tmp_path: Path) -> None:
    write_paper(tmp_path, "good", DoseResponse(knob="bagging", levels=(1, 3)), {})
    write_paper(tmp_path, "bent", DoseResponse(knob="bagging", levels=(1, 10)), {})
    study = json.loads((tmp_path / "bent" / "study.json").read_text())
    study["contrasts"][0]["weights"] = {"nobody": 1.0}
    (tmp_path / "bent" / "study.json").write_text(json.dumps(study))
    archive = Archive.load(tmp_path)
    assert {effect.paper for effect in archive.findings} == {"good"}
    assert "bent" in archive.skipped[0]
    assert {node.paper for node in archive.nodes} == {"good"}, "a paper is taken whole or not at all"
