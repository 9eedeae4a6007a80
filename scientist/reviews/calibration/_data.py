"""Reading a set of papers with outcomes or scores: JSON lines, CSV, a folder, and review tables of other systems."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scientist.errors import RecordError
from scientist.reviews.calibration._text import MAX_CHARS, PaperText, read_text

FORMAT = "docs/prior.md shows the format"
MAX_BYTES = 2_000_000_000
MAX_PAPERS = 50_000
FORM_COLUMNS = (
    "Summary", "Questions", "Limitations", "Ethical Concerns", "Soundness", "Presentation", "Contribution", "Overall",
    "Confidence", "Strengths", "Weaknesses", "Originality", "Quality", "Clarity", "Significance", "Decision",
)  # fmt: skip
"""The sixteen columns of the review form of the AI Scientist (Lu et al. 2024), next to the paper's id."""
_TABLES = (".csv", ".jsonl", ".jsonl.gz")


@dataclass(frozen=True)
class Paper:
    """A paper with what became of it. `reviewers` are overall scores of other reviewers by their names."""

    id: str
    text: PaperText
    length: int
    scores: tuple[float, ...]
    accepted: bool | None
    reviewers: dict[str, float]


@dataclass(frozen=True)
class Data:
    """A set of papers, the name it is called by, and what was odd about it."""

    name: str
    papers: tuple[Paper, ...]
    notes: tuple[str, ...] = ()


def read_data(place: Path, reviews: tuple[Path, ...] = ()) -> Data:
    """Read a set of papers from a file or a folder; `reviews` are tables in the 16-column form.

    Raises RecordError, naming file and line, for what cannot be read.
    """
    if not place.exists():
        raise RecordError(f"{place}: no such file or folder", FORMAT)
    tables = [place]
    if place.is_dir():
        tables = sorted(path for path in place.iterdir() if path.name.endswith(_TABLES))
        reviews = (*reviews, *(path for path in tables if _is_form(path)))
        tables = [path for path in tables if path not in reviews]
        if len(tables) != 1:
            said = ", ".join(path.name for path in tables[:4]) or "none"
            raise RecordError(f"{place}: one table of papers is expected, found {said}", FORMAT)
    (table,) = tables
    papers: list[Paper] = []
    for number, row in _rows(table):
        if len(papers) >= MAX_PAPERS:
            raise RecordError(f"{table}: more than {MAX_PAPERS:,} papers", "calibrate on a part of them")
        papers.append(_paper(row, f"{table.name}, row {number}", table.parent))
    twice = len(papers) - len({paper.id for paper in papers})
    if twice:
        raise RecordError(f"{table}: {twice} ids occur twice", "give every paper an id of its own")
    notes: list[str] = []
    for path in reviews:
        papers, note = _joined(papers, path)
        notes.append(note)
    return Data(table.name.split(".")[0], tuple(papers), tuple(notes))


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    if path.name.endswith(".csv"):
        yield from _csv_rows(path)
        return
    if not path.name.endswith((".jsonl", ".jsonl.gz")):
        raise RecordError(f"{path}: not a .jsonl, .jsonl.gz or .csv file", FORMAT)
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise RecordError(f"{path}, line {number}: not JSON ({str(error)[:80]})", FORMAT) from error
        if not isinstance(row, dict):
            raise RecordError(f"{path}, line {number}: not a JSON object", FORMAT)
        yield number, row


