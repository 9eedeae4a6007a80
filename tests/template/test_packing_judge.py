"""The sealed evaluator of `packing`: exact, rounded down, and fooled by nothing that is not a construction."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from template_runs import ROOT, evaluator

PACKING = ROOT / "templates" / "packing"
JUDGE = evaluator(PACKING)
KNOWN = sorted((PACKING / "known").glob("*.json"))
PLACES = 60
UNIT = Fraction(1, 10**PLACES)


def text(value: Fraction) -> str:
    """A multiple of 10^-60 as a decimal."""
    scaled = value * 10**PLACES
    assert scaled.denominator == 1
    digits = str(abs(scaled.numerator)).rjust(PLACES + 1, "0")
    return ("-" if value < 0 else "") + digits[:-PLACES] + "." + digits[-PLACES:]


def hand_in(outputs: Path, problem: str, rows: list[list[Fraction]]) -> dict[str, float]:
    outputs.mkdir(parents=True, exist_ok=True)
    key = "circles" if problem.startswith("circles") else "points"
    solution = {"problem": problem, key: [[text(value) for value in row] for row in rows]}
    (outputs / "solution.json").write_text(json.dumps(solution), encoding="utf-8")
    return dict(JUDGE.score(outputs, "keep", {"problem": problem}, 0))


def read(path: Path) -> list[list[Fraction]]:
    found = json.loads(path.read_text(encoding="utf-8"))
    return [[Fraction(value) for value in row] for row in found.get("circles") or found["points"]]


def is_below(score: float, exact: Fraction) -> bool:
    """`score` is `exact` rounded down."""
    return Fraction(score) <= exact < Fraction(math.nextafter(score, math.inf))


# Exactness

places = st.integers(0, 10**12).map(lambda k: Fraction(k, 10**12))


@given(st.lists(st.tuples(places, places), min_size=5, max_size=5), st.integers(0, 10**6))
def test_random_feasible_circles_are_accepted_with_the_value_of_an_independent_sum(
    tmp_path_factory: Any, centres: list[tuple[Fraction, Fraction]], seed: int
) -> None:
    """Each circle in turn is as large as an inscribed decimal square lets it be: feasible without any root."""
    rows: list[list[Fraction]] = []
    for x, y in centres:
        room = min(x, 1 - x, y, 1 - y)
        for a, b, r in rows:  # a distance is at least its larger component
            room = min(room, max(abs(x - a), abs(y - b)) - r)
        if room < 0:
            return
        rows.append([x, y, room])
    scores = hand_in(tmp_path_factory.mktemp("o"), "circles_5", rows)
    value = sum((row[2] for row in rows), Fraction(0))
    assert is_below(scores["value"], value)
    assert is_below(scores["relative"], value / (Fraction("1.103553390593") + Fraction(1, 10**12)))
    assert scores["relative"] < 1
    assert scores["reached"] == 0


@given(
    st.lists(st.tuples(places, places), min_size=7, max_size=7, unique=True),
    st.integers(-9, 9),
    st.integers(-500, 499),
)
def test_the_value_of_random_points_is_theirs_and_knows_neither_scale_nor_place(
    tmp_path_factory: Any, points: list[tuple[Fraction, Fraction]], turn: int, shift: int
) -> None:
    outputs = tmp_path_factory.mktemp("o")
    rows = [list(point) for point in points]
    scores = hand_in(outputs, "spread_7", rows)
    squares = [(a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 for k, a in enumerate(points) for b in points[:k]]
    value = min(squares) / max(squares)
    assert is_below(scores["value"], value)
    assert is_below(scores["relative"], 4 * value)
    assert scores["relative"] <= 1
    other = [[shift + turn * x + 20 * y, 20 * x - turn * y] for x, y in points]  # a similarity
    assert hand_in(outputs, "spread_7", other) == scores


@given(st.sampled_from([(3, 4, 5), (5, 12, 13), (8, 15, 17), (20, 21, 29)]), st.integers(1, 10**20), st.data())
def test_touching_is_allowed_and_overlapping_by_the_last_place_is_not(
    tmp_path_factory: Any, triple: tuple[int, int, int], k: int, data: st.DataObject
) -> None:
    """Two circles at a rational distance touch exactly; 10^-60 more of either radius, or less between them, is too much."""
    outputs = tmp_path_factory.mktemp("o")
    across, up, distance = (side * Fraction(k, 10**23) for side in triple)
    share = Fraction(data.draw(st.integers(1, 99)), 100)
    first, second = share * distance, (1 - share) * distance
    x = Fraction(3, 10)
    rest = [[Fraction(9, 10), Fraction(i, 10), Fraction(0)] for i in range(3)]
    tight = [[x, x, first], [x + across, x + up, second], *rest]
    assert is_below(hand_in(outputs, "circles_5", tight)["value"], first + second)
    for row, column, change in ((0, 2, UNIT), (1, 2, UNIT), (0, 0, UNIT), (1, 1, -UNIT)):
        moved = [list(line) for line in tight]
        moved[row][column] += change
        with pytest.raises(ValueError, match="circles 0 and 1 overlap"):
            hand_in(outputs, "circles_5", moved)


@pytest.mark.parametrize("side", range(4))
def test_a_wall_may_be_touched_and_not_crossed(side: int, tmp_path: Path) -> None:
    r, half = Fraction(1, 4), Fraction(1, 2)
    x, y = [(r, half), (1 - r, half), (half, r), (half, 1 - r)][side]
    away = [[Fraction(i, 10) + Fraction(1, 20), Fraction(1, 20) * (i % 2), Fraction(0)] for i in (0, 1, 8, 9)]
    assert hand_in(tmp_path, "circles_5", [[x, y, r], *away])["value"] == 0.25
    outward = UNIT if side % 2 else -UNIT
    for row in ([x, y, r + UNIT], [x + outward, y, r] if side < 2 else [x, y + outward, r]):
        with pytest.raises(ValueError, match="circle 0 leaves the square"):
            hand_in(tmp_path, "circles_5", [row, *away])


@given(st.integers(1, 10**40), st.integers(1, 10**40))
def test_scores_are_rounded_down_never_up(a: int, b: int) -> None:
    assert is_below(JUDGE._round_down(Fraction(a, b)), Fraction(a, b))


@pytest.mark.parametrize("path", KNOWN, ids=lambda path: path.stem)
def test_known_constructions_stand_and_fall_with_a_hair(path: Path, tmp_path: Path) -> None:
    rows, hair = read(path), Fraction(1, 10**11)
    scores = hand_in(tmp_path, path.stem, rows)
    assert 1 - 1e-11 < scores["relative"] <= 1
    assert scores["reached"] == 1
    if path.stem.startswith("circles"):
        # Every circle of these rigid packings is held by others.
        for k in range(len(rows)):
            grown = [[*row[:2], row[2] + (hair if i == k else 0)] for i, row in enumerate(rows)]
            with pytest.raises(ValueError, match=r"overlap|leaves"):
                hand_in(tmp_path, path.stem, grown)
        moved = [[row[0] + (hair if i == 0 else 0), *row[1:]] for i, row in enumerate(rows)]
        with pytest.raises(ValueError, match=r"overlap|leaves"):
            hand_in(tmp_path, path.stem, moved)
    else:
        moved = [[row[0] + (hair if i == 0 else 0), *row[1:]] for i, row in enumerate(rows)]
        assert hand_in(tmp_path, path.stem, moved)["relative"] < scores["relative"]


def test_a_decimal_may_be_short() -> None:
    assert JUDGE._number("0.25") == 10**60 // 4
    assert JUDGE._number("-1") == -(10**60)
    assert JUDGE._number("-0.0") == 0
    assert JUDGE._number("0." + "0" * 59 + "1") == 1


# References


def test_references_are_not_below_what_is_printed_and_enclose_what_is_proven() -> None:
    polynomial: dict[str, Callable[[Fraction], Fraction]] = {
        "spread_3": lambda v: v - 1,
        "spread_4": lambda v: 2 * v - 1,
        "spread_5": lambda v: -(v * v - 3 * v + 1),  # zero at (3 - sqrt 5) / 2, rising there
        "spread_6": lambda v: -(5 * v * v - 5 * v + 1),  # zero at (5 - sqrt 5) / 10
        "spread_7": lambda v: 4 * v - 1,
    }
    for name, problem in JUDGE.PROBLEMS.items():
        reference, facts = JUDGE._reference(name), JUDGE.describe({"problem": name})
        known = Fraction(problem.known) if problem.kind == "circles" else 1 / Fraction(problem.known)
        assert abs(reference / known - 1) < 1e-6
        assert ("bound" in facts) == (name in polynomial) == (problem.exact is not None)
        if name in polynomial:
            assert facts["bound"] == 1.0
            assert polynomial[name](reference) >= 0 > polynomial[name](reference - Fraction(2, 10**60))
        else:
            assert known < reference < known * (1 + Fraction(1, 10**11))


def test_the_areas_of_circles_and_points_bound_every_reference() -> None:
    """Circles fit no better than their area; points at distance one in a set of diameter D need (D + 1)^2 >= n."""
    for name, problem in JUDGE.PROBLEMS.items():
        reference = float(JUDGE._reference(name))
        if problem.kind == "circles":
            assert reference < math.sqrt(problem.n / math.pi)
        else:
            diameter = problem.n ** (1 / problem.dimension) - 1
            assert reference <= 1 / max(diameter, 1) ** 2


def test_facts_name_the_problem_and_who_knows_its_value() -> None:
    facts = JUDGE.describe({"problem": "circles_26"})
    assert facts["best_known"] == 1.0
    assert facts["known_value"] == pytest.approx(2.635983084918, abs=2e-12)
    assert facts["best_known_by"] == "sum of radii 2.635983084918, listed as best known by Packomania in 2026-08"
    assert "Bateman" in str(JUDGE.describe({"problem": "spread_6"})["best_known_by"])
    with pytest.raises(ValueError, match="no problem 'circles_27'"):
        JUDGE.describe({"problem": "circles_27"})


def test_nothing_in_the_inputs_depends_on_the_seed(tmp_path: Path) -> None:
    for seed in (1, 2):
        JUDGE.prepare(tmp_path / str(seed), {"problem": "spread3d_14"}, seed)
    a, b = (tmp_path / str(seed) / "problem.json" for seed in (1, 2))
    assert a.read_bytes() == b.read_bytes()
    assert json.loads(a.read_text()) == {"problem": "spread3d_14", "kind": "spread", "n": 14, "dimension": 3}


def test_only_keep_can_be_scored(tmp_path: Path) -> None:
    hand_in(tmp_path, "spread_4", read(PACKING / "known/spread_4.json"))
    with pytest.raises(ValueError, match="no split 'final'"):
        JUDGE.score(tmp_path, "final", {"problem": "spread_4"}, 0)


# Bad artefacts

SQUARE: list[list[Any]] = [["0", "0"], ["1", "0"], ["0", "1"], ["1", "1"]]


def write(content: str | bytes) -> Callable[[Path], object]:
    raw = content.encode() if isinstance(content, str) else content
    return lambda outputs: (outputs / "solution.json").write_bytes(raw)


def points(*first: Any, **more: Any) -> Callable[[Path], object]:
    return write(json.dumps({"problem": "spread_4", "points": [list(first), *SQUARE[1:]], **more}))


def linked(outputs: Path) -> None:
    points("0", "0")(outputs)
    (outputs / "solution.json").rename(outputs.parent / "real.json")
    (outputs / "solution.json").symlink_to(outputs.parent / "real.json")


def folder_linked(outputs: Path) -> None:
    (outputs.parent / "elsewhere").mkdir()
    points("0", "0")(outputs.parent / "elsewhere")
    outputs.rmdir()
    outputs.symlink_to(outputs.parent / "elsewhere")


FORM = "a number must be a string"
BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda outputs: None, "cannot be opened"),
    "a folder": (lambda outputs: (outputs / "solution.json").mkdir(), "not a plain file"),
    "a pipe": (lambda outputs: os.mkfifo(outputs / "solution.json"), "not a plain file"),
    "a link": (linked, "cannot be opened"),
    "a linked folder": (folder_linked, "is a link"),
    "too large": (write(b" " * (1 << 17)), "more than"),
    "empty": (write(""), "not JSON"),
    "not text": (write(b"\xff\xfe\x00"), "not UTF-8"),
    "a byte-order mark": (write("\ufeff{}"), "not JSON"),
    "deep": (write("[" * 30_000), "too deeply|not JSON"),
    "a list": (write("[]"), "exactly"),
    "a word": (write('"spread_4"'), "exactly"),
    "null": (write("null"), "exactly"),
    "nothing in it": (write("{}"), "exactly"),
    "no points": (write('{"problem": "spread_4"}'), "exactly"),
    "points and circles": (points("0", "0", circles=[]), "exactly"),
    "its own score": (points("0", "0", relative="1"), "exactly"),
    "another problem": (points("0", "0", problem="spread_3"), "does not answer"),
    "a problem that is a list": (points("0", "0", problem=["spread_4"]), "does not answer"),
    "points twice": (write('{"problem": "spread_4", "points": [], "points": []}'), "twice"),
    "a point too few": (write(json.dumps({"problem": "spread_4", "points": SQUARE[:3]})), "a list of 4"),
    "a point too many": (write(json.dumps({"problem": "spread_4", "points": [*SQUARE, ["2", "2"]]})), "a list of 4"),
    "points by name": (write('{"problem": "spread_4", "points": {"0": ["0", "0"]}}'), "a list of 4"),
    "one coordinate": (points("0"), "a list of 2"),
    "three coordinates": (points("0", "0", "0"), "a list of 2"),
    "a point in words": (write(json.dumps({"problem": "spread_4", "points": ["00", "10", "01", "11"]})), "a list of 2"),
    "a whole number": (points(0, "0"), "without quotes"),
    "a float": (points(0.5, "0"), "without quotes"),
    "NaN": (points(math.nan, "0"), "without quotes"),
    "infinity": (points(-math.inf, "0"), "without quotes"),
    "a whole number of ten thousand digits": (write('{"a": ' + "9" * 10_000 + "}"), "without quotes"),
    "null for a number": (points(None, "0"), FORM),
    "true for a number": (points(True, "0"), FORM),
    "a list for a number": (points(["0"], "0"), FORM),
    "coinciding": (points("1", "1.000"), "points 0 and 3 coincide"),
    **{
        f"the number {bad!r}": (points(bad, "0"), FORM)
        for bad in (
            "", " 0", "0\n", "+1", "--1", "1e3", "1E999999999", "nan", "inf", "1/2", "0x1", "1_0", ".5", "5.", "00", "01",
            "1000", "0," + "5", "0." + "1" * 61, "9" * 5000, "٣", "½", "0.٣", "1.5.2", "−1",
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(BAD))
def test_a_bad_artefact_is_refused_in_one_line(case: str, tmp_path: Path) -> None:
    make, words = BAD[case]
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    make(outputs)
    with pytest.raises(ValueError, match=words) as caught:
        JUDGE.score(outputs, "keep", {"problem": "spread_4"}, 0)
    assert "\n" not in str(caught.value)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_files_are_refused_or_scored_no_better_than_the_optimum(
    tmp_path_factory: Any, data: st.DataObject
) -> None:
    outputs = tmp_path_factory.mktemp("o")
    path = data.draw(st.sampled_from(KNOWN))
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place] = data.draw(st.one_of(st.integers(0, 255), st.sampled_from(b"0123456789.-")))
    (outputs / "solution.json").write_bytes(
        bytes(raw[: data.draw(st.sampled_from([len(raw), len(raw), len(raw) // 2]))])
    )
    try:
        scores = JUDGE.score(outputs, "keep", {"problem": path.stem}, 0)
    except ValueError as error:
        assert "\n" not in str(error)
    else:
        assert 0 <= scores["relative"] <= 1


def test_the_evaluator_imports_neither_candidate_nor_anything_dangerous() -> None:
    code = (PACKING / "evaluate.py").read_text(encoding="utf-8")
    assert not re.search(r"^\s*(import|from)\s+(train|pickle|subprocess|scientist|numpy|scipy)\b", code, re.MULTILINE)
