"""Reference lists as they are printed: `.bib`, `.bbl` of BibTeX and of biber, `thebibliography`, and what a `.tex` cites of them.

Nothing is refused here. What cannot be read is a fault with its line, and the rest is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from scientist.errors import RecordError
from scientist.literature._biber import is_biber, read_biber
from scientist.literature._bibfile import Entry, Remark, names, read_entries
from scientist.literature._bibfile import plain as value_of
from scientist.literature._encoding import decoded
from scientist.literature._entry import ARXIV_DOI, NO_KEY, FormFault, Printed, printed_item
from scientist.literature._keys import find_arxiv, find_doi
from scientist.literature._pages import address, is_address
from scientist.literature._plain import plain

LISTS = (".bib", ".bbl", ".tex")
_VENUES = ("journal", "journaltitle", "booktitle", "howpublished", "school", "institution", "publisher")
_PRINTED = (
    "author", "editor", "title", "subtitle", "booktitle", "journal", "journaltitle", "publisher", "series", "note",
    "howpublished", "school", "institution", "organization", "address", "location", "edition", "type", "addendum",
)  # fmt: skip
"""Fields that a bibliography prints as text: what is live in LaTeX there breaks the page, or drops the rest of a line."""
_NO_WORKS = frozenset({"xdata", "set", "control", "ieeetranbstctl", "bstctl"})
"""Entries that are no works: what others refer to, and settings of a style."""
_VERBATIM = re.compile(r"\\(?:url|path|nolinkurl|href|doi)\s*\{[^{}]*\}|\$[^$]*\$|\\\(.*?\\\)")
_LIVE = re.compile(r"(?<!\\)(?:\\\\)*([&%_#])")
_ARXIV_ID = re.compile(r"(?:arxiv:)?\s*(\d{4}\.\d{4,5}|[a-z][a-z-]*(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?", re.IGNORECASE)
_CITE = re.compile(
    r"\\(?:no|full|foot|paren|text|auto|smart|super)?[cC]ite[A-Za-z]*\*?\s*((?:\[[^\]]*\]\s*){0,2})\{([^{}]*)\}"
)
_CITES = re.compile(r"\\[A-Za-z]*[cC]ites\*?((?:\s*(?:\([^)]*\)|\[[^\]]*\])*\{[^{}]*\})+)")
_FILES = re.compile(r"\\(?:bibliography|addbibresource|addglobalbib)\s*(?:\[[^\]]*\])?\{([^{}]*)\}")
_ITEM = re.compile(r"\\bibitem\s*(?:\[((?:[^\[\]{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\])?\s*\{([^{}]*)\}")


@dataclass(frozen=True)
class Listed:
    """The entries of a paper's reference lists, what is wrong with the lists, and which keys the text cites.

    `cited` is None when there is no text to see it in; `everything`: `\\nocite{*}`.
    """

    where: str
    entries: tuple[Printed, ...]
    faults: tuple[FormFault, ...] = ()
    cited: tuple[str, ...] | None = None
    everything: bool = False


def read_list(path: Path) -> Listed:
    """The references of a `.bib`, `.bbl` or `.tex` file, or of a folder with them.

    Raises :class:`RecordError` when there is nothing to read.
    """
    if path.is_dir():
        return _folder(path)
    if path.suffix.lower() not in LISTS:
        raise RecordError(f"{path} is no list of references", "name a .bib, .bbl or .tex file, or a folder with one")
    if path.suffix.lower() == ".tex":
        return _paper(path, [path], path.parent)
    entries, faults = _read(path)
    if not entries and not faults:
        raise RecordError(f"{path} holds no references", "name a .bib, .bbl or .tex file, or a folder with one")
    # A text beside the list that says that it uses it.
    texts = [
        tex for tex in sorted(path.parent.glob("*.tex")) if path.stem in _bibliographies(_uncommented(_text_of(tex)))
    ]
    cited, everything = _cited(texts) if texts else (None, False)
    return Listed(str(path), entries, faults, cited, everything)


def _folder(folder: Path) -> Listed:
    texts = [
        p for p in sorted(folder.rglob("*.tex")) if not any(q.startswith(".") for q in p.relative_to(folder).parts)
    ]
    return _paper(folder, texts, folder)


def _paper(where: Path, texts: Sequence[Path], folder: Path) -> Listed:
    """The lists that the texts name; else every `.bib` of the folder; else a `.bbl`; else what stands in the texts."""
    sources = {tex: _uncommented(_text_of(tex)) for tex in texts}
    named = [name for source in sources.values() for name in _bibliographies(source)]
    faults: list[FormFault] = []
    lists = []
    for name in dict.fromkeys(named):
        found = next(
            (p for p in (folder / f"{name}.bib", *sorted(folder.rglob(f"{Path(name).name}.bib"))) if p.is_file()), None
        )
        if found is not None:
            lists.append(found)
        elif not list(folder.glob("*.bbl")):
            faults.append(FormFault(code="no-file", message=f"the text names {name}.bib, which is not there"))
    lists = lists or (sorted(folder.glob("*.bib")) if where.is_dir() else []) or sorted(folder.glob("*.bbl"))
    entries: list[Printed] = []
    for path in dict.fromkeys(lists):
        more, wrong = _read(path)
        entries += more
        faults += (
            [f.model_copy(update={"message": f"{path.name}: {f.message}"}) for f in wrong] if len(lists) > 1 else wrong
        )
    if not lists:
        for source in sources.values():
            entries += read_bbl(source)
    if not entries and not faults:
        raise RecordError(f"{where} holds no references", "name a .bib, .bbl or .tex file, or a folder with one")
    cited, everything = _cited(texts) if texts else (None, False)
    return Listed(str(where), tuple(entries), tuple(faults), cited, everything)


def _text_of(path: Path) -> str:
    """The text of a stranger's file, in whatever encoding."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror or error}", "check the file") from error
    return decoded(data)


