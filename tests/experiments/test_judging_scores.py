"""What an evaluator may answer, what it may import, and what happens to scores that are too good."""

from __future__ import annotations

import json
import os
import py_compile
import socket
import sys
from pathlib import Path

import pytest
from fraud_templates import make_template, plain_bench
from hypothesis import given
from hypothesis import strategies as st

from scientist.errors import AlarmError, MachineryError
from scientist.experiments import Bench, bubblewrap_works, choose_sandbox, run_cells, suspicious
from scientist.experiments._judge import Judge, passes
from scientist.experiments._study import Variant
from scientist.progress import Silent
from scientist.template import Template

BOXED = pytest.mark.skipif(not bubblewrap_works()[0], reason="bubblewrap does not work here")


def judged(template: Template, folder: Path, **knobs: float) -> dict[str, float]:
    with plain_bench(template, folder) as bench, bench.run(template.complete({**knobs}), 1, ("keep",)) as outcome:
        assert outcome.status == "ok", outcome.reason
        return outcome.metrics["keep"]


# -- types -------------------------------------------------------------------------------------------------------------

LIAR = """
class Liar(float):
    def __repr__(self): return "0.9"
    def __float__(self): return 0.9
    def __sub__(self, other): return 0.0
class Keys(dict):
    def __getitem__(self, key): return 0.9
class Name(str):
    pass
"""


