"""The candidate: train a small byte-level language model within its budget, and hand in its weights.

Reads  knobs.json             {"seed": int, "knobs": {...}}
       inputs/train.npz       text (n,) uint8
Writes outputs/model.json     {"family", "layers", "width", "heads", "context", "activation"}
       outputs/transformer.npz or gru.npz   the weights, float16, named as in ARRAYS
       metrics.jsonl          learning curve: bits per byte on the batches

The budget is `seconds` or a number of `steps`. With `budget = "counted"` the seconds are those of a reference machine, counted
from the arithmetic of a step (`step_seconds`), so a run repeats exactly; with `budget = "time"` they are this process's own
processor time (on a GPU: the clock on the wall), and how many steps they hold depends on the machine. A GPU is used where
there is one. The judge computes the same model in NumPy, see `evaluate.py`.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

VOCABULARY = 256
HEAD = 16  # width of one attention head
CLIP = 1.0  # longest gradient
SGD_RATE = 100.0  # plain momentum needs steps larger by about this factor to learn at the speed of AdamW
REPORTS = 40  # points of the learning curve, evenly over the budget
CALL, MADD, NUMBER = 2.4e-4, 9.2e-11, 1.16e-9
"""Seconds on the reference machine: of a step's fixed work per block, of a multiply-add, of a number passed through the
softmax or an activation. Fitted to one thread of a server's processor with PyTorch on CPU; forward, backward and optimiser together."""
ARRAYS = {
    "transformer": ("embed", "position", "norm1", "qkv", "mix", "norm2", "up", "down", "norm", "head"),
    "gru": ("embed", "inner", "inner_bias", "outer", "outer_bias", "head"),
}
ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "gelu": lambda x: functional.gelu(x, approximate="tanh"),
    "relu": torch.relu,
    "relu_squared": lambda x: torch.relu(x).square(),
}


class Transformer(nn.Module):
    """Decoder-only: norms before each part, learnt positions, no biases (after Radford et al. 2019)."""

    def __init__(self, knobs: dict[str, Any], width: int) -> None:
        super().__init__()
        layers, context = int(knobs["layers"]), int(knobs["context"])
        self.heads, self.dropout, self.activation = width // HEAD, float(knobs["dropout"]), str(knobs["activation"])
        self.tied = bool(knobs["tied"])

        def normal(*shape: int, fan: int, scale: float = 1.0) -> nn.Parameter:
            return nn.Parameter(scale / math.sqrt(fan) * torch.randn(*shape))

        # What is added to the residual stream starts smaller the more layers add to it.
        calm = 1 / math.sqrt(2 * layers)
        self.embed, self.position = normal(VOCABULARY, width, fan=width), normal(context, width, fan=width)
        self.norm1, self.norm2 = nn.Parameter(torch.ones(layers, width)), nn.Parameter(torch.ones(layers, width))
        self.qkv, self.mix = (
            normal(layers, width, 3 * width, fan=width),
            normal(layers, width, width, fan=width, scale=calm),
        )
        self.up, self.down = (
            normal(layers, width, 4 * width, fan=width),
            normal(layers, 4 * width, width, fan=4 * width, scale=calm),
        )
        self.norm = nn.Parameter(torch.ones(width))
        if not self.tied:
            self.head = normal(VOCABULARY, width, fan=width)

    def drop(self, x: torch.Tensor) -> torch.Tensor:
        return functional.dropout(x, self.dropout, self.training) if self.dropout else x

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(batch, length) bytes to (batch, length, 256) logits of the next byte."""
        size, length, width = *tokens.shape, self.embed.shape[1]
        x = self.drop(self.embed[tokens] + self.position[:length])
        stacks = (self.norm1, self.qkv, self.mix, self.norm2, self.up, self.down)
        for norm1, qkv, mix, norm2, up, down in zip(*(stack.unbind() for stack in stacks), strict=True):
            parts = (functional.layer_norm(x, (width,), norm1) @ qkv).view(size, length, 3, self.heads, HEAD)
            query, key, value = parts.permute(2, 0, 3, 1, 4)
            seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
            x = x + self.drop(seen.transpose(1, 2).reshape(size, length, width) @ mix)
            inner = ACTIVATIONS[self.activation](functional.layer_norm(x, (width,), norm2) @ up)
            x = x + self.drop(inner @ down)
        return functional.layer_norm(x, (width,), self.norm) @ (self.embed if self.tied else self.head).T

    def arrays(self) -> dict[str, torch.Tensor]:
        found = {name: getattr(self, name) for name in ARRAYS["transformer"] if name != "head"}
        return {**found, "head": self.embed if self.tied else self.head}


class Recurrent(nn.Module):
    """Gated recurrent units in layers (Cho et al. 2014), started afresh for each window."""

    def __init__(self, knobs: dict[str, Any], width: int) -> None:
        super().__init__()
        self.layers, self.dropout, self.tied = int(knobs["layers"]), float(knobs["dropout"]), bool(knobs["tied"])
        self.embed = nn.Parameter(torch.randn(VOCABULARY, width) / math.sqrt(width))
        self.gru = nn.GRU(width, width, self.layers, batch_first=True)
        if not self.tied:
            self.head = nn.Parameter(torch.randn(VOCABULARY, width) / math.sqrt(width))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(batch, length) bytes to (batch, length, 256) logits of the next byte."""
        x = functional.dropout(self.embed[tokens], self.dropout, self.training)
        x, _ = self.gru(x)
        x = functional.dropout(x, self.dropout, self.training)
        return x @ (self.embed if self.tied else self.head).T

    def arrays(self) -> dict[str, torch.Tensor]:
        def stack(name: str) -> torch.Tensor:
            return torch.stack([getattr(self.gru, f"{name}_l{layer}") for layer in range(self.layers)])

        inner, outer = stack("weight_ih").transpose(1, 2), stack("weight_hh").transpose(1, 2)
        biases = {"inner_bias": stack("bias_ih"), "outer_bias": stack("bias_hh")}
        head = self.embed if self.tied else self.head
        return {"embed": self.embed, "inner": inner, "outer": outer, **biases, "head": head}


