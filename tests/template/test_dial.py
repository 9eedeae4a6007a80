"""The synthetic template: its effects and spreads are what its evaluator says, so that statistics can be tested on it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from template_runs import DIAL, arrange, evaluator, execute

from scientist.lab import KnobValue
from scientist.template import load_template

TEMPLATE = load_template(DIAL)
JUDGE = evaluator(DIAL)
SEEDS = 150


def scores(place: Path, partial: dict[str, KnobValue], split: str = "keep", seeds: int = SEEDS) -> np.ndarray:
    found = []
    for seed in range(seeds):
        folder = place / str(seed)
        if not folder.exists():
            arrange(TEMPLATE, JUDGE, folder, partial, seed)
            execute(DIAL / "train.py", folder)
        found.append(JUDGE.score(folder / "outputs", split, TEMPLATE.complete(partial), seed)["score"])
    return np.array(found)


def test_an_idle_dial_moves_nothing_but_the_noise(tmp_path: Path) -> None:
    still, idle = (scores(tmp_path / str(n), {"nothing": n}) for n in (0, 1))
    difference = idle - still
    assert abs(difference.mean()) < 3 * np.sqrt(2 / SEEDS)
    assert abs(difference.std(ddof=1) / np.sqrt(2) - 1) < 3 / np.sqrt(2 * SEEDS)
    assert abs(still.std(ddof=1) - 1) < 3 / np.sqrt(2 * SEEDS)
    assert abs(np.corrcoef(still, idle)[0, 1]) < 3 / np.sqrt(SEEDS), "shared noise would shrink the difference"


@pytest.mark.parametrize("level", ["a", "b", "c"])
def test_the_dial_moves_the_score_by_its_strength(level: str, tmp_path: Path) -> None:
    low, high = (scores(tmp_path / str(e), {"effect": e, "level": level}) for e in (0.0, 2.0))
    assert abs((high - low).mean() - 2 * JUDGE.STRENGTH[level]) < 3 * np.sqrt(2 / SEEDS)


def test_the_noise_of_a_split_is_shared_by_all_variants(tmp_path: Path) -> None:
    gaps = {}
    for split in JUDGE.SPLITS:
        low, high = (scores(tmp_path / str(e), {"effect": e}, split, 5) for e in (0.0, 1.0))
        gaps[split] = high - low
        assert not np.array_equal(low, scores(tmp_path / "0.0", {}, "keep" if split != "keep" else "final", 5))
    assert np.allclose(gaps["search"], gaps["keep"])
    assert np.allclose(gaps["keep"], gaps["final"])


def test_planted_faults_that_end_at_once(tmp_path: Path) -> None:
    arrange(TEMPLATE, JUDGE, tmp_path / "crash", {"fault": "crash"})
    with pytest.raises(RuntimeError, match="planted crash"):
        execute(DIAL / "train.py", tmp_path / "crash")
    full = arrange(TEMPLATE, JUDGE, tmp_path / "bad", {"fault": "badshape"})
    execute(DIAL / "train.py", tmp_path / "bad")
    with pytest.raises(ValueError, match="not a number"):
        JUDGE.score(tmp_path / "bad/outputs", "keep", full, 0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        "{}",
        '{"value": NaN}',
        '{"value": -Infinity}',
        '{"value": true}',
        '{"value": "1"}',
        "[" * 4000,
        json.dumps({"value": 10**3000}),
        " " * 5000,
        '{"value": 1e9}',
    ],
    ids=lambda text: text[:20],
)
def test_bad_values_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "value.json").write_text(text)
    with pytest.raises(ValueError):
        JUDGE.score(tmp_path, "keep", TEMPLATE.defaults, 0)
