"""The injection scan: text that a reader does not see, and text that tells a reviewer what to say. Pure functions."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence

from scientist.lab import Record
from scientist.reviews.injection._phrases import (
    ALIKE,
    INVISIBLE,
    LOOKALIKES,
    about_injection,
    commands,
    folded,
    orders,
    unquoted,
)
from scientist.reviews.reading import ABSTRACT, Document, Extra, Page, Paragraph, Reading, RefEntry, Run, sentences

QUOTED = 1_000  # characters of a finding's text
LEAST = 3  # words that hidden text must hold to be one
CLIPPED = 12  # words of a label that a picture's edge cuts off; programs that plot do this
TINY = 2.6  # points
SEEN = 0.045  # change of the page's picture below which a word cannot be seen
FAINT = 0.1  # the same, below which hardly anybody sees it
REMOVED = "[removed]"

_WORD = re.compile(r"[^\W\d_]{2,}|[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")
_ZERO = frozenset("\u200b\u200c\u200d\u2060\u2063\ufeff")
_OVERRIDES = "\u202d\u202e"
_TAGS = re.compile("[\U000e0020-\U000e007e]{4,}")


class InjectionFinding(Record):
    """One thing found. `where`: page, or file and line; `text`: what it says, at most 1,000 characters, controls escaped;
    `commands`: the kinds of instruction it holds; `section`, `paragraph`, `start`, `end`: its place in the Document."""

    kind: str
    where: str
    text: str
    page: int = 0
    commands: tuple[str, ...] = ()
    section: int | None = None
    paragraph: int = 0
    start: int = 0
    end: int = 0


def scan(reading: Reading) -> list[InjectionFinding]:
    """All findings, hidden text first, then the text on the page. A clean paper has none."""
    off = {extra.text for extra in reading.extras if extra.kind == "layer"}
    found = list(_hidden(reading.runs, reading.page_sizes, off))
    found += _beside(reading.extras, reading.document)
    found += _turned(reading.runs)
    found += _said(reading.document)
    found += _disguised(reading)
    return list(dict.fromkeys(found))


def escaped(text: str, limit: int = QUOTED) -> str:
    """Text for display: one line, bounded, invisible and direction characters by their numbers."""
    shown = []
    for char in " ".join(text.split())[: 4 * limit]:
        category = unicodedata.category(char)
        shown.append(char if category[0] != "C" and not INVISIBLE.match(char) else f"\\u{{{ord(char):x}}}")
    said = "".join(shown)
    return said if len(said) <= limit else said[: limit - 1] + "…"


# --- what cannot be seen ---


def _hidden(runs: Sequence[Run], pages: Sequence[Page], off: set[str]) -> Iterator[InjectionFinding]:
    """Neighbouring runs that are hidden in the same way, as one finding."""
    scans = _scans(runs, pages)
    shown: Counter[str] = Counter()
    for run in runs:
        shown[run.font] += len(run.text) if _how(run, pages, off, scans) == "" and not run.figure else 0
    rare = 0.02 * shown.total()
    kept: list[Run] = []
    last = ""

    def close() -> Iterator[InjectionFinding]:
        if not kept:
            return
        text = " ".join(run.text for run in kept)
        held = commands(text)
        count = len(_WORD.findall(text))
        # Programs that rewrite files leave no trace of where a drawing was: its labels have a font of their own.
        drawn = all(run.figure or (last == "covered" and shown[run.font] < rare) for run in kept)
        least = CLIPPED if drawn else LEAST
        harmless = last in ("tiny", "faint", "scan", "actual-text") and (
            all(r.figure for r in kept) or last in ("scan", "actual-text")
        )
        if held or (count >= least and not harmless):
            page = kept[0].page
            yield InjectionFinding(kind=last, where=f"page {page}", text=escaped(text), page=page, commands=tuple(held))

    for run in runs:
        how = _how(run, pages, off, scans)
        if how != last or (kept and run.page != kept[-1].page):
            yield from close()
            kept = []
            last = how
        if how:
            kept.append(run)
    yield from close()


def _scans(runs: Sequence[Run], pages: Sequence[Page]) -> set[int]:
    """Pages that are a picture with its text invisibly over it, as programs that recognise characters make them."""
    hidden: Counter[int] = Counter()
    whole: Counter[int] = Counter()
    for run in runs:
        whole[run.page] += len(run.text)
        hidden[run.page] += len(run.text) if run.mode == 3 else 0
    return {
        number
        for number, page in enumerate(pages, start=1)
        if page.pictures > 0.5 and whole[number] and hidden[number] > 0.8 * whole[number]
    }


def _how(run: Run, pages: Sequence[Page], off: set[str], scans: set[int]) -> str:
    """In what way a run is hidden; empty: it is not."""
    if run.font == "ActualText":
        return "actual-text"
    page = pages[run.page - 1] if 0 < run.page <= len(pages) else None
    if page and (run.box.right < 0 or run.box.bottom < 0 or run.box.left > page.width or run.box.top > page.height):
        return "off-page"
    if run.mode in (3, 7):
        return "scan" if run.page in scans else "invisible-mode"
    if run.layer and run.layer in off:
        return "hidden-layer"
    if run.size < TINY:
        return "tiny"
    if run.alpha < 0.05:
        return "transparent"
    light = min(run.color) > 0.9
    if run.contrast is None:
        return "background-coloured" if light else ""
    if run.contrast < SEEN:
        return "background-coloured" if light else "covered"
    return "faint" if run.contrast < FAINT and light else ""


# --- what stands beside the text ---

_PLACES = {
    "metadata": "metadata", "annotation": "annotation", "attachment": "attachment", "script": "script", "alt-text": "alt-text",
    "form": "form-field", "bookmark": "bookmark", "comment": "tex-comment", "small": "tex-small",
}  # fmt: skip


def _beside(extras: Sequence[Extra], document: Document) -> Iterator[InjectionFinding]:
    """What stands beside the text. A title that the page prints too is not hidden; neither is an example in tiny print and
    quotation marks, in a paper about such attacks."""
    printed = [
        title for held in (document.title, *(s.title for s in document.sections)) if len(title := held.strip()) > 8
    ]
    about = about_injection(_whole(document))
    for extra in extras:
        text = re.sub(r"<[^<>]{0,300}>", " ", extra.text) if extra.name == "XMP" else extra.text
        if extra.kind in ("metadata", "bookmark"):
            for title in printed:
                text = text.replace(title, " ")
        elif extra.kind == "small" and about:
            text = unquoted(text)
        held = commands(f"{extra.name} {text}" if extra.kind == "attachment" else text)
        where = f"page {extra.page}, {extra.name}" if extra.page else extra.name
        if extra.kind == "hidden":
            after = extra.name.startswith("after the end")
            if held or not after:
                kind = "after-the-end" if after else f"tex-{extra.name}"
                yield InjectionFinding(kind=kind, where=escaped(where, 80), text=escaped(text), commands=tuple(held))
        elif held and extra.kind in _PLACES:
            kind = _PLACES[extra.kind]
            yield InjectionFinding(
                kind=kind, where=escaped(where, 80), text=escaped(text), page=extra.page, commands=tuple(held)
            )


# --- what is said on the page ---


def _turned(runs: Sequence[Run]) -> Iterator[InjectionFinding]:
    """Orders in text that is not printed upright: it is no part of the Document, and yet a model may be shown the page."""
    pages: dict[int, list[str]] = {}
    for run in runs:
        if run.turned:
            pages.setdefault(run.page, []).append(run.text)
    for page, texts in pages.items():
        if held := orders(text := " ".join(texts)[:3_000]):
            where = f"page {page}, not upright"
            yield InjectionFinding(kind="instruction", where=where, text=escaped(text), page=page, commands=tuple(held))


def _whole(document: Document) -> str:
    return " ".join([document.title, document.abstract, *(section.text for section in document.sections)])


def _said(document: Document) -> Iterator[InjectionFinding]:
    """Sentences of the text that command; those of a paper about such attacks are its subject."""
    if about_injection(_whole(document)):
        return
    listed = sentences(document)
    ordered: dict[int, list[str]] = {}
    for place, sentence in enumerate(listed):
        if len(sentence.text) > 3_000:
            continue
        before = " ".join(s.text for s in listed[max(0, place - 2) : place] if s.section == sentence.section)
        after = listed[place + 1].text if place + 1 < len(listed) else ""
        if held := orders(sentence.text, before, after):
            ordered[place] = held
    for place in list(ordered):  # beside an order, what only sounds like one is one too
        beside = [n for n in (place - 1, place + 1) if 0 <= n < len(listed) and n not in ordered]
        near = {n: commands(listed[n].text) for n in beside if listed[n].section == listed[place].section}
        ordered |= {n: held for n, held in near.items() if held}
    for place, sentence in enumerate(listed):
        if held := ordered.get(place, []):
            title = "abstract" if sentence.section == ABSTRACT else document.sections[sentence.section].title
            where = f"page {sentence.page}, {title}" if sentence.page else title
            yield InjectionFinding(
                kind="instruction", where=escaped(where, 80), text=escaped(sentence.text), page=sentence.page,
                commands=tuple(held), section=sentence.section, paragraph=sentence.paragraph, start=sentence.start,
                end=sentence.start + len(sentence.text),
            )  # fmt: skip
    others = [(document.title, "title", 1 if document.pages else 0)]
    others += [(section.title, "heading", section.page) for section in document.sections]
    others += [(c.text, f"caption of {c.kind} {c.number}", c.page) for c in document.captions]
    others += [(note.text, f"footnote {note.mark}", note.page) for note in document.footnotes]
    others += [
        (cell, f"table {t.number}", t.page) for t in document.tables for row in t.rows for cell in row if len(cell) > 20
    ]
    others += [(r.text, "list of references", r.page) for r in document.references]
    for text, where, page in others:
        if held := orders(text):
            yield InjectionFinding(
                kind="instruction", where=escaped(where, 80), text=escaped(text), page=page, commands=tuple(held)
            )


# --- characters in disguise ---


def _disguised(reading: Reading) -> Iterator[InjectionFinding]:
    """Characters that no writer needs: look-alikes inside words, text turned round, letters between letters, tags."""
    texts = _texts(reading)
    mixed: list[str] = []
    for where, text in texts:
        if _TAGS.search(text):
            tags = "".join(chr(ord(c) - 0xE0000) for match in _TAGS.findall(text) for c in match)
            yield InjectionFinding(
                kind="tag-characters", where=where, text=escaped(tags), commands=tuple(commands(tags))
            )
        if any(char in text for char in _OVERRIDES):
            at = min(place for char in _OVERRIDES if (place := text.find(char)) >= 0)
            piece = text[max(0, at - 40) : at + 160]
            if re.search(r"[A-Za-z]{3}", piece[40:] or piece):
                turned = piece[::-1]
                yield InjectionFinding(
                    kind="bidi-override", where=where, text=escaped(piece), commands=tuple(commands(turned))
                )
        split = [part for word in text.split() if (part := _parted(word))]
        inner = [word for word in split if not re.search(r"https?:|www\.|[/_.@]", word)]
        if len(inner) >= 2 or (inner and commands(text)):
            held = commands(" ".join(inner) if len(inner) > 3 else text)
            yield InjectionFinding(kind="zero-width", where=where, text=escaped(" ".join(inner)), commands=tuple(held))
        mixed += [f"{word}" for word in re.findall(r"[^\W\d_]{3,}", text) if _mixed(word)]
    if len(mixed) >= 2 or any(commands(text) for _, text in texts if mixed and any(word in text for word in mixed)):
        said = " ".join(dict.fromkeys(mixed))
        held = [kind for _, text in texts if any(word in text for word in mixed) for kind in commands(text)]
        yield InjectionFinding(
            kind="homoglyphs", where=f"{len(mixed)} words", text=escaped(said), commands=tuple(dict.fromkeys(held))
        )


def _parted(word: str) -> str:
    """A word from its first to its last Latin letter, if characters without width stand between them, else nothing.
    No pattern: those look again from every letter."""
    if not _ZERO & set(word):
        return ""
    places = [place for place, char in enumerate(word) if "a" <= char <= "z" or "A" <= char <= "Z"]
    inner = word[places[0] : places[-1] + 1] if places else ""
    return inner if _ZERO & set(inner) else ""


def _mixed(word: str) -> bool:
    """A word of Latin letters with look-alikes from other scripts among them."""
    alike = sum(char in LOOKALIKES for char in word)
    latin = sum("a" <= char <= "z" or "A" <= char <= "Z" for char in word)
    return bool(alike and latin >= 2 and alike + latin == len(word))


def _latin(text: str) -> str:
    """Words of Latin letters with look-alikes among them, in Latin letters only."""
    return re.sub(r"[^\W\d_]{3,}", lambda m: m.group().translate(ALIKE) if _mixed(m.group()) else m.group(), text)


def _texts(reading: Reading) -> list[tuple[str, str]]:
    document = reading.document
    found = [("abstract", document.abstract), ("title", document.title)]
    found += [
        (section.title or "text", paragraph.text) for section in document.sections for paragraph in section.paragraphs
    ]
    found += [(f"caption {caption.number}", caption.text) for caption in document.captions]
    found += [(f"footnote {note.mark}", note.text) for note in document.footnotes]
    return [(escaped(where, 80), text) for where, text in found if text]


# --- without it ---


def quarantined(document: Document, findings: Sequence[InjectionFinding]) -> Document:
    """The Document for every later reviewer: what was found on the page is replaced by '[removed]', and characters that
    nobody sees are gone. Hidden text of a PDF or of TeX never was in it."""
    spans: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for finding in findings:
        if finding.section is not None:
            spans.setdefault((finding.section, finding.paragraph), []).append((finding.start, finding.end))
    disguised = any(finding.kind == "homoglyphs" for finding in findings)
    quoted = {finding.text for finding in findings if finding.section is None}
    small = [folded(finding.text) for finding in findings if finding.kind == "tex-small"]
    for sentence in sentences(document) if small else ():
        said = folded(sentence.text)
        if len(said) > 12 and any(said in text for text in small):
            place = (sentence.start, sentence.start + len(sentence.text))
            spans.setdefault((sentence.section, sentence.paragraph), []).append(place)

    def bare(text: str, where: tuple[int, int] | None = None) -> str:
        for start, end in sorted(set(spans.get(where, ()) if where else ()), reverse=True):
            text = text[:start] + REMOVED + text[end:]
        if text and escaped(text) in quoted:
            return REMOVED
        return _latin(INVISIBLE.sub("", text)) if disguised else INVISIBLE.sub("", text)

    def paragraph(held: Paragraph, where: tuple[int, int]) -> Paragraph:
        text = bare(held.text, where)
        return (
            held
            if text == held.text
            else held.model_copy(update={"text": text, "turns": tuple(min(t, len(text)) for t in held.turns)})
        )

    def reference(held: RefEntry) -> RefEntry:
        text = bare(held.text)
        title = "" if text == REMOVED else bare(held.title)
        return held.model_copy(update={"text": text, "title": title})

    sections = tuple(
        section.model_copy(
            update={
                "title": bare(section.title),
                "paragraphs": tuple(paragraph(held, (number, place)) for place, held in enumerate(section.paragraphs)),
            }
        )
        for number, section in enumerate(document.sections)
    )
    ordered = [folded(finding.text)[:120] for finding in findings if finding.section is not None]

    def clear(sentence: str) -> bool:
        return not any(said and said in folded(sentence) for said in ordered)

    return document.model_copy(
        update={
            "title": bare(document.title),
            "abstract": bare(document.abstract, (ABSTRACT, 0)),
            "sections": sections,
            "captions": tuple(c.model_copy(update={"text": bare(c.text)}) for c in document.captions),
            "footnotes": tuple(n.model_copy(update={"text": bare(n.text)}) for n in document.footnotes),
            "tables": tuple(
                t.model_copy(update={"rows": tuple(tuple(bare(cell) for cell in row) for row in t.rows)})
                for t in document.tables
            ),
            "references": tuple(reference(held) for held in document.references),
            "cites": tuple(
                c if clear(c.sentence) else c.model_copy(update={"sentence": REMOVED}) for c in document.cites
            ),
            "crossrefs": tuple(
                c if clear(c.sentence) else c.model_copy(update={"sentence": REMOVED}) for c in document.crossrefs
            ),
        }
    )
