"""Faults of the TeX itself that lose text without an error message: a percent sign that should have been escaped. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from scientist.reviews.checks._findings import Finding, finding, quoted
from scientist.reviews.reading import SourceFile

_LOST = re.compile(r"(?<![\\\d.])(\d+(?:\.\d+)?)%([^\n]*)")
_VERBATIM = re.compile(r"\\begin\{(verbatim\*?|lstlisting|minted|comment|filecontents\*?)\}.*?\\end\{\1\}", re.DOTALL)
FOUND = 20
"""Findings of this kind in one paper."""


def check_percent_signs(sources: Sequence[SourceFile]) -> Iterator[Finding]:
    """'fell by 12% on ...': what follows on the line is a comment, and is not printed."""
    told = 0
    for file in sources:
        if not file.name.endswith(".tex"):
            continue
        text = _VERBATIM.sub(lambda match: "\n" * match.group().count("\n"), file.text)
        for number, line in enumerate(text.split("\n"), 1):
            match = _LOST.search(line)
            # A comment behind code ('\vspace{3%' or 'width=5% wide') begins after no sentence; prose does.
            if match is None or "%" in line[: match.start()].replace("\\%", "") or told >= FOUND:
                continue
            words = re.findall(r"[^\W\d_]{3,}", line[: match.start()])
            after = re.findall(r"[^\W\d_]{2,}", match[2])
            if len(words) < 3 or not (after or match[2][:1] in ".,;)"):
                continue
            told += 1
            yield finding(
                "error",
                "lost-text",
                f"'{match[1]}%' begins a comment: the rest of the line ({len(match[2])} characters) is not printed",
                sentence=quoted(line, match.start()),
                section=f"{file.name}, line {number}",
                expected=f"{match[1]}\\%",
            )
