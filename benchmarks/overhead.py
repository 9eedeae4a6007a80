"""What a run costs beyond itself: tiny runs through the bench against the same script as `python train.py`.

Three ways to do the same work: `bare` starts an interpreter per run and nothing else, `worker` executes it in a warm
sandboxed worker, `bench` is all of it: prepared folder, sandbox, seal, judge. Bare runs and the forms of the sandbox
take turns in blocks of one process, forwards and backwards, so that whatever else the machine does meets all of them
alike; each block gives a ratio, and the table shows the median of these ratios with a bootstrapped 95 % interval.
Then: is the memory of workers, judges and the scientist itself flat over all these runs?

    python benchmarks/overhead.py             1,000 runs in bubblewrap, 250 in the others, about ten minutes
    python benchmarks/overhead.py --runs 100  a quick look
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from scientist.experiments import Bench, Limits, Sandbox, choose_sandbox
from scientist.experiments._host import Host
from scientist.experiments._sandbox import CHILD_ENV
from scientist.template import Template, load_template

DIAL = Path(__file__).resolve().parents[1] / "tests" / "templates" / "dial"
BLOCK, WORKER_BLOCK = 50, 5
"""Runs of a bench per block, and of its worker alone."""
OTHERS = 4
"""The first sandbox takes part in every block, the others in every so many: they are there to be compared."""

SKLEARN = """
import json
from pathlib import Path
import numpy as np
from sklearn.linear_model import Ridge
seed = json.loads(Path("knobs.json").read_text())["seed"]
draws = np.random.default_rng(seed)
inputs = draws.standard_normal((60, 4))
targets = inputs[:, 0] + draws.standard_normal(60)
value = float(Ridge().fit(inputs, targets).score(inputs, targets))
Path("outputs/value.json").write_text(json.dumps({"value": value}))
"""


@dataclass(frozen=True)
class Work:
    """A script, the modules its worker is warmed with, and how often the bare form runs per block (it is slow)."""

    name: str
    code: str
    warm: tuple[str, ...]
    bare: int


WORKS = (
    Work("dial (numpy)", (DIAL / "train.py").read_text(), ("numpy",), 4),
    Work("scikit-learn", SKLEARN, ("numpy", "sklearn.linear_model"), 1),
)


@dataclass
class Series:
    """Of one sandbox: seconds per run of every block that it took part in, and resident MiB after it."""

    blocks: list[int] = field(default_factory=list)
    worker: list[float] = field(default_factory=list)
    bench: list[float] = field(default_factory=list)
    worker_mb: list[float] = field(default_factory=list)
    judge_mb: list[float] = field(default_factory=list)
    own_mb: list[float] = field(default_factory=list)


def per_run(do: Callable[[int], None], runs: int, workers: int) -> float:
    """Seconds per run of `runs` calls, so many at a time."""
    started = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(do, range(runs)):
            pass
    return (time.perf_counter() - started) / runs


def resident(hosts: list[Host]) -> float:
    """MiB of the processes below, without what is shared being told apart."""
    total = 0
    for host in hosts:
        if host.process is not None:
            top = psutil.Process(host.process.pid)
            total += sum(each.memory_info().rss for each in (top, *top.children(recursive=True)))
    return total / 2**20


def fill(folder: Path, code: str, seed: int) -> None:
    """What the script needs, and a folder for what it leaves."""
    for name in ("inputs", "outputs"):
        (folder / name).mkdir(parents=True)
    (folder / "inputs" / "level.json").write_text('{"level": "a", "strength": 1.0}\n')
    (folder / "knobs.json").write_text(json.dumps({"seed": seed, "knobs": {}}))
    (folder / "train.py").write_text(code)


def bare_run(folder: Path, code: str, seed: int) -> None:
    """What somebody without a bench does: a folder, a script, an interpreter."""
    fill(folder, code, seed)
    with (folder / "log.txt").open("wb") as log:
        subprocess.run([sys.executable, "train.py"], cwd=folder, stdout=log, stderr=log, env=CHILD_ENV, check=True)


class Lane:
    """One sandbox with its bench, and how long its runs took."""

    def __init__(self, work: Work, bench: Bench) -> None:
        self.work, self.bench, self.found = work, bench, Series()
        self.limits = Limits.of(bench.template.budget)
        self.free = list(range(bench.size))

    def worker_run(self, seed: int) -> None:
        slot = self.free.pop()
        folder = self.bench.executor.folder(slot)
        fill(folder, self.work.code, seed)
        if self.bench.executor.execute(slot, ["python", "train.py"], self.limits).kind != "exit":
            raise SystemExit("a run failed")
        self.free.append(slot)

    def bench_run(self, seed: int) -> None:
        code = {"train.py": self.work.code.encode()}
        with self.bench.run(self.bench.template.defaults, seed, ("keep",), code) as outcome:
            if outcome.status != "ok":
                raise SystemExit(f"a run failed: {outcome.reason}")

    def block(self, number: int, at_a_time: int) -> None:
        self.found.blocks.append(number)
        self.found.worker.append(per_run(self.worker_run, WORKER_BLOCK, at_a_time))
        self.found.bench.append(per_run(self.bench_run, BLOCK, at_a_time))
        self.found.worker_mb.append(resident([slot.host for slot in self.bench.executor._slots]))  # type: ignore[attr-defined]
        self.found.judge_mb.append(resident([judge.host for judge in self.bench._judges]))
        self.found.own_mb.append(psutil.Process().memory_info().rss / 2**20)


def measure(
    work: Work, at_a_time: int, runs: int, sandboxes: Sequence[Sandbox], place: Path
) -> tuple[list[float], list[Series]]:
    """Blocks of bare runs and of the sandboxes in turn, until the bench of the first has done `runs` runs."""
    template: Template = load_template(DIAL).model_copy(update={"warm": work.warm})
    bare: list[float] = []
    with contextlib.ExitStack() as stack:
        benches = [Bench.local(template, box, place / box.name / "scratch", at_a_time) for box in sandboxes]
        lanes = [Lane(work, stack.enter_context(bench)) for bench in benches]

        def bare_block() -> None:
            with tempfile.TemporaryDirectory(dir=place) as fresh:
                do = functools.partial(_bare, Path(fresh), work.code)
                bare.append(per_run(do, max(work.bare, at_a_time), at_a_time))

        for number in range(max(1, runs // BLOCK)):
            taking_part = lanes if number % OTHERS == 0 else lanes[:1]
            turns: list[Callable[[], None]] = [bare_block]
            turns += [functools.partial(lane.block, number, at_a_time) for lane in taking_part]
            for turn in turns if number % 2 == 0 else reversed(turns):
                turn()
            if sys.stderr.isatty():
                print(f"\r{work.name}, {at_a_time}: block {number + 1}", end="", file=sys.stderr)
    return bare, [lane.found for lane in lanes]


def _bare(fresh: Path, code: str, seed: int) -> None:
    bare_run(fresh / str(seed), code, seed)


def median_interval(values: np.ndarray, draws: int = 4000) -> tuple[float, float, float]:
    """Median with a percentile bootstrap interval of 95 %."""
    picks = np.random.default_rng(0).integers(0, len(values), (draws, len(values)))
    low, high = np.quantile(np.median(values[picks], axis=1), [0.025, 0.975])
    return float(np.median(values)), float(low), float(high)


def row(work: Work, at_a_time: int, name: str, bare: list[float], found: Series) -> str:
    cells = [work.name, str(at_a_time), name, f"{1000 * np.median(bare):.0f}"]
    for way in (found.worker, found.bench):
        ratio = median_interval(np.array(way) / np.array(bare)[found.blocks])
        cells += [f"{1000 * np.median(way):.1f}", f"{ratio[0]:.3f} [{ratio[1]:.3f}, {ratio[2]:.3f}]"]
    return "| " + " | ".join(cells) + " |"


def memory_row(work: Work, at_a_time: int, name: str, found: Series) -> str:
    early = min(100 // BLOCK, len(found.bench)) - 1
    runs = BLOCK * len(found.bench)
    cells = [work.name, str(at_a_time), name, f"{(early + 1) * BLOCK} → {runs}"]
    for series in (found.worker_mb, found.judge_mb, found.own_mb):
        cells.append(f"{series[early]:.1f} → {series[-1]:.1f}")
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000, help="runs of the first sandbox per script")
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--sandbox", nargs="*", default=["bubblewrap", "landlock", "process"])
    asked = parser.parse_args()
    sandboxes = [choose_sandbox(name) for name in asked.sandbox]
    memory = []
    print(f"{asked.runs} runs per script and sandbox '{sandboxes[0].name}', {psutil.cpu_count()} cores, ", end="")
    print(f"Python {platform.python_version()}. Milliseconds per run.\n")
    print("| script | at a time | sandbox | bare | worker | worker / bare | bench | bench / bare |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for work in WORKS:
        for at_a_time in asked.workers:
            with tempfile.TemporaryDirectory() as place:
                bare, series = measure(work, at_a_time, asked.runs, sandboxes, Path(place))
            for box, found in zip(sandboxes, series, strict=True):
                print(row(work, at_a_time, box.name, bare, found), flush=True)
                memory.append(memory_row(work, at_a_time, box.name, found))
    print("\nResident MiB at one number of runs → at another:\n")
    print("| script | at a time | sandbox | runs | workers | judges | the scientist itself |")
    print("|---|---|---|---|---|---|---|")
    print("\n".join(memory))


if __name__ == "__main__":
    main()
