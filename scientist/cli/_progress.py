"""Live progress: on a terminal, in a log, or as JSON lines; always on standard error."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from scientist.cli._console import err, escape
from scientist.progress import Silent

Mode = Literal["person", "quiet", "json"]

WORDS = {
    "idea": "idea and evidence",
    "study": "pilot, power, freeze",
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
"""What a person reads for the name of a stage."""

TOLD_S = 1.0
"""A stage that took less than this leaves no line behind on a terminal."""


def mode(json: bool, quiet: bool) -> Mode:
    """Which progress the flags ask for; --quiet --json gives the result and nothing else."""
    return "quiet" if quiet else "json" if json else "person"


def seconds(value: float) -> str:
    """A duration as a person says it: '0.4 s', '42 s', '3 min 20 s', '2 h 05 min'."""
    if value < 9.95:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 90:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def about(value: float) -> str:
    """An estimated duration: whole seconds, and never none at all."""
    return f"about {seconds(max(1.0, round(value))).replace('.0 s', ' s')} still"


class Pace:
    """How long still, from what was done since the work was first looked at (not from what lay there already)."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.start: tuple[float, int] | None = None

    def left(self, done: int, total: int) -> float | None:
        """Seconds still to go; None until something was done, 0 at the end."""
        now = self.clock()
        if self.start is None or done < self.start[1]:
            self.start = (now, done)
        since, before = self.start
        if done >= total:
            return 0.0
        return (now - since) / (done - before) * (total - done) if done > before else None


