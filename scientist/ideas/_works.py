"""An idea against the works that sources returned: by what they were found, claim by claim, and what that says of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from scientist.literature import Claim, LibrarySource, Reference, Searched, Source, merge, same_work, search_all
from scientist.literature._claims import says_enough, whole_text
from scientist.literature._embed import embedder
from scientist.literature._judge import coefficients, how_compared, likely_told
from scientist.literature._learnt import Learnt
from scientist.literature._meaning import meanings
from scientist.literature._nearness import COVERED, Near, nearness
from scientist.literature._reference import Covered
from scientist.literature._retractions import flagged
from scientist.literature._text import clean

FIELD = 12
"""Works without which there is no field that one of them could stand out from: the first, and those behind it."""
COMPARED = 20
"""Works, the nearest by words, that are compared by meaning too; a second or two where they are new."""
UNASKED = "its rate left no time to ask"
"""What a source's pace is called when it leaves a *further* phrasing unasked, which takes nothing from its answers."""
EVIDENCE = 3
"""Works whose claims are told one by one."""
_BY = {"both": "words and meaning", "learnt": "words and learnt vectors", "lexical": "words"}


@dataclass(frozen=True)
class Works:
    """What the sources returned and said. `open_answered`: those of an open source that gave works to compare with."""

    found: tuple[Reference, ...]
    asked: tuple[Searched, ...]
    open_answered: tuple[str, ...]
    open_names: frozenset[str]
    beyond: tuple[Reference, ...] = ()
    """Those that came from anywhere but the packaged library."""


@dataclass(frozen=True)
class Compared:
    """How near the works come. `near[i].index` is a place in `works`; `told` is how likely the nearest tells the idea."""

    claims: tuple[Claim, ...]
    works: tuple[Reference, ...] = ()
    near: tuple[Near, ...] = ()
    told: float | None = None
    by: str = ""
    quoted: dict[str, tuple[Covered, ...]] = field(default_factory=dict)
    """key of a work -> what a model quoted from it"""
    done: tuple[str, ...] = ()
    """Keys of works that did the idea, as a model read them, with quotations for most of its claims."""

    @property
    def nearest(self) -> Reference | None:
        return self.works[self.near[0].index] if self.near else None

    @property
    def close(self) -> bool:
        """Whether the nearest tells enough of it that the idea should differ more."""
        return self.told is not None and self.told >= coefficients().close

    @property
    def same(self) -> tuple[Reference, ...]:
        """Works that tell every claim almost word by word."""
        return tuple(self.works[one.index] for one in self.near if one.identical)

    @property
    def read_same(self) -> tuple[Reference, ...]:
        """Works that a model read as having done the idea."""
        return tuple(work for work in self.works if work.key in self.done)

    def evidence(self, work: Reference) -> tuple[tuple[Covered, ...], tuple[str, ...]]:
        """What of the claims a work tells, with the passages, and which claims it does not; nothing for other works."""
        one = next((n for n in self.near[:EVIDENCE] if same_work(self.works[n.index], work)), None)
        if one is None:
            return (), ()
        covers = [
            Covered(claim=claim.text, coverage=cover.coverage, passage=clean(cover.passage, 400))
            for claim, cover in zip(self.claims, one.covers, strict=True)
            if cover.coverage >= COVERED
        ]
        covers += self.quoted.get(work.key, ())
        told = {cover.claim for cover in covers}
        return tuple(covers), tuple(claim.text for claim in self.claims if claim.text not in told)


def find_works(sources: Sequence[Source], queries: Sequence[str], further: Sequence[str], deadline_s: float) -> Works:
    """Ask every source the queries; those that are no packaged library and answered, the further phrasings too.

    What a curated library and an open one of the same name said is kept apart.
    """
    until = time.monotonic() + deadline_s
    shipped = [source for source in sources if isinstance(source, LibrarySource)]
    others = [source for source in sources if not isinstance(source, LibrarySource)]
    first, told_first = search_all(shipped, queries, deadline_s)
    works, told = search_all(others, queries, max(0.05, until - time.monotonic()))
    answering = [source for source in others if source.name in _sound(told)]
    own = [source for source in answering if source.name == LibrarySource.name]
    network = [source for source in answering if source not in own]
    # An index on the network is paced: one phrasing more is what a check has time for. A library of one's own is not.
    for again, phrasing in ((own, further), (network, further[:1])):
        if again and phrasing and until - time.monotonic() > 0:
            more, told_more = search_all(again, phrasing, until - time.monotonic())
            works = [*works, *more]
            told += [one for one in told_more if one.answer != "out" or one.note != UNASKED]
    open_names = frozenset(source.name for source in others if source.breadth == "open")
    answered = tuple(name for name in _sound(told) if name in open_names)
    found, beyond = (tuple(map(flagged, merge(some))) for some in ([*first, *works], works))
    return Works(found, (*told_first, *told), answered, open_names, beyond)


def _sound(told: Sequence[Searched]) -> list[str]:
    """Sources that answered whenever they were asked: one that failed half-way may hold what it did not say."""
    out = {one.source for one in told if one.answer == "out"}
    return list(dict.fromkeys(one.source for one in told if one.answer == "answered" and one.source not in out))


def compare(claims: Sequence[Claim], works: Works, learnt: Callable[[], Learnt] = lambda: Learnt(None)) -> Compared:
    """The works against the claims, by words and, where there is a model for it, by meaning.

    Where there is none, `learnt` is asked for the vectors of the lab's library; without them words have to do.

    The packaged library is left out: a hundred chosen works are no field. Of fewer than :data:`FIELD` works nothing is
    said on how likely one tells the idea, but what they tell of its claims is kept.
    """
    if not works.beyond or not says_enough(claims):
        return Compared(tuple(claims))
    texts = [(work.title, work.abstract or work.gist) for work in works.beyond]
    vectors = learnt() if embedder() is None else Learnt(None)
    asked = whole_text(claims)
    cosines = vectors.basis.cosines(asked, texts) if vectors.basis is not None else []
    first = nearness(claims, texts, cosines, learnt=bool(cosines))[:COMPARED]
    kept = tuple(works.beyond[one.index] for one in first)
    some = [texts[one.index] for one in first]
    enough = len(kept) >= FIELD
    meant = [cosines[one.index] for one in first] if cosines else meanings(asked, some) if enough else []
    near = nearness(claims, some, meant, learnt=bool(cosines))
    by = _BY[how_compared(near)] + (f"; no vectors learnt from the library: {vectors.why}" if vectors.why else "")
    told = round(likely_told(near), 4) if enough else None
    return Compared(tuple(claims), kept, tuple(near), told, by)
