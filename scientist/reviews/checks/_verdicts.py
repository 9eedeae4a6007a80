"""What the runs say of one number, once it is known what its words ask for: values, spreads, changes. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Literal

from scientist.reviews.checks._candidates import (
    Change,
    Wanted,
    changes,
    matching,
    mean_changes,
    says,
    scales,
    spread_of,
)
from scientist.reviews.checks._findings import Finding, finding
from scientist.reviews.checks._grid import better
from scientist.reviews.checks._passages import Passage
from scientist.reviews.checks._rounding import prints_as, value_of
from scientist.reviews.checks._runs import Quantity, Runs
from scientist.reviews.checks._words import Vocabulary

Verdict = Literal["bound", "unmatched", "wrong-run", "contradicted"]
Judged = tuple[Verdict, str, Finding | None]
"""The verdict on a number, what stands behind it, and the finding where something is wrong."""

DOWN = re.compile(
    r"\b(?:reduc|decreas|drop|declin|fewer|shorter|lower|less\b|cut|fell\b|fall|shrink|sav)\w*", re.IGNORECASE
)
UP = re.compile(r"\b(?:increas|higher|longer|slower|rise|rose|overhead|grew|larger)\w*", re.IGNORECASE)
ABOUT = re.compile(r"(?:about|approximately|around|roughly|nearly|almost|over|more than|~|≈|some)\s*$", re.IGNORECASE)
AVERAGED = re.compile(
    r"\b(?:across|average[ds]?|averaging|mean|overall|all (?:four|three|five|the)?\s*(?:data ?sets|tasks|operations))\b",
    re.IGNORECASE,
)
_BASE = re.compile(r"\b(?:baseline|standard|vanilla|default|original|unmodified|without)\b", re.IGNORECASE)
_BETTER = re.compile(r"\b(?:improv|enhanc|better|gain)\w*", re.IGNORECASE)
_PAIR = re.compile(
    r"\bfrom\s+[^\d;]{0,40}?(?P<a>\d{1,9}(?:\.\d{1,9})?)(?!\d)[^\d;]{0,60}?\bto\s+[^\d;]{0,30}?(?P<b>\d{1,9}(?:\.\d{1,9})?)(?!\d)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Context:
    """The runs of a paper, what they are called, how many decimals its tables give each metric, and which values they give."""

    runs: Runs
    known: Vocabulary
    quantities: list[Quantity]
    printed: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    shown: defaultdict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    """(data set, metric) -> the runs whose values the tables give."""


def judge_value(text: str, value: float, unit: str, wanted: Wanted, context: Context, slack: float = 0.0) -> Judged:
    """Whether a quantity that the words leave open is printed so; `slack`: the share that 'about' leaves."""
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


def judge_spread(
    text: str, value: float, unit: str, printed: str, wanted: Wanted, context: Context
) -> tuple[str, Finding | None]:
    """(which spread of which run is `printed` after ±, the finding where none is)."""
    admitted = [one for one in context.quantities if wanted.admits(one)]
    fitting = matching(admitted, value, text, unit)
    # Where the value itself is nobody's, its spread is somebody's only if the words leave one run open.
    for one in fitting or (admitted if len(admitted) == 1 else []):
        if name := spread_of(one, value, unit, printed):
            return f"{one.place}: {name}", None
        for other in context.quantities:  # a spread may stand in the runs under a name of its own
            if other.is_spread_of(one) and prints_as(other.mean, value_of(printed), printed):
                return other.place, None
    near = (fitting or admitted)[:1]
    told = [f"{name} {size:.4g}" for one in near for name, size in one.spreads().items()]
    expected = ", ".join(told[:7]) or "no spread: one value is reported, without its seeds"
    return "", finding(
        "error",
        "unsupported-error-bar",
        f"nothing in the runs gives ± {printed}",
        expected=expected,
        source=near[0].place if near else "",
    )


def summed(text: str, value: float, unit: str, wanted: Wanted, context: Context) -> str:
    """The run and metric whose values on all data sets add up to a number, or nothing."""
    every = Wanted(wanted.runs, frozenset({""}), wanted.metrics)
    number = max(1, len(context.known.datasets))
    sums = [replace(one, mean=one.mean * number) for one in context.quantities if every.admits(one)]
    return next((f"{one.run} · sum over data sets · {one.metric}" for one in matching(sums, value, text, unit)), "")


def difference(passage: Passage, digits: str, context: Context) -> str:
    """The change between two runs whose absolute size is printed so, or nothing."""
    value = abs(passage.number.value)
    for change in changes(context.runs, Wanted()):
        size = abs(change.after.mean - change.before.mean)
        if any(prints_as(size * scale, value, digits) for scale in scales(change.before, value, passage.number.unit)):
            return change.place
    return ""


def judge_change(passage: Passage, digits: str, wanted: Wanted, context: Context, unit: str = "") -> Judged:
    """'a reduction of 20%': the runs must hold such a change, in that direction, from the run that is compared with."""
    number, base = passage.number, context.runs.baseline
    text, value, unit = number.text, abs(number.value), unit or number.unit
    slack = 1.0 if ABOUT.search(passage.before) else 0.0
    way = _way(passage)
    possible = list(changes(context.runs, wanted))
    if AVERAGED.search(
        number.sentence.text
    ):  # 'by 42% on average': the mean of the changes, or the change of the means
        possible += mean_changes(context.runs, wanted)
    fits = [
        change for change in possible if says(change, value, digits, unit, slack, context.printed[change.before.metric])
    ]
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
        and says(change, value, digits, unit, 0.0, ())
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


def stranger(text: str, value: float, unit: str, wanted: Wanted, context: Context) -> Judged | None:
    """A number of running text that names no run, and is the value of one that the tables leave out while they give others."""
    admitted = [one for one in matching(context.quantities, value, text, unit) if wanted.admits(one)]
    tables = [context.shown.get((one.dataset, one.metric), set()) for one in admitted]
    if wanted.runs is not None or not wanted.metrics or not tables or not all(tables):
        return None
    if any(one.run in runs for one, runs in zip(admitted, tables, strict=True)):
        return None
    here = admitted[0]
    given = [one for one in context.quantities if (one.dataset, one.metric) == (here.dataset, here.metric)]
    expected = "; ".join(f"{one.place}: {one.mean:.5g}" for one in given if one.run in tables[0])
    told = f"{text} is the value of {here.place}, of which no table tells; they give other runs"
    return "wrong-run", here.place, finding("warning", "wrong-run", told, expected=expected, source=here.place)


def _way(passage: Passage) -> int:
    """1 where the words speak of a rise, -1 of a fall, 0 of neither or both."""
    said = passage.clause if DOWN.search(passage.clause) or UP.search(passage.clause) else passage.number.sentence.text
    down, up = bool(DOWN.search(said)), bool(UP.search(said))
    return 0 if down == up else (-1 if down else 1)


def worse(passage: Passage, wanted: Wanted, context: Context) -> Finding | None:
    """'improved from 0.090 to 0.093' of a divergence: the second of a pair that went the wrong way, or nothing."""
    text, number = passage.number.sentence.text, passage.number
    pair = _PAIR.search(text)
    if pair is None or pair.start("b") != number.start or not _BETTER.search(text):
        return None
    if DOWN.search(text) or UP.search(text):
        return None  # what is said to fall or to rise is held against that
    before, after = float(pair["a"]), float(pair["b"])
    admitted = Wanted(None, wanted.datasets, wanted.metrics)
    first, second = (
        [one for one in matching(context.quantities, end, pair[name], number.unit) if admitted.admits(one)]
        for name, end in (("a", before), ("b", after))
    )
    places = {(one.dataset, one.metric) for one in first} & {(one.dataset, one.metric) for one in second}
    metrics = sorted({metric for _, metric in places})
    if len(metrics) != 1 or context.known.lasts(metrics[0]):
        return None
    if (after - before) * better(metrics[0].replace("_", " ")) >= 0:
        return None
    return finding(
        "error",
        "contradicted",
        f"from {pair['a']} to {pair['b']} is no improvement of {metrics[0]}",
        source=next(one.place for one in second if one.metric == metrics[0]),
    )


def _told(change: Change, way: int) -> str:
    """The change from the baseline that comes nearest to a claim of a fall (`way` -1) or a rise."""
    way = way or -1
    kind = ("fall" if way < 0 else "rise") if change.percent * way > 0 else ("rise" if way < 0 else "fall")
    size = "largest" if change.percent * way > 0 else "smallest"
    return f"the {size} {kind} from {change.before.run}: {change.percent:+.1f}% ({change.place})"
