"""The sealed evaluator of the template `tabular`: prepares tables, judges class probabilities, hands out medals.

It never imports candidate code. Everything random follows from a salt that a candidate cannot know: for real data a hash
that covers the hidden labels, for the simulated table also `salt.txt`, which is sealed. So nobody can replay a split, a
row or a blank from this file, although it is public.

Tables. Each is cut once, stratified by class, into a training pool and three test sets (search, keep, final), the same
for every seed. Real tables are made mixed: a third of their columns is coarsened into six bins whose order is lost. The
simulated one (`tables.py`) has categories, skewed amounts and blanks of its own.

Data knobs. The seed draws `train_size` rows from the pool. `missing` blanks that share of the cells, in training and test
tables alike. `irrelevant` appends columns of noise. `duplicated` replaces that share of the training rows by copies of the
others. Draws are shared by all variants of a seed and nested along a dose, so differences between variants are paired.

Score. `skill` is one minus the log loss over that of the best constant guess, which is to predict how frequent the
classes are in the test set itself: no constant earns more than zero, a perfect prediction earns one. A log loss is a
proper score: honest probabilities are the best policy. `field.json` holds what a fixed field of baselines earned at the
default data knobs (see `make_field.py`); `beaten`, `medal` and `gold` compare a run with it.
"""

from __future__ import annotations

import functools
import importlib.util
import io
import json
import os
import re
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

SPLITS = ("search", "keep", "final")
MEDALS = {"bronze": 0.5, "silver": 0.75, "gold": 0.9}  # shares of the field's runs that a medal must beat
FLOOR = 1e-3  # a probability below it counts as this, so that a single surprise cannot outweigh a table
LARGEST_FILE = 1 << 20  # bytes of predictions.npz; an honest one has less than a fiftieth of it
LARGEST_HEADER = 1 << 12
HEADER = re.compile(
    rb"\{'descr': '([^']{1,8})', 'fortran_order': (True|False), 'shape': \((\d{1,6}), (\d{1,6})\), \} *\n"
)


