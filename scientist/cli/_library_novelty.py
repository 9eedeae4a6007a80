"""The novelty half of `library benchmark`: the twin test, the controls, and what the verdicts are worth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from scientist.cli._console import escape, out
from scientist.cli._lookup import open_lab
from scientist.errors import UsageError

if TYPE_CHECKING:
    from scientist.ideas import ModelReader
    from scientist.literature import Case, Interval, Scored, Store

WAYS = ("lexical", "learnt", "semantic", "both")
LABELS = ("known", "close", "novel", "undecided")


READ = "with a model"


@contextmanager
def reading(wanted: bool) -> Iterator[ModelReader | None]:
    """Who reads works in this lab, if somebody is wanted. Raises :class:`UsageError` where no model proposes."""
    if not wanted:
        yield None
        return
    from scientist._cast import Cast
    from scientist.progress import Silent

    cast = Cast(open_lab(), Silent())
    try:
        if (reader := cast.reader()) is None:
            raise UsageError("no model plays the proposer here", "set `model` in scientist.toml, see docs/models.md")
        yield reader
    finally:
        cast.close()


def measured(
    store: Store, cases: Sequence[Case], step: Callable[[int], None], reader: ModelReader | None = None
) -> dict[str, Any]:
    """Everything as plain data: per way to compare the twin test, label AUC with its control, verdicts; and the AUC of a
    classifier that sees no library. Ways that the machine does not have are left out. `reader`: once more by the
    best of them, with a model that reads the nearest works."""
    from scientist.ideas import rechecked
    from scientist.literature import blind_auc, score_cases

    ways: dict[str, Any] = {}
    done = 0
    for how in (*WAYS, *((READ,) if reader is not None else ())):
        scored = []
        best = next((one for one in ("both", "learnt") if one in ways), "lexical")
        way, recheck = (best, rechecked(reader)) if reader is not None and how == READ else (how, None)
        for one in score_cases(store, cases, way, recheck):  # type: ignore[arg-type]
            if how != READ and one.has.how != how and one.has.verdict != "undecided":
                break  # no embedding model: the same as by words
            scored.append(one)
            done += 1
            step(done)
        else:
            ways[how] = _numbers(scored)
    return {"ways": ways, "no_library": _interval(blind_auc(cases))}


def _numbers(scored: Sequence[Scored]) -> dict[str, Any]:
    from scientist.literature import label_auc, twin_auc, verdict_table

    halves = {half: [one for one in scored if one.case.half == half] for half in ("tune", "report")}
    groups = {"all": scored, "fitted_half": halves["tune"], "reported_half": halves["report"]}
    kinds = sorted({one.case.kind for one in scored if one.lacks is not None})
    return {
        "twin": {name: _interval(twin_auc(group)) for name, group in groups.items()},
        "twin_by_kind": {k: _interval(twin_auc([one for one in scored if one.case.kind == k])) for k in kinds},
        "labels": {name: _interval(label_auc(group)) for name, group in groups.items()},
        "labels_without_their_works": {name: _interval(label_auc(group, "without")) for name, group in groups.items()},
        "verdicts": {name: _verdicts(verdict_table(group)) for name, group in groups.items()},
        "ideas": [
            {
                "id": one.case.id,
                "label": one.case.label,
                "verdict": one.has.verdict,
                "told": one.has.told,
                "stands_out": one.has.stands_out,
                "nearest": one.has.nearest,
                "told_without": one.lacks.told if one.lacks else None,
            }
            for one in scored
        ],
    }


def _verdicts(table: Any) -> dict[str, Any]:
    from scientist.literature import wilson

    def share(hits: int, total: int) -> dict[str, Any]:
        return {
            "hits": hits,
            "of": total,
            "share": hits / total if total else None,
            "interval": list(wilson(hits, total)),
        }

    def count(labels: Sequence[str], verdicts: Sequence[str]) -> int:
        return sum(table[label, verdict] for label in labels for verdict in verdicts)

    told = ("known", "close")
    rows = {name: (name,) for name in LABELS} | {"known or close": told}
    return {
        "table": {label: {verdict: table[label, verdict] for verdict in LABELS} for label in LABELS},
        "precision": {name: share(count(of, of), count(LABELS, of)) for name, of in rows.items()},
        "recall": {name: share(count(of, of), count(of, LABELS)) for name, of in rows.items()},
    }


def _interval(one: Interval) -> dict[str, Any]:
    return {"auc": one.value, "interval": [one.low, one.high], "n": one.n}


def say(told: dict[str, Any]) -> None:
    """The same for readers."""

    def line(one: dict[str, Any]) -> str:
        return f"{one['auc']:.2f} [{one['interval'][0]:.2f}, {one['interval'][1]:.2f}]"

    out.print("[bold]twin test[/]: the same idea, library with and without its work; AUC, chance 0.50 (95 % bootstrap)")
    for how, way in told["ways"].items():
        twin, n = way["twin"], way["twin"]["all"]["n"]
        out.print(
            escape(f"  {how:<12} {line(twin['all'])} of {n} ideas; half not fitted on {line(twin['reported_half'])}")
        )
    out.print("[bold]known or close against novel[/]: AUC; and what is left of it once their works are gone")
    for how, way in told["ways"].items():
        there, gone = way["labels"]["all"], way["labels_without_their_works"]["all"]
        out.print(escape(f"  {how:<12} {line(there)}; without their works {line(gone)}"))
    out.print(escape(f"  no library at all, words of the ideas alone {line(told['no_library'])}"))
    how = next(way for way in (READ, "both", "learnt", "lexical") if way in told["ways"])
    verdicts = told["ways"][how]["verdicts"]["reported_half"]
    out.print(f"[bold]verdicts[/] ({how}), half not fitted on; intervals are 95 % (Wilson)")
    for label in (*LABELS, "known or close"):
        cells = []
        for name in ("precision", "recall"):
            one = verdicts[name][label]
            shown = "none" if one["share"] is None else f"{one['share']:.2f}"
            low, high = one["interval"]
            cells.append(f"{name} {one['hits']}/{one['of']} = {shown} [{low:.2f}, {high:.2f}]")
        out.print(escape(f"  {label:<15} {'  '.join(cells)}"))
