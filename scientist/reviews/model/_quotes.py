"""Does a quotation stand in the paper, word for word? Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

LEAST_WORDS, LEAST_LETTERS = 5, 20
"""Of a quotation: fewer can be found anywhere."""

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u2010\u2011]\s*(?=[^\W\d_])")
_WORD = re.compile(r"(?<!\w)[-\u2212]?\d+(?:[.,]\d+)*|\w+|%")
_ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget)\b.{0,30}\b(?:previous|prior|earlier|above|other)\b.{0,20}\b(?:instruction|prompt|rule)"
    r"|\b(?:reviewers?|referees?|area chairs?)\b.{0,60}\b(?:must|should|shall|please|asked to|instructed|required to)\b"
    r"|\b(?:language models?|llms?|assistants?|chatbots?|ai)\b.{0,20}\b(?:reading|reviewing|judging|evaluating) (?:this|the paper)\b"
    r"|\b(?:give|assign|award|grant|rate|score|accept|praise)\b.{0,20}\b(?:this|our) (?:paper|work|submission|manuscript)\b"
    r"|\b(?:give|assign|award|grant)\b.{0,40}\b(?:highest|maximum|perfect|top) (?:score|rating|grade|mark)\b"
    r"|\b(?:recommend|strong|deserves?)\b.{0,20}\bacceptance?\b",
    re.IGNORECASE | re.DOTALL,
)


def words(text: str) -> list[str]:
    """What counts of a text: words, numbers with their sign, percent signs.

    Ligatures are taken apart, hyphens between letters (at the end of a line or not) are dropped, and so are case,
    white space and punctuation.
    """
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return [word.replace("\u2212", "-") for word in _WORD.findall(_HYPHEN.sub("", plain).casefold())]


@dataclass(frozen=True)
class Searchable:
    """A paper's parts, ready to be searched: (name, words with a space around each)."""

    parts: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, parts: Iterable[tuple[str, str]]) -> Searchable:
        """From (name, text) of each part."""
        return cls(tuple((name, f" {' '.join(words(text))} ") for name, text in parts))

    def where(self, quote: str) -> str:
        """The name of the first part that holds the quotation; empty where none does or it says too little."""
        said = words(quote)
        if len(said) < LEAST_WORDS or sum(map(len, said)) < LEAST_LETTERS:
            return ""
        sought = f" {' '.join(said)} "
        return next((name for name, text in self.parts if sought in text), "")

    def problem(self, quote: str) -> str:
        """Why a quotation is no evidence; empty where it is."""
        said = words(quote)
        if not said:
            return "there is no quotation"
        if len(said) < LEAST_WORDS or sum(map(len, said)) < LEAST_LETTERS:
            return f"a quotation has at least {LEAST_WORDS} words"
        if gives_orders(quote):
            return "what a paper says to its reviewers is no evidence"
        if not self.where(quote):
            return "it does not stand in the paper word for word"
        return ""


def gives_orders(text: str) -> bool:
    """Whether words seem to talk to whoever reviews. As evidence they are refused; a false alarm costs one quotation."""
    return bool(_ORDERS.search(" ".join(text.split())))
