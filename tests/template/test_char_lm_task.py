"""The template `char_lm`: what the candidate trains is what the judge computes, and every knob does something."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from template_runs import ROOT, arrange, evaluator, execute, run

from scientist.experiments import Bench, bubblewrap_works, choose_sandbox
from scientist.lab import KnobValue
from scientist.template import load_template

torch = pytest.importorskip("torch")

CHAR_LM = ROOT / "templates" / "char_lm"
TEMPLATE = load_template(CHAR_LM)
JUDGE = evaluator(CHAR_LM)
TRAIN = runpy.run_path(str(CHAR_LM / "train.py"))
QUICK: dict[str, KnobValue] = {"budget": "steps", "steps": 20, "width": 32, "batch": 4}


def effective(partial: dict[str, KnobValue]) -> dict[str, KnobValue]:
    return TEMPLATE.effective(TEMPLATE.complete(partial))


MODELS: list[dict[str, KnobValue]] = [
    {},
    {"layers": 3, "width": 48, "context": 24, "tied": False, "activation": "relu_squared"},
    {"layers": 4, "width": 160, "context": 256, "activation": "relu"},
    {"model": "gru"},
    {"model": "gru", "layers": 3, "width": 96, "context": 40, "tied": False},
]


@pytest.mark.parametrize("partial", MODELS, ids=str)
def test_the_judge_computes_what_torch_computes(partial: dict[str, KnobValue]) -> None:
    torch.manual_seed(1)
    model, told = TRAIN["build"](effective(partial))
    with torch.no_grad():
        for weight in model.parameters():  # away from the first weights, norms and biases too
            weight += 0.1 * torch.randn_like(weight)
    model.eval()
    arrays = {name: np.ascontiguousarray(value.detach().numpy()) for name, value in model.arrays().items()}
    assert {name: array.shape for name, array in arrays.items()} == JUDGE._shapes(told)
    tokens = torch.randint(0, 256, (3, told["context"]))
    with torch.no_grad():
        theirs = torch.log_softmax(model(tokens), dim=2).numpy()
    ours = (JUDGE._transformer if told["family"] == "transformer" else JUDGE._gru)(told, arrays, tokens.numpy())
    ours = ours - np.log(np.exp(ours.astype(np.float64)).sum(axis=2, keepdims=True))
    assert np.abs(theirs - ours).max() < 1e-4
    assert np.abs(theirs).max() > 2, "the comparison is about something"


def test_bits_of_a_trained_model_agree_from_end_to_end(tmp_path: Path) -> None:
    place = tmp_path / "run"
    scores = run(CHAR_LM, JUDGE, place, {"budget": "steps", "steps": 150})
    told = json.loads((place / "outputs/model.json").read_text())
    model, again = TRAIN["build"](effective({"budget": "steps", "steps": 150}))
    assert again == told
    with np.load(place / "outputs/transformer.npz") as file, torch.no_grad():
        for name, weight in model.named_parameters():
            weight.copy_(torch.from_numpy(file[name].astype(np.float32)))
        assert np.array_equal(file["head"], file["embed"]), "tied"
    model.eval()
    piece = torch.from_numpy(JUDGE._text().tests["keep"][0].astype(np.int64))
    size = told["context"]
    with torch.no_grad():
        logits = model(piece[None, :size])[0]
        nats = torch.nn.functional.cross_entropy(logits, piece[1 : size + 1], reduction="none")
    bits, _ = JUDGE._predict(told, JUDGE._read_weights(place / "outputs", told), piece[None].numpy())
    assert bits[:size] == pytest.approx(nats.numpy() / np.log(2), abs=1e-3)
    facts = JUDGE.describe(TEMPLATE.defaults)
    assert scores["bits_per_byte"] < facts["unigram_bits"] - 0.5, "it learnt more than frequencies"
    assert 0.2 < scores["byte_accuracy"] < 1
    curve = [json.loads(line) for line in (place / "metrics.jsonl").read_text().splitlines()]
    assert [point["step"] for point in curve] == [int(np.ceil(150 * report / 40)) for report in range(1, 41)]
    assert curve[-1]["train_bits"] < curve[0]["train_bits"] - 1


def start(place: Path) -> str:
    env = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, str(CHAR_LM / "train.py")]
    return subprocess.run(command, cwd=place, env=env, check=True, capture_output=True, text=True).stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "budget"), [("transformer", {}), ("gru", {}), ("transformer", {"budget": "counted", "seconds": 0.5})]
)
def test_without_a_clock_a_run_repeats_exactly(model: str, budget: dict[str, KnobValue], tmp_path: Path) -> None:
    setting: dict[str, KnobValue] = {**QUICK, "model": model, "dropout": 0.1, **budget}
    for name in ("here", "there"):
        arrange(TEMPLATE, JUDGE, tmp_path / name, setting, 7)
    said = execute(CHAR_LM / "train.py", tmp_path / "here")
    assert start(tmp_path / "there") == said
    for name in (f"outputs/{model}.npz", "outputs/model.json", "metrics.jsonl"):
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()


def test_a_budget_of_time_is_kept_and_the_steps_follow_from_it(tmp_path: Path) -> None:
    place = tmp_path / "run"
    arrange(TEMPLATE, JUDGE, place, {"budget": "time", "seconds": 1.0})
    before = TRAIN["clock"](torch.device("cpu"))
    said = execute(CHAR_LM / "train.py", place)
    spent = TRAIN["clock"](torch.device("cpu")) - before
    assert 1.0 <= spent < 3.0
    assert "weights" in said
    assert said.rstrip().endswith("on cpu") or torch.cuda.is_available()


def steps_of(place: Path, **partial: KnobValue) -> int:
    arrange(TEMPLATE, JUDGE, place, {"seconds": 0.5, **partial})
    words = execute(CHAR_LM / "train.py", place).split()
    return int(words[words.index("steps") - 1])


def test_counted_time_is_spent_on_the_price_of_a_step(tmp_path: Path) -> None:
    price = TRAIN["step_seconds"]

    def seconds(**partial: KnobValue) -> float:
        found = effective(partial)
        return float(price(found, TRAIN["width_of"](found)))

    base = seconds()
    assert 0.002 < base < 0.005, "a few milliseconds, as on the machine that it was fitted to"
    for larger in ({"layers": 2}, {"width": 128}, {"context": 64}, {"batch": 16}, {"model": "gru"}):
        assert seconds(**larger) > 1.3 * base, larger  # type: ignore[arg-type]
    assert seconds(activation="relu") == seconds(dropout=0.2) == base
    assert steps_of(tmp_path / "one") == int(np.ceil(0.5 / base))
    assert steps_of(tmp_path / "two", layers=2) == int(np.ceil(0.5 / seconds(layers=2)))


def test_the_rate_rises_and_falls_as_the_schedule_says() -> None:
    slope = TRAIN["slope"]
    assert slope("constant", 0.0, 0.0) == slope("constant", 0.1, 0.9) == 1.0
    assert [slope("linear", 0.5, done) for done in (0.25, 0.5, 0.75)] == [0.5, 1.0, 0.5]
    assert slope("cosine", 0.0, 0.5) == pytest.approx(0.5)
    assert slope("cosine", 0.2, 0.2) == pytest.approx(1.0)
    assert slope("cosine", 0.2, 1.0) == pytest.approx(0.0)
    assert 0 < slope("cosine", 0.1, 0.0) <= 0.01, "the first step moves a little"


@pytest.mark.parametrize("decay", [0.0, 0.5])
def test_the_optimiser_is_adamw(decay: float) -> None:
    torch.manual_seed(0)
    ours, theirs = torch.nn.Linear(5, 3, bias=False), torch.nn.Linear(5, 3, bias=False)
    theirs.load_state_dict(ours.state_dict())
    optimiser = TRAIN["Optimiser"](ours, {"optimiser": "adamw", "weight_decay": decay})
    reference = torch.optim.AdamW(theirs.parameters(), lr=0.01, betas=(0.9, 0.99), eps=1e-8, weight_decay=decay)
    for _ in range(20):
        x = 0.1 * torch.randn(8, 5)  # gradients shorter than the longest that is let through
        for model in (ours, theirs):
            model.zero_grad()
            model(x).square().mean().backward()
        optimiser.step(0.01)
        reference.step()
    assert torch.allclose(ours.weight, theirs.weight, atol=1e-6)


def cases() -> list[dict[str, KnobValue]]:
    """Every level of every knob, each in a setting in which it acts, in a run that is short."""
    found = []
    for knob in TEMPLATE.knobs:
        for value in knob.levels or knob.choices or (False, True):
            setting: dict[str, KnobValue] = {**QUICK, knob.name: value}
            if knob.name in ("steps", "seconds", "budget"):
                continue
            found.append(setting)
    return found


@pytest.mark.slow
def test_every_level_of_every_knob_runs_and_changes_the_model(tmp_path: Path) -> None:
    def model(place: Path) -> list[tuple[str, bytes]]:
        return [(path.name, path.read_bytes()) for path in sorted((place / "outputs").iterdir())]

    run(CHAR_LM, JUDGE, tmp_path / "base", QUICK)
    base = model(tmp_path / "base")
    for number, setting in enumerate(cases()):
        scores = run(CHAR_LM, JUDGE, tmp_path / str(number), setting)
        assert set(scores) == {metric.name for metric in TEMPLATE.metrics}
        assert scores["bits_per_byte"] < 8.2
        same = all(QUICK.get(name, TEMPLATE.defaults[name]) == value for name, value in setting.items())
        assert (model(tmp_path / str(number)) == base) == same, setting


@pytest.mark.slow
def test_more_time_and_cleaner_text_help(tmp_path: Path) -> None:
    def bits(name: str, **knobs: KnobValue) -> float:
        return run(CHAR_LM, JUDGE, tmp_path / name, {"budget": "steps", **knobs})["bits_per_byte"]

    short, longer = bits("short", steps=100), bits("longer", steps=400)
    assert longer < short - 0.3
    assert bits("noisy", steps=400, corruption=0.3) > longer + 0.1
    assert bits("code", steps=400, code_share=0.75) > longer + 0.02


@pytest.mark.slow
def test_an_honest_run_succeeds_in_the_sandbox(tmp_path: Path) -> None:
    if not bubblewrap_works()[0]:
        pytest.skip("bubblewrap does not work here")
    sandbox = choose_sandbox("bubblewrap", TEMPLATE.hide)
    watched: list[Any] = []
    with (
        Bench.local(TEMPLATE, sandbox, tmp_path / "bench", 1) as bench,
        bench.run(TEMPLATE.defaults, 0, ("keep",), watch=watched.extend) as outcome,
    ):
        assert outcome.status == "ok", outcome.reason
        assert sorted(outcome.artefacts) == ["model.json", "transformer.npz"]
        assert outcome.metrics["keep"]["bits_per_byte"] < 4
        assert outcome.usage.max_rss_mb < 1024
    assert watched[-1]["train_bits"] < watched[0]["train_bits"]
