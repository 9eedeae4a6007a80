"""What the text alone makes one expect, and whether the paper is of the kind that the prior was fitted on. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from scientist.errors import RecordError
from scientist.reviews.calibration import PaperText, prior_of, read_text
from scientist.reviews.document._record import Expected
from scientist.reviews.reading import Document


def expected_of(document: Document) -> Expected:
    """The prior of a document; none where there is too little text of it."""
    text = text_of(document)
    try:
        prior = prior_of(text)
    except RecordError as error:
        return Expected(cautions=(f"no prior: {error.message}",))
    return Expected(prior=prior)


def text_of(document: Document) -> PaperText:
    """A document as the prior reads texts: headings, prose, and after them the captions and the list of references."""
    return read_text("\n\n".join(_parts(document)), document.title, document.abstract)


def _parts(document: Document) -> Iterator[str]:
    for section in document.sections:
        if not section.appendix:
            yield f"# {section.number} {section.title}\n\n{section.text}"
