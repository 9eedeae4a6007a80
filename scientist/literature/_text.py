"""Words: cleaning what others wrote, and comparing texts by the words they share. Pure and deterministic."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

STOP = frozenset(
    """
    a about above after all also among an and any are as at be because been before between both but by can could do
    does each for from had has have how if in into is it its least less like many may might more most much no nor
    not of on one only or other our over same should since so some such than that the their them then there these
    they this those through to too under until up use used using very via was we were what when where whether which
    while who why will with within without would show study result paper new approach based propose find found
    """.split()  # noqa: SIM905
)
_WORD = re.compile(r"(?<![a-z0-9])[a-z][a-z0-9]+")


def clean(text: object, limit: int) -> str:
    """One line of at most `limit` characters from text that nobody has checked.

    Control, formatting (bidirectional overrides too), private and unassigned characters go; white space
    collapses. Anything that is not a string becomes the empty string.
    """
    if not isinstance(text, str):
        return ""
    text = unicodedata.normalize("NFC", text[: 4 * limit])
    text = "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
    return " ".join(text.split())[:limit].rstrip()


def words(text: str) -> list[str]:
    """The content words of a text: lower case, without accents, endings cut, stop words left out."""
    flat = unicodedata.normalize("NFKD", text.lower())
    flat = "".join(c for c in flat if not unicodedata.combining(c))
    return [_stem(w) for w in _WORD.findall(flat) if w not in STOP]


def _stem(word: str) -> str:
    """Cuts English endings just enough that 'noisy labels' meets 'label noise', 'forests' meets 'forest'."""
    if word in ("noise", "noisy", "noises"):
        return "noise"
    for ending, instead in (("ies", "y"), ("isation", "iz"), ("ization", "iz"), ("ise", "iz"), ("ize", "iz")):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return word[: -len(ending)] + instead
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        word = word[:-1]
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) > len(ending) + 3:
            return word[: -len(ending)]
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


@lru_cache(maxsize=8192)
def title_key(title: str) -> str:
    """A title reduced to its letters and digits, so that two spellings of one title meet."""
    if title.isascii():
        return re.sub("[^a-z0-9]+", "", title.lower())  # the same, ten times as fast
    flat = unicodedata.normalize("NFKD", title.lower())
    return "".join(c for c in flat if c.isalnum())


class Corpus:
    """Weighs words by how rare they are in a set of documents, ranks the documents, and compares texts.

    Ranking is BM25 (Robertson and Zaragoza 2009, k1 = 1.2, b = 0.75); similarity is the cosine of tf-idf
    vectors with logarithmic term frequency.
    """

    def __init__(self, documents: Sequence[str]) -> None:
        self._counts = [Counter(words(text)) for text in documents]
        self._lengths = [sum(counts.values()) for counts in self._counts]
        self._mean = max(1.0, sum(self._lengths) / max(1, len(self._lengths)))
        self._documents = Counter(word for counts in self._counts for word in counts)

    def rarity(self, word: str) -> float:
        """Inverse document frequency, positive for every word, the largest for words that no document has."""
        n, df = len(self._counts), self._documents[word]
        return math.log(1 + (n - df + 0.5) / (df + 0.5))

    def rank(self, query: str) -> list[tuple[float, int]]:
        """(score, index) of the documents that share a word with the query, best first, ties in order."""
        terms = sorted(set(words(query)))
        scored = []
        for index, counts in enumerate(self._counts):
            norm = 1.2 * (0.25 + 0.75 * self._lengths[index] / self._mean)
            score = sum(self.rarity(t) * counts[t] * 2.2 / (counts[t] + norm) for t in terms if t in counts)
            if score > 0:
                scored.append((score, index))
        return sorted(scored, key=lambda pair: (-pair[0], pair[1]))

    def similarity(self, a: str, b: str) -> float:
        """Cosine of the texts' tf-idf vectors, in [0, 1]; symmetric; 0 when they share no content word."""
        x, y = self._vector(words(a)), self._vector(words(b))
        shared = sorted(set(x) & set(y))
        norms = self._norm(x.values()) * self._norm(y.values())
        if not shared or norms == 0:
            return 0.0
        return min(1.0, max(0.0, sum(x[w] * y[w] for w in shared) / norms))

    def _vector(self, terms: Sequence[str]) -> dict[str, float]:
        return {w: (1 + math.log(n)) * self.rarity(w) for w, n in sorted(Counter(terms).items())}

    @staticmethod
    def _norm(weights: Iterable[float]) -> float:
        return math.sqrt(sum(w * w for w in weights))
