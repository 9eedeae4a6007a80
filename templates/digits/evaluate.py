"""The sealed evaluator of the template `digits`: prepares a run's inputs and judges its predictions.

It never imports candidate code. A run's random draws follow from (run seed, salt of the data set), where
the salt is a hash of the data set *with its hidden labels*: whoever does not hold the labels cannot replay
a split, a flipped label or a noise value from this file, although it is public.

Splits. Each data set is cut once, stratified by class, into a training pool and three test sets (search,
keep, final), the same for every seed. The seed draws the training sample from the pool, the label flips and
the feature noise. Draws are shared by all variants of a seed and nested along a dose: the examples of a
small training set are part of the large one, the labels flipped at a low noise are flipped at a high one
too. So differences between variants are paired.

Noise. `label_noise` replaces the labels of that share of the training examples, each by one of the other
classes with equal probability; test labels stay clean. `feature_noise` adds Gaussian noise, in units of
each feature's standard deviation in the pool, to training and test features alike: the sensor is bad, not
only the archive. `class_imbalance` withholds that share of the training examples of half of the classes
(rounded down; which ones, the seed decides); the training set shrinks by as much.
"""

from __future__ import annotations

import functools
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
from sklearn import datasets

SPLITS = ("search", "keep", "final")
# name -> title, size of each test set in the order of SPLITS, image shape (None: a table)
DATASETS: dict[str, tuple[str, tuple[int, int, int], tuple[int, int] | None]] = {
    "digits": ("handwritten digits", (300, 300, 300), (8, 8)),
    "breast_cancer": ("breast cancer", (100, 100, 100), None),
    "wine": ("wine cultivars", (24, 32, 32), None),
    "diabetes": ("diabetes progression", (80, 80, 80), None),
}
LARGEST_FILE = 1 << 20  # bytes of predictions.npz; an honest one has less than a fiftieth of it
LARGEST_HEADER = 1 << 12
FLOOR = 1e-4  # probabilities below it count as this in the log loss: candidates print four decimals
HEADER = re.compile(
    rb"\{'descr': '([^']{1,8})', 'fortran_order': (True|False), 'shape': \((\d{1,6}), (\d{1,6})\), \} *\n"
)
BINS = 10  # equal-width bins of confidence in the expected calibration error


class Data(NamedTuple):
    """One data set, cut: features (n, d), labels (n,), rows of the pool and of each split, and the salt."""

    x: np.ndarray
    y: np.ndarray
    pool: np.ndarray
    rows: dict[str, np.ndarray]
    salt: tuple[int, ...]

    @property
    def classes(self) -> int:
        return int(self.y.max()) + 1


def describe(knobs: dict[str, Any]) -> dict[str, int | float | str]:
    """Facts about the data set the knobs select. `train` is the size of the pool that training samples come
    from, `majority` the share of its commonest class there: what guessing would earn.

    Raises ValueError when the knobs ask for more training examples than the pool has.
    """
    name, data = str(knobs["dataset"]), _selected(knobs)
    return {
        "name": name,
        "title": DATASETS[name][0],
        "examples": len(data.y),
        "features": data.x.shape[1],
        "classes": data.classes,
        "train": len(data.pool),
        **{split: len(data.rows[split]) for split in SPLITS},
        "majority": float(np.bincount(data.y[data.pool]).max() / len(data.pool)),
    }


def prepare(inputs: Path, knobs: dict[str, Any], seed: int) -> None:
    """Write `train.npz` (x float32, y int64), `features.npz` (search, keep, final: float32) and `meta.json`.

    Raises ValueError when the knobs ask for more training examples than the pool has.
    """
    name, data = str(knobs["dataset"]), _selected(knobs)
    x, y = data.x[data.pool], data.y[data.pool]

    chosen = _stratified_order(y, _generator(data, seed, 1))[: int(knobs["train_size"])]
    chosen = _thin(chosen, y, float(knobs["class_imbalance"]), data.classes, _generator(data, seed, 2))
    labels = _flip(chosen, y, float(knobs["label_noise"]), data.classes, _generator(data, seed, 3))

    noise, spread = float(knobs["feature_noise"]), x.std(axis=0)

    def seen(clean: np.ndarray, stream: int) -> np.ndarray:
        if noise:
            clean = clean + noise * spread * _generator(data, seed, stream).standard_normal(clean.shape)
        return clean.astype(np.float32)

    inputs.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(inputs / "train.npz", x=seen(x, 4)[chosen], y=labels.astype(np.int64))
    tests = {split: seen(data.x[data.rows[split]], 5 + number) for number, split in enumerate(SPLITS)}
    np.savez_compressed(inputs / "features.npz", **tests)
    image = DATASETS[name][2]
    meta = {"dataset": name, "classes": data.classes, "image": list(image) if image else None}
    (inputs / "meta.json").write_text(json.dumps(meta, sort_keys=True) + "\n", encoding="utf-8")


