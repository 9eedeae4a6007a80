"""BibTeX files as they were written: every field's own text kept, so that what goes in comes out again.

`_library.parse_bibtex` reads what a lab cites and refuses what is not well formed. This reads whatever people have,
keeps it, and says line by line what it could not read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from pybtex.database import Person
from pybtex.exceptions import PybtexError

from scientist.literature._library import _decode, _name

_ENTRY = re.compile(r"@\s*([A-Za-z][\w-]*)\s*([{(])", re.ASCII)
_FIELD = re.compile(r"\s*([^\s=,{}()\"#%]+)\s*=\s*")
_BARE = re.compile(r"[^\s,{}()\"#=%]+")
_KEY = re.compile(r"\s*([^,\s{}]*)")
_BRACE = re.compile(r'[{}"]|^[ \t]*@\w+[ \t]*\{[^\s,{}"]+,[ \t]*$', re.MULTILINE)
_SPACE = re.compile(r"\s*")
VENUES = ("journal", "journaltitle", "booktitle", "howpublished", "school", "institution", "publisher")
LONG = 100_000  # characters of one value after which the beginning of another entry ends it
DEEP = 500  # braces inside braces; nobody means more


@dataclass(frozen=True)
class Entry:
    """One entry: `fields` are (name, expression) in the file's order, the expression as written, delimiters included."""

    line: int
    kind: str
    key: str
    fields: tuple[tuple[str, str], ...]
    strings: Mapping[str, str] = field(default_factory=dict)  # the @string definitions that its fields use


@dataclass(frozen=True)
class Remark:
    """Something that is no entry: `what` is broken, comment, preamble or string."""

    line: int
    what: str
    text: str


class _Broken(ValueError):
    pass


def read_entries(text: str) -> Iterator[Entry | Remark]:
    """The entries of a file in order, and a remark for everything else; a broken entry ends at the next `@` line."""
    strings: dict[str, str] = {}
    at = counted = 0
    line = 1
    while match := _ENTRY.search(text, at):
        line += text.count("\n", counted, match.start())
        counted = match.start()
        between = text[at : match.start()]
        if between.strip():
            yield Remark(line, "comment", " ".join(between.split())[:80])
        kind = match.group(1).lower()
        if kind == "comment":
            # BibTeX skips only the word; what people mean, and what JabRef writes, is the whole group.
            at = _skip_group(text, match.end() - 1)
            yield Remark(line, "comment", " ".join(text[match.end() : at].split())[:80])
            continue
        try:
            found, at = _entry(text, match, kind, line, strings)
        except _Broken as error:
            following = re.compile(r"^[ \t]*@", re.MULTILINE).search(text, match.end())
            at = following.start() if following else len(text)
            named = _KEY.match(text, match.end())
            told = f"@{kind}{{{named.group(1)[:60] if named else ''}"
            yield Remark(line, "broken", f"{told}: {error}")
            continue
        if isinstance(found, Entry) or found:
            yield found
    rest = text[at:]
    if rest.strip():
        line += text.count("\n", counted, at)
        what = "broken" if re.search(r"^[ \t]*@\s*\w", rest, re.MULTILINE) else "comment"
        yield Remark(line, what, " ".join(rest.split())[:80])


def _entry(
    text: str, match: re.Match[str], kind: str, line: int, strings: dict[str, str]
) -> tuple[Entry | Remark, int]:
    close = "}" if match.group(2) == "{" else ")"
    at = match.end()
    if kind == "preamble":
        expression, at = _expression(text, at, close)
        return Remark(line, "preamble", expression[:80]), _end(text, at, close)
    key = ""
    if kind != "string":
        comma = re.compile(r"[^,\s{}]*(?=\s*[,})])").match(text, _skip(text, at))
        if comma is None:
            raise _Broken("no citation key")
        key, at = comma.group(0), _skip(text, comma.end())
        if text[at : at + 1] == ",":
            at += 1
        elif text[at : at + 1] != close:
            raise _Broken("no comma after the key")
    fields: list[tuple[str, str]] = []
    while True:
        at = _skip(text, at)
        if text[at : at + 1] == close:
            at += 1
            break
        name = _FIELD.match(text, at)
        if name is None:
            after = f"after '{fields[-1][0]}'" if fields else "at the first field"
            raise _Broken(f"not a field {after}")
        expression, at = _expression(text, name.end(), close)
        fields.append((name.group(1), expression))
        at = _skip(text, at)
        if text[at : at + 1] == ",":
            at += 1
        elif text[at : at + 1] != close:
            raise _Broken(f"no comma or end after '{name.group(1)[:40]}'")
    if kind == "string":
        for name_, expression in fields:
            strings[name_.lower()] = _expanded(expression, strings)
        return Remark(line, "string", ", ".join(name_ for name_, _ in fields)[:80]), at
    used = {name.lower() for _, expression in fields for name in macros(expression)}
    return Entry(line, kind, key, tuple(fields), {name: strings[name] for name in sorted(used & set(strings))}), at


def _expression(text: str, at: int, close: str) -> tuple[str, int]:
    """A value as written: groups, quoted strings, numbers and names joined by `#`; and where it ends."""
    start = at = _skip(text, at)
    while True:
        if text[at : at + 1] in ("{", '"'):
            at = _group(text, at)
        elif bare := _BARE.match(text, at):
            at = bare.end()
        else:
            raise _Broken("a field without a value")
        after = _skip(text, at)
        if text[after : after + 1] != "#":
            return text[start:at], at
        at = _skip(text, after + 1)


