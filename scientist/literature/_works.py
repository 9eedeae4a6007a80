"""A work of the library: what every format is turned into, what makes two records the same work, how they are joined."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from scientist.literature._keys import find_doi, make_key
from scientist.literature._reference import Reference
from scientist.literature._retractions import said_by_body
from scientist.literature._text import title_key

TITLE, NAME, VENUE, ABSTRACT, KEYWORD = 2_000, 200, 500, 100_000, 200
MANY = 5_000  # authors or keywords of one work; a record of high-energy physics has some three thousand
_ARXIV_ID = re.compile(r"(\d{4}\.\d{4,5}|[a-z][a-z-]*(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?", re.IGNORECASE)
_KEY = re.compile(r"[^A-Za-z0-9:_+-]+")
_NO_KEY = re.compile(r"[\s,{}%#\\~\"'()=]")
_ARXIV_DOI = "10.48550/arxiv."
APART = 2  # years between a preprint and its publication that still count as one work


@dataclass(frozen=True, slots=True)
class Work:
    """One work, or one record of it. Text is clean and bounded; `body` holds, as JSON, what the record said beyond it."""

    title: str
    abstract: str = ""
    authors: tuple[str, ...] = ()
    year: int | None = None
    venue: str = ""
    url: str = ""
    doi: str = ""
    arxiv: str = ""
    keywords: tuple[str, ...] = ()
    key: str = ""  # citation key, where the record had one
    kind: str = "misc"  # BibTeX's name for the kind of work
    ident: str = ""  # what its source calls it
    source: str = ""  # the file or collection that it came from
    format: str = ""  # bibtex, csl, arxiv, list, pdf
    body: str = ""


COLUMNS = tuple(field.name for field in fields(Work))
_FILLED = ("abstract", "authors", "year", "venue", "url", "doi", "arxiv", "keywords", "key", "ident")


def make_work(source: str, format: str, values: Mapping[str, Any]) -> Work | None:
    """A record from what a reader found: cleaned, cut to size; None when there is no title."""
    title = tidy(values.get("title"), TITLE)
    if not title:
        return None
    doi, arxiv = doi_of(values.get("doi")), arxiv_of(values.get("arxiv"))
    if doi.lower().startswith(_ARXIV_DOI):
        doi, arxiv = "", arxiv or arxiv_of(doi[len(_ARXIV_DOI) :])
    url = tidy(values.get("url"), 2_000)
    return Work(
        title=title,
        abstract=tidy(values.get("abstract"), ABSTRACT),
        authors=_several(values.get("authors"), NAME),
        year=year_of(values.get("year")),
        venue=tidy(values.get("venue"), VENUE),
        url=url if re.match(r"(?:https?|ftp)://\S+$", url) else "",
        doi=doi,
        arxiv=arxiv,
        keywords=_several(values.get("keywords"), KEYWORD),
        key=tidy(values.get("key"), 200),
        kind=tidy(values.get("kind"), 40).lower() or "misc",
        ident=tidy(values.get("ident"), 200),
        source=tidy(source, 200),
        format=format,
        body=str(values.get("body") or ""),
    )


def tidy(text: object, limit: int) -> str:
    """One line of at most `limit` characters without control, private or broken characters; NFC. Not text: empty."""
    if not isinstance(text, str):
        return ""
    line = " ".join(text[: 2 * limit].split())
    if not line.isprintable():  # rare, and twenty times slower
        kept = (c if c.isprintable() else " " if c.isspace() else "" for c in line)
        line = " ".join("".join(kept).split())
    if not line.isascii():
        line = unicodedata.normalize("NFC", line)
    return line[:limit].rstrip()


def _several(values: object, limit: int) -> tuple[str, ...]:
    found = values if isinstance(values, list | tuple) else ()
    return tuple(kept for kept in (tidy(value, limit) for value in found[:MANY]) if kept)


def year_of(value: object) -> int | None:
    """A year between 1000 and 2999 from a number or the first four digits in a row; else None."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 1000 <= value <= 2999 else None
    match = re.search(r"(?<!\d)([12]\d{3})(?!\d)", value[:200]) if isinstance(value, str) else None
    return int(match.group(1)) if match else None


def doi_of(value: object) -> str:
    """The DOI in a value such as an address or 'doi:10...'; else empty."""
    return find_doi(tidy(value, 500)) if isinstance(value, str) and "10." in value else ""