def _beside(name: str) -> ModuleType:
    """The sealed module beside this one; the judge's path does not lead here."""
    spec = importlib.util.spec_from_file_location(f"tabular_{name}", Path(__file__).with_name(f"{name}.py"))
    if spec is None or spec.loader is None:
        raise ImportError(f"{name}.py is missing beside evaluate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tables = _beside("tables")


def describe(knobs: dict[str, Any]) -> dict[str, int | float | str]:
    """Facts about the table that the knobs select. `train` is the size of the pool that training rows come from.

    `majority` is what guessing earns in units of the objective, zero by construction. `bronze`, `silver` and `gold` are
    the skills on keep that earn these medals, `field` the number of baselines in the field.

    Raises ValueError when the knobs ask for more training rows than the pool has.
    """
    name, data = _selected(knobs)
    field = _field()[name]["keep"]
    runs = np.sort(np.concatenate([values for values in field.values()]))
    return {
        "name": name,
        "title": tables.TABLES[name][0],
        "examples": len(data.y),
        "features": data.numbers.shape[1] + data.categories.shape[1],
        "categorical": data.categories.shape[1],
        "classes": data.classes,
        "train": len(data.pool),
        **{split: len(data.rows[split]) for split in SPLITS},
        "majority": 0.0,
        "field": len(field),
        **{medal: round(float(np.quantile(runs, share)), 4) for medal, share in MEDALS.items()},
    }


def prepare(inputs: Path, knobs: dict[str, Any], seed: int) -> None:
    """Write the training table, three tables without labels, and what their columns are.

    train.npz      numbers (n, p) float32, NaN where blank; categories (n, q) int64 codes, -1 where blank; y (n,) int64
    features.npz   search_numbers, search_categories, keep_..., final_...: as above
    meta.json      {"dataset", "classes", "levels": codes that each categorical column has}

    Raises ValueError when the knobs ask for more training rows than the pool has.
    """
    name, data = _selected(knobs)
    numbers, noise = data.numbers, _noise(data, int(knobs["irrelevant"]))
    share, width = float(knobs["missing"]), numbers.shape[1]
    luck = _generator(data, seed, 2).random((len(data.y), width + data.categories.shape[1]))
    # Noise has blanks of its own, column by column, so that the others keep theirs however much there is.
    noise = np.where(_generator(data, seed, 4).random(noise.shape) < share, np.nan, noise)
    numbers = np.where(luck[:, :width] < share, np.nan, numbers)
    numbers = np.column_stack([numbers, noise.T]).astype(np.float32)
    categories = np.where(luck[:, width:] < share, -1, data.categories)

    rows = data.pool[tables.stratified_order(data.y[data.pool], _generator(data, seed, 1))]
    rows = _copied(rows[: int(knobs["train_size"])], float(knobs["duplicated"]), _generator(data, seed, 3))

    inputs.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(inputs / "train.npz", numbers=numbers[rows], categories=categories[rows], y=data.y[rows])
    tests = {}
    for split in SPLITS:
        tests[f"{split}_numbers"] = numbers[data.rows[split]]
        tests[f"{split}_categories"] = categories[data.rows[split]]
    np.savez_compressed(inputs / "features.npz", **tests)
    meta = {"dataset": name, "classes": data.classes, "levels": list(data.levels)}
    (inputs / "meta.json").write_text(json.dumps(meta, sort_keys=True) + "\n", encoding="utf-8")


def score(outputs: Path, split: str, knobs: dict[str, Any], seed: int) -> dict[str, float]:
    """Metrics of `outputs/predictions.npz` on one split. All three must be acceptable, whichever is scored.

    skill       1 - log loss / log loss of the class frequencies of the test set
    log_loss    mean negative natural logarithm of the probability given to the truth, probabilities floored at 0.001
    accuracy    share of rows whose most probable class (of several, the lowest) is right
    auc         area under the ROC curve of each class against the rest, averaged over classes (Hand and Till 2001
                average over pairs instead); ties count half
    beaten      share of the field's runs on this table and split that have a lower skill
    medal       1 where `beaten` earns a medal, bronze or better; its mean over runs is the share with a medal
    gold        1 where it earns gold

    Raises ValueError, in one line, for an artefact that is not what was asked for.
    """
    if split not in SPLITS:
        raise ValueError(f"no split '{split}'")
    name, data = _selected({**knobs, "train_size": 0})
    shapes = {s: (len(data.rows[s]), data.classes) for s in SPLITS}
    p, y = _read_predictions(outputs, shapes)[split], data.y[data.rows[split]]
    skill = skill_of(p, y)
    runs = np.concatenate([values for values in _field()[name][split].values()])
    beaten = float((runs < skill).mean())
    return {
        "skill": skill,
        "log_loss": _log_loss(p, y),
        "accuracy": float((p.argmax(axis=1) == y).mean()),
        "auc": float(np.mean([_auc(p[:, c], y == c) for c in np.unique(y)])),
        "beaten": beaten,
        "medal": float(beaten >= MEDALS["bronze"]),
        "gold": float(beaten >= MEDALS["gold"]),
    }


def skill_of(p: np.ndarray, y: np.ndarray) -> float:
    """The objective: (n, classes) probabilities against (n,) labels. A constant earns nothing, not a rounding error."""
    return round(1 - _log_loss(p, y) / _best_constant(y), 12) + 0.0


def _log_loss(p: np.ndarray, y: np.ndarray) -> float:
    return float(-np.log(np.maximum(p[np.arange(len(y)), y], FLOOR)).mean())


def _best_constant(y: np.ndarray) -> float:
    """The log loss of predicting the class frequencies of `y` for every row: the least that a constant can have."""
    share = np.bincount(y) / len(y)
    return float(-(share[share > 0] * np.log(share[share > 0])).sum())


def _auc(values: np.ndarray, positive: np.ndarray) -> float:
    """Probability that a positive row has a higher value than a negative one, ties counting half.

    Values are compared to nine decimals: renormalising a row may have parted what was equal.
    """
    values = values.round(9)
    ordered = np.sort(values[~positive])
    below, upto = (np.searchsorted(ordered, values[positive], side=side) for side in ("left", "right"))
    return float((below + upto).mean() / 2 / len(ordered))


def _selected(knobs: dict[str, Any]) -> tuple[str, Any]:
    name, size = str(knobs["dataset"]), int(knobs.get("train_size", 0))
    data = tables.load(name)
    if size > len(data.pool):
        raise ValueError(f"train_size {size} is more than the {len(data.pool)} training rows of {name}")
    return name, data


def _generator(data: Any, seed: int, stream: int) -> np.random.Generator:
    return np.random.default_rng([*data.salt, 2, seed, stream])


def _noise(data: Any, count: int) -> np.ndarray:
    """(count, n) columns of Gaussian noise; more of them contain fewer.

    They are the same for every seed: noise belongs to a table, not to a sample.
    """
    return np.random.default_rng([*data.salt, 3]).standard_normal((count, len(data.y)))


def _copied(rows: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """`share` of the rows (rounded) replaced by copies of others that stay; rows lost at a low share stay lost at more."""
    order, luck = rng.permutation(len(rows)), rng.random(len(rows))
    lost, kept = np.split(order, [round(share * len(rows))])
    found = rows.copy()
    found[lost] = rows[kept[(luck[lost] * len(kept)).astype(int)]]
    return found


@functools.cache
def _field() -> dict[str, dict[str, dict[str, list[float]]]]:
    """What the baselines earned: table, split, baseline -> skill per seed."""
    return dict(json.loads(Path(__file__).with_name("field.json").read_text(encoding="utf-8"))["skill"])


def _read_predictions(outputs: Path, shapes: dict[str, tuple[int, int]]) -> dict[str, np.ndarray]:
    """Probabilities by split, checked and renormalised. Nothing is inflated before its size is known."""
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
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            members = archive.infolist()
            if sorted(member.filename for member in members) != sorted(f"{split}.npy" for split in shapes):
                raise ValueError(f"predictions.npz must hold exactly the arrays {', '.join(shapes)}")
            for member in members:
                rows, columns = shapes[member.filename.removesuffix(".npy")]
                # Of zipfile's methods only these two inflate no further than the size that was declared.
                if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise ValueError(f"{member.filename} is compressed in an unusual way")
                if member.file_size > rows * columns * 8 + LARGEST_HEADER:
                    raise ValueError(f"{member.filename} is larger than {rows} x {columns} probabilities")
            return {s: _probabilities(archive.read(f"{s}.npy"), s, shape) for s, shape in shapes.items()}
    except (zipfile.BadZipFile, zlib.error, struct.error, RuntimeError, EOFError) as error:
        raise ValueError(f"predictions.npz is not a readable archive: {error}") from None


def _probabilities(raw: bytes, split: str, shape: tuple[int, int]) -> np.ndarray:
    """One `.npy` member (format 1.0) as an (n, classes) array of probabilities.

    The header is compared, not evaluated, and nothing is allocated on its word.
    """
    if len(raw) < 10 or raw[:8] != b"\x93NUMPY\x01\x00":
        raise ValueError(f"array '{split}' is not a NumPy array file")
    start = 10 + int.from_bytes(raw[8:10], "little")
    header = HEADER.fullmatch(raw[10:start])
    if header is None:
        raise ValueError(f"array '{split}' is not a plain two-dimensional array")
    dtype, fortran, found = header[1].decode(), header[2] == b"True", (int(header[3]), int(header[4]))
    if dtype not in ("<f2", "<f4", "<f8"):
        raise ValueError(f"array '{split}' has type {dtype!r}, not floating-point numbers")
    if found != shape:
        raise ValueError(f"array '{split}' has shape {found}, not {shape}")
    body = raw[start:]
    if len(body) != shape[0] * shape[1] * int(dtype[2]):
        raise ValueError(f"array '{split}' is cut short or padded")
    p = np.frombuffer(body, dtype=dtype).reshape(shape, order="F" if fortran else "C").astype(np.float64)
    if not np.isfinite(p).all():
        raise ValueError(f"array '{split}' holds values that are not finite")
    if (p < 0).any() or (np.abs(p.sum(axis=1) - 1) > 1e-2).any():
        raise ValueError(f"array '{split}' holds no probabilities: rows of values from 0 to 1 with sum 1")
    return p / p.sum(axis=1, keepdims=True)
