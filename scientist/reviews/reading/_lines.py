"""Words of a PDF's page with their places, and the lines that they stand in. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from statistics import median

_BOLD = re.compile(
    r"bold|black|heavy|semibold|demi|-bd|\bcmb|cmbx|sfbx|nimbus\w*-medi|-medi|ptmb|phvb|msbm?x", re.IGNORECASE
)
_MATH = re.compile(r"^(?:\w{6}\+)?(?:CM(?:MI|SY|EX|BSY|MIB)|LMMath|MSAM|MSBM|EUFM|rsfs|txmi|txsy|txex|pxmi|ntxmi|StandardSymL|Symbol|STIX\w*Math|"
                   r"XITSMath|LatinModernMath|CambriaMath|MTMI|MTSY|MTEX|ZapfDingbats|eufm|stmary|wasy|esint|LibertineMath|lmsy|lmmi|lmex)", re.IGNORECASE)  # fmt: skip


@lru_cache(maxsize=4096)
def _is_bold(font: str) -> bool:
    return _BOLD.search(font) is not None


@lru_cache(maxsize=4096)
def _is_math(font: str) -> bool:
    return _MATH.match(font) is not None


@dataclass(frozen=True)
class Word:
    """A word of a page: its place in points from the upper left corner, its baseline, its size and font."""

    text: str
    left: float
    top: float
    right: float
    bottom: float
    base: float
    size: float
    font: str

    @property
    def bold(self) -> bool:
        """Whether its font is a bold one."""
        return _is_bold(self.font)

    @property
    def math(self) -> bool:
        """Whether its font is one for formulas."""
        return _is_math(self.font)


@dataclass
class Line:
    """Words on one baseline in one column. `edge`: left and right of the column; `gap`: space above it in points."""

    words: list[Word]
    page: int
    edge: tuple[float, float] = (0.0, 0.0)
    column: int = 0
    scripts: dict[int, int] = field(default_factory=dict)  # id of a word -> 1 raised, -1 lowered

    @cached_property
    def left(self) -> float:
        """Where it begins."""
        return min(word.left for word in self.words)

    @cached_property
    def right(self) -> float:
        """Where it ends."""
        return max(word.right for word in self.words)

    @property
    def top(self) -> float:
        """Upper edge of its ordinary words, by their size."""
        return self.base - 0.75 * self.size

    @property
    def bottom(self) -> float:
        """Lower edge of its ordinary words, by their size."""
        return self.base + 0.25 * self.size

    @cached_property
    def size(self) -> float:
        """The size in which most of it is set."""
        return (
            _commonest((word.size, len(word.text)) for word in self.words if id(word) not in self.scripts)
            or self.words[0].size
        )

    @cached_property
    def base(self) -> float:
        """The baseline of its ordinary words."""
        return (
            median(word.base for word in self.words if id(word) not in self.scripts)
            if len(self.scripts) < len(self.words)
            else self.words[0].base
        )

    @cached_property
    def bold(self) -> bool:
        """Whether nearly all of it is bold."""
        return self.share(lambda word: word.bold) > 0.85

    @cached_property
    def text(self) -> str:
        """What it says."""
        return line_text(self)

    def forget(self) -> None:
        """Its words changed: what was worked out from them no longer holds."""
        for name in ("left", "right", "size", "base", "bold", "text"):
            self.__dict__.pop(name, None)

    def share(self, holds: Callable[[Word], bool]) -> float:
        """The share of its characters whose word is of a kind."""
        total = sum(len(word.text) for word in self.words)
        return sum(len(word.text) for word in self.words if holds(word)) / max(1, total)

    def cells(self, least: float = 0.75) -> list[list[Word]]:
        """Its words, parted where the space between two is wider than `least` of the size."""
        parts: list[list[Word]] = [[]]
        right = None
        for word in self.words:
            if right is not None and word.left - right > least * max(self.size, 5.0):
                parts.append([])
            parts[-1].append(word)
            right = word.right if right is None else max(right, word.right)
        return parts


def _commonest(pairs: Iterable[tuple[float, int]]) -> float:
    counts: Counter[float] = Counter()
    for value, weight in pairs:
        counts[round(value, 1)] += weight
    return min(counts, key=lambda value: (-counts[value], value)) if counts else 0.0


def line_text(line: Line, words: Sequence[Word] | None = None) -> str:
    """Words as text: a space where there is room for one; a number raised behind a number is a power."""
    said = ""
    right: float | None = None
    last: Word | None = None
    for word in line.words if words is None else words:
        raised = line.scripts.get(id(word), 0)
        gap = 0.0 if right is None else word.left - right
        # Small capitals made of two sizes are kerned apart: 'S' and 'ETTING' are one word.
        capital = last is not None and last.text[-1:].isupper() and word.text.isupper() and word.size < 0.9 * last.size
        least = (0.24 if capital else 0.13) * max(line.size, 4.0)
        if right is not None and gap > least and not (raised and gap < 0.25 * line.size):
            said += " "
        elif raised > 0 and said[-1:].isdigit() and re.match(r"[-−–]?\d", word.text):
            said += "^"
        said += word.text
        last = word
        right = word.right if right is None else max(right, word.right)
    return " ".join(said.split())


@dataclass
class Sheet:
    """One page: its words, its size, its thin lines: level ones (left, height, right), upright ones (place, top, bottom)."""

    number: int
    width: float
    height: float
    words: list[Word]
    rules: list[tuple[float, float, float]] = field(default_factory=list)
    walls: list[tuple[float, float, float]] = field(default_factory=list)
