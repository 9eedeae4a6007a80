"""Finding works in the library: by words (BM25), by meaning (cosine of vectors), or by both, fused by rank."""

from __future__ import annotations

import math
import re
import sqlite3
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from scientist.literature._embed import embedder, missing
from scientist.literature._meaning import cosines
from scientist.literature._store import Store
from scientist.literature._text import STOP
from scientist.literature._works import Work

How = Literal["both", "lexical", "semantic"]

WEIGHTS = (2.0, 1.0, 1.0, 0.25)
"""Of title, abstract, keywords and authors in BM25."""
DEEP = 200  # how far down each ranking is looked at before they are fused
POSTINGS = 60_000  # works that one question may look at, more or less; in a million the commonest words are left out
FUSION = 60.0  # reciprocal rank fusion: 1 / (FUSION + rank), as in Cormack, Clarke and Buettcher 2009


@dataclass(frozen=True)
class Phrasing:
    """One way to ask, and how much its ranking counts."""

    text: str
    weight: float = 1.0


@dataclass(frozen=True)
class Hit:
    """A work that was found: its ranks by words and by meaning (1 is best; None: not among the best), and its cosine."""

    id: int
    work: Work
    score: float
    lexical: int | None = None
    semantic: int | None = None
    cosine: float | None = None


@dataclass(frozen=True)
class Found:
    """The hits, best first; by which of the two they were found; and what a reader has to know about that."""

    hits: tuple[Hit, ...]
    how: How
    note: str = ""


def find(
    store: Store,
    query: str | Sequence[Phrasing],
    limit: int = 10,
    how: How = "both",
    without: Collection[int] = (),
    seconds: float = math.inf,
) -> Found:
    """The best works for a question, or for several phrasings of one, of which the first is the whole question.

    The others count where both rankings are fused; by words or by meaning alone they did harm when it was measured.
    `without` are ids that are passed over. `seconds` bounds the work on vectors that are still missing, not the search.
    Where the packages of the extra are missing, or the library has no vectors and none can be made in time, the search
    is by words alone and `note` says so.
    """
    until = time.monotonic() + seconds
    asked = [Phrasing(query)] if isinstance(query, str) else list(query)
    asked = [one for one in asked if terms(one.text)]
    if not asked:
        return Found((), how, "nothing to search for: no word that says anything")
    deep = max(DEEP, limit)
    by_words = [(one.weight, _without(lexical(store, one.text, deep + len(without)), without)) for one in asked]
    if how == "lexical":
        return _found(store, by_words[:1], [], {}, limit, how, "")
    model = embedder()
    if model is None:
        return _found(store, by_words[:1], [], {}, limit, "lexical", f"by words alone: {missing()}")
    best = list(fuse(by_words))[:deep]
    near, note = cosines(store, model, [one.text for one in asked], best, without, deep, until)
    if not near:
        return _found(store, by_words[:1], [], {}, limit, "lexical", f"by words alone: {note}")
    by_meaning = [(one.weight, list(values)) for one, values in zip(asked, near, strict=True)]
    nearest: dict[int, float] = {}
    for values in near:
        nearest |= {one: max(value, nearest.get(one, -1.0)) for one, value in values.items()}
    if how == "semantic":
        return _found(store, [], by_meaning[:1], nearest, limit, how, note)
    return _found(store, by_words, by_meaning, nearest, limit, how, note)


def _without(ids: list[int], without: Collection[int]) -> list[int]:
    return [one for one in ids if one not in without] if without else ids


Rankings = Sequence[tuple[float, list[int]]]


def _found(
    store: Store,
    by_words: Rankings,
    by_meaning: Rankings,
    nearest: Mapping[int, float],
    limit: int,
    how: How,
    note: str,
) -> Found:
    ranking = fuse([*by_words, *by_meaning])
    ids = list(ranking)[:limit]
    words_at = {one: rank for rank, one in enumerate(fuse(by_words), start=1)}
    meaning_at = {one: rank for rank, one in enumerate(fuse(by_meaning), start=1)}
    hits = tuple(
        Hit(one, work, ranking[one], words_at.get(one), meaning_at.get(one), nearest.get(one))
        for one, work in store.get(ids).items()
    )
    return Found(hits, how, note)


def fuse(rankings: Sequence[tuple[float, Sequence[int]]], constant: float = FUSION) -> dict[int, float]:
    """Weighted reciprocal rank fusion: id -> score, best first; ties by id. Pure."""
    scores: dict[int, float] = {}
    for weight, ranking in rankings:
        for rank, one in enumerate(ranking, start=1):
            scores[one] = scores.get(one, 0.0) + weight / (constant + rank)
    return dict(sorted(scores.items(), key=lambda pair: (-pair[1], pair[0])))


# --- words ---


def terms(text: str, limit: int = 120) -> list[str]:
    """The words of a question that say something, each once. Nothing of a query language survives."""
    found = (word for word in re.findall(r"[^\W_]+", text[:20_000].lower()) if len(word) > 1 and word not in STOP)
    return list(dict.fromkeys(word[:60] for word in found))[:limit]


def lexical(store: Store, text: str, limit: int) -> list[int]:
    """Ids of the works that hold words of the text, best first by BM25 over stems."""
    chosen = choose_terms({word: _count(store, stem) for word, stem in _stems(terms(text)).items()})
    if not chosen:
        return []
    match = " OR ".join(f'"{word}"' for word in chosen)
    query = f"SELECT rowid FROM words WHERE words MATCH ? ORDER BY bm25(words, {', '.join(map(str, WEIGHTS))}), rowid LIMIT ?"
    return [int(str(row[0])) for row in store.rows(query, (match, limit))]


def choose_terms(counts: Mapping[str, int], postings: int = POSTINGS) -> list[str]:
    """The words to search for: the rarest first, until they stand in so many works together. Pure.

    A word that nothing holds is left out; the rarest of the rest is always there. In a library of up to some ten
    thousand works no word is left out.
    """
    chosen: list[str] = []
    left = postings
    for count, word in sorted((count, word) for word, count in counts.items() if count > 0):
        if chosen and count > left:
            break
        chosen.append(word)
        left -= count
    return chosen


_local = threading.local()


def _stems(words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """What SQLite's own tokenizer makes of each word: asked of an empty index of the same kind, in memory."""
    if not hasattr(_local, "db"):
        _local.db = sqlite3.connect(":memory:", isolation_level=None)
        _local.db.execute("CREATE VIRTUAL TABLE one USING fts5(word, tokenize='porter unicode61 remove_diacritics 2')")
        _local.db.execute("CREATE VIRTUAL TABLE seen USING fts5vocab(one, instance)")
    _local.db.execute("DELETE FROM one")
    _local.db.executemany("INSERT INTO one(rowid, word) VALUES(?,?)", list(enumerate(words)))
    stems: dict[str, tuple[str, ...]] = {}
    for row, term in _local.db.execute("SELECT doc, term FROM seen ORDER BY doc, offset"):
        stems[words[row]] = (*stems.get(words[row], ()), term)
    return stems


def _count(store: Store, stems: tuple[str, ...]) -> int:
    """Works that hold the rarest of the stems (a word such as 'état' may be several tokens of the index)."""
    return min((store.holders(stem) for stem in stems), default=0)
