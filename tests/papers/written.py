"""A paper by the heuristic writer about a simulated study, with everything but the PDF's contents."""

from __future__ import annotations

from pathlib import Path

from designs import World

from scientist.experiments import Usage
from scientist.experiments._curves import render_curve
from scientist.ideas import render_idea
from scientist.lab import Journal, sha256_file, write_atomic
from scientist.literature import Novelty, Reference, packaged_library, to_bibtex
from scientist.papers import (
    HeuristicWriter,
    Manuscript,
    Material,
    Writer,
    build_facts,
    build_tex,
    draw_figures,
    load_context,
    make_manifest,
)


def write_paper(
    lab: Path,
    w: World,
    *,
    sandbox: str = "bubblewrap",
    gaps: tuple[str, ...] = (),
    executor: str = "local",
    usages: tuple[Usage, ...] = (),
    pdf: bytes = b"%PDF-1.5\n",
    writer: Writer | None = None,
) -> Path:
    """Write the whole paper and its journal; returns its folder. `usages` are those of the first runs."""
    material = make_material(lab, w, sandbox=sandbox, gaps=gaps, executor=executor, usages=usages)
    return finish_paper(lab, w, material, (writer or HeuristicWriter()).write(material), pdf=pdf)


def make_material(
    lab: Path,
    w: World,
    *,
    sandbox: str = "bubblewrap",
    gaps: tuple[str, ...] = (),
    executor: str = "local",
    usages: tuple[Usage, ...] = (),
    more: tuple[Reference, ...] = (),
) -> Material:
    """Everything up to the writing, and what the writer gets. `more` works were returned by a source."""
    paper = lab / "papers" / w.study.slug
    references = (*packaged_library().references[:6], *more)
    novelty = Novelty(slug=w.study.slug, verdict="undecided", reason="no network", score=0.5, references=references)
    write_atomic(paper / "idea.md", render_idea(w.idea))
    write_atomic(paper / "study.json", w.study.canonical())
    write_atomic(paper / "analysis.json", w.analysis.canonical())
    write_atomic(paper / "final.json", w.final.canonical())
    write_atomic(paper / "novelty.json", novelty.canonical())
    for result in w.results:
        write_atomic(paper / f"runs/{result.variant}/seed-{result.seed}/result.json", result.canonical())
    for run, points in w.curves.items():
        write_atomic(paper / f"runs/{run}/curve.jsonl", render_curve(points))
    for result, usage in zip(w.results, usages, strict=False):
        write_atomic(paper / f"runs/{result.variant}/seed-{result.seed}/usage.json", usage.canonical())
    if w.baseline:
        write_atomic(paper / "baseline/final_info.json", w.baseline)
    facts = build_facts(paper, w.template, w.idea, w.study, w.analysis, w.results)
    write_atomic(paper / "facts.json", facts.canonical())
    figures = draw_figures(paper, w.template, w.idea, w.study, w.analysis, w.final, w.results)
    return Material(
        template=w.template,
        idea=w.idea,
        study=w.study,
        analysis=w.analysis,
        results=w.results,
        facts=facts,
        novelty=novelty,
        figures=figures,
        sandbox=sandbox,
        sandbox_gaps=gaps,
        executor=executor,
        usages=usages,
        roles={"writer": "heuristic", "proposer": "heuristic", "reviewer": "heuristic", "experimenter": "heuristic"},
    )


def finish_paper(
    lab: Path, w: World, material: Material, manuscript: Manuscript, *, pdf: bytes = b"%PDF-1.5\n"
) -> Path:
    """Everything from the manuscript on; returns the paper's folder."""
    paper = lab / "papers" / w.study.slug
    write_atomic(paper / "manuscript.json", manuscript.canonical())
    context = load_context(paper)
    write_atomic(paper / "references.bib", to_bibtex(context.references))
    write_atomic(paper / "paper.tex", build_tex(context))
    write_atomic(paper / "paper.pdf", pdf)
    sandbox, gaps, executor = material.sandbox, material.sandbox_gaps, material.executor
    manifest = make_manifest(paper, w.study, w.results, (), sandbox, gaps, manuscript.roles, executor=executor)
    write_atomic(paper / "manifest.json", manifest.canonical())
    journal = Journal(lab / "journal.jsonl")
    journal.append("study.frozen", slug=w.study.slug, sha256=w.study.digest())
    journal.append("paper.built", slug=w.study.slug, manifest=sha256_file(paper / "manifest.json"))
    return paper
