"""The Writer that a model plays: better prose for what the rules drafted, under the audit's rules, or the draft as it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from scientist.llm import Ask, Image, Message, Model, NoAnswer, render
from scientist.papers._figure_look import LookedAt, look_at, told_figure
from scientist.papers._phrases import few
from scientist.papers._records import Manuscript
from scientist.papers._section_checks import Checks, Problem
from scientist.papers._section_material import (
    ABSTRACT,
    MOST_PICTURES,
    PURPOSES,
    Part,
    looked_at,
    parts_of,
    told_draft,
    told_facts,
    told_study,
    told_works,
)
from scientist.papers._section_words import is_place, words_of
from scientist.papers._writer import HeuristicWriter, Material, Writer

ROUNDS = 3
"""Versions of a section: the first, and two that are told what cannot be printed."""

GIVES_UP = 3
"""Parts in a row of which not a sentence can be printed: for the rest the model is not asked, and the draft stands."""

READ_TRIES = 2
"""Answers that one version may take until there is a section in it."""

TOLD = 8
"""Problems that are quoted at once."""

LONGEST = 20_000
MOST_PARAGRAPHS = 40
ENOUGH = 0.4
"""Of the draft's words: a section that keeps fewer of its own is too short to stand."""

_SECTION = re.compile(r"<section>(.*?)</section>", re.DOTALL | re.IGNORECASE)
_PLACE = re.compile(r"(\\place(?:figure|table)\s*\{[^{}]*\})")


@dataclass(frozen=True)
class ModelWriter:
    """Has `fallback` draft the manuscript and asks `model` for each part of it that holds facts or citations.

    A part that breaks rules goes back with what is wrong; after :data:`ROUNDS` versions the sentences that still break one are dropped,
    what the draft says beyond the rest is put back, and where too little of the model's own is left the draft stands. `say`
    is told what was dropped. Tables, figures, captions, the finding and the statements on reproducibility and disclosure
    are the draft's. The manuscript's roles say who wrote. Where `sees`, the parts that discuss figures are asked for with
    pictures of them.
    """

    model: Model
    paper: str = ""
    say: Callable[[str], None] = lambda _: None
    fallback: Writer = field(default_factory=HeuristicWriter)
    sees: bool = True
    fell_back: Callable[[str, str], None] = lambda *_: None
    """Told (part, why) of a part that the rules wrote although the model was asked."""

    @property
    def name(self) -> str:
        """How the model is called."""
        return self.model.label

    def write(self, material: Material) -> Manuscript:
        """See :class:`Writer`. Raises what asking a model raises, save :class:`NoAnswer`."""
        draft = self.fallback.write(material)
        study = told_study(material)
        written: dict[str, tuple[str, ...]] = {}
        parts = parts_of(draft, material)
        images = self._images(material)
        shown = looked_at(parts, list(images))
        failed = 0
        for part in parts:
            if failed >= GIVES_UP:
                self._by_rules(part, f"not asked: {few(GIVES_UP)} parts before it came to nothing")
                continue
            seen = tuple(images[name] for name in shown.get(part.id, ()))
            pieces = self._part(part, Checks(part, draft, material), study, seen)
            failed = failed + 1 if pieces == [] else 0
            if pieces:
                written[part.id] = part.paragraphs(pieces)
        by_rules = tuple(part.title for part in parts if written and part.id not in written)
        roles = {**material.roles, "writer": self._who(len(written), len(parts))}
        signed = self.fallback.write(replace(material, roles=roles, by_rules=by_rules))  # the disclosure says who wrote
        return signed.model_copy(
            update={
                "abstract": written.get(ABSTRACT, (signed.abstract,))[0],
                "sections": tuple(
                    section.model_copy(update={"paragraphs": written.get(section.id, section.paragraphs)})
                    for section in signed.sections
                ),
            }
        )

    def look(self, material: Material) -> LookedAt | None:
        """What the model says is wrong with the figures; None where it sees none. See :func:`look_at`."""
        images = list(self._images(material).items())[:MOST_PICTURES]
        return look_at(self.model, images, self.paper) if images else None

    def _images(self, material: Material) -> Mapping[str, Image]:
        """Pictures of the figures, by id."""
        if not self.sees:
            return {}
        pictures = material.look()
        return {
            figure.id: Image.of(picture.png, told_figure(figure, material.facts), picture.shows)
            for figure in material.figures
            if (picture := pictures.get(figure.id))
        }

    def _who(self, written: int, parts: int) -> str:
        if not written:
            return f"{self.fallback.name} ({self.name} gave nothing usable)" if parts else self.fallback.name
        left = parts - written
        return f"{self.name} ({few(left)} of {few(parts)} sections by rules)" if left else self.name

    # -- one part ------------------------------------------------------------------------------------------------------------

    def _part(self, part: Part, checks: Checks, study: str, seen: tuple[Image, ...] = ()) -> list[str] | None:
        """The pieces of a part; None where the draft stands, and none at all where not a sentence could be printed.

        Each version is a question of its own, so that a recording answers the same ones in the same order.
        """
        asked = render(
            "write_section",
            study=study,
            title=part.title,
            purpose=PURPOSES[part.id],
            facts=told_facts(part),
            works=told_works(part),
            draft=told_draft(part),
        )
        system = Message(role="system", text=render("system", role="writer"))
        first = (system, Message(role="user", text=asked))
        messages: tuple[Message, ...] = first
        pieces, problems = list[str](), list[Problem]()
        for number in range(ROUNDS):
            task = "mend_section" if number else "write_section"
            try:
                pieces = self._ask(task, messages, seen)
            except NoAnswer as error:
                if not pieces:
                    self._by_rules(part, error.message)
                    return []
                break
            problems = checks(pieces)
            if not problems:
                return pieces
            told = "\n".join(f"- {problem}" for problem in problems[:TOLD])
            messages = (
                *first,
                Message(role="assistant", text="<section>\n" + "\n\n".join(pieces) + "\n</section>"),
                Message(role="user", text=render("mend_section", problems=told)),
            )
        return self._saved(part, checks, pieces, problems)

    def _ask(self, task: str, messages: tuple[Message, ...], seen: tuple[Image, ...]) -> list[str]:
        ask = Ask(role="writer", task=task, messages=messages, images=seen, max_tokens=4000, temperature=0.3)
        return self.model.ask(ask, read_section, self.paper, READ_TRIES)

    def _saved(
        self, part: Part, checks: Checks, pieces: Sequence[str], problems: Sequence[Problem]
    ) -> list[str] | None:
        """What can be printed of a version that breaks rules, with what the draft says beyond it."""
        kept: list[str] = []
        dropped: list[str] = []
        for index, piece in enumerate(pieces):
            good = _without(piece, checks.paragraph(index, piece))
            if good and checks.paragraph(index, good):
                good = ""
            dropped += [f"dropped {problem}" for problem in checks.paragraph(index, piece)]
            if good and not (is_place(good) and (good in kept or good not in checks.places)):
                kept.append(good)
        own = sum(words_of(piece) for piece in kept)
        lost = checks.lost(kept)
        asked = [piece for piece in part.draft if not is_place(piece)]
        if (
            own < ENOUGH * sum(words_of(piece) for piece in asked)
            or 2 * len(lost) > len(asked)
            or (part.id == ABSTRACT and (lost or len(kept) != 1))
        ):
            self._by_rules(part, f"after {ROUNDS} versions still: {problems[0]}")
            return None if kept else []
        whole = _place(_put_back(part, kept, lost), checks.places)
        if left := checks(whole):
            self._by_rules(part, f"what could be saved of it still breaks a rule: {left[0]}")
            return None
        for line in dropped:
            self._tell(part, line)
        return whole

    def _by_rules(self, part: Part, why: str) -> None:
        self._tell(part, f"written by rules ({why})")
        self.fell_back(part.id, why)

    def _tell(self, part: Part, what: str) -> None:
        """Say what became of a part. A model's words may hold anything; a terminal gets what can be printed."""
        self.say("".join(c if c.isprintable() else " " for c in f"{self.paper}: {part.id}: {what}".removeprefix(": ")))


