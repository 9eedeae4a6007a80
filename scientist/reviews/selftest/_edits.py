"""Paired edits: a paper and the same paper changed in one way, to see whether a reviewer notices, or is taken in.

Harm should cost points: the numbers, the result, the comparison or the order of a paper is spoilt. Tricks do nothing for the
work, and none may raise a score by more than reading the paper twice does. Every edit works on the document that a reviewer
gets, whatever it was read from, tables and captions included, and takes a seed. All are pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from scientist.reviews.reading import Caption, Cite, Document, Number, Paragraph, RefEntry, Section, Table, numbers
from scientist.reviews.selftest._opposites import opposite
from scientist.reviews.selftest._prose import Said, changed, settled

Edit = Callable[[Document, int], Document]

_DECIMAL = re.compile(r"(?<![\w.])(\d{0,9})\.(\d{1,9})(?![\w.]*\d)")
_WHOLE = re.compile(r"(?<![\w.,])(\d{1,3})(?=\s?(?:%|percent))")
_BASELINE = re.compile(
    r"\b(?:baselines?|compar(?:e[ds]?|ing|isons?)|state-of-the-art|sota|outperform\w*|(?:prior|previous|existing|other|competing) "
    r"(?:work|methods?|approach(?:es)?|models?)|versus|vs|(?:better|worse|higher|lower|more|less|faster|smaller|larger) than)\b",
    re.IGNORECASE,
)
_OWN_ROW = re.compile(r"\bours?\b|\bproposed\b|\(ours\)", re.IGNORECASE)
_POLISH = (
    (re.compile(r"\bin order to\b"), "to"), (re.compile(r"\ba lot of\b"), "many"), (re.compile(r"\bdata sets?\b"), "datasets"),
    (re.compile(r"\butili[sz]e"), "use"), (re.compile(r"\bvery "), ""), (re.compile(r"\bdue to the fact that\b"), "because"),
    (re.compile(r"\bThis paper proposes\b"), "We propose"), (re.compile(r"\bIn this paper, we\b"), "We"), (re.compile(r"\bBesides,"), "Moreover,"),
    (re.compile(r"\bcan not\b"), "cannot"), (re.compile(r"\bis able to\b"), "can"), (re.compile(r"\bhas the ability to\b"), "can"),
    (re.compile(r"\bfigure (\d)"), r"Figure \1"), (re.compile(r"\btable (\d)"), r"Table \1"), (re.compile(r" {2,}"), " "),
)  # fmt: skip
FILLER = (
    "This observation is in line with our expectations and deserves careful attention.",
    "It is important to stress that the proposed approach is both simple and effective.",
    "These considerations motivate the design choices that are described in this work.",
    "We believe that this direction is promising and opens the door to further research.",
    "In particular, the results highlight the value of the method in a wide range of settings.",
    "Intuitively, this is because the model can make use of richer information during training.",
    "Taken together, this gives a clear and comprehensive picture of the phenomenon under study.",
    "As discussed above, this aspect plays a crucial role in practice; we return to it below.",
    "The analysis therefore offers insights that go beyond what was previously understood.",
    "Note that this holds under mild assumptions, which are satisfied in most cases of interest.",
)
_NAMES = [
    "Zhang",
    "Wang",
    "Kumar",
    "Smith",
    "Garcia",
    "Chen",
    "Müller",
    "Tanaka",
    "Ivanov",
    "Rossi",
    "Dubois",
    "Kim",
    "Silva",
    "Novak",
]
_PROSE = 200
"""Characters from which a paragraph is prose; shorter ones may be formulas or what is left of a figure."""


def numbers_corrupted(document: Document, seed: int) -> Document:
    """Every decimal and every percentage of text, tables and captions replaced by another number of the same form."""
    draws = np.random.default_rng(seed)
    found: dict[str, list[Number]] = {}
    for number in numbers(document):
        if "." in number.text or number.unit in ("%", "percent"):
            found.setdefault(number.sentence.text, []).append(number)

    def corrupt(said: Said, _: int) -> Said:
        return [_replaced(one, found.get(one, []), draws) for one in said]

    new = changed(document, corrupt)
    tables = [
        table.model_copy(
            update={
                "rows": tuple(tuple(_DECIMAL.sub(lambda m: _other(m[0], draws), c) for c in row) for row in table.rows)
            }
        )
        for table in document.tables
    ]
    captions = [
        caption.model_copy(update={"text": _DECIMAL.sub(lambda m: _other(m[0], draws), caption.text)})
        for caption in document.captions
    ]
    return new.model_copy(update={"tables": tuple(tables), "captions": tuple(captions)})


def result_reversed(document: Document, seed: int) -> Document:
    """Words of success become their opposites, and words of failure theirs, everywhere in the text; tables stay."""
    return changed(document, lambda said, _: [opposite(one) for one in said])


def claims_reversed(document: Document, seed: int) -> Document:
    """The same in the abstract alone: it claims the opposite of what the paper shows."""
    return settled(
        document,
        document.sections,
        opposite(document.abstract),
        {document.abstract: opposite(document.abstract)},
    )


def baseline_removed(document: Document, seed: int) -> Document:
    """Sentences that compare with something else are gone, and of tables all rows but the paper's own."""
    new = changed(document, lambda said, _: [one for one in said if not _BASELINE.search(one)])
    captions = [_uncompared(caption) for caption in document.captions]
    return new.model_copy(
        update={"tables": tuple(_alone(table) for table in document.tables), "captions": tuple(captions)}
    )


