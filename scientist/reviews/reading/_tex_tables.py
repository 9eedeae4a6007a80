"""Rows and cells of a `tabular`. Pure; what a cell says is the caller's to read."""

from __future__ import annotations

import re
from collections.abc import Iterator

_RULES = re.compile(
    r"\\(?:hline|toprule|midrule|bottomrule|specialrule(?:\{[^{}]*\}){3}|cmidrule\s*(?:\([^)]*\))?\s*(?:\[[^\]]*\])?\s*"
    r"(?:\([^)]*\))?\s*\{[^{}]*\}|cline\s*\{[^{}]*\}|addlinespace\s*(?:\[[^\]]*\])?|rowcolor\s*(?:\[[^\]]*\])?\s*\{[^{}]*\}|"
    r"cellcolor\s*(?:\[[^\]]*\])?\s*\{[^{}]*\}|hdashline|endhead|endfirsthead|endfoot|endlastfoot|centering|arraybackslash|"
    r"noalign\s*\{[^{}]*\}|rule\s*\{[^{}]*\}\s*\{[^{}]*\}|morecmidrules)(?![A-Za-z])"
)
_PIECE = re.compile(
    r"\\begin\{|\\end\{|\\tabularnewline(?![A-Za-z])|\\\\\*?(?:\[[^\]\n]{0,20}\])?|\\.|[{}&]", re.DOTALL
)
_SPAN = re.compile(r"\\multicolumn\s*\{\s*(\d{1,2})\s*\}\s*")
ROWS = 2_000
CELLS = 60


def rows(body: str) -> list[list[str]]:
    """The cells of the body of a tabular as TeX, row by row; a cell over n columns is followed by n - 1 empty ones."""
    found: list[list[str]] = []
    for row in _rows(_RULES.sub(" ", body)):
        cells: list[str] = []
        for cell in row:
            span = _SPAN.search(cell)
            cells.append(cell[: span.start()] + _third(cell[span.end() :]) if span else cell)
            cells += [""] * (min(int(span[1]), CELLS) - 1 if span else 0)
        if any(cell.strip() for cell in cells):
            found.append(cells[:CELLS])
        if len(found) >= ROWS:
            break
    return found


def _rows(body: str) -> Iterator[list[str]]:
    row: list[str] = []
    depth = start = 0
    for piece in _PIECE.finditer(body):
        what = piece.group()
        if what in ("{", "\\begin{"):
            # The brace of \begin{name} closes at once; the environment itself is a level of its own.
            depth += 1 if what == "{" else 2
        elif what == "}":
            depth -= 1
        elif what == "\\end{":
            pass  # its brace closes the level that \begin opened
        elif depth == 0 and what == "&":
            row.append(body[start : piece.start()])
            start = piece.end()
        elif depth == 0 and (what.startswith("\\\\") or what == "\\tabularnewline"):
            yield [*row, body[start : piece.start()]]
            row, start = [], piece.end()
    yield [*row, body[start:]]


def _third(rest: str) -> str:
    """What \\multicolumn prints: its last argument, after the column's form."""
    depth = 0
    for piece in re.finditer(r"\\.|[{}]", rest):
        depth += (piece.group() == "{") - (piece.group() == "}")
        if depth == 0 and piece.group() == "}":
            return rest[piece.end() :]
    return rest
