"""A paper as the prior sees it: running text by sections, and nothing that a parser or a publisher put between.

Parsers differ in how they mark headings, tables, equations and line ends. All that is brought to one form here: lines of
prose, joined and de-hyphenated, under headings without numbers. Rows of tables, equations, page headers and page numbers go.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise

MAX_CHARS = 1_000_000
"""Longer texts are cut before anything is read; a main text of ten pages has about 50,000."""

_KNOWN = (
    "abstract|introduction|related works?|prior works?|previous works?|literature review|background|preliminar(?:y|ies)|motivation|"
    "notations?|problem (?:setup|setting|statement|formulation)|methods?|methodology|approach|(?:the )?proposed (?:method|approach|model)|"
    "our (?:method|approach|model)|models?|algorithms?|architecture|theory|theoretical (?:analysis|results)|analysis|main results?|"
    "experiments?|experimental (?:results?|setup|settings?|evaluation)|evaluations?|empirical (?:results|evaluation)|results?|"
    "results and discussions?|ablation stud(?:y|ies)|applications?|implementation(?: details)?|discussions?|limitations?|future work|"
    "conclusions?|conclusions? and (?:future work|discussions?)|discussions? and (?:conclusions?|future work)|conclusions?, .{3,40}|summary|"
    "references|bibliography|appendix|appendices|supplementary materials?|supplement|acknowledge?ments?|acknowledgments? and .{3,40}|"
    "author contributions?|contributions|funding|disclosure of funding|(?:code|data|code and data|data and code) availability|"
    "ethics(?: statement)?|ethical (?:statement|considerations?)|reproducibility(?: statement| checklist)?|broader impacts?(?: statement)?|"
    "social impacts?|societal impacts?|checklist"
)
_HEADING = re.compile(
    r"^(?:section )?(?P<number>\d{1,2}(?:\.\d{1,2}){0,3}|[ivx]{1,4}(?=\.)|[a-z](?:\.\d{1,2}){0,3}(?=[.:]? ))?(?P<stop>[.:]?)\s*"
    rf"(?:(?P<known>{_KNOWN})|(?P<name>.{{3,90}}))[.:]?$",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^[-*•‣◦▪–]\s+")
_NUMBER = re.compile(r"\d{1,2}(?:\.\d{1,2}){0,3}\.?|[A-Z](?:\.\d{1,2}){0,3}\.?")
_LINE_NUMBER = re.compile(r"^\s*(\d{1,4})(?:\s+|$)")
_PAGE = re.compile(
    r"^(?:(?:under review|published|accepted|submitted|preprint|to appear|workshop track|camera.?ready)\b.{0,120}|"
    r"paper under double.?blind review.{0,20}|anonymous (?:authors?|submission).{0,60}|\d{1,3}|page \d+.{0,12}|-{3,}|arxiv:\S+.{0,60})$",
    re.IGNORECASE,
)
_CAPTION = re.compile(
    r"^(?:supplementary )?(figure|fig\.?|table|algorithm|listing)\s*~?(\d{1,2}|[ivx]{1,4})\s*[:.|]", re.IGNORECASE
)
_YEAR = re.compile(r"\b(?:19|20)\d\d[a-z]?\b")
_ARGUES = re.compile(
    r"\b(?:[Ww]e|[Oo]ur|hence|thus|denotes?|respectively|(?:Figure|Table|Lemma|Theorem|Section|Appendix) [A-Z]?\.?\d|et al\.,? \(?\d)\b"
)
LONGEST_ENTRY = 15
"""Lines of a reference list without a year, after which it has ended."""
_EMPHASIS = re.compile(r"\*{1,3}|(?<![A-Za-z0-9])_{1,3}(?=\S)|(?<=\S)_{1,3}(?![A-Za-z0-9])|`")
_WORD = re.compile(r"[A-Za-z][a-z'’]+(?:-[A-Za-z]+)*|[A-Z]{2,}")
_STOP = re.compile(
    r"\b(?:the|of|and|to|in|is|are|we|for|that|this|with|on|as|by|our|can|it|be|which|from|an|a|not|or)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Section:
    """A heading without its number, its depth (1: a section, 2: a subsection, ...), and the prose under it.

    `rest` counts the tokens of what is not prose: displayed equations, rows of tables, captions.
    """

    heading: str
    depth: int
    text: str
    rest: int = 0


@dataclass(frozen=True)
class PaperText:
    """What was found of a paper. Texts are prose on one line each; `references` are lines of the reference list."""

    title: str
    abstract: str
    sections: tuple[Section, ...]
    references: tuple[str, ...]
    captions: tuple[str, ...]

    @property
    def text(self) -> str:
        """All sections, one after the other, without title and abstract."""
        return " ".join(section.text for section in self.sections if section.text)


def read_text(text: str, title: str = "", abstract: str = "") -> PaperText:
    """Split plain or Markdown-like text into sections, captions and references; never fails, bounded by MAX_CHARS.

    `title` and `abstract` are taken where they are known already; otherwise the first lines and what stands under "Abstract".
    """
    lines = _joined_headings(
        [_plain(line) for line in _joined_words(_unnumbered(normal(text[:MAX_CHARS]).split("\n")))]
    )
    sections: list[Section] = []
    references: list[str] = []
    captions: list[str] = []
    heading, depth, prose, in_caption, listed = "", 0, _Prose(), False, False

    def close() -> None:
        if heading or prose.lines:
            sections.append(Section(heading, depth, prose.text(), prose.rest))

    for line in lines:
        if not line:
            in_caption = False
            prose.break_()
            continue
        if _PAGE.match(line):
            continue
        found = _as_heading(line)
        if found is not None and (not in_caption or line.isupper() or is_references(found[0])):
            in_caption = False
            close()
            listed = listed or bool(references)
            heading, depth, prose = *found, _Prose()
            continue
        if is_references(heading):
            if not listed:  # a second list is that of an appendix
                references.append(line)
        elif _CAPTION.match(line):
            in_caption = True
            captions.append(line)
            prose.rest += len(line.split())
        elif in_caption and len(captions[-1]) < 1000:
            captions[-1] += " " + line
            prose.rest += len(line.split())
        else:
            in_caption = False
            prose.add(line)
    close()
    return _placed(sections, references, captions, title, abstract, lines)


def _placed(
    sections: list[Section], references: list[str], captions: list[str], title: str, abstract: str, lines: list[str]
) -> PaperText:
    """Title and abstract taken out of the sections they were found in."""
    before: list[Section] = []
    while sections and not _starts_paper(sections[0].heading):
        before.append(sections.pop(0))
        if len(before) > 6 or not sections:  # a paper whose headings are all unknown: nothing stands before its text
            sections, before = before + sections, []
            break
    if not title:
        title = next((line for line in lines if len(_WORD.findall(line)) >= 2 and not _PAGE.match(line)), "")
    if sections and sections[0].heading.lower() == "abstract":
        found = sections.pop(0).text
        abstract = abstract or found
    elif not abstract and before:
        abstract = max((section.text for section in before), key=len)
    return PaperText(
        " ".join(title.split())[:300],
        " ".join(abstract.split())[:5000],
        tuple(sections),
        tuple(_listed(references)),
        tuple(captions),
    )


def normal(text: str) -> str:
    """Ligatures, odd spaces and control characters brought to plain characters."""
    text = unicodedata.normalize("NFKC", text).replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u00ad\ufeff]", " ", text)
    text = text.replace("’", "'").replace("“", '"').replace("”", '"')
    return text


def _unnumbered(lines: list[str]) -> list[str]:
    """Lines without the line numbers that drafts for review print in the margin, where most lines carry one in order."""
    numbers = [int(found[1]) if (found := _LINE_NUMBER.match(line)) else None for line in lines]
    filled = sum(1 for line in lines if line.strip())
    seen = [number for number in numbers if number is not None]
    rising = sum(1 for first, second in pairwise(seen) if second == first + 1)
    if rising < 50 or rising < 0.3 * filled:
        return lines
    return [
        _LINE_NUMBER.sub("", line) if number is not None else line for line, number in zip(lines, numbers, strict=True)
    ]


def _joined_words(lines: list[str]) -> list[str]:
    """Words that were broken at the end of a line are whole again."""
    return re.sub(r"(?<=[a-z])-\n(?=[a-z])", "", "\n".join(lines)).split("\n")


def _plain(line: str) -> str:
    line = line.strip()
    if line.startswith("#"):
        line = line.lstrip("#").strip().replace("## ", "")
    if line.startswith("|"):
        return ""
    line = _EMPHASIS.sub("", line)
    return " ".join(_BULLET.sub("", line).split())


def _joined_headings(lines: list[str]) -> list[str]:
    """A number alone on its line, followed by a line in capitals or a known name, is one heading in two lines."""
    joined: list[str] = []
    skip = False
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if skip:
            skip = False
            continue
        if _NUMBER.fullmatch(line) and not _PAGE.match(following) and _as_heading(f"{line} {following}"):
            joined.append(f"{line} {following}")
            skip = True
        else:
            joined.append(line)
    return joined


def _as_heading(line: str) -> tuple[str, int] | None:
    """(name, depth) of a heading, or None for everything else."""
    if len(line) > 110 or not (found := _HEADING.match(line)):
        return None
    number = found["number"] or ""
    depth = number.count(".") + 1
    if found["known"]:
        # running text that happens to consist of a known name would be in lower case
        return (found["known"].lower(), depth) if line[0].isdigit() or line[0].isupper() else None
    name = found["name"].strip()
    words = _WORD.findall(name)
    if not number or not words or len(name.split()) > 14 or not name[0].isupper() or name[-1] in ",;=":
        return None
    if number.isdigit() and int(number) > 12:
        return None
    letters = [c for c in name if c.isalpha()]
    upper = sum(c.isupper() for c in letters) / len(letters)
    if upper > 0.8 and len(letters) >= 5 and sum(c.isalpha() or c in " -:,'&?/()" for c in name) > 0.9 * len(name):
        return name.lower(), depth
    if number[0].isalpha():
        return None
    mostly_words = sum(len(w) for w in words) > 0.75 * len(name.replace(" ", ""))
    return (
        (name.lower(), depth)
        if mostly_words and name[-1] not in ".:?" and found["stop"] in ".:" and len(words) <= 9
        else None
    )


def _listed(lines: list[str]) -> list[str]:
    """The lines of a list of references; an appendix that follows without a heading is no part of it.

    The list ends where no more years come, at a caption, or where three of eight lines argue.
    """
    last, argued = 0, [-8, -8]
    for place, line in enumerate(lines):
        if place - last > LONGEST_ENTRY or _CAPTION.match(line):
            break
        if _ARGUES.search(line):
            if place - argued[0] < 8:
                return lines[: argued[0]]
            argued = [argued[1], place]
        if _YEAR.search(line):
            last = place + 1
    return lines[:last]


def is_references(heading: str) -> bool:
    """Is this the heading of a reference list?"""
    return heading.startswith(("references", "bibliography"))


def _starts_paper(heading: str) -> bool:
    return heading.startswith(("abstract", "introduction", "motivation", "background", "related work"))


class _Prose:
    """Collects lines that read as running text; rows of tables, equations and labels of figures are left out."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.running = False
        self.rest = 0

    def add(self, line: str) -> None:
        tokens = line.split()
        words = sum(1 for token in tokens if _WORD.fullmatch(token.strip(".,;:()[]\"'?!")))
        stops = len(_STOP.findall(line))
        long = words >= 5 and words >= 0.55 * len(tokens) and stops >= 1
        tail = self.running and words >= 0.6 * len(tokens) and line[-1] in ".:;?!"
        if long or tail:
            self.lines.append(line)
            self.running = True
        else:
            self.running = False
            self.rest += len(tokens)

    def break_(self) -> None:
        self.running = False

    def text(self) -> str:
        return " ".join(self.lines)
