"""The tables of the template `tabular`, sealed: real ones from scikit-learn's own files, and a simulated one."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn import datasets

SPLITS = ("search", "keep", "final")
# name -> title, size of each test set in the order of SPLITS
TABLES: dict[str, tuple[str, tuple[int, int, int]]] = {
    "survey": ("simulated survey", (300, 400, 400)),
    "breast_cancer": ("breast cancer", (100, 100, 100)),
    "diabetes": ("diabetes progression", (80, 80, 80)),
    "wine": ("wine cultivars", (24, 32, 32)),
    "iris": ("iris species", (24, 30, 30)),
}
SURVEYED = 2600  # rows of the simulated table
BINS = 6  # of a coarsened column
COARSE = 3  # every third column, roughly, is coarsened


class Table(NamedTuple):
    """One table, cut: numbers (n, p), categories (n, q) as codes from 0 (-1: blank), codes per categorical column,
    labels (n,), rows of the pool and of each test set, and the salt."""

    numbers: np.ndarray
    categories: np.ndarray
    levels: tuple[int, ...]
    y: np.ndarray
    pool: np.ndarray
    rows: dict[str, np.ndarray]
    salt: tuple[int, ...]

    @property
    def classes(self) -> int:
        return int(self.y.max()) + 1


@functools.cache
def load(name: str) -> Table:
    """One table by its name; ValueError when there is none."""
    if name not in TABLES:
        raise ValueError(f"no data set '{name}'")
    if name == "survey":
        salt = _words(Path(__file__).with_name("salt.txt").read_bytes())
        numbers, categories, y = survey(np.random.default_rng([*salt, 0]), SURVEYED)
        return _cut(name, numbers, categories, y.astype(float), salt)
    options = {"scaled": False} if name == "diabetes" else {}
    bunch = getattr(datasets, f"load_{name}")(**options)
    x, target = np.asarray(bunch.data, dtype="<f8"), np.asarray(bunch.target, dtype="<f8")
    salt = _words(name.encode() + x.tobytes() + target.tobytes())
    numbers, categories = _mixed(x, np.random.default_rng([*salt, 0]))
    return _cut(name, numbers, categories, target, salt)


def stratified_order(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random order in which every stretch holds the classes in nearly the proportions of `y`."""
    place = np.empty(len(y))
    for label in np.unique(y):
        members = rng.permutation(np.flatnonzero(y == label))
        place[members] = (np.arange(len(members)) + rng.random(len(members))) / len(members)
    return np.argsort(place, kind="stable")


def _words(secret: bytes) -> tuple[int, ...]:
    return tuple(int(word) for word in np.frombuffer(hashlib.sha256(secret).digest(), dtype="<u4"))


def _cut(name: str, numbers: np.ndarray, categories: np.ndarray, target: np.ndarray, salt: tuple[int, ...]) -> Table:
    classed = target > np.median(target) if name == "diabetes" else target
    order = stratified_order(classed.astype(int), np.random.default_rng([*salt, 1, 0]))
    *tests, pool = np.split(order, np.cumsum(TABLES[name][1]))
    if name == "diabetes":  # the class is "above the median", and the median may not look at a test set
        classed = target > np.median(target[pool])
    shuffle = np.random.default_rng([*salt, 1, 1])  # the stratified order would betray the classes by position
    rows = {split: shuffle.permutation(part) for split, part in zip(SPLITS, tests, strict=True)}
    levels = tuple(int(column.max()) + 1 for column in categories.T)
    return Table(numbers, categories, levels, classed.astype(np.int64), np.sort(pool), rows, salt)


def _mixed(x: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A third of the columns, chosen at random, as bins of equal size whose numbers were shuffled; the rest as it is.

    A column with hardly any different values is a category by nature.
    """
    few = [column for column in range(x.shape[1]) if len(np.unique(x[:, column])) <= BINS]
    many = [column for column in rng.permutation(x.shape[1]) if column not in few]
    coarse = sorted([*few, *(int(column) for column in many[: max(1, round(x.shape[1] / COARSE) - len(few))])])
    categories = []
    for column in coarse:
        edges = np.unique(np.quantile(x[:, column], np.arange(1, BINS) / BINS))
        codes = np.unique(x[:, column], return_inverse=True)[1] if column in few else np.digitize(x[:, column], edges)
        codes = np.unique(codes, return_inverse=True)[1]
        categories.append(rng.permutation(int(codes.max()) + 1)[codes])
    numbers = np.delete(x, coarse, axis=1)
    return numbers, np.column_stack(categories).astype(np.int64)


def survey(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A simulated survey: numbers (n, 7) with NaN, categories (n, 5) with -1, labels (n,) of three classes.

    Which of three offers a household takes depends on its income (skewed, and withheld more often the higher it is),
    its size, the distance it lives from town, its region (sixteen, some rare), its trade and the season, on two
    interactions between them, and on luck. Two numbers and a category have no part in it.
    """
    region = rng.choice(16, n, p=_geometric(16, 0.82))
    trade = rng.choice(7, n, p=_geometric(7, 0.8))
    season, owner, colour = rng.integers(4, size=n), rng.integers(2, size=n), rng.integers(5, size=n)
    wealth = rng.normal(size=n) + 0.6 * rng.normal(size=7)[trade]
    income = np.exp(9.5 + 0.7 * wealth)
    age = rng.uniform(18, 90, n)
    people = 1 + rng.poisson(1.4, n)
    distance = rng.gamma(1.2, 12, n)
    debts = np.where(rng.random(n) < 0.4, 0.0, np.exp(rng.normal(7 + 0.4 * wealth, 1.5)))
    here, there = 0.5 * rng.normal(size=(2, 16))[:, region]
    scores = np.column_stack(
        [
            1.2 * wealth + here + 0.5 * (season == 1),
            0.6 * np.abs(age - 54) / 20
            - 1.2 * np.where(owner == 1, np.sign(wealth), 0.3)
            + 0.6 * rng.normal(size=7)[trade],
            0.9 * np.log(people) - 0.04 * distance * (season >= 2) + there + 0.2,
        ]
    )
    y = (2.5 * (scores - scores.mean(axis=0)) + rng.gumbel(size=(n, 3))).argmax(axis=1)
    income = np.where(rng.random(n) < 0.25 / (1 + np.exp(-1.5 * wealth)), np.nan, income)
    noise = rng.standard_t(2, size=n), rng.integers(0, 1000, n)
    numbers = np.column_stack([income, age, people, distance, debts, *noise]).astype(float)
    return numbers, np.column_stack([region, trade, season, owner, colour]), y


def _geometric(n: int, ratio: float) -> np.ndarray:
    share = ratio ** np.arange(n)
    return share / share.sum()
