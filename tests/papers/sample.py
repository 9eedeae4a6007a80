"""One small complete paper folder: three variants, five seeds, real statistics and figures, written by hand.

`make_paper(folder)` writes everything but paper.tex and paper.pdf. Nothing is run: scores are drawn from a seed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from designs import TEMPLATE
from sample_text import manuscript

from scientist.experiments._design import compile_design
from scientist.experiments._results import FinalScores, RunResult
from scientist.experiments._statistics import analyse
from scientist.experiments._study import Pilot, Study
from scientist.ideas._idea import Idea, render_idea
from scientist.lab import canonical_json, write_atomic
from scientist.literature._reference import Novelty, Reference
from scientist.papers._facts import build_facts
from scientist.papers._figures import draw_figures

SLUG = "label-noise-sample"
SEEDS = (101, 102, 103, 104, 105)

REFERENCES = (
    Reference(
        key="student1908",
        title="The probable error of a mean",
        authors=("Student",),
        year=1908,
        venue="Biometrika",
        doi="10.1093/biomet/6.1.1",
        source="library",
        entry_type="article",
        gist="derived the distribution behind intervals of small samples",
    ),
    Reference(
        key="holm1979",
        title="A simple sequentially rejective multiple test procedure",
        authors=("Holm, Sture",),
        year=1979,
        venue="Scandinavian Journal of Statistics",
        url="https://www.jstor.org/stable/4615733",
        source="library",
        entry_type="article",
        gist="showed how to test a family of hypotheses without losing control of errors",
    ),
)

BIB = """@article{holm1979,
  author = {Holm, Sture},
  title = {A simple sequentially rejective multiple test procedure},
  journal = {Scandinavian Journal of Statistics},
  volume = {6},
  pages = {65--70},
  year = {1979},
  url = {https://www.jstor.org/stable/4615733}
}

@article{student1908,
  author = {{Student}},
  title = {The probable error of a mean},
  journal = {Biometrika},
  volume = {6},
  pages = {1--25},
  year = {1908},
  doi = {10.1093/biomet/6.1.1}
}
"""


def idea() -> Idea:
    """Does label noise lower the accuracy of logistic regression?"""
    return Idea.model_validate(
        {
            "slug": SLUG,
            "title": "How much does label noise cost a linear model?",
            "template": "toy",
            "question": "How much accuracy does a linear model lose when training labels are wrong?",
            "hypothesis": "Wrong labels lower accuracy by more than the smallest effect worth caring about.",
            "expect": "less",
            "smallest_effect": 0.01,
            "why": "Because clean labels cost money and somebody has to decide how many to pay for.",
            "design": {"kind": "dose-response", "knob": "label_noise", "levels": [0.0, 0.2, 0.4]},
        }
    )


def study() -> Study:
    """The frozen study of :func:`idea`."""
    variants, contrasts = compile_design(idea(), TEMPLATE)
    spread = {contrast.id: 0.012 for contrast in contrasts}
    return Study(
        slug=SLUG,
        template="toy",
        template_sha256="a" * 64,
        idea_sha256=idea().digest(),
        metric="accuracy",
        direction="maximize",
        alpha=0.05,
        power=0.8,
        smallest_effect=0.01,
        variants=variants,
        contrasts=contrasts,
        seeds=SEEDS,
        pilot=Pilot(seeds=(1, 2, 3), sd=spread, sd_upper=spread, needed=9, capped=True, expected_power=0.4312),
        data={
            "digits": {
                "name": "digits",
                "title": "Digits",
                "examples": 1797,
                "train": 300,
                "keep": 400,
                "final": 400,
            }
        },
    )


def runs(the_study: Study, failed: bool = False) -> tuple[list[RunResult], FinalScores]:
    """Scores of every run; with `failed`, one run of the last variant ran out of time."""
    rng = np.random.default_rng(np.random.SeedSequence(7))
    shared = {seed: rng.normal(0, 0.008) for seed in SEEDS}
    results: list[RunResult] = []
    final: dict[str, dict[str, dict[str, float]]] = {}
    for variant in the_study.variants:
        final[variant.name] = {}
        for seed in SEEDS:
            centre = 0.934 - 0.08 * float(variant.knobs["label_noise"]) + shared[seed]
            scores = {s: round(centre + rng.normal(0, 0.006), 6) for s in ("search", "keep", "final")}
            if failed and variant is the_study.variants[-1] and seed == SEEDS[-1]:
                results.append(
                    RunResult(
                        variant=variant.name,
                        seed=seed,
                        key="f" * 64,
                        knobs=variant.knobs,
                        status="timeout",
                        reason="stopped after 20 s of 20 s wall time",
                    )
                )
                continue
            metrics = {s: {"accuracy": v, "log_loss": round(1 - v, 6)} for s, v in scores.items()}
            final[variant.name][str(seed)] = metrics.pop("final")
            results.append(
                RunResult(
                    variant=variant.name,
                    seed=seed,
                    key=f"{seed:064x}",
                    knobs=variant.knobs,
                    status="ok",
                    metrics=metrics,
                )
            )
    return results, FinalScores(study_sha256=the_study.digest(), scores=final)


def make_paper(folder: Path, failed: bool = False) -> None:
    """Write the sample paper's files into `folder`, all but paper.tex, paper.pdf, audit.json and manifest.json."""
    the_study = study()
    results, final = runs(the_study, failed)
    analysis = analyse(the_study, results, final)
    write_atomic(folder / "idea.md", render_idea(idea()))
    write_atomic(folder / "study.json", the_study.canonical())
    write_atomic(folder / "final.json", final.canonical())
    write_atomic(folder / "analysis.json", analysis.canonical())
    for result in results:
        write_atomic(folder / f"runs/{result.variant}/seed-{result.seed}/result.json", result.canonical())
    novelty = Novelty(slug=SLUG, verdict="undecided", reason="no source answered", score=0.5, references=REFERENCES)
    write_atomic(folder / "novelty.json", novelty.canonical())
    write_atomic(folder / "references.bib", BIB)
    write_atomic(folder / "facts.json", build_facts(folder, TEMPLATE, idea(), the_study, analysis, results).canonical())
    figures = draw_figures(folder, TEMPLATE, idea(), the_study, analysis, final, results)
    write_atomic(folder / "manuscript.json", manuscript(SLUG, figures).canonical())


def edit_json(path: Path, *keys: str | int, value: Any) -> None:
    """Plant a fraud: set one place of a JSON file."""
    data = json.loads(path.read_text())
    place = data
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    write_atomic(path, canonical_json(data))
