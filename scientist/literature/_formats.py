"""Files of works, read one record at a time: BibTeX, CSL-JSON, arXiv's dump of metadata, lists of papers.

A reader yields a :class:`Row` per record: where reading can go on after it, the line it stood on, and the work, or in
one line why there is none. Lines of any length and files of any size are read in bounded memory where the format has
one record a line; the others (one JSON document, BibTeX) are read whole, up to :data:`WHOLE`.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from scientist.errors import RecordError, UsageError
from scientist.literature._bibfile import Entry, read_entries, values_of
from scientist.literature._encoding import decoded
from scientist.literature._works import Work, arxiv_of, doi_of, make_work, year_of

Format = Literal["bibtex", "csl", "arxiv", "list", "pdf"]
WHOLE = 1 << 30  # bytes of a file that has to be read in one piece, after decompression
LINE = 8 << 20  # bytes of one line of JSON; the longest real records have a few hundred thousand
SNIFF = 1 << 18
CSL_TYPES = {
    "article-journal": "article",
    "article-magazine": "article",
    "article-newspaper": "article",
    "article": "misc",
    "paper-conference": "inproceedings",
    "chapter": "incollection",
    "book": "book",
    "thesis": "phdthesis",
    "report": "techreport",
}
_LISTS = ("items", "papers", "data", "results", "references")
"""Names under which an object holds a list of records."""
_BEGINS = re.compile(
    rb'\s*\{\s*(?:"(?!title")[^"\\]{0,100}"\s*:\s*(?:"[^"\\]{0,1000}"|-?[\d.eE+-]{1,40}|true|false|null)\s*,\s*){0,50}'
    rb'"(?:items|papers|data|results|references)"\s*:\s*\['
)
"""How such an object begins that is longer than we look."""
_FAULTS = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a file. `position` is where reading goes on after it: a byte offset, or a count of records."""

    position: int
    line: int
    work: Work | None
    problem: str = ""  # why there is no work
    remark: str = ""  # something to tell: of a work, or of what is no record and no fault, such as a comment


def open_plain(path: Path) -> IO[bytes]:
    """The bytes of a file; of a gz, bz2, xz or zip file those inside. A zip has to hold one file of records."""
    suffix = path.suffix.lower()
    if suffix == ".gz":
        return gzip.open(path)  # type: ignore[return-value]
    if suffix == ".bz2":
        return bz2.open(path)
    if suffix == ".xz":
        return lzma.open(path)
    if suffix == ".zip":
        archive = zipfile.ZipFile(path)
        inside = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX")]
        if len(inside) != 1:
            raise UsageError(f"{path} holds {len(inside)} files", "unpack it and import the one that is meant")
        return archive.open(inside[0])
    return path.open("rb")


def guess(path: Path) -> Format:
    """The format of a file by its name and first bytes. Raises :class:`UsageError` when it looks like none."""
    if path.is_dir() or path.suffix.lower() == ".pdf":
        return "pdf"
    with _reading(path), open_plain(path) as file:
        head = decoded(file.read(SNIFF))
    if head.startswith("%PDF-"):
        return "pdf"
    first = head.lstrip()[:1]
    if first in ("{", "["):
        return _guess_json(head)
    if re.search(r"^\s*@\s*\w+\s*[{(]", head, re.MULTILINE) or path.suffix.lower() in (".bib", ".bibtex"):
        return "bibtex"
    raise UsageError(
        f"{path} is no format we know: its first line is neither BibTeX nor JSON", "say which with --format"
    )


def _guess_json(head: str) -> Format:
    found = re.search(r"\{", head)
    text = head[found.start() : found.start() + 40_000] if found else ""
    names = set(re.findall(r'"([\w-]{2,20})"\s*:', text))
    if {"authors_parsed", "update_date"} & names and "id" in names:
        return "arxiv"
    kind = re.search(r'"type"\s*:\s*"([a-z_-]+)"', text)
    if kind and (kind.group(1) in CSL_TYPES or {"issued", "container-title"} & names):
        return "csl"
    return "list"


