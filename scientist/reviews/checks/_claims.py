"""What a paper says of its own tables: bold cells, 'the lowest', 'outperforms', and error bars that are not there. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from scientist.reviews.checks._findings import Finding, finding, heading, quoted
from scientist.reviews.checks._grid import HIGHER, LOWER, Cell, better, caption_of, cells, cells_of, name_of
from scientist.reviews.reading import Document, SourceFile, numbers, sentences
from scientist.reviews.reading._tex_tables import rows as tex_rows  # the record keeps no bold: see _bold_cells

_TABULAR = re.compile(r"\\begin\{tabular[xy*]?\}.*?\\end\{tabular[xy*]?\}", re.DOTALL)
_COMMENT = re.compile(r"(?<!\\)%[^\n]*")
_BOLD = re.compile(r"\\(?:textbf|mathbf|bm|boldsymbol|bf|bfseries)\b\s*\{?\s*\$?\s*\{?\s*([-−]?\d{0,9}\.?\d{1,12})")
_EXTREME = re.compile(r"\b(?:the|its|our|an?)?\s*(?P<what>lowest|smallest|fewest|highest|largest)\b", re.IGNORECASE)
_AMONG = re.compile(
    r"\b(?:among|amongst|except|excluding|apart from|within|other than|second|third|next|after|out of|one of|on|for|in the)\b",
    re.IGNORECASE,
)
_BETTER = re.compile(
    r"\b(?:outperform\w*|surpass\w*|exceed\w* the|improv(?:es?|ed) (?:on|upon|over)|superior to|better than)\b",
    re.IGNORECASE,
)
_VERSUS = re.compile(
    r"^[^.;0-9]{0,40}?\b(?:compared (?:to|with)|versus|vs\.?|than|against|over)\b[^.;0-9]{0,60}$", re.IGNORECASE
)
_NEGATED = re.compile(
    r"\b(?:not|n't|fails? to|never|cannot|without|worse|slight(?:ly)? (?:higher|lower)|trade-?off|although|despite|however|while)\b",
    re.IGNORECASE,
)
_SPREAD = re.compile(
    r"±|\bstandard (?:error|deviation)|\bconfidence interval|\bstd\b|\bs\.?d\.?\b|error bars?\b|\bs\.?e\.?m?\.?\b|bootstrap",
    re.IGNORECASE,
)
_PROMISED = re.compile(
    r"\b(?:report|present|show|give|list)\w*\b[^.;]{0,80}\b(?:standard (?:errors?|deviations?)|confidence intervals?|error bars?)\b",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(r"\d\s\(\d{1,6}\.\d{1,6}\)")
_PRINTED = re.compile(r"\d\s?(?:±|\+/-)\s?\d")
_COSTS = re.compile(  # what is counted once, not measured with a spread
    r"\b(?:(?:training|inference|train|run|computation\w*) times?|latency|throughput|prices?|costs?|memory|flops|gpu[- ]hours)\b",
    re.IGNORECASE,
)
_SETTINGS = re.compile(
    r"hyper-?parameters? (?:settings?|values|used|for|of|in)\b|\bsettings?\b|statistics of|data ?sets?\b.*\b(?:statistics|sizes?|details)|architecture|notation|symbols|"
    r"\b(?:running|training|inference|computation\w*) times?\b|number of parameters|parameter (?:size|count)|filter (?:num|size)|output size|\brange\b",
    re.IGNORECASE,
)


def check_tables(document: Document, sources: Sequence[SourceFile] = ()) -> Iterator[Finding]:
    """Every check of this file. `sources`: the TeX, which alone says what is bold."""
    yield from _bold(document, sources)
    yield from _claimed(document)
    yield from _compared(document)
    yield from _error_bars(document)


def _bold_cells(sources: Sequence[SourceFile]) -> list[list[tuple[int, int, str]]]:
    """(row, column, number) of the bold values of every tabular of the project, counted as the reader counts them."""
    found = []
    for file in sources:
        if file.name.endswith(".tex"):
            for match in _TABULAR.finditer(_COMMENT.sub("", file.text)):
                body = re.sub(
                    r"^\\begin\{tabular[xy*]?\}(?:\s*\{[^{}]*\})?\s*(?:\[[^\]]*\])?\s*\{(?:[^{}]|\{[^{}]*\})*\}",
                    "",
                    match.group(),
                )
                marked = []
                for row, row_cells in enumerate(tex_rows(body.replace("\\end{tabular}", ""))):
                    for column, cell in enumerate(row_cells):
                        if bold := _BOLD.search(cell):
                            marked.append((row, column, bold[1]))
                found.append(marked)
    return found


def _bold(document: Document, sources: Sequence[SourceFile]) -> Iterator[Finding]:
    """A bold value that is neither the largest nor the smallest of its column, nor of its row, is not the best."""
    marked = _bold_cells(sources)
    if len(marked) != len(document.tables):
        return  # tables made by macros: which is which is not known
    for place, (table, bold) in enumerate(zip(document.tables, marked, strict=True)):
        grid = {(cell.row, cell.column): cell for cell in cells_of(table, place)}
        chosen = [
            grid[row, column] for row, column, text in bold if (row, column) in grid and text in grid[row, column].text
        ]
        for cell in chosen:
            column = [other for other in grid.values() if other.column == cell.column]
            row = [other for other in grid.values() if other.row == cell.row]
            twice = sum(other.column == cell.column for other in chosen) > 1
            all_bold = len(row) > 1 and all(other in chosen for other in row)
            if len(column) < 3 or twice or all_bold or _extreme(cell, column) or (len(row) > 2 and _extreme(cell, row)):
                continue
            way = better(f"{cell.column_head} {caption_of(document, table)}")
            best = max(column, key=lambda other: other.value) if way > 0 else min(column, key=lambda other: other.value)
            wanted = f"; {best.text} ({best.row_head}) is better" if way else ""
            yield finding(
                "error",
                "bold-not-best",
                f"{cell.text} is bold under '{cell.column_head}' and neither the largest nor the smallest{wanted}",
                sentence=f"{cell.row_head}: {cell.printed}",
                section=name_of(table, place),
                page=table.page,
                expected=f"{best.text} ({best.row_head})" if way else "",
            )


def _extreme(cell: Cell, others: list[Cell]) -> bool:
    values = [other.value for other in others]
    return cell.value in (min(values), max(values))


def _claimed(document: Document) -> Iterator[Finding]:
    """'achieves the lowest loss (0.55)' where the same column of the only table with that value holds a lower one."""
    grid = cells(document)
    for number in numbers(document):
        text = number.sentence.text
        if "." not in number.text:
            continue
        match = next((m for m in _EXTREME.finditer(text) if 0 <= number.start - m.end() <= 60), None)
        if match is None or re.search(r"\d", text[match.end() : number.start]):
            continue
        hits = [cell for cell in grid if cell.text == number.text.rstrip("%").strip()]
        words = set(re.findall(r"[a-z]{3,}", text[match.start() : number.start].lower()))
        hits = [cell for cell in hits if words & set(re.findall(r"[a-z]{3,}", cell.column_head.lower()))]
        if len(hits) != 1:
            continue
        cell = hits[0]
        column = [other for other in grid if other.table == cell.table and other.column == cell.column]
        if len({other.row_head for other in column}) < len(column) or len(column) < 2:
            continue
        low = match["what"].lower() in ("lowest", "smallest", "fewest")
        best = min(column, key=lambda c: c.value) if low else max(column, key=lambda c: c.value)
        if best.value == cell.value:
            continue
        where = name_of(document.tables[cell.table], cell.table)
        yield finding(
            "warning" if _AMONG.search(text) else "error",
            "claimed-best",
            f"{number.text} is called the {match['what'].lower()}; {best.text} ({best.row_head}) in {where} is {'lower' if low else 'higher'}",
            sentence=quoted(text, number.start),
            section=heading(document, number.section),
            page=number.page,
            expected=f"{best.text} ({best.row_head})",
            source=where,
        )


def _compared(document: Document) -> Iterator[Finding]:
    """'outperforms the baseline: a loss of 1.466 compared to the baseline's 1.465' has the numbers the wrong way round."""
    said = sentences(document)
    by_sentence = defaultdict(list)
    for number in numbers(document):
        by_sentence[number.sentence].append(number)
    for before, sentence in zip([None, *said], said, strict=False):
        found = by_sentence.get(sentence, [])
        near = before is not None and (before.section, before.paragraph) == (sentence.section, sentence.paragraph)
        claim = _BETTER.search(sentence.text) or (
            before is not None
            and near
            and _BETTER.search(before.text)
            and not _NEGATED.search(before.text)
            and re.match(r"(?:for (?:instance|example)|specifically|in particular|e\.g)", sentence.text, re.IGNORECASE)
        )
        if not claim or _NEGATED.search(sentence.text) or len(found) != 2:
            continue
        ours, theirs = found
        if ours.unit != theirs.unit or not _VERSUS.match(sentence.text[ours.start + len(ours.text) : theirs.start]):
            continue
        head = sentence.text[max(0, ours.start - 60) : ours.start]
        way = better(head)
        if not way or (HIGHER.search(head) and LOWER.search(head)) or (ours.value - theirs.value) * way >= 0:
            continue
        yield finding(
            "error",
            "contradicted-comparison",
            f"{ours.text} is not better than {theirs.text}: {'more' if way > 0 else 'less'} is better here",
            sentence=quoted(sentence.text, ours.start),
            section=heading(document, sentence.section),
            page=sentence.page,
        )


