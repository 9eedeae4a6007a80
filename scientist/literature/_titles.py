"""When two titles are one: whatever a bibliography may do to a title is undone, and what is left is compared. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Literal

from scientist.literature._plain import plain

Nearness = Literal["same", "spelt", "part", "near", "other"]
"""Letter by letter; but for a slip of a letter or two; one without the subtitle; much in common; another title."""

NEAR = 0.85
"""Share of letters in common from which one title may be meant by another; only with the same authors."""
SLIP = 2
"""Letters that may differ before a title counts as another one."""
DISTINCT = 24
"""Letters from which two works do not have one title by chance ('Random forests' has thirteen)."""
LONGEST = 400

RETRACTED = re.compile(
    r"^\W*(?:(?:this\s+)?(?:article|paper)\s+(?:has\s+been\s+)?)?(?:retracted|withdrawn)(?:\s+(?:article|paper|chapter))?\s*[:\]\-–—.)]+\s*",
    re.IGNORECASE,
)
NOTICE = re.compile(
    r"^\W*(?:(?:retraction|withdrawal|removal)(?:\s+(?:note|notice|statement))?\s*(?:to\s*)?[:\u2013\u2014]|"
    r"retraction\s+(?:note|notice)\b|(?:notice|statement)\s+of\s+(?:retraction|withdrawal)\b)",
    re.IGNORECASE,
)
_NO_ACCENT = str.maketrans(
    {"ø": "o", "đ": "d", "ł": "l", "ħ": "h", "ß": "ss", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "ı": "i", "ŋ": "n"}
)
_GREEK = re.compile(r"GREEK (?:SMALL|CAPITAL) LETTER (?:FINAL )?([A-Z]+)(?: WITH .+)?|GREEK ([A-Z]+) SYMBOL")
# British and American meet half-way: both are turned the same way, so it does no harm where it makes no word.
_SPELLING = (
    (r"isation", "ization"),
    (r"is(e[drs]?|ing|able)\b", r"iz\1"),
    (r"ys(e[drs]?|ing)\b", r"yz\1"),
    (r"our(?=s?\b|ed\b|ing|hood|al|able|ful|ite)", "or"),
    (r"(?<=[aeiou])ll(?=e|i|o)", "l"),
    (r"(?<=[bt])re\b", "er"),
    (r"ogue(?=s?\b)", "og"),
    (r"amme(?=s?\b)", "am"),
    (r"(?<=[fp])en[cs]e(?=s?\b)", "ens"),
    (r"dgement", "dgment"),
    (r"artefact", "artifact"),
    (r"\bgrey\b", "gray"),
    (r"ageing", "aging"),
)
_AMERICAN = (
    r"iz(?:e[drs]?|ing|able|ation)",
    r"yz(?:e[drs]?|ing)",
    r"or(?:s|ed|ing|hood|al|able)?$",
    r"[aeiou]l(?:ed|ing|er)",
    r"er$",
)
_SPELLINGS = tuple((re.compile(pattern), instead) for pattern, instead in _SPELLING)
_PART = re.compile(r"\d+|(?:^| )(?:i{1,3}|iv|v|vi{0,3}|ix|x)(?= |$)")
_LABEL = re.compile(
    r"\W*(?:(?:technical|research|short|brief)\s+)?(?:note|communication|report|editorial|commentary|invited\s+\w+|letter)\s*[:.]\s+",
    re.I,
)
_COLON = re.compile(r"\s*[:?!]\s+|\s+[(\[]|\s+[-–—]+\s+|\s*—\s*")


@dataclass(frozen=True)
class Title:
    """A title in words that can be compared: `words` with single spaces, `key` without; `parts` are what may stand for the
    whole: up to a colon, a dash or a parenthesis, and what follows a label such as 'Technical note:'."""

    words: str
    key: str
    parts: frozenset[str]


@lru_cache(maxsize=4096)
def read_title(text: str) -> Title:
    """A title as printed, in LaTeX, HTML or plain, as :class:`Title`. A mark of retraction before it is left out."""
    readable = RETRACTED.sub("", plain(text[: 4 * LONGEST], LONGEST))
    words = letters(readable)
    key = words.replace(" ", "")
    parts = {letters(readable[: cut.start()]).replace(" ", "") for cut in _COLON.finditer(readable)}
    if label := _LABEL.match(readable):
        parts.add(letters(readable[label.end() :]).replace(" ", ""))
    return Title(words, key, frozenset(parts - {"", key}))


def letters(text: str) -> str:
    """Lower-case words of letters and digits: no accents, no punctuation, Greek spelt out, one spelling of English."""
    flat = "".join(map(_flat, unicodedata.normalize("NFKD", text).replace("&", " and ").replace("’", "'")))
    flat = re.sub(r"(?<=\w)'(?=\w)", "", flat.lower().translate(_NO_ACCENT))
    words = " ".join("".join(c if c.isalnum() else " " for c in flat).split())
    for pattern, instead in _SPELLINGS:
        words = pattern.sub(instead, words)
    return re.sub(r"^(?:the|a|an) ", "", words)


def _flat(char: str) -> str:
    if char.isascii():
        return char
    if unicodedata.combining(char):
        return ""
    greek = _GREEK.match(unicodedata.name(char, ""))
    return f"{(greek[1] or greek[2]).lower()}" if greek else char


def compare_titles(a: str, b: str) -> Nearness:
    """How near two titles are. Numbers, and the numerals of parts, have to be the same in both."""
    x, y = read_title(a), read_title(b)
    if not x.key or not y.key:
        return "other"
    if x.key == y.key:
        return "same"
    if x.key in y.parts or y.key in x.parts:
        return "part"
    if _PART.findall(x.words) != _PART.findall(y.words):
        return "other"
    # Bound the share before it is computed: most pairs are nowhere near.
    matcher = SequenceMatcher(None, x.key, y.key, autojunk=False)
    if matcher.real_quick_ratio() < NEAR or matcher.quick_ratio() < NEAR or matcher.ratio() < NEAR:
        return "other"
    differ = sum(max(i2 - i1, j2 - j1) for tag, i1, i2, j1, j2 in matcher.get_opcodes() if tag != "equal")
    return "spelt" if differ <= SLIP and min(len(x.key), len(y.key)) >= 5 * SLIP else "near"


def is_distinct(title: str) -> bool:
    """Whether a title is long enough that a second work of that title is unlikely."""
    return len(read_title(title).key) >= DISTINCT


def meant(title: str, text: str) -> bool:
    """Whether `text`, a title or the whole of a printed reference, may mean the work of that title."""
    if compare_titles(title, text) != "other":
        return True
    key, whole = read_title(title), read_title(text)
    return len(key.key) >= DISTINCT // 2 and f" {key.words} " in f" {whole.words} "


def spelling_is_certain(word: str) -> bool:
    """Whether a word is written one way only, in Britain and in America."""
    return letters(word) == word and not any(re.search(pattern, word) for pattern in _AMERICAN)
