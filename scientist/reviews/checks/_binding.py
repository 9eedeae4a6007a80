"""Every number of a paper bound to run, data set and metric, or named. Pure.

The words decide what a number has to be: its row and column, the words between it and its neighbours, then its sentence,
its paragraph, its heading. A value that only equals something in the runs is not thereby supported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from scientist.lab import Record
from scientist.reviews.checks._arithmetic import CHANGE
from scientist.reviews.checks._candidates import Names, Wanted, matching
from scientist.reviews.checks._findings import Finding, finding, heading, in_order, quoted
from scientist.reviews.checks._grid import Cell, caption_of, cells, name_of
from scientist.reviews.checks._passages import Passage, counted_by, passages
from scientist.reviews.checks._rounding import PRINTED, decimals
from scientist.reviews.checks._runs import Runs
from scientist.reviews.checks._spoken import shortened
from scientist.reviews.checks._verdicts import (
    ABOUT,
    AVERAGED,
    DOWN,
    UP,
    Context,
    Verdict,
    difference,
    judge_change,
    judge_spread,
    judge_value,
    stranger,
    summed,
    worse,
)
from scientist.reviews.checks._words import Vocabulary, vocabulary, words
from scientist.reviews.reading import Document

_DERIVED = re.compile(  # heads of columns that hold no value of a run, but something made of several
    r"improvement|Δ|\bdelta\b|reduction|\bchange\b|\bgain\b|relative|diff|speed-?up|ratio|\brank\b|\bp[- ]?values?\b|\bstd\b|stderr|std\.|"
    r"standard (?:error|deviation)|\bs\.?[de]\.?m?\.?\b|\bCI\b|confidence|\bseed|\bmin\b|\bmax\b|median|\bsteps? \d|\bepochs? \d",
    re.IGNORECASE,
)
_CHANGES = re.compile(  # a caption of a table of changes
    r"\s*(?:(?:relative|absolute|percent\w*|average)\s+)*(?:changes?|improvements?|reductions?|differences?|gains?|increases?|decreases?|speed-?ups?|ratios?)\b",
    re.IGNORECASE,
)
_CITED = re.compile(
    r"\bet al\b|\[[^\[\]]{1,60}\]|\([^()]{0,40}\b(?:19|20)\d\d[a-z]?\)"
)  # somebody else's value: no run can give it
_MEAN_AND_SPREAD = re.compile(
    r"\(?\s*(?:mean|average)\s*(?:±|\+/-|\+-|and|\(|\\pm)[^()]{0,30}\)?\)?|\(\s*±[^()]{0,30}\)", re.IGNORECASE
)
_DIFFERENCE = re.compile(
    r"\b(?:by|differences?|gap|margin|gain|drop|increase|decrease|reduction|improvement|delta)s?\s*(?:of|is|:|=)?\s*(?:about|only|just|up to|approximately)?\s*[(+−-]?\s*$",
    re.IGNORECASE,
)
_UP_TO_ANY = re.compile(r"\b(?:up to|as much as|at most|as high as)\s*$", re.IGNORECASE)
_CHANGE_OF = re.compile(
    r"^\s?%?\s*(?:relative |absolute |average )?(?:reduction|decrease|drop|decline|increase|improvement|gain|rise|speed-?up)s? (?:in|of) ([^,;.()]{1,60})",
    re.IGNORECASE,
)
_UP_TO = re.compile(r"\b(?:by|of)\s*(?:up to|about)?\s*$", re.IGNORECASE)
_APART = re.compile(r"\bdiffer(?:s|ed|ences?)?\b", re.IGNORECASE)
_TOTAL = re.compile(r"\b(?:total|sum|summed|altogether|combined)\b", re.IGNORECASE)
_CURVE = re.compile(
    r"\b(?:at|after|by|around|until|within|before) (?:the )?(?:first |step |epoch |iteration |\d[\d,]* )?(?:steps?|epochs?|iterations?|updates)\b|\binitial(?:ly)?\b|"
    r"during training|\bcurves?\b|\bearly\b|\bpeak|plateau|per[- ]seed|\bseed \d|fluctuat|figure",
    re.IGNORECASE,
)
_AVERAGE = re.compile(r"\baverage (?!of \d)", re.IGNORECASE)
_MOVES = re.compile(
    f"{CHANGE.pattern}|{DOWN.pattern}|{UP.pattern}|\\b(?:accelerat|speed|takes?|enhanc|outperform)\\w*", re.IGNORECASE
)
_OTHER = re.compile(r"\b(?:compared|versus|vs|than|against|from|over|while|whereas|but|and)\b|[;,]", re.IGNORECASE)
_COMPARING = re.compile(r"\b(?:compar\w+|versus|vs|between|against)\b", re.IGNORECASE)
_OURS = re.compile(r"\b(?:ours|our|proposed)\b", re.IGNORECASE)
_RUN = re.compile(r"\bruns?[ _]?(\d{1,4})((?:\s*(?:,|and|&|to|/)\s*(?:run[ _]?)?\d{1,4}\b)*)", re.IGNORECASE)
_PREVIOUS = re.compile(  # what follows a number and is still said of it: 'seconds for the baseline' to ...
    r"^\s*%?\s*\([^()]{1,30}\)|^\s*%?\s*\)?\s*(?:(?!and\b|to\b|but\b|or\b)[\w/]+\s+){0,2}?(?:for|on|in|with|by|using)\s+[^,;.()]{1,40}?"
    r"(?=\s+(?:to|and|while|compared|vs\.?|versus|whereas|but)\b|[,;(.]|$)",
    re.IGNORECASE,
)
_CLOSED = re.compile(
    r"\b(?:compared (?:to|with)|relative to|versus|vs\.?|than|over|against)\s+[^,;(]{1,40},(?=\s*\w)", re.IGNORECASE
)

_UNIT = re.compile(
    r"\s?(?:(?P<min>min(?:ute)?s?\b)|(?P<h>h(?:our)?s?\b)|(?P<ms>ms\b|milliseconds?\b)|-?(?P<x>times\b(?! steps)|fold\b))",
    re.IGNORECASE,
)
_NUMBER = re.compile(rf"({PRINTED})\s?%?(?:\s?±\s?({PRINTED}))?")

MOST = 2_000
"""Cells of tables that are looked at, and four times the numbers of running text."""


class Bound(Record):
    """One number of a paper that reads as a result, and what stands behind it."""

    text: str
    place: str
    verdict: Verdict
    source: str = ""


class RunsChecked(Record):
    """What the runs say of a paper: findings, errors first, and every number that was looked at."""

    findings: tuple[Finding, ...]
    numbers: tuple[Bound, ...]

    def count(self, verdict: Verdict) -> int:
        """How many numbers have that verdict."""
        return sum(one.verdict == verdict for one in self.numbers)


def check_runs(document: Document, runs: Runs) -> RunsChecked:
    """The numbers of tables, captions, abstract and results against the runs they should come from."""
    document = shortened(document)
    context = Context(runs, vocabulary(runs), runs.quantities)
    numbers: list[Bound] = []
    findings = list(runs.findings)
    for bound, found in _tables(document, context):
        numbers.append(bound)
        findings += [found] if found else []
    said: list[Finding] = []
    for bound, found in _prose(document, context):
        numbers.append(bound)
        said += [found] if found else []
    return RunsChecked(findings=in_order([*findings, *_once(said)]), numbers=tuple(numbers))


def _once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """A claim that abstract and text make alike is one finding, which names every place."""
    places: dict[tuple[str, ...], list[Finding]] = {}
    for found in findings:
        places.setdefault((found.kind, found.severity, found.message, found.expected, found.source), []).append(found)
    for group in places.values():
        sections = list(dict.fromkeys(found.section for found in group))
        yield group[0].model_copy(update={"section": "; ".join(sections)[:200]}) if len(group) > 1 else group[0]


# --- tables ---


def _tables(document: Document, context: Context) -> Iterator[tuple[Bound, Finding | None]]:
    wanted = {
        cell: asked
        for cell in islice(cells(document), MOST)
        if (asked := _of_cell(cell, caption_of(document, document.tables[cell.table]), context))
    }
    _unsure(wanted, context)
    strays = _strays(wanted, context)
    for cell, asked in wanted.items():
        table = document.tables[cell.table]
        for metric in asked.metrics or ():
            context.printed[metric].add(decimals(cell.text))
        place = f"{name_of(table, cell.table)}, '{cell.row_head}', '{cell.column_head}'"
        sentence = f"{cell.row_head} | {cell.column_head}: {cell.printed}"
        at = {"sentence": sentence, "section": name_of(table, cell.table), "page": table.page}
        verdict, source, found = strays.get(cell) or judge_value(cell.text, cell.value, cell.unit, asked, context)
        yield Bound(text=cell.text, place=place, verdict=verdict, source=source), found and found.model_copy(update=at)
        if verdict == "bound":
            for one in matching(context.quantities, cell.value, cell.text, cell.unit):
                if asked.admits(one):
                    context.shown[one.dataset, one.metric].add(one.run)
        if cell.spread:
            yield _of_spread((cell.text, cell.value, cell.unit, cell.spread), asked, context, place, at)


def _unsure(wanted: dict[Cell, Wanted], context: Context) -> None:
    """Leaves the run open where a label is only the name of the method and few of its values are those of the run it fits."""
    groups: dict[tuple[int, Names], list[Cell]] = {}
    for cell, asked in wanted.items():
        if asked.runs and any(context.known.is_method(head) for head in (cell.row_head, cell.column_head)):
            groups.setdefault((cell.table, asked.runs), []).append(cell)
    others = frozenset(context.known.titles) - {context.runs.baseline}
    for group in groups.values():
        fits = [judge_value(cell.text, cell.value, cell.unit, wanted[cell], context)[0] == "bound" for cell in group]
        if sum(fits) * 2 < len(fits):
            for cell in group:
                wanted[cell] = replace(wanted[cell], runs=others or None)


def _strays(wanted: dict[Cell, Wanted], context: Context) -> dict[Cell, tuple[Verdict, str, Finding | None]]:
    """Where a table does not say of which run it is, and all of its values but a few are those of one: the few."""
    groups: dict[tuple[int, Names], list[Cell]] = {}
    for cell, asked in wanted.items():
        if asked.runs is None or len(asked.runs) > 1:
            groups.setdefault((cell.table, asked.runs), []).append(cell)
    found: dict[Cell, tuple[Verdict, str, Finding | None]] = {}
    for group in groups.values():
        fits = {
            cell: [
                one
                for one in matching(context.quantities, cell.value, cell.text, cell.unit)
                if wanted[cell].admits(one)
            ]
            for cell in group
        }
        runs = {cell: {one.run for one in ones} for cell, ones in fits.items() if ones}
        telling = [run for own in runs.values() if len(own) == 1 for run in own]
        most = max(sorted(set(telling)), key=telling.count, default="")
        others = [cell for cell, own in runs.items() if most not in own]
        if not others or telling.count(most) < 4 or len(others) * 6 > len(runs):
            continue
        for cell in others:
            here = fits[cell][0]
            meant = [one for one in context.quantities if replace(wanted[cell], runs=frozenset({most})).admits(one)]
            found[cell] = (
                "wrong-run",
                here.place,
                finding(
                    "warning",
                    "wrong-run",
                    f"{cell.text} is the value of {here.place}; all but {len(others)} of the {len(runs)} values here are those of {most}",
                    expected="; ".join(f"{one.place}: {one.mean:.5g}" for one in meant[:4]),
                    source=meant[0].place if meant else most,
                ),
            )
    return found


def _of_spread(
    printed: tuple[str, float, str, str], wanted: Wanted, context: Context, place: str, at: dict[str, object]
) -> tuple[Bound, Finding | None]:
    source, found = judge_spread(*printed, wanted, context)
    bound = Bound(text=f"± {printed[3]}", place=place, verdict="unmatched" if found else "bound", source=source)
    return bound, found and found.model_copy(update=at)


def _of_cell(cell: Cell, caption: str, context: Context) -> Wanted | None:
    """What a cell has to be by its heads, or None where they say nothing of the runs."""
    known = context.known
    heads = tuple(_MEAN_AND_SPREAD.sub(" ", head) for head in (cell.row_head, cell.column_head))
    row, column = heads
    if any(_DERIVED.search(head) and not (known.metrics_in(head) and _named(head, known)) for head in heads):
        return None
    if _CHANGES.match(caption) or any(_CITED.search(head) for head in heads):
        return None
    # One head that no run knows ('PyTorch default') may name a run; a column that no run knows is something else.
    if re.search(r"[^\W\d_]", column) and not known.knows(column) and not _OURS.search(column):
        return None
    datasets: Names = next((d for text in (*heads, caption) if (d := known.datasets_in(text))), None)
    metrics = next((m for text in (column, row, caption) if (m := known.metrics_in(text, 0.5))), None)
    runs = next((r for head in heads if (r := known.runs_of_label(head))), None) or _of_caption(heads, caption, context)
    if metrics is None and not (datasets or runs):
        return None
    if metrics is None and cell.column_head and not known.datasets_in(column):
        return None
    if datasets is None and len(known.datasets) > 1 and AVERAGED.search(f"{caption} {column}"):
        datasets = frozenset({""})
    return Wanted(runs, datasets, metrics)


def _of_caption(heads: tuple[str, ...], caption: str, context: Context) -> Names:
    """The runs that a caption leaves open for a cell whose heads name none."""
    numbered = {
        f"run_{int(number)}"
        for match in _RUN.finditer(caption)
        for number in re.findall(r"\d{1,4}", match[1] + match[2])
    } & set(context.known.titles)
    if any(_OURS.search(head) for head in heads):  # ours is not the baseline
        return frozenset(numbered or context.known.titles) - {context.runs.baseline} or None
    if numbered:
        return frozenset(numbered)
    if _COMPARING.search(caption):
        return None
    return context.known.runs_of_label(
        re.sub(r"\bresults?\b|\bfor the\b.*$|\bon\b.*$", " ", caption, flags=re.IGNORECASE)
    )


def _named(head: str, known: Vocabulary) -> bool:
    """Whether the words that look like something derived are those of a metric ('max_acc_increase_rate')."""
    derived = {stem for match in _DERIVED.finditer(head) for stem in words(match.group())}
    return any(derived <= known.metrics[name] for name in known.metrics_in(head))


# --- prose ---


def _prose(document: Document, context: Context) -> Iterator[tuple[Bound, Finding | None]]:
    for passage in islice(passages(document, context.known), MOST // 4):
        number, sentence = passage.number, passage.number.sentence
        place = heading(document, sentence.section) if not passage.caption else passage.caption
        at = {"sentence": quoted(sentence.text, number.start), "section": place, "page": sentence.page}
        printed = _NUMBER.match(sentence.text, number.start)
        digits = printed[1].replace(",", "").strip("- −–+") if printed else number.text
        wanted = _of_passage(passage, context)
        verdict, source, found = _of_number(passage, digits, wanted, context)
        yield (
            Bound(text=number.text, place=place, verdict=verdict, source=source),
            found and found.model_copy(update=at),
        )
        if printed and printed[2]:
            shown = digits, abs(number.value), _unit(passage), printed[2]
            yield _of_spread(shown, wanted, context, place, at)


def _unit(passage: Passage) -> str:
    """The unit of a number, or the word that stands for one; the sign before a power of ten is none."""
    number = passage.number
    if "±" in number.text and number.unit in ("x", "X", "×"):
        return ""
    named = _UNIT.match(passage.trailing)
    return next((unit for unit in ("min", "h", "ms", "x") if named and named[unit]), number.unit)


def _of_number(passage: Passage, digits: str, wanted: Wanted, context: Context) -> tuple[Verdict, str, Finding | None]:
    number, sentence, unit = passage.number, passage.number.sentence, _unit(passage)
    slack = 0.02 if ABOUT.search(passage.before) else 0.0
    verdict, source, found = judge_value(digits, abs(number.value), unit, wanted, context, slack)
    if verdict == "bound" and (other := stranger(digits, abs(number.value), unit, wanted, context)):
        return other
    factor = unit in ("%", "percent", "x", "X", "×")
    moves = bool(_MOVES.search(sentence.text)) or unit != number.unit
    apart = bool(_DIFFERENCE.search(passage.before) or _APART.search(passage.leading))
    if verdict != "bound" and factor and moves:
        verdict, source, found = judge_change(passage, digits, wanted, context, unit)
    elif verdict != "bound" and apart and (made := difference(passage, digits, context)):
        verdict, source, found = "bound", made, None
    elif verdict != "bound" and not unit and moves and _UP_TO.search(passage.before):
        # A percent sign that was forgotten, or that TeX took for a comment.
        changed = judge_change(passage, digits, replace(wanted, runs=None), context, "%")
        if changed[0] == "bound":
            verdict, source, found = changed
    if verdict != "bound" and not factor and _TOTAL.search(sentence.text):
        source = summed(digits, abs(number.value), unit, wanted, context)
        verdict, found = ("bound", None) if source else (verdict, found)
    if verdict == "bound" and (down := worse(passage, wanted, context)):
        return "contradicted", source, down
    # What final_info.json does not hold may stand in the curves: this proves nothing.
    weak = not factor and (_CURVE.search(sentence.text) or apart)
    if found and found.kind in ("unmatched", "wrong-run"):
        plain = not factor and ("." not in digits or wanted.metrics is None) and not _counted(passage, wanted, context)
        guessed = wanted.runs is not None and not context.known.named_surely(passage.clause)
        if weak or plain or (factor and wanted.metrics is None) or (guessed and found.kind == "wrong-run"):
            found = found.model_copy(update={"severity": "warning"})
    return verdict, source, found


def _counted(passage: Passage, wanted: Wanted, context: Context) -> bool:
    """Whether a whole number is surely a result: '4720 steps' in a sentence that names steps to an accuracy, and a data set."""
    known, text = context.known, passage.number.sentence.text
    following = counted_by(passage.trailing)
    named = known.metrics_in(text)
    meant = [known.metrics[name] for name in wanted.metrics or () if name in named]
    return bool(meant and wanted.datasets and following) and all(following[0] in stems for stems in meant)


def _of_passage(passage: Passage, context: Context) -> Wanted:
    known, text = context.known, passage.number.sentence.text
    leading = _CLOSED.sub(" ", _PREVIOUS.sub(" ", passage.leading) if passage.follows else passage.leading)
    near, far = (passage.nearest, leading, passage.clause, text), (passage.paragraph, passage.heading)
    datasets: Names = next((d for scope in near if (d := known.datasets_in(scope))), None)
    if datasets is None and not _UP_TO_ANY.search(passage.before):
        datasets = next((d for scope in far if (d := known.datasets_in(scope))), None)
    changed = _CHANGE_OF.match(passage.trailing)  # '12% reduction in KL divergence'
    own = f"{leading} {_OTHER.split(passage.trailing)[0]}"
    scopes = (changed[1] if changed else "", leading, own, passage.clause, text)
    choices = [(scope, least) for group in (scopes[:2], scopes[2:], far) for least in (0.6, 0.5) for scope in group]
    metrics: Names = next((m for scope, least in choices if (m := known.metrics_in(scope, least))), None)
    following = counted_by(passage.trailing)  # '793 steps'
    counted = frozenset(name for name, stems in known.metrics.items() if following and following[0] in stems)
    if counted and not (metrics and metrics & counted):
        metrics = counted
    if re.search(r"\baverage[ds]?\b", passage.clause, re.IGNORECASE) or (not datasets and _AVERAGE.search(text)):
        datasets = (datasets or frozenset()) | {""}
    # '1.46 compared to the baseline's 1.47': what follows a comparison is the other number's.
    runs = known.runs_in(passage.nearest) or known.runs_in(leading) or known.runs_in(_OTHER.split(passage.trailing)[0])
    if re.search(r"\brespectively\b", text, re.IGNORECASE):
        datasets, runs = _in_turn(passage, known) or known.datasets_in(text) or datasets, known.runs_in(text)
        runs = runs if len(runs) > 1 else frozenset()
    return Wanted(runs or None, datasets, metrics)


def _in_turn(passage: Passage, known: Vocabulary) -> Names:
    """'0.35, 0.98 and 0.16 for circle, dino and line, respectively': the data set that has the number's place."""
    text = passage.number.sentence.text
    values = [match.start() for match in re.finditer(r"(?<![\w.])\d{1,9}\.\d{1,9}|\d{1,9}\s?%", text)]
    named: list[str] = []
    for match in re.finditer(r"[^\s,;()]+", text):
        named += [name for name in known.datasets_in(match.group()) if name not in named]
    if len(named) < 2 or len(values) != len(named) or passage.number.start not in values:
        return None
    return frozenset({named[values.index(passage.number.start)]})