def _lines(path: Path) -> Iterator[str]:
    """Lines of a file, unpacked where it is packed, never more than MAX_BYTES of them."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    left = MAX_BYTES
    try:
        with gzip.open(path, "rb") if packed else path.open("rb") as stream:
            while line := stream.readline(min(left, 50_000_000)):
                left -= len(line)
                if left <= 0 or len(line) >= 50_000_000:
                    raise RecordError(f"{path}: more than {MAX_BYTES:,} bytes, or a line of 50 MB", "split the file")
                yield line.decode("utf-8")
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise RecordError(
            f"{path}: cannot be read ({str(error)[:80]})", "UTF-8 text is expected, packed by gzip or not"
        ) from error


def _csv_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    csv.field_size_limit(MAX_CHARS * 4)
    text = io.StringIO("".join(_lines(path)), newline="")
    try:
        for number, row in enumerate(csv.DictReader(text), 2):
            yield number, {str(key): value for key, value in row.items() if key is not None}
    except csv.Error as error:
        raise RecordError(f"{path}: not a table ({error})", FORMAT) from error


def _is_form(path: Path) -> bool:
    """Has this table the columns of the review form?"""
    if not path.name.endswith(".csv"):
        return False
    head = next(iter(_lines(path)), "")
    names = {name.strip().strip('"') for name in head.lstrip("\ufeff").split(",")}
    return len(names & set(FORM_COLUMNS)) >= 6 and not names & {"text", "path"}


def _paper(row: dict[str, Any], where: str, folder: Path) -> Paper:
    text = row.get("text") or _file(row.get("path"), where, folder)
    if not isinstance(text, str) or not text.strip():
        raise RecordError(f"{where}: neither text nor path", FORMAT)
    found = read_text(text, str(row.get("title") or ""), str(row.get("abstract") or ""))
    if not found.references and (listed := row.get("references")):
        lines = listed if isinstance(listed, list) else str(listed)[:MAX_CHARS].split("\n")
        found = replace(found, references=tuple(str(line)[:2000] for line in lines[:2000]))
    name = str(row.get("id") or row.get("paper_id") or where)
    return Paper(
        name,
        found,
        len(text.split()),
        _scores(row.get("scores", row.get("score")), where),
        _decision(row.get("decision", row.get("accepted")), where),
        _reviewers(row),
    )


def _file(path: object, where: str, folder: Path) -> str:
    if not isinstance(path, str) or not path:
        return ""
    place = (folder / path).resolve()
    if not place.is_relative_to(folder.resolve()):
        raise RecordError(f"{where}: {path} leads out of the folder", "keep the texts beside the table")
    try:
        with place.open(encoding="utf-8", errors="replace") as file:
            return file.read(MAX_CHARS)
    except OSError as error:
        raise RecordError(
            f"{where}: {path} cannot be read ({error.strerror})", "give the path relative to the table"
        ) from error


def _number(value: object) -> float | None:
    try:
        number = float(str(value).split(":")[0])
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _scores(value: object, where: str) -> tuple[float, ...]:
    if value is None or value == "":
        return ()
    many = value if isinstance(value, list) else str(value).replace(",", ";").split(";")
    numbers = [_number(one) for one in many if one not in (None, "")]
    if any(number is None for number in numbers):
        raise RecordError(f"{where}: scores are not numbers ({str(value)[:40]})", FORMAT)
    return tuple(number for number in numbers if number is not None)


def _decision(value: object, where: str) -> bool | None:
    said = str(value).strip().lower() if value is not None else ""
    if said in ("", "none", "nan", "withdrawn"):
        return None
    if said.startswith("accept") or said in ("true", "yes", "1"):
        return True
    if said.startswith(("reject", "invite", "desk")) or said in ("false", "no", "0"):
        return False
    raise RecordError(f"{where}: decision {str(value)[:40]!r} is neither accept nor reject", FORMAT)


def _reviewers(row: dict[str, Any]) -> dict[str, float]:
    """Overall scores in `llm_reviews` or `reviewers` (name to a number or a form), and columns named reviewer:NAME."""
    found: dict[str, float] = {}
    for key in ("llm_reviews", "reviewers"):
        given = row.get(key)
        for name, form in given.items() if isinstance(given, dict) else ():
            number = _number(form.get("Overall") if isinstance(form, dict) else form)
            if number is not None:
                found[str(name)[:80]] = number
    for key, value in row.items():
        if key.startswith("reviewer:") and (number := _number(value)) is not None:
            found[key.removeprefix("reviewer:")[:80]] = number
    return found


def _joined(papers: list[Paper], path: Path) -> tuple[list[Paper], str]:
    """The papers with the overall scores of a review table; several reviews of one paper count by their mean."""
    name = path.stem[:80]
    given: dict[str, list[float]] = {}
    for _, row in _csv_rows(path):
        key = row.get("paper_id") or row.get("id") or row.get("")
        number = _number(row.get("Overall"))
        if key and number is not None:
            given.setdefault(Path(str(key)).stem if str(key).endswith((".txt", ".pdf")) else str(key), []).append(
                number
            )
    known = sum(paper.id in given for paper in papers)
    if not known:
        raise RecordError(
            f"{path}: no review with an Overall score of any of these papers", "paper_id has to match the papers' id"
        )
    joined = [
        replace(paper, reviewers={**paper.reviewers, name: sum(given[paper.id]) / len(given[paper.id])})
        if paper.id in given
        else paper
        for paper in papers
    ]
    return joined, f"{path.name}: reviews of {known} of {len(papers)} papers"
