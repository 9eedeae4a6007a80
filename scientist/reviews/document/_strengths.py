"""What a program can show for a paper: a sentence that says it, or a count that holds. Adjectives show nothing. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from scientist.reviews.checks import Finding
from scientist.reviews.document._record import Numbers, Place, References, Strength
from scientist.reviews.reading import ABSTRACT, Document, Sentence, numbers, sentences

QUOTED = 300
_MANY = r"(?:[2-9]|[1-9]\d{1,4}|two|three|four|five|six|seven|eight|nine|ten|twenty|thirty|fifty|several|multiple)"
# what is said, how it is worded, and the kind of finding that speaks against it
_SAID: tuple[tuple[str, re.Pattern[str], str], ...] = (
    (
        "Runs were repeated.",
        re.compile(
            rf"\b{_MANY} (?:(?:different|independent|random|distinct|separate) )*(?:seeds|runs|repetitions|replicates|trials|restarts|initiali[sz]ations)\b",
            re.IGNORECASE,
        ),
        "single-seed",
    ),
    (
        "It says how much results vary.",
        re.compile(
            r"\b(?:standard (?:deviations?|errors?)|confidence (?:intervals?|bands?)|credible intervals?|interquartile)\b|\d ?(?:±|\\pm) ?\d",
            re.IGNORECASE,
        ),
        "missing-error-bars",
    ),
    (
        "A test is named for a comparison.",
        re.compile(
            r"\b(?:t-tests?|permutation tests?|wilcoxon|mann.whitney|bootstrap(?:ped)? (?:confidence )?intervals?|signed.rank|"
            r"bonferroni|holm|benjamini|mcnemar)\b",
            re.IGNORECASE,
        ),
        "",
    ),
    (
        "An ablation is reported.",
        re.compile(r"\b(?:ablations?|ablated?|ablating)\b", re.IGNORECASE),
        "",
    ),
    (
        "It says how hyperparameters were chosen.",
        re.compile(
            r"\b(?:grid|random|hyper-?parameter) search\b|\b(?:tuned|chosen|selected) (?:on|by|using|via|with) (?:the |a )?(?:validation|held-out|"
            r"cross-validation)\b",
            re.IGNORECASE,
        ),
        "",
    ),
)
_LIMITS = re.compile(r"\b(?:limitations?|threats to validity|shortcomings|caveats)\b", re.IGNORECASE)
_CODE = re.compile(
    r"^https?://(?:www\.)?(?:github\.com|gitlab\.com|codeberg\.org|bitbucket\.org|zenodo\.org|osf\.io|figshare\.com|"
    r"huggingface\.co|anonymous\.4open\.science)/[^\s/]+/",
    re.IGNORECASE,
)


def strengths_of(
    document: Document, findings: Sequence[Finding], references: References | None, held: Numbers | None
) -> tuple[Strength, ...]:
    """Strengths, each with the place where it was seen. None of them changes the score: saying so earns nothing.

    `findings`: a strength that one of them contradicts is left out.
    """
    kinds = {one.kind for one in findings}
    return tuple(
        [
            *_counted(document, references, held),
            *_said(document, kinds),
        ]
    )


def _counted(document: Document, references: References | None, held: Numbers | None) -> Iterator[Strength]:
    if held is not None and held.looked_at and held.bound == held.looked_at:
        yield Strength(text=f"All {held.bound} numbers that were looked at are those of the runs.")
    if document.references and document.cites and all(cite.known for cite in document.cites):
        yield Strength(
            text=f"All {len(document.cites)} citations have an entry in the list of {len(document.references)} references."
        )
    if references is not None and references.entries and references.verified == references.entries:
        yield Strength(text=f"All {references.entries} references were found in open records, as printed.")
    if document.crossrefs and all(one.known for one in document.crossrefs):
        yield Strength(
            text=f"All {len(document.crossrefs)} references to figures, tables, sections and formulas lead somewhere."
        )
    spread = sum(number.spread is not None for number in numbers(document))
    if spread >= 3:
        yield Strength(text=f"{spread} numbers of the text are printed with their spread.")
    for link in document.links:
        if _CODE.match(link.url):
            yield Strength(
                text="It links a place for code or data (what is there was not looked at).",
                place=Place(page=link.page, sentence=_short(link.url)),
            )
            break


def _said(document: Document, kinds: set[str]) -> Iterator[Strength]:
    for section in document.sections:
        if _LIMITS.search(section.title) and len(section.text.split()) >= 40 and "no-limitations" not in kinds:
            yield Strength(
                text="A section of its own says what is limited.",
                place=Place(section=_short(section.title), page=section.page),
            )
            break
    left = [(text, pattern) for text, pattern, against in _SAID if against not in kinds]
    for sentence in sentences(document):
        for told in [one for one in left if one[1].search(sentence.text)]:
            left.remove(told)
            yield Strength(text=told[0], place=_place(document, sentence))
        if not left:
            return


def _place(document: Document, sentence: Sentence) -> Place:
    title = "Abstract"
    if sentence.section != ABSTRACT:
        section = document.sections[sentence.section]
        title = f"{section.number} {section.title}".strip()
    return Place(section=_short(title), page=sentence.page, sentence=_short(sentence.text))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= QUOTED else text[: QUOTED - 1] + "…"
