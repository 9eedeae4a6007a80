"""How a record says that its work was retracted: the same words wherever works are compared, cited or verified. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from scientist.literature._reference import Reference
from scientist.literature._titles import RETRACTED

_FLAGS = ("retracted", "is_retracted", "isRetracted")
LONGEST = 200


def retraction_of(work: Reference) -> str:
    """How a record says that its work was retracted; empty when it does not."""
    return work.retracted or said_by_title(work.title)


def said_by_title(title: str) -> str:
    """The mark that publishers put before a title, or nothing."""
    return f"its title begins '{title[:24].rstrip()}'" if RETRACTED.match(title) else ""


def bare_title(title: str) -> str:
    """The title without that mark."""
    return RETRACTED.sub("", title)


def flagged(work: Reference) -> Reference:
    """The record with its retraction in the field that everybody reads."""
    says = retraction_of(work)
    return work if says == work.retracted else work.model_copy(update={"retracted": says})


def said_by_record(told: Mapping[str, Any]) -> str:
    """What a field about it says in a record as its source had it: true, or words ('false' and 'no' say that it was not)."""
    for name in _FLAGS:
        value = told.get(name)
        if value is True:
            return name
        if isinstance(value, str) and value.strip().lower() not in ("", "false", "no", "0"):
            return " ".join(value.split())[:LONGEST]
    return ""


def said_by_body(body: str) -> str:
    """The same of what the library keeps of a record: JSON, of BibTeX its fields as (name, value, ...)."""
    if "retracted" not in body.lower():
        return ""
    try:
        told = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(told, dict):
        return ""
    fields = told.get("fields")
    pairs = [one for one in fields if isinstance(one, list) and len(one) == 2] if isinstance(fields, list) else []
    return said_by_record(told | {str(name).lower(): str(value).strip('{}" ') for name, value in pairs})