def score(outputs: Path, split: str, knobs: dict[str, Any], seed: int) -> dict[str, float]:
    """Metrics of `outputs/predictions.npz` on one split. All three must be acceptable, whichever is scored.

    accuracy            share of examples whose most probable class (of several, the lowest) is right
    balanced_accuracy   mean over classes of the share recognised
    log_loss            mean negative natural logarithm of the probability given to the truth
    brier               mean squared distance between probabilities and truth, summed over classes: 0 to 2
                        (Brier 1950)
    ece                 expected calibration error of the most probable class (Naeini et al. 2015)

    Raises ValueError, in one line, for an artefact that is not what was asked for.
    """
    if split not in SPLITS:
        raise ValueError(f"no split '{split}'")
    data = _load(str(knobs["dataset"]))
    shapes = {name: (len(data.rows[name]), data.classes) for name in SPLITS}
    p = _read_predictions(outputs, shapes)[split]
    y = data.y[data.rows[split]]
    guess, truth = p.argmax(axis=1), np.eye(data.classes)[y]
    right, confidence = guess == y, p.max(axis=1)
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gap = np.bincount(bins, right - confidence, BINS)
    return {
        "accuracy": float(right.mean()),
        "balanced_accuracy": float(np.mean([right[y == c].mean() for c in np.unique(y)])),
        "log_loss": float(-np.log(np.maximum(p[np.arange(len(y)), y], FLOOR)).mean()),
        "brier": float(((p - truth) ** 2).sum(axis=1).mean()),
        "ece": float(np.abs(gap).sum() / len(y)),
    }


def _selected(knobs: dict[str, Any]) -> Data:
    name, size = str(knobs["dataset"]), int(knobs.get("train_size", 0))
    data = _load(name)
    if size > len(data.pool):
        raise ValueError(f"train_size {size} is more than the {len(data.pool)} training examples of {name}")
    return data


@functools.cache
def _load(name: str) -> Data:
    """Read one data set from scikit-learn's own files and cut it."""
    if name not in DATASETS:
        raise ValueError(f"no data set '{name}'")
    options = {"scaled": False} if name == "diabetes" else {}
    bunch = getattr(datasets, f"load_{name}")(**options)
    x, target = np.asarray(bunch.data, dtype="<f8"), np.asarray(bunch.target, dtype="<f8")
    digest = hashlib.sha256(name.encode() + x.tobytes() + target.tobytes()).digest()
    salt = tuple(int(word) for word in np.frombuffer(digest, dtype="<u4"))
    classed = target > np.median(target) if name == "diabetes" else target
    order = _stratified_order(classed.astype(int), np.random.default_rng([*salt, 0]))
    sizes = DATASETS[name][1]
    *tests, pool = np.split(order, np.cumsum(sizes))
    if name == "diabetes":  # the class is "above the median", and the median may not look at a test set
        classed = target > np.median(target[pool])
    shuffle = np.random.default_rng([*salt, 1])  # the stratified order would betray the classes by position
    rows = {split: shuffle.permutation(part) for split, part in zip(SPLITS, tests, strict=True)}
    return Data(x, classed.astype(np.int64), np.sort(pool), rows, salt)


def _generator(data: Data, seed: int, stream: int) -> np.random.Generator:
    return np.random.default_rng([*data.salt, 2, seed, stream])


def _stratified_order(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random order in which every stretch holds the classes in nearly the proportions of `y`."""
    place = np.empty(len(y))
    for label in np.unique(y):
        members = rng.permutation(np.flatnonzero(y == label))
        place[members] = (np.arange(len(members)) + rng.random(len(members))) / len(members)
    return np.argsort(place, kind="stable")


def _thin(chosen: np.ndarray, y: np.ndarray, share: float, classes: int, rng: np.random.Generator) -> np.ndarray:
    """Withhold `share` of the examples of half of the classes, but never the last one of a class."""
    kept = np.ones(len(chosen), dtype=bool)
    for label in rng.permutation(classes)[: classes // 2]:
        members = np.flatnonzero(y[chosen] == label)
        kept[members[max(1, round((1 - share) * len(members))) :]] = False
    return chosen[kept]


def _flip(chosen: np.ndarray, y: np.ndarray, share: float, classes: int, rng: np.random.Generator) -> np.ndarray:
    """Labels of the chosen examples, `share` of them replaced by another class."""
    luck, step = rng.random(len(y))[chosen], rng.integers(1, classes, len(y))[chosen]
    unlucky = np.argsort(luck, kind="stable")[: round(share * len(chosen))]
    labels = y[chosen].copy()
    labels[unlucky] = (labels[unlucky] + step[unlucky]) % classes
    return labels


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
