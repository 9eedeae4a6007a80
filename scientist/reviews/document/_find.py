"""What on a disk is a paper: one file, one folder, or a folder of papers. And the hash by which one is known again."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from scientist import __version__
from scientist.errors import RecordError, UsageError
from scientist.reviews.checks import has_runs

OWN = ("study.json", "manuscript.json")
"""Files by which a folder is a paper of a lab."""
TEXTS = (".txt", ".text", ".md", ".markdown", ".rst")
PAPERS = (".pdf", ".tex", *TEXTS)
FOREIGN = (".doc", ".docx", ".odt", ".rtf", ".ps", ".djvu", ".epub", ".pages")
"""Papers too, and of a kind that is not read: each is said to be one, instead of being passed over."""
BESIDE = re.compile(
    r"(?:readme|licen[cs]e|copying|changelog|changes|notes?|todo|requirements|index|authors|contributing)(?:[-_.].*)?",
    re.IGNORECASE,
)
"""Texts that stand beside papers and are none."""
DEPTH = 4
MOST = 2_000
FILES = 10_000
BESIDE_TEX = (".tex", ".bib", ".bbl", ".sty", ".cls", ".png", ".jpg", ".jpeg", ".pdf", ".eps")
LARGE = 64 << 20
"""Bytes of a file above which its size and time stand for its content."""
USUAL = ("latex", "tex", "src", "source", "paper", "main", "template", "article", "manuscript", "ms")
_CLASS = re.compile(rb"\\document(?:class|style)\b")

Sort = Literal["own", "one", "folder"]


@dataclass(frozen=True)
class Found:
    """A paper, what it is called (unique among those that were found together), and whether it is one of a lab."""

    path: Path
    name: str
    own: bool = False


def sort_of(path: Path) -> Sort:
    """Whether a path is a paper of a lab, one paper, or a folder of papers."""
    if not path.is_dir():
        return "one"
    if any((path / mark).is_file() for mark in OWN):
        return "own"
    return "one" if has_runs(path) or _has_tex(path) else "folder"


def find_papers(path: Path) -> list[Path]:
    """The papers of a folder of papers, in the order of their names, folders in it looked through.

    Raises :class:`UsageError` where there is none, or where there are more than :data:`MOST`.
    """
    found = []
    for paper in _below(path, DEPTH):
        found.append(paper)
        if len(found) > MOST:
            raise UsageError(f"{path} holds more than {MOST} papers", "name a folder with fewer")
    if not found:
        raise UsageError(f"{path} holds no paper", "name a PDF, a folder with TeX or PDFs, a .tex, .txt or .md")
    return found


def named(papers: list[Path]) -> list[Found]:
    """Papers with the names of their folders: of two that are called alike each gets a mark of its own path."""
    names = [name_of(path) for path in papers]
    found = []
    for path, name in zip(papers, names, strict=True):
        mark = f"-{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:6]}" if names.count(name) > 1 else ""
        found.append(Found(path, name + mark, sort_of(path) == "own"))
    return found


def name_of(path: Path) -> str:
    """What a stranger's paper is called: its file or folder, or the folder above one that is called like any other."""
    place = path.resolve()
    while place.stem.lower() in USUAL and place.parent.parent != place.parent:
        place = place.parent
    return re.sub(r"[^a-z0-9]+", "-", place.stem.lower()).strip("-")[:60].strip("-") or "paper"


def fingerprint(path: Path, asked: str = "") -> str:
    """SHA-256 of the paper's bytes and names, of the program that reviews, and of what was asked.

    Raises :class:`RecordError` where the paper cannot be read.
    """
    total = hashlib.sha256(f"{_program()}\n{asked}\n".encode())
    try:
        if path.is_dir():
            found = list(_files(path))
        elif path.suffix.lower() == ".tex":  # it may include what stands beside it
            found = [path, *(file for file in _files(path.parent) if file.suffix.lower() in BESIDE_TEX)]
        else:
            found = [path]
        for file in found:
            total.update(f"{os.path.relpath(file, path)}\n{_content(file)}\n".encode(errors="surrogateescape"))
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror or error}", "check the path") from error
    return total.hexdigest()


def _below(folder: Path, depth: int) -> Iterator[Path]:
    try:
        inside = sorted(folder.iterdir(), key=lambda path: path.name)
    except OSError as error:
        raise RecordError(f"{folder} cannot be read: {error.strerror or error}", "check the folder") from error
    for path in inside:
        if path.name.startswith(".") or (path.is_symlink() and path.is_dir()):
            continue
        if path.is_dir():
            if sort_of(path) != "folder":
                yield path
            elif depth > 1:
                yield from _below(path, depth - 1)
        elif path.suffix.lower() in (*PAPERS, *FOREIGN) and not (
            path.suffix.lower() in TEXTS and BESIDE.fullmatch(path.stem)
        ):
            yield path


def _has_tex(folder: Path) -> bool:
    """Whether a folder, or one in it that is called as such folders are, holds TeX with a document class."""
    places = [folder, *(folder / name for name in USUAL)]
    return any(_is_main(file) for place in places if place.is_dir() for file in sorted(place.glob("*.tex"))[:200])


def _is_main(file: Path) -> bool:
    if not file.is_file():
        return False
    try:
        with file.open("rb") as handle:
            return _CLASS.search(handle.read(1 << 20)) is not None
    except OSError:
        return False


def _files(folder: Path) -> Iterator[Path]:
    """The files of a paper's folder in order, at most :data:`FILES`. Links, hidden files and reviews are left out."""
    left = FILES
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "reviews")
        for name in sorted(names)[:left]:
            file = Path(place) / name
            if not name.startswith(".") and file.is_file() and not file.is_symlink():
                left -= 1
                yield file
        if left <= 0:
            return


def _content(file: Path) -> str:
    told = file.stat()
    if not stat.S_ISREG(told.st_mode):  # to open a pipe would wait for whoever writes into it
        return "no file"
    if told.st_size > LARGE:
        return f"{told.st_size} {told.st_mtime_ns}"
    return hashlib.sha256(file.read_bytes()).hexdigest()


@cache
def _program() -> str:
    """SHA-256 of the program's version, and of everything that reads, checks and reviews."""
    root = Path(str(files("scientist.reviews")))
    total = hashlib.sha256(__version__.encode())
    for file in sorted(root.rglob("*")):
        if file.suffix in (".py", ".json"):
            total.update(file.read_bytes())
    return total.hexdigest()
