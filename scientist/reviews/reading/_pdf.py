"""A PDF as a Document, with the material of the injection scan. The file is looked at by two processes of their own,
with limits on memory, time and what they may say; what they tell is put in order here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from scientist.errors import RecordError
from scientist.reviews.reading._blocks import Blocks
from scientist.reviews.reading._build import finish
from scientist.reviews.reading._document import Box, Extra, Figure, Link, Page, Reading, Run
from scientist.reviews.reading._lines import Sheet, Word
from scientist.reviews.reading._shapes import Cited
from scientist.reviews.reading._text import things

LARGEST = 100 << 20  # bytes of one file
SECONDS = 120.0  # by the clock; processor time is limited too
ANSWER = 100 << 20  # bytes of what a child may say
SEEN = 0.045  # change of the page's picture (0 to 1) below which a word cannot be seen
_CHILD = Path(__file__).parent / "_pdf_child" / "__main__.py"
_MODES = (3, 7)  # text rendering modes that draw nothing


def read_pdf(path: Path) -> Reading:
    """Read a PDF. Raises :class:`RecordError`, in one line, when it cannot be read."""
    _check(path)
    told, beside = look(path)
    if problem := told.get("problem"):
        raise RecordError(f"{path.name} cannot be read: {problem}", "is it the right file? try saving it anew")
    return reading_of(told, beside, path.name)


def look(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the pages of a file hold, and what it holds beside them; what went wrong is under 'problem'."""
    children = [_Child(part, path) for part in ("pages", "beside")]
    told, beside = (child.answer() for child in children)
    return told, beside


def _folders() -> list[str]:
    """Where the packages lie that a child needs; a missing one is told by the child."""
    found = (find_spec(name) for name in ("pypdfium2", "pypdf", "numpy"))
    return sorted({str(Path(spec.origin).parents[1]) for spec in found if spec and spec.origin})


