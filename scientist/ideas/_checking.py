"""The novelty of a round's candidates: each checked, and what is too close to a work given back once to whoever proposed it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from scientist.ideas._idea import Idea
from scientist.literature import Novelty
from scientist.literature._judge import coefficients

Check = Callable[[Idea, Sequence[Idea]], Novelty]
"""The verdict on an idea, given the other candidates."""


@runtime_checkable
class Differs(Protocol):
    """A proposer that can make an idea differ more from what works tell already."""

    def differ(self, close: Sequence[tuple[Idea, str]]) -> dict[str, Idea]:
        """slug -> the idea that takes its place. `close` are ideas with what is told already; those left out stay."""
        ...


def told_by_a_work(novelty: Novelty) -> bool:
    """Whether the idea is close because a work tells much of it, and not because a design is like another."""
    return novelty.verdict == "close" and novelty.told is not None and novelty.told >= coefficients().close


def what_is_told(novelty: Novelty) -> str:
    """Which claims the nearest work tells already, with the passages, and which it does not: for whoever mends the idea."""
    near = next((n for n in novelty.neighbours if n.kind == "work" and (n.covers or n.lacks)), None)
    if near is None:
        return novelty.reason
    lines = [f"The work '{near.title}' tells much of it already."]
    lines += [f"Told: {cover.claim} (there: {cover.passage})" for cover in near.covers]
    lines += [f"Not told: {claim}" for claim in near.lacks]
    return "\n".join(lines)


def why_known(novelty: Novelty) -> str:
    """The reason of a verdict with the passage that it rests on, in one line."""
    passages = [cover.passage for n in novelty.neighbours for cover in n.covers if n.key in novelty.reason]
    return f"{novelty.reason} It says: {passages[0]}" if passages else novelty.reason


def check_round(
    waiting: Sequence[Idea], proposed: Sequence[Idea], check: Check, proposer: object = None
) -> tuple[list[Idea], dict[str, Novelty]]:
    """The proposals, some of them changed, and the verdict on every candidate.

    A proposal of a model that a work tells in large part goes back once, all of a round in one question; what comes
    instead is checked like any other. What rules proposed stays, and is merely ranked lower.
    """
    candidates = [*waiting, *proposed]
    novelty = {idea.slug: check(idea, _others(idea, candidates)) for idea in candidates}
    close = [
        (idea, what_is_told(novelty[idea.slug]))
        for idea in proposed
        if idea.origin == "model" and told_by_a_work(novelty[idea.slug])
    ]
    if not close or not isinstance(proposer, Differs):
        return list(proposed), novelty
    instead = proposer.differ(close)
    kept = [instead.get(idea.slug, idea) for idea in proposed]
    candidates = [*waiting, *kept]
    for slug, idea in instead.items():
        del novelty[slug]
        novelty[idea.slug] = check(idea, _others(idea, candidates))
    return kept, {idea.slug: novelty[idea.slug] for idea in candidates}


def _others(idea: Idea, candidates: Sequence[Idea]) -> list[Idea]:
    return [other for other in candidates if other.slug != idea.slug]
