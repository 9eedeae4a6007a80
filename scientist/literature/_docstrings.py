"""What scikit-learn, scipy and numpy cite in their documentation, read from their sources without importing them."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from scientist.literature._keys import find_arxiv, find_doi, make_key, merge
from scientist.literature._reference import Reference
from scientist.literature._text import clean

ALLOWED = ("sklearn", "scipy", "numpy")
"""Packages whose sources are read; a name outside them has no references."""

_DEPTH = 8  # re-exports followed before giving up; sklearn needs two, scipy three
_SECTION = re.compile(r"^References\s*\n-{3,}\s*$", re.MULTILINE)
_NEXT = re.compile(r"^\S.*\n-{3,}\s*$", re.MULTILINE)
_NUMBERED = re.compile(r"^\s*(?:\.\.\s+)?\[[\w#*]+\]\s+", re.MULTILINE)
_BULLET = re.compile(r"^[*-]\s+", re.MULTILINE)
_ROLE = re.compile(r":(doi|arxiv):`(?:([^`<]*)<([^`>]*)>|([^`]*))`", re.DOTALL)
_LINK = re.compile(r"`([^`<]+)<([^`>]+)>`__?", re.DOTALL)
_URL = re.compile(r"(?:https?://|www\.)[^\s>`]+")
_QUOTED = re.compile('["“]([^"”]{8,300}?)[.,]?["”]')
_YEAR = re.compile(r"(?<![\d:/.–-])(1[89]\d\d|20[0-4]\d)(?![\d–-])")
_AFTER_YEAR = re.compile(r"[^(]{4,200}\((?:1[89]|20)\d\d\)\.?,? ([^.]{8,250})\.")
_BETWEEN_COMMAS = re.compile(
    r"(?:[A-ZÀ-Ž][\w'’-]+, (?:[A-Z]\.[\s-]?)+|(?:[A-Z]\.[\s-]?)+[A-ZÀ-Ž][\w'’-]+), ([^,\"“]{8,250}), "
)
_INITIALS = re.compile(r"(?:[A-Z]{1,3}\.?[\s-]*)+")
_SURNAME = re.compile(r"(?:[a-z]{2,3}\s)?[A-ZÀ-Ž][\w'’-]+", re.UNICODE)


def docstring_references(names: Sequence[str]) -> list[Reference]:
    """The works that the documentation of fully qualified objects cites, such as `sklearn.svm.SVC`; no work twice.

    An unknown object, one outside :data:`ALLOWED`, or one without references adds nothing. Encyclopaedia entries and
    bare addresses are left out. `raw` holds the text as printed, without markup.
    """
    return merge(reference for name in dict.fromkeys(names) for reference in _references(name))


@lru_cache(maxsize=256)
def _references(name: str) -> tuple[Reference, ...]:
    text = docstring(name)
    section = _SECTION.search(text)
    if not section:
        return ()
    body = text[section.end() :]
    end = _NEXT.search(body)
    entries = _entries(body[: end.start()] if end else body)
    parsed = (_parse(entry, f"docstring:{name}") for entry in entries)
    return tuple(reference for reference in parsed if reference)


@lru_cache(maxsize=256)
def docstring(name: str) -> str:
    """The docstring of a class or function by its full name, found in the source; empty if there is none."""
    package, *rest = name.split(".")
    if package not in ALLOWED or not rest or not all(part.isidentifier() for part in rest):
        return ""
    # Finding a top-level package runs none of its code.
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return ""
    return _resolve(Path(spec.submodule_search_locations[0]), rest, _DEPTH)


def _resolve(root: Path, parts: list[str], depth: int) -> str:
    """The docstring of `parts` seen from a package folder: down through folders, files, and their re-exports."""
    where = root
    for i, part in enumerate(parts[:-1]):
        if (where / part).is_dir():
            where /= part
        elif (where / f"{part}.py").is_file():
            return _in_file(where / f"{part}.py", parts[i + 1], depth) if i == len(parts) - 2 else ""
        else:
            return ""
    return _in_file(where / "__init__.py", parts[-1], depth)


def _in_file(path: Path, name: str, depth: int) -> str:
    # Parsing a large module takes a tenth of a second: only those that can hold the name are parsed.
    text = _source(path)
    tree = _parsed(path) if depth and (name in text or "import *" in text) else None
    if tree is None:
        return ""
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return ast.get_docstring(node) or ""
    stars = []
    for node in tree.body:
        if not isinstance(node, ast.ImportFrom):
            continue
        module = node.module.split(".") if node.module else []
        folder = path.parent
        if node.level:
            for _ in range(node.level - 1):
                folder = folder.parent
        elif module and module[0] in ALLOWED and module[0] in path.parts:
            # An absolute import inside the package: start again from its own folder.
            folder = Path(*path.parts[: len(path.parts) - path.parts[::-1].index(module.pop(0))])
        else:
            continue
        for alias in node.names:
            if alias.name == "*":
                stars.append((folder, module))
            elif (alias.asname or alias.name) == name:
                return _resolve(folder, [*module, alias.name], depth - 1)
    found = (_resolve(folder, [*module, name], depth - 1) for folder, module in stars)
    return next((text for text in found if text), "")


@lru_cache(maxsize=64)
def _parsed(path: Path) -> ast.Module | None:
    try:
        return ast.parse(_source(path))
    except (SyntaxError, ValueError):
        return None


@lru_cache(maxsize=64)
def _source(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _entries(body: str) -> list[str]:
    """The section cut into references: numbered, bulleted, or paragraphs (of which roles and links are the core)."""
    for marker in (_NUMBERED, _BULLET):
        starts = [(m.start(), m.end()) for m in marker.finditer(body)]
        if starts:
            stops = [start for start, _ in starts[1:]] + [len(body)]
            return [body[begin:stop] for (_, begin), stop in zip(starts, stops, strict=True)]
    entries = []
    for paragraph in re.split(r"\n\s*\n", body):
        # Prose around links ("uses the method from:") is not part of a reference.
        quoted = [m.group(0) for m in (*_ROLE.finditer(paragraph), *_LINK.finditer(paragraph)) if '"' in m.group(0)]
        entries.extend(quoted or [paragraph])
    return entries


def _parse(entry: str, source: str) -> Reference | None:
    """One reference, as far as its format is known; None for what is no work or names nobody."""
    doi, arxiv = _identifiers(entry)
    address = _URL.search(entry)
    text = _ROLE.sub(lambda m: f"{m.group(2) or ''} ", entry)
    text = _URL.sub(" ", _LINK.sub(lambda m: f"{m.group(1)} ", text))
    text = clean(re.sub(r"<\s*>|``|`_*|\.\. |Accessed .*", " ", text), 600)
    text = re.sub(r"\s+([.,;)])", r"\1", text).replace("..", ".").strip(" ,;")
    if "wikipedia" in entry.lower() or len(re.findall(r"[A-Za-z]{3,}", text)) < 4:
        return None
    authors, title, venue = _parts(text, _linked(entry))
    year = _year(text.replace(title, " ") if title else text)
    surname = _surname(text)
    if not authors and not (surname and year):
        return None
    return Reference(
        key=make_key(authors or (surname,), year, title),
        title=title,
        authors=authors,
        year=year,
        venue=venue,
        doi=doi,
        arxiv=arxiv,
        url="" if doi or arxiv or not address else address.group(0).rstrip(".,;)"),
        source=source,
        raw=text,
    )


def _identifiers(entry: str) -> tuple[str, str]:
    """DOI and arXiv id, from a role if there is one, else from the text."""
    doi = arxiv = ""
    for role in _ROLE.finditer(entry):
        target = (role.group(3) or role.group(4) or "").strip()
        doi = doi or (find_doi(target) if role.group(1) == "doi" else "")
        arxiv = arxiv or (target if role.group(1) == "arxiv" else "")
    doi = doi or find_doi(entry)
    if doi.lower().startswith("10.48550/arxiv."):
        doi, arxiv = "", doi.split(".", 2)[2]
    return doi, re.sub(r"v\d+$", "", arxiv or find_arxiv(entry))


def _linked(entry: str) -> str:
    """The text of the first link or role, which is often the title."""
    found = [m.group(1) for m in _LINK.finditer(entry)] + [m.group(2) or "" for m in _ROLE.finditer(entry)]
    return next((clean(text, 300).rstrip(" .,") for text in found if text.strip()), "")


def _parts(text: str, linked: str) -> tuple[tuple[str, ...], str, str]:
    """Authors, title and venue by the usual patterns, or nothing at all: a half-parsed reference would lie.

    Patterns: authors, then the title in quotes, as a link, after a year in parentheses, or between commas.
    """
    tries = [(*m.span(), m.group(1)) for m in [_QUOTED.search(text)] if m]
    at = text.lower().find(linked.lower()) if linked and not _QUOTED.search(linked) else -1
    if at > 3:
        tries.append((at, at + len(linked), linked))
    for pattern in (_AFTER_YEAR, _BETWEEN_COMMAS):
        if match := pattern.match(text):
            tries.append((match.start(1), match.end(1), match.group(1)))
    for start, end, title in tries:
        named = re.match(r"[A-Z]\. ", title)  # still among the authors
        if not named and len(title.split()) > 1 and (authors := _authors(text[:start])):
            venue = re.sub(r"(?:\s*,)+", ",", _YEAR.sub("", re.sub(r"\(\s*\d{4}\s*\)", "", text[end:])))
            venue = venue if venue.count("(") == venue.count(")") else re.sub("[()]", "", venue)
            return authors, clean(title, 300).strip(" .,"), clean(venue, 200).strip(' .,;"”')
    return (), "", ""


def _year(text: str) -> int | None:
    """The year in parentheses if there is one, else the last one that is not part of a range or an address."""
    years = re.findall(r"\((1[89]\d\d|20[0-4]\d)\)", text) or _YEAR.findall(text)
    return int(years[-1]) if years else None


def _surname(text: str) -> str:
    """The surname that an unparsed reference begins with; empty when it does not begin with a name."""
    start = re.sub(r"^(?:[A-Z]\.[\s-]*)+", "", text)
    match = _SURNAME.match(start)
    return match.group(0) if match else ""


def _authors(text: str) -> tuple[str, ...]:
    """The authors before a title, as 'First Last'; empty when the text does not follow one of the usual patterns.

    Patterns: 'L. Breiman, J. Friedman, and C. Stone'; 'Shapiro, S. S. & Wilk, M.B'; 'Hinton, Geoffrey E.';
    'Glorot, Xavier, and Yoshua Bengio'; any of them with 'et al'.
    """
    text = re.sub(r"\(?\b(?:1[89]|20)\d\d\b\)?", "", text).strip(" .,:;(")
    others = bool(re.search(r"\bet al\b", text))
    text = re.sub(r",?\s*\bet al\b\.?", "", text)
    tokens = [t.strip(" .") for t in re.split(r"\s*(?:,|;|&|\band\b)\s*", text) if t.strip(" .,")]
    names: list[str] = []
    i = 0
    while i < len(tokens):
        token, after = tokens[i], tokens[i + 1] if i + 1 < len(tokens) else ""
        if _SURNAME.fullmatch(token) and _INITIALS.fullmatch(after):
            names.append(f"{_dotted(after)} {token}")
            i += 2
        elif not names and _SURNAME.fullmatch(token) and re.fullmatch(r"[A-Z][a-z]+(?: [A-Z]\.?)*", after):
            names.append(f"{after} {token}")
            i += 2
        elif match := re.fullmatch(r"([A-Z][a-zà-ž]+) ([A-Z]{1,2})", token):
            names.append(f"{_dotted(match.group(2))} {match.group(1)}")
            i += 1
        elif re.fullmatch(r"[A-Z][\w.'’-]*(?: [\w.'’-]+){1,3}", token) or tokens == ["Student"]:
            names.append(token)
            i += 1
        else:
            return ()
    return (*names, "others") if others and names else tuple(names)


def _dotted(initials: str) -> str:
    return " ".join(f"{letter}." for letter in re.findall(r"[A-Z]", initials))
