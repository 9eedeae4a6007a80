"""Simulated studies of the kinds that are not ordinary: nothing held out, self-reported, repeated, stopped, known."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
from designs import TEMPLATE, World

from scientist.experiments import EarlyStop, Pilot, Study, analyse, compile_design
from scientist.experiments._results import FinalScores, RunResult, Status
from scientist.ideas._idea import Idea
from scientist.template import Template

KEEP_ONLY = Template.model_validate(
    {
        **TEMPLATE.model_dump(),
        "name": "spread",
        "title": "Spread points",
        "summary": "Place points so that the smallest distance between any two of them is as large as it can be.",
        "background": "Points that keep their distance are an old question of geometry. Few sizes are solved.",
        "splits": ["keep"],
        "objective": {"metric": "distance", "smallest_effect": 0.01},
        "metrics": [
            {"name": "distance", "title": "smallest distance", "direction": "maximize", "digits": 3},
            {"name": "steps", "title": "steps", "direction": "minimize", "digits": 0},
        ],
        "knobs": [
            {
                "name": "problem",
                "title": "problem",
                "type": "choice",
                "default": "six",
                "choices": ["six", "seven"],
                "role": "dataset",
                "applies": "data",
                "why": "What suits one number of points need not suit another.",
                "labels": {"six": "six points", "seven": "seven points"},
            },
            {
                "name": "step",
                "title": "step size",
                "type": "float",
                "default": 0.1,
                "low": 0,
                "high": 1,
                "levels": [0.1, 0.2, 0.4],
                "why": "Large steps leave bad arrangements and miss good ones.",
            },
        ],
    }
)

STRANGER = Template.model_validate(
    {
        **KEEP_ONLY.model_dump(),
        "name": "stranger",
        "title": "Somebody's experiment",
        "summary": "The script trains a small network and reports how well it did.",
        "layout": "ai-scientist",
        "editable": ["experiment.py"],
        "sealed": [],
        "command": ["python", "experiment.py"],
        "objective": {"metric": "val_loss", "smallest_effect": 0.01},
        "metrics": [
            {"name": "val_loss", "title": "validation loss", "direction": "minimize", "digits": 3},
            {"name": "train_time", "title": "training time", "direction": "minimize", "digits": 1, "unit": "s"},
        ],
        "knobs": [
            {
                "name": "lr",
                "title": "learning rate",
                "type": "float",
                "default": 0.1,
                "low": 0,
                "high": 1,
                "levels": [0.1, 0.2, 0.4],
                "why": "It decides how far one step goes.",
            },
        ],
    }
)

HOSTILE = (
    r"\input{/etc/passwd}",
    "50% of $x_1 & y^2 #3 {a} ~b",
    r"^^5cinput{x} \val{study.sha} \end{document}",
    "two\nlines\tand\x00a\u202ebell\x07",
    "李明 α ≤ R² ﬁ 🎉 ü",
    r"$\frac{$ \\[1em] [x] -- ``q''",
)


def baseline(n: int = 3) -> bytes:
    """A final_info.json whose standard errors are s.d. over n (with the divisor n in the s.d.), as many scripts write it."""
    values = [0.51, 0.47, 0.55, 0.44, 0.49][:n]
    times = [10.0, 12.5, 11.0, 10.5, 13.0][:n]
    info = {
        "toy": {
            "means": {"val_loss_mean": float(np.mean(values)), "train_time_mean": float(np.mean(times))},
            "stderrs": {
                "val_loss_stderr": float(np.std(values) / n),
                "train_time_stderr": float(np.std(times, ddof=1) / np.sqrt(n)),
            },
            "final_info_dict": {"val_loss": values, "train_time": times},
        }
    }
    return json.dumps(info).encode()


def hostile(template: Template) -> Template:
    """The template with nasty strings wherever its author may write."""
    first, second = template.metrics
    knobs = tuple(
        knob.model_copy(
            update={
                "title": HOSTILE[(place + 1) % 6],
                "unit": HOSTILE[2],
                "why": HOSTILE[3] * 2,
                "labels": {key: HOSTILE[4] + key for key in ("six", "seven", "0.1", "0.2")},
            }
        )
        for place, knob in enumerate(template.knobs)
    )
    return template.model_copy(
        update={
            "title": HOSTILE[0],
            "summary": " ".join(HOSTILE),
            "background": ". ".join(HOSTILE) * 3,
            "knobs": knobs,
            "metrics": (
                first.model_copy(update={"title": HOSTILE[1], "unit": r"\input{x}", "difference": HOSTILE[5]}),
                second.model_copy(update={"title": HOSTILE[4], "unit": "%", "difference": "$"}),
            ),
        }
    )


def kind_world(
    template: Template = KEEP_ONLY,
    *,
    seeds: int = 8,
    effect: float = 0.05,
    spread: float = 0.01,
    seeded: bool = True,
    look: int | None = None,
    data: dict[str, Any] | None = None,
    ends: dict[tuple[int, int], Status] | None = None,
    curves: bool = False,
    came_with: bytes = b"",
    expect: str = "greater",
    texts: dict[str, Any] | None = None,
) -> World:
    """A dose-response of three levels. `ends` gives (variant, seed) places another ending; `look` stops early."""
    knob = template.knobs[-1].name
    held_out = "final" in template.splits
    metric = template.objective.metric
    idea = Idea.model_validate(
        {
            "slug": f"toy-{template.name}",
            "title": "Does a larger step help?",
            "template": template.name,
            "question": "What does a larger step do?",
            "hypothesis": "A larger step moves the score by more than anybody should ignore.",
            "expect": expect,
            "smallest_effect": 0.01,
            "why": "Because somebody has to choose one.",
            "design": {"kind": "dose-response", "knob": knob, "levels": [0.1, 0.2, 0.4]},
            **(texts or {}),
        }
    )
    variants, contrasts = compile_design(idea, template)
    numbers = tuple(range(11, 11 + seeds))
    study = Study(
        slug=idea.slug,
        template=template.name,
        template_sha256="a" * 64,
        idea_sha256=idea.digest(),
        metric=metric,
        direction=template.metric(metric).direction,
        alpha=0.05,
        power=0.8,
        smallest_effect=0.01,
        variants=variants,
        contrasts=contrasts,
        seeds=numbers,
        pilot=Pilot(seeds=(1, 2, 3), sd={}, sd_upper={}, needed=seeds, capped=False, expected_power=0.82),
        data={"six": {"name": "six", "title": "six points", "size": 6}} if data is None else data,
        confirm_on="final" if held_out else "none",
        judging=template.judging,
        seeded=seeded,
        early_stop=EarlyStop(look=look) if look else None,
    )
    rng = np.random.default_rng(np.random.SeedSequence(5))
    results, final, points = [], {}, {}
    other = next(m.name for m in template.metrics if m.name != metric)
    for place, variant in enumerate(variants):
        final[variant.name] = {}
        for index, seed in enumerate(numbers):
            status: Status = (ends or {}).get((place, index), "ok")
            value = 0.5 + effect * place + (rng.normal(0, spread) if spread else 0.0)
            run = RunResult(
                variant=variant.name,
                seed=seed,
                key="k" * 8,
                knobs=variant.knobs,
                status=status,
                reason="" if status == "ok" else f"it ended as {status}",
                tree=f"{place:064x}",
            )
            splits = ("search", "keep", "final") if held_out else ("keep",)
            scores = {s: {metric: round(value, 9), other: 10.0 + index + place} for s in splits}
            if status == "ok":
                if held_out:
                    final[variant.name][str(seed)] = scores.pop("final")
                run = run.model_copy(update={"metrics": scores})
                if curves and (place, index) != (1, 0):
                    points[f"{variant.name}/seed-{seed}"] = [
                        {"step": step, "val_loss": value + 2.0 / (1 + step), "lr": 0.1}
                        for step in range(0, 40 + 5 * (index % 2), 5)
                    ]
            results.append(run)
    scored = FinalScores(study_sha256=study.digest(), scores=final if held_out else {})
    made = World(idea, study, tuple(results), scored, analyse(study, results, scored), template, points, came_with)
    return stopped(made) if look else made


def stopped(w: World) -> World:
    """The world in which the declared early stopping was carried out."""
    from scientist.experiments._early import futile_contrasts, stopped_variants

    assert w.study.early_stop is not None
    names = stopped_variants(w.study, futile_contrasts(w.study, w.results))
    late = set(w.study.seeds[w.study.early_stop.look :])
    results = tuple(
        r.model_copy(update={"status": "stopped", "metrics": {}, "trials": 0, "tree": ""})
        if r.variant in names and r.seed in late
        else r
        for r in w.results
    )
    scores = {
        name: {seed: row for seed, row in by_seed.items() if name not in names or int(seed) not in late}
        for name, by_seed in w.final.scores.items()
    }
    final = w.final.model_copy(update={"scores": scores})
    return replace(w, results=results, final=final, analysis=analyse(w.study, results, final))
