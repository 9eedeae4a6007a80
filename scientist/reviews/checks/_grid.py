"""Cells of result tables as values with their heads. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from scientist.reviews.checks._rounding import PRINTED, value_of
from scientist.reviews.reading import Document, Table

_CELL = re.compile(
    rf"\(?\s*({PRINTED})\s?(%|[sx×])?\s?"
    rf"(?:(?:±|\+/-|\+-)\s?({PRINTED})\s?%?|\(\s?(?:±\s?)?(\d{{0,9}}\.\d{{1,12}})\s?\))?\s*\)?[*†‡↑↓]{{0,3}}"
)
HIGHER = re.compile(
    r"↑|\b(?:acc|accuracy|accuracies|f1|bleu|rouge|auc|auroc|map|precision|recall|psnr|ssim|score|reward|return|success|throughput|miou|iou|r2)\b",
    re.IGNORECASE,
)
LOWER = re.compile(
    r"↓|\b(?:loss|losses|error|err|perplexity|ppl|fid|mse|rmse|mae|nll|kl|divergence|wer|cer|eer|latency|(?:training|inference|train|run) time|regret|distance)\b",
    re.IGNORECASE,
)

ROWS = 300
"""Rows of a table that are looked at; longer ones are data."""


@dataclass(frozen=True)
class Cell:
    """One value of a table: `text` as printed, `spread` the text after ± or in brackets, its heads, its place."""

    table: int
    row: int
    column: int
    text: str
    value: float
    unit: str
    spread: str
    row_head: str
    column_head: str
    printed: str


def cells(document: Document) -> list[Cell]:
    """The values of all tables of a document, with their heads."""
    return [cell for place, table in enumerate(document.tables) for cell in cells_of(table, place)]


def cells_of(table: Table, place: int = 0) -> list[Cell]:
    """The values of one table. Rows before the first with a value are heads; so are cells that are no values."""
    rows = [tuple(cell.strip() for cell in row) for row in table.rows[:ROWS]]
    parsed = [[parse(cell) if at else None for at, cell in enumerate(row)] for row in rows]
    first = next((number for number, row in enumerate(parsed) if any(row)), len(rows))
    if first == 0 and rows and not re.search(r"[^\W\d_]", rows[0][0] if rows[0] else ""):
        first = 1
    width = max((len(row) for row in rows), default=0)
    heads = [" ".join(part for row in rows[:first] if (part := _over(row, column))) for column in range(width)]
    counted = bool(heads) and bool(re.fullmatch(r"\W*run(?: (?:no\.?|number|id|#))?\W*", heads[0], re.IGNORECASE))
    found: list[Cell] = []
    above = group = ""
    for number in range(first - 1 if _is_group(rows, parsed, first - 1) else first, len(rows)):
        row, values = rows[number], parsed[number]
        if _is_group(rows, parsed, number):
            group = row[0]
            continue
        own = [cell for cell, value in zip(row, values, strict=True) if value is None and re.search(r"[^\W\d_]", cell)]
        if row and row[0]:
            above = row[0]
        elif above:
            own = [above, *own]  # a cell over several rows stands once
        if not any(values):
            continue
        if counted and re.fullmatch(r"\d{1,4}", row[0]):
            own = [f"Run {row[0]}", *own]
        for column, value in enumerate(values):
            if value is None:
                continue
            text, amount, unit, spread = value
            found.append(
                Cell(
                    place,
                    number,
                    column,
                    text,
                    amount,
                    unit,
                    spread,
                    " ".join(part for part in (group, " ".join(own) or row[0]) if part),
                    heads[column],
                    row[column],
                )
            )
    return found


def _is_group(rows: Sequence[Sequence[str]], parsed: Sequence[Sequence[object]], number: int) -> bool:
    """Whether a row is a heading for those below it: one name at its begin, and nothing else."""
    if not 0 < number < len(rows):
        return False
    row = rows[number]
    alone = bool(row) and bool(re.search(r"[^\W\d_]", row[0])) and not any(row[1:]) and not any(parsed[number])
    return alone and any(len(other) > 1 and any(other[1:]) for other in rows[:number])


def _over(row: Sequence[str], column: int) -> str:
    """What stands over a column: a cell over several columns stands at the first of them."""
    if column < len(row) and row[column]:
        return row[column]
    if column == 0:
        return ""
    spanned = next((cell for cell in reversed(row[1:column]) if cell), "")
    return spanned if column < len(row) else ""


def parse(text: str) -> tuple[str, float, str, str] | None:
    """(text, value, unit, spread) of a cell that holds a value and nothing else."""
    if len(text) > 60 or not re.search(r"\d", text):
        return None
    match = _CELL.fullmatch(text.strip())
    if match is None or not re.search(r"\d", match[1]):
        return None
    try:
        value = value_of(match[1])
    except (ValueError, OverflowError):
        return None
    spread = match[3] or match[4] or ""
    return match[1].strip(), value, match[2] or "", spread if re.search(r"\d", spread) else ""


def caption_of(document: Document, table: Table) -> str:
    """The caption of a table, or nothing."""
    return next(
        (c.text for c in document.captions if c.kind == "table" and table.number and c.number == table.number), ""
    )


def name_of(table: Table, place: int) -> str:
    """'Table 2'; without a number the place among the tables."""
    return f"Table {table.number or place + 1}"


def better(head: str) -> int:
    """1 where more is better, -1 where less is, 0 where the words do not say."""
    up, down = bool(HIGHER.search(head)), bool(LOWER.search(head))
    if "↑" in head or "↓" in head:
        return ("↑" in head) - ("↓" in head)
    return (up > down) - (down > up)
