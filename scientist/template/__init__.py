"""The contract of a task: loading, knobs, checks and cheats."""

from scientist.template._stranger import assemble_stranger
from scientist.template._template import (
    SPLITS,
    ArraySpec,
    Artefact,
    Budget,
    Direction,
    Knob,
    Metric,
    Objective,
    Site,
    Split,
    Template,
    find_templates,
    load_template,
)

__all__ = [
    "SPLITS",
    "ArraySpec",
    "Artefact",
    "Budget",
    "Direction",
    "Knob",
    "Metric",
    "Objective",
    "Site",
    "Split",
    "Template",
    "assemble_stranger",
    "find_templates",
    "load_template",
]
