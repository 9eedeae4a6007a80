"""How well ideas that were told are told apart from others: the twin test and the verdicts, on a file of labelled ideas.

The twin test compares the same idea with itself: once the library has the work that it was made from, once it does not.
Topic and style are the same in both, so that only finding the work can tell the two apart.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from scientist.literature._claims import Claim, claims_of_text, phrasings, says_enough, whole_text
from scientist.literature._embed import embedder, text_of
from scientist.literature._find import DEEP, How, Phrasing, find, fuse
from scientist.literature._judge import Ways, coefficients, likely_told
from scientist.literature._learnt import learnt
from scientist.literature._nearness import Near, nearness, stands_out
from scientist.literature._reference import NoveltyVerdict
from scientist.literature._retrieval import Case
from scientist.literature._store import Store
from scientist.literature._text import title_key, words
from scientist.literature._works import Work

CANDIDATES = 60
FIRST, OTHER = 1.0, 0.5  # what the ranking of the whole idea counts, and that of each further phrasing
RESAMPLES = 2_000
LABELS: tuple[NoveltyVerdict, ...] = ("known", "close", "novel", "undecided")
Side = Literal["with", "without"]


@dataclass(frozen=True)
class Reread:
    """What a model makes of the nearest works: how likely one of them tells the idea, and whether one is quoted as having done it."""

    told: float
    done: bool


Recheck = Callable[[Sequence[Claim], Sequence[Work], Sequence[Near]], Reread]


@dataclass(frozen=True)
class Judged:
    """One idea against the library: how likely a work tells it, how far the nearest stands out, and the verdict."""

    told: float
    stands_out: float
    verdict: NoveltyVerdict
    nearest: str
    how: Ways


@dataclass(frozen=True)
class Scored:
    """An idea of the benchmark: judged with its own work in the library and, where it has one, without it."""

    case: Case
    has: Judged
    lacks: Judged | None


@dataclass(frozen=True)
class Interval:
    """A number with its 95 % interval, and what it was taken from."""

    value: float
    low: float
    high: float
    n: int


def candidates(
    store: Store, claims: Sequence[Claim], how: How, without: Collection[int] = (), limit: int = CANDIDATES
) -> tuple[list[tuple[int, Work]], How]:
    """The works that any phrasing of the idea finds, fused by rank; and by what they were found."""
    asked = [Phrasing(text, OTHER if n else FIRST) for n, text in enumerate(phrasings(claims))]
    found = find(store, asked, limit, how, without)
    return [(hit.id, hit.work) for hit in found.hits], found.how


def stored_meanings(store: Store, text: str, works: Sequence[tuple[int, Work]]) -> list[float | None]:
    """The cosine between a text and works of the library, by the vectors it keeps; None where there is no model."""
    model = embedder()
    if model is None:
        return []
    (asked,) = model.vectors([text])
    near = {
        one: float(value)
        for ids, vectors in store.vectors([one for one, _ in works])
        for one, value in zip(ids, vectors @ asked, strict=True)
    }
    lacking = [(one, work) for one, work in works if one not in near]
    made = model.vectors([text_of(work.title, work.abstract) for _, work in lacking]) @ asked
    near |= {one: float(value) for (one, _), value in zip(lacking, made, strict=True)}
    return [near[one] for one, _ in works]


def ranked_again(
    store: Store, claims: Sequence[Claim], without: Collection[int] = ()
) -> tuple[list[tuple[int, Work]], list[float | None]]:
    """What words find, further down than else, ranked once more by vectors learnt from the library; and their cosines,
    none where it has no such vectors."""
    found, _ = candidates(store, claims, "lexical", without, DEEP)
    basis = learnt(store).basis
    near = basis.cosines(whole_text(claims), [(work.title, work.abstract) for _, work in found]) if basis else []
    if not near:
        return found[:CANDIDATES], []
    order = sorted(range(len(found)), key=lambda at: (-(near[at] or 0.0), at))
    kept = list(fuse([(1.0, range(len(found))), (1.0, order)]))[:CANDIDATES]
    return [found[at] for at in kept], [near[at] for at in kept]


def judge(store: Store, case: Case, how: Ways, without: Collection[int] = (), recheck: Recheck | None = None) -> Judged:
    """One idea against a library that covers its field. Too few words, or nothing found: `undecided`."""
    claims = claims_of_text(case.title, case.hypothesis, case.method, case.experiment)
    meanings: list[float | None] = []
    if how == "learnt":
        found, meanings = ranked_again(store, claims, without)
        how = "learnt" if meanings else "lexical"
    else:
        found, how = candidates(store, claims, how, without)
        meanings = stored_meanings(store, whole_text(claims), found) if how != "lexical" else []
    texts = [(work.title, work.abstract) for _, work in found]
    near = nearness(claims, texts, meanings, by_words=how != "semantic", learnt=how == "learnt")
    told = likely_told(near, how)
    works = [work for _, work in found]
    done = False
    if recheck is not None and near and says_enough(claims):
        read = recheck(claims, works, near)
        told, done = read.told, read.done
    same = any(title_key(work.title) == title_key(case.title) for work in works)
    verdict: NoveltyVerdict = "novel"
    if not near or not says_enough(claims):
        verdict = "undecided"
    elif same or done or any(one.identical for one in near):
        verdict = "known"
    elif told >= coefficients().close:
        verdict = "close"
    nearest = works[near[0].index].ident or works[near[0].index].title if near else ""
    return Judged(round(told, 6), round(stands_out(near), 6), verdict, nearest, how)


def score_cases(
    store: Store, cases: Sequence[Case], how: Ways = "both", recheck: Recheck | None = None
) -> Iterator[Scored]:
    """Every idea, judged with and without its own work, one after the other."""
    for case in cases:
        source = store.named(case.source_id) if case.source_id else None
        has = judge(store, case, how, (), recheck)
        lacks = judge(store, case, how, (source,), recheck) if source is not None else None
        yield Scored(case, has, lacks)


# --- numbers ---


def auc(higher: Sequence[float], lower: Sequence[float]) -> float:
    """How often one of the first is above one of the second; ties count half. Half where either is empty."""
    if not len(higher) or not len(lower):
        return 0.5
    a, b = np.asarray(higher, float)[:, None], np.asarray(lower, float)[None, :]
    return float(((a > b) + 0.5 * (a == b)).mean())


def twin_auc(scored: Sequence[Scored], seed: int = 0) -> Interval:
    """AUC of 'its work is there' over ideas that have one; the interval resamples ideas, each with its twin."""
    pairs = [(one.has.told, one.lacks.told) for one in scored if one.lacks is not None]
    values = np.array(pairs, float).reshape(-1, 2)
    return _resampled(len(values), lambda at: auc(values[at, 0], values[at, 1]), seed)


def label_auc(scored: Sequence[Scored], side: Side = "with", seed: int = 0) -> Interval:
    """AUC of {known, close} against novel. `without`: the works behind the ideas are gone, so that whatever is above
    one half is topic and style."""
    rows = [
        (told.told, one.case.label != "novel")
        for one in scored
        if one.case.label in ("known", "close", "novel")
        and (told := one.has if side == "with" or one.case.label == "novel" else one.lacks) is not None
    ]
    return _label_interval(rows, seed)


def blind_auc(cases: Sequence[Case], seed: int = 0) -> Interval:
    """AUC of {known, close} against novel of a classifier that sees no library: words of the ideas alone.

    Naive Bayes over words, fitted on each half of the ideas and asked about the other.
    """
    kept = [case for case in cases if case.label in ("known", "close", "novel")]
    bags = {
        case.id: sorted(set(words(" ".join((case.title, case.hypothesis, case.method, case.experiment)))))
        for case in kept
    }
    rows = []
    for half in ("tune", "report"):
        counts = {True: Counter[str](), False: Counter[str]()}
        totals = Counter[bool]()
        for case in kept:
            if case.half != half:
                counts[case.label != "novel"].update(bags[case.id])
                totals[case.label != "novel"] += 1
        for case in kept:
            if case.half == half:
                odds = [
                    math.log((counts[True][word] + 1) / (totals[True] + 2))
                    - math.log((counts[False][word] + 1) / (totals[False] + 2))
                    for word in bags[case.id]
                    if counts[True][word] + counts[False][word]
                ]
                rows.append((sum(odds), case.label != "novel"))
    return _label_interval(rows, seed)


def verdict_table(scored: Sequence[Scored]) -> Mapping[tuple[str, str], int]:
    """(label, verdict) -> ideas."""
    return Counter((one.case.label, one.has.verdict) for one in scored if one.case.label in LABELS)


def _label_interval(rows: Sequence[tuple[float, bool]], seed: int) -> Interval:
    values = np.array([row[0] for row in rows], float)
    is_told = np.array([row[1] for row in rows], bool)
    return _resampled(len(rows), lambda at: auc(values[at][is_told[at]], values[at][~is_told[at]]), seed)


def _resampled(count: int, value: Callable[[np.ndarray], float], seed: int) -> Interval:
    """The percentile bootstrap over ideas."""
    if count < 2:
        return Interval(value(np.arange(count)) if count else 0.5, 0.0, 1.0, count)
    draws = np.random.default_rng(np.random.SeedSequence(seed)).integers(0, count, (RESAMPLES, count))
    low, high = np.quantile([value(draw) for draw in draws], (0.025, 0.975))
    return Interval(value(np.arange(count)), float(low), float(high), count)
