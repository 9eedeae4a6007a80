"""The meaning of works: vectors that the library keeps, those that are still missing, and how near they are to a question."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy as np

from scientist.errors import LabError, UsageError
from scientist.literature._embed import INSTALL, SIZE, Embedder, Vectors, embedder, missing, text_of
from scientist.literature._store import Store

CANDIDATES = 50  # works without a vector that get one during a search, the best by words first
HELD = 60_000  # works whose vectors are held in memory (92 MB); of more, they are read for every search
WHOLE = 0.9  # share of works with a vector from which the ranking by meaning looks at all of them
Chunk = tuple[list[int], Vectors]


def cosines(
    store: Store,
    model: Embedder,
    texts: Sequence[str],
    best: Sequence[int],
    without: Collection[int],
    limit: int,
    until: float,
) -> tuple[list[dict[int, float]], str]:
    """Per text id -> cosine, nearest first, at most `limit`; and a note on what was not looked at.

    All works are looked at where nearly all have a vector; else the `best` (by words), of which the first get one now
    if they have none, until the moment `until` (of `time.monotonic`).
    """
    total, have = len(store), store.count_vectors()
    questions = model.vectors(texts)
    chunks: Iterable[Chunk]
    note = ""
    if total and have >= WHOLE * total:
        chunks = held(store)
        note = f"{total - have} works without a vector were compared by words alone" if have < total else ""
    else:
        made = _make_missing(store, model, best, until)
        chunks = [*store.vectors(best), *([made] if made[0] else [])]
        looked = len({one for ids, _ in chunks for one in ids})
        note = f"meaning compared for the {looked} best by words; after `scientist library embed` for all {total}"
    found: list[dict[int, float]] = [{} for _ in texts]
    for ids, vectors in chunks:
        for values, row in zip(found, questions @ vectors.T, strict=True):
            _keep_best(values, ids, row, limit, without)
    ranked = [dict(sorted(values.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]) for values in found]
    return (ranked, note) if any(ranked) else ([], "no work has a vector yet, and there was no time to make one")


def _keep_best(
    values: dict[int, float], ids: Sequence[int], row: Vectors, limit: int, without: Collection[int]
) -> None:
    """Of a chunk no more is kept than could be among the best in the end."""
    enough = limit + len(without)
    places: Iterable[int] = range(len(row))
    if len(row) > enough:
        places = np.argpartition(-row, enough)[:enough].tolist()
    values.update({ids[at]: float(row[at]) for at in places if ids[at] not in without})


def _make_missing(store: Store, model: Embedder, best: Sequence[int], until: float) -> Chunk:
    """Vectors of the best works that have none yet, as many as time allows; kept where the library can be written."""
    there = {one for ids, _ in store.vectors(best) for one in ids}
    lacking = [one for one in best if one not in there][:CANDIDATES]
    made: list[int] = []
    rows: list[Vectors] = [np.zeros((0, SIZE), dtype=np.float32)]
    for start in range(0, len(lacking), 8):
        if time.monotonic() > until:
            break
        works = store.get(lacking[start : start + 8])
        rows.append(model.vectors([text_of(work.title, work.abstract) for work in works.values()]))
        made += works
    vectors = np.concatenate(rows)
    if made:
        _try_to_keep(store, made, vectors)
    return made, vectors


def _try_to_keep(store: Store, ids: list[int], vectors: Vectors) -> None:
    """Keep them for the next search, unless somebody else is writing, or nobody may."""
    try:
        with Store(store.path, write=True, wait_s=0.2) as writing, writing.transaction():
            writing.keep_vectors(ids, vectors)
    except LabError:
        return


_lock = threading.Lock()
_kept: dict[str, tuple[str, list[Chunk]]] = {}


def held(store: Store) -> Iterable[Chunk]:
    """All vectors in chunks. Those of a library of ordinary size stay in memory until they change."""
    stamp = store.vector_stamp()
    name = str(store.path.resolve())
    with _lock:
        if name in _kept and _kept[name][0] == stamp:
            return _kept[name][1]
    if store.count_vectors() > HELD:
        return store.vectors()
    chunks = list(store.vectors())
    with _lock:
        _kept.clear()  # one library at a time
        _kept[name] = (stamp, chunks)
    return chunks


def embed_missing(store: Store, batch: int = 64) -> Iterator[tuple[int, int]]:
    """Give every work that has none a vector; yields (done, total) after each batch. What is done is kept.

    Raises :class:`UsageError` when the packages of the extra are not installed.
    """
    model = embedder()
    if model is None:
        raise UsageError(f"no embedding model: {missing()}", INSTALL)
    last, total, done = 0, len(store), store.count_vectors()
    while ids := store.without_vector(last, batch):
        works = store.get(ids)
        vectors = model.vectors([text_of(work.title, work.abstract) for work in works.values()])
        with store.transaction():
            store.keep_vectors(list(works), vectors)
        last = ids[-1]
        done += len(works)
        yield done, total


KEPT = 4_000  # vectors of works that sources returned; the same ones come back for every idea of a round
_seen: dict[str, Vectors] = {}


def meanings(text: str, works: Sequence[tuple[str, str]]) -> list[float | None]:
    """Cosine between a text and works (title, abstract) that are in no library; empty where there is no model."""
    model = embedder()
    if model is None or not works:
        return []
    wanted = [text_of(title, abstract) for title, abstract in works]
    with _lock:
        known = {one: _seen[one] for one in wanted if one in _seen}
    lacking = [one for one in dict.fromkeys(wanted) if one not in known]
    # One by one: what shares a batch with a text may change its last digits.
    known |= {one: model.vectors([one])[0] for one in lacking}
    with _lock:
        if len(_seen) > KEPT:
            _seen.clear()
        _seen.update(known)
    (asked,) = model.vectors([text])
    return [float(known[one] @ asked) for one in wanted]
