"""What a stranger's template came with: its reported standard errors beside those that its raw values give."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scientist.errors import RecordError
from scientist.papers._collector import Collector
from scientist.papers._kinds import BASELINE
from scientist.template import Template
from scientist.template._final_info import ReportedCheck, load_final_info, recompute, usable

MOST = 8
"""Metrics that are compared; a script may report hundreds."""


def reported_checks(paper: Path, template: Template) -> tuple[tuple[ReportedCheck, str], ...]:
    """(check, pointer of its raw values) for every metric of the task that has at least two raw values.

    Read from the paper's own copy; empty where the template came with nothing. Raises :class:`RecordError` when the
    copy cannot be read.
    """
    path = paper / BASELINE
    if not path.is_file():
        return ()
    try:
        document = load_final_info(path)
        checks = recompute(document)
    except ValueError as error:
        raise RecordError(f"{path}: {error}", "delete the folder baseline/ of the paper") from error
    names = {metric.name for metric in template.metrics}
    found = []
    for check in checks:
        place = next((at for at, values in _lists(document, "") if values == check.values), "")
        if check.name in names and check.n > 1 and check.stderr is not None and place:
            found.append((check, place))
    return tuple(found[:MOST])


def spread_of(values: Any) -> tuple[int, float] | None:
    """(n, s.d. / sqrt(n)) of a JSON list of numbers, non-finite ones left out; None with fewer than two."""
    numbers = _numbers(values)
    n = len(numbers)
    if n < 2:
        return None
    mean = math.fsum(numbers) / n
    return n, math.sqrt(math.fsum((value - mean) ** 2 for value in numbers) / (n - 1)) / math.sqrt(n)


def reported_facts(into: Collector, template: Template) -> None:
    """`reported.<metric>.`: mean, stderr as reported; recomputed, n from the raw values."""
    for check, place in reported_checks(into.paper, template):
        title = template.metric(check.name).title
        rows: list[tuple[str, float | None, str, str]] = [
            ("mean", check.reported_mean, check.pointer, "mean that the template came with"),
            ("stderr", check.reported_stderr, check.stderr_pointer, "standard error that the template came with"),
            ("recomputed", check.stderr, place, "standard error that its raw values give: s.d. / sqrt(n)"),
        ]
        for name, value, pointer, what in rows:
            if value is not None and usable(value) and pointer:
                kind = "derived" if name == "recomputed" else "self-reported"
                fact_id = f"reported.{check.name}.{name}"
                into.add(fact_id, value, f"{value:.4g}", f"{title}: {what}", kind, BASELINE, pointer, n=check.n)
        what = f"{title}: raw values that the template came with"
        into.add(f"reported.{check.name}.n", check.n, str(check.n), what, "counted", BASELINE, place)


def _lists(node: Any, at: str) -> Iterator[tuple[str, tuple[float, ...]]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _lists(value, f"{at}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(node, list):
        yield at, _numbers(node)


def _numbers(values: Any) -> tuple[float, ...]:
    """The finite numbers of a list; a list of one number stands for that number."""
    found = []
    for value in values if isinstance(values, list) else ():
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, int | float) and not isinstance(value, bool) and usable(value):
            found.append(float(value))
    return tuple(found)
