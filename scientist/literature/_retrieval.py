"""How well the library finds the work behind an idea: recall on a file of ideas whose sources are known.

A benchmark is a file of JSON lines, an idea each: `id`, `title`, `hypothesis`, `method`, `experiment` (what a search may
read), `kind` and `label` (what the idea is), and `source_id`, the id (or DOI, or arXiv id) of the work of the library
that the idea was made from; null where there is none.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scientist.errors import RecordError
from scientist.lab import read_text
from scientist.literature._find import Found, How, Phrasing, find
from scientist.literature._store import Store
from scientist.literature._works import tidy

CUTS = (1, 5, 20)
PARAPHRASE = "known_paraphrase"
"""The kind of idea on which recall is reported first: what a work did, told in other words."""


@dataclass(frozen=True)
class Case:
    """An idea of a benchmark. What a search may read are the four texts; the rest is for scoring."""

    id: str
    title: str
    hypothesis: str
    method: str
    experiment: str
    kind: str = ""
    label: str = ""
    source_id: str = ""

    @property
    def half(self) -> str:
        """'tune' or 'report', by a hash of the id: what is chosen on the one is reported on the other."""
        return "tune" if hashlib.sha256(self.id.encode("utf-8", "replace")).digest()[0] % 2 == 0 else "report"


@dataclass(frozen=True)
class Recall:
    """Of `total` ideas, how many had their source among the first so many (see :data:`CUTS`)."""

    group: str
    how: How
    hits: Mapping[int, int]
    total: int


@dataclass(frozen=True)
class Report:
    """Recall per group of ideas and way to search; sources that are not in the library are named, not counted."""

    recalls: tuple[Recall, ...]
    missing: tuple[str, ...]
    note: str
    ranks: Mapping[str, Mapping[str, int | None]]  # case -> how -> rank of its source


def load_cases(path: Path) -> list[Case]:
    """The ideas of a benchmark. Raises :class:`RecordError` naming the line."""
    cases = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        at = f"{path}: line {number}"
        try:
            told = json.loads(line)
        except ValueError as error:
            raise RecordError(f"{at}: not valid JSON", "one idea a line, see docs/literature.md") from error
        if not isinstance(told, dict) or not tidy(told.get("title"), 500):
            raise RecordError(f"{at}: an idea needs a title", "see docs/literature.md")
        text = {name: tidy(told.get(name), 5_000) for name in ("title", "hypothesis", "method", "experiment")}
        text |= {name: tidy(told.get(name), 200) for name in ("kind", "label", "source_id")}
        cases.append(Case(id=tidy(told.get("id"), 200) or f"line {number}", **text))
    if not cases:
        raise RecordError(f"{path} holds no idea", "see docs/literature.md")
    return cases


def phrasings(title: str, hypothesis: str = "", method: str = "", experiment: str = "") -> list[Phrasing]:
    """The ways in which an idea is searched for: all of it, and what it claims with how it is done and how it is measured.

    Weights were chosen on the half 'tune' of 66 ideas with known sources (see docs/benchmarks.md).
    """
    whole = " ".join(part for part in (title, hypothesis, method, experiment) if part)
    asked = [Phrasing(whole)]
    for part in (experiment, method):
        if hypothesis and part and f"{hypothesis} {part}" != whole:
            asked.append(Phrasing(f"{hypothesis} {part}", 0.25))
    return asked


def retrieve(
    store: Store,
    case: Case,
    how: How = "both",
    limit: int = 20,
    without: Collection[int] = (),
    seconds: float = math.inf,
) -> Found:
    """The works nearest to an idea. `without`: ids to pass over, for a library that does not have a work."""
    return find(
        store, phrasings(case.title, case.hypothesis, case.method, case.experiment), limit, how, without, seconds
    )


def measure(
    store: Store, cases: Sequence[Case], ways: Sequence[How] = ("lexical", "semantic", "both")
) -> Iterator[Report]:
    """Recall so far after every idea that has a source; the last is the result.

    A way to search that is not available (no embedding model) is left out, and the note says so.
    """
    missing: list[str] = []
    notes: list[str] = []
    ranks: dict[str, dict[str, int | None]] = {}
    asked = [case for case in cases if case.source_id]
    for case in asked:
        source = store.named(case.source_id)
        if source is None:
            missing.append(case.source_id)
        else:
            ranks[case.id] = {}
        for way in ways if source is not None else ():
            found = retrieve(store, case, way, max(CUTS))
            if found.note:
                notes.append(found.note)
            if found.how == way:
                ids = [hit.id for hit in found.hits]
                ranks[case.id][way] = ids.index(source) + 1 if source in ids else None
        note = sorted(set(notes))[:1] if ranks else ["no idea has a source that is in the library"]
        yield Report(tuple(_recalls(cases, ranks, ways)), tuple(missing), "".join(note), ranks)


def _recalls(
    cases: Sequence[Case], ranks: Mapping[str, Mapping[str, int | None]], ways: Sequence[How]
) -> Iterator[Recall]:
    there = [case for case in cases if case.id in ranks]
    groups: dict[str, list[Case]] = {}
    for case in there:
        kind = PARAPHRASE if case.kind == PARAPHRASE else "other ideas with a source"
        for group in (kind, f"{kind}, half '{case.half}'"):
            groups.setdefault(group, []).append(case)
    groups = dict(sorted(groups.items(), key=lambda pair: (not pair[0].startswith(PARAPHRASE), pair[0])))
    for group, members in groups.items():
        for way in ways:
            places = [ranks[case.id][way] for case in members if way in ranks[case.id]]
            if places:
                hits = {cut: sum(place is not None and place <= cut for place in places) for cut in CUTS}
                yield Recall(group, way, hits, len(places))


def wilson(hits: int, total: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % interval of a proportion (Wilson 1927); (0, 1) of nothing."""
    if total == 0:
        return 0.0, 1.0
    p, squared = hits / total, z * z / total
    centre = (p + squared / 2) / (1 + squared)
    half = z / (1 + squared) * math.sqrt(p * (1 - p) / total + squared / (4 * total))
    return max(0.0, centre - half), min(1.0, centre + half)
