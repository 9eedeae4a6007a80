"""How near works come to an idea, claim by claim, and whether one of them stands out from the rest of its field. Pure.

Words are weighed by how rare they are *among the works that were found*: what all of them share is the topic, and says
nothing about who did the same thing. Sources of the parts: docs/literature.md.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from scientist.literature._claims import Claim, sentences, whole_text
from scientist.literature._library import packaged_library
from scientist.literature._text import words

STEM = 6
"""Letters of a (stemmed) word that are compared: 'equivariant' meets 'equivariance'."""
FOLLOWING = 10
"""The ranks behind the first that say how near works of the field come anyway."""
COVERED = 0.5
"""From this coverage on a claim counts as covered by a work: half of what its words say, in one passage."""
IDENTICAL = 0.9
"""A work that covers every claim so far has told the idea itself."""
PASSAGE = 240


@dataclass(frozen=True)
class Cover:
    """How much of one claim one work tells, in [0, 1], and the passage that tells most of it."""

    coverage: float
    passage: str


@dataclass(frozen=True)
class Near:
    """One work against an idea. `index` is its place in what was given; `score` and its parts lie in [0, 1].

    `share`: weighted share of the idea's words that the work has. `alike`: cosine of the words' weights. `phrases`:
    share of the idea's pairs of neighbouring words. `meaning`: cosine of the texts' vectors; None where there are none.
    `learnt`: whether those vectors were learnt from a library.
    """

    index: int
    score: float
    share: float
    alike: float
    phrases: float
    meaning: float | None
    covers: tuple[Cover, ...]
    learnt: bool = False

    @property
    def told(self) -> float:
        """How much of the claims the work tells, on average."""
        return sum(cover.coverage for cover in self.covers) / max(1, len(self.covers))

    @property
    def identical(self) -> bool:
        """Whether it tells every claim almost word by word."""
        return bool(self.covers) and min(cover.coverage for cover in self.covers) >= IDENTICAL


def stems(text: str) -> list[str]:
    """Content words, stemmed and cut, in their order."""
    return [word[:STEM] for word in words(text)]


@lru_cache(maxsize=1)
def _background() -> tuple[int, Counter[str]]:
    """How many works of the packaged library hold each word: keeps rarity sane where few works were found."""
    works = packaged_library().references
    return len(works), Counter(word for work in works for word in set(stems(f"{work.title} {work.abstract}")))


def nearness(
    claims: Sequence[Claim],
    works: Sequence[tuple[str, str]],
    meanings: Sequence[float | None] = (),
    by_words: bool = True,
    learnt: bool = False,
) -> list[Near]:
    """Every work (title, abstract) against the claims, nearest first; the score is the mean of the parts.

    `meanings`: cosine per work; works are compared by meaning where every one of them has it, or none is. `by_words`
    false leaves the words out of the score; `learnt`: the cosines are of vectors learnt from a library. The order of the works does not matter but for ties, which keep it.
    """
    meant = len(meanings) == len(works) and None not in meanings
    bags = [_bag(title, abstract) for title, abstract in works]
    found = Counter(word for bag in bags for word in bag)
    some, known = _background()
    total = some + len(works)

    def rarity(word: str) -> float:
        df = found[word] + known[word]
        return math.log(1 + (total - df + 0.5) / (df + 0.5))

    asked = stems(whole_text(claims))
    weights = {word: rarity(word) for word in sorted(set(asked))}
    pairs = _pairs(claim.text for claim in claims)
    each = [{word: weights[word] for word in sorted(set(stems(claim.text)))} for claim in claims]
    result = []
    for index, (title, abstract) in enumerate(works):
        bag = bags[index]
        shared = [weight for word, weight in weights.items() if word in bag]
        share = _ratio(sum(shared), sum(weights.values()))
        own = math.sqrt(sum(rarity(word) ** 2 for word in sorted(bag)))
        alike = _ratio(sum(w * w for w in shared), own * math.sqrt(sum(w * w for w in weights.values())))
        lines = [title, *sentences(abstract)]
        phrases = _ratio(len(pairs & _pairs(lines)), len(pairs))
        told = meanings[index] if meant else None
        meaning = None if told is None else max(0.0, min(1.0, told))
        parts = [share, alike, phrases] if by_words or meaning is None else []
        parts += [meaning] if meaning is not None else []
        covers = tuple(_cover(words_, lines) for words_ in each)
        result.append(Near(index, sum(parts) / len(parts), share, alike, phrases, meaning, covers, learnt and meant))
    return sorted(result, key=lambda near: (-round(near.score, 9), near.index))


def stands_out(near: Sequence[Near]) -> float:
    """How much nearer the first is than those behind it are on average: what a topic with many works does not raise."""
    if not near:
        return 0.0
    behind = [one.score for one in near[1 : 1 + FOLLOWING]]
    return near[0].score - sum(behind) / max(1, len(behind))


def _bag(title: str, abstract: str) -> frozenset[str]:
    return frozenset(stems(f"{title} {abstract}"))


def _pairs(texts: Iterable[str]) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for text in texts:
        line = stems(text)
        found.update(pairwise(line))
    return found


def _cover(weights: dict[str, float], lines: Sequence[str]) -> Cover:
    """The passage with the most of a claim's weight: one sentence, or two that follow each other."""
    total = sum(weights.values())
    best, passage = 0.0, ""
    bags = [frozenset(stems(line)) for line in lines]
    for at, line in enumerate(lines):
        for upto in (at + 1, at + 2):
            if upto > len(lines):
                continue
            bag = frozenset().union(*bags[at:upto])
            value = _ratio(sum(weight for word, weight in weights.items() if word in bag), total)
            # A longer passage has to tell clearly more.
            if value > best + (0.1 if upto > at + 1 else 1e-9):
                best, passage = value, line if upto == at + 1 else f"{line} {lines[at + 1]}"
    return Cover(round(best, 4), passage[:PASSAGE].rstrip())


def _ratio(part: float, whole: float) -> float:
    return min(1.0, max(0.0, part / whole)) if whole > 0 else 0.0