class _reading:
    """Faults of a file that is being read, as one line that names it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, _FAULTS):
            said = getattr(error, "strerror", None) or " ".join(str(error).split())[:120]
            raise RecordError(f"{self._path} cannot be read: {said}", "check the path and the file") from error


def read(path: Path, format: Format, start: int = 0, source: str = "", line: int = 0) -> Iterator[Row]:
    """The records of a file behind `start` and `line`, which a row of it had.

    Raises :class:`RecordError` when the file cannot be read or is, as a whole, not of the format.
    """
    source = source or ("arxiv" if format == "arxiv" else path.name)
    with _reading(path):
        if format == "bibtex":
            yield from _bibtex(path, start, source)
        elif _is_document(path):
            yield from _document(path, format, start, source)
        else:
            yield from _lines(path, format, start, source, line)


def _whole(path: Path) -> str:
    with open_plain(path) as file:
        data = file.read(WHOLE + 1)
    if len(data) > WHOLE:
        raise RecordError(f"{path} is larger than {WHOLE >> 20} MB", "split it, or use a format with a record per line")
    return decoded(data)


def _bibtex(path: Path, start: int, source: str) -> Iterator[Row]:
    for number, found in enumerate(read_entries(_whole(path)), start=1):
        if number <= start:
            continue
        if isinstance(found, Entry):
            values = values_of(found)
            work = make_work(source, "bibtex", {**values, "title": values["title"] or found.key})
            kept = (
                f"no title: @{found.kind}{{{found.key[:60]} is kept under its key"
                if work and not values["title"]
                else ""
            )
            yield Row(number, found.line, work, "" if work else f"@{found.kind}: no title and no key", kept)
        elif found.what == "broken":
            yield Row(number, found.line, None, found.text)
        else:
            yield Row(number, found.line, None, remark=f"{found.what}: {found.text}")


def has_places(path: Path, format: Format) -> bool:
    """Whether the position of a row counts bytes of the file as it lies there, so that it says how much is done."""
    packed = path.suffix.lower() in (".gz", ".bz2", ".xz", ".zip")
    return format not in ("pdf", "bibtex") and not packed and not _is_document(path)


def _is_document(path: Path) -> bool:
    """Whether a JSON file is one document (a list, or records in an object) and not a record a line."""
    with open_plain(path) as file:
        head = file.read(SNIFF).removeprefix(b"\xef\xbb\xbf").lstrip()
    if head[:1] == b"[":
        return True
    line = head.split(b"\n", 1)[0]
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        # One object over several lines, or a line longer than we looked: a record, unless it begins as a list in an object.
        return (len(line) < SNIFF and line.strip() in (b"{", b"")) or _BEGINS.match(line) is not None
    return not isinstance(told, dict) or _listed_in(told) is not None


def _listed_in(told: Mapping[str, Any]) -> list[Any] | None:
    """The records that an object holds. One with a title is a record itself, whatever else it lists."""
    if told.get("title"):
        return None
    return next((told[name] for name in _LISTS if isinstance(told.get(name), list)), None)


def _document(path: Path, format: Format, start: int, source: str) -> Iterator[Row]:
    text = _whole(path)
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f"line {error.lineno}: {error.msg}" if isinstance(error, json.JSONDecodeError) else "nested too deeply"
        raise RecordError(f"{path} is not valid JSON: {where}", "mend it, or use one record a line") from error
    if isinstance(told, dict):
        inside = _listed_in(told)
        told = [told] if inside is None else inside
    if not isinstance(told, list):
        raise RecordError(f"{path} holds no list of records", "see docs/literature.md for the formats")
    for number, record in enumerate(told[start:], start=start + 1):
        work, why = _from_json(record, format, source)
        yield Row(number, number, work, why)


def _lines(path: Path, format: Format, start: int, source: str, number: int) -> Iterator[Row]:
    with open_plain(path) as file:
        file.seek(start)
        position = start
        while line := file.readline(LINE + 1):
            number += 1
            position += len(line)
            if len(line) > LINE and not line.endswith(b"\n"):
                position += _skip_line(file)
                yield Row(position, number, None, f"a line of more than {LINE >> 20} MB")
                continue
            if not line.strip():
                continue
            try:
                told = json.loads(line.removeprefix(b"\xef\xbb\xbf"))
            except (ValueError, RecursionError):
                yield Row(position, number, None, "not valid JSON")
                continue
            work, why = _from_json(told, format, source)
            yield Row(position, number, work, why)


def _skip_line(file: IO[bytes]) -> int:
    skipped = 0
    while piece := file.readline(LINE):
        skipped += len(piece)
        if piece.endswith(b"\n"):
            break
    return skipped


def _from_json(told: Any, format: Format, source: str) -> tuple[Work | None, str]:
    if not isinstance(told, dict):
        return None, "not an object"
    values = {"arxiv": _arxiv, "csl": _csl}.get(format, _listed)(told)
    work = make_work(source, format, values)
    return work, "" if work else "no title"


def _body(told: Mapping[str, Any], used: set[str]) -> str:
    """What the columns do not hold, as JSON; broken characters stay as escapes."""
    left = {name: value for name, value in told.items() if name not in used and value not in (None, "", [], {})}
    return json.dumps(left) if left else ""


def _arxiv(told: Mapping[str, Any]) -> dict[str, Any]:
    """A record of arXiv's dump (its fields: id, title, abstract, authors_parsed, journal-ref, doi, versions, ...)."""
    parsed = told.get("authors_parsed")
    names = [_parsed_name(name) for name in parsed if isinstance(name, list)] if isinstance(parsed, list) else []
    versions = told.get("versions")
    first = (
        versions[0].get("created") if isinstance(versions, list) and versions and isinstance(versions[0], dict) else ""
    )
    identifier = arxiv_of(told.get("id"))
    categories = told.get("categories")
    return {
        "title": told.get("title"),
        "abstract": told.get("abstract"),
        "authors": names or _split(told.get("authors")),
        "year": year_of(first) or _arxiv_year(identifier) or year_of(told.get("update_date")),
        "venue": told.get("journal-ref") or "arXiv preprint",
        "doi": told.get("doi"),
        "arxiv": identifier,
        "url": "" if identifier else told.get("url"),
        "keywords": categories.split() if isinstance(categories, str) else categories,
        "kind": "article" if told.get("journal-ref") else "misc",
        "body": _body(
            told, {"id", "title", "abstract", "authors", "authors_parsed", "journal-ref", "doi", "categories"}
        ),
    }


