"""The bench: an executor and the sealed judges of one template.

A run is: the judge prepares inputs in a fresh folder, the executor runs the candidate there, the judge scores what it
left. Hidden labels never leave the judge: an executor on another machine gets the prepared folder and nothing else.
Contract of errors: whatever the *candidate* does ends in an :class:`Outcome` with a status; a fault of the evaluator, of
the executor or of the disk is a :class:`MachineryError` or :class:`LabError` and stops the study; a score that passes a
proven bound is an :class:`AlarmError` and halts the campaign.
"""

from __future__ import annotations

import contextlib
import queue
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from scientist.errors import AlarmError, MachineryError
from scientist.experiments._assemble import assemble
from scientist.experiments._checkpoints import Checkpoints
from scientist.experiments._collect import collect, keep_alarm
from scientist.experiments._ending import classify, trim_log
from scientist.experiments._executor import Executor, Limits, LocalExecutor, Watch
from scientist.experiments._judge import Judge, Scores, data_key
from scientist.experiments._results import Status, Usage
from scientist.experiments._sandbox import Sandbox
from scientist.experiments._seal import Seal
from scientist.experiments._suspicion import suspicious
from scientist.lab import KnobValue, canonical_json, remove_tree, sha256
from scientist.template import Split, Template, require_packages


@dataclass
class Outcome:
    """How one execution ended. `folder` holds log.txt, knobs.json and outputs/ until the next run on that slot.

    `note` is for whoever watches: what was unusual about the judgement, and does not change the result.
    """

    status: Status
    reason: str
    metrics: dict[Split, dict[str, float]]
    artefacts: dict[str, str]
    usage: Usage
    folder: Path
    tree: str = ""
    note: str = ""


class Bench:
    """Executor and judges of one template, as a context manager. Thread-safe: one run per slot at a time.

    Run folders lie below `scratch`, which is all that the judges may write. What a run left whose score raised the
    alarm is kept below `alarms`, by default beside `scratch`.
    """

    def __init__(self, template: Template, executor: Executor, scratch: Path, alarms: Path | None = None) -> None:
        self.template = template
        self.executor = executor
        self.size = executor.size
        # One judge per slot, so that preparing and scoring go on side by side; the first also serves whoever asks.
        self._scratch = scratch.resolve()
        self._seal = Seal(template)
        self._judges = [self._new_judge() for _ in range(self.size)]
        self._alarms = alarms or self._scratch.with_name("alarms")
        self._earlier: dict[bytes, list[float]] = {}
        self._lock = threading.Lock()
        self._checkpoints = Checkpoints(self._scratch.with_name("checkpoints")) if template.checkpoints else None
        self._free: queue.Queue[int] = queue.Queue()

    @classmethod
    def local(cls, template: Template, sandbox: Sandbox, scratch: Path, workers: int) -> Bench:
        """A bench whose runs execute in warm sandboxed workers on this machine.

        Raises :class:`TemplateError` with what to install when a package that its runs need is missing.
        """
        require_packages(template)
        return cls(template, LocalExecutor(template.warm, sandbox, scratch, workers), scratch)

    def _new_judge(self) -> Judge:
        # Who chose plain processes gets plain processes.
        box = self._scratch if self.executor.sandbox != "process" else None
        return Judge(self.template, seal=self._seal, writable=box)

    @property
    def judge(self) -> Judge:
        """The sealed evaluator, for describing data and for scoring outside a run."""
        return self._judges[0]

    def __enter__(self) -> Bench:
        if self._checkpoints is not None:
            self._checkpoints.rescue(self._scratch)
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir(parents=True)
        try:
            for judge in self._judges:
                judge.start()
            self.executor.start()
            for slot, judge in enumerate(self._judges):
                judge.wait()
                self._free.put(slot)
        except BaseException:  # Ctrl-C too: what was started must end
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        if error is None and not self._seal.broken:
            self._seal.check(full=True)

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
        intact = folder.is_dir() and not folder.is_symlink()
        if not intact:  # it would lead whoever reads the log or the artefacts elsewhere
            remove_tree(folder)
            (folder / "outputs").mkdir(parents=True)
        if self._checkpoints is not None and key:
            self._checkpoints.end(self._scratch, slot, key)
        log = trim_log(folder / "log.txt")
        status, reason = classify(ending, log, budget) if intact else ("output", "the run's folder was replaced")
        metrics: Scores = {}
        artefacts: dict[str, str] = {}
        note = ""
        if status == "ok":
            artefacts, reason = collect(folder / "outputs", self.template)
            if reason:
                status = "output"
        if status == "ok":
            try:
                metrics, reason = self._judges[slot].score(folder / "outputs", splits, knobs, seed)
                note = self._judge_again(folder / "outputs", artefacts, metrics, splits, knobs, seed)
            except AlarmError as error:
                name = (key or sha256(canonical_json([tree, seed])))[:16]
                raise keep_alarm(self._alarms / name, folder, self.template, code, error) from error
            if reason:
                status = "invalid"
        usage = Usage(
            wall_s=round(ending.wall_s, 4),
            cpu_s=round(ending.cpu_s, 4),
            max_rss_mb=round(ending.max_rss_mb, 1),
            sandbox=self.executor.sandbox,
            gaps=self.executor.gaps,
            node=ending.node,
            judged=2 if note else 1,
            resumed=resumed,
        )
        return Outcome(status, reason, metrics, artefacts, usage, folder, tree, note)

    def _judge_again(
        self,
        outputs: Path,
        artefacts: dict[str, str],
        metrics: Scores,
        splits: Sequence[Split],
        knobs: Mapping[str, KnobValue],
        seed: int,
    ) -> str:
        """Judge a suspiciously good run a second time, in a new process; returns what to tell of it, or nothing.

        Raises :class:`MachineryError` when the artefacts or the scores are not what they were a moment ago.
        """
        template = self.template
        objective = template.metric(template.objective.metric)
        split = next((split for split in ("keep", *splits) if split in metrics), None)
        if split is None or template.judging == "self-reported":
            return ""
        score = metrics[split][objective.name]
        with self._lock:
            earlier = self._earlier.setdefault(data_key(template, knobs), [])
            unusual = suspicious(score, earlier, objective.direction)
            best = (max if objective.direction == "maximize" else min)(earlier, default=score)
            earlier.append(score)
        if not unusual:
            return ""
        if collect(outputs, template) != (artefacts, ""):
            raise MachineryError("artefacts changed while they were judged", "see `scientist doctor`")
        judge = self._new_judge()
        try:
            judge.start()
            judge.wait()
            second, refused = judge.score(outputs, splits, knobs, seed)
        finally:
            judge.stop()
        if refused or second != metrics:
            raise MachineryError(
                f"the evaluator is not deterministic: the same artefacts earned {score!r}, then "
                f"{refused or repr(second[split][objective.name])}",
                f"check {template.root / 'evaluate.py'}",
            )
        return f"{objective.name} {score:.6g} is far above the best so far, {best:.6g}; judged twice, with one answer"