def read_section(text: str) -> list[str]:
    """The paragraphs of an answer. Raises :class:`ValueError` when there is no section in it."""
    found = _SECTION.findall(text)
    if not found:
        raise ValueError("put the section, and nothing else, between <section> and </section>")
    body = re.sub(r"^```\w*$|^\s*\\section\*?\{[^{}]*\}", "", found[-1].replace("\r\n", "\n"), flags=re.MULTILINE)
    if len(body) > LONGEST:
        raise ValueError(f"the section is longer than {LONGEST} characters")
    parts = (part for paragraph in re.split(r"\n[ \t]*\n", body) for part in _PLACE.split(paragraph))
    pieces = [("" if _PLACE.fullmatch(part) else " ").join(part.split()) for part in parts if part.strip()]
    if not pieces:
        raise ValueError("the section is empty")
    if len(pieces) > MOST_PARAGRAPHS:
        raise ValueError(f"the section has more than {MOST_PARAGRAPHS} paragraphs")
    return pieces


def _without(piece: str, problems: Sequence[Problem]) -> str:
    """A paragraph without the sentences that break a rule; nothing when the whole of it does."""
    if any(problem.sentence is None for problem in problems):
        return ""
    for sentence in sorted({p.sentence.start: p.sentence for p in problems if p.sentence}.items(), reverse=True):
        begin = sentence[0]
        piece = piece[:begin] + piece[begin + len(sentence[1].source) :]
    return " ".join(piece.split())


def _put_back(part: Part, kept: Sequence[str], lost: Sequence[str]) -> list[str]:
    """The kept pieces with lost paragraphs of the draft: its first one in front, the others behind."""
    front = [piece for piece in lost if piece == part.draft[0]]
    return [*front, *kept, *(piece for piece in lost if piece not in front)]


def _place(pieces: Sequence[str], places: Sequence[str]) -> list[str]:
    """Every float once: where the pieces have it, else behind the paragraph that first refers to it, else at the end."""
    placed = list(pieces)
    for place in places:
        if place in placed:
            continue
        name = place.removeprefix(r"\place").replace("figure{", "fig:").replace("table{", "tab:").rstrip("}")
        at = next((i for i, piece in enumerate(placed) if rf"\ref{{{name}}}" in piece), len(placed) - 1)
        placed.insert(at + 1, place)
    return placed
