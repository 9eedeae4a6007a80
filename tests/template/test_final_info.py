"""What a script reports is read in every dialect, and its standard errors are held against its raw values."""

from __future__ import annotations

import json
import math
import statistics
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scientist.template import load_final_info, recompute
from scientist.template._final_info import by_name, flattened, read_reported
from scientist.template._metrics import choose_metrics, direction_of, reads_the_clock, smallest_effect
from scientist.template._words import has_digits

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "ai_written_papers"

BLOCK = {
    "hills": {
        "means": {"val_loss_mean": 2.0, "steps_mean": 30},
        "stderrs": {"val_loss_stderr": 0.27216552697590873, "steps_stderr": 0.0},
        "final_info_dict": {"val_loss": [1.0, 2.0, 3.0], "steps": [30, 30, 30]},
    },
    "lakes": {"means": {"val_loss_mean": 5.0}, "stderrs": {}, "final_info_dict": {"val_loss": [5.0]}},
}


def means(info: Any) -> dict[str, float]:
    return {name: one.mean for name, one in by_name(read_reported(info)).items()}


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        (BLOCK, {"hills_val_loss": 2.0, "hills_steps": 30.0, "lakes_val_loss": 5.0}),
        ({"circle": {"means": {"eval_loss": 0.5, "kl": 1.5}}}, {"eval_loss": 0.5, "kl": 1.5}),
        ({"means": {"acc_mean": 0.5}, "stderrs": {"acc": 0.1}}, {"acc": 0.5}),
        ({"acc": 0.5, "loss": 2}, {"acc": 0.5, "loss": 2.0}),
        ({"acc_mean": 0.5, "acc_std": 0.1, "curve": [1, 2, 3], "done": True, "note": "x"}, {"acc": 0.5}),
        ({"acc": {"mean": 0.5, "std": 0.1}}, {"acc": 0.5}),
        ({"a": {"b": {"acc": 1}}, "c": {"acc": 2}}, {"a_b_acc": 1.0, "c_acc": 2.0}),
        ({"a": {"final_info_dict": {"acc": [1.0, 3.0]}}}, {"acc": 2.0}),
        ({"a": {"means": {"acc": [0.5], "matrix": [[1, 2], [3, 4]], "ok": False}}}, {"acc": 0.5}),
        ({"a": {"means": {"acc": 1}, "final_info_dict": {"run_1": {"x": 2}}}}, {"acc": 1.0}),
        ({"loss_std": 0.25}, {"loss_std": 0.25}),
    ],
)
def test_dialects(info: Any, expected: dict[str, float]) -> None:
    assert means(info) == expected


def test_a_standard_deviation_is_not_taken_for_a_standard_error() -> None:
    (one,) = read_reported({"acc_mean": 0.5, "acc_std": 0.1})
    assert one.stderr is None
    (one,) = read_reported({"acc_mean": 0.5, "acc_stderr": 0.1})
    assert (one.stderr, one.stderr_pointer) == (0.1, "/acc_stderr")


@pytest.mark.parametrize("info", [[], 3, None, {}, {"a": "b"}, {"a": {"means": {}}}, {"a": [1, 2]}])
def test_nothing_to_read_is_said_in_one_line(info: Any) -> None:
    with pytest.raises(ValueError, match=r"final_info\.json") as error:
        read_reported(info)
    assert "\n" not in str(error.value)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "final_info.json"
    with pytest.raises(ValueError, match="missing"):
        load_final_info(path)
    for text in ("{", "[" * 100_000, "\xff"):
        path.write_bytes(text.encode("latin-1"))
        with pytest.raises(ValueError, match=r"final_info\.json"):
            load_final_info(path)
    path.write_text('{"loss": NaN, "acc": Infinity, "kl": 1.0}')
    assert flattened(read_reported(load_final_info(path))) == {"kl": 1.0}
    other = tmp_path / "other.json"
    other.write_text('{"acc": 1}')
    path.unlink()
    path.symlink_to(other)
    with pytest.raises(ValueError, match="missing"):
        load_final_info(path)


def test_names_mean_the_same_thing_whatever_else_is_reported() -> None:
    first = flattened(read_reported({"a b": {"acc": 1.0}, "a_b": {"acc": 2.0}}))
    again = flattened(read_reported({"a_b": {"acc": 2.0}, "a b": {"acc": 1.0}}))
    assert first == again and {1.0, 2.0} <= set(first.values())
    # One data set: the short name and the long one both lead there.
    assert flattened(read_reported({"hills": {"acc": 1.0}})) == {"acc": 1.0, "hills_acc": 1.0}


