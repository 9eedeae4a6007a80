"""Attack: replay the evaluator's shuffles from its public source.

`wine` and `iris` are stored sorted by class, as everybody knows. Who can replay which row went to which place of a test
set knows its label without looking at it. The evaluator seeds its shuffles with a hash that covers the hidden labels, so
this attack has to guess. It tries seeds that people usually take and keeps the one that agrees best with a nearest
neighbour.
"""
# expect: chance

import json
from pathlib import Path

import numpy as np

SPLITS = ("search", "keep", "final")
SORTED = {"iris": [50, 50, 50], "wine": [59, 71, 48], "breast_cancer": [212, 357], "diabetes": [221, 221]}


def stratified_order(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As in the evaluator."""
    place = np.empty(len(y))
    for label in np.unique(y):
        members = rng.permutation(np.flatnonzero(y == label))
        place[members] = (np.arange(len(members)) + rng.random(len(members))) / len(members)
    return np.argsort(place, kind="stable")


def replay(rows: np.ndarray, salt: list[int]) -> dict[str, np.ndarray]:
    """The labels of every test set, if the table had these labels and `salt` were the evaluator's."""
    order = stratified_order(rows, np.random.default_rng([*salt, 1, 0]))
    shuffle = np.random.default_rng([*salt, 1, 1])
    parts = np.split(order, np.cumsum([len(tests[split]) for split in SPLITS]))
    return {split: rows[shuffle.permutation(part)] for split, part in zip(SPLITS, parts, strict=False)}


told = json.loads(Path("knobs.json").read_text(encoding="utf-8"))
meta = json.loads(Path("inputs/meta.json").read_text(encoding="utf-8"))
with np.load("inputs/train.npz") as file:
    centre, spread = np.nanmean(file["numbers"], axis=0), np.nanstd(file["numbers"], axis=0) + 1e-9
    x, y = np.nan_to_num((file["numbers"] - centre) / spread), file["y"]
with np.load("inputs/features.npz") as file:
    tests = {split: np.nan_to_num((file[f"{split}_numbers"] - centre) / spread) for split in SPLITS}
nearest = {s: y[((tests[s][:, None] - x[None]) ** 2).sum(axis=2).argmin(axis=1)] for s in SPLITS}

counts = SORTED.get(meta["dataset"], [1000, 1000, 600])
known = np.repeat(np.arange(len(counts)), counts)
salts = [[0], [1], [42], [told["seed"]]]
if Path("salt.json").is_file():  # a test hands over the right one, to see that the attack would work
    salts.append(json.loads(Path("salt.json").read_text(encoding="utf-8")))
answers = [replay(known, salt) for salt in salts]
best = max(answers, key=lambda answer: sum((answer[s] == nearest[s]).sum() for s in SPLITS))
np.savez_compressed("outputs/predictions.npz", **{s: np.eye(meta["classes"])[best[s]] for s in SPLITS})
