"""Every number of a paper bound to run, data set and metric, or named. Pure.

The words decide what a number has to be: its row and column, the words between it and its neighbours, then its sentence,
its paragraph, its heading. A value that only equals something in the runs is not thereby supported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from scientist.lab import Record
from scientist.reviews.checks._arithmetic import CHANGE
from scientist.reviews.checks._candidates import Change, Names, Wanted, changes, matching, says, scales, spread_of
from scientist.reviews.checks._findings import Finding, finding, heading, in_order, quoted
from scientist.reviews.checks._grid import Cell, caption_of, cells, name_of
from scientist.reviews.checks._passages import Passage, passages
from scientist.reviews.checks._rounding import prints_as
from scientist.reviews.checks._runs import Quantity, Runs
from scientist.reviews.checks._spoken import shortened
from scientist.reviews.checks._words import Vocabulary, vocabulary, words
from scientist.reviews.reading import Document

Verdict = Literal["bound", "unmatched", "wrong-run", "contradicted"]
_DOWN = re.compile(r"\b(?:reduc|decreas|drop|declin|fewer|shorter|lower|less\b|cut|fell|shrink|sav)\w*", re.IGNORECASE)
_UP = re.compile(r"\b(?:increas|higher|longer|slower|rise|rose|overhead|grew|larger)\w*", re.IGNORECASE)
_AVERAGED = re.compile(
    r"\b(?:across|average[ds]?|averaging|mean|overall|all (?:four|three|five|the)?\s*(?:data ?sets|tasks|operations))\b",
    re.IGNORECASE,
)
_DERIVED = re.compile(  # heads of columns that hold no value of a run, but something made of several
    r"improvement|Δ|\bdelta\b|reduction|\bchange\b|\bgain\b|relative|diff|speed-?up|ratio|\brank\b|\bp[- ]?values?\b|\bstd\b|stderr|std\.|"
    r"standard (?:error|deviation)|\bs\.?[de]\.?m?\.?\b|\bCI\b|confidence|\bseed|\bmin\b|\bmax\b|median|\bsteps? \d|\bepochs? \d",
    re.IGNORECASE,
)
_DIFFERENCE = re.compile(
    r"\b(?:by|differences?|gap|margin|gain|drop|increase|decrease|reduction|improvement|delta)\s*(?:of|is|:|=)?\s*(?:about|only|just|up to|approximately)?\s*[(+−-]?\s*$",
    re.IGNORECASE,
)
_CURVE = re.compile(
    r"\b(?:at|after|by|around|until|within|before) (?:the )?(?:first |step |epoch |iteration |\d[\d,]* )?(?:steps?|epochs?|iterations?|updates)\b|\binitial(?:ly)?\b|"
    r"during training|\bcurves?\b|\bearly\b|\bpeak|plateau|per[- ]seed|\bseed \d|fluctuat|figure",
    re.IGNORECASE,
)
_AVERAGE = re.compile(r"\baverage (?!of \d)", re.IGNORECASE)
_ABOUT = re.compile(r"(?:about|approximately|around|roughly|nearly|almost|over|more than|~|≈|some)\s*$", re.IGNORECASE)
_BASE = re.compile(r"\b(?:baseline|standard|vanilla|default|original|unmodified|without)\b", re.IGNORECASE)
_MOVES = re.compile(
    f"{CHANGE.pattern}|{_DOWN.pattern}|{_UP.pattern}|\\b(?:accelerat|speed|takes?|enhanc|outperform)\\w*", re.IGNORECASE
)
_OTHER = re.compile(r"\b(?:compared|versus|vs|than|against|from|over|while|whereas|but|and)\b|[;,]", re.IGNORECASE)

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


@dataclass(frozen=True)
class _Context:
    runs: Runs
    known: Vocabulary
    quantities: list[Quantity]


def check_runs(document: Document, runs: Runs) -> RunsChecked:
    """The numbers of tables, captions, abstract and results against the runs they should come from."""
    document = shortened(document)
    context = _Context(runs, vocabulary(runs), runs.quantities)
    numbers: list[Bound] = []
    findings = list(runs.findings)
    for bound, found in (*_tables(document, context), *_prose(document, context)):
        numbers.append(bound)
        findings += [found] if found else []
    return RunsChecked(findings=in_order(findings), numbers=tuple(numbers))


# --- tables ---


def _tables(document: Document, context: _Context) -> Iterator[tuple[Bound, Finding | None]]:
    for cell in islice(cells(document), MOST):
        table = document.tables[cell.table]
        caption = caption_of(document, table)
        wanted = _of_cell(cell, caption, context)
        if wanted is None:
            continue
        place = f"{name_of(table, cell.table)}, '{cell.row_head}', '{cell.column_head}'"
        sentence = f"{cell.row_head} | {cell.column_head}: {cell.printed}"
        at = {"sentence": sentence, "section": name_of(table, cell.table), "page": table.page}
        verdict, source, found = _value(cell.text, cell.value, cell.unit, wanted, context)
        yield Bound(text=cell.text, place=place, verdict=verdict, source=source), found and found.model_copy(update=at)
        if cell.spread:
            spread, message = _spread(cell, wanted, context)
            bound = Bound(
                text=f"± {cell.spread}", place=place, verdict="bound" if spread else "unmatched", source=spread
            )
            yield bound, None if spread else message.model_copy(update=at)


def _of_cell(cell: Cell, caption: str, context: _Context) -> Wanted | None:
    """What a cell has to be by its heads, or None where they say nothing of the runs."""
    known = context.known
    heads = (cell.row_head, cell.column_head)
    if any(_DERIVED.search(head) and not (known.metrics_in(head) and _named(head, known)) for head in heads):
        return None
    if not all(known.knows(head) for head in heads if re.search(r"[^\W\d_]", head)):
        unknown = [head for head in heads if not known.knows(head)]
        # One head that no run knows ('PyTorch default') may name a run; a column that no run knows is something else.
        if cell.column_head in unknown:
            return None
    runs = next((r for head in heads if (r := known.runs_of_label(head))), None)
    runs = runs or known.runs_of_label(
        re.sub(r"\bresults?\b|\bfor the\b.*$|\bon\b.*$", " ", caption, flags=re.IGNORECASE)
    )
    datasets: Names = next((d for text in (*heads, caption) if (d := known.datasets_in(text))), None)
    metrics = next(
        (m for text in (cell.column_head, cell.row_head, caption) if (m := known.metrics_in(text, 0.5))), None
    )
    if metrics is None and not (datasets or runs):
        return None
    if metrics is None and cell.column_head and not known.datasets_in(cell.column_head):
        return None
    if datasets is None and len(known.datasets) > 1 and _AVERAGED.search(f"{caption} {cell.column_head}"):
        datasets = frozenset({""})
    return Wanted(runs, datasets, metrics)


def _named(head: str, known: Vocabulary) -> bool:
    """Whether the words that look like something derived are those of a metric ('max_acc_increase_rate')."""
    derived = {stem for match in _DERIVED.finditer(head) for stem in words(match.group())}
    return any(derived <= known.metrics[name] for name in known.metrics_in(head))


def _spread(cell: Cell, wanted: Wanted, context: _Context) -> tuple[str, Finding]:
    """(which spread of which run is printed after ±, the finding where none is)."""
    admitted = [one for one in context.quantities if wanted.admits(one)]
    fitting = matching(admitted, cell.value, cell.text, cell.unit)
    # Where the value itself is nobody's, its spread is somebody's only if the words leave one run open.
    for one in fitting or (admitted if len(admitted) == 1 else []):
        if name := spread_of(one, cell.value, cell.unit, cell.spread):
            return f"{one.place}: {name}", finding("note", "", "")
    near = (fitting or admitted)[:1]
    told = [f"{name} {size:.4g}" for one in near for name, size in one.spreads().items()]
    expected = ", ".join(told[:7]) or "no spread: one value is reported, without its seeds"
    return "", finding(
        "error",
        "unsupported-error-bar",
        f"nothing in the runs gives ± {cell.spread}",
        expected=expected,
        source=near[0].place if near else "",
    )


# --- values, in tables and in prose ---


def _value(
    text: str, value: float, unit: str, wanted: Wanted, context: _Context, slack: float = 0.0
) -> tuple[Verdict, str, Finding | None]:
    fitting = matching(context.quantities, value, text, unit)
    admitted = [one for one in fitting if wanted.admits(one)]
    if wanted.datasets is None:  # a single data set explains a number better than the mean over all
        admitted.sort(key=lambda one: not one.dataset)
    if admitted:
        return "bound", admitted[0].place, None
    if slack:
        loose = [
            one
            for one in context.quantities
            if wanted.admits(one)
            and any(abs(one.mean * scale - value) <= slack * abs(value) for scale in scales(one, value, unit))
        ]
        if loose:
            return "bound", loose[0].place, None
    meant = [one for one in context.quantities if wanted.admits(one)]
    expected = "; ".join(f"{one.place}: {one.mean:.5g}" for one in meant[:4]) if len(meant) <= 12 else ""
    source = meant[0].place if len(meant) == 1 else ""
    if fitting and (wanted.runs or wanted.datasets or wanted.metrics):
        nearest = max(fitting, key=wanted.nearness)
        # A value of few digits is met by chance: another metric's value on another data set says nothing.
        if wanted.nearness(nearest) >= 4 or (wanted.metrics is None and wanted.nearness(nearest)):
            found = finding(
                "error" if len(meant) <= 12 else "warning",
                "wrong-run",
                f"{text} is the value of {nearest.place}, not of what the words name",
                expected=expected,
                source=source or nearest.place,
            )
            return "wrong-run", nearest.place, found
    certain = wanted.metrics is not None or wanted.datasets is not None
    found = finding(
        "error" if certain else "warning",
        "unmatched",
        f"nothing in the runs gives {text}{unit}",
        expected=expected,
        source=source,
    )
    return "unmatched", "", found


# --- prose ---


def _prose(document: Document, context: _Context) -> Iterator[tuple[Bound, Finding | None]]:
    for passage in islice(passages(document, context.known), MOST // 4):
        number, sentence = passage.number, passage.number.sentence
        place = heading(document, sentence.section) if not passage.caption else passage.caption
        at = {"sentence": quoted(sentence.text, number.start), "section": place, "page": sentence.page}
        digits = re.sub(r"[^\d.eE,×x·^{}−-].*$", "", number.text.split("±")[0]).replace(",", "").strip("- −")
        unit = number.unit
        wanted = _of_passage(passage, context)
        slack = 0.02 if _ABOUT.search(passage.before) else 0.0
        verdict, source, found = _value(digits, abs(number.value), unit, wanted, context, slack)
        factor = unit in ("%", "percent", "x", "X", "×")
        if verdict != "bound" and factor and _MOVES.search(sentence.text):
            verdict, source, found = _changed(passage, digits, wanted, context)
        elif (
            verdict != "bound"
            and _DIFFERENCE.search(passage.before)
            and (made := _difference(passage, digits, context))
        ):
            verdict, source, found = "bound", made, None
        # What final_info.json does not hold may stand in the curves: this proves nothing.
        weak = not factor and (_CURVE.search(sentence.text) or _DIFFERENCE.search(passage.before))
        if found and found.kind in ("unmatched", "wrong-run"):
            plain = not factor and ("." not in digits or wanted.metrics is None)
            if weak or plain or (factor and wanted.metrics is None):
                found = found.model_copy(update={"severity": "warning"})
        yield (
            Bound(text=number.text, place=place, verdict=verdict, source=source),
            found and found.model_copy(update=at),
        )


def _difference(passage: Passage, digits: str, context: _Context) -> str:
    """The change between two runs whose absolute size is printed so, or nothing."""
    value = abs(passage.number.value)
    for change in changes(context.runs, Wanted()):
        size = abs(change.after.mean - change.before.mean)
        if any(prints_as(size * scale, value, digits) for scale in scales(change.before, value, passage.number.unit)):
            return change.place
    return ""


def _of_passage(passage: Passage, context: _Context) -> Wanted:
    known, text = context.known, passage.number.sentence.text
    scopes = (passage.nearest, passage.clause, text, passage.paragraph, passage.heading)
    datasets: Names = next((d for scope in scopes if (d := known.datasets_in(scope))), None)
    own = f"{passage.leading} {_OTHER.split(passage.trailing)[0]}"
    wider = (own, *scopes[1:])
    metrics: Names = known.metrics_in(passage.leading) or known.metrics_in(passage.leading, 0.5)
    metrics = metrics or next((m for scope in wider if (m := known.metrics_in(scope))), None)
    metrics = metrics or next((m for scope in wider if (m := known.metrics_in(scope, 0.5))), None)
    following = words(passage.trailing[:24])[:1]  # '793 steps'
    counted = frozenset(name for name, stems in known.metrics.items() if following and following[0] in stems)
    if counted and not (metrics and metrics & counted):
        metrics = counted
    if re.search(r"\baverage[ds]?\b", passage.clause, re.IGNORECASE) or (not datasets and _AVERAGE.search(text)):
        datasets = (datasets or frozenset()) | {""}
    # '1.46 compared to the baseline's 1.47': what follows a comparison is the other number's.
    runs = known.runs_in(passage.leading) or known.runs_in(_OTHER.split(passage.trailing)[0])
    return Wanted(runs or None, datasets, metrics)


def _changed(passage: Passage, digits: str, wanted: Wanted, context: _Context) -> tuple[Verdict, str, Finding | None]:
    """'a reduction of 20%': the runs must hold such a change, in that direction, from the run that is compared with."""
    number, base = passage.number, context.runs.baseline
    text, value, unit = number.text, abs(number.value), number.unit
    slack = 1.0 if _ABOUT.search(passage.before) else 0.0
    said = (
        passage.clause if _DOWN.search(passage.clause) or _UP.search(passage.clause) else passage.number.sentence.text
    )
    down, up = _DOWN.search(said), _UP.search(said)
    way = 0 if bool(down) == bool(up) else (-1 if down else 1)
    possible = list(changes(context.runs, wanted))
    fits = [change for change in possible if says(change, value, digits, unit, slack)]
    right = [change for change in fits if not way or change.percent * way > 0]
    right.sort(key=lambda change: (change.before.run != base, not change.before.dataset))
    against_base = [change for change in possible if change.before.run == base]
    rose = bool(against_base) and bool(way) and all(change.percent * way < 0 for change in against_base)
    to_base = bool(_BASE.search(passage.comparison))
    largest = max(against_base, key=lambda change: change.percent * (way or -1), default=None)
    expected = _told(largest, way) if largest else ""
    if right and (right[0].before.run == base or not to_base):
        return "bound", right[0].place, None
    if rose and wanted.metrics is not None:
        verb = "rose" if way < 0 else "fell"
        other = f"; {text} is the change {right[0].place}" if right else ""
        found = finding(
            "error",
            "contradicted",
            f"against {base} it {verb} in every run{other}",
            expected=_told(largest, way) if largest else "",
            source=", ".join(sorted({f"{c.before.dataset} · {c.before.metric}".strip(" ·") for c in against_base})[:4]),
        )
        return "contradicted", right[0].place if right else "", found
    wrong = [change for change in fits if change.before.run == base and way and change.percent * way < 0]
    if wrong:
        found = finding(
            "error",
            "contradicted",
            f"the change of {text} goes the other way: {wrong[0].place}, {wrong[0].percent:+.1f}%",
            expected=expected,
            source=wrong[0].place,
        )
        return "contradicted", wrong[0].place, found
    elsewhere = [
        change
        for change in changes(context.runs, Wanted(None, None, wanted.metrics))
        if change.before.run == base
        and says(change, value, digits, unit, 0.0)
        and (not way or change.percent * way > 0)
    ]
    if elsewhere and wanted.datasets is not None:
        found = finding(
            "error",
            "wrong-run",
            f"{text} is the change {elsewhere[0].place}, not of what the words name",
            expected=expected,
            source=elsewhere[0].place,
        )
        return "wrong-run", elsewhere[0].place, found
    found = finding(
        "error" if wanted.metrics is not None else "warning",
        "unmatched",
        f"no change between two runs is {text}",
        expected=expected,
        source=largest.place if largest else "",
    )
    return "unmatched", "", found


def _told(change: Change, way: int) -> str:
    """The change from the baseline that comes nearest to a claim of a fall (`way` -1) or a rise."""
    way = way or -1
    kind = ("fall" if way < 0 else "rise") if change.percent * way > 0 else ("rise" if way < 0 else "fall")
    size = "largest" if change.percent * way > 0 else "smallest"
    return f"the {size} {kind} from {change.before.run}: {change.percent:+.1f}% ({change.place})"
