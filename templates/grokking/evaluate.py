"""The sealed evaluator of the template `grokking`: hides a table of modular arithmetic behind names, and judges answers.

It never imports candidate code. The table is a * b in some operation modulo P, for all P x P pairs. A candidate sees
cells of it only under *names*: the left operands, the right operands and the answers are renamed by three independent
permutations that change with the seed. So knowing arithmetic earns what guessing earns, and even the symmetry of
addition (a + b = b + a) cannot be seen. All draws are seeded with the run's seed and the sealed file `salt.txt`:
without the salt nobody can replay the names from this file, although it is public.

Splits. Which cells of the table are search, keep and final is fixed, the same for every seed and operation; the rest
is the pool that shown cells are drawn from. The seed draws the names, the cells that are shown, the wrong answers among
them, and the order of all rows. Draws are shared by all variants of a seed and nested along a dose: the cells of a
small share are part of a larger one, the answers that are wrong at a low noise are wrong at a high one too.

Noise. `label_noise` replaces that share of the answers shown, each by one of the other answers with equal probability.
Hidden answers are always the table's.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

SPLITS = ("search", "keep", "final")
P = 31  # the modulus
TEST = 110  # cells of each split
CHECKPOINTS = 40  # most times at which a run answers
GENERALISED = 0.5  # the accuracy half-way through the rise, which is steep
LARGEST_FILE = 1 << 18  # bytes of predictions.npz; an honest one has less than a tenth of it
LARGEST_HEADER = 1 << 12
HEADER = re.compile(
    rb"\{'descr': '([^']{1,8})', 'fortran_order': (True|False), 'shape': \((\d{1,6}),(?: (\d{1,6}))?\), \} *\n"
)
INTEGERS = ("|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8")
SALT = np.frombuffer(hashlib.sha256(Path(__file__).with_name("salt.txt").read_bytes()).digest(), dtype="<u4").tolist()
TITLES = {
    "add": "modular addition",
    "multiply": "modular multiplication",
    "squares": "modular sums of squares",
    "mixed": "a modular quadratic form",
}


class Cells(NamedTuple):
    """Cells under their names, in the candidate's order: left and right operand and answer, each (n,)."""

    left: np.ndarray
    right: np.ndarray
    answer: np.ndarray


def describe(knobs: dict[str, Any]) -> dict[str, int | float | str]:
    """Facts about the table that the knobs select. `train` is the size of the pool that shown cells come from,
    `majority` the share of the commonest answer there: what guessing earns."""
    operation = str(knobs["operation"])
    answers = _table(operation)[_cut()[1]]
    return {
        "name": operation,
        "title": TITLES[operation],
        "examples": P * P,
        "features": 2,
        "classes": P,
        "train": len(answers),
        **dict.fromkeys(SPLITS, TEST),
        "majority": float(np.bincount(answers).max() / len(answers)),
    }


def prepare(inputs: Path, knobs: dict[str, Any], seed: int) -> None:
    """Write `train.npz` (left, right, answer), `pairs.npz` (<split>_left, <split>_right), all (n,) int64 names from 0
    to P - 1, and `meta.json`: P as `tokens`, and the steps at which answers are wanted as `checkpoints`."""
    tests, shown = _task(knobs, seed)
    inputs.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(inputs / "train.npz", left=shown.left, right=shown.right, answer=shown.answer)
    pairs = {f"{split}_left": cells.left for split, cells in tests.items()}
    pairs |= {f"{split}_right": cells.right for split, cells in tests.items()}
    np.savez_compressed(inputs / "pairs.npz", **pairs)
    meta = {"tokens": P, "checkpoints": _checkpoints(int(knobs["steps"])).tolist()}
    (inputs / "meta.json").write_text(json.dumps(meta, sort_keys=True) + "\n", encoding="utf-8")


def score(outputs: Path, split: str, knobs: dict[str, Any], seed: int) -> dict[str, float]:
    """Metrics of `outputs/predictions.npz` on one split. All three must be acceptable, whichever is scored.

    accuracy         share of right answers at the last checkpoint, which is the end of training
    curve_area       mean share of right answers over training, on a logarithmic scale of steps (trapezoids)
    generalises_at   first step at which that share reaches a half, interpolated on the same scale; the length of training
                     plus one if it never does

    Only the first rests on nothing but the final answers. The judge cannot see whether the answers for an earlier step
    were really given then; so the objective must not be one of the others.

    Raises ValueError, in one line, for an artefact that is not what was asked for.
    """
    if split not in SPLITS:
        raise ValueError(f"no split '{split}'")
    steps = _checkpoints(int(knobs["steps"]))
    answers = _read_predictions(outputs, steps)[split]
    tests, _ = _task(knobs, seed)
    right = (answers == tests[split].answer).mean(axis=1)
    place = np.log(steps)
    widths = np.diff(place)
    return {
        "accuracy": float(right[-1]),
        "curve_area": float((widths * (right[1:] + right[:-1]) / 2).sum() / widths.sum()),
        "generalises_at": _first(place, right),
    }


def _first(place: np.ndarray, right: np.ndarray) -> float:
    """The step at which `right` first reaches GENERALISED, between checkpoints at logarithms `place`."""
    reached = np.flatnonzero(right >= GENERALISED)
    if not len(reached):
        return float(round(np.exp(place[-1]))) + 1
    after = int(reached[0])
    if after == 0:
        return float(np.exp(place[0]))
    share = (GENERALISED - right[after - 1]) / (right[after] - right[after - 1])
    return float(np.exp(place[after - 1] + share * (place[after] - place[after - 1])))


