"""Rules of the heuristic review about the text: its clarity, and whether it owns up to its limits."""

from __future__ import annotations

from collections.abc import Iterator

from scientist.reviews._evidence import Evidence
from scientist.reviews._said import Said, bad


def rule_text(e: Evidence) -> Iterator[Said]:
    """Each failing of the text −0.25: abstract of 80–300 words, sentences of 30 on average and 80 at most, references."""
    prose = e.prose
    if not 80 <= prose.abstract <= 300:
        length = "short" if prose.abstract < 80 else "long"
        yield bad("text", "abstract", f"The abstract is {length} ({prose.abstract} words).", 0.25)
    if prose.sentence > 30:
        yield bad("text", "whole paper", f"Sentences are long ({prose.sentence:.0f} words on average).", 0.25)
    if prose.longest > 80:
        yield bad("text", prose.longest_where, f"One sentence runs to {prose.longest} words.", 0.25)
    if prose.unreferenced:
        names = ", ".join(prose.unreferenced)
        yield bad("text", prose.unreferenced[0], f"The text never speaks of {names}.", 0.25)
    if not prose.floats:
        yield bad("text", "section results", "There is neither a figure nor a table.", 0.25)


def rule_limitations(e: Evidence) -> Iterator[Said]:
    """The limitations name what this review can see: one data set, too few seeds. Each left out −0.25."""
    said = e.prose.limitations
    silent = []
    if len(e.datasets) == 1 and "data" not in said:
        silent.append("that one data set was used")
    if e.study.pilot.capped and not any(word in said for word in ("seed", "repetition", "power", "budget")):
        silent.append(f"that the budget allowed too few {e.many}")
    if e.outcome.holds_on_final is False and "final" not in said and "held out" not in said:
        silent.append("that the result did not hold on final")
    if e.self_reported and "self-reported" not in said:
        silent.append("that the metric is self-reported")
    if not e.held_out and "held out" not in said:
        silent.append("that nothing was held out")
    for omission in silent:
        yield bad("limitations", "section limitations", f"The limitations do not say {omission}.", 0.25)