def _parsed_name(name: list[Any]) -> str:
    """'Ada M. Lovelace Jr' of ['Lovelace', 'Ada M.', 'Jr', affiliation, ...]."""
    told = [part for part in name[:3] if isinstance(part, str)]
    last, first, after = (*told, "", "", "")[:3]
    return " ".join(part for part in (first, last, after) if part)


def _arxiv_year(identifier: str) -> int | None:
    """The year that an arXiv id begins with: 2101.00001, hep-th/9901001."""
    digits = identifier.rpartition("/")[2][:2]
    return (1900 if int(digits) > 90 else 2000) + int(digits) if digits.isdigit() else None


def _csl(told: Mapping[str, Any]) -> dict[str, Any]:
    """An item of CSL-JSON; the whole of it is kept."""
    authors = told.get("author") or told.get("editor")
    names = [_csl_name(name) for name in authors if isinstance(name, dict)] if isinstance(authors, list) else []
    issued = told.get("issued")
    year = None
    if isinstance(issued, dict):
        dates = issued.get("date-parts")
        if isinstance(dates, list) and dates and isinstance(dates[0], list) and dates[0]:
            year = year_of(dates[0][0])
        year = year or year_of(issued.get("raw")) or year_of(issued.get("literal"))
    keywords = told.get("keyword")
    text = {
        name: _first(told.get(name)) for name in ("title", "container-title", "publisher", "abstract", "URL", "DOI")
    }
    return {
        "title": re.sub(r"</?(?:i|b|sub|sup|sc|span)\b[^>]*>", "", text["title"]),
        "abstract": re.sub(r"</?[a-z:]+[^>]*>", " ", text["abstract"]),
        "authors": names,
        "year": year,
        "venue": text["container-title"] or text["publisher"],
        "doi": text["DOI"],
        "url": text["URL"],
        "arxiv": arxiv_of(told.get("number")) or arxiv_of(text["URL"]),
        "keywords": _split(keywords, r"[,;]"),
        "key": told.get("citation-key") or (told.get("id") if isinstance(told.get("id"), str) else ""),
        "kind": CSL_TYPES.get(str(told.get("type")), "misc"),
        "body": json.dumps(told),
    }


