"""The commands that a TeX project defines, and the braces that TeX groups by. Pure, bounded."""

from __future__ import annotations

import re
from dataclasses import dataclass

LEVELS = {"part": 1, "chapter": 1, "section": 1, "subsection": 2, "subsubsection": 3, "paragraph": 4, "subparagraph": 4}
ARGUMENT = 60_000  # characters of one argument
_DEFINED = re.compile(
    r"\\(?:(?:re|provide)?newcommand|renewcommand|providecommand|DeclareRobustCommand)\*?\s*"
    r"(?:\{\s*\\([A-Za-z@]+)\s*\}|\\([A-Za-z@]+))\s*(?:\[(\d)\])?\s*(?:\[([^\[\]]{0,200})\])?\s*(?=\{)"
    r"|\\def\s*\\([A-Za-z@]+)\s*((?:#\d)*)\s*(?=\{)|\\DeclareMathOperator\*?\s*\{\s*\\([A-Za-z@]+)\s*\}\s*(?=\{)"
)


@dataclass(frozen=True)
class Macro:
    """A command that the paper defines: how many arguments, the default of the first if it has one, what it writes."""

    count: int
    default: str | None
    body: str


def macros_of(text: str) -> dict[str, Macro]:
    """The commands that a text defines."""
    found: dict[str, Macro] = {}
    for match in _DEFINED.finditer(text):
        name = match[1] or match[2] or match[5] or match[7]
        body, end = group(text, match.end(), 4_000)
        if end < 0 or name in LEVELS or name in ("cite", "ref", "label", "begin", "end", "item", "caption", "section"):
            continue
        count = int(match[3] or 0) if not match[5] else len(match[6] or "") // 2
        found[name] = Macro(count, match[4] if match[3] else None, body)
    return found


def group(text: str, at: int, longest: int = ARGUMENT) -> tuple[str, int]:
    """The inside of the braces that open at `at`, and where it goes on; ("", -1) where they do not close."""
    depth = 0
    for match in re.compile(r"\\.|[{}]", re.DOTALL).finditer(text, at, at + longest):
        if match.group() == "{":
            depth += 1
        elif match.group() == "}":
            depth -= 1
            if depth == 0:
                return text[at + 1 : match.start()], match.end()
    return "", -1
