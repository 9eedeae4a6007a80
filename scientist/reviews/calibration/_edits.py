"""Paired edits: a paper and the same paper changed in one way, to see whether a reviewer notices, or is taken in.

The first four do harm, and a reviewer should score them lower; the others do nothing for the work, and none of them may raise
a score by more than reading the same paper twice does. All are pure functions of a text and a seed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from scientist.reviews.calibration._strip import sentences

Edit = Callable[[str, int], str]

_NUMBER = re.compile(r"(?<![\w.\[(])\d+\.\d+(?![\w.])")
_REFERENCES = re.compile(r"^[#* \d.]{0,8}(?:references|bibliography)\W{0,4}$", re.IGNORECASE | re.MULTILINE)
_BETTER = {
    "outperforms": "is outperformed by", "outperform": "are outperformed by", "improves": "worsens", "improve": "worsen", "improved": "worsened",
    "better": "worse", "best": "worst", "higher": "lower", "superior": "inferior", "increases": "decreases", "reduces": "raises",
    "significantly": "insignificantly", "faster": "slower", "effective": "ineffective", "succeeds": "fails", "consistently": "rarely",
}  # fmt: skip
_BETTER_WORD = re.compile(r"\b(?:" + "|".join(_BETTER) + r")\b")
_BASELINE = re.compile(
    r"\b(?:baselines?|compared? (?:to|with|against)|state-of-the-art|outperforms?|prior (?:work|methods?)|versus)\b",
    re.IGNORECASE,
)
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
_NAMES = (
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
)


def numbers_corrupted(text: str, seed: int) -> str:
    """Every decimal of the main text replaced by another one of the same form."""
    draws = np.random.default_rng(seed)

    def other(found: re.Match[str]) -> str:
        whole, _, part = found[0].partition(".")
        return f"{draws.integers(10 ** (len(whole) - 1) if len(whole) > 1 else 0, 10 ** min(len(whole), 9))}.{draws.integers(10 ** min(len(part), 9)):0{min(len(part), 9)}d}"

    return _in_main(text, lambda main: _NUMBER.sub(other, main))


def result_reversed(text: str, seed: int) -> str:
    """Words of success replaced by their opposites."""
    return _in_main(text, lambda main: _BETTER_WORD.sub(lambda found: _BETTER[found[0]], main))


def baseline_removed(text: str, seed: int) -> str:
    """Sentences that compare with something else are gone."""
    return _in_main(
        text, lambda main: _by_paragraph(main, lambda said: [one for one in said if not _BASELINE.search(one)])
    )


def sections_shuffled(text: str, seed: int) -> str:
    """Paragraphs of the main text in a random order, headings left where they were."""

    def shuffle(main: str) -> str:
        parts = main.split("\n\n")
        long = [place for place, part in enumerate(parts) if len(part) > 200]
        order = np.random.default_rng(seed).permutation(np.array(long, dtype=int))
        mixed = list(parts)
        for place, source in zip(long, order, strict=True):
            mixed[place] = parts[int(source)]
        return "\n\n".join(mixed)

    return _in_main(text, shuffle)


def padded(text: str, seed: int) -> str:
    """Every fifth sentence is said once more, later in its paragraph."""
    return _in_main(text, lambda main: _by_paragraph(main, lambda said: [*said, *said[:-1:5]]))


def polished(text: str, seed: int) -> str:
    """Wordy phrases made short, spelling and capitals made even; nothing is said that was not said before."""

    def polish(main: str) -> str:
        for pattern, better in _POLISH:
            main = pattern.sub(better, main)
        return main

    return _in_main(text, polish)


def filler(text: str, seed: int) -> str:
    """A sentence that says nothing after every fourth one."""
    draws = np.random.default_rng(seed)

    def fill(said: list[str]) -> list[str]:
        return [
            part
            for place, one in enumerate(said)
            for part in ([one, FILLER[draws.integers(len(FILLER))]] if place % 4 == 3 else [one])
        ]

    return _in_main(text, lambda main: _by_paragraph(main, fill))


def fake_references(text: str, seed: int) -> str:
    """Forty recent works that do not exist in the list of references, and twelve of them cited in the text."""
    draws = np.random.default_rng(seed)
    works = [(str(draws.choice(_NAMES)), 2020 + int(draws.integers(6))) for _ in range(40)]
    entries = "\n".join(
        f"{name}, A. and {draws.choice(_NAMES)}, B. Advances in learning {n}. In ICML, {year}."
        for n, (name, year) in enumerate(works)
    )
    cites = iter(works[:12])

    def cite(said: list[str]) -> list[str]:
        if len(said) > 2 and (work := next(cites, None)):
            return [said[0].rstrip(".") + f" ({work[0]} et al., {work[1]}).", *said[1:]]
        return said

    cited = _in_main(text, lambda main: _by_paragraph(main, cite))
    return cited.rstrip() + ("\n" if _REFERENCES.search(cited) else "\n\nREFERENCES\n\n") + entries + "\n"


def pasted_appendix(text: str, seed: int) -> str:
    """The main text once more, behind the end, as an appendix."""
    end = _end(text)
    tail = "" if end < len(text) else "\n\nREFERENCES\n"
    return text.rstrip() + tail + "\n\nAPPENDIX\n\nA ADDITIONAL RESULTS\n\n" + text[len(text[:end]) // 3 : end]


HARMFUL: Mapping[str, Edit] = MappingProxyType(
    {
        "numbers corrupted": numbers_corrupted,
        "result reversed": result_reversed,
        "baseline removed": baseline_removed,
        "sections shuffled": sections_shuffled,
    }
)
IDLE: Mapping[str, Edit] = MappingProxyType(
    {
        "padded": padded,
        "polished": polished,
        "filler": filler,
        "fake references": fake_references,
        "pasted appendix": pasted_appendix,
    }
)


def retest(text: str, seed: int, share: float = 0.1) -> str:
    """The same paper read again: a tenth of its sentences, drawn anew for each seed, were overlooked."""
    draws = np.random.default_rng(seed)
    return _in_main(
        text, lambda main: _by_paragraph(main, lambda said: [one for one in said if draws.random() >= share])
    )


def _end(text: str) -> int:
    found = [match.start() for match in _REFERENCES.finditer(text) if match.start() > len(text) // 5]
    return found[0] if found else len(text)


def _in_main(text: str, change: Callable[[str], str]) -> str:
    """The text with everything before the references changed."""
    end = _end(text)
    return change(text[:end]) + text[end:]


def _by_paragraph(main: str, change: Callable[[list[str]], list[str]]) -> str:
    """Sentences of each paragraph of prose changed; short paragraphs (headings, equations, cells) are left alone."""
    parts = main.split("\n\n") if "\n\n" in main else main.split("\n")
    joint = "\n\n" if "\n\n" in main else "\n"
    changed = []
    for part in parts:
        tokens = part.split()
        if len(part) < 200 or sum(token.strip(".,;:()").isalpha() for token in tokens) < 0.7 * len(tokens):
            changed.append(part)
            continue
        changed.append(" ".join(change(sentences(" ".join(part.split())))))
    return joint.join(changed)
