"""Where runs execute: one small protocol, and this machine as its first form.

Contract of errors. Whatever the *code under test* does ends in an :class:`Ending`: it failed, was ended at a limit, or
took its worker down. A worker that cannot be started, a machine that is lost twice or a disk that is full is a fault of
the *machinery*: :class:`MachineryError` or :class:`LabError`, which stops the study and leaves no result.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

from scientist.errors import MachineryError
from scientist.experiments._cgroups import COUNTERS, Group, detect_cgroups
from scientist.experiments._curves import CURVE_FILE, Tail
from scientist.experiments._ending import trim_log
from scientist.experiments._host import Host
from scientist.experiments._sandbox import CHILD_ENV, HOST_FILES, Sandbox
from scientist.experiments._tree import empty
from scientist.lab import remove_tree
from scientist.template import Budget

LOG = "log.txt"

GRACE_S = 20.0
"""Beyond its wall time a worker has this long to end a run and say so."""

Point = dict[str, float]
Watch = Callable[[Sequence[Point]], None]
"""Receives the points of a learning curve as a run appends them: 'step' and its metrics, all finite."""

EndKind = Literal["exit", "signal", "wall", "cpu", "memory", "processes", "disk", "log", "killed"]


@dataclass(frozen=True)
class Limits:
    """What one run may use. Times in seconds, sizes in MiB; `cpu_s`, `memory_mb`, `processes`, `disk_mb` for its whole tree."""

    wall_s: float
    cpu_s: float
    memory_mb: int
    processes: int
    open_files: int
    disk_mb: int
    log_mb: int

    @classmethod
    def of(cls, budget: Budget) -> Limits:
        """The limits that a template's budget declares."""
        return cls(
            wall_s=budget.wall_s,
            cpu_s=budget.cpu_s,
            memory_mb=budget.memory_mb,
            processes=budget.processes,
            open_files=budget.open_files,
            disk_mb=max(budget.disk_mb, budget.output_mb),
            log_mb=budget.log_mb,
        )


@dataclass(frozen=True)
class Ending:
    """How the process tree of one run ended, and what it used.

    `kind` is `exit` or `signal` when it ended by itself (`code` is the status or the signal), the name of the limit at
    which it was ended, or `killed` when it took its worker down with it.
    """

    kind: EndKind
    code: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    max_rss_mb: float = 0.0
    stragglers: int = 0
    node: str = ""


class Executor(Protocol):
    """Executes prepared folders, `size` at a time. Thread-safe as long as every slot is used by one thread at a time."""

    name: str
    size: int
    sandbox: str
    gaps: tuple[str, ...]

    def start(self) -> None:
        """Make every slot ready. Raises :class:`MachineryError` when that cannot be done."""

    def folder(self, slot: int) -> Path:
        """An empty folder on *this* machine for the next run of a slot; what the last one left is gone."""

    def execute(self, slot: int, argv: Sequence[str], limits: Limits, watch: Watch | None = None) -> Ending:
        """Run `argv` in the slot's folder; afterwards the folder holds `log.txt`, `outputs/` and what else it left.

        Raises :class:`MachineryError` when the run could not be executed, or was given up by :meth:`interrupt`.
        """

    def interrupt(self) -> None:
        """Give up the runs in flight, from another thread: their :meth:`execute` raises."""

    def stop(self) -> None:
        """End every slot and all that it started; folders stay until their owner removes them. May be called twice."""