def sections_shuffled(document: Document, seed: int) -> Document:
    """The sections of the main text in another order, each with its subsections, and numbered anew."""
    blocks: list[list[Section]] = []
    tail = [section for section in document.sections if section.appendix]
    numbered = any(section.number for section in document.sections)
    for section in document.sections:
        if section.appendix:
            continue
        top = section.number.isdigit() if numbered else section.level <= 1
        if top or not blocks:
            blocks.append([])
        blocks[-1].append(section)
    order = _derangement(len(blocks), seed)
    sections = []
    for place, source in enumerate(order):
        old = blocks[source][0].number
        target = blocks[place][0].number
        for section in blocks[source]:
            number = section.number
            if old and target and (number == old or number.startswith(old + ".")):
                number = target + number[len(old) :]
            sections.append(section.model_copy(update={"number": number}))
    return settled(document, [*sections, *tail], document.abstract)


def paragraphs_shuffled(document: Document, seed: int) -> Document:
    """Paragraphs of the main text in another order, headings where they were."""
    places = [
        (number, place)
        for number, section in enumerate(document.sections)
        for place, paragraph in enumerate(section.paragraphs)
        if not section.appendix and len(paragraph.text) >= _PROSE
    ]
    order = np.random.default_rng(seed).permutation(len(places))
    now = dict(zip(places, (places[source] for source in order), strict=True))

    def of(number: int, place: int, paragraph: Paragraph) -> Paragraph:
        number, place = now.get((number, place), (number, place))
        return document.sections[number].paragraphs[place]

    sections = [
        section.model_copy(
            update={"paragraphs": tuple(of(number, place, p) for place, p in enumerate(section.paragraphs))}
        )
        for number, section in enumerate(document.sections)
    ]
    return settled(document, sections, document.abstract)


def padded(document: Document, seed: int) -> Document:
    """Every fifth sentence is said once more, later in its paragraph."""
    return changed(document, lambda said, _: [*said, *said[:-1:5]] if _is_prose(said) else said, abstract=False)


def polished(document: Document, seed: int) -> Document:
    """Wordy phrases made short, spelling and capitals made even; nothing is said that was not said before."""

    def polish(text: str) -> str:
        for pattern, better in _POLISH:
            text = pattern.sub(better, text)
        return text

    return changed(document, lambda said, _: [polish(one) for one in said])


def filler(document: Document, seed: int) -> Document:
    """A sentence that says nothing after every fourth one."""
    draws = np.random.default_rng(seed)

    def fill(said: Said, _: int) -> Said:
        if not _is_prose(said):
            return said
        return [
            part
            for place, one in enumerate(said)
            for part in ([one, FILLER[draws.integers(len(FILLER))]] if place % 4 == 3 else [one])
        ]

    return changed(document, fill, abstract=False)


def fake_references(document: Document, seed: int) -> Document:
    """Forty recent works that do not exist in the list of references, and twelve of them cited in the text."""
    draws = np.random.default_rng(seed)
    entries = []
    for n in range(40):
        name, other, year = draws.choice(_NAMES), draws.choice(_NAMES), 2020 + int(draws.integers(6))
        title = f"Advances in learning {n}"
        told = f"{name}, A. and {other}, B. {title}. In ICML, {year}."
        entries.append(RefEntry(key=f"{str(name).lower()}{year}n{n}", text=told, title=title, year=year))
    waiting = iter(entries[:12])
    cites: list[Cite] = []

    def cite(said: Said, section: int) -> Said:
        if len(said) > 2 and _is_prose(said) and (work := next(waiting, None)):
            told = f"{said[0].rstrip('.')} ({work.text.partition(',')[0]} et al., {work.year})."
            cites.append(Cite(key=work.key, sentence=told, section=section))
            return [told, *said[1:]]
        return said

    new = changed(document, cite, abstract=False)
    return new.model_copy(update={"references": (*document.references, *entries), "cites": (*new.cites, *cites)})


