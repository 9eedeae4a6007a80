"""The contract of a task: loading, knobs, checks and cheats; ours, and directories in the AI-Scientist layout."""

from scientist.template._declaration import declaration
from scientist.template._derive import Derived, derive, describe_found, is_stranger, missing_packages, reported_checks
from scientist.template._final_info import ReportedCheck, load_final_info, recompute
from scientist.template._packages import require_packages
from scientist.template._stranger import assemble_stranger, check_changed
from scientist.template._template import (
    SPLITS,
    ArraySpec,
    Artefact,
    Budget,
    Direction,
    Knob,
    Metric,
    Objective,
    Series,
    Site,
    Split,
    Template,
    find_templates,
    is_template,
    load_template,
)

__all__ = [
    "SPLITS",
    "ArraySpec",
    "Artefact",
    "Budget",
    "Derived",
    "Direction",
    "Knob",
    "Metric",
    "Objective",
    "ReportedCheck",
    "Series",
    "Site",
    "Split",
    "Template",
    "assemble_stranger",
    "check_changed",
    "declaration",
    "derive",
    "describe_found",
    "find_templates",
    "is_stranger",
    "is_template",
    "load_final_info",
    "load_template",
    "missing_packages",
    "recompute",
    "reported_checks",
    "require_packages",
]
