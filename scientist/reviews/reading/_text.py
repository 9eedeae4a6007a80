"""Plain text, and the Markdown that PDF converters write, as a Document."""

from __future__ import annotations

import re

from scientist.reviews.reading._build import Parts, finish
from scientist.reviews.reading._document import Caption, Document, Link, Paragraph, Section, Table
from scientist.reviews.reading._shapes import (
    LIST_NAME,
    NAMED,
    Cited,
    caption,
    entry,
    follows,
    joined,
    numbered,
    referred,
    spoken,
    starts_entry,
)

LONGEST = 8 << 20  # characters that are read
_LINK = re.compile(r"\[([^\[\]\n]{0,500})\]\((https?://[^()\s]{1,1000}(?:\([^()\s]{0,100}\))?[^()\s]{0,200})\)")
_URL = re.compile(r"https?://[^\s<>\[\]{}()]{4,500}")
_RULE = re.compile(r"\s*[-=*_]{3,}\s*$")
_EMPHASIS = re.compile(r"\*\*|(?<![A-Za-z0-9\\])_(?=\S)|(?<=\S)_(?![A-Za-z0-9])")


def read_text(text: str, source: str, title: str = "") -> Document:
    """The paper that a text is. `title`, where it is known from elsewhere, is believed."""
    reader = _Reader(text[:LONGEST], title)
    reader.read()
    parts = reader.parts
    if len(text) > LONGEST:
        parts.unread.append(f"what follows the first {LONGEST} characters")
    parts.references = [reference for reference in parts.references if len(reference.text) > 8]
    cited = Cited(parts.references)
    sections = []
    for section in parts.sections:
        marked = tuple(p.model_copy(update={"text": referred(cited.marked(p.text))}) for p in section.paragraphs)
        sections.append(section.model_copy(update={"paragraphs": marked}))
    parts.sections = sections
    parts.abstract = referred(cited.marked(parts.abstract))
    there = things(parts)
    return finish(parts, source, "text", cited.known, lambda label: label in there or _vague(label, there))


def things(parts: Parts) -> set[str]:
    """What a text can refer to, as `referred` names it."""
    found = {f"{c.kind.capitalize()} {c.number}" for c in parts.captions}
    found |= {f"Equation {e.number}" for e in parts.equations if e.number}
    for section in parts.sections:
        if section.number:
            found |= {f"Section {section.number}", f"Appendix {section.number}"}
    return found


def _vague(label: str, there: set[str]) -> bool:
    """Text without positions cannot tell which equations are numbered, so those are not called missing."""
    return label.startswith("Equation") and label != "Equation ??"


