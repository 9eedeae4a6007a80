"""What a section from a model has to keep to: the audit's own rules, sentence by sentence, and what an audit cannot know.

The audit judges a finished paper, whoever wrote it. A writer that invents is held to more: nothing that the draft says may be lost,
no effect may be claimed away from its contrast, no quantity hidden in words, no praise, nothing copied from an abstract.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from pathlib import Path

from scientist.papers import _audit_claims as claims
from scientist.papers import _audit_text as text
from scientist.papers._audit_context import Context, Rebuild
from scientist.papers._fragments import Sentence, check_latex, free_digits, readable, sentences
from scientist.papers._records import Facts, Finding, Manuscript
from scientist.papers._section_material import ABSTRACT, Part, cited_works, printed_facts
from scientist.papers._section_words import (
    copied,
    flat,
    floats,
    foreign,
    is_place,
    misnamed,
    must_stay,
    out_of_place,
    parses,
    prose,
    repeats,
    stems,
    twin,
    unfinished,
    unsupported,
)
from scientist.papers._writer import Material

_AUDIT = (
    text.check_free_numbers,
    text.check_facts_exist,
    text.check_intervals,
    text.check_citations,
    text.check_labels,
    text.check_placeholders,
    claims.check_claims,
)
_OWN_LABELS = ("ledger", "runs", "study", "rebuild", "code")

_LISTS = re.compile(r"\\(?:begin|end|item|footnote|multicolumn)\b")
_UNCLAIMED = ("method", "limitations")
"""Sections about what was done, not about what came out."""

COVERED = 0.3
"""Of a draft paragraph's words, what has to occur in the section for the paragraph to count as said."""

FEWEST_SHARED = 2
"""Words of a sentence that cites a work that must occur in what is known of the work."""


@dataclass(frozen=True)
class Problem:
    """Something that cannot be printed. `paragraph` is -1 for the whole section, `sentence` empty for a whole paragraph."""

    message: str
    paragraph: int = -1
    sentence: Sentence | None = None

    def __str__(self) -> str:
        said = " ".join(self.sentence.source.split()) if self.sentence else ""
        said = said if len(said) <= 160 else f"{said[:157]}..."
        return (
            f"“{said}”: {self.message}"
            if said
            else f"paragraph {self.paragraph + 1}: {self.message}"
            if self.paragraph >= 0
            else self.message
        )


