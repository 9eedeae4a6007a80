"""A folder of PDFs as works. Title, abstract, DOI and arXiv id are guessed from the first page, and said to be guesses."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scientist.errors import UsageError
from scientist.literature._formats import Row
from scientist.literature._keys import find_arxiv, find_doi
from scientist.literature._works import Work, make_work, tidy, year_of

LARGEST = 100 << 20  # bytes of one file
SECONDS = 30.0  # for one file, by the clock; its processor time is limited too
ANSWER = 1 << 20  # bytes of what the child may say
_CHILD = Path(__file__).with_name("_pdf_child.py")
_NO_TITLE = re.compile(
    r"untitled|microsoft|\.(?:dvi|tex|docx?|pdf|indd|ps)$|^(?:paper|main|article|manuscript)\b|^\W*$|\d{4}\.\d{5}", re.I
)
_ABSTRACT = re.compile(
    r"\babstract\b[\s.:—–-]*(.{80,}?)(?=\n\s*(?:1\s*\.?|I\s*\.?)?\s*introduction\b|\bkeywords\b|\bindex terms\b|\bccs concepts\b)",
    re.I | re.S,
)


def read_pdfs(path: Path, start: int = 0, source: str = "") -> Iterator[Row]:
    """The PDFs of a folder, its folders included, in the order of their names; or the one file.

    Each is read by a process of its own with limits on time and memory. Raises :class:`UsageError` without pypdf.
    """
    if importlib.util.find_spec("pypdf") is None:
        raise UsageError("PDFs need pypdf", "pip install pypdf")
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.suffix.lower() == ".pdf")
    if not files:
        raise UsageError(f"{path} holds no PDF", "name the folder that does")
    for number, file in enumerate(files[start:], start=start + 1):
        work, why = read_pdf(file, source or (path.name if path.is_dir() else "pdf"))
        yield Row(number, number, work, f"{file.name}: {why}" if why else "")


def read_pdf(path: Path, source: str) -> tuple[Work | None, str]:
    """The work that a PDF seems to be, or why it could not be read."""
    try:
        if not path.is_file() or path.is_symlink():
            return None, "not a plain file"
        if path.stat().st_size > LARGEST:
            return None, f"larger than {LARGEST >> 20} MB"
        command = [sys.executable, "-I", str(_CHILD), str(path.resolve())]
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return None, f"not read within {SECONDS:.0f} s"
    except OSError as error:
        return None, error.strerror or "not readable"
    if ended.returncode != 0 or len(ended.stdout) > ANSWER:
        return None, "its reader was stopped: too much time or memory"
    try:
        told = json.loads(ended.stdout)
    except ValueError:
        return None, "not readable"
    if problem := told.get("problem"):
        return None, tidy(problem, 80)
    values = guessed(told)
    work = make_work(source, "pdf", {**values, "body": json.dumps({"file": path.name, "guessed": sorted(values)})})
    return work, "" if work else "no title found; is it a scan?"


def guessed(told: Mapping[str, Any]) -> dict[str, Any]:
    """What the first page and the metadata suggest; only what was found. Pure."""
    text = str(told.get("text") or "")
    page = text[:8_000]
    title = tidy(told.get("title"), 300)
    if len(title) < 8 or _NO_TITLE.search(title) or " " not in title:
        title = tidy(told.get("large"), 300)
    if len(title) < 8:
        title = next((line for line in (tidy(line, 300) for line in page.splitlines()) if len(line) >= 15), "")
    abstract = _ABSTRACT.search(text)
    names = re.split(r";|,|\band\b", tidy(told.get("author"), 2_000))
    arxiv = find_arxiv(page)
    date = re.search(r"D:(\d{4})", str(told.get("date") or ""))
    doi = find_doi(page) or find_doi(str(told.get("subject") or ""))
    values = {
        "title": title,
        "abstract": re.sub(r"(?<=[a-z])-\s*\n\s*(?=[a-z])", "", abstract.group(1))[:5_000] if abstract else "",
        "authors": [name.strip() for name in names if name.strip()],
        "doi": doi,
        "arxiv": arxiv,
        "year": (2000 + int(arxiv[:2]) if re.match(r"\d{4}\.", arxiv) else None)
        or year_of(date.group(1) if date else None),
    }
    return {name: value for name, value in values.items() if value}
