"""A model reads the nearest works: which claims of an idea each tells, with a quotation that is checked word by word.

What it says is combined with the words by :func:`combined`. It can find that a work tells an idea in other words, and it
can discard a work that merely shares words. It is only asked where works came from beyond the packaged library, so that
it never makes an idea novel of a fault; a work of the idea's title or one that tells all of it word by word stands
whatever the model says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import Field

from scientist.ideas._idea import Idea
from scientist.ideas._works import Compared
from scientist.lab import Record
from scientist.literature import Claim, Reference, Work, to_reference
from scientist.literature._judge import coefficients, how_compared, likely_told
from scientist.literature._nearness import Near
from scientist.literature._reference import Covered
from scientist.literature._twins import Recheck
from scientist.llm import Ask, Message, Model, NoAnswer, data, render

READ = 5
"""Works that a model is shown, the nearest first."""
ASK_FROM = 0.25
"""Chance from which it is asked: below it no work stands out at all."""
ABSTRACT = 3_000
LEAST_QUOTE = 15  # letters of a quotation: fewer can be found anywhere
HALF = 0.5  # share of the claims from which a work that tells them makes the idea close
DISCARDED, ALL = 0.2, 0.97
"""The chance where no work tells any claim, and where one tells the idea whole."""
SURE = 0.9
"""Chance by words from which a model cannot discard what they found."""


class Quoted(Record):
    """A claim that a work tells, by its number, and the words of the work that do."""

    claim: int = Field(ge=1, le=50)
    quote: str = Field(max_length=600)


class Read(Record):
    """What one work tells."""

    work: str
    same: bool = False
    covers: tuple[Quoted, ...] = Field(default=(), max_length=24)


class Reading(Record):
    """The model's answer: every work once."""

    works: tuple[Read, ...] = Field(min_length=1, max_length=12)


def flat(text: str) -> str:
    """Letters and digits only, in lower case: what a quotation must share with its work."""
    return re.sub(r"[^\w]+", " ", text.lower()).strip()


def check_reading(reading: Reading, works: Mapping[str, str], claims: int) -> None:
    """Raises :class:`ValueError` naming the first thing that is not so: a work, a claim, or a quotation that is none."""
    told = [one.work for one in reading.works]
    if unknown := [key for key in told if key not in works]:
        raise ValueError(f"there is no work '{unknown[0][:40]}': use the keys as they are")
    if len(set(told)) != len(told):
        raise ValueError("list every work once")
    if lacking := [key for key in works if key not in told]:
        raise ValueError(f"the work '{lacking[0]}' is missing")
    for one in reading.works:
        for cover in one.covers:
            if cover.claim > claims:
                raise ValueError(f"there is no claim {cover.claim}: they go from 1 to {claims}")
            if len(flat(cover.quote)) < LEAST_QUOTE or flat(cover.quote) not in flat(works[one.work]):
                raise ValueError(f"the quotation for claim {cover.claim} does not stand in '{one.work}' word for word")
        if one.same and not one.covers:
            raise ValueError(f"'{one.work}' is the same as the idea only if quotations show which claims it tells")


def share_told(read: Read, claims: Sequence[Claim]) -> float:
    """The share of what the idea does and expects that a work tells. How it is measured on what is no news alone."""
    weights = [2.0 if claim.role in ("idea", "mechanism", "expected") else 1.0 for claim in claims]
    told = {cover.claim for cover in read.covers}
    return sum(w for number, w in enumerate(weights, start=1) if number in told) / (sum(weights) or 1.0)


def combined(chance: float, shares: Sequence[float], same: Sequence[bool]) -> float:
    """The chance by words, and what the model found in the nearest works, as one chance. Pure.

    - A work that tells the whole of it, with quotations for half of the claims at least: :data:`ALL`.
    - A work that tells half or more: at least the threshold of `close`, and more with every claim.
    - No work tells any claim: no more than :data:`DISCARDED`, unless the words were :data:`SURE`: an abstract may have
      talked the model out of it.
    - Anything between: just below the threshold at most, by the share that is told.
    """
    if not shares:
        return chance
    best, close = max(shares), coefficients().close
    if any(one and share >= HALF for one, share in zip(same, shares, strict=True)):
        return max(chance, ALL)
    if best >= HALF:
        return max(chance, close + (ALL - close) * (best - HALF) / (1 - HALF))
    if best == 0:
        return chance if chance >= SURE else min(chance, DISCARDED)
    if chance >= SURE:
        return chance
    return min(max(chance, DISCARDED), DISCARDED + (close - 0.01 - DISCARDED) * best / HALF)