def _check(path: Path) -> None:
    """What can be seen without looking inside."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(1024)
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror or error}", "check the file") from error
    if not size:
        raise RecordError(f"{path.name} is empty", "download or build it again")
    if size > LARGEST:
        raise RecordError(f"{path.name} is larger than {LARGEST >> 20} MB", "make its pictures smaller")
    if head.startswith(b"PK\x03\x04"):
        raise RecordError(f"{path.name} is a zip archive (a .docx?), no PDF", "export it as PDF")
    if b"%PDF-" not in head:
        raise RecordError(f"{path.name} is no PDF", "name a PDF, a TeX project or a plain text")


class _Child:
    """One process that looks at the file."""

    def __init__(self, part: str, path: Path) -> None:
        keep = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ}
        threads = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_CHILD), part, str(path.resolve()), *_folders()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**keep, **threads},
                cwd="/",
            )
        except OSError as error:
            raise RecordError(
                f"{path.name} cannot be read: {error.strerror or error}", "see `scientist doctor`"
            ) from error
        self._late = False
        self._data = b""
        self._timer = threading.Timer(SECONDS, self._stop)
        self._timer.start()
        # Both children speak at once: each has a thread that listens, so that neither waits for the other.
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _stop(self) -> None:
        self._late = True
        self._process.kill()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        self._data = self._process.stdout.read(ANSWER + 1)
        if len(self._data) > ANSWER:
            self._process.kill()
        self._process.stdout.close()

    def answer(self) -> dict[str, Any]:
        """What it told; what went wrong is under 'problem'."""
        self._listener.join()
        code = self._process.wait()
        self._timer.cancel()
        if self._late:
            return {"problem": f"not done within {SECONDS:.0f} s"}
        if code != 0 or len(self._data) > ANSWER:
            return {"problem": "its reader was stopped: too much time or memory"}
        try:
            told = json.loads(self._data)
        except ValueError:
            return {"problem": "its reader said nothing that makes sense"}
        return told if isinstance(told, dict) else {"problem": "its reader said nothing that makes sense"}


def reading_of(told: Mapping[str, Any], beside: Mapping[str, Any], name: str) -> Reading:
    """The Reading of what the two children told. Pure."""
    styles = told["styles"]
    unread = list(told["unread"])
    sheets: list[Sheet] = []
    runs: list[Run] = []
    pages: list[Page] = []
    figures: list[Figure] = []
    for number, page in enumerate(told["pages"], start=1):
        pages.append(_page(page))
        shown, hidden = _shown(page, styles, pages[-1])
        pictures, inside = _pictures(page, number)
        runs += _runs(page, styles, number, inside)
        figures += pictures
        words = [
            Word(w[0], w[1], w[2], w[3], w[4], w[5], styles[w[6]][1], styles[w[6]][0])
            for w in shown
            if not w[7] and w[8] not in inside
        ]
        lines = [[tuple(line) for line in page[kind]] for kind in ("rules", "walls")]
        sheets.append(Sheet(number, page["width"], page["height"], words, *lines))
        if not page["words"]:
            why = "it is a picture (a scan?)" if pages[-1].pictures > 0.4 else "it holds no text"
            if page["width"]:
                unread.append(f"page {number}: nothing read, {why}")
        elif hidden == "scan":
            unread.append(f"page {number}: a scan; its text is what whoever scanned it took it for")
        elif hidden:
            unread.append(f"page {number}: {hidden} words that nobody can see are left out")
        turned = sum(bool(w[7]) for w in shown)
        if turned:
            unread.append(f"page {number}: {turned} words that are not printed upright are left out")
    unread += [f"beside the pages: {line}" for line in beside.get("failed", ())]
    if problem := beside.get("problem"):
        unread.append(f"metadata, annotations and attachments: {problem}")
    blocks = Blocks(sheets)
    blocks.read()
    parts = blocks.parts
    parts.figures = figures
    parts.pages = told["count"]
    parts.unread = unread + parts.unread
    parts.links += [Link(url=url, page=page) for url, page in beside.get("links", ())]
    document = finish(parts, name, "pdf", *_known(parts, blocks.cited))
    return Reading(
        document=document,
        runs=tuple(runs),
        page_sizes=tuple(pages),
        extras=tuple(Extra(kind=k, name=n, text=t, page=p) for k, n, t, p in beside.get("extras", ())),
    )


def _known(parts: Any, cited: Cited) -> tuple[Any, Any]:
    there = things(parts)
    return cited.known, lambda label: label in there


def _page(page: Mapping[str, Any]) -> Page:
    area = page["width"] * page["height"] or 1.0
    covered = sum(max(0.0, i[2] - i[0]) * max(0.0, i[3] - i[1]) for i in page["images"])
    return Page(width=page["width"], height=page["height"], pictures=round(min(1.0, covered / area), 3))


def _shown(page: Mapping[str, Any], styles: Sequence[Sequence[Any]], told: Page) -> tuple[list[Any], int | str]:
    """The words that can be seen, and how many cannot ('scan' where the text lies invisibly over a picture of it)."""
    words = page["words"]
    unseen = [w for w in words if not visible(w[9], styles[w[6]], w)]
    if told.pictures > 0.5 and len(unseen) > 0.8 * len(words) and all(styles[w[6]][6] == 3 for w in unseen):
        return words, "scan"
    gone = {id(w) for w in unseen}
    return [w for w in words if id(w) not in gone], len(unseen)


def visible(change: float | None, style: Sequence[Any], word: Sequence[Any]) -> bool:
    """Whether a reader sees a word: by what it changes on the page, else by its mode, its transparency, its colour."""
    if style[6] in _MODES or style[1] < 1.5 or len(style[8].split()) > 2:
        return False  # the last: the file tells programs other words than it prints
    if change is not None:
        return change >= SEEN
    return bool(style[5] > 0.05 and min(style[2:5]) < 0.95)


def _runs(page: Mapping[str, Any], styles: Sequence[Sequence[Any]], number: int, inside: set[int]) -> list[Run]:
    """Neighbouring words of one style as runs: what is drawn in one way, and how well it can be seen."""
    found: list[Run] = []
    group: list[Any] = []

    def close() -> None:
        if not group:
            return
        font, size, red, green, blue, alpha, mode, layer, _ = styles[group[0][6]]
        seen = [w[9] for w in group if w[9] is not None]
        found.append(
            Run(
                text=" ".join(w[0] for w in group),
                page=number,
                box=Box(
                    left=min(w[1] for w in group),
                    top=min(w[2] for w in group),
                    right=max(w[3] for w in group),
                    bottom=max(w[4] for w in group),
                ),
                size=size,
                font=font,
                color=(red, green, blue),
                alpha=alpha,
                mode=mode,
                layer=layer,
                contrast=max(seen) if seen else None,
                figure=group[0][8] in inside,
                turned=bool(group[0][7]),
            )
        )
        group.clear()

    for word in page["words"]:
        if group:
            last = group[-1]
            same = last[6:8] == word[6:8] and last[8] == word[8] and abs(last[5] - word[5]) < 0.6 and len(group) < 60
            alike = (last[9] is None) == (word[9] is None) and ((last[9] or 0) < SEEN) == ((word[9] or 0) < SEEN)
            if not (same and alike):
                close()
        group.append(word)
    close()
    for place in sorted({w[6] for w in page["words"]}):
        if text := styles[place][8]:
            word = next(w for w in page["words"] if w[6] == place)
            size = styles[place][1]
            found.append(Run(text=text, page=number, box=_box(word[1:5]), size=size, font="ActualText", contrast=0.0))
    return found


def _pictures(page: Mapping[str, Any], number: int) -> tuple[list[Figure], set[int]]:
    """The figures of a page, and the forms whose text belongs to a figure. A form that holds most of a page's words is
    the page itself: some programs wrap it so."""
    words = page["words"]
    figures: list[Figure] = []
    inside: set[int] = set()
    area = page["width"] * page["height"] or 1.0
    for place, box in enumerate(page["forms"]):
        size = max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])
        held = sum(w[8] == place for w in words)
        if size > 0.5 * area and held > 0.5 * len(words):
            continue
        inside.add(place)
        if size > 0.005 * area:
            figures.append(Figure(name=f"p{number}-drawing{len(figures) + 1}", page=number, box=_box(box)))
    for image in page["images"]:
        box = image[:4]
        size = max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])
        if size > 0.002 * area:
            figures.append(
                Figure(
                    name=f"p{number}-picture{len(figures) + 1}",
                    sha256=image[4],
                    page=number,
                    width=image[5],
                    height=image[6],
                    box=_box(box),
                )
            )
    return figures, inside


def _box(box: Sequence[float]) -> Box:
    return Box(left=box[0], top=box[1], right=box[2], bottom=box[3])
