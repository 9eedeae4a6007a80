"""What the text alone makes one expect, and whether the paper is of the kind that the prior was fitted on. Pure.

The prior knows main texts of machine learning papers in English. Of 244 of these (every fifth of ICLR 2022, every fourth of
ICLR 2017), read as documents, one has fewer than 24 words of that field in 1,000, five have fewer than 2,000 words before the
references, and none fewer than 150 of the ten commonest English words in 1,000. What lies outside gets a wider interval, or no prior.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from scientist.errors import RecordError
from scientist.reviews.calibration import PaperText, prior_of, read_text
from scientist.reviews.document._record import Expected
from scientist.reviews.reading import Document, Table

SHORT = 2_000
"""Words of main text below which a paper is shorter than nearly all that the prior was fitted on."""
NEAR, FOREIGN = 24.0, 12.0
"""Words of the field in 1,000 below which a paper may be, and is, of another field."""
ENGLISH = 120.0
"""Of the ten commonest English words in 1,000 below which a text is none in English."""
WIDER_SHORT, WIDER_FIELD = 1.5, 2.0

_FIELD = re.compile(
    r"\b(?:learn(?:s|ed|ing|ers?)?|train(?:s|ed|ing)?|models?|networks?|neural|data ?sets?|accurac(?:y|ies)|loss(?:es)?|gradients?|"
    r"layers?|algorithms?|baselines?|classif[a-z]{1,9}|predict[a-z]{0,6}|(?:hyper-?)?parameters?|optimi[sz][a-z]{0,6}|regulari[sz]ation|samples?|"
    r"tasks?|features?|embeddings?|attention|transformers?|polic(?:y|ies)|rewards?|batch(?:es)?|benchmarks?|inference|supervised|"
    r"architectures?|representations?|state-of-the-art|generali[sz][a-z]{0,6}|convergence|estimat[a-z]{1,5})\b",
    re.IGNORECASE,
)
_ENGLISH = re.compile(r"\b(?:the|of|and|to|in|is|we|for|that|are)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{2,}|[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")
_KEYS = re.compile(r"\[([^\[\]\n]{1,400})\]")
_MOST = 400_000  # characters that are looked at


def expected_of(document: Document) -> Expected:
    """The prior of a document, and why it says less than usual, or nothing at all."""
    text = text_of(document)
    running = text.text[:_MOST]
    words = max(1, len(_WORD.findall(running)))
    if 1000 * len(_ENGLISH.findall(running)) / words < ENGLISH:
        return Expected(cautions=("no prior: what was read is hardly running text in English",))
    share = 1000 * len(_FIELD.findall(running)) / words
    if share < FOREIGN:
        return Expected(cautions=(f"no prior: it reads like a paper of another field ({_told(share)})",))
    try:
        prior = prior_of(text)
    except RecordError as error:
        return Expected(cautions=(f"no prior: {error.message}",))
    widened, cautions = 1.0, []
    if words < SHORT:
        widened = WIDER_SHORT
        cautions.append(
            f"{words} words of main text are fewer than in the papers that the prior was fitted on: its interval is wider"
        )
    if share < NEAR:
        widened = WIDER_FIELD
        cautions.append(f"it may be of another field ({_told(share)}): the interval of the prior is twice as wide")
    if prior.known:
        cautions.append("the prior was fitted on this very paper: it says nothing new about it")
    return Expected(prior=prior, widened=widened, cautions=tuple(cautions))


def text_of(document: Document) -> PaperText:
    """A document as the prior reads texts: numbered headings, prose, captions with their tables, and the references."""
    return read_text("\n\n".join(_parts(document)), document.title, document.abstract)


def _parts(document: Document) -> Iterator[str]:
    main = [section for section in document.sections if not section.appendix]
    longest = max(range(len(main)), key=lambda place: len(main[place].text), default=0)
    named = _named(document)
    count = 0
    for place, section in enumerate(main):
        number = section.number
        count = int(number) if number.isdigit() else count + (section.level == 1 and not number)
        if not number and section.level == 1:
            number = str(count)
        yield f"# {number} {section.title}"
        yield _KEYS.sub(lambda match: _cited(match, named), section.text) if named else section.text
        if place == longest:  # a document does not say in which section its tables and formulas stand
            yield from _floats(document)
    if document.references:
        yield "# References"
        yield "\n".join(entry.text for entry in document.references)


def _floats(document: Document) -> Iterator[str]:
    """Captions, each with the cells of its table in the same paragraph, and formulas."""
    tables: dict[str, Table] = {table.number: table for table in document.tables if table.number}
    for place, caption in enumerate(document.captions, start=1):
        number = caption.number if caption.number.isdigit() else str(min(place, 99))
        table = tables.get(caption.number) if caption.kind == "table" else None
        cells = " ".join(cell for row in table.rows for cell in row) if table else ""
        yield f"{caption.kind.title()} {number}: {caption.text}\n{cells}"
    for equation in document.equations:
        yield f"= {equation.text}"


def _named(document: Document) -> dict[str, str]:
    """Key -> 'Kingma et al., 2015', for the keys that a TeX paper cites: elsewhere citations stand in the text as printed."""
    if document.kind != "tex":
        return {}
    named = {}
    for entry in document.references:
        people = entry.text.split(". ", 1)[0].split(",") if entry.text else []
        surname = people[0].split()[-1] if people and people[0].split() else entry.key
        named[entry.key] = f"{surname}{' et al.' if len(people) > 1 else ''}, {entry.year or ''}".rstrip(", ")
    return named


def _cited(match: re.Match[str], named: Mapping[str, str]) -> str:
    keys = [key.strip() for key in match[1].split(",")]
    return f"({'; '.join(named[key] for key in keys)})" if all(key in named for key in keys) else match[0]


def _told(share: float) -> str:
    return f"{share:.0f} in 1,000 words are of machine learning"