class LocalExecutor:
    """Warm sandboxed workers on this machine: each imports `warm` once and forks every run from there."""

    name = "local"

    def __init__(self, warm: Sequence[str], sandbox: Sandbox, scratch: Path, workers: int) -> None:
        self.size = max(1, workers)
        self.sandbox = sandbox.name
        self.gaps = sandbox.gaps
        self._sandbox = sandbox
        self._warm = list(warm)
        self._scratch = scratch.resolve()
        self._slots: list[_Slot] = []
        self._given_up = False

    def start(self) -> None:
        try:
            for slot in range(self.size):
                self._slots.append(self._new_slot(slot))
            for begun in self._slots:
                begun.wait_ready()
        except BaseException:  # Ctrl-C too: what was started must end
            self.stop()
            raise

    def _run_folder(self, slot: int) -> Path:
        return self._scratch / f"worker-{slot}" / "run"

    def _new_slot(self, slot: int) -> _Slot:
        run = self._run_folder(slot)
        if run.is_symlink() or not run.is_dir():
            remove_tree(run)
            run.mkdir(parents=True)
        cgroups = detect_cgroups()
        try:
            group = Group(cgroups) if cgroups.version else None
        except OSError as error:
            raise MachineryError(f"no control group can be made: {error}", "see `scientist doctor`") from error
        setup = {"warm": self._warm, **self._sandbox.setup(run), "counters": COUNTERS if group else {}}
        command = self._sandbox.wrap([sys.executable, "-I", HOST_FILES[0], json.dumps(setup)], run)
        host = Host(group.wrap(command) if group else command, "sandboxed worker", CHILD_ENV)
        begun = _Slot(host, group, run.stat().st_ino)
        try:
            host.start()
        except BaseException:  # Ctrl-C too: nobody else knows of it yet
            begun.stop()
            raise
        return begun

    def folder(self, slot: int) -> Path:
        run = self._run_folder(slot)
        for left in run.parent.iterdir():
            if left != run:
                remove_tree(left)  # only a run without walls can have put anything there
        empty(str(run))  # the folder itself stays: it is what the sandbox shows as writable
        return run

    def execute(self, slot: int, argv: Sequence[str], limits: Limits, watch: Watch | None = None) -> Ending:
        run, used = self._run_folder(slot), self._slots[slot]
        request = {"cwd": self._sandbox.inside(run, run), "argv": list(argv), "log": LOG, "env": CHILD_ENV}
        tail = Tail(run / CURVE_FILE)

        def tick() -> None:
            if watch is not None and (points := tail.read()):
                watch(points)

        out_of_memory = used.prepare(limits)
        answer = used.host.ask(request | asdict(limits), limits.wall_s + GRACE_S, tick if watch else None)
        tick()
        if answer is None and self._given_up:
            raise MachineryError("the run was given up", "`scientist resume` does it again")
        if answer is None:
            # The worker is gone or silent: the run took it down, by its memory or by attacking it. The next run gets a
            # fresh worker.
            kind: EndKind = "memory" if used.killed_for_memory() > out_of_memory else "killed"
            used.stop()
            self._slots[slot] = self._new_slot(slot)
            self._slots[slot].wait_ready()
            self._keep_log(run)
            return Ending(kind)
        ending = Ending(
            kind=answer["outcome"],
            code=answer["code"],
            wall_s=answer["wall_s"],
            cpu_s=answer["cpu_s"],
            max_rss_mb=answer["max_rss_mb"],
            stragglers=answer["stragglers"],
        )
        if run.is_symlink() or not run.is_dir() or run.stat().st_ino != used.inode:
            # Only without walls. What lies there now may be anything, another run's artefacts for instance.
            remove_tree(run)
            self._slots[slot].stop()
            self._slots[slot] = self._new_slot(slot)
            self._slots[slot].wait_ready()
            (run / LOG).write_text("the run replaced its own folder\n", encoding="utf-8")
            return replace(ending, kind="exit", code=1)
        if ending.kind == "disk":
            self._keep_log(run)
        return ending

    def _keep_log(self, run: Path) -> None:
        """Free what a failed run wrote at once: it may be large, and nested too deeply for others."""
        last = trim_log(run / LOG)
        empty(str(run))
        (run / LOG).write_text(last, encoding="utf-8", errors="replace")

    def interrupt(self) -> None:
        self._given_up = True
        for slot in self._slots:
            slot.host.interrupt()

    def stop(self) -> None:
        for slot in self._slots:
            slot.stop()
        self._slots.clear()


@dataclass
class _Slot:
    """A worker with its control group, where there is one, and the inode of its run folder."""

    host: Host
    group: Group | None
    inode: int

    def wait_ready(self) -> None:
        self.host.wait_ready()
        if self.group is not None:
            self.group.settle()

    def prepare(self, limits: Limits) -> int:
        """Set the limits of the next run; how often the kernel ended something for its memory so far."""
        if self.group is not None:
            self.group.limit(limits.memory_mb << 20, limits.processes)
        return self.killed_for_memory()

    def killed_for_memory(self) -> int:
        return self.group.killed_for_memory() if self.group is not None else 0

    def stop(self) -> None:
        self.host.stop()
        if self.group is not None:
            self.group.remove()