@dataclass(frozen=True)
class ModelReader:
    """Reads the nearest works of an idea with `model`; where it gives nothing usable the words stand, and `say` is told."""

    model: Model
    say: Callable[[str], None] = lambda _: None
    fell_back: Callable[[str, str], None] = lambda *_: None

    def __call__(self, idea: Idea, compared: Compared) -> Compared:
        """The comparison with what the model found; unchanged where it is not asked or gives no answer."""
        return self.read(idea.title, idea.slug, compared)

    def read(self, title: str, name: str, compared: Compared) -> Compared:
        """The same for an idea that is no record of the lab."""
        if compared.told is None or compared.told < ASK_FROM or compared.same is not None:
            return compared
        works = {f"W{n}": compared.works[one.index] for n, one in enumerate(compared.near[:READ], start=1)}
        try:
            reading = self._ask(title, compared.claims, works)
        except NoAnswer as error:
            self.say(f"claims were compared by {compared.by} alone: {error.message}")
            self.fell_back(f"novelty of {name}", error.message)
            return compared
        shares = [share_told(one, compared.claims) for one in reading.works]
        told = combined(compared.told, shares, [one.same for one in reading.works])
        quoted = {works[one.work].key: self._covered(one, compared.claims) for one in reading.works}
        order = {one.work: share for one, share in zip(reading.works, shares, strict=True)}
        # What tells most of it comes first; the rest stays as it was.
        first = sorted(enumerate(works), key=lambda pair: (-order.get(pair[1], 0.0), pair[0]))
        near = (*(compared.near[at] for at, _ in first), *compared.near[len(works) :])
        by = f"{compared.by}, and read by {self.model.label}"
        return replace(compared, near=near, told=round(told, 4), by=by, quoted=quoted)

    def _ask(self, title: str, claims: Sequence[Claim], works: Mapping[str, Reference]) -> Reading:
        texts = {key: f"{work.title}. {(work.abstract or work.gist)[:ABSTRACT]}" for key, work in works.items()}
        listed = "\n".join(f"{number}. ({claim.role}) {claim.text}" for number, claim in enumerate(claims, start=1))
        asked = render(
            "claims",
            works="\n\n".join(data(f"work {key}", text) for key, text in texts.items()),
            idea=data("idea", title),
            claims=data("claims", listed),
        )
        ask = Ask(
            role="proposer",
            task="compare claims with works",
            messages=(
                Message(role="system", text=render("system", role="proposer")),
                Message(role="user", text=asked),
            ),
            max_tokens=3000,
        )
        return self.model.ask_record(ask, Reading, lambda reading: check_reading(reading, texts, len(claims)))

    def _covered(self, read: Read, claims: Sequence[Claim]) -> tuple[Covered, ...]:
        return tuple(
            Covered(
                claim=claims[cover.claim - 1].text,
                coverage=1.0,
                passage=" ".join(cover.quote.split())[:400],
                by=self.model.label,
            )
            for cover in read.covers
        )


def rechecked(reader: ModelReader) -> Recheck:
    """The same reading for ideas that are no records of the lab, such as those of a benchmark."""

    def recheck(claims: Sequence[Claim], works: Sequence[Work], near: Sequence[Near]) -> float | None:
        told = likely_told(near)
        kept = tuple(to_reference(work).model_copy(update={"key": f"w{number}"}) for number, work in enumerate(works))
        compared = Compared(tuple(claims), kept, tuple(near), told, how_compared(near))
        return reader.read(claims[0].text, "an idea", compared).told

    return recheck
