"""What a paper says of a change of the code: its facts, a paragraph of the method, and the patch in the appendix."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from scientist.experiments import VARIANT, Change
from scientist.ideas import Idea, Modification
from scientist.lab import read_json
from scientist.papers._collector import Collector
from scientist.papers._ledger import code
from scientist.papers._phrases import Phrases, val
from scientist.papers._print import escape, told
from scientist.papers._records import Fact

MOST_LINES = 160
LONGEST_LINE = 100


def read_change(paper: Path) -> Change | None:
    """The change that the study is about; None for a study of knobs."""
    path = paper / "variants" / VARIANT / "change.json"
    return read_json(Change, path) if path.is_file() else None


def read_patch(paper: Path) -> str:
    """The change as a unified diff; empty for a study of knobs."""
    path = paper / "variants" / VARIANT / "patch.diff"
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def change_facts(into: Collector, paper: Path, idea: Idea) -> None:
    """How large the change is, and how often it was tried before it ran."""
    change = read_change(paper)
    if change is None or not isinstance(idea.design, Modification):
        return
    file = f"variants/{VARIANT}/change.json"
    text = idea.design.change
    into.add(
        "idea.change",
        text,
        told(text),
        "the change of the code as declared",
        "word",
        "idea.md",
        "/design/change",
    )
    into.add("code.by", change.by, escape(change.by), "who wrote the change of the code", "word", file, "/by")
    for name, title in (("lines_added", "lines added"), ("lines_removed", "lines removed")):
        value = getattr(change, name)
        into.add(f"code.{name}", value, str(value), f"{title} by the change of the code", "declared", file, f"/{name}")


def change_paragraph(p: Phrases, facts: Mapping[str, Fact]) -> str:
    """What was changed, by whom, and where the patch is."""
    if not isinstance(p.idea.design, Modification):
        return ""
    title = val(f"variant.{VARIANT}.title")
    came, went = facts["code.lines_added"].value, facts["code.lines_removed"].value
    return (
        rf"\paragraph{{The change.}} The variant called ``{title}'' is the same program with one change of its code, declared so: "
        f"``{val('idea.change')}'' It was written by {val('code.by')} before the study was frozen: {val('code.lines_added')} "
        f"line{'s' * (came != 1)} came in and {val('code.lines_removed')} {'was' if went == 1 else 'were'} taken out, as "
        f"Appendix~\\ref{{app:code}} shows. It was tried out "
        f"with a single run of its own {p.one}, to see that it runs; how well it scored there was not looked at. "
        "What the change does is what the patch says, not what its name promises: a reader should compare the two. "
    )


def patch_section(change: Change, patch: str) -> str:
    """The patch, line by line, in the appendix."""
    lines = patch.splitlines()
    shown = [_line(line) for line in lines[:MOST_LINES]]
    left = len(lines) - len(shown)
    rest = f"\n\n{left} further lines are in {code('patch.diff')}." if left > 0 else ""
    tried = len(change.tries)
    return (
        f"Between the code as it is and ``{escape(change.name)}'' lies this patch, in {code(f'variants/{VARIANT}/patch.diff')}; "
        f"it ran at try {tried} of {tried}, and what was tried before is kept beside it.\n\n"
        r"\begingroup\footnotesize\setlength{\parindent}{0pt}\raggedright"
        + "\n"
        + "\n\n".join(shown)
        + "\n"
        + r"\par\endgroup"
        + rest
    )


def _line(line: str) -> str:
    """One line in typewriter; its blanks kept, and cut where the page ends."""
    body = line[:LONGEST_LINE].expandtabs(4)
    indent = len(body[1:]) - len(body[1:].lstrip(" ")) if body else 0
    blanks = r"\ " * indent
    text = escape(body[:1]) + blanks + escape(body[1:].lstrip(" "))
    return rf"\texttt{{{text or '~'}}}"