def _read(path: Path) -> tuple[tuple[Printed, ...], tuple[FormFault, ...]]:
    text = _text_of(path)
    return (tuple(read_bbl(text)), ()) if path.suffix.lower() == ".bbl" else read_bib(text)


# --- .bib ---


def read_bib(text: str) -> tuple[tuple[Printed, ...], tuple[FormFault, ...]]:
    """The entries of a BibTeX file with their faults, and the faults of what is no entry."""
    entries: list[Printed] = []
    faults: list[FormFault] = []
    fields: dict[str, dict[str, str]] = {}
    for found in read_entries(text):
        if isinstance(found, Remark):
            if found.what == "broken":
                faults.append(
                    FormFault(code="broken-entry", line=found.line, message=f"line {found.line}: {found.text}")
                )
            continue
        told: dict[str, str] = {}
        for name, expression in found.fields:
            told.setdefault(name.lower(), value_of(expression, found.strings))
        fields.setdefault(found.key.lower(), told)
        if found.kind not in _NO_WORKS:
            entries.append(_printed(found, told))
    # What an entry lacks may stand in the one that it refers to.
    linked = [(e, fields.get(fields[e.key.lower()].get("crossref", "").lower())) for e in entries]
    whole = [
        replace(e, year=e.year or _year_of(more), venue=e.venue or more.get("title", "")) if more else e
        for e, more in linked
    ]
    return tuple(whole), tuple(faults)


def _printed(entry: Entry, told: dict[str, str]) -> Printed:
    title = told.get("title", "")
    if told.get("subtitle"):
        title = f"{title}: {told['subtitle']}"
    author = told.get("author") or told.get("editor", "")
    people = names(author)
    running = author if any(name.count(",") > 2 for name in _split(author)) or _unseparated(author) else ""
    everything = " ".join(told.values())
    doi, arxiv = _identifiers(told)
    year = _year_of(told)
    return Printed(
        key=entry.key,
        line=entry.line,
        kind=entry.kind,
        title=plain(title, 600),
        authors=() if running else tuple(people),
        author_text=plain(running, 4000),
        year=year,
        year_text=plain(told.get("year") or told.get("date", ""), 40),
        venue=next((plain(told[name], 300) for name in _VENUES if told.get(name)), ""),
        volume=plain(told.get("volume", ""), 40),
        pages=plain(told.get("pages", ""), 60),
        doi=doi,
        arxiv=arxiv,
        url=_url(told),
        text="" if title else plain(told.get("note") or everything, 1500),
        faults=tuple(_faults(entry, told, author)),
        retracted=bool(
            re.search(r"\bretracted\b|\bwithdrawn\b", f"{told.get('note', '')} {told.get('retracted', '')}", re.I)
        ),
    )


def _split(author: str) -> list[str]:
    return re.split(r"\s+and\s+", author)


def _unseparated(author: str) -> bool:
    """Names in a row with commas where 'and' should stand: 'A. One, B. Two, and C. Three'."""
    parts = _split(author)
    return any(
        re.match(r"\s*(?:(?:[A-Z]\.[\s~-]*)+\w{2,}|\w[\w'-]+\s+[A-Z]{1,3})\s*,", part) for part in parts
    ) or bool(re.search(r",\s+and\s", author))


def _year_of(told: dict[str, str]) -> int | None:
    match = re.search(r"(?<!\d)([12]\d{3})(?!\d)", told.get("year") or told.get("date", ""))
    return int(match.group(1)) if match else None


