"""Text of strangers, and numbers, on a page of Markdown."""

from __future__ import annotations

import re

_MARKS = re.compile(r"([\\`*_{}\[\]<>#|!~&])")


def safe(text: str) -> str:
    """Text of strangers for a page of Markdown: one line, and nothing in it is markup."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    return _MARKS.sub(r"\\\1", " ".join(shown.split()))


def number(value: float | None) -> str:
    """Two decimals, or a dash."""
    return "–" if value is None else f"{value:.2f}"
