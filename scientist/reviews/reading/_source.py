"""The files of a TeX project: which is the main one, what it includes, its macros. Nothing outside the folder is read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from scientist.errors import RecordError
from scientist.reviews.reading._document import SourceFile

LARGEST = 8 << 20  # bytes of one file
ALL = 24 << 20  # bytes of all of them
FILES = 400
DEPTH = 12  # files inside files
EXPANDED = 8 << 20  # characters that macros may write

_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%[^\n]*(\n[ \t]*)?")
_INCLUDE = re.compile(r"\\(?:input|include|subfile)\s*\{([^{}\n]{1,300})\}|\\input\s+([^\s{}\\%]{1,300})")
_BEGUN = re.compile(r"\\begin\{(verbatim\*?|lstlisting|minted|comment|filecontents\*?|Verbatim)\}")
_VERB = re.compile(r"\\(?:verb\*?|lstinline)([|!+/#@=\"'])([^\n]{0,400}?)\1")
_MAIN = ("main.tex", "paper.tex", "template.tex", "ms.tex", "article.tex", "manuscript.tex")
_PREFERRED = {name: place for place, name in enumerate(_MAIN)}


@dataclass
class Project:
    """The text of the main file with everything it includes, without comments; the files as written; what was not read.

    `written`: files that the text itself holds (`filecontents`), by name.
    """

    root: Path
    main: Path
    text: str = ""
    files: list[SourceFile] = field(default_factory=list)
    written: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)


def decoded(path: Path) -> str:
    """The text of a stranger's file: UTF-8, with or without a mark, else Western European bytes.

    Raises :class:`RecordError` when it is too large or cannot be read.
    """
    try:
        if path.exists() and not path.is_file():  # to open a pipe would wait for whoever writes into it
            raise RecordError(f"{path} is not a file", "name a PDF, a TeX project or a plain text")
        if path.stat().st_size > LARGEST:
            raise RecordError(f"{path.name} is larger than {LARGEST >> 20} MB", "is that a text?")
        data = path.read_bytes()
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror or error}", "check the file") from error
    if b"\0" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise RecordError(f"{path.name} is not text", "name a PDF, a TeX project or a plain text")
    try:
        text = data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def project(path: Path) -> Project:
    """The project that a `.tex` file or a folder is. Raises :class:`RecordError` where there is none."""
    main = main_file(path) if path.is_dir() else path
    found = Project(root=main.parent.resolve() if path.is_file() else path.resolve(), main=main.resolve())
    found.text = _included(main.resolve(), found, 0)
    return found


def main_file(folder: Path) -> Path:
    """The `.tex` file of a folder that is the paper: one that begins a document, well-known names first, then the largest."""
    files = [
        file
        for file in sorted(folder.rglob("*.tex"))
        if file.is_file()
        and not file.is_symlink()
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    ][:FILES]
    begun = []
    for file in files:
        try:
            text = decoded(file)
        except RecordError:
            continue
        if "\\begin{document}" in text or "\\documentclass" in text:
            begun.append((_PREFERRED.get(file.name.lower(), len(_MAIN)), -len(text), file))
    if not begun:
        raise RecordError(f"{folder} holds no TeX paper", "name a .tex file, a PDF or a plain text")
    return min(begun, key=lambda row: (row[0], row[1], str(row[2])))[2]


def _included(path: Path, found: Project, depth: int) -> str:
    text = decoded(path)
    if len(found.files) >= FILES or sum(len(file.text) for file in found.files) + len(text) > ALL:
        found.unread.append(f"{path.name}: not read, the project is too large")
        return ""
    name = path.relative_to(found.root).as_posix() if path.is_relative_to(found.root) else path.name
    found.files.append(SourceFile(name=name, text=text))
    text = _COMMENT.sub(r"\1", _without_verbatim(text, found))

    def include(match: re.Match[str]) -> str:
        name = (match[1] or match[2]).strip().strip('"')
        if "\\" in name or "#" in name:
            return ""
        where = _inside(found.root, path.parent, name)
        if where is None:
            found.unread.append(f"\\input{{{name}}}: not read, it is not inside the folder")
        elif where.suffix in (".tikz", ".pgf"):
            return ""
        elif depth >= DEPTH:
            found.unread.append(f"\\input{{{name}}}: not read, too many files inside files")
        else:
            try:
                return _included(where, found, depth + 1)
            except RecordError as error:
                found.unread.append(f"\\input{{{name}}}: {error.message}")
        return ""

    return _INCLUDE.sub(include, text)


def _inside(root: Path, here: Path, name: str) -> Path | None:
    """The file of that name inside the folder, or None. Links that lead out are out."""
    if name.startswith(("/", "~", "|")) or "\0" in name:
        return None
    for base in (root, here):
        for candidate in (base / name, base / f"{name}.tex"):
            try:
                where = candidate.resolve()
                if where.is_relative_to(root) and where.is_file():
                    return where
            except (OSError, RuntimeError):
                continue
    return None


def _without_verbatim(text: str, found: Project) -> str:
    """What TeX does not interpret must not be read as TeX: files inside the text are kept, listings become bare words."""
    pieces = []
    at = 0
    for match in _BEGUN.finditer(text):
        kind = match[1]
        if match.start() < at or "%" in text[text.rfind("\n", 0, match.start()) + 1 : match.start()]:
            continue
        end = text.find(f"\\end{{{kind}}}", match.end())
        if end < 0:
            break  # and what begins later has no better end: nothing is looked for twice
        pieces.append(text[at : match.start()])
        body = text[match.end() : end]
        at = end + len(kind) + 6
        if kind.startswith("filecontents"):
            named = re.match(r"\s*(?:\[[^\]]*\])?\s*\{([^{}]{1,200})\}", body)
            if named:
                found.written[named[1].strip()] = body[named.end() :]
        elif kind != "comment":
            body = re.sub(r"^\s*(?:\[[^\]]*\])?(?:\{[^{}]*\})?", "", body, count=1) if kind[0] in "ml" else body
            pieces.append("\n\n" + _bare(body) + "\n\n")
    return _VERB.sub(lambda match: _bare(match[2]), "".join([*pieces, text[at:]]))


def _bare(listing: str) -> str:
    """A listing without the characters that mean something to TeX."""
    return re.sub(r"[\\{}$%&#~^]", " ", listing)


def bibliography(found: Project, names: list[str]) -> list[tuple[str, str]]:
    """(name, text) of the lists of references that the text names, else of the `.bbl` of the project."""
    lists: list[tuple[str, str | Path]] = []
    for name in dict.fromkeys(names):
        stem = name.removesuffix(".bib")
        if (written := found.written.get(f"{stem}.bib")) is not None:
            lists.append((f"{stem}.bib", written))
            continue
        where = _inside(found.root, found.main.parent, f"{stem}.bib")
        if where is not None:
            lists.append((f"{stem}.bib", where))
    if not lists:
        own = found.main.with_suffix(".bbl")
        others = [own] if own.is_file() else sorted(found.main.parent.glob("*.bbl"))
        lists = [(file.name, file) for file in others if file.is_file() and not file.is_symlink()]
    read: list[tuple[str, str]] = []
    for name, held in lists:
        if isinstance(held, str):
            read.append((name, held))
            continue
        try:
            read.append((name, decoded(held)))
            found.files.append(SourceFile(name=name, text=read[-1][1]))
        except RecordError as error:
            found.unread.append(f"{name}: {error.message}")
    if names and not read:
        found.unread.append(f"the list of references {names[0]}.bib is not there")
    return read
