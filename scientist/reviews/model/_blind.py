"""Hides who wrote a paper and where it appeared: names, addresses, links, venue lines, acknowledgements. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

NAME, LINK, ADDRESS, VENUE, WITHHELD = "[name]", "[link]", "[address]", "[venue]", "[withheld]"
MOST_NAMES = 300
SHORT = 3  # letters: a shorter surname is hidden only where it is cited or stands with its first name

THANKS = re.compile(
    r"(?:\W|\d)*(?:acknowledge?ments?|funding|financial support|(?:author|authors['’]?) contributions?|"
    r"contributions? of (?:the )?authors|about the authors?|(?:ai|llm) (?:use |usage )?(?:disclosure|statement)|competing interests?|conflicts? of interests?)\b",
    re.IGNORECASE,
)
"""The title of a section, or the beginning of a paragraph, that says who wrote and who paid."""

_CODE_HOSTS = r"(?:github|gitlab|bitbucket|huggingface|kaggle|zenodo|figshare|osf|sourceforge|4open)"
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (ADDRESS, re.compile(r"(?:\{[^{}\n]{1,200}\}|[\w.+-]{1,64})@[\w-]{1,64}(?:\.[\w-]{1,32}){1,4}")),
    (LINK, re.compile(r"\b(?:https?|ftp)://[^\s<>]{1,500}|\bwww\.[^\s<>]{1,500}", re.IGNORECASE)),
    (
        LINK,
        re.compile(
            rf"(?<![\w.])(?:[\w-]{{1,64}}\.){{0,3}}{_CODE_HOSTS}\.(?:com|org|net|co|io|science)\b[^\s<>,;)]{{0,300}}",
            re.IGNORECASE,
        ),
    ),
    (VENUE, re.compile(r"\barXiv:\s?\d{4}\.\d{4,5}(?:v\d+)?(?: \[[\w.-]{2,20}\])?(?: \d{1,2} \w{3,9} \d{4})?", re.I)),
    (
        VENUE,
        re.compile(
            r"\b(?:published|accepted|under (?:double[- ]blind )?review|submitted|to appear|presented)\b[^.\n]{0,60}?"
            r"\b(?:ICLR|NeurIPS|NIPS|ICML|AAAI|IJCAI|AISTATS|UAI|COLT|CoRL|(?:[EN]A)?ACL|EMNLP|CVPR|ICCV|ECCV|KDD|TMLR|JMLR|"
            r"conference|workshop|symposium|journal|proceedings|transactions)\b(?:[ ,()'’\w]{0,60}?\b(?:19|20)\d\d\b)?",
            re.IGNORECASE,
        ),
    ),
    (VENUE, re.compile(r"\bProceedings of (?:the )?[^.\n]{3,120}", re.IGNORECASE)),
    (VENUE, re.compile(r"\b\d{1,3}(?:st|nd|rd|th) (?:[\w-]+ ){0,4}(?:Conference|Workshop|Symposium) on [^.\n]{3,100}")),
    (VENUE, re.compile(r"(?:\bCopyright\b|©)[^.\n]{0,120}", re.IGNORECASE)),
    (VENUE, re.compile(r"\bPreprint\.? (?:Under review|Work in progress|Do not distribute)\b\.?", re.IGNORECASE)),
)
_PIECES = re.compile(r"[,;&\n]|\\and\b|\band\b")
_LETTERS = re.compile(r"[^\W\d_]")


def names_of(authors: Sequence[str]) -> tuple[str, ...]:
    """The names in an author block, one by one, without marks, digits and addresses."""
    found: dict[str, None] = {}
    for author in authors[:MOST_NAMES]:
        for piece in _PIECES.split(author[:500]):
            kept = "".join(c if _LETTERS.match(c) or c in "-'’. " or unicodedata.combining(c) else " " for c in piece)
            name = " ".join(kept.split()).strip("-'’. ")
            if "@" not in piece and 2 <= len(name) <= 80:
                found[name] = None
    return tuple(found)[:MOST_NAMES]


class Blinder:
    """Takes names, links, addresses and venues out of text. `told` counts what was taken, by the mark left in its place."""

    def __init__(self, authors: Sequence[str], ordinary: str = "", hide: Sequence[str] = ()) -> None:
        """`ordinary`: the paper's text; a surname that is also a word there ('Long') goes only where it is a name. `hide`:
        passages that no reviewer is to see."""
        self.told: Counter[str] = Counter()
        plain = set(re.findall(r"[^\W\d_]{2,40}", ordinary))
        whole, always, cited = [], [], []
        for name in names_of(authors):
            parts = name.split()
            last = parts[-1]
            if len(parts) > 1:
                whole.append(name)
            if len(last) >= SHORT and last.casefold() not in plain:
                always.append(last)
            elif len(last) >= 2:
                cited.append(last)
        self._patterns: list[tuple[str, re.Pattern[str]]] = []
        if passages := [_loose(passage) for passage in hide if len(passage.split()) >= 2 or len(passage) >= 8]:
            self._patterns.append((WITHHELD, re.compile("|".join(passages), re.IGNORECASE)))
        self._patterns += _PATTERNS[:3]  # addresses first: they may hold names
        if whole:
            self._patterns.append((NAME, _any(whole, re.IGNORECASE)))
        if always:
            self._patterns.append((NAME, _any(always)))
        if cited:
            near = r"(?=\s+et al|\s+(?:and|&)\s+[A-Z]|,?\s+\(?(?:19|20)\d\d)"
            self._patterns.append((NAME, _any(cited, after=near)))
        self._patterns += _PATTERNS[3:]

    def __call__(self, text: str) -> str:
        """The text with a mark for everything that was taken out."""
        for mark, pattern in self._patterns:
            text, times = pattern.subn(mark, text)
            if times:
                self.told[mark] += times
        return text

    def lines(self) -> tuple[str, ...]:
        """What was hidden, for people."""
        named = {NAME: "name", LINK: "link", ADDRESS: "address", VENUE: "venue line", WITHHELD: "suspicious passage"}
        return tuple(
            f"{count} {what}{'s' if count > 1 and not what.endswith('s') else ''}".replace("addresss", "addresses")
            for mark, what in named.items()
            if (count := self.told[mark])
        )


def _any(names: Sequence[str], flags: int = 0, after: str = "") -> re.Pattern[str]:
    """Any of the names as whole words, with and without its accents, the longest first."""
    forms = {form for name in names for form in (name, _bare(name))}
    told = "|".join(r"\s+".join(map(re.escape, form.split())) for form in sorted(forms, key=lambda f: (-len(f), f)))
    return re.compile(rf"(?<!\w)(?:{told})(?!\w){after}", flags)


def _bare(name: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))


def _loose(passage: str) -> str:
    return r"\s+".join(map(re.escape, passage.split()[:400]))
