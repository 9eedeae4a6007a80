"""A TeX project as a Document. It is read, never run: files inside the folder, bounded macros, and no other command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from scientist.literature import Printed, read_bbl, read_bib
from scientist.reviews.reading._build import finish
from scientist.reviews.reading._document import Reading, RefEntry
from scientist.reviews.reading._source import Project, bibliography, project
from scientist.reviews.reading._tex_hidden import cut, unprinted
from scientist.reviews.reading._tex_macros import macros_of
from scientist.reviews.reading._tex_walk import Walker

_LISTS = re.compile(r"\\(?:bibliography|addbibresource|addglobalbib)\s*(?:\[[^\]]*\])?\s*\{([^{}]{0,2000})\}")
_INLINE = re.compile(r"\\begin\{thebibliography\}")


def read_tex(path: Path) -> Reading:
    """The paper of a `.tex` file or of a folder. Raises :class:`RecordError` where there is none."""
    found = project(path)
    macros = macros_of(found.text)
    body = found.text
    if (begun := body.find("\\begin{document}")) >= 0:
        ended = body.find("\\end{document}", begun)
        head, body = body[:begun], body[begun + 16 : ended if ended >= 0 else len(body)]
    else:
        head = ""
    body, hidden = cut(body, head)
    # Twice: a reference may stand before what it refers to, and prints its number.
    first = Walker(macros, {})
    first.read(head, body)
    walker = Walker(macros, first.labels)
    walker.read(head, body)
    parts = walker.parts
    parts.references, keys = _references(found, walker)
    parts.unread = [*found.unread, *parts.unread]
    if hidden:
        parts.unread.append(f"{len(hidden)} passages that nobody would see in print are left out")
    document = finish(parts, path.name or str(path), "tex", keys.__contains__, first.labels.__contains__)
    extras = (*hidden, *unprinted(found.files))
    return Reading(document=document, sources=tuple(found.files), extras=extras)


def _references(found: Project, walker: Walker) -> tuple[list[RefEntry], set[str]]:
    """What the paper's list of references prints, and the keys that can be cited."""
    names = [name.strip() for group in _LISTS.findall(found.text) for name in group.split(",") if name.strip()]
    printed: list[Printed] = []
    whole = walker.everything
    if _INLINE.search(found.text):
        printed += read_bbl(found.text)
        whole = True
    if names or not printed:
        for name, text in bibliography(found, names):
            if name.endswith(".bbl"):
                printed += read_bbl(text)
                whole = True
            else:
                printed += read_bib(text)[0]
    cited = walker.cited
    kept = {entry.key: entry for entry in reversed(printed)}
    shown = [entry for entry in kept.values() if whole or entry.key in cited]
    return [_entry(entry) for entry in reversed(shown)], set(kept)


def _entry(entry: Printed) -> RefEntry:
    return RefEntry(
        key=entry.key,
        text=entry.text or ". ".join(_told(entry)),
        title=entry.title,
        year=entry.year,
        doi=entry.doi,
        arxiv=entry.arxiv,
    )


def _told(entry: Printed) -> Iterator[str]:
    if entry.authors or entry.author_text:
        yield ", ".join(entry.authors) or entry.author_text
    for piece in (entry.title, entry.venue, str(entry.year or "")):
        if piece:
            yield piece