def test_standard_errors_are_recomputed_and_the_formula_is_named() -> None:
    checks = {check.name: check for check in recompute(BLOCK)}
    loss = checks["hills_val_loss"]
    assert (loss.n, loss.mean, loss.sd) == (3, 2.0, 1.0)
    assert loss.stderr == pytest.approx(1 / math.sqrt(3))
    assert loss.formula == "population sd / n", "numpy's std over n, divided by n once more"
    assert loss.difference == pytest.approx(0.27216552697590873 - 1 / math.sqrt(3))
    assert loss.pointer == "/hills/means/val_loss_mean" and loss.stderr_pointer == "/hills/stderrs/val_loss_stderr"
    lone = checks["lakes_val_loss"]
    assert (lone.n, lone.sd, lone.stderr, lone.formula) == (1, None, None, "")


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=9),
    st.sampled_from(["sd / sqrt(n)", "population sd / sqrt(n)", "population sd / n", "sd / n", "population sd", "sd"]),
)
def test_every_formula_is_recognised(values: list[float], formula: str) -> None:
    n, sd, population = len(values), statistics.stdev(values), statistics.pstdev(values)
    given_error = {
        "sd / sqrt(n)": sd / math.sqrt(n),
        "population sd / sqrt(n)": population / math.sqrt(n),
        "population sd / n": population / n,
        "sd / n": sd / n,
        "population sd": population,
        "sd": sd,
    }[formula]
    info = {"means": {"x": statistics.fmean(values)}, "stderrs": {"x": given_error}, "final_info_dict": {"x": values}}
    (check,) = recompute(info)
    assert check.stderr == pytest.approx(sd / math.sqrt(n), rel=1e-6, abs=1e-9)
    if sd > 1e-3:
        # With two values several formulas give the same number; the one that is named must give it.
        named = {
            "sd / sqrt(n)": sd / math.sqrt(n),
            "population sd / sqrt(n)": population / math.sqrt(n),
            "population sd / n": population / n,
            "sd / n": sd / n,
            "population sd": population,
            "sd": sd,
        }[check.formula]
        assert named == pytest.approx(given_error, rel=1e-3)
    assert check.mean_agrees


def test_a_mean_that_its_values_contradict_is_seen() -> None:
    (check,) = recompute({"means": {"x": 9.0}, "final_info_dict": {"x": [1.0, 2.0]}})
    assert not check.mean_agrees and check.mean == 1.5


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
        max_leaves=12,
    )
)
def test_any_json_is_read_or_refused_and_nothing_else(info: Any) -> None:
    try:
        found = flattened(read_reported(json.loads(json.dumps(info))))
    except ValueError:
        return
    assert all(math.isfinite(value) for value in found.values())
    assert all(name[:1].isalpha() and name.replace("_", "").isalnum() for name in found)


@pytest.mark.parametrize(
    ("key", "direction", "sure"),
    [
        ("best_val_loss", "minimize", True),
        ("final_val_acc", "maximize", True),
        ("step_val_acc_99", "minimize", True),
        ("kl_divergence", "minimize", True),
        ("test_roc_auc", "maximize", True),
        ("brier_score", "minimize", True),
        ("score", "maximize", True),
        ("corr_loss", "minimize", True),
        ("tokens_per_second", "maximize", True),
        ("mean_episode_return", "maximize", True),
        ("neg_log_likelihood", "minimize", True),
        ("bits_per_byte", "minimize", True),
        ("quux", "maximize", False),
    ],
)
def test_directions_from_names(key: str, direction: str, sure: bool) -> None:
    assert direction_of(key) == (direction, sure)


def test_the_objective_is_held_out_quality_and_never_the_clock() -> None:
    info = {
        "train_loss": 0.1,
        "inference_time": 3.0,
        "quux": 2.0,
        "val_acc": 1.0,  # saturated
        "val_loss": 0.5,
        "broken": math.nan,
    }
    metrics, objective, notes = choose_metrics(read_reported(info))
    assert objective.metric == "val_loss"
    assert [m.name for m in metrics] == ["val_loss", "val_acc", "quux", "train_loss"]
    assert any("clock" in note for note in notes) and any("broken" in note for note in notes)
    only_clock, objective, _ = choose_metrics(read_reported({"training_time": 3.0}))
    assert objective.metric == "training_time" and only_clock[0].direction == "minimize"
    with pytest.raises(ValueError, match="no finite number"):
        choose_metrics(read_reported({"loss": math.inf}))


def test_the_smallest_effect_is_the_spread_where_there_is_one() -> None:
    (one,) = read_reported({"means": {"x": 2.0}, "final_info_dict": {"x": [1.0, 2.0, 3.0]}})
    assert smallest_effect(one)[0] == 1.0
    (one,) = read_reported({"x": 3.0})
    assert smallest_effect(one)[0] in (0.1, 0.2), "a twentieth, rounded to one digit"
    (one,) = read_reported({"x": 0.0})
    assert smallest_effect(one)[0] == 0.01


@pytest.mark.skipif(not SHARED.is_dir(), reason="the runs of another system's papers are not here")
@pytest.mark.parametrize("path", sorted(SHARED.glob("*/run_*/final_info.json")), ids=lambda p: "-".join(p.parts[-3:-1]))
def test_real_reports(path: Path) -> None:
    info = load_final_info(path)
    metrics, objective, _ = choose_metrics(read_reported(info))
    assert not any(has_digits(metric.title) for metric in metrics)
    assert not any(reads_the_clock(metric.name) for metric in metrics)
    assert next(m for m in metrics if m.name == objective.metric).direction == "minimize"
    for check in recompute(info):
        if check.n > 1 and check.reported_stderr:
            # None of them is what it is called: all are too small.
            assert check.formula in ("population sd / n", "population sd / sqrt(n)")
            assert check.difference is not None and check.difference < 0 and check.mean_agrees
