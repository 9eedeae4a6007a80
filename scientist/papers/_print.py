"""How values and foreign text are printed: digits, counts, p-values, and plain text made safe for LaTeX."""

from __future__ import annotations

import re
import unicodedata

from scientist.papers._tokens import parse
from scientist.papers._unicode import set_text, typable
from scientist.papers._whitelist import check_latex
from scientist.template import Metric

LONGEST_UNIT = 40
LONGEST_TEXT = 2000
"""What is printed of one text of a template; a stranger's may be of any length."""

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "\n": " ",
    "\t": " ",
    "\r": " ",
}


def escape(text: str) -> str:
    """Plain text as LaTeX: special characters escaped, what no font can set replaced or dropped."""
    pieces: list[str] = []
    for char in unicodedata.normalize("NFC", text):
        piece = _ESCAPES.get(char) or (char if typable(char) else set_text(char))
        # A word of letters that cannot be set is one question mark: several in a row would look like a placeholder.
        if piece and not (piece == "?" and char != "?" and pieces[-1:] == ["?"]):
            pieces.append(piece)
    return "".join(pieces)


def told(text: str) -> str:
    """What somebody wrote, on one line, as LaTeX; code between backticks stands between quotes."""
    return escape(re.sub(r"`([^`]+)`", r"‘\1’", " ".join(text.split())))


def clipped(text: str, most: int = LONGEST_TEXT) -> str:
    """A text on one line, cut at a word when it is longer than `most` characters."""
    text = " ".join(text.split())
    if len(text) <= most:
        return text
    cut = text.rfind(" ", most // 2, most)
    return text[: cut if cut > 0 else most].rstrip(" ,;:.") + " ..."


def safe_unit(unit: str) -> str:
    """A unit declared as LaTeX: as it is where the whitelist allows it, else as the plain text that it is."""
    unit = " ".join(unit.split())
    if len(unit) > LONGEST_UNIT:
        return ""
    if check_latex(unit) or any(token.kind != "text" for token in parse(unit)):
        return escape(unit)
    return unit


def printed(value: float, metric: Metric) -> str:
    """A value or difference of a metric as the paper prints it; never '-0.0'."""
    text = f"{value * metric.scale:.{metric.digits}f}"
    return text.lstrip("-") if float(text) == 0 else text


def exact(value: float, metric: Metric) -> str:
    """A value with all the digits that results are stored with, for comparing it with a known one."""
    return f"{value * metric.scale:.10g}"


def counted(value: int) -> str:
    """A count: thousands set apart by a thin space from five digits on, as is usual in print."""
    return f"{value:,}".replace(",", r"\,") if abs(value) >= 10_000 else str(value)


def printed_p(p: float) -> str:
    """A p-value: three decimals, or below a thousandth."""
    return "$<$0.001" if p < 0.001 else f"{p:.3f}"