@dataclass(frozen=True)
class Checks:
    """The rules of one part of a manuscript."""

    part: Part
    draft: Manuscript
    material: Material

    @cached_property
    def _context(self) -> Context:
        """The paper with nothing in it, in which one sentence at a time is judged."""
        material, works = self.material, self.part.works
        return Context(
            paper=Path(),
            rebuild=Rebuild(),
            manuscript=None,
            facts=Facts(study_sha256=material.facts.study_sha256, facts=self.part.facts),
            study=material.study,
            idea=material.idea,
            analysis=material.analysis,
            final=None,
            novelty=material.novelty.model_copy(update={"references": works}),
            manifest=None,
            results={},
            tex="".join(rf"\label{{app:{name}}}" for name in _OWN_LABELS),
            bib="\n".join(f"@misc{{{work.key}," for work in works),
            journal=None,
        )

    @cached_property
    def _empty(self) -> Manuscript:
        draft = self.draft
        return draft.model_copy(
            update={
                "title": "",
                "finding": "",
                "abstract": "",
                "sections": tuple(section.model_copy(update={"paragraphs": ()}) for section in draft.sections),
                "tables": tuple(
                    table.model_copy(update={"caption": "", "header": (), "rows": ()}) for table in draft.tables
                ),
                "figures": tuple(figure.model_copy(update={"caption": "", "shows": ()}) for figure in draft.figures),
            }
        )

    @cached_property
    def _said(self) -> frozenset[str]:
        """The draft's own sentences, which need no further check."""
        return frozenset(flat(one.source) for piece in self.part.draft for one in sentences(piece))

    @cached_property
    def _draft_words(self) -> str:
        return " ".join(readable(prose(piece)) for piece in self.part.draft).lower()

    @cached_property
    def _draft_unclaimed(self) -> str:
        """The draft's sentences that print no fact of a contrast: words of effect in them claim nothing of this study."""
        unclaimed = [
            readable(prose(one))
            for piece in self.part.draft
            for one in sentences(piece)
            if not any(fact.startswith("c.") for fact in printed_facts([one.source]))
        ]
        return " ".join(unclaimed).lower()

    @cached_property
    def _drafted(self) -> str:
        return " ".join(self.part.draft)

    @cached_property
    def _known(self) -> frozenset[str]:
        """Beginnings of all words that the draft, the declared idea, the task, and what is known of works and facts hold."""
        draft, idea, template = self.draft, self.material.idea, self.material.template
        pieces = [draft.title, draft.abstract, *(p for section in draft.sections for p in section.paragraphs)]
        told = [prose(piece) for piece in pieces if parses(piece)]
        told += [figure.caption for figure in draft.figures] + [table.caption for table in draft.tables]
        told += [
            idea.title,
            idea.question,
            idea.hypothesis,
            idea.why,
            template.title,
            template.summary,
            template.background,
        ]
        told += [f"{work.title} {work.gist} {work.abstract}" for work in self.part.works]
        told += [f"{fact.title} {fact.text}" for fact in self.part.facts]
        return frozenset().union(*(stems(one) for one in told))

    @cached_property
    def _declared(self) -> str:
        idea = self.material.idea
        return f"{idea.question} {idea.hypothesis} {idea.why}".lower()

    @cached_property
    def places(self) -> list[str]:
        """The floats that the draft places, as paragraphs."""
        return [piece for piece in self.part.draft if is_place(piece)]

    # -- all of a section --------------------------------------------------------------------------------------------------

    def __call__(self, pieces: Sequence[str]) -> list[Problem]:
        """Everything that keeps the pieces from being printed, in reading order."""
        found = [problem for index, piece in enumerate(pieces) for problem in self.paragraph(index, piece)]
        readable_pieces = [piece for piece in pieces if parses(piece)]
        found += self._placed(pieces)
        for piece in self.lost(readable_pieces):
            found.append(Problem(self._missing(piece, readable_pieces)))
        return found

    def paragraph(self, index: int, piece: str) -> list[Problem]:
        """What is wrong within one paragraph."""
        if is_place(piece):
            return []
        if not parses(piece):
            return [Problem(check_latex(piece)[0], index)]
        broken = check_latex(piece)
        found = []
        before: list[str] = []
        for sentence in sentences(piece):
            told = list(dict.fromkeys(self._sentence(sentence, bool(broken))))
            if twice := repeats(before, sentence.source, self._drafted):
                told.append(f"it says again what was said: '{twice}'")
            before.append(sentence.source)
            found += [Problem(message, index, sentence) for message in told]
        if broken and not found:
            found.append(Problem(broken[0], index))
        return found

    def _placed(self, pieces: Sequence[str]) -> Iterator[Problem]:
        times = Counter(piece for piece in pieces if is_place(piece))
        for place, number in times.items():
            if place not in self.places:
                yield Problem(f"{place} is not for this section")
            elif number > 1:
                yield Problem(f"{place} occurs {number} times: once is right")
        for place in self.places:
            if place not in times:
                yield Problem(f"{place} is missing")

    # -- what is lost -------------------------------------------------------------------------------------------------------

    def lost(self, pieces: Sequence[str]) -> list[str]:
        """Paragraphs of the draft whose facts, works, floats or gist the pieces leave out."""
        return [piece for piece in self.part.draft if not is_place(piece) and self._missing(piece, pieces)]

    def _missing(self, piece: str, pieces: Sequence[str]) -> str:
        """What of a draft's paragraph the pieces do not say; nothing when all is there."""
        there = {twin(fact) for fact in printed_facts(pieces)}
        facts = [fact for fact in printed_facts([piece]) if twin(fact) not in there and must_stay(fact)]
        if facts:
            return f"of the draft these facts are not printed: {', '.join(facts[:12])}"
        works = [key for key in cited_works([piece]) if key not in cited_works(pieces)]
        if works:
            return f"of the draft these works are not cited: {', '.join(works)}"
        refs = [ref for ref in floats(piece) if not any(ref in floats(other) for other in pieces)]
        if refs:
            return rf"the draft refers to {', '.join(refs)} (\ref), this does not"
        answer = " ".join(readable(prose(other)) for other in pieces).lower()
        if "self-reported" in readable(piece).lower() and "self-reported" not in answer:
            return "it does not say that the metric is self-reported"
        said = stems(prose(piece))
        if len(said & stems(answer)) < ceil(COVERED * len(said)):
            return f"the draft says this and the section does not: “{' '.join(piece.split())[:160]}”"
        return ""

    # -- one sentence --------------------------------------------------------------------------------------------------------

    def _sentence(self, sentence: Sentence, broken: bool) -> Iterator[str]:
        source = sentence.source
        if broken:
            yield from check_latex(source)
        yield from (one.message for one in self._audited(source))
        if flat(source) in self._said:
            return
        if found := _LISTS.search(source):
            yield f"{found.group()} is not allowed here"
        if self.part.listed and r"\paragraph" in source:
            yield "a limitation has no heading"
        words = readable(prose(sentence))
        yield from out_of_place(words, self._draft_words, self._declared)
        if unfinished(source):
            yield "it stops before its end"
        grounded = any(token.kind in ("val", "calc", "cite") for token in sentence.tokens)
        if not grounded and (strange := foreign(words, self._known)):
            yield f"it is about something else: nothing of the paper speaks of {', '.join(strange[:5])}"
        if said := unsupported(sentence):
            yield rf"'{said}': it says what was found, and prints no fact (\val) and cites no work"
        yield from misnamed(sentence)
        yield from self._away_from_its_contrast(sentence)
        yield from self._works(sentence, words)

    def _audited(self, source: str) -> Iterator[Finding]:
        """What the audit's checks find in one sentence that stands in this section."""
        empty = self._empty
        if self.part.id == ABSTRACT:
            manuscript = empty.model_copy(update={"abstract": source})
        else:
            manuscript = empty.model_copy(
                update={
                    "sections": tuple(
                        section.model_copy(update={"paragraphs": (source,)}) if section.id == self.part.id else section
                        for section in empty.sections
                    )
                }
            )
        context = replace(self._context, manuscript=manuscript)
        for check in _AUDIT:
            for one in check(context):
                if (
                    one.severity == "error"
                    or one.code == "claim-unsupported"
                    or (one.code == "free-number" and not self._typed_in_draft(source))
                ):
                    yield one

    def _typed_in_draft(self, source: str) -> bool:
        """Whether every whole number in a sentence stands in the draft before the same word ('8 by 8 pixels')."""
        typed = [digits for one in sentences(source) for digits in free_digits(one.tokens)]
        drafted = self._draft_words
        for digits in typed:
            beside = re.search(rf"(?<!\w){re.escape(digits)}(?!\w)\s*(\S+)", readable(source).lower())
            if beside is None or f"{digits} {beside.group(1)}" not in drafted:
                return False
        return True

    def _away_from_its_contrast(self, sentence: Sentence) -> Iterator[str]:
        """Words of effect that the audit cannot judge, because no fact of a contrast stands by them."""
        if self.part.id in _UNCLAIMED or any(token.kind == "cite" for token in sentence.tokens):
            return
        study = self.material.study
        rules = (study.direction == "maximize", study.metric)
        judged = {claim.word for claim in claims.claims(sentence, *rules)}
        for word in dict.fromkeys(claims.effect_words(sentence, *rules)):
            if word not in judged and not self._drafted_so(word, sentence):
                yield rf"'{word}' claims an effect, and the sentence prints no fact of its contrast (\val{{c....}})"

    def _drafted_so(self, word: str, sentence: Sentence) -> bool:
        """Whether the draft has the word between the same neighbours where it claims nothing ('can be added in doses')."""
        times = rf"(?:\w+ )?\b{re.escape(word)}\b(?: \w+)?"
        said = [one.group() for one in re.finditer(times, readable(prose(sentence)).lower())]
        return bool(said) and all(" " in one and re.search(rf"\b{one}\b", self._draft_unclaimed) for one in said)

    def _works(self, sentence: Sentence, words: str) -> Iterator[str]:
        """A citing sentence speaks of what the work is about, and in words of its own."""
        about = {work.key: f"{work.title} {work.gist} {work.abstract}" for work in self.part.works}
        for key in dict.fromkeys(key for token in sentence.tokens for key in token.keys):
            if key in about and len(stems(words) & stems(readable(about[key]))) < FEWEST_SHARED:
                yield f"what is said of '{key}' is not what is known of it"
        for work in self.part.works:
            if copied(words, f"{work.title}. {work.abstract}"):
                yield f"it copies the abstract of '{work.key}'"