class Watch:
    """What the three forms share: time since the start, the stage at work, how long still for runs and campaign."""

    def __init__(self, papers: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.papers = papers
        self.seen: list[str] = []
        self.entered: list[float] = []
        self.started = self.stage_started = clock()
        self.name = ""
        self.pace = Pace(clock)
        self.counted: tuple[int, int, int] | None = None

    def enter(self, paper: str, stage: str) -> bool:
        """A stage begins; True when its paper is new."""
        new = bool(paper) and paper not in self.seen
        if new:
            self.seen.append(paper)
            self.entered.append(self.clock())
        self.name, self.stage_started = stage, self.clock()
        self.pace, self.counted = Pace(self.clock), None
        return new

    def count(self, done: int, total: int, failed: int) -> float | None:
        """Runs ended; returns seconds still to go for them."""
        self.counted = (done, total, failed)
        return self.pace.left(done, total)

    @property
    def place(self) -> str:
        """'paper 2 of 4', or nothing where the number of papers is not known."""
        return f"paper {len(self.seen)} of {self.papers}" if self.papers and self.seen else ""

    @property
    def campaign_left(self) -> float | None:
        """Seconds still to go for all papers, at the pace of those made so far; None until one is finished."""
        if len(self.entered) < 2 or not self.papers:
            return None
        per_paper = (self.entered[-1] - self.entered[0]) / (len(self.entered) - 1)
        left = per_paper * (self.papers - len(self.entered) + 1) - (self.clock() - self.entered[-1])
        return left if left > 0 else None


class JsonLines:
    """Progress as one JSON object per line; standard output stays for the result."""

    def __init__(self, papers: int = 0) -> None:
        self.watch = Watch(papers)

    def _say(self, **what: Any) -> None:
        sys.stderr.write(json.dumps(what, ensure_ascii=False) + "\n")
        sys.stderr.flush()

    def stage(self, paper: str, stage: str) -> None:
        self.watch.enter(paper, stage)
        self._say(event="stage", paper=paper, stage=stage)

    def runs(self, done: int, total: int, failed: int) -> None:
        left = self.watch.count(done, total, failed)
        self._say(
            event="runs", done=done, total=total, failed=failed, seconds_left=None if left is None else round(left, 1)
        )

    def curve(self, run: str, point: Mapping[str, float]) -> None:
        self._say(event="curve", run=run, point=dict(point))

    def note(self, text: str) -> None:
        self._say(event="note", text=text)


class PlainLines:
    """Progress for logs and pipes: one line per stage, no control characters, counts at quarters."""

    def __init__(self, papers: int = 0) -> None:
        self.watch = Watch(papers)
        self.quarter = -1

    def _say(self, text: str) -> None:
        sys.stderr.write(f"[{self.watch.clock() - self.watch.started:6.1f}s] {text}\n")
        sys.stderr.flush()

    def stage(self, paper: str, stage: str) -> None:
        self.quarter = -1
        if self.watch.enter(paper, stage) and self.watch.place:
            left = self.watch.campaign_left
            self._say(f"{self.watch.place}: {paper}" + (f" ({about(left)})" if left else ""))
        self._say(f"{paper}: {WORDS.get(stage, stage)}" if paper else stage)

    def runs(self, done: int, total: int, failed: int) -> None:
        left = self.watch.count(done, total, failed)
        quarter = 4 * done // total if total else 4
        if quarter != self.quarter:
            self.quarter = quarter
            more = [f"{failed} failed"] if failed else []
            more += [about(left)] if left else []
            self._say("  " + ", ".join([f"{done} of {total} runs", *more]))

    def curve(self, run: str, point: Mapping[str, float]) -> None:
        """A log that is read later is better off without every step of every run."""

    def note(self, text: str) -> None:
        self._say(f"  - {text}")


class Terminal:
    """A live line while something works; what took long and what is worth a note scrolls by."""

    def __init__(self, papers: int = 0) -> None:
        from rich.spinner import Spinner

        self.watch = Watch(papers)
        self.spinner = Spinner("dots")
        self.left: tuple[float, float] | None = None
        self.point = ""

    def __rich__(self) -> Any:
        """The live line: spinner, stage, bar and count of runs, how long still; below it what a run says of itself."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        watch, now = self.watch, self.watch.clock()
        grid = Table.grid(padding=(0, 1))
        cells: list[Any] = [self.spinner, Text(WORDS.get(watch.name, watch.name) or "starting")]
        if watch.counted and watch.counted[1]:
            done, total, failed = watch.counted
            cells += [ProgressBar(total=total, completed=done, width=24), Text(f"{done}/{total}")]
            if failed:
                cells.append(Text(f"{failed} failed", style="red"))
            if self.left and done < total:
                cells.append(Text(about(self.left[0] - (now - self.left[1])), style="cyan"))
        elif now - watch.stage_started >= TOLD_S:
            cells.append(Text(seconds(now - watch.stage_started), style="dim"))
        rest = [watch.place] if watch.place else []
        if (campaign := watch.campaign_left) is not None:
            rest.append(f"all: {about(campaign)}")
        if rest:
            cells.append(Text(f"({', '.join(rest)})", style="dim", no_wrap=True, overflow="ellipsis"))
        grid.add_row(*cells)
        if not self.point:
            return grid
        # A line of its own: beside the bar there is no room for the numbers.
        return Group(grid, Text(f"  {self.point}", style="dim", no_wrap=True, overflow="ellipsis"))

    def _close(self) -> None:
        """The line that a long stage leaves behind."""
        took = self.watch.clock() - self.watch.stage_started
        if self.watch.name and took >= TOLD_S:
            done = f", {self.watch.counted[1]} runs" if self.watch.counted else ""
            failed = f", [red]{self.watch.counted[2]} failed[/]" if self.watch.counted and self.watch.counted[2] else ""
            err.print(
                f"  [green]✓[/] {escape(WORDS.get(self.watch.name, self.watch.name))}{done}{failed} [dim]{seconds(took)}[/]"
            )

    def stage(self, paper: str, stage: str) -> None:
        self._close()
        self.left, self.point = None, ""
        if self.watch.enter(paper, stage):
            err.print(f"[bold]{escape(paper)}[/]" + (f"  [dim]{self.watch.place}[/]" if self.watch.place else ""))

    def runs(self, done: int, total: int, failed: int) -> None:
        left = self.watch.count(done, total, failed)
        self.left = None if left is None else (left, self.watch.clock())

    def curve(self, run: str, point: Mapping[str, float]) -> None:
        values = ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in point.items() if name != "step")
        self.point = f"{run}: step {int(point['step'])}, {values}"

    def note(self, text: str) -> None:
        err.print(f"  [yellow]·[/] {escape(text)}")


@contextmanager
def watching(mode: Mode, papers: int = 0, stage: str = "") -> Iterator[Silent | JsonLines | Terminal | PlainLines]:
    """The progress that fits: live on a terminal, lines elsewhere, JSON lines or silence when asked for.

    `papers` is how many the work will make, where that is known. `stage` begins at once; it is for whoever sits
    before the terminal and leaves no line in a log.
    """
    progress: Silent | JsonLines | Terminal | PlainLines
    if mode == "quiet":
        progress = Silent()
    elif mode == "json":
        progress = JsonLines(papers)
    elif not err.is_terminal:
        progress = PlainLines(papers)
    else:
        from rich.live import Live

        progress = Terminal(papers)
        if stage:
            progress.stage("", stage)
        with Live(progress, console=err, transient=True, refresh_per_second=8):
            yield progress
        return
    yield progress
