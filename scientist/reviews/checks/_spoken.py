"""Which sentences are looked at. Pure.

Every check of a sentence may look at all of it for each number in it, so a sentence has a length: no sentence of prose is
longer, and what is longer is a table or a trap.
"""

from __future__ import annotations

from scientist.reviews.reading import Document, Sentence, sentences

LONGEST = 1_500
"""Characters of a sentence that is looked at."""


def shortened(document: Document) -> Document:
    """The same document with overlong sentences blanked, so that every offset still holds, and captions cut."""
    captions = tuple(caption.model_copy(update={"text": caption.text[:LONGEST]}) for caption in document.captions)
    document = document.model_copy(update={"captions": captions})
    long = [sentence for sentence in sentences(document) if len(sentence.text) > LONGEST]
    if not long:
        return document
    abstract = document.abstract
    texts = {
        place: [paragraph.text for paragraph in section.paragraphs] for place, section in enumerate(document.sections)
    }
    for sentence in long:
        if sentence.section in texts:
            texts[sentence.section][sentence.paragraph] = _blanked(
                texts[sentence.section][sentence.paragraph], sentence
            )
        else:
            abstract = _blanked(abstract, sentence)
    sections = tuple(
        section.model_copy(
            update={
                "paragraphs": tuple(
                    paragraph.model_copy(update={"text": text})
                    for paragraph, text in zip(section.paragraphs, texts[place], strict=True)
                )
            }
        )
        for place, section in enumerate(document.sections)
    )
    return document.model_copy(update={"abstract": abstract, "sections": sections})


def _blanked(text: str, sentence: Sentence) -> str:
    end = sentence.start + len(sentence.text)
    return text[: sentence.start] + " " * len(sentence.text) + text[end:]
