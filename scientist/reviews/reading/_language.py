"""Sentences of a document, and the numbers in them. Pure, linear in the length of the text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scientist.reviews.reading._document import ABSTRACT, Document, Number, Sentence

_END = re.compile(r"[.!?…。？！]+[\"'”’)\]]*(?=\s|$)|(?<=[。？！])")
_SHORT = frozenset(
    """
    al approx app appx assoc alg cf ch chap co cor corp def dept dr e.g ed eds eq eqn eqs eqns etc. ex fig figs i.e inc
    jr lem ltd mr mrs ms no nos p.s ph.d pp prof prop ref refs resp sec secs sect sr st tab tabs thm univ v.s viz vol vs
    w.r.t wrt a.k.a s.t i.i.d iid u.s
    """.split()  # noqa: SIM905
)
_WORD_BEFORE = re.compile(r"[^\s(\[]{1,12}$")
_LABELS = re.compile(
    r"(?:\b(?:figs?|figures?|tabs?|tables?|secs?|sections?|eqs?|eqns?|equations?|algs?|algorithms?|app|appendix|appendices|"
    r"chapters?|theorems?|lemmas?|lemmata|propositions?|corollary|corollaries|definitions?|remarks?|assumptions?|footnotes?|"
    r"lines?|steps?|pages?|pp?|refs?|parts?|examples?|claims?|conditions?|cases?|items?|version|python|cuda)\.?\s*~?\s*\(?|[§#]\s*)$",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?<![\w.,/:^_-])([-−–+]\s?)?((?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)"
    r"((?:[eE][-−+]?\d{1,3})|(?:\s?[×x·]\s?10\s?\^?\s?\{?[-−]?\d{1,3}\}?))?"
    r"(?:\s?(?:±|\+/-)\s?(\d+(?:\.\d+)?|\.\d+))?\s?(%|‰|percent\b|percentage points?\b|pp\b|points?\b|×|[xX]\b|[KMB]\b|k\b|°)?"
    r"(?![\w]|[.,]\d|-\w)"
)
_CITED = re.compile(r"\[[^\[\]]{0,300}\]|\((?:[^()]{0,200}\b)?(?:1[89]|20)\d\d[a-z]?\b[^()]{0,200}\)")
_YEAR = re.compile(r"(?:1[89]|20)\d\d")


def split(text: str) -> list[tuple[int, int]]:
    """Where the sentences of a paragraph begin and end."""
    found: list[tuple[int, int]] = []
    start = 0
    for match in _END.finditer(text):
        if match.end() <= start or not _ends(text, match):
            continue
        found.append((start, match.end()))
        start = match.end()
    found.append((start, len(text)))
    trimmed = []
    for begin, end in found:
        piece = text[begin:end]
        if piece.strip():
            trimmed.append((begin + len(piece) - len(piece.lstrip()), begin + len(piece.rstrip())))
    return trimmed


def _ends(text: str, match: re.Match[str]) -> bool:
    mark = match.group()
    if not mark.startswith(".") or len(mark.rstrip("\"'”’)]")) > 1:
        after = text[match.end() : match.end() + 3].lstrip()
        return not (mark.startswith("…") or mark.startswith("..")) or not after[:1].islower()
    found = _WORD_BEFORE.search(text[max(0, match.start() - 12) : match.start()])
    word = found.group().lower() if found else ""
    after = text[match.end() : match.end() + 4].lstrip()
    if word in _SHORT and not (word in ("al", "etc.", "etc") and after[:1].isupper() and word != "al"):
        return False
    if len(word) == 1 and word.isalpha() and found and found.group().isupper() and after[:1].isupper():
        return False  # an initial: 'D. Kingma'
    return not after[:1].islower()


def sentences(document: Document) -> list[Sentence]:
    """All sentences: the abstract's first, then section by section."""
    found = [
        Sentence(text=document.abstract[a:b], section=ABSTRACT, start=a, page=document.abstract_page)
        for a, b in split(document.abstract)
    ]
    for number, section in enumerate(document.sections):
        for place, paragraph in enumerate(section.paragraphs):
            for a, b in split(paragraph.text):
                page = paragraph.page + sum(turn <= a for turn in paragraph.turns)
                found.append(Sentence(text=paragraph.text[a:b], section=number, paragraph=place, start=a, page=page))
    return found


def numbers(document: Document) -> list[Number]:
    """The numbers of the running text that say how much or how many.

    Left out: digits inside words and names (F1, ResNet-50), numbers of figures, sections and the like, citations, years.
    """
    return [number for sentence in sentences(document) for number in _numbers_in(sentence)]


def _numbers_in(sentence: Sentence) -> Iterator[Number]:
    text = _CITED.sub(_blank, sentence.text)
    for match in _NUMBER.finditer(text):
        sign, digits, power, spread, unit = match.groups()
        before = text[max(0, match.start() - 24) : match.start()]
        if _LABELS.search(before) or (_YEAR.fullmatch(digits) and not unit and not spread):
            continue
        value = _value(digits, power)
        if value is None:
            continue
        negative = (sign or "").strip() in ("-", "−") and not before[-1:].isalnum()
        shown = sentence.text[match.start() : match.end()].strip()
        yield Number(
            text=shown,
            value=-value if negative else value,
            unit=(unit or "").strip(),
            spread=float(spread) if spread else None,
            start=match.start(),
            sentence=sentence,
        )


def _blank(match: re.Match[str]) -> str:
    """A bracket with a decimal is a result ('[0.81, 0.93]'), any other may cite; same length, so that offsets hold."""
    inside = match.group()
    return inside if re.search(r"\d\.\d|[%±=<>]", inside) else " " * len(inside)


def _value(digits: str, power: str | None) -> float | None:
    exponent = 0
    if power:
        raised = re.search(
            r"[-−+]?\d+\}?$", re.sub(r"^.*?10\s?\^?\s?\{?", "", power) if power[0] not in "eE" else power
        )
        exponent = int(raised.group().replace("−", "-").rstrip("}")) if raised else 0
    if len(digits) > 40 or abs(exponent) > 200:
        return None
    return float(digits.replace(",", "")) * 10.0**exponent
