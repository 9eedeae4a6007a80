"""A template with knobs of every role and type, and ideas, lessons and findings about it, for tests of this room."""

from __future__ import annotations

from typing import Any

from scientist.ideas import Design, Idea, Lesson, Topic
from scientist.lab import KnobValue
from scientist.search import Change, Effect
from scientist.template import Template

WHY = "It might matter to anybody who has to choose a value for it."


def _knob(name: str, title: str, type: str, default: KnobValue, **more: Any) -> dict[str, Any]:
    return {"name": name, "title": title, "type": type, "default": default, "why": WHY, **more}


def make_template(**changes: Any) -> Template:
    """Ten knobs: a data set, a family, two corruptions, a sample size, capacity, penalties, a switch and a choice."""
    loss = {"name": "loss", "title": "log loss", "direction": "minimize", "difference": "nats"}
    accuracy = {
        "name": "accuracy",
        "title": "Accuracy",
        "direction": "maximize",
        "scale": 100,
        "unit": "\\%",
        "difference": "points",
    }
    fields: dict[str, Any] = {
        "name": "toy",
        "title": "A toy task",
        "summary": "Predict something small from something smaller.",
        "background": "Small tasks show large mistakes, which is why somebody studies them at all.",
        "editable": ("train.py",),
        "sealed": ("evaluate.py",),
        "command": ("python", "train.py"),
        "objective": {"metric": "accuracy", "smallest_effect": 0.01},
        "metrics": (accuracy, loss),
        "budget": {"wall_s": 10, "cpu_s": 10, "memory_mb": 500, "runs": 240},
        "knobs": (
            _knob(
                "dataset",
                "data set",
                "choice",
                "hills",
                choices=("hills", "lakes", "woods"),
                role="dataset",
                applies="data",
            ),
            _knob(
                "model",
                "model family",
                "choice",
                "linear",
                choices=("linear", "forest", "net", "vote", "table"),
                role="family",
                labels={"forest": "random forest", "net": "small network", "linear": "linear model"},
            ),
            _knob(
                "noise",
                "label noise",
                "float",
                0.0,
                low=0.0,
                high=0.6,
                levels=(0.0, 0.1, 0.2, 0.4),
                role="corruption",
                effect="lowers",
                applies="data",
                topics=("noise",),
            ),
            _knob("blur", "blur", "float", 0.0, low=0.0, high=3.0, role="corruption", effect="lowers", applies="data"),
            _knob(
                "size",
                "training-set size",
                "int",
                80,
                low=10,
                high=1000,
                log=True,
                levels=(20, 40, 80),
                role="sample",
                effect="raises",
                applies="data",
            ),
            _knob(
                "width",
                "width",
                "int",
                32,
                low=2,
                high=256,
                log=True,
                role="capacity",
                effect="raises",
                only_with={"model": ("net",)},
            ),
            _knob(
                "penalty",
                "penalty",
                "float",
                1.0,
                low=0.001,
                high=1000.0,
                log=True,
                role="regularisation",
                only_with={"model": ("linear", "net")},
                topics=("noise",),
            ),
            _knob("augment", "augmentation", "bool", False, effect="raises"),
            _knob(
                "strength",
                "augmentation strength",
                "float",
                1.0,
                low=0.5,
                high=4.0,
                effect="raises",
                only_with={"augment": (True,)},
            ),
            _knob("scaling", "scaling", "choice", "none", choices=("none", "unit", "rank")),
            _knob(
                "order", "row order", "int", 0, low=0, high=3, levels=(0, 1, 2), labels={"0": "a", "1": "b", "2": "c"}
            ),
        ),
        **changes,
    }
    return Template.model_validate(fields)


def make_idea(slug: str, design: Design, **changes: Any) -> Idea:
    """A valid idea about the toy template."""
    fields: dict[str, Any] = {
        "slug": slug,
        "title": f"What {slug} is about",
        "template": "toy",
        "question": f"Does {slug} make a difference?",
        "hypothesis": "It raises accuracy by at least one point.",
        "expect": "greater",
        "smallest_effect": 0.01,
        "why": "Somebody would like to know, for a reason that fits here.",
        "design": design,
        **changes,
    }
    return Idea.model_validate(fields)


def make_lesson(topic: Topic, paper: str, **changes: Any) -> Lesson:
    """A lesson that a paper taught in round 1."""
    fields: dict[str, Any] = {
        "id": f"{paper}.{topic}",
        "topic": topic,
        "text": f"The paper was weak in this respect: {topic}.",
        "source": f"reviews/{paper}/heuristic.json#weaknesses/0",
        "paper": paper,
        "template": "toy",
        **changes,
    }
    return Lesson.model_validate(fields)


def make_effect(paper: str, knob: str, start: KnobValue, to: KnobValue, mean: float, **changes: Any) -> Effect:
    """A primary, supported finding on `hills` with ten seeds."""
    fields: dict[str, Any] = {
        "template": "toy",
        "paper": paper,
        "contrast": "main",
        "kind": "difference",
        "primary": True,
        "changes": (Change(knob=knob, start=start, to=to),),
        "datasets": ("hills",),
        "metric": "accuracy",
        "n": 10,
        "mean": mean,
        "ci_low": mean - 0.005,
        "ci_high": mean + 0.005,
        "verdict": "supported",
        "holds_on_final": True,
        **changes,
    }
    return Effect.model_validate(fields)
