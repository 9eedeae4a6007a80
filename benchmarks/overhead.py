"""What a run costs beyond itself: tiny runs through the bench against the same script as `python train.py`.

Three ways to do the same work: `bare` starts an interpreter per run and nothing else, `worker` executes it in a warm
sandboxed worker, `bench` is all of it: prepared folder, sandbox, judge. They take turns in blocks of one process, so
that whatever else the machine does meets all of them alike; each block gives a ratio, and the table shows the median of
these ratios with a bootstrapped 95 % interval. Then: is the memory of workers and judges flat over all these runs?

    python benchmarks/overhead.py             1,000 runs of each kind, about ten minutes
    python benchmarks/overhead.py --runs 100  a quick look
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
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
BLOCK = 20
"""Runs of the worker and of the bench per block."""

STDLIB = """
import json, random, statistics
from pathlib import Path
seed = json.loads(Path("knobs.json").read_text())["seed"]
draws = random.Random(seed)
value = statistics.fmean(draws.gauss(0, 1) for _ in range(100))
Path("outputs/value.json").write_text(json.dumps({"value": value}))
"""
SKLEARN = """
import json
from pathlib import Path
import numpy as np
from sklearn.linear_model import LogisticRegression
seed = json.loads(Path("knobs.json").read_text())["seed"]
draws = np.random.default_rng(seed)
inputs = draws.standard_normal((60, 4))
labels = inputs[:, 0] + draws.standard_normal(60) > 0
value = float(LogisticRegression().fit(inputs, labels).score(inputs, labels))
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
    Work("standard library only", STDLIB, ("json", "random", "statistics"), 10),
    Work("numpy and scikit-learn", SKLEARN, ("numpy", "sklearn.linear_model"), 2),
)


@dataclass
class Series:
    """Seconds per run of every block, and resident MiB after every run of the bench."""

    bare: list[float] = field(default_factory=list)
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


def bare_run(folder: Path, code: str, seed: int) -> None:
    """What somebody without a bench does: a folder, a script, an interpreter."""
    (folder / "outputs").mkdir(parents=True)
    (folder / "knobs.json").write_text(json.dumps({"seed": seed, "knobs": {}}))
    (folder / "train.py").write_text(code)
    with (folder / "log.txt").open("wb") as log:
        subprocess.run([sys.executable, "train.py"], cwd=folder, stdout=log, stderr=log, env=CHILD_ENV, check=True)


def measure(work: Work, workers: int, runs: int, sandbox: Sandbox, place: Path) -> Series:
    """Blocks of all three ways in turn, until the bench has done `runs` runs."""
    template: Template = load_template(DIAL).model_copy(update={"warm": work.warm})
    limits, code, found = Limits.of(template.budget), work.code.encode(), Series()
    with Bench.local(template, sandbox, place / "scratch", workers) as bench:
        executor = bench.executor
        free = list(range(workers))

        def worker_run(seed: int) -> None:
            slot = free.pop()
            folder = executor.folder(slot)
            (folder / "outputs").mkdir()
            (folder / "knobs.json").write_text(json.dumps({"seed": seed, "knobs": {}}))
            (folder / "train.py").write_text(work.code)
            if executor.execute(slot, ["python", "train.py"], limits).kind != "exit":
                raise SystemExit("a run failed")
            free.append(slot)

        def bench_run(seed: int) -> None:
            with bench.run(template.defaults, seed, ("keep",), {"train.py": code}) as outcome:
                if outcome.status != "ok":
                    raise SystemExit(f"a run failed: {outcome.reason}")

        for block in range(max(1, runs // BLOCK)):
            with tempfile.TemporaryDirectory(dir=place) as fresh:

                def bare(seed: int, fresh: str = fresh) -> None:
                    bare_run(Path(fresh) / str(seed), work.code, seed)

                found.bare.append(per_run(bare, max(work.bare, workers), workers))
            found.worker.append(per_run(worker_run, BLOCK, workers))
            found.bench.append(per_run(bench_run, BLOCK, workers))
            hosts = [slot.host for slot in executor._slots]  # type: ignore[attr-defined]
            found.worker_mb.append(resident(hosts))
            found.judge_mb.append(resident([judge.host for judge in bench._judges]))
            found.own_mb.append(psutil.Process().memory_info().rss / 2**20)
            if sys.stderr.isatty():
                print(f"\r{work.name}, {workers}: block {block + 1}", end="", file=sys.stderr)
    return found


def median_interval(values: np.ndarray, draws: int = 4000) -> tuple[float, float, float]:
    """Median with a percentile bootstrap interval of 95 %."""
    picks = np.random.default_rng(0).integers(0, len(values), (draws, len(values)))
    low, high = np.quantile(np.median(values[picks], axis=1), [0.025, 0.975])
    return float(np.median(values)), float(low), float(high)


def row(work: Work, workers: int, found: Series) -> str:
    bare = np.array(found.bare)
    cells = [work.name, str(workers), f"{1000 * np.median(bare):.1f}"]
    for way in (found.worker, found.bench):
        ratio = median_interval(np.array(way) / bare)
        cells += [f"{1000 * np.median(way):.1f}", f"{ratio[0]:.2f} [{ratio[1]:.2f}, {ratio[2]:.2f}]"]
    return "| " + " | ".join(cells) + " |"


def memory_row(work: Work, workers: int, found: Series) -> str:
    part = max(1, len(found.bench) // 10)
    cells = [work.name, str(workers)]
    for series in (found.worker_mb, found.judge_mb, found.own_mb):
        cells.append(f"{np.median(series[:part]):.1f} → {np.median(series[-part:]):.1f}")
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000, help="runs of the worker, and of the bench, per line")
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--sandbox", default="auto", help="auto, bubblewrap, landlock or process")
    asked = parser.parse_args()
    sandbox = choose_sandbox(asked.sandbox)
    lines, memory = [], []
    for work in WORKS:
        for workers in asked.workers:
            with tempfile.TemporaryDirectory() as place:
                found = measure(work, workers, asked.runs, sandbox, Path(place))
            lines.append(row(work, workers, found))
            memory.append(memory_row(work, workers, found))
    print(f"{asked.runs} runs per line in blocks of {BLOCK}, sandbox {sandbox.name}, ", end="")
    print(f"{psutil.cpu_count()} cores, Python {platform.python_version()}. Milliseconds per run.\n")
    print("| script | at a time | bare | worker | worker / bare | bench | bench / bare |")
    print("|---|---|---|---|---|---|---|")
    print("\n".join(lines))
    print("\nResident MiB, median of the first tenth of the runs → of the last tenth:\n")
    print("| script | at a time | workers | judges | the scientist itself |")
    print("|---|---|---|---|---|")
    print("\n".join(memory))


if __name__ == "__main__":
    main()
