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
from typing import Literal

from pydantic import Field

from scientist.ideas._idea import Idea
from scientist.ideas._works import Compared
from scientist.lab import Record
from scientist.literature import Claim, Reference, Work, to_reference
from scientist.literature._judge import coefficients, how_compared, likely_told
from scientist.literature._nearness import Near
from scientist.literature._reference import Covered
from scientist.literature._twins import Recheck, Reread
from scientist.llm import Ask, Message, Model, NoAnswer, data, render

READ = 10
"""Works that a model is shown, the nearest first: of the works behind ideas, more than nine of ten are among these."""
ABSTRACT = 1_300
"""Characters of an abstract; of 12,000 works on machine learning one in five has more."""
LEAST_QUOTE = 15  # letters of a quotation: fewer can be found anywhere
HALF, MOST = 0.5, 0.65
"""The shares of the claims that must be quoted from a work that is said to have done the idea: to be taken for more than
a variant, and to make the idea known."""
CHANCE = 0.25
"""How much of a band the chance by words moves: it orders ideas of which the model says the same."""
SURE = 0.9
"""Chance by words from which a model cannot discard what they found."""

Relation = Literal["same", "variant", "part", "other"]
BANDS: dict[Relation, tuple[float, float]] = {
    "other": (0.0, 0.2),
    "part": (0.2, 0.5),
    "variant": (0.65, 0.9),
    "same": (0.9, 0.99),
}
"""Between which chances an idea comes by the work that is nearest to it."""


class Quoted(Record):
    """A claim that a work tells, by its number, and the words of the work that do."""

    claim: int = Field(ge=1, le=50)
    quote: str = Field(max_length=600)


class Read(Record):
    """What one work tells, and how it stands to the idea."""

    work: str
    covers: tuple[Quoted, ...] = Field(default=(), max_length=24)
    relation: Relation = "other"


class Reading(Record):
    """The model's answer: every work once."""

    works: tuple[Read, ...] = Field(min_length=1, max_length=READ)


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
        if one.relation != "other" and not one.covers:
            raise ValueError(f"'{one.work}' is '{one.relation}' only if quotations show which claims it tells")


def share_told(read: Read, claims: Sequence[Claim]) -> float:
    """The share of what the idea does and expects that a work tells. How it is measured on what is no news alone."""
    weights = [2.0 if claim.role in ("idea", "mechanism", "expected") else 1.0 for claim in claims]
    told = {cover.claim for cover in read.covers}
    return sum(w for number, w in enumerate(weights, start=1) if number in told) / (sum(weights) or 1.0)


def held(read: Read, share: float) -> Relation:
    """The relation that the quotations bear out: what is said to be the same, and is quoted for less than half, varies."""
    return "variant" if read.relation == "same" and share < HALF else read.relation


def is_done(read: Read, claims: Sequence[Claim]) -> bool:
    """Whether a work is said to have done the idea, and is quoted for most of it: what an idea is archived for."""
    return read.relation == "same" and share_told(read, claims) >= MOST


def combined(chance: float, relations: Sequence[Relation], shares: Sequence[float]) -> float:
    """The chance by words, and how the works stand to the idea, as one chance. Pure.

    The nearest work says in which of the :data:`BANDS` it lies; how much of the claims is quoted from it, and the chance
    by words, say where in it. From :data:`SURE` on the chance by words is not lowered: an abstract may have talked the
    model out of it.
    """
    if not relations:
        return chance
    value = max(_placed(relation, share, chance) for relation, share in zip(relations, shares, strict=True))
    return max(value, chance) if chance >= SURE else value


def _placed(relation: Relation, share: float, chance: float) -> float:
    low, high = BANDS[relation]
    return low + (high - low) * ((1 - CHANCE) * share + CHANCE * chance)


@dataclass(frozen=True)
class ModelReader:
    """Reads the nearest works of an idea with `model`; where it gives nothing usable the words stand, and `say` is told."""

    model: Model
    say: Callable[[str], None] = lambda _: None
    fell_back: Callable[[str, str], None] = lambda *_: None

    def __call__(self, idea: Idea, compared: Compared) -> Compared:
        """The comparison with what the model found; unchanged where it is not asked or gives no answer."""
        return self.read(idea.slug, compared)

    def read(self, name: str, compared: Compared) -> Compared:
        """The same for an idea that is no record of the lab."""
        if not compared.near or compared.same:
            return compared
        works = {f"W{n}": compared.works[one.index] for n, one in enumerate(compared.near[:READ], start=1)}
        try:
            reading = self._ask(compared.claims, works)
        except NoAnswer as error:
            self.say(f"claims were compared by {compared.by} alone: {error.message}")
            self.fell_back(f"novelty of {name}", error.message)
            return compared
        claims = compared.claims
        shares = {one.work: share_told(one, claims) for one in reading.works}
        relations = {one.work: held(one, shares[one.work]) for one in reading.works}
        told = combined(compared.told or 0.0, list(relations.values()), list(shares.values()))
        if compared.told is None and told < coefficients().close:
            return compared  # a handful of works is no field: that none of them tells it says nothing
        quoted = {works[one.work].key: self._covered(one, claims) for one in reading.works}
        # What tells most of it comes first; the rest stays as it was.
        order = {key: _placed(relations[key], shares[key], 0.0) for key in works}
        first = sorted(enumerate(works), key=lambda pair: (-order[pair[1]], pair[0]))
        near = (*(compared.near[at] for at, _ in first), *compared.near[len(works) :])
        done = [works[one.work].key for one in reading.works if is_done(one, claims)]
        by = f"{compared.by}, and read by {self.model.label}"
        return replace(compared, near=near, told=round(told, 4), by=by, quoted=quoted, done=tuple(done))

    def _ask(self, claims: Sequence[Claim], works: Mapping[str, Reference]) -> Reading:
        texts = {key: f"{work.title}. {(work.abstract or work.gist)[:ABSTRACT]}" for key, work in works.items()}
        listed = "\n".join(f"{number}. ({claim.role}) {claim.text}" for number, claim in enumerate(claims, start=1))
        asked = render(
            "claims",
            count=len(works),
            works="\n\n".join(data(f"work {key}", text) for key, text in texts.items()),
            claims=data("idea", listed),
        )
        ask = Ask(
            role="proposer",
            task="compare claims with works",
            messages=(
                Message(role="system", text=render("system", role="proposer")),
                Message(role="user", text=asked),
            ),
            max_tokens=4000,
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

    def recheck(claims: Sequence[Claim], works: Sequence[Work], near: Sequence[Near]) -> Reread:
        told = likely_told(near)
        kept = tuple(to_reference(work).model_copy(update={"key": f"w{number}"}) for number, work in enumerate(works))
        compared = Compared(tuple(claims), kept, tuple(near), told, how_compared(near))
        read = reader.read("an idea", compared)
        return Reread(told if read.told is None else read.told, bool(read.done))

    return recheck
