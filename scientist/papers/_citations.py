r"""What every `\cite` rests on: the passage of the record that a source returned. `citations.json`, and its table.

Whether a work says what a sentence claims is for a reader to judge; this puts both side by side.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from pydantic import Field

from scientist.errors import RecordError
from scientist.lab import Record
from scientist.literature._reference import Reference
from scientist.literature._text import clean, words
from scientist.papers._fragments import escape, plain, sentences
from scientist.papers._ledger import code
from scientist.papers._records import Fact, Facts, Manuscript

CITATIONS = "citations.json"
PASSAGE, SENTENCE = 300, 400  # characters that are kept

PassageOf = Literal["gist", "abstract", "annotation", "reference", "title"]


class Cited(Record):
    """One citation: the sentence that makes it, and what its record says."""

    key: str
    section: str = Field(description="id of the section, or 'abstract'; for a float 'figure <id>' or 'table <id>'")
    sentence: str = Field(description="as a reader sees it, values put in, the key in brackets")
    passage: str = Field(description="from the record; nothing is made up for it")
    passage_of: PassageOf = Field(description="the field of the record; 'title' where it says nothing else")
    source: str = Field(description="which source returned the record")


class Citations(Record):
    """`citations.json`: every citation of a manuscript in reading order."""

    schema_version: Literal[1] = 1
    slug: str
    citations: tuple[Cited, ...] = ()


def find_citations(
    manuscript: Manuscript, references: Sequence[Reference], facts: Facts | Mapping[str, Fact]
) -> Citations:
    """Every citation with its passage; a key without a record is left out (the audit says so). Pure."""
    known = {reference.key: reference for reference in references}
    found: list[Cited] = []
    for section, fragment in _fragments(manuscript):
        try:
            pieces = sentences(fragment)
        except RecordError:
            continue  # what cannot be read is an error of the audit's, with its place
        for piece in pieces:
            keys = [key for token in piece.tokens for key in token.keys if key in known]
            if not keys:
                continue
            try:
                sentence = clean(plain(piece, facts), SENTENCE)
            except RecordError:
                sentence = clean(piece.source, SENTENCE)
            for key in dict.fromkeys(keys):
                passage, kind = passage_for(known[key], sentence)
                cited = Cited(
                    key=key,
                    section=section,
                    sentence=sentence,
                    passage=passage,
                    passage_of=kind,
                    source=known[key].source,
                )
                found.append(cited)
    return Citations(slug=manuscript.slug, citations=tuple(found))


def _fragments(manuscript: Manuscript) -> Iterator[tuple[str, str]]:
    yield "abstract", manuscript.abstract
    for section in manuscript.sections:
        for text in section.paragraphs:
            yield section.id, text
    for table in manuscript.tables:
        yield f"table {table.id}", table.caption
        for row in (table.header, *table.rows):
            for cell in row:
                yield f"table {table.id}", cell
    for figure in manuscript.figures:
        yield f"figure {figure.id}", figure.caption


def passage_for(reference: Reference, sentence: str) -> tuple[str, PassageOf]:
    """What the record says for a sentence: its gist, else that sentence of its abstract which shares most words, else
    the reference as it was printed, else no more than its title."""
    if reference.gist:
        return clean(reference.gist, PASSAGE), "gist"
    if reference.abstract:
        parts = [part for part in re.split(r"(?<=[.!?])\s+(?=[A-Z])", reference.abstract) if part.strip()]
        asked = set(words(sentence))
        shared = [len(asked & set(words(part))) for part in parts]
        best = parts[shared.index(max(shared))] if parts else reference.abstract
        return clean(best, PASSAGE), "annotation" if reference.source == "library" else "abstract"
    if reference.raw:
        return clean(reference.raw, PASSAGE), "reference"
    return clean(reference.title, PASSAGE), "title"


def citations_table(found: Citations) -> str:
    """The appendix: one row per work, with the places that cite it and the passages that they rest on."""
    rows = []
    for key in sorted({one.key for one in found.citations}):
        mine = [one for one in found.citations if one.key == key]
        places = ", ".join(dict.fromkeys(_place(one.section) for one in mine))
        passages = dict.fromkeys((one.passage, one.passage_of) for one in mine)
        said = "; ".join(
            escape(text) if kind != "title" else r"\emph{the record has no more than a title}"
            for text, kind in passages
        )
        kinds = ", ".join(dict.fromkeys(kind for _, kind in passages))
        rows.append(rf"\citet{{{key}}} & {places} & {said} & {kinds}, {code(mine[0].source)} \\")
    widths = (0.19, 0.13, 0.6, 0.16)
    columns = "".join(rf">{{\raggedright\arraybackslash}}p{{{width}\linewidth}}" for width in widths)
    return "\n".join(
        [
            r"For every work that is cited: where, and the passage of its record that the citation rests on, as a source "
            r"returned it. \texttt{citations.json} has the citing sentences beside them. Whether a passage carries its "
            r"sentence is for the reader to judge.",
            r"\begingroup\scriptsize\setlength{\tabcolsep}{3pt}"
            r"\setlength{\LTleft}{-\ledgerwiden}\setlength{\LTright}{-\ledgerwiden}",
            rf"\begin{{longtable}}{{@{{\extracolsep{{\fill}}}}{columns}@{{}}}}",
            r"\toprule work & cited in & passage & record \\* \midrule\endhead \bottomrule\endfoot",
            *rows,
            r"\end{longtable}\endgroup",
        ]
    )


def _place(section: str) -> str:
    kind, _, name = section.partition(" ")
    if name:
        return rf"{kind.capitalize()}~\ref{{{'fig' if kind == 'figure' else 'tab'}:{name}}}"
    return "abstract" if section == "abstract" else rf"\S\,\ref{{sec:{section}}}"
