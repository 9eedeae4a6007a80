"""LaTeX fragments cut into tokens and sentences.

The macros are `\\val{id}`, `\\calc{expression}{why}`, `\\cite{keys}` (also `\\citep`, `\\citet`),
`\\ref{kind:id}`, `\\placefigure{id}` and `\\placetable{id}`; everything else is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from scientist.errors import RecordError

Kind = Literal["text", "val", "calc", "cite", "ref", "placefigure", "placetable"]

ARGUMENTS: dict[str, int] = {
    "val": 1,
    "calc": 2,
    "cite": 1,
    "citep": 1,
    "citet": 1,
    "ref": 1,
    "placefigure": 1,
    "placetable": 1,
}
"""Macro -> how many arguments it takes."""

_CONTROL = re.compile(r"\\([A-Za-z]+|.)", re.DOTALL)


class FragmentError(RecordError):
    """A fragment cannot be read: a macro without its braces."""


@dataclass(frozen=True)
class Token:
    """A piece of a fragment: text, or one macro with its arguments.

    `source` is the piece as written and `start` where it begins; `command` is the macro's name (`citep`), `kind`
    its family (`cite`); `math` says that it stands between dollar signs; `number` counts a fragment's macros.
    """

    kind: Kind
    source: str
    start: int
    command: str = ""
    args: tuple[str, ...] = ()
    math: bool = False
    number: int = -1

    @property
    def end(self) -> int:
        """Offset just behind the token."""
        return self.start + len(self.source)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of a citation."""
        return tuple(key.strip() for key in self.args[0].split(",")) if self.kind == "cite" else ()


@dataclass(frozen=True)
class Sentence:
    """A sentence (or an item, or a heading) of a fragment. Text tokens that cross its ends are cut."""

    tokens: tuple[Token, ...]

    @property
    def source(self) -> str:
        """The sentence as written."""
        return "".join(token.source for token in self.tokens)

    @property
    def start(self) -> int:
        """Offset of the sentence in its fragment."""
        return self.tokens[0].start

    def facts(self) -> tuple[str, ...]:
        """Ids that `\\val` prints in this sentence, in order."""
        return tuple(token.args[0] for token in self.tokens if token.kind == "val")


def parse(fragment: str) -> list[Token]:
    """Cut a fragment into tokens; joining their sources gives the fragment back.

    Raises :class:`FragmentError` for a macro whose arguments are missing or never end.
    """
    tokens: list[Token] = []
    position = begin = 0
    math = False
    macros = 0

    def text(end: int) -> None:
        if end > begin:
            tokens.append(Token("text", fragment[begin:end], begin, math=math))

    while position < len(fragment):
        char = fragment[position]
        if char == "$":
            if math:
                position += 1
                text(position)
                begin = position
            else:
                text(position)
                begin = position
                position += 1
            math = not math
            continue
        match = _CONTROL.match(fragment, position) if char == "\\" else None
        if match is None:
            position += 1
            continue
        name = match.group(1)
        if name not in ARGUMENTS:
            position = match.end()
            continue
        text(position)
        args, end = _arguments(fragment, match.end(), name)
        kind: Kind = "cite" if name.startswith("cite") else name  # type: ignore[assignment]
        tokens.append(Token(kind, fragment[position:end], position, name, args, math, macros))
        macros += 1
        begin = position = end
    text(len(fragment))
    return tokens


def _arguments(fragment: str, position: int, name: str) -> tuple[tuple[str, ...], int]:
    args: list[str] = []
    for _ in range(ARGUMENTS[name]):
        while fragment[position : position + 1].isspace():
            position += 1
        if fragment[position : position + 1] != "{":
            raise FragmentError(
                f"\\{name} at {position} lacks its argument in braces",
                f"it takes {ARGUMENTS[name]}, each as {{...}}",
            )
        end = _closing(fragment, position)
        if end < 0:
            raise FragmentError(f"the braces of \\{name} at {position} never close", "balance them")
        args.append(fragment[position + 1 : end].strip())
        position = end + 1
    if args[:1] and name in ("val", "calc"):
        args[0] = args[0].replace("\\_", "_")  # a writer that escapes the underscore of an id means the id
    return tuple(args), position


def _closing(fragment: str, opening: int) -> int:
    depth = 0
    position = opening
    while position < len(fragment):
        char = fragment[position]
        if char == "\\":
            position += 2
            continue
        depth += (char == "{") - (char == "}")
        if depth == 0:
            return position
        position += 1
    return -1


_SHORT = """
    e.g i.e al etc vs cf fig figs eq eqs sec secs tab app ref refs resp approx no nos vol pp ed eds dr mr mrs
    prof st viz wrt w.r.t i.i.d a.k.a p.a ca est dept univ
"""
_ABBREVIATIONS = frozenset(_SHORT.split())
_END = re.compile(r"([.?!]+)((?:''|[)\]}'\"”’])*)(?=\s|\\par\b|\\\s|$)")
_BREAK = re.compile(r"\n[ \t]*\n\s*|\\(?:begin|end)\{[a-z]*\}|\\item\b(?:\[[^\]]*\])?|\\paragraph\{[^{}]*\}")
_WORD_BEFORE = re.compile(r"([A-Za-z][A-Za-z.]*)$")


def sentences(fragment: str) -> list[Sentence]:
    """Split a fragment into sentences, each with its tokens.

    A full stop ends a sentence unless it ends an abbreviation (e.g., i.e., et al., vs., Fig.), an initial, or
    the next word is in lower case. Items, list ends and blank lines end one too. Raises :class:`FragmentError`.
    """
    tokens = parse(fragment)
    cuts = sorted({cut for token in tokens for cut in _cuts(token, fragment)})
    result: list[Sentence] = []
    for start, end in zip([0, *cuts], [*cuts, len(fragment)], strict=True):
        piece = tuple(_clip(token, start, end) for token in tokens if token.start < end and token.end > start)
        if any(token.kind != "text" or _words(token.source) for token in piece):
            result.append(Sentence(piece))
    return result


def _clip(token: Token, start: int, end: int) -> Token:
    if token.kind != "text" or (token.start >= start and token.end <= end):
        return token
    left, right = max(token.start, start), min(token.end, end)
    return replace(token, source=token.source[left - token.start : right - token.start], start=left)


def _words(source: str) -> bool:
    return any(char.isalnum() for char in _BREAK.sub(" ", source))


def _cuts(token: Token, fragment: str) -> Iterator[int]:
    if token.kind in ("placefigure", "placetable"):
        yield from (token.start, token.end)
    if token.kind != "text" or token.math:
        return
    for match in _BREAK.finditer(token.source):
        yield token.start + match.start()
        if not match.group().startswith("\\paragraph"):
            yield token.start + match.end()
    for match in _END.finditer(token.source):
        at = token.start + match.end()
        if _ends_sentence(fragment, token.start + match.start(), at, match.group(1)):
            yield at


def _ends_sentence(fragment: str, mark: int, at: int, marks: str) -> bool:
    rest = fragment[at:].lstrip()
    if rest[:1].islower():
        return False
    word = _WORD_BEFORE.search(fragment[:mark])
    if marks != "." or word is None:
        return not (marks == "." and fragment[:mark][-1:].isdigit() and rest[:1].isdigit())
    last = word.group(1).strip(".")
    if last.lower() in _ABBREVIATIONS:
        # "etc." may close a sentence (a capital follows); "et al." is taken never to.
        return last.lower() == "etc" and rest[:1].isupper()
    return not (len(last) == 1 and last.isupper() and rest[:1].isupper())
