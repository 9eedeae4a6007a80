"""Libraries of works in BibTeX: the packaged one, and those that a lab keeps."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import latexcodec  # noqa: F401 - registers the codec that decodes \'e and the like; comes with pybtex
from pybtex.database import parse_string
from pybtex.exceptions import PybtexError
from pydantic import ValidationError

from scientist.errors import RecordError
from scientist.lab import explain, nearest, read_text
from scientist.literature._bibtex import _ESCAPES
from scientist.literature._reference import Reference
from scientist.literature._text import Corpus
from scientist.literature._topics import TOPICS

_VENUES = ("journal", "booktitle", "publisher", "howpublished", "school", "institution")
_OURS = {command: char for char, command in _ESCAPES.items()}
_OUR_COMMAND = re.compile("|".join(re.escape(command) for command in sorted(_OURS, key=len, reverse=True)))


class Library:
    """A fixed set of works, searched by words or by topic; pure: the same question gets the same answer."""

    def __init__(self, references: Sequence[Reference]) -> None:
        self.references = tuple(references)
        self._corpus = Corpus([described(reference) for reference in self.references])

    def __len__(self) -> int:
        return len(self.references)

    def search(self, query: str, limit: int = 10) -> list[Reference]:
        """The works that match the query's words, best first (BM25 over title, topics, abstract and gist)."""
        return [self.references[index] for _, index in self._corpus.rank(query)[:limit]]

    def get(self, key: str) -> Reference | None:
        """The work of that citation key, if it is here."""
        return next((reference for reference in self.references if reference.key == key), None)


def described(reference: Reference) -> str:
    """What a work is searched by: its title (twice, for it says most), topics, abstract and gist."""
    topics = " ".join(reference.topics).replace("-", " ")
    return " ".join((reference.title, reference.title, topics, reference.abstract, reference.gist))


def load_library(*paths: Path) -> Library:
    """The works of the given `.bib` files, then the packaged ones; the first record of a key counts.

    Raises :class:`RecordError` naming file and entry.
    """
    own: dict[str, Reference] = {}
    for path in paths:
        for reference in parse_bibtex(read_text(path), str(path)):
            own.setdefault(reference.key, reference)
    return Library([*own.values(), *(ref for ref in packaged_library().references if ref.key not in own)])


@lru_cache(maxsize=1)
def packaged_library() -> Library:
    """The library that ships with the package."""
    text = resources.files("scientist.literature").joinpath("library.bib").read_text(encoding="utf-8")
    return Library(parse_bibtex(text, "library.bib"))


def parse_bibtex(text: str, where: str) -> list[Reference]:
    """The works of a BibTeX file, in its order.

    Fields: author, title, year, journal (booktitle, publisher, ...), volume, number, pages, doi, eprint, url,
    keywords (from :data:`TOPICS`), gist, annote, note, retracted (who says so). Raises :class:`RecordError` in one line: not BibTeX, an
    entry without title, a year that is no year, an unknown topic.
    """
    try:
        entries = parse_string(text, "bibtex").entries
    except (PybtexError, RecursionError) as error:
        line = " ".join(str(error).split())[:200]
        raise RecordError(f"{where}: not valid BibTeX: {line}", "mend or delete that entry") from error
    return [_reference(key, entry, where) for key, entry in entries.items()]


def _reference(key: str, entry: Any, where: str) -> Reference:
    fields = {name.lower(): value for name, value in entry.fields.items()}
    get = {name: _decode(value) for name, value in fields.items()}.get
    at = f"{where}: entry '{key}'"
    title = get("title", "")
    raw = "" if title else get("note", "")
    if not title and not raw:
        raise RecordError(f"{at}: title is missing", "add one")
    year = get("year", "")
    if year and not re.fullmatch(r"\d{4}", year):
        raise RecordError(f"{at}: year '{year[:20]}' is not a year", "write four digits")
    topics = tuple(topic for topic in re.split(r"[,;]\s*", get("keywords", "")) if topic)
    for topic in topics:
        if topic not in TOPICS:
            raise RecordError(
                f"{at}: unknown topic '{topic[:40]}'{nearest(topic, list(TOPICS))}", "see docs/literature.md"
            )
    data = {
        "key": key,
        "title": title,
        "authors": tuple(_name(person) for person in entry.persons.get("author", ())),
        "year": int(year) if year else None,
        "venue": next((get(name, "") for name in _VENUES if get(name)), ""),
        "volume": get("volume", ""),
        "number": get("number", ""),
        "pages": re.sub("[-–]+", "-", get("pages", "")),
        "doi": _raw(fields.get("doi", "")),
        "arxiv": _raw(fields.get("eprint", "")),
        "url": _raw(fields.get("url", "")),
        "abstract": get("annote", "") or get("abstract", ""),
        "gist": get("gist", ""),
        "topics": topics,
        "source": get("source", "") or "library",
        "retracted": get("retracted", ""),
        "raw": raw,
        "entry_type": entry.type.lower(),
    }
    try:
        return Reference.model_validate(data)
    except ValidationError as error:
        raise RecordError(explain(error, Reference, at), "see docs/literature.md") from error


def _name(person: Any) -> str:
    parts: Iterable[str] = (
        *person.first_names,
        *person.middle_names,
        *person.prelast_names,
        *person.last_names,
        *person.lineage_names,
    )
    return _decode(" ".join(parts))


def _decode(value: str) -> str:
    """Plain text from the LaTeX of a field: our own escapes first, then accents, then grouping braces."""
    held: list[str] = []

    def hold(match: re.Match[str]) -> str:
        held.append(_OURS[match.group(0)])
        return f"\x00{len(held) - 1}\x00"

    text = _OUR_COMMAND.sub(hold, value)
    if "\\" in text:
        decode: Any = codecs.decode  # typed for bytes only, but this codec maps text to text
        text = decode(text, "ulatex", "ignore")  # a half command at the end is left out
    text = text.replace("{", "").replace("}", "").replace("``", "“").replace("''", "”")
    text = text.replace("---", "—").replace("--", "–")
    return " ".join(re.sub("\x00(\\d+)\x00", lambda m: held[int(m.group(1))], text).split())


def _raw(value: str) -> str:
    return "".join(value.split())