def _url(told: dict[str, str]) -> str:
    """The first address of a page, wherever it stands."""
    return next((found for name in ("url", "howpublished", "note") if (found := address(told.get(name, "")))), "")


def _identifiers(told: dict[str, str]) -> tuple[str, str]:
    """(DOI, arXiv id) from the fields made for them, then from address, eprint, venue and note."""
    places = [
        told.get(name, "").replace("\\_", "_").replace("\\", "") for name in ("doi", "url", "note", "howpublished")
    ]
    doi = next((found for place in places if (found := find_doi(re.sub(r"\s+", "", place)))), "")
    prefix = (told.get("archiveprefix") or told.get("eprinttype") or "arxiv").strip().lower()
    eprint = _ARXIV_ID.fullmatch(told.get("eprint", "").strip()) if prefix == "arxiv" else None
    arxiv = eprint.group(1) if eprint else ""
    for name in ("url", "journal", "journaltitle", "note", "howpublished", "volume", "number", "pages", "doi"):
        # DBLP prints the id as a volume of CoRR: 'abs/1705.10694'.
        value = re.sub(r"^\s*abs/", "arXiv:", told.get(name, ""))
        arxiv = arxiv or find_arxiv(value)
    if preprint := ARXIV_DOI.fullmatch(doi):
        doi, arxiv = "", arxiv or preprint.group(1)
    return doi, arxiv


def _faults(entry: Entry, told: dict[str, str], author: str) -> Iterator[FormFault]:
    def fault(code: str, message: str) -> FormFault:
        return FormFault(code=code, line=entry.line, message=message)

    if entry.key.strip().lower() in NO_KEY:
        yield fault("bad-key", f"the key is {entry.key!r}" if entry.key.strip() else "the entry has no key")
    if not told.get("title") and not told.get("note"):
        yield fault("no-title", "there is no title")
    for name in _PRINTED:
        value = _VERBATIM.sub(" ", told.get(name, ""))
        for char in dict.fromkeys(_LIVE.findall(value)):
            yield fault("unescaped", f"unescaped {char} in {name}: {_around(value, char)}")
    if told.get("url", "").strip() and not is_address(told["url"]):
        yield fault("bad-address", f"the address is none: {plain(told['url'], 80)}")
    seen: set[str] = set()
    for name, _ in entry.fields:
        if name.lower() in seen:
            yield fault("field-twice", f"the field {name.lower()} stands twice; the first counts")
        seen.add(name.lower())
    if author and _unseparated(author):
        yield fault(
            "authors-separated", "the authors are not separated by 'and' alone; BibTeX reads them as other names"
        )


def _around(value: str, char: str) -> str:
    place = re.search(rf"(?<!\\){re.escape(char)}", value)
    at = place.start() if place else 0
    return f"“{' '.join(value[max(0, at - 20) : at + 20].split())}”"


# --- .bbl and thebibliography ---


def read_bbl(text: str) -> list[Printed]:
    r"""The entries that biber wrote; else the `\bibitem` entries of a text, in whatever style they were printed."""
    if is_biber(text):
        return [_printed(Entry(line, kind, key, ()), told) for line, kind, key, told in read_biber(text)]
    text = _uncommented(re.sub(r"(?<!\\)%\n[ \t]*", "", text))  # how BibTeX breaks a long line
    end = text.find("\\end{thebibliography}")
    whole = text if end < 0 else text[:end]
    starts = list(_ITEM.finditer(whole))
    found = []
    for place, match in enumerate(starts):
        body = whole[match.end() : starts[place + 1].start() if place + 1 < len(starts) else len(whole)]
        found.append(
            printed_item(match.group(2).strip(), match.group(1) or "", body, whole.count("\n", 0, match.start()) + 1)
        )
    return found


# --- .tex ---


def _uncommented(text: str) -> str:
    return re.sub(r"(?<!\\)%.*", "", text)


def _bibliographies(source: str) -> list[str]:
    found = [name.strip() for group in _FILES.findall(source) for name in group.split(",")]
    return [name.removesuffix(".bib") for name in found if name]


def _cited(texts: Iterable[Path]) -> tuple[tuple[str, ...], bool]:
    """The keys that the texts cite, in order, and whether they list everything."""
    keys: dict[str, None] = {}
    for tex in texts:
        source = _uncommented(_text_of(tex))
        groups = [group for _, group in _CITE.findall(source)]
        groups += [group for run in _CITES.findall(source) for group in re.findall(r"\{([^{}]*)\}", run)]
        for group in groups:
            for key in group.split(","):
                # '#1' is the argument of a definition.
                if key.strip() and "#" not in key and "\\" not in key:
                    keys[key.strip()] = None
                elif not key.strip():
                    keys[""] = None
    everything = "*" in keys
    keys.pop("*", None)
    return tuple(keys), everything
