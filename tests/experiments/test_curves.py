"""Learning curves are hostile input: only points pass, however they are written, and they pass as they come."""

from __future__ import annotations

import json
import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from scientist.experiments._curves import LARGEST, MOST, Tail, parse_point, read_curve, render_curve

names = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,10}", fullmatch=True).filter(lambda name: name != "step")
points = st.builds(
    lambda step, rest: {"step": step, **rest},
    st.integers(0, 10**9),
    st.dictionaries(names, st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5),
)


@given(st.lists(points, max_size=20), st.lists(st.integers(1, 40), max_size=40))
def test_what_is_written_in_pieces_is_read_once_and_whole(
    tmp_path_factory: object, written: list[dict[str, float]], cuts: list[int]
) -> None:
    path = tmp_path_factory.mktemp("curve") / "metrics.jsonl"  # type: ignore[attr-defined]
    raw = render_curve(written)
    tail, found, at = Tail(path), [], 0
    with path.open("wb") as out:
        for size in [*cuts, len(raw)]:
            out.write(raw[at : at + size])
            out.flush()
            at += size
            found += tail.read()
    assert found == written == read_curve(path)


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda b: b.decode(errors="replace")))
def test_anything_else_is_passed_over(line: str) -> None:
    point = parse_point(line)
    assert point is None or (type(point["step"]) is int and len(point) > 1)


def test_what_is_no_point() -> None:
    for line in (
        '{"step": 1}',
        '{"loss": 2}',
        '{"step": true, "loss": 2}',
        '{"step": -1, "loss": 2}',
        '{"step": 1, "loss": NaN}',
        '{"step": 1, "loss": Infinity}',
        '{"step": 1, "loss": "low"}',
        '{"step": 1, "loss": true}',
        '{"step": 1, "lo ss": 1}',
        '[{"step": 1, "loss": 1}]',
        "[" * 100_000,
    ):
        assert parse_point(line) is None, line
    assert parse_point('{"step": 1, "loss": 2}') == {"step": 1, "loss": 2}


def test_a_flood_a_link_and_a_pipe(tmp_path: Path) -> None:
    flood = tmp_path / "flood.jsonl"
    line = json.dumps({"step": 1, "loss": 0.5}) + "\n"
    flood.write_text(line * (2 * LARGEST // len(line)), encoding="utf-8")
    assert 0 < len(read_curve(flood)) <= MOST
    link = tmp_path / "link.jsonl"
    link.symlink_to(flood)
    assert read_curve(link) == []
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    assert read_curve(pipe) == [], "and it did not wait for a writer"
    assert read_curve(tmp_path / "absent.jsonl") == []
