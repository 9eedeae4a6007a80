"""The contract of a task: loading, knobs, checks and cheats."""

from scientist.template._template import (
    SPLITS,
    Budget,
    Direction,
    Knob,
    Metric,
    Objective,
    Split,
    Template,
    find_templates,
    load_template,
)

__all__ = [
    "SPLITS",
    "Budget",
    "Direction",
    "Knob",
    "Metric",
    "Objective",
    "Split",
    "Template",
    "find_templates",
    "load_template",
]
