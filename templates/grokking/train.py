"""The candidate: train a network with one hidden layer on the cells it is shown, and answer the others as it goes.

Reads  knobs.json           {"seed": int, "knobs": {...}}
       inputs/train.npz     left, right, answer: (n,) names, perhaps wrong answers
       inputs/pairs.npz     search_left, search_right, keep_left, ...: the cells to answer
       inputs/meta.json     {"tokens": number of names, "checkpoints": steps at which to answer}
       checkpoint/          what an interrupted run left
Writes outputs/predictions.npz   steps (k,), search, keep, final: (k, n) answers
       metrics.jsonl        learning curve on the cells shown, one line per checkpoint
       checkpoint/state.npz

The network is  answer = V f(A[left] + B[right]) , after Gromov (2023), "Grokking modular arithmetic", arXiv:2301.02679.
Interrupted and continued, it ends with the same bytes as in one go: each step draws its batch from the seed and its own
number, and everything else that a step depends on is in the checkpoint.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

STATE = Path("checkpoint/state.npz")
SAVE_EVERY = 100  # steps
FIRST, SECOND = 0.9, 0.98  # decay of Adam's two averages
SLOW = 0.98  # decay of the average that `slow_gradient` adds
MOMENTUM_RATE = 100.0  # momentum needs steps larger by about this factor where Adam learns at the same speed
COUPLED = 1e-3  # decay inside Adam's gradient is scaled by it, for the gradient is that small

Arrays = dict[str, np.ndarray]


def hidden(z: np.ndarray, activation: str) -> tuple[np.ndarray, np.ndarray]:
    """The activation and its slope."""
    if activation == "quadratic":
        return z * z, 2 * z
    if activation == "absolute":
        return np.abs(z), np.sign(z)
    if activation == "relu":
        return np.maximum(z, 0), (z > 0).astype(z.dtype)
    if activation == "tanh":
        value = np.tanh(z)
        return value, 1 - value * value
    raise ValueError(f"no activation '{activation}'")


def gap(scores: np.ndarray, target: np.ndarray, loss: str) -> tuple[float, np.ndarray]:
    """(mean loss, its gradient in the scores); target is one-hot."""
    if loss == "squared":
        difference = scores - target
        return float((difference**2).sum(axis=1).mean()), 2 * difference / len(target)
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = raised / raised.sum(axis=1, keepdims=True)
    return float(-np.log(np.maximum((p * target).sum(axis=1), 1e-30)).mean()), (p - target) / len(target)


def encode(left: np.ndarray, right: np.ndarray, tokens: int) -> np.ndarray:
    """(n, 2 * tokens) with a one for the left and a one for the right operand."""
    x = np.zeros((len(left), 2 * tokens), dtype=np.float32)
    x[np.arange(len(left)), left] = 1
    x[np.arange(len(left)), tokens + right] = 1
    return x


def start(knobs: dict[str, Any], tokens: int, seed: int) -> Arrays:
    """First weights, `inner` (2 * tokens, width) and `outer` (width, tokens), and empty averages."""
    rng, width, scale = np.random.default_rng([seed, 0]), int(knobs["width"]), float(knobs["initial_scale"])
    state = {
        "inner": (0.5 * scale * rng.standard_normal((2 * tokens, width))).astype(np.float32),
        "outer": (scale / np.sqrt(width) * rng.standard_normal((width, tokens))).astype(np.float32),
    }
    averages = {f"{name}_{kind}": np.zeros_like(state[name]) for name in state for kind in ("first", "second", "slow")}
    return {**state, **averages}


def move(state: Arrays, name: str, gradient: np.ndarray, knobs: dict[str, Any], step: int) -> None:
    """One step of the optimiser for one array of weights, in place."""
    rate, decay, boost = float(knobs["learning_rate"]), float(knobs["weight_decay"]), float(knobs["slow_gradient"])
    weights, first, second, slow = (state[f"{name}{kind}"] for kind in ("", "_first", "_second", "_slow"))
    if boost:  # after Lee et al. (2024), "Grokfast", arXiv:2405.20233
        slow += (1 - SLOW) * (gradient - slow)
        gradient = gradient + boost * slow
    if knobs["optimiser"] == "momentum":
        first *= FIRST
        first += gradient
        weights *= 1 - rate * decay
        weights -= MOMENTUM_RATE * rate * (1 - FIRST) * first
        return
    if knobs["optimiser"] == "adam":
        gradient = gradient + COUPLED * decay * weights
    else:
        weights *= 1 - rate * decay
    first += (1 - FIRST) * (gradient - first)
    second += (1 - SECOND) * (gradient * gradient - second)
    weights -= rate * (first / (1 - FIRST**step)) / (np.sqrt(second / (1 - SECOND**step)) + 1e-8)


def save(state: Arrays, step: int, answers: dict[str, list[np.ndarray]], curve: list[str]) -> None:
    """Write the checkpoint, whole or not at all."""
    STATE.parent.mkdir(exist_ok=True)
    done = {f"answers_{split}": np.array(rows, dtype=np.int8) for split, rows in answers.items()}
    fresh = STATE.with_name("state.new.npz")
    np.savez(fresh, **state, **done, step=np.array(step), curve=np.array("".join(curve)))
    os.replace(fresh, STATE)  # noqa: PTH105


def load(state: Arrays, answers: dict[str, list[np.ndarray]], curve: list[str]) -> int:
    """Fill in what an interrupted run left, if there is anything; returns the step that it had done."""
    if not STATE.is_file():
        return 0
    with np.load(STATE) as file:
        for name in state:
            state[name] = file[name]
        for split in answers:
            answers[split] = list(file[f"answers_{split}"])
        curve += str(file["curve"]).splitlines(keepends=True)
        return int(file["step"])


def answers_of(state: Arrays, x: np.ndarray, knobs: dict[str, Any]) -> np.ndarray:
    """(n, tokens) scores of every answer."""
    return hidden(x @ state["inner"], knobs["activation"])[0] @ state["outer"]


def learn(state: Arrays, x: np.ndarray, target: np.ndarray, knobs: dict[str, Any], seed: int, step: int) -> None:
    """One step of training, on the batch that belongs to it."""
    size = max(1, round(float(knobs["batch_fraction"]) * len(x)))
    if size < len(x):
        batch = np.random.default_rng([seed, 2, step]).permutation(len(x))[:size]
        x, target = x[batch], target[batch]
    value, slope = hidden(x @ state["inner"], knobs["activation"])
    _, pull = gap(value @ state["outer"], target, knobs["loss"])
    outer, inner = value.T @ pull, x.T @ ((pull @ state["outer"].T) * slope)
    move(state, "outer", outer, knobs, step)
    move(state, "inner", inner, knobs, step)


def observe(state: Arrays, x: np.ndarray, target: np.ndarray, knobs: dict[str, Any], step: int) -> str:
    """One line of the learning curve, on the cells shown."""
    found = answers_of(state, x, knobs)
    point = {"step": step, "train_accuracy": round(float((found.argmax(axis=1) == target.argmax(axis=1)).mean()), 4)}
    loss, _ = gap(found, target, knobs["loss"])
    if np.isfinite(loss):
        point["train_loss"] = float(f"{loss:.4g}")
    return json.dumps(point) + "\n"


def main() -> None:
    np.seterr(all="ignore")  # a rate that is too large ends in infinities, and in answers that are wrong
    told = json.loads(Path("knobs.json").read_text(encoding="utf-8"))
    meta = json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))
    seed, knobs, tokens, wanted = int(told["seed"]), told["knobs"], int(meta["tokens"]), meta["checkpoints"]
    with np.load("inputs/train.npz") as file:
        x, target = encode(file["left"], file["right"], tokens), np.eye(tokens, dtype=np.float32)[file["answer"]]
    with np.load("inputs/pairs.npz") as file:
        splits = sorted({name.partition("_")[0] for name in file.files})
        tests = {split: encode(file[f"{split}_left"], file[f"{split}_right"], tokens) for split in splits}
    if int(knobs["row_order"]):
        order = np.random.default_rng([seed, 1, int(knobs["row_order"])]).permutation(len(x))
        x, target = x[order], target[order]

    state, curve = start(knobs, tokens, seed), list[str]()
    answers: dict[str, list[np.ndarray]] = {split: [] for split in tests}
    done = load(state, answers, curve)
    with Path("metrics.jsonl").open("w", encoding="utf-8") as lines:
        lines.writelines(curve)
        for step in range(done + 1, wanted[-1] + 1):
            learn(state, x, target, knobs, seed, step)
            if step in wanted:
                for split, inputs in tests.items():
                    answers[split].append(answers_of(state, inputs, knobs).argmax(axis=1).astype(np.int8))
                curve.append(observe(state, x, target, knobs, step))
                lines.write(curve[-1])
                lines.flush()
            if step % SAVE_EVERY == 0:
                save(state, step, answers, curve)
    Path("outputs").mkdir(exist_ok=True)
    stacked = {split: np.array(rows) for split, rows in answers.items()}
    np.savez_compressed("outputs/predictions.npz", steps=np.array(wanted, dtype=np.int32), **stacked)
    known = json.loads(curve[-1])["train_accuracy"]
    print(f"{len(x)} cells shown, {100 * known:.0f} % of them known after {wanted[-1]} steps")


if __name__ == "__main__":
    main()
