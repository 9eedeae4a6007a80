"""A model that sees is asked once per paper what is wrong with its figures: a note for people, and nothing that a paper rests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from scientist.lab import Record
from scientist.llm import Ask, Image, Message, Model, NoAnswer, ReplayMiss, data, render
from scientist.papers._fragments import plain
from scientist.papers._records import Facts, Figure

LOOKED = "figures_looked_at.json"
MOST_DEFECTS = 8


class Defect(Record):
    """One thing that is wrong with a figure, as a model saw it."""

    figure: str = Field(max_length=40)
    problem: Literal["unreadable", "overlap", "cut off", "legend", "not as captioned", "other"]
    what: str = Field(max_length=200, description="what, and where in the picture")


class Defects(Record):
    """The answer of a model that looked at figures."""

    defects: tuple[Defect, ...] = Field(max_length=MOST_DEFECTS)


class LookedAt(Record):
    """`figures_looked_at.json`: who looked at which figures of the paper, and what was said of them. Nobody checked it."""

    schema_version: Literal[1] = 1
    by: str
    figures: tuple[str, ...]
    defects: tuple[Defect, ...]


def told_figure(figure: Figure, facts: Facts) -> str:
    """What goes with the picture of a figure."""
    caption = plain(figure.caption, facts.by_id())
    return render("figure", id=figure.id, caption=data("caption", caption, 2000))


def look_at(model: Model, pictures: Sequence[tuple[str, Image]], paper: str) -> LookedAt | None:
    """What `model` says is wrong with these figures (id, picture); None where it takes no pictures, or says nothing usable.

    Raises what asking a model raises, save :class:`NoAnswer`; a recording without the answer is none.
    """
    names = tuple(name for name, _ in pictures)

    def check(answer: Defects) -> None:
        for defect in answer.defects:
            if defect.figure.removeprefix("fig:") not in names:
                raise ValueError(f"there is no figure '{defect.figure}'; there are {', '.join(names)}")

    system = Message(role="system", text=render("system", role="writer"))
    messages = (system, Message(role="user", text=render("look_at_figures")))
    images = tuple(image for _, image in pictures)
    ask = Ask(role="writer", task="look_at_figures", messages=messages, images=images, max_tokens=800, sight=True)
    try:
        said = model.ask_record(ask, Defects, check, paper, tries=2)
    except (NoAnswer, ReplayMiss):
        return None
    defects = tuple(
        Defect(figure=one.figure.removeprefix("fig:"), problem=one.problem, what=_visible(one.what))
        for one in said.defects
    )
    return LookedAt(by=model.label, figures=names, defects=defects)


def _visible(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
