"""From an answer to a record: the schema that is sent, and how text is read that was meant to be JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, TypeVar

import json_repair
from pydantic import BaseModel, ValidationError

from scientist.lab import explain

T = TypeVar("T", bound=BaseModel)

DEEPEST = 40
_FENCE = re.compile(r"```(?:json|JSON)?[ \t]*\n(.*?)(?:\n```|\Z)", re.DOTALL)


def schema_of(record: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a record as servers take it: nothing beyond what is named, everything named, no defaults.

    Keys with defaults become required, as the strict mode of OpenAI's servers wants it: a model then says that something
    is empty rather than leaving it out.
    """
    schema = record.model_json_schema()
    return _strict(schema)


def _strict(node: Any) -> Any:
    if isinstance(node, list):
        return [_strict(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {key: _strict(value) for key, value in node.items() if key not in ("default", "title", "discriminator")}
    if "properties" in node:  # the names of properties are not keywords
        made["properties"] = {name: _strict(value) for name, value in node["properties"].items()}
        made["required"] = list(node["properties"])
        made["additionalProperties"] = False
    if "$defs" in node:
        made["$defs"] = {name: _strict(value) for name, value in node["$defs"].items()}
    if "oneOf" in made:
        made["anyOf"] = made.pop("oneOf")
    return made


def read_record(text: str, record: type[T], check: Callable[[T], None] = lambda _: None) -> T:
    """The record in an answer. Raises :class:`ValueError` with one line that says what is wrong, for the model to read.

    Taken are: JSON alone; the last fenced block that holds an object; the text from the first brace to the last, with
    what `json_repair` mends (a comma too many, single quotes, a missing brace). What was mended still has to validate.
    """
    value = _object_in(text)
    try:
        made = record.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        raise ValueError(explain(error, record, "answer")) from None
    check(made)
    return made


def _object_in(text: str) -> dict[str, Any]:
    fenced = [block.group(1) for block in _FENCE.finditer(text)]
    first, last = text.find("{"), text.rfind("}")
    candidates = [text, *reversed(fenced)]
    if first != -1:
        candidates.append(text[first : last + 1] if last > first else text[first:])
    for candidate in candidates:
        try:
            value = json.loads(candidate)
        except (json.JSONDecodeError, RecursionError):
            continue
        if isinstance(value, dict):
            return value
    if first == -1:
        raise ValueError("the answer holds no JSON object")
    if text.count("{") + text.count("[") > 5000 or _depth(text) > DEEPEST:
        raise ValueError("the answer is nested too deeply")
    value = json_repair.loads(candidates[-1])
    if not isinstance(value, dict) or not value:
        raise ValueError("the answer holds no JSON object that can be read")
    return value


def _depth(text: str) -> int:
    depth = deepest = 0
    for character in text:
        if character in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "}]":
            depth = max(0, depth - 1)
    return deepest
