"""Write the proven optima of the spread problems: regular polygons, with sixty decimals, in integer arithmetic.

    python make_known.py

In the plane, the smallest squared ratio of largest to smallest distance is 1 for three points (regular triangle), 2 for
four (square), (3 + sqrt 5) / 2 for five (regular pentagon), (5 + sqrt 5) / 2 for six (pentagon and centre) and 4 for seven
(regular hexagon and centre): Bateman and Erdos, Geometrical extrema suggested by a lemma of Besicovitch, American
Mathematical Monthly 58 (1951), 306-314.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

PLACES = 60
ONE = 10**PLACES


def root(square: int) -> int:
    """The square root of `square` units of 10^-60, in such units, rounded down."""
    return math.isqrt(square * ONE)


def decimal(value: int) -> str:
    digits = str(abs(value)).rjust(PLACES + 1, "0")
    return ("-" if value < 0 else "") + digits[:-PLACES] + "." + digits[-PLACES:]


five, three = root(5 * ONE), root(3 * ONE)
cos72, sin72 = (five - ONE) // 4, root(10 * ONE + 2 * five) // 4
cos36, sin36 = (five + ONE) // 4, root(10 * ONE - 2 * five) // 4
pentagon = [(ONE, 0), (cos72, sin72), (cos72, -sin72), (-cos36, sin36), (-cos36, -sin36)]
hexagon = [(x, y) for x in (ONE // 2, -ONE // 2) for y in (three // 2, -three // 2)] + [(ONE, 0), (-ONE, 0)]
KNOWN = {
    "spread_3": [(0, 0), (ONE, 0), (ONE // 2, three // 2)],
    "spread_4": [(0, 0), (ONE, 0), (0, ONE), (ONE, ONE)],
    "spread_5": pentagon,
    "spread_6": [*pentagon, (0, 0)],
    "spread_7": [*hexagon, (0, 0)],
}

for name, points in KNOWN.items():
    solution = {"problem": name, "points": [[decimal(value) for value in point] for point in points]}
    path = Path(__file__).with_name(f"{name}.json")
    path.write_text(json.dumps(solution, indent=1) + "\n", encoding="utf-8")
