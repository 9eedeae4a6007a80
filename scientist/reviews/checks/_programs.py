"""Runs that have different names and are the same: one program, or the same results to the last digit."""

from __future__ import annotations

import hashlib
import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from scientist.reviews.checks._findings import Finding, finding

if TYPE_CHECKING:
    from scientist.reviews.checks._runs import Run

LONGEST = 1 << 18
"""Characters of a program that are read as Python; a longer one is compared line by line."""
_OWN_NAME = re.compile(r"\brun[ _-]?\d{1,4}", re.IGNORECASE)
_CLOCK = re.compile(r"time|second|speed|throughput|memory|flops|latency", re.IGNORECASE)
_LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER}
_OPENS = {tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}


def same_programs(programs: Sequence[tuple[Run, str]]) -> Iterator[Finding]:
    """Runs whose programs differ in nothing but comments, documentation, layout and the name of the run."""
    by_code: dict[str, list[tuple[Run, str]]] = {}
    for run, text in programs:
        by_code.setdefault(hashlib.sha256(_essence(text).encode()).hexdigest(), []).append((run, text))
    for group in by_code.values():
        if len(group) < 2:
            continue
        names = " and ".join(f"{run.name} ({run.title or 'no title'})" for run, _ in group[:4])
        options = len(re.findall(r"\badd_argument\(", group[0][1]))
        differ = len({text for _, text in group}) > 1
        yield finding(
            "warning" if options > 1 else "error",
            "identical-code",
            f"{names} ran the same program"
            + (" but for comments, layout or names of runs" if differ else "")
            + (", unless options told them apart" if options > 1 else ""),
            source=", ".join(f"{run.name}.py" for run, _ in group[:4]),
        )


def _essence(text: str) -> str:
    """A program without comments, documentation, layout and the names of runs; what is no Python, without blank lines."""
    try:
        if len(text) > LONGEST:
            raise tokenize.TokenError
        tokens = [one for one in tokenize.generate_tokens(io.StringIO(text).readline) if one.type not in _LAYOUT]
    except (tokenize.TokenError, SyntaxError):
        return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())
    kept = []
    for place, token in enumerate(tokens):
        opens = place == 0 or tokens[place - 1].type in _OPENS
        closes = place + 1 == len(tokens) or tokens[place + 1].type == tokenize.NEWLINE
        if token.type == tokenize.STRING and opens and closes:
            continue  # documentation
        layout = token.type in _OPENS
        kept.append(tokenize.tok_name[token.type] if layout else _OWN_NAME.sub("run", token.string))
    return "\n".join(kept)


def same_results(runs: Sequence[Run]) -> Iterator[Finding]:
    """Runs that report the same numbers to the last digit, whatever the clock said."""
    seen: dict[tuple[tuple[str, str, float], ...], Run] = {}
    for run in runs:
        key = tuple((one.dataset, one.metric, one.mean) for one in run.quantities if not _CLOCK.search(one.metric))
        measured = sum(mean != round(mean, 6) for _, _, mean in key)
        if measured >= 3 and key in seen:
            first = seen[key]
            whole = [one.mean for one in first.quantities] == [one.mean for one in run.quantities]
            yield finding(
                "error" if whole else "warning",  # what only became faster may well give the same results
                "identical-results",
                f"{first.name} ({first.title}) and {run.name} ({run.title}) report the same values to the last digit"
                + ("" if whole else ", but for the clock's"),
                source=f"{first.name}/final_info.json, {run.name}/final_info.json",
            )
        seen.setdefault(key, run)
