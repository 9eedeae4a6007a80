"""Values at pointers, what a fact prints, and where two records differ. Pure functions of the audit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from scientist.lab import Record
from scientist.papers._records import Fact
from scientist.papers._special import rule_of

# ------------------------------------------------------------------------------------------


def resolve(document: Any, pointer: str) -> Any:
    """The value at a JSON pointer (RFC 6901); a last part '#' is the length of a list. LookupError if there is none."""
    value = document
    for raw in pointer.split("/")[1:] if pointer else ():
        part = raw.replace("~1", "/").replace("~0", "~")
        if part == "#" and isinstance(value, list | dict):
            return len(value)
        if isinstance(value, list):
            if not re.fullmatch(r"\d+", part):
                raise LookupError(part)
            value = value[int(part)]
        elif isinstance(value, dict):
            value = value[part]
        else:
            raise LookupError(part)
    return value


def same_value(fact: Fact, found: Any, file_hash: str) -> bool:
    """Whether a fact's value is what stands at its pointer.

    `.abs` is the absolute value, a list stands for its length, and some ids have a rule of their own (`_special.py`).
    A fact without a pointer is the file's hash.
    """
    if (special := rule_of(fact.id)) is not None:
        return special[0](fact, found)
    if not fact.pointer:
        return isinstance(fact.value, str) and len(fact.value) >= 12 and file_hash.startswith(fact.value)
    if isinstance(found, list | dict):
        return fact.value == len(found)
    if isinstance(found, bool) or isinstance(fact.value, bool) or isinstance(found, str):
        return bool(found == fact.value)
    if isinstance(found, int | float) and isinstance(fact.value, int | float):
        if fact.id.endswith(".abs"):
            found = abs(found)
        complement = fact.id == "study.ci_level" and abs(fact.value - (1 - found)) < 1e-12
        return bool(fact.value == found) or complement
    return False


def prints(fact: Fact) -> bool:
    """Whether a numeric fact's text shows its value, rounded, in some decimal unit (so 0.934 may print as
    93.4).

    p-values below a thousandth print as a bound; the level of intervals prints one minus alpha; words are
    free.
    """
    if isinstance(fact.value, bool | str) or fact.kind == "word":
        return True
    text = re.sub(r"\\,|\{,\}|\$|\s|(?<=\d),(?=\d{3})", "", fact.text).replace("−", "-")
    bound = text.startswith("<")
    match = re.fullmatch(r"<?(-?\d+(?:\.(\d+))?(?:e([+-]?\d+))?)", text)
    if match is None:
        return not re.search(r"\d", text)  # a label such as 'none'
    shown = float(match.group(1))
    if bound:
        return 0 <= fact.value < shown
    value = float(fact.value)
    digits = len(match.group(2) or "")
    half = 0.5 * 10.0 ** (int(match.group(3) or 0) - digits) * (1 + 1e-9)
    if fact.id == "study.ci_level":
        return any(abs(shown - 100 * level) <= half for level in (value, 1 - value))
    return any(abs(shown - value * 10.0**power) <= half + 1e-12 * abs(shown) for power in range(-6, 7))


def differences(fresh: Record, ours: Record) -> Iterator[tuple[str, Any, Any]]:
    """Places at which two records differ: pointer, value in the first, value in the second."""
    yield from _differ(fresh.model_dump(mode="json"), ours.model_dump(mode="json"), "")


def _differ(a: Any, b: Any, at: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(set(a) | set(b)):
            yield from _differ(a.get(key), b.get(key), f"{at}/{key}")
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for index, (x, y) in enumerate(zip(a, b, strict=True)):
            yield from _differ(x, y, f"{at}/{index}")
    elif isinstance(a, float) and isinstance(b, float | int) and not isinstance(b, bool):
        # A last digit may differ between machines whose libm differs; a fraud needs more than that.
        if abs(a - b) > 1e-8 * max(abs(a), abs(b), 1e-12):
            yield at, a, b
    elif a != b:
        yield at, a, b


def short(value: Any) -> str:
    """A value for a message, in at most sixty characters."""
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