def pasted_appendix(document: Document, seed: int) -> Document:
    """Two thirds of the main text once more, behind the end, as an appendix."""
    main = [section for section in document.sections if not section.appendix]
    copied = [
        section.model_copy(update={"number": f"A.{place}", "level": 2, "appendix": True})
        for place, section in enumerate(main[len(main) // 3 :], 1)
    ]
    head = Section(number="A", title="Additional results", appendix=True)
    return settled(document, [*document.sections, head, *copied], document.abstract)


HARMFUL: Mapping[str, Edit] = MappingProxyType(
    {
        "numbers corrupted": numbers_corrupted,
        "result reversed": result_reversed,
        "abstract reversed": claims_reversed,
        "baseline removed": baseline_removed,
        "sections shuffled": sections_shuffled,
        "paragraphs shuffled": paragraphs_shuffled,
    }
)
"""Edits that must lower a score."""
IDLE: Mapping[str, Edit] = MappingProxyType(
    {
        "padded": padded,
        "polished": polished,
        "filler": filler,
        "fake references": fake_references,
        "pasted appendix": pasted_appendix,
    }
)
"""Edits that must not raise a score by more than reading the paper again does."""


def retest(document: Document, seed: int, share: float = 0.1) -> Document:
    """The same paper read again: a tenth of its sentences, drawn anew for each seed, were overlooked."""
    draws = np.random.default_rng(seed)
    return changed(document, lambda said, _: [one for one in said if draws.random() >= share], abstract=False)


def _is_prose(said: Said) -> bool:
    text = " ".join(said)
    tokens = text.split()
    return len(text) >= _PROSE and sum(token.strip(".,;:()").isalpha() for token in tokens) >= 0.7 * len(tokens)


def _replaced(text: str, found: list[Number], draws: np.random.Generator) -> str:
    for number in sorted(found, key=lambda one: -one.start):
        end = number.start + len(number.text)
        part = text[number.start : end]
        if "." in part:
            part = _DECIMAL.sub(lambda m: _other(m[0], draws), part)
        else:
            part = re.sub(r"\d+", lambda m: _other(m[0], draws), part, count=1)
        text = text[: number.start] + part + text[end:]
    return text


def _other(number: str, draws: np.random.Generator) -> str:
    """Another number with as many digits; what begins with 0 still does, and 100 becomes less."""
    whole, point, part = number.partition(".")
    for _ in range(20):
        low = 0 if len(whole) <= 1 else 10 ** (len(whole) - 1)
        if whole in ("", "0"):
            head = whole
        elif whole == "100":
            head = str(draws.integers(10, 100))
        else:
            head = str(draws.integers(max(low, 1), 10 ** len(whole)))
        tail = f"{draws.integers(10 ** len(part)):0{len(part)}d}" if part else ""
        if (new := head + point + tail) != number:
            return new
    return number


def _uncompared(caption: Caption) -> Caption:
    kept = [one for one in re.split(r"(?<=[.;])\s+", caption.text) if not _BASELINE.search(one)]
    return caption.model_copy(update={"text": " ".join(kept)})


def _alone(table: Table) -> Table:
    """The heads of a table and one row with values: the paper's own, or else the last."""
    valued = [place for place, row in enumerate(table.rows) if any(_DECIMAL.search(cell) for cell in row[1:])]
    if len(valued) < 2:
        return table
    own = next((place for place in valued if _OWN_ROW.search(" ".join(table.rows[place]))), valued[-1])
    rows = tuple(row for place, row in enumerate(table.rows) if place not in valued or place == own)
    return table.model_copy(update={"rows": rows})


def _derangement(many: int, seed: int) -> list[int]:
    """An order in which as few things as can be stay where they were."""
    draws = np.random.default_rng(seed)
    best = list(range(many))
    for _ in range(20):
        order = [int(place) for place in draws.permutation(many)]
        if sum(a == b for a, b in enumerate(order)) <= sum(a == b for a, b in enumerate(best)):
            best = order
        if many > 1 and not any(a == b for a, b in enumerate(best)):
            break
    return best
