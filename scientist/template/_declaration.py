"""A template as the TOML of a `template.toml`, with comments that say where a stranger's knobs were found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from scientist.template._template import Template

_TABLES = ("objective", "budget", "metrics", "artefacts", "knobs")


def declaration(template: Template, notes: tuple[str, ...] = ()) -> str:
    """The TOML that `load_template` reads back as the same template. `notes` become comments at its top.

    Values that equal their default are left out, except those that people come to change.
    """
    data = template.model_dump(mode="json", exclude_defaults=True)
    data["layout"] = template.layout
    lines = [f"# {_comment(note)}" for note in notes]
    lines.append("schema_version = 1")
    for key, value in data.items():
        if key not in _TABLES and key != "schema_version":
            lines.append(f"{key} = {_value(value)}")
    lines += ["", "[objective]", *_pairs(data["objective"])]
    budget = template.budget.model_dump(mode="json")
    lines += ["", "[budget]  # of one run; 'runs' is the most that one study may spend", *_pairs(budget)]
    for metric in data["metrics"]:
        lines += [
            "",
            "[[metrics]]" + ("  # the name does not say which way is better" if metric.get("assumed") else ""),
        ]
        lines += _pairs(metric)
    for artefact in data.get("artefacts", ()):
        lines += ["", "[[artefacts]]", *_pairs(artefact)]
    for knob in data["knobs"]:
        site = knob.get("site")
        found = f"  # {_comment(_where(site))}" if site else ""
        lines += ["", f"[[knobs]]{found}", *_pairs(knob)]
    return "\n".join(lines) + "\n"


def _where(site: Mapping[str, Any]) -> str:
    if site["kind"] == "option":
        return f"option {site['name']}, {site['file']}:{site['line']}"
    return f"{site['name']}, {site['file']}:{site['line']}"


def _comment(text: str) -> str:
    """One line that cannot end a comment."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:300]


def _pairs(data: Mapping[str, Any]) -> list[str]:
    return [f"{_key(key)} = {_value(value)}" for key, value in data.items() if value is not None]


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else _text(key)


def _text(value: str) -> str:
    """A TOML basic string: what JSON escapes, TOML reads too; DEL alone has to be added."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items() if v is not None) + " }"
    return "[" + ", ".join(_value(one) for one in value) + "]"
