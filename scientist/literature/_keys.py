"""Citation keys and the identity of works: which records are the same work, and what it is called."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from scientist.literature._reference import Reference
from scientist.literature._text import title_key, words

_DOI = re.compile(r"10\.\d{4,9}/[^\s<>\"'`{}\\|^]+", re.IGNORECASE)
_ARXIV = re.compile(
    r"(?:arxiv(?:\.org/(?:abs|pdf))?[:./\s]*)(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})", re.IGNORECASE
)


def find_doi(text: str) -> str:
    """The first DOI in a text, without the punctuation that follows it; or an empty string."""
    match = _DOI.search(text)
    found = match.group(0).rstrip(".,;:]") if match else ""
    while found.endswith(")") and found.count(")") > found.count("("):  # the sentence's, not the DOI's
        found = found[:-1].rstrip(".,;:]")
    return found


def find_arxiv(text: str) -> str:
    """The first arXiv id in a text (announced as such, for a DOI may look like one), without version."""
    match = _ARXIV.search(text)
    return match.group(1) if match else ""


def make_key(authors: tuple[str, ...], year: int | None, title: str) -> str:
    """A key such as `platt1999`: surname and year; without authors the first word of the title."""
    name = authors[0].split()[-1] if authors and authors[0].split() else (words(title) or ["anonymous"])[0]
    flat = unicodedata.normalize("NFKD", name.lower())
    return ("".join(c for c in flat if c.isascii() and c.isalnum()) or "anonymous") + (str(year) if year else "")


def surnames(authors: tuple[str, ...]) -> set[str]:
    """The last words of the names, as letters: 'C. Müller' and 'Müller, Carl' meet in 'muller'."""
    found = set()
    for name in authors:
        parts = name.split(",")[0].split()
        if parts and name != "others":
            found.add(title_key(parts[-1]))
    return found - {""}


def same_work(a: Reference, b: Reference) -> bool:
    """Same DOI, same arXiv id, or the same title by an author of the same name at most two years apart.

    A preprint and its publication differ in year and DOI; two editorials differ in their authors. Where authors or
    year of one are unknown, they are not held against it.
    """
    if a.doi and a.doi.lower() == b.doi.lower():
        return True
    if a.arxiv and a.arxiv.lower() == b.arxiv.lower():
        return True
    titles = title_key(a.title), title_key(b.title)
    if not titles[0] or titles[0] != titles[1]:
        return False
    people = surnames(a.authors), surnames(b.authors)
    if all(people) and not people[0] & people[1]:
        return False
    return a.year is None or b.year is None or abs(a.year - b.year) <= 2


_FILLED = ("authors", "year", "venue", "volume", "number", "pages", "doi", "arxiv", "url", "abstract", "retracted")


def merge(references: Iterable[Reference]) -> list[Reference]:
    """One record per work, in the order in which the works were first seen; keys made unique.

    The first record of a work stands; later ones only fill what it lacks (authors, year, venue, DOI, arXiv id,
    address, abstract), and `filled` says which source gave it. A record that gains an identifier may turn out to be
    the same work as another, and takes that in as well. A second work with the key of an earlier one gets a letter:
    `breiman2001`, `breiman2001b`.
    """
    kept: list[Reference] = []
    for reference in references:
        index = next((i for i, other in enumerate(kept) if same_work(other, reference)), None)
        if index is None:
            kept.append(reference)
            continue
        kept[index] = _filled(kept[index], reference)
        for later in range(len(kept) - 1, index, -1):
            if same_work(kept[index], kept[later]):
                kept[index] = _filled(kept[index], kept.pop(later))
    taken: set[str] = set()
    unique = []
    for reference in kept:
        names = (reference.key, *(reference.key + letter for letter in "bcdefghijklmnopqrstuvwxyz"))
        key = next((name for name in names if name not in taken), f"{reference.key}-{len(taken)}")
        taken.add(key)
        unique.append(reference if key == reference.key else reference.model_copy(update={"key": key}))
    return unique


def _filled(known: Reference, other: Reference) -> Reference:
    """The first record, with what it lacks from the second."""
    more = {name: getattr(other, name) for name in _FILLED if not getattr(known, name) and getattr(other, name)}
    if known.doi or known.arxiv or "doi" in more or "arxiv" in more:
        more.pop("url", None)  # an identifier outlives an address
    if (known.volume, known.number, known.pages) != ("", "", "") or (known.venue and known.venue != other.venue):
        for name in ("volume", "number", "pages"):
            more.pop(name, None)  # of another printing
    given = other.provenance()
    seen = dict.fromkeys((*known.also, other.source, *other.also))
    update: dict[str, object] = dict(more)
    update["filled"] = (*known.filled, *((name, given[name]) for name in more))
    update["also"] = tuple(source for source in seen if source != known.source)
    if all(getattr(known, name) == value for name, value in update.items()):
        return known
    return known.model_copy(update=update)
