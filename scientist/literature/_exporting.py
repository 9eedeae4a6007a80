"""The library as files: BibTeX, CSL-JSON, JSON lines. What came in as BibTeX or CSL goes out as it came."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

from scientist.literature._bibfile import Entry, from_body, spelt_out
from scientist.literature._bibtex import _VENUE_FIELD, _address, _author, escape
from scientist.literature._formats import CSL_TYPES
from scientist.literature._store import Store
from scientist.literature._works import Keys, Work, surname

Shape = Literal["bibtex", "csl", "jsonl"]
_CSL_OF = {kind: name for name, kind in reversed(CSL_TYPES.items())}
_SAME = {
    "year": ("year", "date"),
    "doi": ("doi",),
    "eprint": ("eprint",),
    "url": ("url",),
    "abstract": ("abstract", "annote"),
    "author": ("author", "editor"),
    "title": ("title",),
}
"""What a column is called in an entry: it lacks a field when it has none of these."""


def export(store: Store, shape: Shape, ids: Sequence[int] | None = None, merged: bool = False) -> Iterator[str]:
    """The works (all, or those of these ids) as pieces of a file, in the order in which they came.

    A work that BibTeX files had under several keys is an entry for each, every field as it was written; `merged` makes
    one entry of them, the first with the fields that it lacks, and the other keys in `ids`.
    """
    if shape == "bibtex":
        yield from _bibtex(store, ids, merged)
    elif shape == "csl":
        yield from _csl(store, ids)
    else:
        for number, work in _works(store, ids):
            yield json.dumps(_line(work, store.records(number)), ensure_ascii=True) + "\n"


def _works(store: Store, ids: Sequence[int] | None) -> Iterable[tuple[int, Work]]:
    return store.everything() if ids is None else store.get(ids).items()


# --- BibTeX ---


def _bibtex(store: Store, ids: Sequence[int] | None, merged: bool) -> Iterator[str]:
    # Definitions stand before what uses them, so the works are gone through twice.
    strings: dict[str, str] = {}
    for number, work in _works(store, ids):
        for entry in _entries([work, *store.records(number)]):
            for name, value in entry.strings.items():
                strings.setdefault(name, value)
    for name, value in sorted(strings.items()):
        yield f"@string{{{name} = {value}}}\n\n"
    keys = Keys()
    for number, work in _works(store, ids):
        entries = _entries([work, *store.records(number)])
        groups: dict[str, list[Entry]] = {}
        for entry in entries:
            groups.setdefault("" if merged else entry.key.lower(), []).append(entry)
        made = _made(work)
        bases = [_joined(group, made if place == 0 else None) for place, group in enumerate(groups.values())] or [made]
        for base in bases:
            key = keys.unique(replace(work, key=base.key or work.key))
            yield _written(replace(base, key=key), strings) + "\n"


def _entries(told: Sequence[Work]) -> list[Entry]:
    return [from_body(work.body) for work in told if work.format == "bibtex" and work.body]


def _joined(entries: Sequence[Entry], made: Entry | None) -> Entry:
    """The first entry, with the fields that it lacks from the other entries and from what other sources knew."""
    base = entries[0]
    fields = list(base.fields)
    strings = dict(base.strings)
    have = {name.lower() for name, _ in fields}
    others = list(dict.fromkeys(entry.key for entry in entries[1:] if entry.key and entry.key != base.key))
    for entry in entries[1:]:
        for name, value in spelt_out(entry, strings).fields:
            if name.lower() not in have:
                fields.append((name, value))
                have.add(name.lower())
        strings = {**entry.strings, **strings}
    for name, value in made.fields if made else ():
        if name in _SAME and not have & set(_SAME[name]):
            fields.append((name, value))
    if others and "ids" not in have:
        fields.append(("ids", "{" + ", ".join(others) + "}"))  # biblatex takes these keys for this entry too
    return replace(base, fields=tuple(fields), strings=strings)


def _made(work: Work) -> Entry:
    """An entry for a work that came in another format, everything escaped."""
    kind = work.kind if work.kind in (*_VENUE_FIELD, "misc") else "misc"
    arxiv = {"eprint": _address(work.arxiv), "archiveprefix": "arXiv"} if work.arxiv else {}
    fields = {
        "author": " and ".join(map(_author, work.authors)),
        "title": f"{{{escape(work.title)}}}",
        _VENUE_FIELD.get(kind, "howpublished"): escape(work.venue),
        "year": str(work.year or ""),
        "doi": _address(work.doi),
        **arxiv,
        "url": _address(work.url),
        "keywords": escape(", ".join(work.keywords)),
        "abstract": escape(work.abstract),
    }
    return Entry(0, kind, work.key, tuple((name, f"{{{value}}}") for name, value in fields.items() if value))


def _written(entry: Entry, strings: dict[str, str]) -> str:
    body = "".join(f",\n  {name} = {value}" for name, value in spelt_out(entry, strings).fields)
    return f"@{entry.kind}{{{entry.key}{body}\n}}\n"


# --- CSL-JSON ---


def _csl(store: Store, ids: Sequence[int] | None) -> Iterator[str]:
    keys = Keys()
    before = "[\n"
    for number, work in _works(store, ids):
        told = [one for one in (work, *store.records(number)) if one.format == "csl" and one.body]
        yield before + json.dumps(_item(work, told, keys), ensure_ascii=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _item(work: Work, told: Sequence[Work], keys: Keys) -> dict[str, Any]:
    items: list[dict[str, Any]] = [json.loads(one.body) for one in told]
    made: dict[str, Any] = {
        "id": keys.unique(work),
        "type": _CSL_OF.get(work.kind, "article"),
        "title": work.title,
        "author": [
            {"family": surname(name), "given": name.removesuffix(surname(name)).strip()} for name in work.authors
        ],
        "issued": {"date-parts": [[work.year]]} if work.year else None,
        "container-title": work.venue,
        "DOI": work.doi,
        "number": f"arXiv:{work.arxiv}" if work.arxiv else "",
        "URL": work.url,
        "abstract": work.abstract,
        "keyword": ", ".join(work.keywords),
    }
    item: dict[str, Any] = {}
    for one in items:
        item = {**one, **item} if item else one
    lacking = ("DOI", "abstract", "URL") if items else tuple(made)
    return {**item, **{name: made[name] for name in lacking if made[name] and not item.get(name)}}


def _line(work: Work, records: Sequence[Work]) -> dict[str, Any]:
    """A work as a paper list has it, with whatever else its records said."""
    values: dict[str, Any] = {
        "id": work.ident,
        "title": work.title,
        "abstract": work.abstract,
        "authors": list(work.authors),
        "year": work.year,
        "venue": work.venue,
        "url": work.url,
        "doi": work.doi,
        "arxiv": work.arxiv,
        "keywords": list(work.keywords),
        "key": work.key,
        "entry_type": work.kind,
        "source": work.source,
        "format": work.format,
        "more": json.loads(work.body) if work.body else None,
        "records": [_line(record, ()) for record in records],
    }
    return {name: value for name, value in values.items() if value not in ("", None, [])}
