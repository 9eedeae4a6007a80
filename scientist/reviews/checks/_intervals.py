"""An estimate and the interval printed behind it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scientist.reviews.checks._findings import Finding, finding, heading, quoted
from scientist.reviews.checks._rounding import unit_of
from scientist.reviews.reading import Document, sentences

_SIGNED = r"[-−–+]?\s?\d{1,9}(?:\.\d{1,9})?"
_WITH_INTERVAL = re.compile(
    rf"(?<![\w.,])(?P<mean>{_SIGNED})\s?(?:%|percent)?(?:\s[a-z]{{1,20}}){{0,3}}\s?[(\[]\s?(?:with )?(?:a |the )?9[059]\s?%\s?"
    rf"(?:confidence |credible |bootstrap )?(?:intervals?|CI|CrI)\s?(?:of|from|:|,|=)?\s?[\[(]?\s?(?P<low>{_SIGNED})\s?%?\s?"
    rf"(?:to|,|;|–|—|and)\s?(?P<high>{_SIGNED})",
    re.IGNORECASE,
)
_UP = re.compile(r"\b(?:raised|increased|improved|gained|rose|grew|higher by|better by)\b", re.IGNORECASE)
_DOWN = re.compile(
    r"\b(?:lowered|decreased|reduced|dropped|fell|worsened|declined|lower by|worse by|cut)\b", re.IGNORECASE
)


def check_intervals(document: Document, signed: bool = False) -> Iterator[Finding]:
    """'5.9 points (95 % interval 6.1 to 8.3)': no interval leaves its own estimate out, and none ends before it begins.

    A size may be printed without its sign ('lowered by 5.9 (-7.3 to -4.5)'), so either sign will do, but not with a word that
    says the other: 'raised by 5.9 (-7.3 to -4.5)'. 'By 12.0, from -5.9 to 6.1 (10.2 to 13.8)' gives the interval of the first.
    `signed`: every interval is known to be one of a signed difference, so 'lowered by 5.9 (4.5 to 7.3)' is wrong too.
    """
    for sentence in sentences(document):
        for match in _WITH_INTERVAL.finditer(sentence.text):
            mean, low, high = (_value(match[name]) for name in ("mean", "low", "high"))
            slack = max(unit_of(match[name]) for name in ("mean", "low", "high"))
            before = sentence.text[max(0, match.start() - 120) : match.start()]
            said = [_value(number) for number in re.findall(rf"(?<![\w.,]){_SIGNED}", before)]
            up, down = _UP.findall(before), _DOWN.findall(before)
            word = max([*up, *down], key=before.rindex, default="")
            if low > high + slack:
                told = f"the interval from {match['low']} to {match['high']} ends before it begins"
            elif not any(low - slack <= value <= high + slack for one in (mean, *said) for value in (one, -one)):
                told = f"{match['mean']} lies outside of its own interval, {match['low']} to {match['high']}"
            elif (high < -slack and (signed or mean > slack) and word in up) or (
                signed and low > slack and word in down
            ):
                told = f"'{word}' by {match['mean']}, and the interval from {match['low']} to {match['high']} says the opposite"
            else:
                continue
            yield finding(
                "error",
                "interval",
                told,
                sentence=quoted(sentence.text, match.start()),
                section=heading(document, sentence.section),
                page=sentence.page,
                expected="an interval that holds its estimate",
            )


def _value(text: str) -> float:
    return float(re.sub(r"[−–]", "-", text).replace(" ", "").lstrip("+"))
