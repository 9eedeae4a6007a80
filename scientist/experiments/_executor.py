"""Where runs execute: one small protocol, and this machine as its first form.

Contract of errors. Whatever the *code under test* does ends in an :class:`Ending`: it failed, was ended at a limit, or
took its worker down. A worker that cannot be started, a machine that is lost twice or a disk that is full is a fault of
the *machinery*: :class:`MachineryError` or :class:`LabError`, which stops the study and leaves no result.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Protocol

from scientist.errors import MachineryError
from scientist.experiments._curves import CURVE_FILE, Tail
from scientist.experiments._host import HOSTS, Host
from scientist.experiments._sandbox import CHILD_ENV, Sandbox
from scientist.lab import remove_tree
from scientist.template import Budget

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
        self._hosts: list[Host] = []
        self._given_up = False

    def start(self) -> None:
        try:
            for slot in range(self.size):
                self._hosts.append(self._new_host(slot))
                self._hosts[slot].start()
            for host in self._hosts:
                host.wait_ready()
        except BaseException:
            self.stop()
            raise

    def _place(self, slot: int) -> Path:
        return self._scratch / f"worker-{slot}"

    def _new_host(self, slot: int) -> Host:
        place = self._place(slot)
        place.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-I", str(HOSTS / "_worker_host.py"), json.dumps(self._warm)]
        command.append(json.dumps(list(self._sandbox.shared)))
        return Host(self._sandbox.wrap(command, place), "sandboxed worker", CHILD_ENV)

    def folder(self, slot: int) -> Path:
        place = self._place(slot)
        for left in place.iterdir():
            remove_tree(left)  # the last run's folder, and whatever it put beside it
        run = place / "run"
        run.mkdir()
        return run

    def execute(self, slot: int, argv: Sequence[str], limits: Limits, watch: Watch | None = None) -> Ending:
        place = self._place(slot)
        run = place / "run"
        request = {"cwd": self._sandbox.inside(run, place), "argv": list(argv), "log": "log.txt", "env": CHILD_ENV}
        tail = Tail(run / CURVE_FILE)

        def tick() -> None:
            if watch is not None and (points := tail.read()):
                watch(points)

        answer = self._hosts[slot].ask(request | asdict(limits), limits.wall_s + GRACE_S, tick if watch else None)
        tick()
        if answer is None and self._given_up:
            raise MachineryError("the run was given up", "`scientist resume` does it again")
        if answer is None:
            # The worker is gone or silent: the candidate took it down with it, which only a candidate that attacks
            # its parent does. The next run gets a fresh worker.
            self._hosts[slot].stop()
            self._hosts[slot] = self._new_host(slot)
            self._hosts[slot].start()
            self._hosts[slot].wait_ready()
            return Ending("killed")
        return Ending(
            kind=answer["outcome"],
            code=answer["code"],
            wall_s=answer["wall_s"],
            cpu_s=answer["cpu_s"],
            max_rss_mb=answer["max_rss_mb"],
            stragglers=answer["stragglers"],
        )

    def interrupt(self) -> None:
        self._given_up = True
        for host in self._hosts:
            host.interrupt()

    def stop(self) -> None:
        for host in self._hosts:
            host.stop()
        self._hosts.clear()
