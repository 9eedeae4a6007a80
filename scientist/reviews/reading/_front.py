"""The top of the first page: title and authors. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from scientist.reviews.reading._build import Parts
from scientist.reviews.reading._lines import Line
from scientist.reviews.reading._shapes import joined, numbered

_ABSTRACT = re.compile(r"a\s?b\s?s\s?t\s?r\s?a\s?c\s?t\b", re.IGNORECASE)
_NO_NAME = re.compile(
    r"@|\d{3}|universit|institut|departm|department|laborator|school|college|research|centre|center|faculty|academy|google|"
    r"deepmind|microsoft|facebook|openai|inc\b|ltd|gmbh|corporation|https?:|www\.|anonymous|double[- ]blind|review|address|"
    r"affiliation|email|e-mail|abstract|preprint|conference|proceedings|published|\b(?:usa|uk|china|germany|france|canada)\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"[^\W\d_][\w'’.\-]*(?: [^\W\d_][\w'’.\-]*){1,5}")


def front(lines: Sequence[Line], body: float, parts: Parts, words: Mapping[str, int]) -> list[Line]:
    """Take title and authors into `parts`; the lines that are neither are left, in their order."""
    first = [line for line in lines if line.page == 1]
    end = next((place for place, line in enumerate(first[:60]) if _ABSTRACT.match(line.text.strip())), None)
    named = end is not None
    if end is None:
        end = next(
            (p for p, x in enumerate(first[:80]) if (found := numbered(x.text)) and found[0] in ("1", "I") and p), None
        )
    if end is None and len(first) <= 14 and len(first) < len(lines):
        end = len(first)  # a title page
    known = end is not None
    head = first[:end] if end is not None else first[:40]
    big = [line for line in head if line.size > 1.12 * body and re.search(r"[^\W\d_]{2}", line.text)]
    big = big or [line for line in head[:4] if line.bold]
    if not big:
        return list(lines)
    size = max(line.size for line in big)
    start = next(place for place, line in enumerate(head) if line in big and line.size > size - 0.6)
    title = [head[start]]
    for line in head[start + 1 :]:
        close = line.base - title[-1].base < 1.9 * size
        if line.size <= size - 0.6 or not close or (line.bold != title[-1].bold and size <= 1.15 * body):
            break
        title.append(line)
    parts.title = joined(line.text for line in title)
    after = [line for line in head if line not in title]
    prose = after
    if not named:
        # Without its name an abstract is what is set narrower or smaller than the text, below the authors.
        place = next((p for p, x in enumerate(after) if len(x.words) > 8 and not _NO_NAME.search(x.text)), len(after))
        prose = after[:place]
        abstract: list[Line] = []
        left = min((line.edge[0] for line in first), default=0.0)
        for line in after[place:]:
            if not (line.size < 0.96 * body or line.left > left + 1.4 * body) or (
                abstract and line.base - abstract[-1].base > 2 * body
            ):
                break
            abstract.append(line)
        if len(abstract) > 2:
            parts.abstract = joined((line.text for line in abstract), words)
            parts.abstract_page = 1
            prose = prose + abstract
        if not known and not abstract:
            prose = []
    parts.authors = _names([line for line in prose if len(line.words) < 40 and line.text not in parts.abstract])
    taken = {id(line) for line in [*title, *prose]}
    return [line for line in lines if id(line) not in taken]


def _names(lines: Sequence[Line]) -> list[str]:
    found: list[str] = []
    for line in lines:
        for cell in line.cells(1.1):
            said = " ".join(word.text for word in cell if line.scripts.get(id(word), 0) <= 0)
            for piece in re.split(r",|;|&|·|•|\b(?:and|AND)\b|[∗*†‡§¶\d]+", said):
                name = piece.strip(" .^")
                if _NAME.fullmatch(name) and not _NO_NAME.search(name) and len(name) <= 60 and name[:1].isupper():
                    found.append(name)
    return list(dict.fromkeys(found))[:200]