def arxiv_of(value: object) -> str:
    """The arXiv id in a value such as an address or 'arXiv:2101.00001v2', without version; else empty."""
    if not isinstance(value, str):
        return ""
    text = re.sub(r"^\s*(?:https?://(?:www\.|export\.)?arxiv\.org/(?:abs|pdf)/|arxiv:)\s*", "", value[:200], flags=re.I)
    match = _ARXIV_ID.fullmatch(text.strip().removesuffix(".pdf"))
    return match.group(1) if match else ""


def names_of(work: Work) -> list[int]:
    """What the work is recognised by, as 64-bit numbers: DOI, arXiv id, its source's id, title with first author."""
    told = [f"doi:{work.doi.lower()}"] if work.doi else []
    told += [f"arxiv:{work.arxiv.lower()}"] if work.arxiv else []
    told += [f"id:{work.ident}"] if work.ident else []
    if title := _title_name(work):
        told.append(title)
    return [hashed(text) for text in told]


def hashed(text: str) -> int:
    """A name as a signed 64-bit number; a million works have a chance of one in ten million for any mix-up."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), signed=True)


def _title_name(work: Work) -> str:
    """Title and surname. A title alone only counts when it is long: 'Introduction' is nobody's in particular."""
    letters = title_key(work.title)
    name = title_key(surname(work.authors[0])) if work.authors else ""
    return f"title:{letters}:{name}" if len(letters) >= (8 if name else 40) else ""


def surname(author: str) -> str:
    """The surname, of 'Ada Lovelace' as of 'Lovelace, Ada'."""
    return author.split(",")[0].strip() if "," in author else (author.split() or [""])[-1]


def may_be_same(a: Work, b: Work) -> bool:
    """Whether two records that share a name may be one work: no identifier of the same kind tells them apart.

    A conference paper and the article of the same title have two DOIs and stay two works; so do works of one title
    that are more than two years apart, unless an identifier joins them.
    """
    if a.doi and b.doi and a.doi.lower() != b.doi.lower():
        return False
    if a.arxiv and b.arxiv and a.arxiv.lower() != b.arxiv.lower():
        return False
    if (a.doi and b.doi) or (a.arxiv and b.arxiv):
        return True
    if a.ident and a.ident == b.ident:
        return True
    return a.year is None or b.year is None or abs(a.year - b.year) <= APART


def joined(first: Work, more: Work) -> Work:
    """One work of two records: the first stands, the second fills what it lacks."""
    lacking = {name: getattr(more, name) for name in _FILLED if not getattr(first, name) and getattr(more, name)}
    if first.kind == "misc" and more.kind != "misc":
        lacking["kind"] = more.kind
    return replace(first, **lacking) if lacking else first


def citation_key(work: Work) -> str:
    """A key that LaTeX and our own records accept: the record's, or surname and year."""
    return _KEY.sub("-", work.key).strip("-") or make_key(
        tuple(map(_forename_first, work.authors[:1])), work.year, work.title
    )


def _forename_first(author: str) -> str:
    last, comma, first = author.partition(",")
    return f"{first.strip()} {last.strip()}".strip() if comma else author


def to_reference(work: Work, source: str = "library") -> Reference:
    """The work as a record that may be cited."""
    authors = tuple(map(_forename_first, work.authors[:30]))
    return Reference(
        key=citation_key(work),
        title=work.title,
        authors=(*authors, "others") if len(work.authors) > 30 else authors,
        year=work.year,
        venue=work.venue,
        doi=work.doi,
        arxiv=work.arxiv,
        url="" if work.doi or work.arxiv else work.url,
        abstract=work.abstract,
        source=source,
        entry_type=work.kind,
        retracted=said_by_body(work.body),
    )


class Keys:
    """Gives every work of a file a citation key of its own: the second `smith2020` is `smith2020b`."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def unique(self, work: Work) -> str:
        """The work's own key where BibTeX accepts it and nobody has it yet (in any case), else one like it."""
        base = work.key if work.key and not _NO_KEY.search(work.key) else citation_key(work)
        key, number = base, 1
        while key.lower() in self._taken:
            number += 1
            key = f"{base}{chr(ord('a') + number - 1)}" if number <= 26 else f"{base}-{number}"
        self._taken.add(key.lower())
        return key
