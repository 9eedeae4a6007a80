"""The words of a section from a model: which are out of place, which carry meaning, which were copied."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scientist.papers._fragments import FragmentError, Sentence, parse, readable, sentences

_NUMBERS = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_COUNT = re.compile(
    rf"\b({_NUMBERS}|(?:thir|four|fif|six|seven|eigh|nine)teen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)\b(?!-)",
    re.IGNORECASE,
)
_QUANTITY = re.compile(
    r"\b(doubl(?:e[sd]?|ing)|tripl(?:e[sd]?|ing)|quadrupl\w+|halv(?:e[sd]?|ing)|half|twice|thrice|"
    rf"(?:{_NUMBERS}|many|several|hundred)-?fold|(?:a|one|two) (?:third|quarter|fifth|tenth)s?|orders? of magnitude|"
    r"dozens?|hundreds?|thousands?|millions?)\b",
    re.IGNORECASE,
)
_PRAISE = re.compile(
    r"\b(novel(?:ty)?|groundbreaking|breakthroughs?|unprecedented|revolutioni\w+|state[- ]of[- ]the[- ]art|"
    r"for the first time|(?:the|we are) first (?:to|study|paper|work)|to our knowledge|remarkabl[ey]|impressive(?:ly)?|"
    r"outstanding|dramatic(?:ally)?|prove[sdn]?|proofs?|conclusive(?:ly)?|undoubtedly|clearly superior)\b",
    re.IGNORECASE,
)
_MEDDLING = re.compile(
    r"\b(reviewers?|referees?|area chairs?|(?:raise|increase|give) (?:\w+ ){0,2}scores?|strong accept|"
    r"(?:must|should|to) be accepted|recommend acceptance|(?:ignore|disregard) (?:\w+ ){0,2}(?:instructions?|above|previous)|"
    r"prompt|api[- ]key)\b|https?:|www\.",
    re.IGNORECASE,
)
_TALK = re.compile(
    r"\b(you|your|yours|(?:re)?phras\w+|reword\w*|rewrit\w+|rewrote|(?:this|the|above|original|next|previous) (?:sentence|passage|text)s?|"
    r"continue(?:s|d)? this (?:section|paragraph)|(?:appeared|published|presented) (?:in|at) (?:the )?(?:journal|conference|proceedings)|"
    r"the (?:paper|article|authors?) (?:(?:also|further|then) )?(?:continues?|investigates?|discuss(?:es)?|recommends?|argues?|explores?|examines?)|"
    r"as an ai)\b",
    re.IGNORECASE,
)
_RULES = (
    (_COUNT, r"is a number in words that the draft does not have; print a fact with \val or leave it out", True),
    (_QUANTITY, r"is a quantity in words; print it with \val or \calc, or leave it out", True),
    (_PRAISE, "is not for the writer to say", False),
    (_MEDDLING, "has no place in a paper", False),
    (_TALK, "speaks of the text or to somebody, not of the study", False),
)
"""Pattern, what is wrong with it, and whether the declared question and hypothesis excuse it as the draft does."""

_COMMON_WORDS = """
about after again also another anybody because been before being between both does done each every everything from
have here into itself least less made more most much must never none nothing once only other others over same should
since some such than that their them then there these they this those through under until very were what when where
whether which while whose with within without would
"""
_COMMON = frozenset(_COMMON_WORDS.split())

LONGEST_COPY = 7
"""So many words in a row out of somebody's abstract are copied."""


def out_of_place(words: str, drafted: str, declared: str) -> Iterator[str]:
    """Counts and quantities in words, praise and meddling that the draft does not have (both texts in small letters)."""
    for pattern, what, declarable in _RULES:
        known = f"{drafted} {declared}" if declarable else drafted
        for word in dict.fromkeys(match.group() for match in pattern.finditer(words)):
            if not re.search(rf"\b{re.escape(word.lower())}(?!\w|-)", known):
                yield f"'{word}' {what}"


_FOUND = re.compile(
    r"\b(?:stud(?:y|ies)|results?|experiments?|papers?|research(?:ers)?|analys[ie]s|findings?|evidence|authors?|data)\b"
    r"(?:\W+\w+){0,4}?\W+"
    r"(?:shows?|showed|shown|finds?|found|demonstrat\w+|conclud\w+|reveal\w*|indicat\w+|suggest\w*|recommend\w*|"
    r"highlight\w*|establish\w*|provid\w+ evidence)\b",
    re.IGNORECASE,
)
_STATED = re.compile(
    r"\b(?:results?|findings?|effects?|outcomes?|variants)(?:\W+\w+){0,2}?\W+(?:are|is|were|was|remain(?:s|ed)?|stay(?:s|ed)?)"
    r"(?:\W+\w+){0,2}?\W+(?:consistent|robust|stable|similar|unchanged|alter\w*|same|equal|identical|reliable|valid)\b",
    re.IGNORECASE,
)
_NOT_FOUND = re.compile(r"\b(?:not|cannot|can|could|would|may|might|never|nothing|no|whether|neither)\b", re.IGNORECASE)
"""What a study cannot show, or might, is no finding."""

_NAMED = {
    "sd": re.compile(r"deviat|spread|scatter|vari|\bsd\b|disper|\\pm", re.IGNORECASE),
    "p_holm": re.compile(r"\bp\b|holm|adjust|significan", re.IGNORECASE),
}
"""Last part of a fact's id -> words one of which says what kind of number it is; a mean needs none."""

_WRONG_FLOAT = re.compile(r"\bFigures?[~\s]*\\ref\{tab:|\bTables?[~\s]*\\ref\{fig:")
_ENDED = re.compile(r"[.!?:;][\s'’”\")}$]*$|\}[\s'’”\")]*$")

