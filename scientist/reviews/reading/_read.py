"""One door for every form that a paper can have."""

from __future__ import annotations

from pathlib import Path

from scientist.errors import RecordError
from scientist.reviews.reading._document import Reading, SourceFile
from scientist.reviews.reading._pdf import read_pdf
from scientist.reviews.reading._source import decoded
from scientist.reviews.reading._tex import read_tex
from scientist.reviews.reading._text import read_text

TEXTS = (".txt", ".md", ".text", ".markdown", ".rst")


def read_paper(path: Path) -> Reading:
    """Read a PDF, a TeX project (folder or `.tex`) or a plain text.

    Raises :class:`RecordError`, in one line, when there is nothing that can be read.
    """
    if path.is_dir() or path.suffix.lower() == ".tex":
        return read_tex(path)
    if not path.exists():
        raise RecordError(f"{path} does not exist", "check the path")
    if not path.is_file():
        raise RecordError(f"{path} is not a file", "name a PDF, a TeX project or a plain text")
    if path.suffix.lower() == ".pdf" or _is_pdf(path):
        return read_pdf(path)
    if path.suffix.lower() not in TEXTS:
        raise RecordError(f"{path} is of a kind that is not read", "name a PDF, a .tex, a folder with one, .txt or .md")
    text = decoded(path)
    return Reading(document=read_text(text, path.name), sources=(SourceFile(name=path.name, text=text),))


def _is_pdf(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return b"%PDF-" in file.read(1024)
    except OSError:
        return False