def _checkpoints(steps: int) -> np.ndarray:
    """Steps at which answers are wanted: from 1 to `steps`, evenly on a logarithmic scale, each once."""
    return np.unique(np.round(np.geomspace(1, steps, CHECKPOINTS)).astype(np.int64))


def _table(operation: str) -> np.ndarray:
    """The answers of all cells, (P * P,), in the order of left * P + right."""
    a, b = np.divmod(np.arange(P * P), P)
    values = {"add": a + b, "multiply": a * b, "squares": a * a + b * b, "mixed": a * a + a * b + b * b}
    if operation not in values:
        raise ValueError(f"no operation '{operation}'")
    return values[operation] % P


def _generator(*stream: int) -> np.random.Generator:
    return np.random.default_rng([*SALT, *stream])


def _cut() -> tuple[dict[str, np.ndarray], np.ndarray]:
    """(cells of each split, cells of the pool); the same for every seed."""
    order = _generator(0).permutation(P * P)
    *tests, pool = np.split(order, np.arange(1, len(SPLITS) + 1) * TEST)
    return dict(zip(SPLITS, tests, strict=True)), pool


def _task(knobs: dict[str, Any], seed: int) -> tuple[dict[str, Cells], Cells]:
    """(hidden cells by split, shown cells with their noise), as this seed names and orders them."""
    answers = _table(str(knobs["operation"]))
    rows, pool = _cut()
    naming = _generator(1, seed)
    left, right, answer = (naming.permutation(P) for _ in range(3))

    def named(cells: np.ndarray, values: np.ndarray) -> Cells:
        return Cells(left[cells // P], right[cells % P], answer[values])

    # Rows in the order of the table would say which operands belong together.
    shuffle = _generator(2, seed)
    tests = {
        split: named(cells, answers[cells]) for split, part in rows.items() for cells in [shuffle.permutation(part)]
    }

    draw = _generator(3, seed)
    order, luck, step = draw.permutation(len(pool)), draw.random(len(pool)), draw.integers(1, P, len(pool))
    chosen = order[: round(float(knobs["train_fraction"]) * P * P)]
    values = answers[pool[chosen]].copy()
    unlucky = np.argsort(luck[chosen], kind="stable")[: round(float(knobs["label_noise"]) * len(chosen))]
    values[unlucky] = (values[unlucky] + step[chosen][unlucky]) % P
    return tests, named(pool[chosen], values)


def _read_predictions(outputs: Path, steps: np.ndarray) -> dict[str, np.ndarray]:
    """Answers by split, (checkpoints, cells), checked. Nothing is inflated before its size is known."""
    try:
        if outputs.is_symlink():
            raise ValueError("outputs is a link")
        descriptor = os.open(outputs / "predictions.npz", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise ValueError(f"predictions.npz cannot be opened: {error.strerror}") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("predictions.npz is not a plain file")
        raw = os.read(descriptor, LARGEST_FILE + 1)
    finally:
        os.close(descriptor)
    if len(raw) > LARGEST_FILE:
        raise ValueError(f"predictions.npz has more than {LARGEST_FILE} bytes")
    shapes: dict[str, tuple[int, ...]] = {"steps": (len(steps),), **dict.fromkeys(SPLITS, (len(steps), TEST))}
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            members = archive.infolist()
            if sorted(member.filename for member in members) != sorted(f"{name}.npy" for name in shapes):
                raise ValueError(f"predictions.npz must hold exactly the arrays {', '.join(shapes)}")
            for member in members:
                # Of zipfile's methods only these two inflate no further than the size that was declared.
                if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise ValueError(f"{member.filename} is compressed in an unusual way")
                if member.file_size > np.prod(shapes[member.filename.removesuffix(".npy")]) * 8 + LARGEST_HEADER:
                    raise ValueError(f"{member.filename} is larger than {len(steps)} x {TEST} answers")
            found = {name: _integers(archive.read(f"{name}.npy"), name, shape) for name, shape in shapes.items()}
    except (zipfile.BadZipFile, zlib.error, struct.error, RuntimeError, EOFError) as error:
        raise ValueError(f"predictions.npz is not a readable archive: {error}") from None
    if (found.pop("steps") != steps).any():
        raise ValueError("array 'steps' is not the list of checkpoints that was asked for")
    for name, answers in found.items():
        if answers.min() < 0 or answers.max() >= P:
            raise ValueError(f"array '{name}' holds answers that are no names: whole numbers from 0 to {P - 1}")
    return found


def _integers(raw: bytes, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """One `.npy` member (format 1.0) as an array of whole numbers.

    The header is compared, not evaluated, and nothing is allocated on its word.
    """
    if len(raw) < 10 or raw[:8] != b"\x93NUMPY\x01\x00":
        raise ValueError(f"array '{name}' is not a NumPy array file")
    start = 10 + int.from_bytes(raw[8:10], "little")
    header = HEADER.fullmatch(raw[10:start])
    if header is None:
        raise ValueError(f"array '{name}' is not a plain array of one or two dimensions")
    dtype, fortran = header[1].decode(), header[2] == b"True"
    found = tuple(int(size) for size in header.groups()[2:] if size is not None)
    if dtype not in INTEGERS:
        raise ValueError(f"array '{name}' has type {dtype!r}, not whole numbers")
    if found != shape:
        raise ValueError(f"array '{name}' has shape {found}, not {shape}")
    body = raw[start:]
    if len(body) != int(np.prod(shape)) * int(dtype[2]):
        raise ValueError(f"array '{name}' is cut short or padded")
    return np.frombuffer(body, dtype=dtype).reshape(shape, order="F" if fortran else "C")
