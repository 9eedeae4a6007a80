"""The bench: warm sandboxed workers and the sealed judge of one template.

A run is: the judge prepares inputs in a fresh folder, a worker forks the candidate there, the judge scores what it left.
Contract of errors: whatever the *candidate* does ends in an :class:`Outcome` with a status; a fault of the evaluator, of
a worker's start or of the disk is a :class:`MachineryError` or :class:`LabError` and stops the study.
"""

from __future__ import annotations

import contextlib
import json
import queue
import select
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from scientist.errors import MachineryError, StudyError
from scientist.experiments._ending import classify, collect, trim_log
from scientist.experiments._results import Status, Usage
from scientist.experiments._sandbox import CHILD_ENV, Sandbox
from scientist.lab import KnobValue, canonical_json, remove_tree
from scientist.template import Split, Template

HOSTS = Path(__file__).parent
GRACE_S = 20.0
START_S = 120.0


@dataclass
class Outcome:
    """How one execution ended. `folder` holds log.txt, knobs.json and outputs/ until the next run on that worker."""

    status: Status
    reason: str
    metrics: dict[Split, dict[str, float]]
    artefacts: dict[str, str]
    usage: Usage
    folder: Path


@dataclass
class _Host:
    """A child process that speaks one JSON line per request."""

    command: list[str]
    label: str
    env: Mapping[str, str] = field(default_factory=dict)
    remedy: str = "see `scientist doctor`"
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(self.env),
            start_new_session=True,
            bufsize=0,
        )

    def wait_ready(self) -> None:
        if self._read(START_S) is None:
            raise MachineryError(f"the {self.label} did not start: {self._last_words()}", self.remedy)

    def ask(self, request: Mapping[str, Any], timeout: float) -> dict[str, Any] | None:
        """The answer, or None when the process died or stayed silent."""
        if self.process is None or self.process.stdin is None:
            return None
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
        except (BrokenPipeError, OSError):
            return None
        return self._read(timeout)

    def _read(self, timeout: float) -> dict[str, Any] | None:
        assert self.process is not None and self.process.stdout is not None
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self.process.stdout], [], [], timeout)
            chunk = self.process.stdout.read(65536) if ready else b""
            if not chunk:
                return None
            line += chunk
        try:
            answer = json.loads(line)
        except json.JSONDecodeError:
            return None
        return answer if isinstance(answer, dict) else None

    def _last_words(self) -> str:
        if self.process is None or self.process.stderr is None:
            return "no reason given"
        with contextlib.suppress(OSError):
            self.process.kill()
        words = self.process.stderr.read().decode(errors="replace").strip().splitlines()
        place = next((w for line in reversed(words) if (w := line.strip()).startswith("File ")), "").rpartition(", in ")
        where = f" ({place[0] or place[2]})" if any(place) and "<frozen" not in "".join(place) else ""
        return words[-1][:200] + where if words else "no reason given"

    def interrupt(self) -> None:
        """End the process from another thread than the one that waits for its answer."""
        if self.process is not None:
            with contextlib.suppress(OSError):
                self.process.terminate()

    def stop(self) -> None:
        if self.process is None:
            return
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        with contextlib.suppress(OSError):
            self.process.terminate()
        try:
            self.process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=5)
        self.process = None


