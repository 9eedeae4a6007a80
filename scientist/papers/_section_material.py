"""What a model is told before it writes a section: the draft in pieces, the facts and works it may use, the verdicts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from scientist.literature import Reference
from scientist.llm import data
from scientist.papers._expressions import ExpressionError, names
from scientist.papers._facts_derived import VERDICT_WORDS
from scientist.papers._fragments import parse, readable
from scientist.papers._print import clipped
from scientist.papers._records import Fact, Manuscript
from scientist.papers._writer import Material

ABSTRACT = "abstract"
PURPOSES = {
    ABSTRACT: "One paragraph: why it matters, what was asked, what was done, what was found with its interval, what it does not settle.",
    "introduction": "Why somebody should care and what is known, the question, the hypothesis as declared, the outcome in short, and where what stands.",
    "related": "What others did, grouped by what they share with this study; for each group what is shared and what their records do not mention. The nearest works and the verdict on novelty are added by the program.",
    "method": "Everything that somebody needs to judge the design: task, variants, seeds and power, tests.",
    "results": "The declared question first, then the other contrasts, then what was not declared, told as such.",
    "negative": "What was looked for and not found, not confirmed, or failed; as important as the rest.",
    "discussion": "What the verdict means for somebody who has to decide, how sure one can be, what to ask next.",
    "limitations": "What the study cannot show. One limitation to a paragraph, without headings: the program makes a list of them.",
}
"""The parts a model writes, and what each is for. What stays with the program: title, finding, captions, tables, the statements
on reproducibility and on who did what."""

TAIL = {"related": 1}
"""Last paragraphs that stay the program's own: the novelty of the idea is a verdict of the check, not of a writer."""

MOST_FACTS = 150
MOST_WORKS = 16
MOST_INTRODUCED = 6
MOST_SHOWN, MOST_PICTURES = 2, 4
"""Parts that are shown figures, and figures that a part is shown."""

LONGEST_FACT = 90
LONGEST_ABSTRACT = 350
_PRIMARY = (ABSTRACT, "introduction", "discussion")
_ESTIMATE = ("mean", "abs", "ci_low", "ci_high")
_ITEMS = re.compile(r"\\begin\{itemize\}\s*\\item\s*(.*?)\s*\\end\{itemize\}", re.DOTALL)


@dataclass(frozen=True)
class Part:
    """One part of a manuscript that a model may write anew, and the closed sets it may draw from."""

    id: str
    title: str
    draft: tuple[str, ...]
    facts: tuple[Fact, ...]
    works: tuple[Reference, ...]
    listed: bool = False
    """Its paragraphs are the items of a list."""
    tail: tuple[str, ...] = ()

    def paragraphs(self, pieces: Sequence[str]) -> tuple[str, ...]:
        """The pieces as the manuscript holds them."""
        if self.listed:
            listed = "\n".join(rf"\item {piece}" for piece in pieces)
            return (f"\\begin{{itemize}}\n{listed}\n\\end{{itemize}}", *self.tail)
        return (*pieces, *self.tail)


def parts_of(draft: Manuscript, material: Material) -> list[Part]:
    """The parts of a draft that are worth a model's words, in reading order, the abstract last.

    Left out is what holds no fact and no citation: there is nothing in it that could be told better.
    """
    known = material.facts.by_id()
    sections = [(s.id, s.title, s.paragraphs) for s in draft.sections if s.id in PURPOSES]
    found = []
    for name, title, paragraphs in [*sections, (ABSTRACT, "Abstract", (draft.abstract,))]:
        cut = len(paragraphs) - TAIL.get(name, 0)
        pieces, tail, listed = paragraphs[:cut], paragraphs[cut:], False
        if len(pieces) == 1 and (items := _ITEMS.fullmatch(pieces[0])):
            pieces, listed = tuple(re.split(r"\s*\\item\s*", items.group(1))), True
        if not any(token.kind in ("val", "calc", "cite") for piece in pieces for token in parse(piece)):
            continue
        facts = tuple(known[i] for i in _offered(name, pieces, material) if i in known)[:MOST_FACTS]
        found.append(Part(name, title, pieces, facts, _works(name, pieces, draft, material), listed, tail))
    return found


def printed_facts(pieces: Sequence[str]) -> list[str]:
    r"""Ids that `\val` and `\calc` print, each once, in order."""
    found: list[str] = []
    for piece in pieces:
        for token in parse(piece):
            if token.kind == "val":
                found.append(token.args[0])
            elif token.kind == "calc":
                try:
                    found.extend(names(token.args[0]))
                except ExpressionError:
                    continue
    return list(dict.fromkeys(found))


def cited_works(pieces: Sequence[str]) -> list[str]:
    """Keys that are cited, each once, in order."""
    return list(dict.fromkeys(key for piece in pieces for token in parse(piece) for key in token.keys))


