"""The sealed evaluator of the template `packing`: verifies a construction in exact arithmetic, tolerance zero.

Every problem is about an arrangement of n things, and every problem is made to *maximise* one `value`:

circles_n    n circles inside the unit square, no two of which overlap. `value` is the sum of the radii.
spread_n     n different points in the plane. `value` is the smallest squared distance between two of them, divided by
             the largest: one over the squared ratio of largest to smallest distance that the literature minimises.
spread3d_n   the same in space.

The objective is `relative`: `value` over the best value known for that problem, so that one means "as good as the best
known" whichever problem it is, and more than one would be a new record. What is best known is a decimal with a last
digit; it is taken with one unit of that digit added, lest a rounding error pass for a discovery. Where an optimum is
proven, `describe` says so and `relative` cannot exceed one.

Everything a candidate hands in is a decimal of at most 60 places, which is an integer multiple of 10^-60. All checks
are comparisons of integers: a circle that overlaps another by 10^-60 is refused, and no root is ever taken. The score is
an exact fraction, rounded down to the next floating-point number.
"""

from __future__ import annotations

import functools
import json
import math
import os
import re
import stat
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

PLACES = 60
ONE = 10**PLACES
NUMBER = re.compile(r"(-?)(0|[1-9][0-9]{0,2})(?:\.([0-9]{1,60}))?")
LARGEST_FILE = 1 << 16  # bytes of solution.json; 32 circles with all their digits take a tenth of it
REACHED = 1e-6  # a relative shortfall below it counts as having reached the best known value

TABLE = "listed as best known by Packomania in 2026-08"
LITERATURE = "best known as of 2026-08"
PROVEN = "Bateman and Erdos 1951"


class Problem(NamedTuple):
    """A problem, and the best value known for it as the literature writes it.

    `known` is a sum of radii or a squared ratio of distances; `exact` is the optimal value of a spread problem as
    (a + b sqrt 5) / c where it is proven.
    """

    kind: str
    n: int
    dimension: int
    title: str
    known: str
    by: str
    exact: tuple[int, int, int] | None = None

    @property
    def width(self) -> int:
        """Numbers that describe one circle or point."""
        return self.dimension + (self.kind == "circles")


PROBLEMS = {
    "circles_5": Problem("circles", 5, 2, "five circles in a square", "1.103553390593", TABLE),
    "circles_10": Problem("circles", 10, 2, "ten circles in a square", "1.591012852634", TABLE),
    "circles_26": Problem("circles", 26, 2, "twenty-six circles in a square", "2.635983084918", TABLE),
    "circles_32": Problem("circles", 32, 2, "thirty-two circles in a square", "2.939572771205", TABLE),
    "spread_3": Problem("spread", 3, 2, "three points in the plane", "1", PROVEN, (1, 0, 1)),
    "spread_4": Problem("spread", 4, 2, "four points in the plane", "2", PROVEN, (1, 0, 2)),
    "spread_5": Problem("spread", 5, 2, "five points in the plane", "2.618034", PROVEN, (3, -1, 2)),
    "spread_6": Problem("spread", 6, 2, "six points in the plane", "3.618034", PROVEN, (5, -1, 10)),
    "spread_7": Problem("spread", 7, 2, "seven points in the plane", "4", PROVEN, (1, 0, 4)),
    "spread_16": Problem("spread", 16, 2, "sixteen points in the plane", "12.889229907694", LITERATURE),
    "spread3d_14": Problem("spread", 14, 3, "fourteen points in space", "4.165783474580", LITERATURE),
}


def describe(knobs: dict[str, Any]) -> dict[str, int | float | str]:
    """Facts about a problem: its size, the best value known, who knows it, and the bound where it is proven optimal.

    `best_known` and `bound` are in units of the objective; `known_value` is the best known one in those of `value`.
    """
    name, problem = _selected(knobs)
    facts: dict[str, int | float | str] = {
        "name": name,
        "title": problem.title,
        "size": problem.n,
        "dimension": problem.dimension,
        "best_known": 1.0,
        "known_value": float(_in_print(name)),
    }
    measure = "sum of radii" if problem.kind == "circles" else "squared ratio of largest to smallest distance"
    facts["best_known_by"] = f"{measure} {problem.known}, {problem.by}"
    if problem.exact:
        facts["bound"] = 1.0
    return facts


def prepare(inputs: Path, knobs: dict[str, Any], seed: int) -> None:
    """Write `problem.json`: name, kind, n and dimension. There is nothing to hide, and nothing depends on the seed."""
    name, problem = _selected(knobs)
    told = {"problem": name, "kind": problem.kind, "n": problem.n, "dimension": problem.dimension}
    inputs.mkdir(parents=True, exist_ok=True)
    (inputs / "problem.json").write_text(json.dumps(told, sort_keys=True) + "\n", encoding="utf-8")


def score(outputs: Path, split: str, knobs: dict[str, Any], seed: int) -> dict[str, float]:
    """Metrics of `outputs/solution.json`, verified exactly.

    relative   value over the best value known, rounded down
    value      sum of radii, or smallest over largest squared distance, rounded down
    reached    1 where `relative` is within a millionth of one, else 0

    Raises ValueError, in one line, for anything that is not a feasible construction in the one form that is taken:
    {"problem": name, "circles": [["x", "y", "r"], ...]} or {"problem": name, "points": [["x", "y"(, "z")], ...]},
    every number a string such as "0.25" with at most three digits before the point and sixty after it.
    """
    if split != "keep":
        raise ValueError(f"no split '{split}': a construction is the same whoever looks at it")
    name, problem = _selected(knobs)
    rows = _read_solution(outputs, name, problem)
    value = _circles(rows) if problem.kind == "circles" else _spread(rows)
    relative = _round_down(value / _reference(name))
    return {"relative": relative, "value": _round_down(value), "reached": float(relative >= 1 - REACHED)}


