"""References, citations, labels, figures, and parts that a paper should have. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from scientist.reviews.checks._findings import Finding, finding, heading, quoted
from scientist.reviews.reading import Document, SourceFile, sentences

_UNREAD_INPUT = re.compile(r"\\input|no end")
_FILL_IN = re.compile(r"\bPLEASE FILL IN\b|\[?\bINSERT [A-Z ]{3,40} HERE\b|\blorem ipsum dolor\b", re.IGNORECASE)
_LEFT_OVER = re.compile(r"\bTODO\b|\bFIXME\b|\bTBD\b")
_LIMITS = re.compile(
    r"limitation|shortcoming|drawback|caveat|threats? to validity|weakness|failure (?:case|mode)|"
    r"(?:is|are|was|were|remains?) (?:currently )?(?:limited|restricted|confined) to|(?:does|do|did|can) ?not (?:handle|scale|cover|generali[sz]e|address)|"
    r"beyond (?:the )?scope|left (?:for|to) future|\bleave \w+(?: \w+){0,3}? (?:for|to|as) (?:the )?(?:future|further)|\bfails? (?:to|when|in|on)\b|causes? (?:of )?failure|"
    r"only (?:consider|evaluate|study|test|studied|tested|evaluated|considered)",
    re.IGNORECASE,
)
_BASELINES = re.compile(
    r"baseline|compar(?:e|ed|es|ing|ison|isons|ative)\b|\bvs\b|versus|outperform|state[- ]of[- ]the[- ]art|prior (?:work|method)s?|"
    r"existing (?:method|approach|work)|control (?:group|condition)|placebo|\bthan (?:the )?(?:standard|previous|prior|other)|ablat|"
    r"relative to|reference (?:method|model)|\bSOTA\b|without (?:our|the)",
    re.IGNORECASE,
)
_EMPIRICAL = re.compile(r"\bexperiment|evaluation|\bresults\b|empirical", re.IGNORECASE)
_SINGLE = re.compile(
    r"\b(?:single|one) (?:random )?seed\b|\b(?:one|1|single) (?:random )?(?:run|trial) (?:per|for|each|only|is|was)\b|\bsingle[- ]run (?:experiment|result)|"
    r"\bonly (?:one|a single|1) (?:random )?(?:seed|run|trial)\b|\bseed (?:is|was|were) (?:fixed|set) to \d+|"
    r"\bfixed (?:random )?seed (?:\(\d+\)|of \d+|for (?:all|each|every)|(?:in|across|throughout) all)|\binitiali[sz]ed with (?:a|the same) fixed seed",
    re.IGNORECASE,
)
_NOT_SINGLE = re.compile(
    r"\b(?:not|n't|never|instead|rather|unlike|beyond|avoid|each of|limitation|limited|different|multiple|several|across|over|"
    r"\d+ (?:random )?seeds|(?:two|three|four|five|six|seven|eight|nine|ten) (?:random )?seeds|prior|previous)\b",
    re.IGNORECASE,
)
_SEEDS_ELSE = re.compile(  # in the same clause: a seed of something else than the training
    r"\b(?:data ?sets?|split\w*|if|any|fixes|decides|draws|generat(?:e|es|ed|ing|ion)|k-means|cluster\w*)\b",
    re.IGNORECASE,
)
_QUESTION = re.compile(  # after a word of running text: in mathematics '[?]' is a star that was not read
    r"(?<=[^\W\d_]{3}[ ,])(?:\[(?:\d{1,3}[,;] ?)*\?(?:[,;] ?(?:\?|\d{1,3}))*\]|\(\?(?:[,;] ?\?)*\))"
)
_SMALL = 500
"""Words below which a text is no whole paper, and nothing can be missing from it."""


def check_references(document: Document, sources: Sequence[SourceFile] = ()) -> Iterator[Finding]:
    """References that lead nowhere, and what nothing refers to."""
    whole = not any(_UNREAD_INPUT.search(line) for line in document.unread)
    lost: dict[str, None] = {}
    for ref in document.crossrefs:
        if (ref.known and "??" not in ref.label) or ref.label in lost:
            continue
        lost[ref.label] = None
        if document.kind == "tex" or "??" in ref.label:
            yield finding(
                "error" if whole else "warning",
                "undefined-reference",
                f"'{ref.label}' is referred to and is not there; it prints '??'",
                sentence=ref.sentence,
                section=heading(document, ref.section),
                page=ref.page,
                expected=f"\\label{{{ref.label}}}" if document.kind == "tex" else "",
            )
    if document.kind == "pdf" and (absent := [label for label in lost if "??" not in label]):
        # What was not read of a page looks the same as what is not there, so this accuses nobody.
        yield finding("note", "not-found", f"referred to and not found in what was read: {', '.join(absent[:12])}")
    seen: dict[str, int] = {}
    for caption in document.captions:
        if caption.label:
            seen[caption.label] = seen.get(caption.label, 0) + 1
    for label, count in seen.items():
        if count > 1:
            said = next(c.text for c in document.captions if c.label == label)
            yield finding(
                "warning",
                "duplicate-label",
                f"\\label{{{label}}} is given {count} times; a reference to it prints the last number",
                sentence=said,
            )
    yield from _unreferred(document, sources)


def _unreferred(document: Document, sources: Sequence[SourceFile]) -> Iterator[Finding]:
    """Figures and tables that no sentence mentions. A mention in any spelling counts."""
    used = {ref.label for ref in document.crossrefs}
    notes = (note.text for note in document.footnotes)
    text = " ".join([document.abstract, *(section.text for section in document.sections), *notes])
    for file in sources:
        used.update(
            part.strip()
            for group in re.findall(r"\\[A-Za-z]*ref\*?\s*(?:\[[^\]]*\])?\{([^{}]{1,400})\}", file.text)
            for part in group.split(",")
        )
    for caption in document.captions:
        if caption.kind == "algorithm" or not caption.number or re.search(r"\d[a-z]$", caption.number):
            continue
        named = f"{caption.kind.capitalize()} {caption.number}"
        parts = any(
            other.label in used
            for other in document.captions
            if other.label and re.fullmatch(re.escape(caption.number) + "[a-z]", other.number)
        )
        if (caption.label and caption.label in used) or parts or named in used:
            continue
        short = "fig" if caption.kind == "figure" else "tab"
        mention = re.compile(
            rf"\b{short}[a-z]*\.?\s?[^.;()]{{0,60}}?\b{re.escape(caption.number)}[a-z]?\b", re.IGNORECASE
        )
        elsewhere = (other.text for other in document.captions if other is not caption)
        if mention.search(text) or any(mention.search(other) for other in elsewhere):
            continue
        yield finding(
            "note", "never-referred-to", f"no sentence refers to {named}", sentence=caption.text, page=caption.page
        )


def check_citations(document: Document) -> Iterator[Finding]:
    """Citations without an entry, and entries that nothing cites."""
    unknown = {cite.key: cite for cite in reversed(document.cites) if not cite.known}
    listed = bool(document.references) and not any("list of references" in line for line in document.unread)
    if unknown and not listed:
        yield finding(
            "warning", "no-references", f"{len(unknown)} works are cited and no list of references could be read"
        )
    elif unknown and document.kind == "pdf":
        told = "; ".join(list(reversed(unknown))[:12])
        yield finding("note", "not-found", f"cited and not found in what was read of the references: {told}")
    elif document.kind == "tex":
        for cite in reversed(unknown.values()):
            yield finding(
                "error",
                "undefined-citation",
                f"'{cite.key}' is cited and the list of references has no such entry",
                sentence=cite.sentence,
                section=heading(document, cite.section),
                page=cite.page,
                expected=f"an entry '{cite.key}'",
            )
    for sentence in sentences(document):
        if document.kind != "tex" and (match := _QUESTION.search(sentence.text)):
            yield finding(
                "warning",  # mathematics may hold such a sign too
                "undefined-citation",
                f"a citation is printed as '{match.group()}'",
                sentence=quoted(sentence.text, match.start()),
                section=heading(document, sentence.section),
                page=sentence.page,
            )
    if document.kind == "tex" or all(entry.key for entry in document.references):
        cited = {cite.key for cite in document.cites}
        for entry in document.references if cited else ():
            if entry.key and entry.key not in cited:
                yield finding(
                    "note",
                    "uncited-entry",
                    f"'{entry.key}' is listed and never cited",
                    sentence=entry.text,
                    page=entry.page,
                )


def check_figures(document: Document) -> Iterator[Finding]:
    """The same picture printed twice: the same file, or the same data under another name."""
    by_name: dict[str, list[str]] = {}
    by_hash: dict[str, list[str]] = {}
    for figure in document.figures:
        if document.kind == "tex" and figure.name:
            by_name.setdefault(re.sub(r"\.(?:png|pdf|jpe?g|eps|svg)$", "", figure.name.lower()), []).append(figure.name)
        if figure.sha256 and figure.width * figure.height >= 10_000:  # smaller ones are logos and marks
            where = figure.name or f"page {figure.page}"
            by_hash.setdefault(figure.sha256, []).append(f"{where} (page {figure.page})" if figure.page else where)
    for names in by_name.values():
        if len(names) > 1:
            yield finding("warning", "duplicated-figure", f"{names[0]} is included {len(names)} times")
    for places in by_hash.values():
        if 1 < len(places) <= 3 and len(set(places)) > 1:  # what stands on every page is a mark of the publisher
            yield finding("warning", "duplicated-figure", f"the same picture stands in {' and '.join(places[:3])}")


def check_left_over(document: Document) -> Iterator[Finding]:
    """Placeholders that were never filled in."""
    for caption in document.captions:
        if _FILL_IN.search(caption.text):
            place = f"{caption.kind} {caption.number}".strip()
            told = "a placeholder was never filled in"
            yield finding("error", "placeholder", told, sentence=caption.text, section=place, page=caption.page)
    for sentence in sentences(document):
        for pattern, severity in ((_FILL_IN, "error"), (_LEFT_OVER, "warning")):
            if match := pattern.search(sentence.text):
                yield finding(
                    severity,  # type: ignore[arg-type]
                    "placeholder",
                    f"'{match.group()}' was left in the text",
                    sentence=quoted(sentence.text, match.start()),
                    section=heading(document, sentence.section),
                    page=sentence.page,
                )
                break


def check_parts(document: Document) -> Iterator[Finding]:
    """Limitations, something to compare with, and more than one seed, in a paper with experiments."""
    if document.words < _SMALL:
        return
    said = sentences(document)
    titles = " ".join(section.title for section in document.sections)
    text = " ".join([titles, *(sentence.text for sentence in said)])
    if not _LIMITS.search(text):
        yield finding("warning", "no-limitations", "no sentence says what is limited, not covered or may be wrong")
    if not _EMPIRICAL.search(titles):
        return
    tables = " ".join(cell for table in document.tables for row in table.rows for cell in row)
    if not _BASELINES.search(f"{text} {tables} {' '.join(caption.text for caption in document.captions)}"):
        yield finding("warning", "no-baseline", "results are reported and compared with nothing")
    for sentence in said:
        match = _SINGLE.search(sentence.text)
        if match is None or _NOT_SINGLE.search(sentence.text):
            continue
        clause = (
            re.split(r"[,;]", sentence.text[: match.start()])[-1] + re.split(r"[,;]", sentence.text[match.start() :])[0]
        )
        if not _SEEDS_ELSE.search(clause):
            yield finding(
                "warning",
                "single-seed",
                "one seed says nothing about how much results vary",
                sentence=quoted(sentence.text, match.start()),
                section=heading(document, sentence.section),
                page=sentence.page,
                expected="several seeds, and the spread over them",
            )
            break
