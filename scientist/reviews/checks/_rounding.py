"""What a printed number can stand for: decimals, and the interval that rounding leaves open. Pure."""

from __future__ import annotations

import re


def decimals(text: str) -> int:
    """Digits behind the point of a printed number; '1.5e-3' has four."""
    match = re.search(r"(?:\d|^|[^\d])\.(\d+)", text)
    places = len(match[1]) if match else 0
    power = (
        re.search(r"(?:[eE]|10\s?\^?\s?\{?)([-−+]?\d{1,3})\}?", text) if re.search(r"\d[eE]|[×x·]\s?10", text) else None
    )
    return places - int(power[1].replace("−", "-")) if power else places


def unit_of(text: str) -> float:
    """The value of the last printed digit."""
    return 10.0 ** -decimals(text)


def interval(value: float, text: str) -> tuple[float, float]:
    """The values that are printed so when they are rounded to nearest; the ends belong to it."""
    half = unit_of(text) / 2 * (1 + 1e-9)
    return value - half, value + half


def prints_as(actual: float, value: float, text: str) -> bool:
    """Whether `actual` is printed so, rounded to nearest or cut off."""
    return abs(actual - value) < unit_of(text) * (1 - 1e-9) and (
        abs(actual - value) <= unit_of(text) / 2 * (1 + 1e-6) or abs(actual) >= abs(value)
    )
