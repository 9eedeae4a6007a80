"""Records from what strangers send: every field of the right type, plain, and of bounded length."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice

from scientist.literature._keys import find_doi, make_key, merge
from scientist.literature._plain import plain
from scientist.literature._reference import Reference
from scientist.literature._text import clean
from scientist.literature._web import Malformed

TITLE, NAME, AUTHORS, VENUE, ABSTRACT = 300, 80, 30, 200, 3000
_ARXIV_ID = re.compile(r"\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7}")
_ARXIV_DOI = re.compile(r"10\.48550/arxiv\.(.+)", re.IGNORECASE)


def record(
    source: str,
    *,
    title: object,
    authors: tuple[str, ...],
    year: int | None,
    venue: object = "",
    doi: object = "",
    arxiv: object = "",
    url: object = "",
    abstract: object = "",
    volume: object = "",
    number: object = "",
    pages: object = "",
    entry_type: str = "misc",
    retracted: str = "",
    need_id: bool = False,
) -> Reference | None:
    """A work, or None without a title (with `need_id`: or without an arXiv id).

    A DOI that arXiv gave to a preprint becomes its arXiv id, so that the DOI of the publication finds its place.
    """
    name = plain(title, TITLE)
    number_of = clean(arxiv, 40)
    identifier = find_doi(clean(doi, 200))
    if preprint := _ARXIV_DOI.fullmatch(identifier):
        identifier, number_of = "", number_of or re.sub(r"v\d+$", "", preprint[1])
    number_of = number_of if _ARXIV_ID.fullmatch(number_of) else ""
    if not name or (need_id and not number_of):
        return None
    address = clean(url, 300)
    where = plain(venue, VENUE)
    return Reference(
        key=make_key(authors, year, name),
        title=name,
        authors=authors,
        year=year,
        venue=where,
        volume=clean(volume, 20),
        number=clean(number, 20),
        pages=re.sub("[-–]+", "-", clean(pages, 30)),
        doi=identifier,
        arxiv=number_of,
        url=address if re.fullmatch(r"https?://\S+", address) and not identifier else "",
        abstract=plain(abstract, ABSTRACT),
        source=source,
        entry_type=entry_type if where else "misc",
        retracted=clean(retracted, 200),
    )


def names(found: Sequence[object]) -> tuple[str, ...]:
    """Authors as 'Ada Example'; after :data:`AUTHORS` of them 'others'."""
    cleaned = [name for name in (plain(name, NAME) for name in found[: AUTHORS + 1]) if name]
    return (*cleaned[:AUTHORS], "others") if len(cleaned) > AUTHORS else tuple(cleaned)


def year_of(value: object) -> int | None:
    """A year that can be one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 1500 < value < 2200 else None


def some_usable(works: Iterable[Reference | None], sent: int, limit: int) -> list[Reference]:
    """The first works that could be read, each once; what is beyond twice the limit is not looked at.

    Raises :class:`Malformed` when something was sent and nothing could be read.
    """
    usable = [work for work in islice(works, 2 * limit) if work is not None]
    if sent and not usable:
        raise Malformed("no record in it is whole")
    return merge(usable)
