"""The files that a review leaves, by which it is known again, and the index of several."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from pydantic import Field

from scientist.errors import RecordError
from scientist.lab import Record, canonical_json, read_json, write_atomic
from scientist.reviews._markdown import number, safe
from scientist.reviews.document._html import bar, page, table, text
from scientist.reviews.document._page import render_document_review
from scientist.reviews.document._record import DocumentReview
from scientist.reviews.document._web import web_page
from scientist.reviews.injection import escaped

REVIEW = "review.json"
SAID = (
    "Made by programs. A score says what reviewers of one venue would give a text that reads so, less what was found; it is no verdict. "
    "Errors and injections first: look at those."
)
"""What an index says of itself."""


class Entry(Record):
    """A paper in an index. `failed`: why there is no review of it; `page`: its page, below the folder of the index."""

    paper: str
    title: str = ""
    page: str = ""
    score: float | None = None
    interval: tuple[float, float] | None = None
    acceptance: float | None = None
    errors: int = Field(default=0, description="slips among them")
    warnings: int = 0
    injected: int = 0
    failed: str = ""


def write_review(review: DocumentReview, folder: Path) -> list[Path]:
    """Write `review.md`, `review.html` and, last, `review.json`: where that stands the review is whole. Returns the paths."""
    files = [
        ("review.md", render_document_review(review).encode()),
        ("review.html", web_page(review).encode()),
        (REVIEW, review.canonical()),
    ]
    for name, content in files:
        write_atomic(folder / name, content)
    return [folder / name for name, _ in files]


def kept_review(folder: Path, made_from: str) -> DocumentReview | None:
    """The review in a folder, if it is of these bytes and by this program."""
    if not all((folder / name).is_file() for name in ("review.md", "review.html", REVIEW)):
        return None
    try:
        found = read_json(DocumentReview, folder / REVIEW)
    except RecordError:
        return None
    return found if found.made_from == made_from else None


def entry_of(review: DocumentReview, folder: str) -> Entry:
    """What an index says of a review that stands in a folder below it."""
    return Entry(
        paper=review.paper,
        title=review.title,
        page=f"{folder}/review.html",
        score=review.score,
        interval=review.interval,
        acceptance=review.acceptance,
        errors=review.errors + review.slips,
        warnings=review.warnings,
        injected=len(review.injections),
    )


def write_index(entries: Sequence[Entry], folder: Path, title: str, said: str = SAID) -> list[Path]:
    """Write `index.json`, `index.md` and `index.html` in the order of the entries. Returns the paths."""
    files = [
        ("index.json", canonical_json([entry.model_dump(mode="json") for entry in entries])),
        ("index.md", index_page(entries, title, said).encode()),
        ("index.html", index_web_page(entries, title, said).encode()),
    ]
    for name, content in files:
        write_atomic(folder / name, content)
    return [folder / name for name, _ in files]


def index_page(entries: Sequence[Entry], title: str, said: str = SAID) -> str:
    """The index as Markdown. Pure."""
    rows = [
        "| paper | score | interval | accepted | errors | warnings | injected |",
        "|---|---|---|---|---|---|---|",
    ]
    for entry in entries:
        name = safe(escaped(entry.paper, 120))
        link = f"[{name}]({quote(_beside(entry.page))})" if entry.page else name
        if entry.failed:
            rows.append(f"| {link} | not reviewed: {safe(escaped(entry.failed, 300))} | | | | | |")
            continue
        rows.append(
            f"| {link} | {number(entry.score)} | {interval_told(entry)} | {number(entry.acceptance)} | {entry.errors} | {entry.warnings} "
            f"| {f'**{entry.injected}**' if entry.injected else 0} |"
        )
    return f"# Reviews: {safe(escaped(title, 200))}\n\n{safe(said)}\n\n" + "\n".join(rows) + "\n"


def index_web_page(entries: Sequence[Entry], title: str, said: str = SAID) -> str:
    """The index as a page for a browser. Pure."""
    heads = [
        ("Paper", False),
        ("Score", True),
        ("", False),
        ("Interval", True),
        ("Accepted", True),
        ("Errors", True),
        ("Warnings", True),
        ("Injected", True),
    ]
    body = [
        f"<header><h1>Reviews: {text(title, 200)}</h1>",
        f'<p class="soft">{text(said)}</p></header>',
        table(heads, map(_cells, entries)),
    ]
    return page(f"Reviews: {title}", body, wide=True)


def interval_told(entry: Entry) -> str:
    """'3.32 to 6.28', or a dash."""
    return f"{entry.interval[0]:.2f} to {entry.interval[1]:.2f}" if entry.interval else "–"


def _beside(web: str) -> str:
    """The page of Markdown beside a page for a browser."""
    return f"{web.removesuffix('.html')}.md" if web.endswith(".html") else web


def _cells(entry: Entry) -> list[str]:
    name = text(entry.paper, 120)
    told = f'<a href="{text(quote(entry.page))}">{name}</a>' if entry.page else name
    if entry.failed:
        return [f'{told}<br><small class="error">{text(entry.failed, 300)}</small>', "–", "", "–", "–", "–", "–", "–"]
    title = f"<br><small>{text(entry.title, 160)}</small>" if entry.title else ""
    drawn = bar(entry.score, entry.interval) if entry.score is not None and entry.interval else ""
    injected = f'<b class="error">{entry.injected}</b>' if entry.injected else "0"
    return [
        told + title,
        number(entry.score),
        drawn,
        interval_told(entry),
        number(entry.acceptance),
        str(entry.errors),
        str(entry.warnings),
        injected,
    ]