@pytest.mark.parametrize(
    ("returned", "why"),
    [
        ('{"score": float("nan")}', "'score' is not finite"),
        ('{"score": float("-inf")}', "'score' is not finite"),
        ('{"score": True}', "of the type bool"),
        ('{"score": Liar("nan")}', "of the type Liar"),
        ('{"score": Liar(0.5)}', "of the type Liar"),
        ('{"score": __import__("numpy").float64(0.5)}', "of the type float64"),
        ('{"score": "0.9"}', "of the type str"),
        ('{"score": None}', "of the type NoneType"),
        ('{"score": 0.5 + 0j}', "of the type complex"),
        ('{"score": 10**400}', "of the type int"),
        ('{"score": 2**53 + 1}', "of the type int"),
        ('{"score": [0.9]}', "of the type list"),
        ("{}", "no 'score'"),
        ('{"score": 0.5, "other": 0.5}', "'other', which template.toml does not declare"),
        ('{Name("score"): 0.5}', "no dictionary of metrics"),
        ('Keys(score="x")', "no dictionary of metrics"),
        ("0.5", "no dictionary of metrics"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_a_score_is_an_exact_finite_float_or_a_fault_of_the_evaluator(tmp_path: Path, returned: str, why: str) -> None:
    score = f"def score(outputs, split, knobs, seed):\n    return {returned}\n"
    template = make_template(tmp_path, head=LIAR, score=score)
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs/value.json").write_text("{}")
    judge = Judge(template)
    try:
        judge.start()
        judge.wait()
        with pytest.raises(MachineryError, match=why) as caught:
            judge.score(tmp_path / "outputs", ("keep",), template.defaults, 1)
        assert "\n" not in str(caught.value)
        assert judge.describe(template.defaults)["name"] == "tiny", "the judge outlives it"
    finally:
        judge.stop()


def test_a_whole_number_is_taken_as_a_float(tmp_path: Path) -> None:
    score = 'def score(outputs, split, knobs, seed):\n    return {"score": 3}\n'
    assert type(judged(make_template(tmp_path, score=score), tmp_path)["score"]) is float


@pytest.mark.parametrize("told", ['{"name": float("nan")}', '{"size": True}', '{"a b": 1}', '{"x": [1]}', "[]"])
def test_describe_answers_in_plain_facts(tmp_path: Path, told: str) -> None:
    template = make_template(tmp_path, describe=f"def describe(knobs):\n    return {told}\n")
    with plain_bench(template, tmp_path) as bench, pytest.raises(MachineryError, match="describe returned"):
        bench.judge.describe(template.defaults)


def test_an_evaluator_that_prints_a_lot_does_not_stop(tmp_path: Path) -> None:
    """Nobody reads what it prints; a full pipe would hold it up for good."""
    noisy = 'def score(outputs, split, knobs, seed):\n    print("x" * 300_000)\n    return {"score": 1.0}\n'
    template = make_template(
        tmp_path, score=noisy, prepare="def prepare(inputs, knobs, seed):\n    print('x' * 300_000)\n"
    )
    assert judged(template, tmp_path) == {"score": 1.0}


def test_an_artefact_of_another_kind_never_reaches_the_evaluator(tmp_path: Path) -> None:
    score = 'def score(outputs, split, knobs, seed):\n    raise RuntimeError("it was asked")\n'
    template = make_template(tmp_path, score=score)
    code = b"import pickle\npickle.dump({}, open('outputs/value.pkl', 'wb'))\n"
    with (
        plain_bench(template, tmp_path) as bench,
        bench.run(template.defaults, 1, ("keep",), {"train.py": code}) as out,
    ):
        assert out.status == "invalid" and "value.pkl is not among" in out.reason


# -- imports -----------------------------------------------------------------------------------------------------------

PLANTED = ("numpy", "evaluate", "json", "sitecustomize", "usercustomize", "helper", "train")


@pytest.mark.parametrize("place", ["outputs", "run", "template", "pycache"])
def test_the_evaluator_imports_nothing_of_the_candidates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Modules planted wherever a candidate could put them, and the judge started where they lie."""
    score = """
    def score(outputs, split, knobs, seed):
        import importlib, sys
        import numpy, json, rules
        found = []
        for name in ("helper", "train", "usercustomize"):
            try:
                found.append(importlib.import_module(name).__file__)
            except ModuleNotFoundError:
                pass
        below = str(Path(__file__).parents[1])
        found += [m.__file__ for m in list(sys.modules.values()) if "PLANTED" in vars(m)]
        found += [entry for entry in sys.path if entry.startswith((below, str(outputs.parent))) or not entry]
        if found:
            raise RuntimeError(f"{found}")
        return {"score": float(rules.WORTH)}
    """
    template = make_template(tmp_path, score=score, files={"rules.py": "WORTH = 7\n"})
    planted = "PLANTED = True\nWORTH = 100\n"
    folder = {"template": template.root, "pycache": template.root}.get(place, tmp_path)
    if place == "pycache":
        # A forged .pyc with the size and time of the real source, as a candidate in a plain process could leave it.
        source, forged = template.root / "rules.py", tmp_path / "rules.py"
        forged.write_text("WORTH=99 \n")
        assert forged.stat().st_size == source.stat().st_size
        os.utime(forged, ns=(source.stat().st_atime_ns, source.stat().st_mtime_ns))
        target = template.root / f"__pycache__/rules.{sys.implementation.cache_tag}.pyc"
        py_compile.compile(str(forged), cfile=str(target))
    elif place == "template":
        for name in set(PLANTED) - {"evaluate", "train"}:
            (template.root / f"{name}.py").write_text(planted)
    else:
        for name in PLANTED:
            (tmp_path / f"{name}.py").write_text(planted)
    where = "outputs/" if place == "outputs" else ""
    lines = [f"open('{where}{name}.py', 'w').write({planted!r})" for name in PLANTED if place in ("outputs", "run")]
    code = "\n".join(["open('outputs/value.json', 'w').write('{}')", *lines]) + "\n"
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    with (
        plain_bench(template, tmp_path) as bench,
        bench.run(template.defaults, 1, ("keep",), {"train.py": code.encode()}) as outcome,
    ):
        if place == "outputs":
            assert outcome.status == "invalid" and "not among" in outcome.reason
            for planted_file in (outcome.folder / "outputs").glob("*.py"):
                planted_file.rename(outcome.folder / planted_file.name)
        scores, reason = bench.judge.score(outcome.folder / "outputs", ("keep",), template.defaults, 1)
    assert (scores, reason) == ({"keep": {"score": 7.0}}, "")


def test_a_module_beside_the_evaluator_that_is_not_sealed_cannot_be_imported(tmp_path: Path) -> None:
    template = make_template(tmp_path, head="import train\n")
    with pytest.raises(MachineryError, match="No module named 'train'"), plain_bench(template, tmp_path):
        pass


def test_a_sealed_package_can_be_imported(tmp_path: Path) -> None:
    files = {"rules/__init__.py": "from rules.inner import WORTH\n", "rules/inner.py": "WORTH = 3\n"}
    score = 'def score(outputs, split, knobs, seed):\n    return {"score": rules.WORTH}\n'
    template = make_template(tmp_path, head="import rules\n", score=score, files=files)
    assert judged(template, tmp_path) == {"score": 3.0}


@BOXED
def test_the_judge_lives_in_a_box(tmp_path: Path) -> None:
    """The artefacts that it reads are hostile, so it can write nowhere but in the scratch folder, and call nobody."""
    describe = """
    import socket, tempfile
    def describe(knobs):
        told = {"name": "tiny"}
        for number, place in enumerate((Path(__file__).parent, Path(__file__).parents[1], Path("/var/tmp"), Path.home())):
            try:
                (place / "written").write_text("x")
                told[f"wrote_{number}"] = str(place)
            except OSError:
                pass
        try:
            socket.create_connection(("127.0.0.1", knobs["value"] and PORT), 1)
            told["connected"] = 1
        except OSError:
            pass
        told["temporary"] = tempfile.mkdtemp()
        return told
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        template = make_template(tmp_path, head=f"PORT = {port}\n", describe=describe)
        with Bench.local(template, choose_sandbox("bubblewrap"), tmp_path / "scratch", 1) as bench:
            facts = bench.judge.describe(template.defaults)
            assert facts.pop("temporary").startswith(str(tmp_path / "scratch"))  # type: ignore[union-attr]
            assert facts == {"name": "tiny"}
        with plain_bench(template, tmp_path) as bench:
            assert "connected" in bench.judge.describe(template.defaults), "outside of the box it would be possible"


# -- proven bounds -----------------------------------------------------------------------------------------------------

BOUND_TOLD = 'def describe(knobs):\n    return {"name": "tiny", "bound": 5.0 if knobs["part"] == "one" else 50.0}\n'


def alarm_of(template: Template, folder: Path, **knobs: float | str) -> AlarmError:
    with (
        plain_bench(template, folder) as bench,
        pytest.raises(AlarmError) as caught,
        bench.run(template.complete({**knobs}), 4, ("search", "keep"), key="k" * 64),
    ):
        pass
    return caught.value


def test_a_score_beyond_a_metrics_bound_raises_the_alarm_and_is_kept(tmp_path: Path) -> None:
    template = make_template(tmp_path, bound="bound = 5.0")
    assert judged(template, tmp_path, value=5.0) == {"score": 5.0}
    error = alarm_of(template, tmp_path, value=5.5)
    assert error.exit_code == 8 and "score = 5.5 on search passes its proven bound 5.0" in error.message
    kept = tmp_path / "alarms" / ("k" * 16)
    assert str(kept) in error.remedy
    assert json.loads((kept / "outputs/value.json").read_text()) == {"value": 5.5}
    assert (kept / "code/train.py").read_text() == (template.root / "train.py").read_text()
    told = json.loads((kept / "alarm.json").read_text())
    assert (told["value"], told["bound"], told["seed"], told["fingerprint"]) == (5.5, 5.0, 4, template.fingerprint())
    assert error.details["kept"] == str(kept)


def test_the_bound_that_describe_proves_holds_for_its_own_data(tmp_path: Path) -> None:
    template = make_template(tmp_path, describe=BOUND_TOLD)
    assert "proven bound 5.0" in alarm_of(template, tmp_path, value=6.0).message
    with plain_bench(template, tmp_path) as bench:
        for value, part in ((5.0, "one"), (6.0, "two")):
            with bench.run(template.complete({"value": value, "part": part}), 1, ("keep",)) as outcome:
                assert outcome.status == "ok"


def test_an_alarm_ends_the_study_and_leaves_no_result(tmp_path: Path) -> None:
    template = make_template(tmp_path, bound="bound = 5.0")
    variants = [Variant(name=f"v{v}", title=f"v{v}", knobs=template.complete({"value": float(v)})) for v in (4, 6)]
    with plain_bench(template, tmp_path) as bench, pytest.raises(AlarmError):
        run_cells(bench, variants, (1, 2), tmp_path / "runs", Silent(), lambda: None)
    assert not list((tmp_path / "runs").glob("v6/**/result.json"))


def test_opening_final_raises_the_alarm_too(tmp_path: Path) -> None:
    score = 'def score(outputs, split, knobs, seed):\n    return {"score": 9.0 if split == "final" else 1.0}\n'
    template = make_template(tmp_path, score=score, bound="bound = 5.0")
    with (
        plain_bench(template, tmp_path) as bench,
        bench.run(template.defaults, 1, ("keep",)) as outcome,
        pytest.raises(AlarmError, match="on final"),
    ):
        bench.judge.score_all([(outcome.folder / "outputs", template.defaults, 1)], ("final",))


@given(st.floats(-1e9, 1e9), st.floats(0, 1e9), st.booleans())
def test_only_what_lies_beyond_a_bound_passes_it(bound: float, step: float, maximize: bool) -> None:
    sign = 1 if maximize else -1
    assert not passes(bound - sign * step, bound, maximize)
    assert not passes(bound, bound, maximize)
    assert passes(bound + sign * max(step, 3e-9 * max(1.0, abs(bound))), bound, maximize)
    assert not passes(bound + sign * 0.3e-9 * max(1.0, abs(bound)), bound, maximize)


# -- scores too good to be believed at once ----------------------------------------------------------------------------

WHOLE = st.integers(-1000, 1000).map(float)
SCORES = st.lists(WHOLE, max_size=30)
DIRECTIONS = st.sampled_from(["maximize", "minimize"])


@given(WHOLE, SCORES, DIRECTIONS)
def test_only_a_new_best_is_suspicious(score: float, earlier: list[float], direction: str) -> None:
    if suspicious(score, earlier, direction):  # type: ignore[arg-type]
        assert len(earlier) >= 8
        assert score > max(earlier) if direction == "maximize" else score < min(earlier)


@given(WHOLE, SCORES, st.integers(-1000, 1000), st.sampled_from([0.25, 0.5, 2.0, 64.0]))
def test_suspicion_knows_no_origin_unit_or_order(score: float, earlier: list[float], shift: int, scale: float) -> None:
    found = suspicious(score, earlier, "maximize")
    assert suspicious(score + shift, [value + shift for value in earlier], "maximize") == found
    assert suspicious(score * scale, [value * scale for value in earlier], "maximize") == found
    assert suspicious(-score, [-value for value in earlier], "minimize") == found
    assert suspicious(score, sorted(earlier), "maximize") == found


@given(WHOLE, st.floats(0, 1e6), SCORES)
def test_what_is_better_than_suspicious_is_suspicious(score: float, more: float, earlier: list[float]) -> None:
    if suspicious(score, earlier, "maximize"):
        assert suspicious(score + more, earlier, "maximize")


def test_suspicion_begins_six_usual_distances_above_the_best() -> None:
    earlier = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]  # median 4, median distance 2
    assert not suspicious(20.0, earlier, "maximize")
    assert suspicious(20.1, earlier, "maximize")
    assert suspicious(-12.1, earlier, "minimize")
    assert not suspicious(1e9, earlier[:7], "maximize")
    assert suspicious(1.001, [1.0] * 8, "maximize")


def spread(bench: Bench, part: str = "one") -> None:
    for number in range(8):
        with bench.run(bench.template.complete({"value": float(number), "part": part}), 1, ("keep",)) as outcome:
            assert outcome.usage.judged == 1 and outcome.note == ""


def test_a_suspicious_score_is_judged_twice_and_accepted(tmp_path: Path) -> None:
    template = make_template(tmp_path)
    with plain_bench(template, tmp_path) as bench:
        spread(bench)
        with bench.run(template.complete({"value": 1000.0}), 1, ("keep",)) as outcome:
            assert outcome.status == "ok" and outcome.usage.judged == 2
            assert "judged twice, with one answer" in outcome.note
        with bench.run(template.complete({"value": 1000.0, "part": "two"}), 1, ("keep",)) as outcome:
            assert outcome.usage.judged == 1, "other data have a history of their own"


def test_an_evaluator_that_answers_differently_the_second_time_is_found_out(tmp_path: Path) -> None:
    score = """
    def score(outputs, split, knobs, seed):
        value = float(json.loads((outputs / "value.json").read_text())["value"])
        return {"score": value + (LUCK if value > 100 else 0.0)}
    """
    head = "import os\nLUCK = int.from_bytes(os.urandom(4), 'little') / 2**32\n"
    template = make_template(tmp_path, head=head, score=score)
    with plain_bench(template, tmp_path) as bench:
        spread(bench)
        with (
            pytest.raises(MachineryError, match="not deterministic: the same artefacts earned 1000"),
            bench.run(template.complete({"value": 1000.0}), 1, ("keep",)),
        ):
            pass