def _offered(name: str, pieces: Sequence[str], material: Material) -> list[str]:
    """What the draft prints, and what else belongs to the section."""
    study = material.study
    offered = printed_facts(pieces)
    if name == "negative":
        mentioned = {part for fact in offered for part in fact.split(".")[1:2]}
        for contrast in study.contrasts:
            if contrast.id in mentioned:
                offered += _of_contrast(contrast.id)
    elif name == "results":
        for contrast in study.contrasts:
            offered += _of_contrast(contrast.id)
        for variant in study.variants:
            mean = f"v.{variant.name}.keep.{study.metric}"
            offered += [f"variant.{variant.name}.title", f"{mean}.mean", f"{mean}.sd"]
    elif name in _PRIMARY:
        offered += _of_contrast(study.primary.id)
        offered += [f"contrast.{contrast.id}.title" for contrast in study.contrasts]
    offered += ["study.n_seeds", "study.n_variants", "study.n_contrasts", "study.smallest_effect"]
    return list(dict.fromkeys(offered))


def _of_contrast(name: str) -> list[str]:
    estimates = [f"c.{name}.{split}.{part}" for split in ("keep", "final") for part in _ESTIMATE]
    return [f"contrast.{name}.title", *estimates, f"c.{name}.p_holm", f"c.{name}.margin", f"c.{name}.verdict"]


def _works(name: str, pieces: Sequence[str], draft: Manuscript, material: Material) -> tuple[Reference, ...]:
    """The works that the draft cites; for related work also others of which something is known, and for the introduction those
    that the paragraphs of related work open with."""
    cited = cited_works(pieces)
    if name == "introduction":
        related = next((section.paragraphs for section in draft.sections if section.id == "related"), ())
        turns = zip_longest(*(cited_works([paragraph]) for paragraph in related))
        first = dict.fromkeys(key for turn in turns for key in turn if key is not None)
        cited += [key for key in first if key not in cited][:MOST_INTRODUCED]
    references = material.novelty.references
    works = [work for work in references if work.key in cited]
    if name == "related":
        others = [
            r for r in references if r.key not in cited and not r.gist and r.abstract and "software" not in r.topics
        ]
        works += others[: max(0, MOST_WORKS - len(works))]
    return tuple(works)


def looked_at(parts: Sequence[Part], figures: Sequence[str]) -> dict[str, list[str]]:
    """part -> figures that it is shown: those that its draft points at, for the results and at most one part more."""
    first = sorted(parts, key=lambda part: part.id != "results")
    found = {part.id: _pointed_at(part, figures) for part in first}
    return dict([(name, shown) for name, shown in found.items() if shown][:MOST_SHOWN])


def _pointed_at(part: Part, figures: Sequence[str]) -> list[str]:
    named = [token.args[0] for piece in part.draft for token in parse(piece) if token.kind in ("ref", "placefigure")]
    return [name for name in figures if name in named or f"fig:{name}" in named][:MOST_PICTURES]


# -- as text for a prompt ------------------------------------------------------------------------------------------------


def told_study(material: Material) -> str:
    """The declared question and the verdicts; the same bytes for every section, so that providers can cache them."""
    idea = material.idea
    words = f"Question: {idea.question}\nHypothesis: {idea.hypothesis}\nWhy: {idea.why}"
    lines = [data("declared before the runs", words), ""]
    for contrast in material.study.contrasts:
        result = material.analysis.contrast(contrast.id)
        mark = ", the primary one" if contrast.id == material.study.primary.id else ""
        lines.append(
            f"- `{contrast.id}`{mark} ({clipped(contrast.title, LONGEST_FACT)}): {VERDICT_WORDS[result.verdict]}; {_may(material, contrast.id)}."
        )
    return "\n".join(lines)


def _may(material: Material, name: str) -> str:
    """What may be claimed about a contrast."""
    contrast = next(c for c in material.study.contrasts if c.id == name)
    result = material.analysis.contrast(name)
    found = result.verdict in ("supported", "contradicted")
    if contrast.expect == "equivalent":
        found = result.verdict == "contradicted"
    mean = result.estimates["keep"].mean if "keep" in result.estimates else None
    if not found or mean is None:
        return "no effect may be claimed"
    metric = material.template.metric(material.study.metric).title
    way = "changed" if contrast.kind == "interaction" else "raised" if mean > 0 else "lowered"
    what = f"an effect on {metric}" if contrast.kind == "interaction" else metric
    held = result.holds_on_final
    final = "" if held is None else ", and held on final" if held else ", but was not confirmed on final"
    return f"it {way} {what}{final}"


def told_facts(part: Part) -> str:
    """One line for each fact: id, what it prints, unit, what it is."""
    lines = (
        f"{fact.id} = {clipped(readable(fact.text), LONGEST_FACT)} {readable(fact.unit)}".rstrip()
        + f" | {clipped(fact.title, LONGEST_FACT)}"
        for fact in part.facts
    )
    return data("facts", "\n".join(lines))


def told_works(part: Part) -> str:
    """One fenced piece for each work: key, title, and what is known of it."""
    return "\n".join(_told(part)) or "(none)"


def _told(part: Part) -> Iterator[str]:
    for work in part.works:
        said = work.gist or clipped(work.abstract, LONGEST_ABSTRACT)
        who = f"{work.authors[0]}{' and others' if len(work.authors) > 1 else ''}, " if work.authors else ""
        yield data(f"work {work.key}", f"{clipped(work.title)} ({who}{work.year or 'no year'})\n{said}".strip())


def told_draft(part: Part) -> str:
    """The draft, paragraph by paragraph."""
    return data("draft", "\n\n".join(part.draft))
