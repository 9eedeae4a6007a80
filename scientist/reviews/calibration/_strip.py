"""What of a paper the prior may see, and nothing that tells whether it was accepted.

An accepted paper is often read in the form it was printed in and a rejected one as it was handed in. Whatever differs between
the two forms tells the decision without a word about the work: the header, names, thanks, statements added for print, links to
code, the appendix and its length, the extra page, new references. All of that goes before a feature is computed, or is cut to
a size that both forms reach. What is kept: title, abstract, and the first words of the main text.
"""

from __future__ import annotations

import re
from dataclasses import replace

from scientist.reviews.calibration._text import PaperText, Section, is_references

MAX_WORDS = 4000
"""Words of the main text that are kept. A paper as handed in has about 5,000 before its references, so that the page that a
printed one has more, and most of what it adds there, is beyond the cut."""

_LEAKING_SECTION = re.compile(
    r"^(?:acknowledge?ments?|author contributions?|funding|disclosure|(?:code|data).{0,20}availability|ethic|reproducib|"
    r"broader impact|social impact|societal impact|checklist|supplement|under review|published|anonymous)",
)
_APPENDIX = re.compile(r"^(?:appendix|appendices|supplementary|supplement)\b")
_LEAKING_SENTENCE = re.compile(
    r"https?:|www\.|\S@\S|github|gitlab|bitbucket|anonym|(?:source|our|the|all) codes?\b|\bcodes? (?:is|are|will|can|for|and|to)\b|open.?sourc|"
    r"supplement|appendi|camera.?ready|acknowledg|reviewers?\b|rebuttal|double.?blind|equal contribution|corresponding author|"
    r"work (?:was )?(?:done|performed|conducted) (?:while|during|at)|internship|published as|under review|\bgrants?\b|"
    r"(?:publicly|be) released?\b|upon (?:acceptance|publication)|openreview|\bproject (?:web)?(?:page|site)",
    re.IGNORECASE,
)
_YEAR = r"(?:1[89]|20)\d\d[a-z]?\b"
_CITED = re.compile(
    rf"\s?\((?=[^()]{{0,40}}[A-Z])[^()]{{2,400}}?{_YEAR}[^()]{{0,200}}\)|\s?\[(?=[^\[\]]{{0,40}}[A-Z])[^\[\]]{{2,400}}?{_YEAR}[^\[\]]{{0,200}}\]|"
    rf"\s?[(\[]{_YEAR}(?:[;,] ?{_YEAR}){{0,9}}[)\]]|\s?\[\d{{1,3}}(?:[,–-] ?\d{{1,3}}){{0,20}}\]|,? et al\b\.?"
)
_ANY_YEAR = re.compile(_YEAR)
_SENTENCE_END = re.compile(r"(?<=[a-z0-9)\]%\"'][.!?])\s+(?=[A-Z(\[\"])")
_NO_END = re.compile(
    r"(?:\b(?:et al|i\.e|e\.g|cf|resp|vs|fig|figs|eq|eqs|sec|tab|thm|def|no|w\.r\.t|viz|approx)\.)$", re.IGNORECASE
)


def sentences(text: str) -> list[str]:
    """Sentences of a running text; abbreviations common in papers do not end one."""
    parts: list[str] = []
    for part in _SENTENCE_END.split(text):
        if parts and _NO_END.search(parts[-1][-10:]):
            parts[-1] += " " + part
        else:
            parts.append(part)
    return [part for part in parts if part.strip()]


def strip(paper: PaperText, max_words: int = MAX_WORDS) -> PaperText:
    """The paper as the prior sees it: no leaking section or sentence, no citations and years, no appendix, capped.

    The text ends where the references or the appendix begin. A sentence that was said before is not said again. Citations
    are taken out, so that a faked one changes nothing; those that a paper comes back to are counted from the full text.
    Captions go too: how many a parser finds differs more between parsers than between papers.
    """
    kept: list[Section] = []
    left = max_words
    said: set[str] = set()
    for section in main_sections(paper):
        words = _clean(section.text, said).split()
        kept.append(replace(section, text=" ".join(words[:left])))
        left -= len(words)
        if left <= 0:
            break
    return PaperText(_clean_title(paper.title), _clean(paper.abstract, set()), tuple(kept), (), ())


def main_sections(paper: PaperText) -> tuple[Section, ...]:
    """The sections of the main text, without those that only one form of a paper has."""
    kept: list[Section] = []
    skip_below = 0
    for section in paper.sections:
        if kept and (is_references(section.heading) or _APPENDIX.match(section.heading)):
            break
        if skip_below and section.depth > skip_below:
            continue
        skip_below = section.depth if _LEAKING_SECTION.match(section.heading) else 0
        if not skip_below:
            kept.append(section)
    return tuple(kept)


def _clean(text: str, said: set[str]) -> str:
    """The sentences that leak nothing and were not in `said`, which is added to."""
    kept = []
    for sentence in sentences(_CITED.sub("", text)):
        if sentence not in said and not _LEAKING_SENTENCE.search(sentence):
            said.add(sentence)
            kept.append(sentence)
    return _ANY_YEAR.sub("2000", " ".join(kept))


def _clean_title(title: str) -> str:
    return " ".join(_ANY_YEAR.sub("", title).lower().split())
