"""Whether a paper stands in an order: paragraphs that follow from each other, sections that follow the work. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import numpy as np

from scientist.reviews.checks._findings import Finding, finding
from scientist.reviews.reading import Document, Section

LEAST_PARAGRAPHS, MOST_PARAGRAPHS, LONG = 12, 300, 200
"""Paragraphs that are needed, and that are looked at; characters from which one is prose."""
ORDERS = 200
BEYOND_CHANCE = 1.64
"""Standard deviations of random orders by which a written order is better than they are (one-sided 5 %)."""
_WORD = re.compile(r"[^\W\d_]{4,}")
_STEM = 7
_FIRST = re.compile(r"introduction$", re.IGNORECASE)
_LAST = re.compile(r"(?:conclu(?:sions?|ding)|summary$|discussions? and conclu)", re.IGNORECASE)
_WORK = re.compile(
    r"experiment|results|evaluation|empirical|method|approach|framework|algorithm|related work|background|preliminar|analysis|setup",
    re.IGNORECASE,
)


def check_order(document: Document) -> Iterator[Finding]:
    """Every check of this file over the main text."""
    yield from _sections(document)
    yield from _paragraphs(document)


def _sections(document: Document) -> Iterator[Finding]:
    """An introduction after the work, or a conclusion before it."""
    main = [one for one in document.sections if not one.appendix and one.title and _is_top(one)]
    first = next((place for place, one in enumerate(main) if _FIRST.match(one.title)), None)
    last = next((place for place, one in enumerate(main) if _LAST.match(one.title)), None)
    early = [one for one in main[: first or 0] if _WORK.search(one.title) or _LAST.match(one.title)]
    late = (
        [] if last is None else [one for one in main[last + 1 :] if _WORK.search(one.title) or _FIRST.match(one.title)]
    )
    for one, what in (
        *((one, "before the introduction") for one in early[:1]),
        *((one, "after the conclusion") for one in late[:1]),
    ):
        yield finding(
            "warning",
            "section-order",
            f"'{one.title}' stands {what}",
            section=f"{one.number} {one.title}".strip(),
            page=one.page,
            expected="introduction, work, conclusion",
        )


def _is_top(section: Section) -> bool:
    return section.level <= 1


def _paragraphs(document: Document) -> Iterator[Finding]:
    """Neighbouring paragraphs that share no more words than any two of the paper: a permutation test.

    Lexical cohesion (Morris and Hirst 1991; Hearst 1997): a paragraph takes up words of the one before. Cosine of weighted content words
    between neighbours, against random orders of the same paragraphs.
    """
    texts = [
        paragraph.text
        for section in document.sections
        if not section.appendix
        for paragraph in section.paragraphs
        if len(paragraph.text) >= LONG
    ][:MOST_PARAGRAPHS]
    if len(texts) < LEAST_PARAGRAPHS:
        return
    z = cohesion(texts)
    if z >= BEYOND_CHANCE:
        return
    yield finding(
        "warning",
        "paragraph-order",
        f"{len(texts)} paragraphs follow each other no better than in a random order ({z:.1f} standard deviations): neighbours share no more words than any two",
        expected="paragraphs that take up what the one before says",
    )


def cohesion(texts: list[str]) -> float:
    """By how many standard deviations neighbouring texts are more alike than in random orders of them."""
    bags = [Counter(word.lower()[:_STEM] for word in _WORD.findall(text)) for text in texts]
    holding = Counter(word for bag in bags for word in bag)
    many = len(texts)
    column = {word: place for place, word in enumerate(sorted(w for w, n in holding.items() if 2 <= n <= 0.5 * many))}
    weights = np.zeros((many, max(len(column), 1)))
    for place, bag in enumerate(bags):
        for word, count in bag.items():
            if word in column:
                weights[place, column[word]] = (1 + np.log(count)) * np.log(many / holding[word])
    weights /= np.maximum(np.linalg.norm(weights, axis=1, keepdims=True), 1e-9)
    alike = weights @ weights.T
    draws = np.random.default_rng(0)
    orders = np.array([draws.permutation(many) for _ in range(ORDERS)])
    random = alike[orders[:, :-1], orders[:, 1:]].mean(axis=1)
    written = float(alike[np.arange(many - 1), np.arange(1, many)].mean())
    return (written - float(random.mean())) / max(float(random.std()), 1e-9)
