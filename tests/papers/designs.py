"""One small simulated study per kind of design: what figures and reviews are made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scientist.experiments._design import compile_design
from scientist.experiments._results import Analysis, FinalScores, RunResult
from scientist.experiments._statistics import analyse
from scientist.experiments._study import Pilot, Study
from scientist.ideas._idea import Idea
from scientist.template import Template

TEMPLATE = Template.model_validate(
    {
        "name": "toy",
        "title": "A toy task",
        "summary": "Recognise handwritten digits in small pictures from few examples.",
        "background": "Small pictures of digits are a classical test bed, cheap enough to repeat many times.",
        "editable": ["train.py"],
        "sealed": ["evaluate.py"],
        "command": ["python", "train.py"],
        "objective": {"metric": "accuracy", "smallest_effect": 0.01},
        "metrics": [
            {
                "name": "accuracy",
                "title": "accuracy",
                "direction": "maximize",
                "scale": 100,
                "unit": "\\%",
                "difference": "points",
                "digits": 1,
            },
            {"name": "log_loss", "title": "log loss", "direction": "minimize", "digits": 3},
        ],
        "budget": {"wall_s": 20, "cpu_s": 20, "memory_mb": 512},
        "knobs": [
            {
                "name": "dataset",
                "title": "data set",
                "type": "choice",
                "default": "digits",
                "role": "dataset",
                "choices": ["digits", "wine", "breast_cancer"],
                "applies": "data",
                "why": "What holds on one need not hold on another.",
                "labels": {"digits": "Digits", "wine": "Wine", "breast_cancer": "Breast Cancer Wisconsin"},
            },
            {
                "name": "label_noise",
                "title": "label noise",
                "type": "float",
                "default": 0.0,
                "low": 0,
                "high": 0.5,
                "levels": [0, 0.1, 0.2, 0.4],
                "applies": "data",
                "role": "corruption",
                "effect": "lowers",
                "why": "Labels in the world are never all right.",
            },
            {
                "name": "c",
                "title": "regularisation strength",
                "type": "float",
                "default": 0.01,
                "low": 1e-5,
                "high": 10,
                "log": True,
                "levels": [1e-4, 1e-3, 1e-2, 1e-1],
                "role": "regularisation",
                "why": "It decides how closely a model fits.",
            },
            {
                "name": "model",
                "title": "model family",
                "type": "choice",
                "default": "logistic",
                "role": "family",
                "choices": ["logistic", "forest", "mlp", "svm"],
                "why": "Families differ in what they can express.",
                "labels": {
                    "logistic": "logistic regression",
                    "forest": "a random forest",
                    "mlp": "a small multilayer perceptron",
                    "svm": "a support vector machine",
                },
            },
            {
                "name": "augment",
                "title": "augmentation",
                "type": "bool",
                "default": False,
                "why": "It adds shifted copies of every picture.",
            },
        ],
    }
)

DESIGNS: dict[str, dict[str, Any]] = {
    "dose-response": {"kind": "dose-response", "knob": "label_noise", "levels": [0.0, 0.1, 0.2, 0.4]},
    "log-dose": {"kind": "dose-response", "knob": "c", "levels": [1e-4, 1e-3, 1e-2, 1e-1]},
    "comparison": {
        "kind": "comparison",
        "knob": "model",
        "choices": ["logistic", "forest", "mlp", "svm"],
        "reference": "logistic",
    },
    "interaction": {
        "kind": "interaction",
        "first": "augment",
        "first_values": [False, True],
        "second": "label_noise",
        "second_values": [0.0, 0.4],
    },
    "robustness": {
        "kind": "robustness",
        "treatment": {"augment": True},
        "stressor": "label_noise",
        "levels": [0.0, 0.2, 0.4],
    },
    "transfer": {
        "kind": "transfer",
        "treatment": {"augment": True},
        "values": ["digits", "wine", "breast_cancer"],
    },
    "tuning": {"kind": "tuning", "knobs": ["c"], "trials": 4},
}
EXPECT = {"dose-response": "less", "log-dose": "different", "interaction": "different"}


@dataclass(frozen=True)
class World:
    """An idea, its frozen study, and everything that was found."""

    idea: Idea
    study: Study
    results: tuple[RunResult, ...]
    final: FinalScores
    analysis: Analysis
    template: Template = TEMPLATE
    curves: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    """run -> points of its learning curve."""
    baseline: bytes = b""
    """The final_info.json that a stranger's template came with."""


def world(
    kind: str = "dose-response", seeds: int = 8, effect: float = 0.03, spread: float = 0.012, seed: int = 1
) -> World:
    """A study in which the treatment moves accuracy by about `effect`; seeds scatter by `spread`."""
    idea = Idea.model_validate(
        {
            "slug": f"toy-{kind}",
            "title": f"A toy study of the kind {kind}",
            "template": "toy",
            "question": "What does it do to accuracy?",
            "hypothesis": "It moves accuracy by more than the smallest effect worth caring about.",
            "expect": EXPECT.get(kind, "greater"),
            "smallest_effect": 0.01,
            "why": "Because somebody has to decide whether to use it at all.",
            "design": DESIGNS[kind],
        }
    )
    variants, contrasts = compile_design(idea, TEMPLATE)
    numbers = tuple(range(11, 11 + seeds))
    pilot = Pilot(seeds=(1, 2, 3), sd={}, sd_upper={}, needed=seeds, capped=False, expected_power=0.82)
    study = Study(
        slug=idea.slug,
        template="toy",
        template_sha256="a" * 64,
        idea_sha256=idea.digest(),
        metric="accuracy",
        direction="maximize",
        alpha=0.05,
        power=0.8,
        smallest_effect=0.01,
        variants=variants,
        contrasts=contrasts,
        seeds=numbers,
        pilot=pilot,
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
    rng = np.random.default_rng(np.random.SeedSequence([seed, seeds]))
    shared = {n: rng.normal(0, spread) for n in numbers}
    results, final = [], {}
    for variant in variants:
        level = float(variant.knobs["label_noise"])
        gain = effect if variant.knobs["augment"] or variant.tuner else 0.0
        gain += effect * {"logistic": 0.0, "forest": 1.4, "mlp": 0.3, "svm": -0.6}[str(variant.knobs["model"])]
        base = {"digits": 0.93, "wine": 0.96, "breast_cancer": 0.91}[str(variant.knobs["dataset"])]
        doubt = effect * (np.log10(float(variant.knobs["c"])) + 2) * 0.5
        centre = base - 0.25 * level * abs(effect) / 0.03 + gain * (1 + level) + doubt
        final[variant.name] = {}
        for n in numbers:
            metrics = {}
            for split in ("search", "keep", "final"):
                value = float(np.clip(centre + shared[n] + rng.normal(0, spread), 0, 1))
                metrics[split] = {"accuracy": value, "log_loss": 1 - value}
            final[variant.name][str(n)] = metrics.pop("final")
            results.append(
                RunResult(
                    variant=variant.name,
                    seed=n,
                    key="k" * 8,
                    knobs=variant.knobs,
                    status="ok",
                    metrics=metrics,
                    trials=variant.tuner.trials if variant.tuner else 1,
                )
            )
    scores = FinalScores(study_sha256=study.digest(), scores=final)
    return World(idea, study, tuple(results), scores, analyse(study, results, scores))