def _selected(knobs: dict[str, Any]) -> tuple[str, Problem]:
    name = str(knobs["problem"])
    if name not in PROBLEMS:
        raise ValueError(f"no problem '{name}'")
    return name, PROBLEMS[name]


@functools.cache
def _reference(name: str) -> Fraction:
    """The best value known, not below it by any rounding: what `relative` divides by."""
    problem = PROBLEMS[name]
    if problem.exact:
        a, b, c = problem.exact
        # (a - |b| sqrt 5) / c, the root rounded down at the sixtieth place and the value therefore up
        root = math.isqrt(5 * b * b * ONE * ONE)
        return Fraction(a * ONE - root, c * ONE)
    places = len(problem.known.partition(".")[2])
    known, unit = Fraction(problem.known), Fraction(1, 10**places)
    return known + unit if problem.kind == "circles" else 1 / (known - unit)


def _in_print(name: str) -> Fraction:
    """The best value known: as far as its digits in print go, or the optimum where that is proven."""
    problem = PROBLEMS[name]
    if problem.exact:
        return _reference(name)
    return Fraction(problem.known) if problem.kind == "circles" else 1 / Fraction(problem.known)


def _round_down(value: Fraction) -> float:
    """The largest floating-point number that is not above a fraction."""
    nearest = value.numerator / value.denominator
    return nearest if Fraction(nearest) <= value else math.nextafter(nearest, -math.inf)


def _circles(rows: list[list[int]]) -> Fraction:
    """The sum of the radii. Raises ValueError unless every circle lies in the unit square and no two overlap."""
    for number, (x, y, r) in enumerate(rows):
        if r < 0:
            raise ValueError(f"circle {number} has a negative radius")
        if min(x, y) < r or max(x, y) > ONE - r:
            raise ValueError(f"circle {number} leaves the square")
    for (i, a), (j, b) in _pairs(rows):
        if (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 < (a[2] + b[2]) ** 2:
            raise ValueError(f"circles {i} and {j} overlap")
    return Fraction(sum(r for _, _, r in rows), ONE)


def _spread(rows: list[list[int]]) -> Fraction:
    """Smallest over largest squared distance. Raises ValueError where two points coincide."""
    squares = []
    for (i, a), (j, b) in _pairs(rows):
        square = sum((p - q) ** 2 for p, q in zip(a, b, strict=True))
        if square == 0:
            raise ValueError(f"points {i} and {j} coincide")
        squares.append(square)
    return Fraction(min(squares), max(squares))


def _pairs(rows: list[list[int]]) -> Iterator[tuple[tuple[int, list[int]], tuple[int, list[int]]]]:
    for j in range(len(rows)):
        for i in range(j):
            yield (i, rows[i]), (j, rows[j])


def _read_solution(outputs: Path, name: str, problem: Problem) -> list[list[int]]:
    """The construction in units of 10^-60, one list per circle or point, its form checked and nothing else."""
    found = _read_json(outputs)
    key = "circles" if problem.kind == "circles" else "points"
    if not isinstance(found, dict) or sorted(found) != sorted(("problem", key)):
        raise ValueError(f"solution.json must hold exactly 'problem' and '{key}'")
    if found["problem"] != name:
        raise ValueError(f"solution.json does not answer {name}")
    rows = found[key]
    if not isinstance(rows, list) or len(rows) != problem.n:
        raise ValueError(f"'{key}' must be a list of {problem.n}")
    for row in rows:
        if not isinstance(row, list) or len(row) != problem.width:
            raise ValueError(f"each of '{key}' must be a list of {problem.width} numbers in quotes")
    return [[_number(text) for text in row] for row in rows]


def _number(text: object) -> int:
    """A decimal such as "-0.25" in units of 10^-60. Length and form are known before any digit is converted."""
    match = NUMBER.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f'a number must be a string such as "0.25" with at most {PLACES} decimals')
    sign, whole, decimals = match[1], match[2], match[3] or ""
    size = int(whole) * ONE + int(decimals.ljust(PLACES, "0"))
    return -size if sign else size


def _read_json(outputs: Path) -> Any:
    """The object in `solution.json`: a small plain file, no name twice, no bare numbers."""
    try:
        if outputs.is_symlink():
            raise ValueError("outputs is a link")
        descriptor = os.open(outputs / "solution.json", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise ValueError(f"solution.json cannot be opened: {error.strerror}") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("solution.json is not a plain file")
        raw = os.read(descriptor, LARGEST_FILE + 1)
    finally:
        os.close(descriptor)
    if len(raw) > LARGEST_FILE:
        raise ValueError(f"solution.json has more than {LARGEST_FILE} bytes")

    def bare(text: str) -> Any:
        raise ValueError("solution.json holds a number without quotes: write exact decimals as strings")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("solution.json says the same name twice")
        return dict(pairs)

    try:
        return json.loads(
            raw.decode("utf-8"), parse_int=bare, parse_float=bare, parse_constant=bare, object_pairs_hook=once
        )
    except UnicodeDecodeError:
        raise ValueError("solution.json is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"solution.json is not JSON: {error.msg}") from None
    except RecursionError:
        raise ValueError("solution.json is nested too deeply") from None
