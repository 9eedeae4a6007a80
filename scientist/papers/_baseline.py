"""What a stranger's template came with: a table and a section on its reported standard errors."""

from __future__ import annotations

import math
from collections.abc import Mapping

from scientist.papers._phrases import Phrases, count, few, listing, val
from scientist.papers._print import escape
from scientist.papers._records import Fact, Table


def fits(stderr: float, recomputed: float, n: int) -> str:
    """Which formula a reported standard error fits, given the right one: s.d. (divisor n - 1) over the root of n."""
    root = math.sqrt(n)
    population = math.sqrt((n - 1) / n)
    candidates = {
        "the same": 1.0,
        "divisor $n$ in the s.d.": population,
        "s.d. over $n$, not its root": 1 / root,
        "s.d. with divisor $n$, over $n$": population / root,
        "the s.d. itself": root,
        "the s.d. with divisor $n$": population * root,
    }
    if recomputed == 0:
        return "the same" if stderr == 0 else "no formula known to us"
    return next(
        (words for words, ratio in candidates.items() if math.isclose(stderr / recomputed, ratio, rel_tol=1e-3)),
        "no formula known to us",
    )


def _baseline(p: Phrases, facts: Mapping[str, Fact]) -> list[tuple[str, str]]:
    """(metric, words) for every reported standard error that was made again."""
    rows = []
    for metric in p.template.metrics:
        head = f"reported.{metric.name}"
        parts = [facts.get(f"{head}.{part}") for part in ("mean", "stderr", "recomputed", "n")]
        if all(part is not None for part in parts):
            stderr, again, n = (float(part.value) for part in parts[1:] if part and not isinstance(part.value, str))
            rows.append((metric.name, fits(stderr, again, int(n))))
    return rows


def baseline_table(p: Phrases, facts: Mapping[str, Fact]) -> Table | None:
    """Reported against recomputed standard errors; None where the template came with none."""
    rows = _baseline(p, facts)
    if not rows:
        return None
    return Table(
        id="baseline",
        caption=(
            "What the template came with: its own mean and standard error of every metric, and the standard error that its "
            "raw values give, which is their standard deviation over the root of their number. The last column says "
            "which formula the reported one fits. All of these numbers are self-reported by the experiment's own code."
        ),
        columns=r"p{0.25\linewidth}rrrrp{0.22\linewidth}",
        header=("metric", "values", "mean", "reported", "made again", "the reported one is"),
        rows=tuple(
            (
                escape(p.template.metric(name).title),
                *(val(f"reported.{name}.{part}") for part in ("n", "mean", "stderr", "recomputed")),
                words,
            )
            for name, words in rows
        ),
    )


def baseline(p: Phrases, facts: Mapping[str, Fact]) -> tuple[str, ...]:
    """The section on what the template came with; empty where it came with nothing to compare."""
    rows = _baseline(p, facts)
    if not rows:
        return ()
    wrong = [name for name, words in rows if words != "the same"]
    text = (
        r"The template came with the results of a run of its own. Table~\ref{tab:baseline} sets its reported standard errors "
        "beside those that its own raw values give. "
    )
    if not wrong:
        which = "the one metric" if len(rows) == 1 else f"all {few(len(rows))} metrics"
        text += f"They agree for {which} compared. "
    else:
        ratios = listing(
            [
                f"{escape(p.template.metric(name).title)} "
                rf"(\calc{{round(reported.{name}.stderr/reported.{name}.recomputed, 2)}}{{reported standard error over the one made again}})"
                for name in wrong
                if facts[f"reported.{name}.recomputed"].value
            ]
        )
        text += f"They differ for {count(len(wrong), 'metric')}"
        text += f", where the reported one is so many times the one made again: {ratios}. " if ratios else ". "
        if any(_short(facts, name) for name in wrong):
            text += "An error bar that is too short makes luck look like a finding. "
    return (
        text + "The intervals of this paper are made from the runs of this study alone, by the formula that Section~"
        r"\ref{sec:method} gives, and use none of these numbers.",
        r"\placetable{baseline}",
    )


def _short(facts: Mapping[str, Fact], name: str) -> bool:
    stderr, again = (facts[f"reported.{name}.{part}"].value for part in ("stderr", "recomputed"))
    return isinstance(stderr, float) and isinstance(again, float) and stderr < again