class _Reader:
    def __init__(self, text: str, title: str) -> None:
        self.words = spoken(text)
        self.parts = Parts(title=title)
        self.lines = text.replace("\f", "\n\n").splitlines()
        self.heads = [Section(level=0)]
        self.paragraphs: list[list[Paragraph]] = [[]]
        self.open: list[str] = []
        self.rows: list[tuple[str, ...]] = []
        self.number = ""
        self.mode = "text"  # or abstract, references
        self.pending: Caption | None = None
        self.appendix = False

    def read(self) -> None:
        """Line by line; an empty line ends whatever was open."""
        for raw in self.lines:
            for url in _LINK.findall(raw):
                self.parts.links.append(Link(url=url[1]))
            line = _LINK.sub(r"\1", raw).strip()
            if line.startswith("|"):
                self._row(line)
                continue
            self._table()
            bare = _EMPHASIS.sub("", line).strip()
            if not bare or _RULE.fullmatch(line):
                self._end()
            elif (found := caption(bare)) and not self.open:
                self._end()
                self.pending = Caption(kind=found[0], number=found[1], text="")
                self.open = [found[2]]
            elif not self._heading(line, bare):
                for url in _URL.findall(bare):
                    self.parts.links.append(Link(url=url.rstrip(".,;")))
                if self.mode == "references" and self.open and starts_entry(bare, len(self.parts.references) + 2):
                    self._end()
                self.open.append(bare)
        self._table()
        self._end()
        for head, paragraphs in zip(self.heads, self.paragraphs, strict=True):
            if head.level or paragraphs:
                self.parts.sections.append(head.model_copy(update={"paragraphs": tuple(paragraphs)}))

    def _heading(self, line: str, bare: str) -> bool:
        hashes = re.match(r"(#{1,6}) +(.*)", bare)
        said = re.sub(r"#+ *", "", hashes[2] if hashes else bare).strip()
        found = numbered(said)
        short = len(said) <= 120 and not said.endswith((".", ",", ";"))
        first = (
            hashes and not self.parts.title and len(self.heads) == 1 and not self.paragraphs[0] and self.mode == "text"
        )
        if (
            found
            and short
            and not first
            and follows(self.number, found[0])
            and (hashes or not self.open or found[1].isupper())
        ):
            if not hashes and not (found[1].isupper() or (not self.open and len(found[1].split()) <= 12)):
                return False
            if self.mode == "references" and found[0][:1].isdigit():
                return False
            self._begin(found[0], found[1], found[2])
            return True
        if NAMED.fullmatch(said.rstrip(":. ")) and (hashes or said.isupper() or (not self.open and said[:1].isupper())):
            self._begin("", said.rstrip(":. "), 1)
            return True
        if hashes and re.search(r"[^\W\d_]{3}", said):
            if first:
                self.parts.title = said
                self._end()
            elif self.mode != "references" and (self.parts.title.casefold() != said.casefold()):
                self._begin("", said, 2)
            return True
        return False

    def _begin(self, number: str, title: str, level: int) -> None:
        self._end()
        name = title.strip()
        if re.fullmatch(r"abstract", name, re.IGNORECASE):
            self.mode = "abstract"
            return
        if LIST_NAME.fullmatch(name):
            self.mode = "references"
            return
        self.mode = "text"
        self.appendix |= (number[:1].isalpha() and number == "A") or bool(
            re.match(r"appendi|supplement", name, re.IGNORECASE)
        )
        self.number = number or self.number
        self.heads.append(Section(number=number, title=name, level=level, appendix=self.appendix))
        self.paragraphs.append([])

    def _end(self) -> None:
        said = joined(self.open, self.words)
        self.open = []
        if self.pending is not None:
            self.parts.captions.append(self.pending.model_copy(update={"text": said}))
            self._numbered_table(self.pending)
            self.pending = None
        elif not said:
            return
        elif self.mode == "references":
            self._entry(said)
        elif self.mode == "abstract":
            self.parts.abstract = f"{self.parts.abstract} {said}".strip()
        else:
            self.paragraphs[-1].append(Paragraph(text=said))

    def _entry(self, said: str) -> None:
        """An entry; what begins with a small letter or says too little goes on where the last one stopped."""
        if re.fullmatch(r"\d{1,4}", said):
            return
        last = self.parts.references[-1] if self.parts.references else None
        if last and (said[:1].islower() or (not re.search(r"\d{4}", said) and len(said) < 60)):
            self.parts.references[-1] = entry(f"{'[' + last.key + '] ' if last.key else ''}{last.text} {said}")
        elif len(said) > 2_500:  # a list printed without empty lines between
            self.parts.references += [entry(piece) for piece in _divided(said)]
        else:
            self.parts.references.append(entry(said))

    def _row(self, line: str) -> None:
        if not self.rows:
            self._end()
        cells = tuple(_EMPHASIS.sub("", cell).strip() for cell in line.strip("|").split("|"))
        if any(cell.strip("-: ") for cell in cells) and len(self.rows) < 2_000:
            self.rows.append(cells[:60])

    def _table(self) -> None:
        if self.rows:
            self.parts.tables.append(Table(rows=tuple(self.rows)))
            self.rows = []

    def _numbered_table(self, told: Caption) -> None:
        """A caption of a table belongs to the table directly before it that has none."""
        if told.kind == "table" and self.parts.tables and not self.parts.tables[-1].number:
            self.parts.tables[-1] = self.parts.tables[-1].model_copy(update={"number": told.number})


def _divided(said: str) -> list[str]:
    pieces = re.split(r"(?<=[.\d]) (?=\[\d{1,3}\] )", said)
    if len(pieces) < 3:
        pieces = re.split(r"(?<=\b(?:19|20)\d\d[a-z]\.) (?=[A-Z])|(?<=\b(?:19|20)\d\d\.) (?=[A-Z])", said)
    return pieces
