"""Vectors of texts learnt from the library itself: for comparing meaning where no embedding model is installed.

Latent semantic analysis (Deerwester and others 1990): TF-IDF of a sample of the works and a truncated singular value
decomposition, drawn at random from a fixed seed (Halko, Martinsson and Tropp 2011). What is kept is one vector per
word; nothing is kept per work, and only the texts of a check become vectors.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scientist.errors import LabError
from scientist.literature._embed import text_of
from scientist.literature._store import Store
from scientist.literature._text import words

FEWEST = 1_000
"""Works of a library below which nothing is learnt from it."""
SAMPLE = 20_000  # works at most that are learnt from
TERMS = 20_000  # words at most that have a vector
RARE, COMMON = 3, 0.3  # a word of fewer works, or of a larger share of them, has none
SIZE = 400  # numbers of a vector; with half of them nearly all of the gain was lost
ROUNDS = 2  # power iterations of the decomposition
LONGEST = 4_000  # characters of a text that count
GROWN, SHRUNK = 1.5, 0.9  # the library's size over what it was, from which the vectors are learnt again
WAIT_S = 1.0  # for another writer
RECIPE = f"1: {SAMPLE} {TERMS} {RARE} {COMMON} {SIZE} {ROUNDS} {LONGEST}"
"""Vectors of another recipe are learnt again."""
_TABLE = (
    "CREATE TABLE IF NOT EXISTS learnt(id INTEGER PRIMARY KEY CHECK(id = 1), recipe TEXT NOT NULL, works INTEGER NOT NULL, "
    "terms TEXT NOT NULL, data BLOB NOT NULL)"
)


class Basis:
    """A vector per word, weighted by how rare the word is. `matrix`: float16, shape (len(terms), at most SIZE)."""

    def __init__(self, terms: Sequence[str], matrix: NDArray[np.float16]) -> None:
        self.terms, self.matrix = tuple(terms), matrix
        self._rows = {term: row for row, term in enumerate(terms)}

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """A unit vector per text, shape (len(texts), width); zeros for a text without a known word."""
        found = np.zeros((len(texts), self.matrix.shape[1]), dtype=np.float32)
        for at, text in enumerate(texts):
            counts = Counter(self._rows[word] for word in words(text[:LONGEST]) if word in self._rows)
            if counts:
                rows = sorted(counts)
                weights = np.array([1 + math.log(counts[row]) for row in rows], dtype=np.float32)
                found[at] = weights @ self.matrix[rows].astype(np.float32)
        norms = np.linalg.norm(found, axis=1, keepdims=True)
        return found / np.maximum(norms, 1e-12)

    def cosines(self, text: str, works: Sequence[tuple[str, str]]) -> list[float | None]:
        """The cosine of a text with each work (title, abstract); nothing at all where the text has no known word."""
        asked, *others = self.vectors([text, *(text_of(title, abstract) for title, abstract in works)])
        return [round(float(one @ asked), 6) for one in others] if asked.any() else []


class Learnt(NamedTuple):
    """The library's vectors; where it should have some and has not, why."""

    basis: Basis | None
    why: str = ""


def learnt(store: Store) -> Learnt:
    """The vectors of a library of :data:`FEWEST` works: those it keeps, or learnt and kept now (seconds) where it has
    none, or has grown by half or shrunk since. Where that cannot be, words have to do, and `why` says so."""
    count = len(store)
    if count < FEWEST:
        return Learnt(None)
    try:
        kept = _kept(store, count)
        return Learnt(kept if kept is not None else _renewed(store, count))
    except (LabError, TimeoutError) as error:
        return Learnt(None, " ".join(str(error).split())[:160])


def learn(texts: Iterable[str]) -> Basis:
    """Vectors of the words of these texts; the same texts in the same order give the same bytes on one machine.

    Raises :class:`LabError` where they share too few words.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    weigher = TfidfVectorizer(
        analyzer=words, min_df=RARE, max_df=COMMON, max_features=TERMS, sublinear_tf=True, dtype=np.float32
    )
    try:
        weights = weigher.fit_transform(text[:LONGEST] for text in texts)
        size = min(SIZE, min(weights.shape) - 1)
        parts = TruncatedSVD(size, n_iter=ROUNDS, random_state=0).fit(weights).components_
    except (ValueError, ArithmeticError, MemoryError, np.linalg.LinAlgError) as error:
        raise LabError(f"its works share too few words: {error}", "import works of one field") from error
    matrix = (parts.T * weigher.idf_[:, None]).astype(np.float16)
    if not np.isfinite(matrix).all():
        raise LabError("its works share too few words", "import works of one field")
    return Basis([str(term) for term in weigher.get_feature_names_out()], matrix)


def sampled(ids: Iterable[int], most: int = SAMPLE) -> list[int]:
    """At most so many of the ids, in order, chosen by their hashes: a library that grows keeps most of its sample. Pure."""
    return sorted(
        heapq.nsmallest(most, ids, key=lambda one: (hashlib.blake2b(b"%d" % one, digest_size=8).digest(), one))
    )


def _texts(store: Store) -> Iterator[str]:
    ids = sampled(_ids(store))
    for start in range(0, len(ids), 500):
        for work in store.get(ids[start : start + 500]).values():
            yield text_of(work.title, work.abstract)


def _ids(store: Store) -> Iterator[int]:
    # The table of sizes is small, and has a row per work; reading the works themselves would read the whole file.
    last = -1
    while rows := store.rows("SELECT id FROM words_docsize WHERE id > ? ORDER BY id LIMIT 10000", (last,)):
        yield from (int(str(row[0])) for row in rows)
        last = int(str(rows[-1][0]))


def _kept(store: Store, count: int) -> Basis | None:
    """Those that the library keeps, if they are of our recipe, whole, and learnt from a library of about this size."""
    if not store.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'learnt'"):
        return None
    rows = store.rows("SELECT works, terms, data FROM learnt WHERE recipe = ?", (RECIPE,))
    if not rows:
        return None
    of, told, data = int(str(rows[0][0])), str(rows[0][1]), rows[0][2]
    if not SHRUNK * of < count < GROWN * of or not isinstance(data, bytes):
        return None
    try:
        terms = json.loads(told)
        matrix = np.frombuffer(data, dtype="<f2").reshape(len(terms), -1)
    except (ValueError, TypeError):
        return None  # damaged: learnt again
    return Basis(terms, matrix) if matrix.size and np.isfinite(matrix).all() else None


def _renewed(store: Store, count: int) -> Basis:
    with Store(store.path, write=True, wait_s=WAIT_S) as writing:
        with writing.transaction():  # before the work is done: who may not write would do it for nothing
            writing.execute(_TABLE)
        basis = learn(_texts(store))
        data = basis.matrix.astype("<f2").tobytes()
        with writing.transaction():
            row = (RECIPE, count, json.dumps(basis.terms), data)
            writing.execute("INSERT OR REPLACE INTO learnt VALUES(1, ?, ?, ?, ?)", row)
    return basis