class Optimiser:
    """AdamW (Loshchilov and Hutter 2019) or momentum with decoupled decay, for arrays of weights; norms and biases do not decay."""

    def __init__(self, model: nn.Module, knobs: dict[str, Any]) -> None:
        self.weights = [weight for weight in model.parameters() if weight.requires_grad]
        self.adaptive, self.decay = knobs["optimiser"] == "adamw", float(knobs["weight_decay"])
        self.first = [torch.zeros_like(weight) for weight in self.weights]
        self.second = [torch.zeros_like(weight) for weight in self.weights]
        self.decays = ["norm" not in name and "bias" not in name for name, _ in model.named_parameters()]
        self.steps = 0

    @torch.no_grad()
    def step(self, rate: float) -> None:
        self.steps += 1
        gradients = [weight.grad for weight in self.weights if weight.grad is not None]
        length = torch.stack([gradient.norm() for gradient in gradients]).norm()
        shrink = torch.clamp(CLIP / (length + 1e-6), max=1.0)
        rows = zip(self.weights, gradients, self.first, self.second, self.decays, strict=True)
        for weight, gradient, first, second, decays in rows:
            gradient *= shrink
            if decays:
                weight *= 1 - rate * self.decay
            if self.adaptive:
                first.lerp_(gradient, 0.1)
                second.lerp_(gradient.square(), 0.01)
                scale = (second / (1 - 0.99**self.steps)).sqrt_().add_(1e-8)
                weight.addcdiv_(first, scale, value=-rate / (1 - 0.9**self.steps))
            else:
                first.mul_(0.9).add_(gradient)
                weight.add_(first, alpha=-SGD_RATE * rate * 0.1)
            gradient.zero_()


def slope(schedule: str, warmup: float, done: float) -> float:
    """The learning rate as a share of its highest value, when `done` of the budget (0 to 1) is spent."""
    if done < warmup:
        return max(done / warmup, 0.01)
    left = (1 - done) / (1 - warmup)
    if schedule == "cosine":
        return 0.5 - 0.5 * math.cos(math.pi * left)
    return left if schedule == "linear" else 1.0


