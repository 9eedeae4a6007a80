"""One entry of a reference list, as it is printed: in fields, or as running text in whatever style."""

from __future__ import annotations

import re
from dataclasses import dataclass

from scientist.lab import Record
from scientist.literature._keys import find_arxiv, find_doi
from scientist.literature._pages import address, is_page
from scientist.literature._plain import plain

NO_KEY = frozenset({"", "none", "null", "nan", "undefined", "unknown", "todo", "na", "n/a", "key", "citationkey", "?"})
ARXIV_DOI = re.compile(r"10\.48550/arxiv\.(.+?)(?:v\d+)?", re.IGNORECASE)
_BROKEN_DOI = re.compile(
    r"(\b10\.\d{4,9}/(?:\S*[./_-])?) (?!(?:1[5-9]|20)\d\d\b|https?:|urls?\b|in\b|arxiv\b)(?=[\da-z(])(\S)"
)
"""Addresses are broken after a sign; what follows a whole one begins anew, with a capital, a year or an address."""
YEAR = re.compile(r"(?<![\d.:/-])(1[5-9]\d\d|20\d\d)(?![\d/]|\.\d)")


class FormFault(Record):
    """Something wrong with how an entry, or a list, is written. `code` names it: the table is in docs/citations.md."""

    code: str
    line: int = 0
    message: str


@dataclass(frozen=True)
class Printed:
    """One work as a bibliography prints it. `authors` may be empty where `author_text` or `text` holds them in running words;
    `guessed`: which part of `text` is the title was seen from how it is set."""

    key: str
    line: int = 0
    kind: str = "misc"
    title: str = ""
    authors: tuple[str, ...] = ()
    author_text: str = ""
    year: int | None = None
    year_text: str = ""
    venue: str = ""
    volume: str = ""
    pages: str = ""
    doi: str = ""
    arxiv: str = ""
    text: str = ""
    url: str = ""
    faults: tuple[FormFault, ...] = ()
    retracted: bool = False
    guessed: bool = False


def printed_text(key: str, text: str) -> Printed:
    """An entry that was read from a page: running text, whose signs are no LaTeX and whose DOI may be broken at a line's end."""
    whole = _BROKEN_DOI.sub(r"\1\2", text)
    return printed_item(key, "", re.sub(r"([\\{}$&#_%])", r"\\\1", whole), 0)


def printed_item(key: str, label: str, body: str, line: int) -> Printed:
    r"""The entry of one `\bibitem`: `label` is natbib's, `line` the line that it starts on."""
    url, kind = address(body), "misc" if is_page(body) else "article"
    body = re.sub(
        r"\\penalty\s*\d+|\\BIBentry\w+|\\hskip[^\\]*\\relax|\\url(?=\{)|\\doi(?=\{)|\\href\s*\{[^{}]*\}", " ", body
    )
    blocks = [" ".join(block.split()) for block in re.split(r"\\newblock\b", body)]
    running = plain(" ".join(blocks), 1500)
    doi = find_doi(re.sub(r"\\([_&%#])", r"\1", body))
    arxiv = find_arxiv(body)
    if preprint := ARXIV_DOI.fullmatch(doi):
        doi, arxiv = "", arxiv or preprint.group(1)
    quoted = re.search(r"``(.+?),?''|“(.+?),?”", body, re.DOTALL)
    title, author = "", ""
    slanted = re.search(
        r"(?:\{\\(?:em|it|itshape)\b|\\(?:emph|textit)\s*\{)\s*([^{}]+(?:\{[^{}]*\}[^{}]*)*)\}", blocks[0]
    )
    if quoted and quoted.start() > 0:
        author, title = plain(body[: quoted.start()], 4000), plain(quoted.group(1) or quoted.group(2), 600).strip(" .,")
    elif slanted and slanted.start() > 0:
        author, title = plain(blocks[0][: slanted.start()], 4000), plain(slanted.group(1), 600).strip(" .,")
    elif len(blocks) > 1:
        author, title = plain(blocks[0], 4000), plain(blocks[1], 600).strip(" .")
    # The year stands in natbib's label, else it is the last one of the text that belongs to no identifier.
    bare = re.sub(
        r"(?:arxiv[:\s]*|abs/)[\d.]+(?:v\d+)?|10\.\d{4,9}/\S+|https?://\S+", " ", running, flags=re.IGNORECASE
    )
    bare = re.sub(r"\d+\s*[-–—]+\s*\d+|\b(?:pp?|pages)\.?\s*\d+", " ", bare.replace(title, " ") if title else bare)
    labelled = YEAR.findall(plain(label, 300).rpartition("(")[2])
    years = labelled or re.findall(r"\((?:[A-Z][a-z]+\.?\s+)?(1[5-9]\d\d|20\d\d)[a-z]?\)", bare) or YEAR.findall(bare)
    return Printed(
        key=key,
        line=line,
        kind=kind,
        url=url,
        title=title,
        author_text=author,
        year=int(years[-1]) if years else None,
        year_text=years[-1] if years else "",
        doi=doi,
        arxiv=arxiv,
        text=running,
        guessed=bool(title),
        faults=(FormFault(code="bad-key", line=line, message=f"the key is {key!r}"),) if key.lower() in NO_KEY else (),
        retracted=bool(re.search(r"\bretracted\b", running, re.IGNORECASE)),
    )