def _first(value: Any) -> str:
    """Crossref writes titles as lists of one."""
    if isinstance(value, list):
        value = value[0] if value else ""
    return value if isinstance(value, str) else ""


def _csl_name(name: Mapping[str, Any]) -> str:
    order = ("given", "dropping-particle", "non-dropping-particle", "family", "suffix")
    return " ".join(str(name[part]) for part in order if name.get(part)) or str(
        name.get("literal") or name.get("name") or ""
    )


_LISTED = {
    "title": ("title", "Title", "paper_title"),
    "abstract": ("abstract", "Abstract", "summary", "abstractText", "description"),
    "authors": ("authors", "author", "Authors", "Author"),
    "year": ("year", "Year", "published", "publication_date", "date", "publicationDate", "conference_year"),
    "venue": ("venue", "journal", "booktitle", "conference", "Venue", "journal_name", "source_title"),
    "url": ("url", "URL", "link", "site", "openreview", "proceeding", "pdf", "paper_url", "pdf_url"),
    "keywords": ("keywords", "Keywords", "tags", "topics"),
    "ident": ("id", "paper_id", "paperId", "corpusid", "ID"),
}


def _listed(told: Mapping[str, Any]) -> dict[str, Any]:
    """A paper of a list: title, abstract, authors, venue, year, url, under the names that such lists use."""
    used: set[str] = set()
    values: dict[str, Any] = {}
    for name, spellings in _LISTED.items():
        spelt = next((one for one in spellings if told.get(one) not in (None, "", [])), None)
        if spelt is not None:
            values[name] = told[spelt]
            used.add(spelt)
    other = told.get("externalIds") or told.get("external_ids") or {}
    other = other if isinstance(other, dict) else {}
    lower = {str(name).lower(): value for name, value in (*other.items(), *told.items())}
    values["title"] = _first(values.get("title"))
    values["authors"] = _authors(values.get("authors"))
    values["keywords"] = _split(values.get("keywords"), r"[;,]")
    venue = values.get("venue")
    values["venue"] = venue.get("name") if isinstance(venue, dict) else venue
    values["doi"] = lower.get("doi") or doi_of(values.get("url"))
    given = (lower.get(name) for name in ("arxiv", "arxiv_id", "arxivid", "eprint"))
    values["arxiv"] = next((found for found in map(arxiv_of, given) if found), "") or arxiv_of(values.get("url"))
    ident = values.get("ident")
    values["ident"] = str(ident) if isinstance(ident, int) else ident
    values["key"] = told.get("key") or told.get("bibtex_key")
    values["kind"] = told.get("entry_type") or ("inproceedings" if told.get("conference") else "misc")
    values["body"] = _body(told, used)
    return values


def _authors(value: Any) -> list[str]:
    if isinstance(value, str):
        return _split(value)
    if not isinstance(value, list):
        return []
    return [str(one.get("name") or _csl_name(one)) if isinstance(one, dict) else str(one) for one in value]


def _split(value: Any, at: str = r";|\n|,(?![^()]*\))|\s+and\s+|\s+&\s+") -> list[str]:
    """The parts of a text such as 'A. One; B. Two'; a semicolon says that commas belong to the parts."""
    if isinstance(value, list):
        return [str(one) for one in value if isinstance(one, str | int)]
    if not isinstance(value, str):
        return []
    return [part.strip() for part in re.split(";" if ";" in value else at, value[:200_000]) if part.strip()]