def step_seconds(knobs: dict[str, Any], width: int) -> float:
    """What one step takes on the reference machine: three terms that grow with calls, multiply-adds and numbers.

    Within about a fifth of what was measured for either family. Dropout and the kind of optimiser cost nothing here.
    """
    layers, context, rows = int(knobs["layers"]), int(knobs["context"]), int(knobs["batch"]) * int(knobs["context"])
    if knobs["model"] == "gru":  # a recurrent network is called once for each byte
        calls, per_row = 1 + layers * context / 2, 6 * layers * width * width
    else:
        calls, per_row = 1 + 4 * layers, layers * (12 * width * width + 2 * context * width)
    numbers = rows * (VOCABULARY + 20 * layers * width)
    return CALL * calls + MADD * rows * (per_row + VOCABULARY * width) + NUMBER * numbers


def clock(device: torch.device) -> float:
    """Seconds of this process's processor, which others on the machine do not use up; of the wall beside a GPU."""
    return time.process_time() if device.type == "cpu" else time.perf_counter()


def train(model: nn.Module, text: torch.Tensor, knobs: dict[str, Any], rng: np.random.Generator, curve: Any) -> int:
    """Train until the budget is spent; returns the number of steps. Writes the learning curve as it goes."""
    optimiser, device = Optimiser(model, knobs), text.device
    context, batch, timed = int(knobs["context"]), int(knobs["batch"]), knobs["budget"] == "time"
    budget = float(knobs["steps"] if knobs["budget"] == "steps" else knobs["seconds"])
    price = step_seconds(knobs, width_of(knobs)) if knobs["budget"] == "counted" else 1.0
    started, spent, step, recent = clock(device), 0.0, 0, list[torch.Tensor]()
    window, reports = torch.arange(context + 1, device=device), 1
    while spent < budget:
        starts = torch.from_numpy(rng.integers(0, len(text) - context, (batch, 1))).to(device)
        rows = text[starts + window].long()
        loss = functional.cross_entropy(model(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten())
        loss.backward()
        optimiser.step(float(knobs["learning_rate"]) * slope(knobs["schedule"], float(knobs["warmup"]), spent / budget))
        step += 1
        recent.append(loss.detach())
        spent = clock(device) - started if timed else step * price
        if spent >= budget * reports / REPORTS:
            reports += 1
            bits = float(torch.stack(recent).mean()) / math.log(2)
            recent.clear()
            if math.isfinite(bits):
                curve.write(json.dumps({"step": step, "train_bits": round(bits, 4)}) + "\n")
                curve.flush()
    return step


def width_of(knobs: dict[str, Any]) -> int:
    """The width, rounded to whole attention heads."""
    return HEAD * max(1, round(int(knobs["width"]) / HEAD))


def build(knobs: dict[str, Any]) -> tuple[nn.Module, dict[str, Any]]:
    """(the model, its description for the judge)."""
    width, family = width_of(knobs), str(knobs["model"])
    told = {"family": family, "layers": int(knobs["layers"]), "width": width, "context": int(knobs["context"])}
    if family == "gru":
        return Recurrent({**knobs}, width), {**told, "heads": 1, "activation": "none"}
    return Transformer(knobs, width), {**told, "heads": width // HEAD, "activation": str(knobs["activation"])}


def main() -> None:
    torch.set_num_threads(1)
    told = json.loads(Path("knobs.json").read_text(encoding="utf-8"))
    seed, knobs = int(told["seed"]), told["knobs"]
    with np.load("inputs/train.npz") as file:
        plain = file["text"]
    if int(knobs["text_order"]):
        cut = int(np.random.default_rng([seed, 1, int(knobs["text_order"])]).integers(len(plain)))
        plain = np.roll(plain, cut)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(seed)
    model, description = build(knobs)
    model = model.to(device)
    text = torch.from_numpy(plain).to(device)
    with Path("metrics.jsonl").open("w", encoding="utf-8") as curve:
        steps = train(model, text, knobs, np.random.default_rng([seed, 2]), curve)
    arrays = {name: value.detach().cpu().numpy().astype(np.float16) for name, value in model.arrays().items()}
    Path("outputs").mkdir(exist_ok=True)
    np.savez(f"outputs/{description['family']}.npz", **arrays)
    Path("outputs/model.json").write_text(json.dumps(description, sort_keys=True) + "\n", encoding="utf-8")
    size = sum(weight.numel() for weight in model.parameters())
    print(f"{description['family']}: {size} weights, {steps} steps on {device.type}")


if __name__ == "__main__":
    main()
