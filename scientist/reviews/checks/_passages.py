"""The numbers of running text and captions that read as results, each with the words around it. Pure.

Left out are numbers of settings: those beside words such as 'learning rate' or 'batch size', those of sections about the
set-up, and those that name a run or a metric ('Combined (15%)', 'steps to 99% accuracy').
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from scientist.reviews.checks._arithmetic import CHANGE
from scientist.reviews.checks._findings import heading
from scientist.reviews.checks._words import MEASURES, Vocabulary, words
from scientist.reviews.reading import ABSTRACT, Document, Number, Paragraph, Section, numbers

_ELSEWHERE = re.compile(
    r"set-?up|\bsettings?\b|method|background|related|implementation|training (?:details|procedure)|architecture|data ?sets?\b|problem|"
    r"preliminar|hyper-?parameter|evaluation metrics|configuration|materials|algorithm|acknowledg|reproducib|notation|theor|proof",
    re.IGNORECASE,
)
_SETTING_BEFORE = re.compile(
    r"(?<![\w])(?:learning rates?|\blr|batch(?: size)?|weight decay|dropout|dimensions?|embedding|hidden|warm-?up|time-?steps?|probabilit\w+|threshold|ratio|"
    r"split|window|momentum|temperature|weights?|coefficients?|discount(?: factor)?|epsilon|seeds?|epochs?|layers?|heads?|grids?|kernel|confidence|clip\w*(?: at)?|patience|decay|noise|strength|regulari[sz]ation weight|"
    r"[λβαηγεδστκρpdkn]|\bversion|python|pytorch|cuda|top|first|last|least|every|exceeds?|(?:less|fewer|greater|larger|smaller|no more) than|below|under|above|at (?:least|most)|within|between|range|≤|≥|<|>|∈)"
    r"\s*(?:=|≈|:|,|of|is|was|to|set to|at|from|size)?\s*(?:a |an |the )?[(\[]?$",
    re.IGNORECASE,
)
_SETTING_AFTER = re.compile(
    r"^\s*(?:-\s?)?(?:%\s*)?(?:dimension\w*|dims?\b|layers?|heads?|seeds?|runs?\b|data ?sets?|samples|examples|epochs?|confidence|ci\b|gpus?|hidden|units|blocks?|"
    r"tokens\b|parameters|million|billion|thousand|bytes?|hours?|points? (?:likert|scale)|probabilit\w+|each\b|significance|of the (?:data|training|samples)|train\w* set|"
    r"updates|total|(?:diffusion |training |time )steps for training|time-?steps|-step|classes|elements|operations|tasks|experiments|conditions|d\b|(?:real|random|independent|different|unique))",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"((?:[^\W\d_][\w-]*\s+){1,2})(?:of|=)\s+(?:about |only |just |up to |approximately |roughly |around |nearly )?$",
    re.IGNORECASE,
)
_RESULTS = frozenset(
    words(
        "average mean median total score value reduction improvement gain increase decrease drop rise change difference gap speedup overhead "
        "maximum minimum best worst result performance margin fall"
    )
)
_LISTED = re.compile(r"^[^.;:]{0,60}?(?:,|\band\b|\bor\b|/)\s*$", re.IGNORECASE)
_GENERAL = re.compile(
    r"\b(?:future|would|could|might|hypothes|expect|suppose|e\.g|prior work|previous work|et al)\b", re.IGNORECASE
)
_DIRECT = re.compile(  # what names a number directly: '0.35 (circle)', '37.4 seconds for the baseline'
    r"\s?%?\s?\((?P<in>[^()]{1,30})\)|\s*\)?\s*(?:(?!while\b|and\b|but\b|whereas\b|to\b)[\w-]+\s+){0,2}?(?:for|on|in)\s+(?:the\s+)?"
    r"[^,;.]{1,40}?(?=\s+(?:to|and|while|compared|vs\.?|versus|whereas|but)\b|[,;.]|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Passage:
    """A number with its words: `clause` reaches to the neighbouring numbers, `leading` and `trailing` are its halves, `before` is what stands before it in the
    sentence, `nearest` names it directly ('for the moons data set'), `comparison` is the sentence and the one before; `follows` another number of its sentence."""

    number: Number
    clause: str
    leading: str
    trailing: str
    before: str
    nearest: str
    paragraph: str
    comparison: str
    heading: str
    follows: bool
    caption: str = ""


def passages(document: Document, known: Vocabulary) -> Iterator[Passage]:
    """The numbers of abstract, results and captions that should come from runs, in order."""
    yield from _passages(document, known, "")
    for caption in document.captions:
        name = f"{caption.kind.capitalize()} {caption.number}".strip()
        alone = Document(
            source=document.source,
            kind=document.kind,
            sections=(Section(title=name, paragraphs=(Paragraph(text=caption.text, page=caption.page),)),),
        )
        yield from _passages(alone, known, name)


def _passages(document: Document, known: Vocabulary, caption: str) -> Iterator[Passage]:
    by_sentence: dict[tuple[int, int, int], list[Number]] = defaultdict(list)
    for number in _no_settings(numbers(document), known):
        by_sentence[number.sentence.section, number.sentence.paragraph, number.sentence.start].append(number)
    outside = _outside(document)
    for (section, paragraph, start), group in by_sentence.items():
        if section in outside:
            continue
        text = group[0].sentence.text
        if section == ABSTRACT:
            so_far = document.abstract[:start]
        else:
            so_far = document.sections[section].paragraphs[paragraph].text[:start]
        for place, number in enumerate(group):
            begin = group[place - 1].start + len(group[place - 1].text) if place else 0
            after = number.start + len(number.text)
            end = group[place + 1].start if place + 1 < len(group) else len(text)
            clause = text[begin:end]
            if not _is_result(number, clause, text, known):
                continue
            direct = _DIRECT.match(text[after:end])
            previous = re.split(r"(?<=[.!?])\s+", so_far.strip())[-1] if so_far.strip() else ""
            yield Passage(
                number=number,
                clause=clause,
                leading=text[begin : number.start],
                trailing=text[after:end],
                before=text[max(0, number.start - 30) : number.start],
                nearest=direct.group() if direct else "",
                paragraph=so_far[-1500:],
                comparison=f"{previous} {text}",
                heading=heading(document, section) if section != ABSTRACT else document.title,
                follows=place > 0,
                caption=caption,
            )


def counted_by(after: str) -> list[str]:
    """The stem of the word that directly follows a number, if any: '4720 steps'."""
    if re.match(r"\s*-?(?:times|fold)\b", after):
        return []  # '2.2 times as many' counts no time
    return words(re.split(r"[,;.()]", after[:24])[0])[:1]


def _outside(document: Document) -> frozenset[int]:
    """Sections about something else than results; what stands under such a heading belongs to it."""
    found, level = set(), 0
    for place, section in enumerate(document.sections):
        if level and section.level > level:
            found.add(place)
            continue
        level = section.level if _ELSEWHERE.search(section.title) or section.appendix else 0
        if level:
            found.add(place)
    return frozenset(found)


def _no_settings(found: list[Number], known: Vocabulary) -> Iterator[Number]:
    """The numbers that are no settings; what is listed behind a setting is one too: '0.003 for these and 0.0005 for the rest'."""
    last: Number | None = None
    for number in found:
        between = ""
        if last is not None and last.sentence is number.sentence:
            between = number.sentence.text[last.start + len(last.text) : number.start]
        listed = bool(between) and bool(_LISTED.search(between)) and not known.metrics_in(between, 0.3)
        if listed or _is_setting(number, known):
            last = number
        else:
            last = None
            yield number


def _is_setting(number: Number, known: Vocabulary) -> bool:
    text = number.sentence.text
    digits = re.match(r"[-−–+]?\s?([\d.,]+)", number.text)
    bare = digits[1].strip(".,").replace(",", "") if digits else ""
    end = number.start + len(number.text)
    before, after = text[max(0, number.start - 60) : number.start], text[end : end + 40]
    if (
        re.match(r"\s?[×x]\s?\d", after)
        or re.search(r"\d\s?[×x]\s?$", before)
        or (number.unit == "×" and re.match(r"\d", after))
    ):
        return True
    if re.search(r"\bbetween\s+[-−]?[\d.,]+\s?%?\s+and\s+$", before):
        return True
    if bare in known.settings and "." not in bare:
        return True
    if (named := _NAMED.search(before)) and not number.unit and "." in number.text:
        # 'a noise level of 0.15': what it is the number of is no word of a metric, nor of a result.
        said = set(words(named[1]))
        counted = {stem for stems in known.metrics.values() for stem in stems}
        if said and not said & (counted | MEASURES | _RESULTS):
            return True
    # '9.3%' is never a setting for what stands before it, unless that is a probability or a share of the data.
    if _SETTING_BEFORE.search(before) and not (
        number.unit and CHANGE.search(text[max(0, number.start - 80) : end + 40])
    ):
        return True
    return bool(_SETTING_AFTER.search(after))


def _is_result(number: Number, clause: str, text: str, known: Vocabulary) -> bool:
    if _GENERAL.search(text):
        return False
    about = bool(known.metrics_in(text, 0.5) or known.datasets_in(text) or known.runs_in(text))
    if number.unit in ("%", "percent", "x", "X", "×"):
        return bool(CHANGE.search(clause)) or about
    if "." in number.text:
        return about
    # A whole number is a result where a word of a metric follows it: '4720 steps'.
    end = number.start + len(number.text)
    following = counted_by(number.sentence.text[end:])
    counted = {stem for stems in known.metrics.values() for stem in stems}
    exact = not re.search(
        r"(?:about|around|approximately|roughly|nearly|over|~|≈|every|first|for|after)\s*$",
        number.sentence.text[: number.start],
        re.IGNORECASE,
    )
    return bool(following) and following[0] in counted and exact and about and abs(number.value) >= 10
