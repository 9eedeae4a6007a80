"""A document with its sentences changed: what every paired edit is made of. Pure.

Only the main text is touched, never an appendix. Citations and references follow their sentences: what an edit takes away
is cited no more, and what it moves is cited where it stands then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from scientist.reviews.reading import ABSTRACT, Cite, CrossRef, Document, Paragraph, Section, sentences

LONGEST = 600
"""Characters of a sentence that a citation carries."""
Said = list[str]
Change = Callable[[Said, int], Said]
"""What a paragraph's sentences become; the number is the section's place, or that of the abstract."""


def changed(document: Document, change: Change, abstract: bool = True) -> Document:
    """Every paragraph's sentences (and the abstract's) as `change` makes them; empty paragraphs go."""
    said = _said(document)
    moved: dict[str, str] = {}

    def become(place: tuple[int, int], text: str) -> str:
        old = said.get(place, [])
        new = change(list(old), place[0])
        if new == old:
            return text
        if len(new) == len(old):
            moved.update(zip(old, new, strict=True))
        return " ".join(new)

    sections = []
    for number, section in enumerate(document.sections):
        if section.appendix:
            sections.append(section)
            continue
        paragraphs = []
        for place, paragraph in enumerate(section.paragraphs):
            text = become((number, place), paragraph.text)
            if text == paragraph.text:
                paragraphs.append(paragraph)
            elif text:
                paragraphs.append(Paragraph(text=text, page=paragraph.page, box=paragraph.box))
        sections.append(section.model_copy(update={"paragraphs": tuple(paragraphs)}))
    first = become((ABSTRACT, 0), document.abstract) if abstract else document.abstract
    return settled(document, sections, first, moved)


def settled(
    document: Document, sections: Sequence[Section], abstract: str, moved: dict[str, str] | None = None
) -> Document:
    """The document with other sections: words counted anew, citations and references where their sentences stand now.

    `moved`: what became of sentences that an edit changed.
    """
    texts = [abstract, *(section.title for section in sections), *(section.text for section in sections)]
    new = document.model_copy(
        update={
            "sections": tuple(sections),
            "abstract": abstract,
            "words": sum(len(text.split()) for text in texts),
        }
    )
    stood = {_key(sentence.text) for sentence in sentences(document)}
    stands: dict[str, int] = {}
    for sentence in sentences(new):
        stands.setdefault(_key(sentence.text), sentence.section)
    known = {_key(old): text for old, text in (moved or {}).items()}

    def followed(cites: Sequence[Cite | CrossRef]) -> list[Cite | CrossRef]:
        kept = []
        for cite in cites:
            text = known.get(_key(cite.sentence), cite.sentence)
            section = stands.get(_key(text))
            if section is not None:
                kept.append(cite.model_copy(update={"sentence": text[:LONGEST], "section": section}))
            elif _key(cite.sentence) not in stood:
                kept.append(cite)  # of a caption or a footnote
        return kept

    return new.model_copy(
        update={"cites": tuple(followed(document.cites)), "crossrefs": tuple(followed(document.crossrefs))}
    )


def _said(document: Document) -> dict[tuple[int, int], Said]:
    found: dict[tuple[int, int], Said] = {}
    for sentence in sentences(document):
        found.setdefault((sentence.section, sentence.paragraph), []).append(sentence.text)
    return found


def _key(text: str) -> str:
    return text[:200]