class Judge:
    """The sealed evaluator in a process of its own. Sealed files are hashed before and after every judgement."""

    def __init__(self, template: Template) -> None:
        self.template = template
        self._seal = template.hash_files(template.sealed)
        self._lock = threading.Lock()
        command = [sys.executable, "-I", str(HOSTS / "_judge_host.py"), str(template.root / "evaluate.py")]
        self.host = _Host(command, "evaluator", CHILD_ENV, f"check {template.root}/evaluate.py")

    def start(self) -> None:
        """Begin starting; :meth:`wait` returns when the evaluator is loaded."""
        self.host.start()

    def wait(self) -> None:
        """Raises :class:`MachineryError` when the evaluator cannot be loaded."""
        self.host.wait_ready()

    def stop(self) -> None:
        """End the process."""
        self.host.stop()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self._check_seal()
            answer = self.host.ask(request, 90.0)
            self._check_seal()
        if answer is None:
            raise MachineryError("the evaluator died", f"check {self.template.root}/evaluate.py")
        if "impossible" in answer:
            raise StudyError(
                f"the template cannot prepare these knobs: {answer['impossible']}", "change the idea's values"
            )
        if "error" in answer:
            raise MachineryError(f"the evaluator failed: {answer['error']}", f"check {self.template.root}/evaluate.py")
        return answer

    def _check_seal(self) -> None:
        if self.template.hash_files(self.template.sealed) != self._seal:
            raise MachineryError("a sealed file of the template changed while it was in use", "restore it, then resume")

    def describe(self, knobs: Mapping[str, KnobValue]) -> dict[str, float | int | str]:
        """What the evaluator says about the data that these knobs select."""
        return dict(self._ask({"do": "describe", "knobs": dict(knobs)})["value"])

    def prepare(self, inputs: Path, knobs: Mapping[str, KnobValue], seed: int) -> None:
        """Write a run's inputs."""
        self._ask({"do": "prepare", "inputs": str(inputs), "knobs": dict(knobs), "seed": seed})

    def score(
        self, outputs: Path, splits: Sequence[Split], knobs: Mapping[str, KnobValue], seed: int
    ) -> tuple[dict[Split, dict[str, float]], str]:
        """(metrics per split, "") or ({}, why the artefacts were refused).

        A metric that passes its proven bound refuses the artefact; one that is not a finite float is a fault of the
        evaluator (:class:`MachineryError`).
        """
        return self.score_all([(outputs, knobs, seed)], splits)[0]

    def score_all(
        self, work: Sequence[tuple[Path, Mapping[str, KnobValue], int]], splits: Sequence[Split]
    ) -> list[tuple[dict[Split, dict[str, float]], str]]:
        """Several (outputs, knobs, seed) scored in one fresh fork, each as :meth:`score` does."""
        batch = [{"outputs": str(outputs), "knobs": dict(knobs), "seed": seed} for outputs, knobs, seed in work]
        answers = self._ask({"do": "score", "batch": batch, "splits": list(splits)})["value"]
        return [self._accept(answer, splits) for answer in answers]

    def _accept(self, answer: dict[str, Any], splits: Sequence[Split]) -> tuple[dict[Split, dict[str, float]], str]:
        if "invalid" in answer:
            return {}, str(answer["invalid"])
        scores: dict[Split, dict[str, float]] = answer["value"]
        for split in splits:
            for metric in self.template.metrics:
                value = scores.get(split, {}).get(metric.name)
                if type(value) not in (int, float) or value != value or value in (float("inf"), float("-inf")):
                    raise MachineryError(
                        f"the evaluator returned no finite '{metric.name}' on {split}", "mend evaluate.py"
                    )
                assert value is not None
                sign = 1 if metric.direction == "maximize" else -1
                if metric.bound is not None and (value - metric.bound) * sign > 1e-9:
                    return {}, f"{metric.name} passes its proven bound: the evaluator was gamed"
        return scores, ""


