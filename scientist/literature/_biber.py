r"""The `.bbl` that biber writes for biblatex: entries field by field, `\entry{key}{article}{} ... \endentry`.

Read as data: one pass over each entry, nothing of TeX is expanded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_ENTRY = re.compile(r"\\entry\s*\{([^{}]*)\}\s*\{([^{}]*)\}\s*\{[^{}]*\}")
_END = re.compile(r"\\endentry\b")
_COMMAND = re.compile(
    r"\\verb\s*\{(?P<verbatim>[^{}]*)\}\s*\\verb[ \t]?(?P<value>[^\n]*)\n\s*\\endverb"
    r"|\\true\s*\{more(?P<more>[a-z]+)\}"
    r"|\\field\s*\{(?P<field>[^{}]*)\}\s*(?=\{)"
    r"|\\list\s*\{(?P<list>[^{}]*)\}\s*\{\d*\}\s*(?=\{)"
    r"|\\name\s*\{(?P<name>[^{}]*)\}\s*\{\d*\}\s*(?:\{[^{}]*\}\s*)?(?=\{)"
)
_TOKEN = re.compile(r"\\.|[{}]", re.DOTALL)
_PART = re.compile(r"(?<![A-Za-z])(family|given|prefix|suffix)\s*=\s*(?=\{)")
_OLD_PARTS = ("family", "", "given", "", "prefix", "", "suffix")  # the format before 3.0: by position, initials between
_MACROS = {
    r"\bibrangedash": "--", r"\bibinitperiod": ".", r"\bibinitdelim": " ", r"\bibnamedelim": " ", r"\bibinithyphendelim": "-",
    r"\bibrangessep": ", ", r"\bibdash": "-",
}  # fmt: skip
_MACRO = re.compile(r"(\\bib[a-z]+?)(?:[abci](?![A-Za-z])|(?![A-Za-z]))(?:\{\}|[ ])?")


def is_biber(text: str) -> bool:
    """Whether a `.bbl` is one for biblatex."""
    return _ENTRY.search(text) is not None


def read_biber(text: str) -> Iterator[tuple[int, str, str, dict[str, str]]]:
    """(line, kind, key, fields as a `.bib` would have them) of every entry; a key that stands in several lists comes once.

    An entry without an end stops where the next begins.
    """
    seen: set[str] = set()
    line = counted = 0
    starts = list(_ENTRY.finditer(text))
    for place, match in enumerate(starts):
        line += text.count("\n", counted, match.start())
        counted = match.start()
        following = starts[place + 1].start() if place + 1 < len(starts) else len(text)
        end = _END.search(text, match.end(), following)
        key = match.group(1).strip()
        if key in seen:
            continue
        seen.add(key)
        yield (
            line + 1,
            match.group(2).strip().lower(),
            key,
            _fields(text[match.end() : end.start() if end else following]),
        )


def _fields(body: str) -> dict[str, str]:
    told: dict[str, str] = {}
    more: set[str] = set()
    at = 0
    while match := _COMMAND.search(body, at):
        at = match.end()
        if match["verbatim"]:
            told.setdefault(match["verbatim"], match["value"].strip())
            continue
        if match["more"]:
            more.add(match["more"])
            continue
        value, at = _group(body, at)
        if match["name"]:
            people = [_person(one) for one in _groups(value)]
            told.setdefault(match["name"], " and ".join(person for person in people if person))
        elif match["list"]:
            told.setdefault(match["list"], " and ".join(_macros(one).strip() for one in _groups(value)))
        elif match["field"]:
            told.setdefault(match["field"], _macros(value))
    for name in more & set(told):
        told[name] += " and others"
    return told


def _group(text: str, at: int) -> tuple[str, int]:
    """What the braces that open at `at` hold, and where they end; of braces that never close, everything."""
    depth = 0
    for token in _TOKEN.finditer(text, at):
        depth += {"{": 1, "}": -1}.get(token.group(), 0)
        if depth == 0:
            return text[at + 1 : token.start()], token.end()
    return text[at + 1 :], len(text)


def _groups(text: str) -> Iterator[str]:
    """What each pair of braces of the outermost level holds."""
    at = text.find("{")
    while at >= 0:
        value, at = _group(text, at)
        yield value
        at = text.find("{", at)


def _person(text: str) -> str:
    """One name as BibTeX writes it, its parts in braces: 'prefix {family}, suffix, {given}'."""
    parts: dict[str, str] = {}
    groups = list(_groups(text))
    if len(groups) >= 2 and "=" in groups[0]:  # {hash=...}{family={...}, given={...}} or {hash}{..}{..}, by age
        at = 0
        while match := _PART.search(groups[1], at):
            parts[match.group(1)], at = _group(groups[1], match.end())
        if not parts:
            parts = {name: value for name, value in zip(_OLD_PARTS, groups[1:], strict=False) if name}
    family, given = (_macros(parts.get(name, "")).strip() for name in ("family", "given"))
    prefix, suffix = (_macros(parts.get(name, "")).strip() for name in ("prefix", "suffix"))
    if not family:
        return f"{{{given}}}" if given else ""
    if not given:
        return f"{{{' '.join(part for part in (prefix, family, suffix) if part)}}}"
    last = f"{prefix} {{{family}}}".strip()
    return ", ".join(part for part in (last, suffix, f"{{{given}}}") if part)


def _macros(text: str) -> str:
    """A value without the commands that biber puts between initials, names and pages, and on one line."""
    text = re.sub(r"(?<!\\)%\n[ \t]*", "", text)
    return _MACRO.sub(lambda macro: _MACROS.get(macro.group(1), " "), text)
