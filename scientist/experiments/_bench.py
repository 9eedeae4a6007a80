"""The bench: an executor and the sealed judges of one template.

A run is: the judge prepares inputs in a fresh folder, the executor runs the candidate there, the judge scores what it
left. Hidden labels never leave the judge: an executor on another machine gets the prepared folder and nothing else.
Contract of errors: whatever the *candidate* does ends in an :class:`Outcome` with a status; a fault of the evaluator, of
the executor or of the disk is a :class:`MachineryError` or :class:`LabError` and stops the study.
"""

from __future__ import annotations

import contextlib
import queue
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from scientist.experiments._assemble import assemble
from scientist.experiments._checkpoints import Checkpoints
from scientist.experiments._ending import classify, collect, trim_log
from scientist.experiments._executor import Executor, Limits, LocalExecutor, Watch
from scientist.experiments._judge import Judge
from scientist.experiments._results import Status, Usage
from scientist.experiments._sandbox import Sandbox
from scientist.lab import KnobValue
from scientist.template import Split, Template


@dataclass
class Outcome:
    """How one execution ended. `folder` holds log.txt, knobs.json and outputs/ until the next run on that slot."""

    status: Status
    reason: str
    metrics: dict[Split, dict[str, float]]
    artefacts: dict[str, str]
    usage: Usage
    folder: Path
    tree: str = ""


class Bench:
    """Executor and judges of one template, as a context manager. Thread-safe: one run per slot at a time."""

    def __init__(self, template: Template, executor: Executor, scratch: Path) -> None:
        self.template = template
        self.executor = executor
        self.size = executor.size
        # One judge per slot, so that preparing and scoring go on side by side; the first also serves whoever asks.
        self._judges = [Judge(template) for _ in range(self.size)]
        self._scratch = scratch.resolve()
        self._checkpoints = Checkpoints(self._scratch.with_name("checkpoints")) if template.checkpoints else None
        self._free: queue.Queue[int] = queue.Queue()

    @classmethod
    def local(cls, template: Template, sandbox: Sandbox, scratch: Path, workers: int) -> Bench:
        """A bench whose runs execute in warm sandboxed workers on this machine."""
        return cls(template, LocalExecutor(template.warm, sandbox, scratch, workers), scratch)

    @property
    def judge(self) -> Judge:
        """The sealed evaluator, for describing data and for scoring outside a run."""
        return self._judges[0]

    def __enter__(self) -> Bench:
        if self._checkpoints is not None:
            self._checkpoints.rescue(self._scratch)
        shutil.rmtree(self._scratch, ignore_errors=True)
        try:
            for judge in self._judges:
                judge.start()
            self.executor.start()
            for slot, judge in enumerate(self._judges):
                judge.wait()
                self._free.put(slot)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def abandon(self) -> None:
        """Give up the runs in flight at once: they end in :class:`MachineryError` and leave no result."""
        self.executor.interrupt()
        for judge in self._judges:
            judge.host.interrupt()

    def _close(self) -> None:
        self.executor.stop()
        for judge in self._judges:
            judge.stop()
        if self._checkpoints is not None:
            self._checkpoints.rescue(self._scratch)
        shutil.rmtree(self._scratch, ignore_errors=True)

    @contextlib.contextmanager
    def run(
        self,
        knobs: Mapping[str, KnobValue],
        seed: int,
        splits: Sequence[Split],
        code: Mapping[str, bytes] | None = None,
        *,
        watch: Watch | None = None,
        key: str = "",
    ) -> Iterator[Outcome]:
        """Execute one run and judge it on `splits`; the folder in the outcome lives until the block ends.

        `knobs` is a full assignment; `code` replaces editable files by name (a patched variant, a cheat); `watch`
        receives the points of its learning curve; a run with a `key` continues from the checkpoint kept under it.
        """
        slot = self._free.get()
        try:
            yield self._run(slot, knobs, seed, splits, code or {}, watch, key)
        finally:
            self._free.put(slot)

    def _run(
        self,
        slot: int,
        knobs: Mapping[str, KnobValue],
        seed: int,
        splits: Sequence[Split],
        code: Mapping[str, bytes],
        watch: Watch | None,
        key: str,
    ) -> Outcome:
        folder, budget = self.executor.folder(slot), self.template.budget
        argv, tree = assemble(self.template, folder, knobs, seed, code)
        self._judges[slot].prepare(folder / "inputs", knobs, seed)
        resumed = False
        if self._checkpoints is not None and key:
            resumed = self._checkpoints.begin(self._scratch, slot, folder, key)
        ending = self.executor.execute(slot, argv, Limits.of(budget), watch)
        if self._checkpoints is not None and key:
            self._checkpoints.end(self._scratch, slot, key)
        log = trim_log(folder / "log.txt")
        status, reason = classify(ending, log, budget)
        metrics: dict[Split, dict[str, float]] = {}
        artefacts: dict[str, str] = {}
        if status == "ok":
            artefacts, reason = collect(folder / "outputs", budget.output_mb)
            if reason:
                status = "output"
        if status == "ok":
            metrics, reason = self._judges[slot].score(folder / "outputs", splits, knobs, seed)
            if reason:
                status = "invalid"
        usage = Usage(
            wall_s=round(ending.wall_s, 4),
            cpu_s=round(ending.cpu_s, 4),
            max_rss_mb=round(ending.max_rss_mb, 1),
            sandbox=self.executor.sandbox,
            node=ending.node,
            resumed=resumed,
        )
        return Outcome(status, reason, metrics, artefacts, usage, folder, tree)
