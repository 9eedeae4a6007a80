"""The sealed evaluator of the template `char_lm`: cuts the text, and computes what a model's weights say about the rest.

It never imports candidate code, and no torch either. A candidate hands in arrays of weights and a description of one
of two architectures; the forward pass below, in NumPy, and the softmax at its end are the evaluator's own. So whatever
the weights are, the probabilities of all next bytes sum to one, no byte is predicted with the help of a later one, and bits
per byte cannot be claimed, only earned.

Text. The reference documentation that every Python carries for `help()` (`pydoc_data.topics`), without the paragraphs
that are there twice, is cut into pieces of 1024 bytes. A hash of each piece, salted with all of the text, says which
pieces are search, keep and final; the others are the pool for training. Source code of some modules of the standard library is cut
likewise, for training only. Both differ between versions of Python: `describe` says how large they are and gives a
short fingerprint.

The seed draws the pieces that are trained on, their order and the bytes that are corrupted. Draws are shared by all variants of
a seed and nested along a dose: a small text is part of a larger one, a byte that is wrong at a low rate is wrong at a high one too.

Judging. Each piece is predicted byte by byte, except its first, in windows of at most the model's own context: each new
window starts half a context after the one before, and only the bytes that no earlier window predicted count.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import io
import json
import math
import os
import re
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from pydoc_data import topics
from typing import Any, NamedTuple

import numpy as np

SPLITS = ("search", "keep", "final")
PIECE = 1024  # bytes
TEST = 14  # pieces of each split
VOCABULARY = 256
CODE_PIECES = 300
CODE = (
    "argparse", "ast", "bdb", "calendar", "cmd", "configparser", "copy", "csv", "dataclasses", "difflib", "doctest",
    "enum", "fractions", "functools", "heapq", "inspect", "ipaddress", "locale", "optparse", "pdb", "pickletools",
    "pprint", "random", "shutil", "socket", "statistics", "string", "subprocess", "tarfile", "textwrap", "threading",
    "tokenize", "traceback", "turtle", "typing", "uuid", "weakref",
)  # fmt: skip
"""Modules of the standard library, each a single file in Python 3.11 to 3.14."""

LARGEST_FILE = 6 << 20  # bytes of the weights' archive
LARGEST_TELLING = 1 << 12  # bytes of model.json
LARGEST_HEADER = 1 << 12
MOST_WEIGHTS = 1_500_000
LARGEST_WEIGHT = 1e4
MOST_BITS = 64.0  # a byte that was given less than this probability counts as this many bits
RANGES = {"layers": (1, 4), "width": (16, 160), "heads": (1, 10), "context": (8, 256)}
ACTIVATIONS = ("gelu", "relu", "relu_squared")
FAMILIES = ("transformer", "gru")
ROWS = 32  # windows in one pass
HEADER = re.compile(rb"\{'descr': '(<f2|<f4|<f8)', 'fortran_order': (True|False), 'shape': \(([\d, ]{1,40})\), \} *\n")

Weights = dict[str, np.ndarray]
Shapes = dict[str, tuple[int, ...]]


class Text(NamedTuple):
    """Pieces of text as (n, PIECE) bytes: hidden ones by split, those to train on, and code; and a fingerprint."""

    tests: dict[str, np.ndarray]
    pool: np.ndarray
    code: np.ndarray
    salt: tuple[int, ...]
    unigram_bits: float


def describe(knobs: dict[str, Any]) -> dict[str, int | float | str]:
    """Facts about the text. Sizes are bytes; `train` is the prose that training texts are drawn from, `code` the code;
    `unigram_bits` is what the frequencies of single bytes in that prose earn on *keep*, in bits per byte.

    Raises ValueError when the knobs ask for more text than there is.
    """
    text = _text()
    _sizes(knobs, text)
    return {
        "name": "pydoc",
        "title": "Python documentation",
        "examples": text.pool.size + sum(part.size for part in text.tests.values()),
        "train": text.pool.size,
        **{split: text.tests[split].size for split in SPLITS},
        "code": text.code.size,
        "unigram_bits": round(text.unigram_bits, 4),
        "fingerprint": f"{text.salt[0]:08x}",
    }


def prepare(inputs: Path, knobs: dict[str, Any], seed: int) -> None:
    """Write `train.npz`: text (n,) uint8. Raises ValueError when the knobs ask for more text than there is."""
    text = _text()
    prose, code = _sizes(knobs, text)

    def drawn(pieces: np.ndarray, size: int, stream: int) -> tuple[np.ndarray, np.ndarray]:
        """(pieces that hold at least `size` bytes, corrupted; a place for each in the stream)."""
        rng = np.random.default_rng([*text.salt, seed, stream])
        order, place = rng.permutation(len(pieces)), rng.random(len(pieces))
        unlucky = rng.random(pieces.shape, dtype=np.float32) < float(knobs["corruption"])
        noisy = np.where(unlucky, rng.integers(32, 127, pieces.shape, dtype=np.uint8), pieces)
        count = math.ceil(size / PIECE)
        return noisy[order[:count]], place[order[:count]]

    parts, places = zip(drawn(text.pool, prose, 0), drawn(text.code, code, 1), strict=True)
    # Shuffled by a place that each piece has for good, so that texts of different sizes have their pieces in one order.
    stream = np.concatenate(parts)[np.argsort(np.concatenate(places), kind="stable")].ravel()
    inputs.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(inputs / "train.npz", text=stream[: prose + code])


def score(outputs: Path, split: str, knobs: dict[str, Any], seed: int) -> dict[str, float]:
    """Metrics of a model on one split, each a mean over the bytes that are predicted.

    bits_per_byte   negative binary logarithm of the probability of the byte that came, at most 64 for a single byte
    byte_accuracy   share of bytes that were the most probable one (of several, the lowest)

    Raises ValueError, in one line, for weights that are not what was asked for, or whose forward pass is not finite.
    """
    if split not in SPLITS:
        raise ValueError(f"no split '{split}'")
    model = _read_description(outputs)
    weights = _read_weights(outputs, model)
    bits, right = _predict(model, weights, _text().tests[split])
    return {"bits_per_byte": float(bits.mean()), "byte_accuracy": float(right.mean())}


# The text


@functools.cache
def _text() -> Text:
    """Read and cut the text of this Python."""
    seen: set[str] = set()
    kept = []
    for _, topic in sorted(topics.topics.items()):
        for paragraph in re.split(r"\n[ \t]*\n", topic):
            words = " ".join(paragraph.split())
            if words and words not in seen:  # long topics repeat short ones whole
                seen.add(words)
                kept.append(paragraph.rstrip())
    prose = "\n\n".join(kept).encode()
    salt = hashlib.sha256(prose).digest()
    pieces = _pieces(prose, salt)
    tests = {split: pieces[number * TEST : (number + 1) * TEST] for number, split in enumerate(SPLITS)}
    pool = pieces[len(SPLITS) * TEST :]
    share = (np.bincount(pool.ravel(), minlength=VOCABULARY) + 1) / (pool.size + VOCABULARY)
    unigram = float(-np.log2(share[tests["keep"][:, 1:]]).mean())
    code = _pieces(b"\n\n".join(_source(name) for name in CODE), salt)[:CODE_PIECES]
    return Text(tests, pool, code, tuple(np.frombuffer(salt, dtype="<u4").tolist()), unigram)


def _source(module: str) -> bytes:
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None or not found.origin.endswith(".py"):
        raise RuntimeError(f"this Python has no source of its module {module}")
    return Path(found.origin).read_bytes()


def _pieces(text: bytes, salt: bytes) -> np.ndarray:
    """(n, PIECE) bytes, in an order that only the text itself decides."""
    whole = [text[start : start + PIECE] for start in range(0, len(text) - PIECE + 1, PIECE)]
    whole.sort(key=lambda piece: hashlib.sha256(salt + piece).digest())
    return np.frombuffer(b"".join(whole), dtype=np.uint8).reshape(-1, PIECE)


def _sizes(knobs: dict[str, Any], text: Text) -> tuple[int, int]:
    """Bytes of (prose, code) in the training text."""
    total = int(knobs["train_bytes"])
    code = round(float(knobs["code_share"]) * total)
    for size, pieces, kind in ((total - code, text.pool, "prose"), (code, text.code, "code")):
        if size > pieces.size:
            raise ValueError(f"{size} bytes of {kind} are more than the {pieces.size} that there are")
    return total - code, code


# The model


def _predict(model: dict[str, Any], weights: Weights, pieces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(bits of every byte but the first of each piece, whether it was the most probable one), flat."""
    context, last = int(model["context"]), PIECE - 1
    bits, right = np.zeros((len(pieces), PIECE)), np.zeros((len(pieces), PIECE), dtype=bool)
    forward = _transformer if model["family"] == "transformer" else _gru
    starts = [*range(0, last - context, max(1, context // 2)), last - context]
    windows = [(row, start) for start in starts for row in range(len(pieces))]
    done = np.zeros(len(pieces), dtype=int)  # bytes up to this one have been predicted
    for first in range(0, len(windows), ROWS):
        rows, begins = np.array(windows[first : first + ROWS]).T
        places = begins[:, None] + np.arange(context + 1)
        bytes_ = pieces[rows[:, None], places].astype(np.int64)
        logits = forward(model, weights, bytes_[:, :-1]).astype(np.float64)
        if not np.isfinite(logits).all():
            raise ValueError("the model's forward pass is not finite")
        logits -= logits.max(axis=2, keepdims=True)
        total = np.log(np.exp(logits).sum(axis=2))
        nats = total - np.take_along_axis(logits, bytes_[:, 1:, None], axis=2)[..., 0]
        hits = logits.argmax(axis=2) == bytes_[:, 1:]
        for window, row in enumerate(rows):
            fresh = places[window, 1:] > done[row]
            bits[row, places[window, 1:][fresh]] = nats[window, fresh] / math.log(2)
            right[row, places[window, 1:][fresh]] = hits[window, fresh]
            done[row] = places[window, -1]
    return np.minimum(bits[:, 1:], MOST_BITS).ravel(), right[:, 1:].ravel()


def _norm(x: np.ndarray, gain: np.ndarray) -> np.ndarray:
    centred = x - x.mean(axis=-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + np.float32(1e-5)) * gain


def _activate(x: np.ndarray, name: str) -> np.ndarray:
    if name == "gelu":  # its usual approximation (Hendrycks and Gimpel 2016)
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))
    rectified = np.maximum(x, 0)
    return rectified * rectified if name == "relu_squared" else rectified


def _transformer(model: dict[str, Any], weights: Weights, tokens: np.ndarray) -> np.ndarray:
    """(n, length) bytes to (n, length, 256) logits; a byte sees itself and those before it."""
    (size, length), width, heads = tokens.shape, int(model["width"]), int(model["heads"])
    hidden = np.triu(np.full((length, length), -np.inf, dtype=np.float32), 1)
    with np.errstate(all="ignore"):
        x = weights["embed"][tokens] + weights["position"][:length]
        for layer in range(int(model["layers"])):
            parts = _norm(x, weights["norm1"][layer]) @ weights["qkv"][layer]
            query, key, value = parts.reshape(size, length, 3, heads, width // heads).transpose(2, 0, 3, 1, 4)
            match = query @ key.swapaxes(2, 3) / np.float32(math.sqrt(width // heads)) + hidden
            share = np.exp(match - match.max(axis=3, keepdims=True))
            share /= share.sum(axis=3, keepdims=True)
            x = x + (share @ value).transpose(0, 2, 1, 3).reshape(size, length, width) @ weights["mix"][layer]
            inner = _activate(_norm(x, weights["norm2"][layer]) @ weights["up"][layer], str(model["activation"]))
            x = x + inner @ weights["down"][layer]
        return _norm(x, weights["norm"]) @ weights["head"].T


def _gru(model: dict[str, Any], weights: Weights, tokens: np.ndarray) -> np.ndarray:
    """(n, length) bytes to (n, length, 256) logits; every window starts from an empty state."""
    width = int(model["width"])

    def gate(x: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-x))

    with np.errstate(all="ignore"):
        x = weights["embed"][tokens]
        for layer in range(int(model["layers"])):
            given = x @ weights["inner"][layer] + weights["inner_bias"][layer]
            state, states = np.zeros_like(x[:, 0]), np.empty_like(x)
            for place in range(tokens.shape[1]):
                told, kept = given[:, place], state @ weights["outer"][layer] + weights["outer_bias"][layer]
                reset = gate(told[:, :width] + kept[:, :width])
                stay = gate(told[:, width : 2 * width] + kept[:, width : 2 * width])
                new = np.tanh(told[:, 2 * width :] + reset * kept[:, 2 * width :])
                state = (1 - stay) * new + stay * state
                states[:, place] = state
            x = states
        return x @ weights["head"].T


def _shapes(model: dict[str, Any]) -> Shapes:
    """The arrays of a model, by name."""
    layers, width = int(model["layers"]), int(model["width"])
    ends = {"embed": (VOCABULARY, width), "head": (VOCABULARY, width)}
    if model["family"] == "gru":
        wide, bias = (layers, width, 3 * width), (layers, 3 * width)
        return {**ends, "inner": wide, "inner_bias": bias, "outer": wide, "outer_bias": bias}
    return {
        **ends,
        "position": (int(model["context"]), width),
        "norm1": (layers, width),
        "qkv": (layers, width, 3 * width),
        "mix": (layers, width, width),
        "norm2": (layers, width),
        "up": (layers, width, 4 * width),
        "down": (layers, 4 * width, width),
        "norm": (width,),
    }


# What a run hands in


def _read(outputs: Path, name: str, most: int) -> bytes:
    """The bytes of a plain file of at most `most` bytes. No link is followed."""
    try:
        if outputs.is_symlink():
            raise ValueError("outputs is a link")
        descriptor = os.open(outputs / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise ValueError(f"{name} cannot be opened: {error.strerror}") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError(f"{name} is not a plain file")
        raw = os.read(descriptor, most + 1)
    finally:
        os.close(descriptor)
    if len(raw) > most:
        raise ValueError(f"{name} has more than {most} bytes")
    return raw


def _read_description(outputs: Path) -> dict[str, Any]:
    """`model.json`, checked: nothing outside of the declared families and ranges."""
    try:
        model = json.loads(_read(outputs, "model.json", LARGEST_TELLING).decode("utf-8"))
    except RecursionError:
        raise ValueError("model.json is nested too deeply") from None
    except UnicodeDecodeError:
        raise ValueError("model.json is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"model.json is not JSON: {error.msg}") from None
    if not isinstance(model, dict) or sorted(model) != sorted(("family", "activation", *RANGES)):
        raise ValueError(f"model.json must hold exactly family, activation, {', '.join(RANGES)}")
    for name, (low, high) in RANGES.items():
        if type(model[name]) is not int or not low <= model[name] <= high:
            raise ValueError(f"model.json: {name} is a whole number from {low} to {high}")
    if model["family"] not in FAMILIES:
        raise ValueError(f"model.json: family is one of {', '.join(FAMILIES)}")
    if model["activation"] not in (ACTIVATIONS if model["family"] == "transformer" else ("none",)):
        raise ValueError(f"model.json: a {model['family']} has no such activation")
    if model["width"] % model["heads"]:
        raise ValueError("model.json: heads must divide width")
    if sum(math.prod(shape) for shape in _shapes(model).values()) > MOST_WEIGHTS:
        raise ValueError(f"model.json asks for more than {MOST_WEIGHTS} weights")
    return model


def _read_weights(outputs: Path, model: dict[str, Any]) -> Weights:
    """The weights as float32, checked. Nothing is inflated before its size is known."""
    name, shapes = f"{model['family']}.npz", _shapes(model)
    raw = _read(outputs, name, LARGEST_FILE)
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            members = archive.infolist()
            if sorted(member.filename for member in members) != sorted(f"{array}.npy" for array in shapes):
                raise ValueError(f"{name} must hold exactly the arrays {', '.join(shapes)}")
            for member in members:
                # Of zipfile's methods only these two inflate no further than the size that was declared.
                if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise ValueError(f"{member.filename} is compressed in an unusual way")
                if member.file_size > math.prod(shapes[member.filename.removesuffix(".npy")]) * 8 + LARGEST_HEADER:
                    raise ValueError(f"{member.filename} is larger than model.json says")
            return {array: _weights(archive.read(f"{array}.npy"), array, shape) for array, shape in shapes.items()}
    except (zipfile.BadZipFile, zlib.error, struct.error, RuntimeError, EOFError) as error:
        raise ValueError(f"{name} is not a readable archive: {error}") from None


def _weights(raw: bytes, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """One `.npy` member (format 1.0) as an array of float32.

    The header is compared, not evaluated, and nothing is allocated on its word.
    """
    if len(raw) < 10 or raw[:8] != b"\x93NUMPY\x01\x00":
        raise ValueError(f"array '{name}' is not a NumPy array file")
    start = 10 + int.from_bytes(raw[8:10], "little")
    header = HEADER.fullmatch(raw[10:start])
    if header is None:
        raise ValueError(f"array '{name}' is not a plain array of floating-point numbers")
    dtype, fortran = header[1].decode(), header[2] == b"True"
    found = tuple(int(size) for size in header[3].decode().replace(",", " ").split())
    if found != shape:
        raise ValueError(f"array '{name}' has shape {found}, not {shape}")
    body = raw[start:]
    if len(body) != math.prod(shape) * int(dtype[2]):
        raise ValueError(f"array '{name}' is cut short or padded")
    values = np.frombuffer(body, dtype=dtype).reshape(shape, order="F" if fortran else "C")
    if not np.isfinite(values).all():
        raise ValueError(f"array '{name}' holds values that are not finite")
    if np.abs(values).max() > LARGEST_WEIGHT:
        raise ValueError(f"array '{name}' holds weights beyond {LARGEST_WEIGHT:g}")
    return np.ascontiguousarray(values, dtype=np.float32)