def _error_bars(document: Document) -> Iterator[Finding]:
    """Result tables without a spread anywhere; and a spread that the text promises and no table shows."""
    bare, shown = [], False
    for place, table in enumerate(document.tables):
        grid = cells_of(table, place)
        caption = caption_of(document, table)
        own = " ".join(cell for row in table.rows for cell in row if not re.search(r"\d\.\d", cell))
        # Where several values share a cell they are no values of the grid, but their spreads are spreads.
        shared = any("±" in cell or len(_IN_BRACKETS.findall(cell)) > 1 for row in table.rows for cell in row)
        if shared or any(cell.spread for cell in grid) or _SPREAD.search(f"{caption} {own}"):
            shown = True
            continue
        quality = _COSTS.sub(" ", own) if _COSTS.search(own) else f"{caption} {own}"
        results = HIGHER.search(quality) or LOWER.search(quality)
        settings = _SETTINGS.search(f"{caption} {' '.join(table.rows[0])}")
        if results and not settings and len({cell.row for cell in grid}) >= 2:
            bare.append((place, table))
    if not bare or shown or _PRINTED.search(" ".join(section.text for section in document.sections)):
        return  # where tables were not recognized their cells stand in the text
    promise = next((s for s in sentences(document) if _PROMISED.search(s.text) and not _NEGATED.search(s.text)), None)
    names = ", ".join(name_of(table, place) for place, table in bare[:6])
    yield finding(
        "warning",
        "missing-error-bars",
        f"no spread is given in {names}" + (", although the text says that it is reported" if promise else ""),
        sentence=promise.text if promise else "",
        section=heading(document, promise.section) if promise else names,
        page=promise.page if promise else bare[0][1].page,
        expected="the spread over seeds, and of how many",
    )
