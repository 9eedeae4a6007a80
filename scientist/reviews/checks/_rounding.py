"""What a printed number can stand for: decimals, and the interval that rounding leaves open. Pure."""

from __future__ import annotations

import re

PRINTED = r"[-−–+]?\s?(?:\d{1,3}(?:,\d{3})+|\d{1,12})?(?:\.\d{1,12})?(?:[eE][-−+]?\d{1,3}|\s?[×x·]\s?10\s?\^?\{?[-−]?\d{1,3}\}?)?"
"""A number as it is printed, with a power of ten or without."""


def value_of(text: str) -> float:
    """The value of a printed number: '1.73 × 10-6', '1.5e-3', '2,047'. ValueError where it is none."""
    text = re.sub(r"[−–]", "-", text.replace(",", "").replace(" ", "")).lstrip("+")
    power = re.search(r"[×x·]10\^?\{?(-?\d{1,3})\}?$", text)
    return float(text[: power.start()]) * 10.0 ** int(power[1]) if power else float(text)


def decimals(text: str) -> int:
    """Digits behind the point of a printed number; '1.5e-3' has four."""
    match = re.search(r"(?:\d|^|[^\d])\.(\d+)", text)
    places = len(match[1]) if match else 0
    power = re.search(r"(?:\d[eE]|[×x·]\s?10\s?\^?\s?\{?)([-−+]?\d{1,3})\}?", text)
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
