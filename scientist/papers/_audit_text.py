"""Checks of what is written: typed numbers, facts, citations, references, placeholders, sections."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from scientist.papers._audit_context import Context, Fragment, Severity, finding
from scientist.papers._citations import CITATIONS, find_citations
from scientist.papers._expressions import ExpressionError, evaluate, names
from scientist.papers._fragments import Sentence, check_latex, free_digits, numbers, readable
from scientist.papers._records import Finding

_NUMBER_WORDS = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|"
    r"seventy|eighty|ninety|(?:a |one )?hundred)(?!-dimensional)(?:-[a-z]+)?[\s~]+(?:per ?cent(?:age)?|%|points?\b)",
    re.IGNORECASE,
)
_MODEL_NAME = re.compile(r"[\w.:/@+-]*[A-Za-z][\w.:/@+-]*")
_PLACEHOLDERS = re.compile(
    r"\blorem ipsum\b|\bTODO\b|\bTBD\b|\bTBA\b|\bFIXME\b|\bXXX+\b|\?\?|\[(?:citation|reference)s? needed\]|"
    r"\[(?:insert|add|your|to be)\b[^\]]*\]|<(?:insert|placeholder)[^>]*>|\bas an? (?:AI|artificial "
    r"intelligence|"
    r"(?:large )?language) (?:language )?model\b|\bplaceholder text\b",
    re.IGNORECASE,
)
_CASED = ("TODO", "TBD", "TBA", "FIXME")
_SECTIONS = (
    ("limitations", r"limitation|what this does not show|threats to validity", "what the study does not show"),
    ("negative results", r"negative|not confirmed|did not|does not|what failed|not found|null", "what was not found"),
    ("reproducibility", r"reproduc|rebuild", "how to run it again"),
    ("disclosure", r"disclos|statement on the use of|use of (?:ai|automation)", "who, or what, wrote it"),
)


def check_free_numbers(ctx: Context) -> Iterator[Finding]:
    r"""Numbers that came from nowhere: digits outside `\val`, `\calc`, `\ref` and `\cite`.

    In abstract, results, tables and captions any digit is an error. Elsewhere decimals, percentages and
    numbers of three digits or more are; smaller whole numbers are a warning. A spelt-out quantity ("ten percent") counts as well.
    """
    for fragment in ctx.fragments:
        strict = fragment.place in ("abstract", "results", "caption", "table")
        for sentence in fragment.sentences:
            typed = [n for n in free_digits(sentence.tokens) if not _in_a_model_name(ctx, fragment, sentence, n)]
            for number in dict.fromkeys(typed):
                after = re.search(rf"{re.escape(number)}\s*(?:\\,|~)*\s*(?:\\%|percent|per cent)", sentence.source)
                whole = re.fullmatch(r"\d{1,2}", number) is not None and not after
                severity: Severity = "error" if strict or not whole else "warning"
                where = f"{fragment.where}: “{ctx.words(sentence)}”"
                yield finding(severity, "free-number", where, rf"'{number}' was typed; print a fact with \val or \calc")
            text = " ".join(token.source for token in sentence.tokens if token.kind == "text")
            for match in _NUMBER_WORDS.finditer(text):
                where = f"{fragment.where}: “{ctx.words(sentence)}”"
                message = rf"'{match.group()}' is a typed quantity; print a fact with \val"
                yield finding("error", "free-number", where, message)


def _in_a_model_name(ctx: Context, fragment: Fragment, sentence: Sentence, number: str) -> bool:
    """Whether a number of the disclosure belongs to the name of a model that played a role ('model-4.1')."""
    if not fragment.where.startswith("section disclosure,"):
        return False
    record = ctx.manifest or ctx.manuscript
    names = [word for who in record.roles.values() for word in _MODEL_NAME.findall(who)] if record else []
    # Blotting the names out, so that the same number elsewhere in the sentence is still seen.
    text = readable(sentence.source)
    for name in names:
        text = text.replace(name, " ")
    return number not in text


def check_facts_exist(ctx: Context) -> Iterator[Finding]:
    r"""Every id in `\val` and `\calc` is a fact, and every expression has a value."""
    values = numbers(ctx.known)
    for fragment in ctx.fragments:
        for token in fragment.tokens:
            if token.kind == "val" and token.args[0] not in ctx.known:
                yield finding("error", "unknown-fact", fragment.where, f"there is no fact '{token.args[0]}'")
            if token.kind != "calc":
                continue
            try:
                missing = [name for name in names(token.args[0]) if name not in ctx.known]
                if not missing:
                    evaluate(token.args[0], values)
            except ExpressionError as error:
                yield finding("error", "bad-expression", fragment.where, str(error))
                continue
            for name in missing:
                yield finding("error", "unknown-fact", fragment.where, rf"there is no fact '{name}' (in \calc)")
    for figure in ctx.manuscript.figures if ctx.manuscript else ():
        for name in figure.shows:
            if name not in ctx.known:
                message = f"it says that it draws '{name}', which is no fact"
                yield finding("error", "unknown-fact", f"figure {figure.id}", message)


def check_intervals(ctx: Context) -> Iterator[Finding]:
    """An interval or standard deviation is printed only where at least two seeds stand behind it."""
    for fragment in ctx.fragments:
        for token in fragment.tokens:
            fact = ctx.known.get(token.args[0]) if token.kind == "val" else None
            if fact is None or fact.id.rpartition(".")[2] not in ("ci_low", "ci_high", "sd"):
                continue
            beside = ctx.known.get(f"{fact.id.rpartition('.')[0]}.n")
            n = beside.value if beside else fact.n
            if isinstance(n, int | float) and n < 2:
                message = f"\\val{{{fact.id}}} prints a spread of n = {n}"
                yield finding("error", "interval-without-n", fragment.where, message)


def check_citations(ctx: Context) -> Iterator[Finding]:
    """Every cited key has a record that a source returned, and an entry; entries nobody cites are noted."""
    returned = {reference.key for reference in ctx.novelty.references} if ctx.novelty else set()
    entries = re.findall(r"^\s*@(?!comment|string|preamble)\w+\s*\{\s*([^,\s]+)\s*,", ctx.bib or "", re.M | re.I)
    cited: dict[str, str] = {}
    for fragment in ctx.fragments:
        for token in fragment.tokens:
            for key in token.keys:
                cited.setdefault(key, fragment.where)
    for key, where in cited.items():
        if key not in returned:
            yield finding("error", "unknown-citation", where, f"no source returned a work with the key '{key}'")
        elif key not in entries:
            yield finding("error", "unknown-citation", where, f"references.bib has no entry for '{key}'")
    for key in dict.fromkeys(entries):
        if key not in returned:
            message = f"the entry '{key}' was returned by no source"
            yield finding("error", "unknown-citation", "references.bib", message)
        elif key not in cited:
            yield finding("note", "unused-reference", "references.bib", f"'{key}' is listed and never cited")
    kept = ctx.paper / CITATIONS
    if kept.is_file() and ctx.manuscript and ctx.novelty:
        made = find_citations(ctx.manuscript, ctx.novelty.references, ctx.known)
        if kept.read_bytes() != made.canonical():
            message = "its passages are not those of the records that the text cites"
            yield finding("error", "citations-changed", CITATIONS, message)


def check_labels(ctx: Context) -> Iterator[Finding]:
    """References point at something, and every figure and table is placed and talked about."""
    if ctx.manuscript is None:
        return
    figures = [figure.id for figure in ctx.manuscript.figures]
    tables = [table.id for table in ctx.manuscript.tables]
    labels = {f"fig:{i}" for i in figures} | {f"tab:{i}" for i in tables}
    for section in ctx.manuscript.sections:
        labels |= {f"sec:{section.id}"} | ({f"app:{section.id}"} if section.appendix else set())
    labels |= set(re.findall(r"\\label\{([^}]*)\}", ctx.tex or ""))
    used: set[str] = set()
    placed: list[str] = []
    for fragment in ctx.fragments:
        for token in fragment.tokens:
            if token.kind == "ref":
                used.add(token.args[0])
                generated = token.args[0].startswith("app:") and ctx.tex is None
                if token.args[0] not in labels and not generated:
                    yield finding("error", "undefined-ref", fragment.where, f"nothing is labelled '{token.args[0]}'")
            elif token.kind in ("placefigure", "placetable"):
                label = f"{'fig' if token.kind == 'placefigure' else 'tab'}:{token.args[0]}"
                placed.append(label)
                if label not in labels:
                    message = f"there is no {token.kind.removeprefix('place')} '{token.args[0]}' to place"
                    yield finding("error", "undefined-ref", fragment.where, message)
    for label in [*(f"fig:{i}" for i in figures), *(f"tab:{i}" for i in tables)]:
        what = "figure" if label.startswith("fig") else "table"
        if label not in placed:
            yield finding("warning", f"{what}-unused", label, f"the {what} is never placed in the text")
        elif label not in used:
            yield finding("warning", "unused-label", label, f"the {what} is placed but the text never refers to it")
    for label, times in Counter(placed).items():
        if times > 1:
            yield finding("error", "placed-twice", label, f"placed {times} times")


def check_placeholders(ctx: Context) -> Iterator[Finding]:
    """Nothing that was meant to be replaced before anybody reads it."""
    for fragment in ctx.fragments:
        text = " ".join(token.source if token.kind == "text" else " " for token in fragment.tokens)
        for match in _PLACEHOLDERS.finditer(readable(text)):
            if match.group().upper() in _CASED and not match.group().isupper():
                continue  # 'todo' in small letters is a word
            yield finding("error", "placeholder", fragment.where, f"'{match.group()}' is a placeholder")


def check_latex_safe(ctx: Context) -> Iterator[Finding]:
    """Every fragment keeps to the LaTeX that fragments may use."""
    for fragment in ctx.fragments:
        for problem in check_latex(fragment.text):
            yield finding("error", "latex-unsafe", fragment.where, problem)


def check_sections(ctx: Context) -> Iterator[Finding]:
    """Limitations, reproducibility and disclosure are there; negative results where there were any."""
    if ctx.manuscript is None:
        return
    headings = [f"{section.id} {section.title}" for section in ctx.manuscript.sections]
    for section in ctx.manuscript.sections:
        headings += [h for text in section.paragraphs for h in re.findall(r"\\paragraph\{([^{}]*)\}", text)]
    for name, pattern, holds in _SECTIONS:
        if name == "negative results" and not _has_negatives(ctx):
            continue
        if not any(re.search(pattern, heading, re.IGNORECASE) for heading in headings):
            message = f"no section or paragraph heading for {name} ({holds})"
            yield finding("error", "missing-section", "manuscript", message)
        elif name == "limitations" and not _has_words(ctx, pattern):
            yield finding("error", "missing-section", "manuscript", "the section on limitations says nothing")


def _has_negatives(ctx: Context) -> bool:
    """Whether anything declared was not found, or a run failed."""
    analysis = ctx.analysis
    if analysis is None:
        return False
    return analysis.n_failed > 0 or any(c.verdict != "supported" for c in analysis.contrasts)


def _has_words(ctx: Context, pattern: str) -> bool:
    assert ctx.manuscript is not None
    for section in ctx.manuscript.sections:
        body = " ".join(section.paragraphs)
        words = readable(re.sub(r"\\(?:val|calc|cite\w*|ref)\b", "", body)).split()
        if len(words) >= 12 and re.search(pattern, f"{section.id} {section.title} {body}", re.IGNORECASE):
            return True
    return False