def _group(text: str, at: int) -> int:
    """Behind the brace or quote that closes the one at `at`. A quote inside braces is text; so is an escaped brace not."""
    quoted = text[at] == '"'
    depth = 0 if quoted else 1
    for match in _BRACE.finditer(text, at + 1):
        char = match.group(0)
        if len(char) > 1:
            if match.start() - at > LONG:
                break  # another entry begins: the brace was forgotten, and the rest of the file is no value
            depth += 1
            continue
        if char == '"':
            if quoted and depth == 0:
                return match.end()
            continue
        depth += 1 if char == "{" else -1
        if depth == 0 and not quoted:
            return match.end()
        if depth < 0 or depth > DEEP:
            break
    raise _Broken("a brace or quote that is never closed")


def _skip_group(text: str, at: int) -> int:
    try:
        return _group(text, at) if text[at] == "{" else text.index(")", at) + 1
    except ValueError:  # and _Broken: only the line is a comment then
        end = text.find("\n", at)
        return len(text) if end < 0 else end


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _end(text: str, at: int, close: str) -> int:
    at = _skip(text, at)
    if text[at : at + 1] != close:
        raise _Broken("no end")
    return at + 1


def _parts(expression: str) -> Iterator[str]:
    """The pieces between the `#` of an expression, each as written."""
    at = _skip(expression, 0)
    while at < len(expression):
        if expression[at] in '{"':
            end = _group(expression, at)
        else:
            bare = _BARE.match(expression, at)
            end = bare.end() if bare else len(expression)
        yield expression[at:end]
        at = _skip(expression, _skip(expression, end) + 1)


def macros(expression: str) -> list[str]:
    """The names of @string definitions that an expression uses."""
    return [part for part in _parts(expression) if part[0] not in '{"' and not part.isdigit()]


def _expanded(expression: str, strings: Mapping[str, str]) -> str:
    """An expression in which every known name is replaced by what it stands for."""
    parts = (strings.get(part.lower(), part) if part[0] not in '{"' else part for part in _parts(expression))
    return " # ".join(parts)


def plain(expression: str, strings: Mapping[str, str]) -> str:
    """The LaTeX that an expression stands for, without its delimiters."""
    parts = _parts(_expanded(expression, strings))
    return "".join(part[1:-1] if part[0] in '{"' else part for part in parts)


def values_of(entry: Entry) -> dict[str, object]:
    """What the library's columns say of an entry, as `make_work` takes it: LaTeX decoded, names split."""
    told: dict[str, str] = {}
    for name, expression in entry.fields:
        told.setdefault(name.lower(), plain(expression, entry.strings))
    text = {name: _readable(told[name]) for name in ("title", "abstract", "note", "keywords", *VENUES) if name in told}
    return {
        "title": text.get("title") or text.get("booktitle") or text.get("note") or "",
        "abstract": text.get("abstract") or _readable(told.get("annote", "")),
        "authors": names(told.get("author") or told.get("editor", "")),
        "year": told.get("year") or told.get("date"),
        "venue": next((text[name] for name in VENUES if text.get(name)), ""),
        "url": told.get("url", "").strip().replace("\\_", "_").replace("\\%", "%").replace("\\&", "&"),
        "doi": told.get("doi", "").replace("\\_", "_"),
        "arxiv": _arxiv(told),
        "keywords": [word.strip() for word in re.split(r"[,;]", text.get("keywords", "")) if word.strip()],
        "key": entry.key,
        "kind": entry.kind,
        "body": as_body(entry),
    }


def _arxiv(told: Mapping[str, str]) -> str:
    prefix = (told.get("archiveprefix") or told.get("eprinttype") or "").lower()
    return told.get("eprint", "").strip() if prefix in ("", "arxiv") else ""


def names(text: str) -> list[str]:
    """Names of an author field, forename first, split at 'and' outside braces."""
    found: list[str] = []
    piece: list[str] = []
    depth = 0
    for token in re.split(r"([{}]|\s+and\s+)", text):
        depth += (token == "{") - (token == "}")
        if depth == 0 and token.strip().lower() == "and" and token != token.strip():
            found.append("".join(piece))
            piece = []
        else:
            piece.append(token)
    found.append("".join(piece))
    return [_person(" ".join(name.split())) for name in found if name.strip()]


def _person(name: str) -> str:
    try:
        return _name(Person(name))
    except (PybtexError, ValueError, RecursionError):
        return _readable(name)


def _readable(latex: str) -> str:
    try:
        return _decode(latex)
    except (ValueError, RecursionError):  # a command that the codec stumbles over
        return latex


def as_body(entry: Entry) -> str:
    """The entry as the library keeps it."""
    kept = {"type": entry.kind, "key": entry.key, "fields": entry.fields, "strings": dict(entry.strings)}
    return json.dumps(kept)


def from_body(body: str) -> Entry:
    """The entry that `as_body` kept."""
    kept = json.loads(body)
    fields = tuple((str(name), str(expression)) for name, expression in kept["fields"])
    return Entry(0, str(kept["type"]), str(kept["key"]), fields, dict(kept["strings"]))


def spelt_out(entry: Entry, strings: Mapping[str, str]) -> Entry:
    """The entry with those definitions written out that `strings` does not have, or has differently."""
    other = {name: value for name, value in entry.strings.items() if strings.get(name, value) != value}
    if not other:
        return entry
    fields = tuple(
        (name, _expanded(value, other) if set(map(str.lower, macros(value))) & set(other) else value)
        for name, value in entry.fields
    )
    return replace(entry, fields=fields, strings={k: v for k, v in entry.strings.items() if k not in other})
