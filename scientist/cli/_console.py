"""How commands speak: to a person, quietly, or as JSON lines."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from scientist.progress import Silent

Mode = Literal["person", "quiet", "json"]

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def emit(value: Any) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n")


def fail_line(message: str) -> None:
    """One line on standard error."""
    err.print(f"[bold red]error[/] {escape(' '.join(message.split()))}")


def escape(text: str) -> str:
    """Keep rich from reading brackets in data as markup."""
    from rich.markup import escape as rich_escape

    return rich_escape(text)


class JsonLines:
    """Progress as one JSON object per line on standard error; standard output stays for the result."""

    def _say(self, **what: Any) -> None:
        sys.stderr.write(json.dumps(what, ensure_ascii=False) + "\n")
        sys.stderr.flush()

    def stage(self, paper: str, stage: str) -> None:
        self._say(event="stage", paper=paper, stage=stage)

    def runs(self, done: int, total: int, failed: int) -> None:
        self._say(event="runs", done=done, total=total, failed=failed)

    def note(self, text: str) -> None:
        self._say(event="note", text=text)


class Terminal:
    """A live line while something works; finished stages and notes scroll by."""

    def __init__(self) -> None:
        self.bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[extra]}"),
            TimeRemainingColumn(compact=True),
            console=err,
            transient=True,
        )
        self.task = self.bar.add_task("starting", total=None, extra="")
        self.paper = ""
        self.started = time.monotonic()

    def stage(self, paper: str, stage: str) -> None:
        if paper and paper != self.paper:
            self.bar.console.print(f"[bold]{escape(paper)}[/]")
            self.paper = paper
        self.bar.reset(self.task, total=None, description=f"  {WORDS.get(stage, stage)}", extra="")

    def runs(self, done: int, total: int, failed: int) -> None:
        extra = f"[red]{failed} failed[/]" if failed else ""
        self.bar.update(self.task, completed=done, total=total, extra=extra)

    def note(self, text: str) -> None:
        self.bar.console.print(f"  [yellow]·[/] {escape(text)}")


WORDS = {
    "idea": "writing down idea and evidence",
    "study": "pilot, power, freezing the study",
    "runs": "runs",
    "final": "opening the final split",
    "analysis": "declared statistics",
    "facts": "facts",
    "manuscript": "figures and manuscript",
    "pdf": "LaTeX",
    "manifest": "manifest",
    "audit": "audit",
    "review": "review",
    "lessons": "lessons",
}


class PlainLines:
    """Progress for logs and pipes: one line per stage, no control characters, counts at quarters."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.paper = ""
        self.quarter = -1

    def _say(self, text: str) -> None:
        sys.stderr.write(f"[{time.monotonic() - self.started:6.1f}s] {text}\n")
        sys.stderr.flush()

    def stage(self, paper: str, stage: str) -> None:
        self.quarter = -1
        self._say(f"{paper}: {WORDS.get(stage, stage)}" if paper else stage)

    def runs(self, done: int, total: int, failed: int) -> None:
        quarter = 4 * done // total if total else 4
        if quarter != self.quarter:
            self.quarter = quarter
            self._say(f"  {done} of {total} runs" + (f", {failed} failed" if failed else ""))

    def note(self, text: str) -> None:
        self._say(f"  - {text}")


@contextmanager
def watching(mode: Mode) -> Iterator[Silent | JsonLines | Terminal | PlainLines]:
    """The progress that fits: live on a terminal, lines elsewhere, JSON lines or silence when asked for."""
    if mode == "json":
        yield JsonLines()
    elif mode == "quiet":
        yield Silent()
    elif err.is_terminal:
        terminal = Terminal()
        with Live(terminal.bar, console=err, transient=True, refresh_per_second=8):
            yield terminal
    else:
        yield PlainLines()