class Bench:
    """Workers and judge of one template, as a context manager. Thread-safe: one run per worker at a time."""

    def __init__(self, template: Template, sandbox: Sandbox, scratch: Path, workers: int) -> None:
        self.template = template
        self.sandbox = sandbox
        self.scratch = scratch.resolve()
        self.size = max(1, workers)
        # One judge per worker, so that preparing and scoring go on side by side; the first also serves whoever asks.
        self._judges = [Judge(template) for _ in range(self.size)]
        self._hosts: list[_Host] = []
        self._free: queue.Queue[int] = queue.Queue()
        self._abandoned = False

    @property
    def judge(self) -> Judge:
        """The sealed evaluator, for describing data and for scoring outside a run."""
        return self._judges[0]

    def __enter__(self) -> Bench:
        shutil.rmtree(self.scratch, ignore_errors=True)
        try:
            for index, judge in enumerate(self._judges):
                judge.start()
                self._hosts.append(self._new_host(index))
                self._hosts[index].start()
            for index, (judge, host) in enumerate(zip(self._judges, self._hosts, strict=True)):
                judge.wait()
                host.wait_ready()
                self._free.put(index)
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
        self._abandoned = True
        for host in (*self._hosts, *(judge.host for judge in self._judges)):
            host.interrupt()

    def _close(self) -> None:
        for host in self._hosts:
            host.stop()
        self._hosts.clear()
        for judge in self._judges:
            judge.stop()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def _place(self, index: int) -> Path:
        return self.scratch / f"worker-{index}"

    def _new_host(self, index: int) -> _Host:
        place = self._place(index)
        place.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-I", str(HOSTS / "_worker_host.py"), json.dumps(list(self.template.warm))]
        command.append(json.dumps(list(self.sandbox.shared)))
        return _Host(self.sandbox.wrap(command, place), "sandboxed worker", CHILD_ENV)

    @contextlib.contextmanager
    def run(
        self,
        knobs: Mapping[str, KnobValue],
        seed: int,
        splits: Sequence[Split],
        code: Mapping[str, bytes] | None = None,
    ) -> Iterator[Outcome]:
        """Execute one run and judge it on `splits`; the folder in the outcome lives until the block ends.

        `knobs` is a full assignment; `code` replaces editable files by name (a patched variant, a cheat).
        """
        index = self._free.get()
        try:
            yield self._run(index, knobs, seed, splits, code or {})
        finally:
            self._free.put(index)

    def _run(
        self,
        index: int,
        knobs: Mapping[str, KnobValue],
        seed: int,
        splits: Sequence[Split],
        code: Mapping[str, bytes],
    ) -> Outcome:
        place = self._place(index)
        folder = place / "run"
        for left in place.iterdir():
            remove_tree(left)  # the last run's folder, and whatever it put beside it
        for name in ("inputs", "outputs"):
            (folder / name).mkdir(parents=True)
        for name in self.template.editable:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(code[name] if name in code else (self.template.root / name).read_bytes())
        # Only what acts in this assignment: two assignments with the same effective knobs must be the same work.
        effective = self.template.effective(dict(knobs))
        method = {
            k.name: effective[k.name] for k in self.template.knobs if k.applies == "method" and k.name in effective
        }
        (folder / "knobs.json").write_bytes(canonical_json({"seed": seed, "knobs": method}))
        self._judges[index].prepare(folder / "inputs", knobs, seed)
        budget = self.template.budget
        request = {
            "cwd": self.sandbox.inside(folder, place),
            "argv": list(self.template.command),
            "log": "log.txt",
            "env": CHILD_ENV,
            "wall_s": budget.wall_s,
            "cpu_s": budget.cpu_s,
            "memory_mb": budget.memory_mb,
            "output_mb": budget.output_mb,
        }
        answer = self._hosts[index].ask(request, budget.wall_s + GRACE_S)
        if answer is None and self._abandoned:
            raise MachineryError("the run was given up", "`scientist resume` does it again")
        if answer is None:
            # The worker is gone or silent: the candidate took it down with it, which only a candidate that attacks
            # its parent does. The next run gets a fresh worker.
            self._hosts[index].stop()
            self._hosts[index] = self._new_host(index)
            self._hosts[index].start()
            self._hosts[index].wait_ready()
            usage = Usage(wall_s=0, cpu_s=0, max_rss_mb=0, sandbox=self.sandbox.name)
            return Outcome("killed", "the run took its sandbox down", {}, {}, usage, folder)
        usage = Usage(
            wall_s=round(answer["wall_s"], 4),
            cpu_s=round(answer["cpu_s"], 4),
            max_rss_mb=round(answer["max_rss_mb"], 1),
            sandbox=self.sandbox.name,
        )
        log = trim_log(folder / "log.txt")
        status, reason = classify(answer, log, budget.wall_s)
        metrics: dict[Split, dict[str, float]] = {}
        artefacts: dict[str, str] = {}
        if status == "ok":
            artefacts, reason = collect(folder / "outputs", budget.output_mb)
            if reason:
                status = "output"
        if status == "ok":
            metrics, reason = self._judges[index].score(folder / "outputs", splits, knobs, seed)
            if reason:
                status = "invalid"
        return Outcome(status, reason, metrics, artefacts, usage, folder)
