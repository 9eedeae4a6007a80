"""How commands speak: to a person, or as one JSON document on standard output."""

from __future__ import annotations

import json
import sys
import textwrap
from typing import Any

from rich.console import Console
from rich.markup import escape

__all__ = ["BROKEN_PIPE", "emit", "err", "escape", "fail", "field", "out", "wants_json"]

BROKEN_PIPE = 141
"""What a shell says of a program whose reader went away (128 + SIGPIPE)."""


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Whoever read us has gone: end quietly, and not with the code that means findings."""
        raise BrokenPipeError


out = _Console(highlight=False, soft_wrap=True)
err = _Console(stderr=True, highlight=False, soft_wrap=True)

LABEL = 10
"""Width of the labels in front of a person's lines."""


def emit(value: Any) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n")


def field(label: str, text: str, style: str = "") -> None:
    """A labelled line. A terminal gets a hanging indent, a pipe one long line that `grep` can find."""
    lines = [text]
    if out.is_terminal and out.width > 40:
        lines = textwrap.wrap(text, out.width - LABEL - 3, break_long_words=False, break_on_hyphens=False) or [""]
    for number, line in enumerate(lines):
        shown = f"[{style}]{escape(line)}[/]" if style else escape(line)
        out.print(f"  {label if number == 0 else '':<{LABEL}}{shown}")


def wants_json() -> bool:
    """Was `--json` asked for? Read from the words themselves: a command line that cannot be parsed has no options."""
    words = sys.argv[1:]
    return "--json" in (words[: words.index("--")] if "--" in words else words)


def fail(message: str, remedy: str, exit_code: int, kind: str = "") -> None:
    """One line on standard error; with `--json` also `{"error": ...}` on standard output."""
    said = " ".join(message.split())
    line = f"{said}: {' '.join(remedy.split())}" if remedy else said
    err.print(f"[bold red]error[/] {escape(line)}")
    if wants_json():
        emit({"error": {"exit_code": exit_code, "kind": kind, "message": said, "remedy": " ".join(remedy.split())}})
