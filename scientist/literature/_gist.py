"""What a work did, as one clause in the past tense that can follow its authors' names, out of its own abstract. Pure.

A record of the packaged library has such a clause, written by a person. For a record of an index it is that sentence of
the abstract in which the authors say what they did ("We show that ..."), with its verb in the past tense. A sentence that
does not stand alone, or that holds a number or a formula, gives none: what it says could not be checked here.
"""

from __future__ import annotations

import re
from typing import Literal

from scientist.literature._reference import Reference

Deed = Literal["theory", "method", "experiment", "overview"]

_PAST = {
    "propose": "proposed", "introduce": "introduced", "present": "presented", "develop": "developed",
    "prove": "proved", "derive": "derived", "establish": "established", "characterise": "characterised",
    "characterize": "characterised", "analyse": "analysed", "analyze": "analysed",
    "show": "showed", "demonstrate": "demonstrated", "find": "found", "observe": "observed", "report": "reported",
    "study": "studied", "investigate": "investigated", "examine": "examined", "explore": "explored",
    "compare": "compared", "evaluate": "evaluated", "measure": "measured", "benchmark": "benchmarked",
    "survey": "surveyed", "review": "reviewed", "describe": "described", "argue": "argued", "explain": "explained",
    "extend": "extended", "improve": "improved", "discuss": "discussed",
}  # fmt: skip
_DEEDS: dict[Deed, str] = {
    "theory": "proved derived established characterised analysed decomposed bounded",
    "method": "proposed introduced presented developed extended",
    "experiment": "compared measured found studied investigated examined evaluated benchmarked varied reported observed explored",
    "overview": "surveyed reviewed",
}
_DEED_OF = {verb: deed for deed, verbs in _DEEDS.items() for verb in verbs.split()}
_VERBS = "|".join(sorted({*_PAST, *_PAST.values()}, key=len, reverse=True))
_SAYS = re.compile(
    rf"\b(?:we|this (?:paper|work|article|study)|the authors?)\s+(?:(?:also|then|first|here|further|empirically|theoretically|systematically|formally)\s+)?"
    rf"({_VERBS})(?:e?s)?\s+(\S.*)$",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_FIRST_PERSON = ((r"\bour\b", "their"), (r"\bwe\b", "they"), (r"\bus\b", "them"), (r"\bours\b", "theirs"))
_BETTER = ("method", "experiment", "theory", "overview")
SHORTEST, LONGEST = 25, 240
"""Characters of a clause."""
FEWEST_WORDS = 3
LONGEST_ABSTRACT = 6_000
# What points outside the sentence, what cannot be checked here, and what is no prose.
_REFUSED = re.compile(
    r"\d|[\\$^_{}<>|~%#&@=*\"`]|https?:|\bwww\.|\b(?:this|these|those|such|it|its|above|former|latter|here|following)\b",
    re.IGNORECASE,
)
_NO_OBJECT = re.compile(r"(?:and|or|through|by|with|in|on|using|as)\b", re.IGNORECASE)
_BROKEN_OFF = re.compile(
    r"\b(?:e\.g|i\.e|et al|cf|vs|etc|the|an?|of|to|in|on|for|with|by|from|and|or|as|that|which)$", re.IGNORECASE
)
# A second thing that the sentence says was done: its verb would need the past tense too.
_MORE = re.compile(
    rf",? and (?:\w+ly |then |also )?(?:{'|'.join(_PAST)}|provide|validate|verify|apply|use|consider|give|obtain|conduct|perform|discover|identify|achieve|outline|illustrate|confirm|conclude|suggest|offer|design|formulate|highlight|discover|test|prescribe|show)s?\b.*$"
)


def gist_of(abstract: str) -> str:
    """The clause that the abstract gives, or nothing. Prefers what was proposed or measured to what was discussed."""
    found: list[tuple[int, int, str]] = []
    for place, sentence in enumerate(_SENTENCE.split(" ".join(abstract[:LONGEST_ABSTRACT].split()))):
        told = _SAYS.search(sentence)
        if told is None:
            continue
        verb = told.group(1).lower()
        past = _PAST.get(verb, verb)
        rest = _MORE.sub("", told.group(2)).rstrip(" .,;:!?")
        if (
            _REFUSED.search(rest)
            or _NO_OBJECT.match(rest)
            or _BROKEN_OFF.search(rest)
            or not SHORTEST <= len(rest) <= LONGEST
        ):
            continue
        for pattern, other in _FIRST_PERSON:
            rest = re.sub(pattern, other, rest, flags=re.IGNORECASE)
        if any(char.isnumeric() for char in rest) or sum(word.isalpha() for word in rest.split()) < FEWEST_WORDS:
            continue
        kind = _DEED_OF.get(past)
        found.append((_BETTER.index(kind) if kind else len(_BETTER), place, f"{past} {rest}"))
    return min(found)[2] if found else ""


def clause(work: Reference) -> str:
    """What the work did, for a sentence that its authors begin: the record's own gist, else its abstract's."""
    return work.gist.rstrip(".") or gist_of(work.abstract)


def deed(said: str) -> Deed | None:
    """What kind of work a clause tells of, by its verb; none where the verb does not say ('showed')."""
    return _DEED_OF.get(said.split(" ", 1)[0].lower()) if said else None