_GENERAL_WORDS = """
happen meant means someth anythi somebo anybod nobody asks asked takes taken given gives makes making keeps kept wants
wanted needs needed knows known tells told said says thinks leaves left comes goes begins starts ends part parts ways
thing things kind kinds case cases fact rather howeve theref althou instea alread still even just well good long short
plain plaine simple often seldom usuall alone togeth apart around behind beside later early earlie soon hardly nearly
almost always until unless hence thus else worth trust trusts remain
"""
_GENERAL = frozenset(_GENERAL_WORDS.split())
"""Beginnings of words that belong to no subject."""

FOREIGN = 0.5
FEWEST_JUDGED = 5
"""More than this share of a sentence's words that nothing of the paper holds: it is about something else. Judged from so many
words on."""

REPEATED = 7
"""So many words and macros in a row that came before in the same paragraph are said twice."""


def unsupported(sentence: Sentence) -> str:
    """'The results show', where the sentence neither prints a fact nor cites a work."""
    if any(token.kind in ("val", "calc", "cite") for token in sentence.tokens):
        return ""
    words = readable(prose(sentence))
    if stated := _STATED.search(words):
        return stated.group()
    said = (found.group() for found in _FOUND.finditer(words))
    return next((one for one in said if not _NOT_FOUND.search(one)), "")


def misnamed(sentence: Sentence) -> Iterator[str]:
    """Facts of a kind that the sentence does not name, and tables that are called figures."""
    for token in sentence.tokens:
        kind = token.args[0].rpartition(".")[2] if token.kind == "val" else ""
        if kind in _NAMED and not _NAMED[kind].search(prose(sentence)):
            what = "a standard deviation" if kind == "sd" else "an adjusted p value"
            yield f"'{token.args[0]}' is {what}, and the sentence does not say so"
    if _WRONG_FLOAT.search(sentence.source):
        yield "it calls a table a figure, or a figure a table"


def unfinished(source: str) -> bool:
    """Whether a sentence just stops."""
    return _ENDED.search(source.strip()) is None


def foreign(words: str, known: set[str] | frozenset[str]) -> list[str]:
    """Beginnings of the words of a sentence that occur nowhere in the paper, where they are most of it; else none."""
    said = stems(words) - _GENERAL
    strange = sorted(said - known)
    return strange if len(said) >= FEWEST_JUDGED and len(strange) > FOREIGN * len(said) else []


def repeats(sentences_before: list[str], source: str, drafted: str) -> str:
    """Words and macros in a row that a sentence says twice, or that the ones before it said; an empty string when none."""
    own = _spelt(source)
    short = len(own) < REPEATED
    if short:
        return " ".join(own) if len(own) > 1 and own in [_spelt(one) for one in sentences_before] else ""
    before = {run for one in sentences_before for run in _windows(_spelt(one))}
    draft = _windows(_spelt(drafted))
    for run in _windows(own):
        if (run in before) and draft.count(run) < 2:
            return " ".join(run)
        before.add(run)
    return ""


def _spelt(source: str) -> list[str]:
    return re.findall(r"[a-z0-9_.]*[a-z0-9]", source.lower())


def _windows(words: list[str]) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + REPEATED]) for i in range(len(words) - REPEATED + 1)]


def is_place(piece: str) -> bool:
    """A paragraph that stands for a figure or table."""
    return re.fullmatch(r"\\place(?:figure|table)\{[A-Za-z0-9_-]+\}", piece.strip()) is not None


def parses(piece: str) -> bool:
    """Whether the macros of a fragment can be read."""
    try:
        sentences(piece)
    except FragmentError:
        return False
    return True


def flat(text: str) -> str:
    """A text on one line, whatever the case and punctuation of its words: by it a sentence is known again."""
    return " ".join(re.sub(r"[.,;:]+(?=\s|$)", " ", text).lower().split())


def prose(piece: str | Sentence) -> str:
    """The text of a fragment as LaTeX, its macros left out."""
    tokens = parse(piece) if isinstance(piece, str) else piece.tokens
    return " ".join(token.source if token.kind == "text" else " " for token in tokens)


def words_of(piece: str) -> int:
    """How many words a fragment has, its macros left out; none where it cannot be read."""
    return len(readable(prose(piece)).split()) if parses(piece) else 0


def stems(text: str) -> set[str]:
    """Beginnings of the words that carry a text's meaning."""
    return {word[:6] for word in re.findall(r"[a-z]{4,}", readable(text).lower()) if word not in _COMMON}


def copied(text: str, source: str) -> bool:
    """Whether a text has :data:`LONGEST_COPY` words in a row in common with a source."""
    return not _runs(text).isdisjoint(_runs(source))


def _runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[a-z0-9]+", text.lower())
    return {tuple(words[i : i + LONGEST_COPY]) for i in range(len(words) - LONGEST_COPY + 1)}


def floats(piece: str) -> list[str]:
    """Labels of figures and tables that a fragment refers to."""
    return [t.args[0] for t in parse(piece) if t.kind == "ref" and t.args[0].startswith(("fig:", "tab:"))]


def twin(fact: str) -> str:
    """A mean difference and its size are the same news, and so are a contrast's margin and the study's."""
    if fact.startswith("c.") and fact.endswith(".margin"):
        return "study.smallest_effect"
    return f"{fact.removesuffix('.abs')}.mean" if fact.endswith(".abs") else fact


def must_stay(fact: str) -> bool:
    """Whether a section may not lose a fact of its draft: what was found, what was declared; names can be said otherwise."""
    return fact.split(".")[0] not in ("set", "variant", "contrast") and fact != "study.ci_level"
