"""The shapes that others keep ideas in: how their files are read, and how an idea of ours is said in each. Pure but for reading.

Version 1 of AI-Scientist keeps a list of `Name, Title, Experiment` with three scores; version 2 a list of `Name, Title,
Short Hypothesis, Related Work, Abstract, Experiments, Risk Factors and Limitations`; version 3 one object per file, `Name,
Title, Short Hypothesis, Related Work` and perhaps an `Experiment Plan` of any form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from scientist.errors import RecordError
from scientist.ideas._idea import Idea
from scientist.lab import read_text

Shape = Literal["lab", "v1", "v2", "v3"]

OURS = "Scientist"
"""The key under which an exported entry carries our record; whoever does not know it passes over it."""

_NAMES = frozenset({"name", "title", "design", "short hypothesis", "hypothesis", "experiment", "experiments"})
_REMEMBERED = re.compile(r"^<!-- imported: (\{.*\}) -->$", re.MULTILINE)


def read_entries(path: Path) -> list[dict[str, Any]]:
    """The ideas of a file: a JSON list, one object, an object of them by name, `{"ideas": [...]}`, or one object a line.

    Raises :class:`RecordError` naming line or entry when it is none of these.
    """
    entries = _unwrapped(_parsed(path))
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            raise RecordError(f"{path}: entry {number} is not an object", "give a JSON list of ideas")
    return [_plain(entry) for entry in entries]


def _parsed(path: Path) -> Any:
    text = read_text(path)
    try:
        return json.loads(text)
    except RecursionError as error:
        raise RecordError(f"{path}: nested too deeply", "give a JSON list of ideas") from error
    except json.JSONDecodeError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        try:
            found = [json.loads(line) for line in lines]
        except (json.JSONDecodeError, RecursionError):
            found = []
        if len(found) > 1 and all(isinstance(one, dict) for one in found):
            return found
        raise RecordError(f"{path}:{error.lineno}: not JSON: {error.msg}", "mend that line") from error


def _unwrapped(data: Any) -> list[Any]:
    if isinstance(data, list):
        return data
    if not isinstance(data, dict):
        return [data]
    if _NAMES & {str(key).lower() for key in data} and not all(isinstance(value, dict) for value in data.values()):
        return [data]
    if len(data) == 1 and isinstance(inner := next(iter(data.values())), list):
        return inner
    wrapped = next((value for key, value in data.items() if key.lower() == "ideas" and isinstance(value, list)), None)
    if wrapped is not None:
        return wrapped
    if data and all(isinstance(value, dict) for value in data.values()):
        return [
            value if {"name", "design"} & {key.lower() for key in value} else {"Name": name, **value}
            for name, value in data.items()
        ]
    return [data]


def _plain(value: Any) -> Any:
    """JSON that can be written again: no NaN, no half characters."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, float):
        return value if value == value and value not in (float("inf"), float("-inf")) else None
    if isinstance(value, dict):
        return {_plain(key): _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def remembered(entry: Mapping[str, Any]) -> str:
    """The entry as it came, as one line of Markdown that shows nothing."""
    return f"<!-- imported: {json.dumps(dict(entry)).replace('>', chr(92) + 'u003e')} -->"


def came_as(idea: Idea) -> dict[str, Any] | None:
    """The entry that an idea was imported as; None when it was not, or when somebody took it out of the prose."""
    found = _REMEMBERED.findall(idea.notes)
    if not found:
        return None
    try:
        entry = json.loads(found[-1])
    except (json.JSONDecodeError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def shape_of(entry: Mapping[str, Any]) -> Shape:
    """Which version's shape an entry has, by its keys."""
    keys = {key.lower() for key in entry}
    if "design" in keys:
        return "lab"
    if {"abstract", "experiments", "risk factors and limitations"} & keys:
        return "v2"
    if "experiment" in keys or {"interestingness", "feasibility"} & keys:
        return "v1"
    return "v3"


def record_of(idea: Idea) -> dict[str, Any]:
    """Our record of an idea, prose included."""
    return {**idea.model_dump(mode="json"), "notes": idea.notes}


def to_entry(idea: Idea, shape: Shape) -> dict[str, Any]:
    """An idea in one of AI-Scientist's shapes, with our record under :data:`OURS`.

    One that was imported in that shape keeps its fields. What we do not know is left out: scores that nobody gave, and
    related work, which a paper looks up for itself.
    """
    ours = {OURS: record_of(idea)}
    entry = came_as(idea)
    if entry is not None and shape_of(entry) == shape:
        return {**entry, **ours}
    name = {"Name": idea.slug.replace("-", "_"), "Title": idea.title}
    steps = _steps(idea)
    if shape == "v1":
        return {**name, "Experiment": f"{idea.question} {idea.hypothesis} {steps}", **ours}
    short = {"Short Hypothesis": idea.hypothesis, "Related Work": ""}
    if shape == "v2":
        return {
            **name,
            **short,
            "Abstract": f"{idea.why} {idea.question}",
            "Experiments": [steps],
            "Risk Factors and Limitations": [],
            **ours,
        }
    plan = {"template": idea.template, "design": idea.design.model_dump(mode="json"), "settings": dict(idea.settings)}
    return {**name, **short, "Experiment Plan": plan, **ours}


def _steps(idea: Idea) -> str:
    """The design in words that need no knowledge of ours."""
    fields = idea.design.model_dump(mode="json")
    told = "; ".join(f"{key} {_said(value)}" for key, value in fields.items() if key != "kind")
    fixed = f" Held fixed: {_said(dict(idea.settings))}." if idea.settings else ""
    return f"A {idea.design.kind} study: {told}.{fixed} The smallest difference worth caring about: {idea.smallest_effect:g}."


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {_said(one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_said(one) for one in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
