"""The base of every record, and how records are read from files that people edit."""

from __future__ import annotations

import difflib
import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from scientist.errors import RecordError

KnobValue = bool | int | float | str
"""What a knob can be set to."""


class Record(BaseModel):
    """An immutable, versioned record. Unknown keys are refused; non-finite floats are written as null."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)

    def canonical(self) -> bytes:
        """The record as canonical JSON (sorted keys, two-space indent, final newline): the bytes that are hashed."""
        return canonical_json(self.model_dump(mode="json"))

    def digest(self) -> str:
        """SHA-256 of :meth:`canonical`, in hex."""
        return sha256(self.canonical())


R = TypeVar("R", bound=Record)


def canonical_json(value: Any) -> bytes:
    """Deterministic, readable JSON: sorted keys, UTF-8, newline at the end. NaN and infinity are refused."""
    return (json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def sha256(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    return sha256(path.read_bytes())


def nearest(word: str, known: list[str]) -> str:
    """The closest of `known` to a mistyped `word`, as " (did you mean ...?)", or an empty string."""
    hits = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f" (did you mean '{hits[0]}'?)" if hits else ""


def explain(error: ValidationError, model: type[BaseModel], where: str, text: str = "") -> str:
    """The first problem of a pydantic error in one line: file, line (when it can be found), key, what is wrong."""
    first = error.errors()[0]
    path = [str(part) for part in first["loc"]]
    key = ".".join(path) or "(top level)"
    # Union members appear in the location as the tag of the discriminator; the key a person wrote is the last one.
    last = next((part for part in reversed(path) if not part.isdigit()), "")
    line = _line_of(last, text)
    message = first["msg"][:1].lower() + first["msg"][1:]
    if first["type"] == "extra_forbidden":
        message = f"unknown key{nearest(last, sorted(model.model_fields))}"
    elif first["type"] == "missing":
        message = "is missing"
    more = f" (and {len(error.errors()) - 1} more)" if len(error.errors()) > 1 else ""
    return f"{where}{f':{line}' if line else ''}: {key}: {message}{more}"


def _line_of(key: str, text: str) -> int:
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip().lstrip("-[ \"'")
        if key and stripped.startswith(key) and stripped[len(key) :].lstrip(" \"'")[:1] in (":", "=", "]"):
            return number
    return 0


def read_json(model: type[R], path: Path) -> R:
    """Read one record from JSON. Raises :class:`RecordError` naming file, line and key."""
    text = read_text(path)
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise RecordError(explain(error, model, str(path), text), "mend or delete the file, then run again") from error


def read_toml(path: Path) -> dict[str, Any]:
    """Parse a TOML file. Raises :class:`RecordError` with the line of a syntax error."""
    try:
        return tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise RecordError(f"{path}: not valid TOML: {error}", "mend that line") from error


def read_text(path: Path) -> str:
    """UTF-8 text of a file; a missing or unreadable file is a :class:`RecordError`."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise RecordError(f"{path} does not exist", "check the path") from error
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise RecordError(f"{path} cannot be read: {reason}", "check the file") from error
