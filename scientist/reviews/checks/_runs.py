"""The runs behind a stranger's paper, in the layout of the AI Scientist: `run_i/final_info.json` and `notes.txt`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scientist.errors import RecordError
from scientist.reviews.checks._findings import Finding
from scientist.reviews.checks._programs import same_programs, same_results

MOST = 50
"""Runs that are read."""
EACH = 200
"""Values of one run that are kept."""
NOTES = 1 << 20
"""Bytes of notes.txt, and of a program, that are read."""
_RUN = re.compile(r"run_(\d{1,4})")
_NOTE = re.compile(r"^#{1,4}\s*\**Run\s*(\d{1,4})\**\s*[:.\-–—]?\s*(.*?)\**\s*$", re.IGNORECASE)
_SPREADS = frozenset({"std", "stdev", "sd", "stderr", "sem", "se", "ci"})
_OPENING = 260
"""Characters of a run's description that tell what it is; what follows compares it with other runs."""


@dataclass(frozen=True)
class Quantity:
    """What one run reports of one metric on one data set; `values` per seed where it gives them."""

    run: str
    dataset: str
    metric: str
    mean: float
    values: tuple[float, ...] = ()
    stderr: float | None = None
    pointer: str = ""

    @property
    def place(self) -> str:
        """'run_3 · moons · kl_divergence'; without a data set the mean over all of them."""
        return f"{self.run} · {self.dataset or 'mean over data sets'} · {self.metric}"

    def is_spread_of(self, other: Quantity) -> bool:
        """Whether this is the spread of another, reported under a name of its own ('acc_std' beside 'acc_mean')."""
        mine, theirs = _parts(self.metric), _parts(other.metric)
        beside = (self.run, self.dataset) == (other.run, other.dataset)
        return beside and bool(mine & _SPREADS) and mine - _SPREADS == theirs - {"mean", "avg"}

    def spreads(self) -> dict[str, float]:
        """Every spread that could be printed after ±: of the raw values, and the reported one."""
        found: dict[str, float] = {}
        n = len(self.values)
        if n > 1:
            squares = math.fsum((value - self.mean) ** 2 for value in self.values)
            sd = math.sqrt(squares / (n - 1))
            found |= {"sd": sd, "population sd": math.sqrt(squares / n), "standard error": sd / math.sqrt(n)}
            found["population sd / sqrt(n)"] = math.sqrt(squares) / n
            found["95% interval (t)"] = _t975(n - 1) * sd / math.sqrt(n)
            found["95% interval (normal)"] = 1.96 * sd / math.sqrt(n)
        if self.stderr is not None:
            found["reported standard error"] = self.stderr
            found["95% interval of the reported one"] = 1.96 * self.stderr
        return found


@dataclass(frozen=True)
class Run:
    """One run: its folder, what notes.txt calls it, and what it reports."""

    name: str
    title: str
    description: str
    quantities: tuple[Quantity, ...]


@dataclass
class Runs:
    """All runs of a folder. `title`: what notes.txt calls the work; `unread`: one line for each file that could not be used."""

    title: str = ""
    runs: list[Run] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    @property
    def quantities(self) -> list[Quantity]:
        """Of all runs, with the means over data sets behind those of single ones."""
        return [one for run in self.runs for one in (*run.quantities, *_over_datasets(run))]

    @property
    def baseline(self) -> str:
        """The run that others are compared with: the one called baseline, else the first."""
        named = [run.name for run in self.runs if re.search(r"\bbaseline\b", run.title, re.IGNORECASE)]
        return named[0] if named else self.runs[0].name


def _parts(metric: str) -> frozenset[str]:
    return frozenset(re.split(r"[^a-z0-9]+", metric.lower())) - {""}


def _t975(degrees: int) -> float:
    from scipy import special

    return float(special.stdtrit(degrees, 0.975))


def _over_datasets(run: Run) -> Iterator[Quantity]:
    by_metric: dict[str, list[Quantity]] = {}
    for one in run.quantities:
        by_metric.setdefault(one.metric, []).append(one)
    for metric, group in by_metric.items():
        if len({one.dataset for one in group}) > 1:
            means = tuple(one.mean for one in group)
            yield Quantity(run.name, "", metric, math.fsum(means) / len(means), means)


def has_runs(folder: Path) -> bool:
    """Whether a folder holds runs in this layout."""
    return folder.is_dir() and any(
        _RUN.fullmatch(child.name) and (child / "final_info.json").is_file() for child in folder.iterdir()
    )


def read_runs(folder: Path) -> Runs:
    """The runs of a folder. Raises :class:`RecordError` where there is none that can be read."""
    from scientist.template import load_final_info, recompute  # a fifth of a second, and few papers have runs

    if not folder.is_dir():
        raise RecordError(f"{folder} is no folder", "name the folder that holds run_0, run_1, ...")
    found = Runs()
    notes = _notes(folder / "notes.txt", found)
    places = sorted((child for child in folder.iterdir() if _RUN.fullmatch(child.name) and child.is_dir()), key=_number)
    for place in places[:MOST]:
        title, description = notes.get(_number(place), ("", ""))
        try:
            info = flat(load_final_info(place / "final_info.json"))
            checks = recompute(info)
        except (ValueError, OSError) as error:
            found.unread.append(f"{place.name}/final_info.json: {error}")
            continue
        quantities = tuple(
            Quantity(place.name, c.dataset, c.key, c.reported_mean, c.values, c.reported_stderr, c.pointer)
            for c in checks
            if math.isfinite(c.reported_mean) and abs(c.reported_mean) < 1e100
        )
        known = {(one.dataset, one.metric) for one in quantities}
        quantities += tuple(
            Quantity(place.name, dataset, metric, value)
            for dataset, metric, value in _named_spreads(info, ())
            if (dataset, metric) not in known
        )
        if len(quantities) > EACH:
            found.unread.append(
                f"{place.name}/final_info.json: only the first {EACH} of {len(quantities)} values are looked at"
            )
        if quantities:
            found.runs.append(Run(place.name, title, description, quantities[:EACH]))
    if len(places) > MOST:
        found.unread.append(f"{len(places) - MOST} more runs were not read")
    if not found.runs:
        raise RecordError(
            f"{folder} holds no run with a final_info.json that can be read",
            "name the folder that holds run_0, run_1, ...",
        )
    found.findings = [*same_programs(list(_programs(folder, found.runs))), *same_results(found.runs)]
    return found


def flat(info: Any) -> Any:
    """The same report with groups inside `means`, `stderrs` and `final_info_dict` taken apart: 'scores_mean_consistency'.

    Values per seed may be groups too: a list of `{"mean_consistency": 0.98}` becomes a list of numbers.
    """
    if not isinstance(info, dict):
        return info
    if not isinstance(info.get("means"), dict):
        return {key: flat(value) for key, value in info.items()}
    made = dict(info)
    for part in ("means", "stderrs", "final_info_dict"):
        if isinstance(info.get(part), dict):
            made[part] = dict(_leaves(info[part], ""))
    if isinstance(
        made.get("final_info_dict"), dict
    ):  # values per seed of what has a mean; orbits and settings are none
        named = {re.sub(r"_mean$", "", key) for key in made["means"]}
        kept = made["final_info_dict"].items()
        made["final_info_dict"] = {key: value for key, value in kept if re.sub(r"_mean$", "", key) in named}
    return made


def _leaves(group: dict[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    for key, value in group.items():
        name = f"{above}_{key}" if above else key
        if isinstance(value, dict):
            yield from _leaves(value, name)
        elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            for inner in value[0]:
                yield f"{name}_{inner}", [one.get(inner) for one in value]
        else:
            yield name, value


def _named_spreads(info: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str, float]]:
    """(data set, metric, value) of what a report calls a standard deviation: 'acc_std' beside 'acc', 'std' beside 'mean'."""
    for key, value in info.items() if isinstance(info, dict) else ():
        if isinstance(value, dict):
            if key not in ("means", "stderrs", "final_info_dict"):
                yield from _named_spreads(value, (*path, key))
        elif re.search(r"(?:^|_)(?:std|stdev|sd)$", key, re.IGNORECASE) and type(value) in (int, float):
            alone = "_" not in key and bool(path)
            yield " ".join(path[:-1] if alone else path), f"{path[-1]}_{key}" if alone else key, float(value)


def _number(place: Path) -> int:
    match = _RUN.fullmatch(place.name)
    return int(match[1]) if match else 0


def _notes(file: Path, found: Runs) -> dict[int, tuple[str, str]]:
    """Run number -> (title, opening of its description)."""
    text = _text(file)
    if text is None:
        found.unread.append("notes.txt is missing or cannot be read: runs are known by their numbers only")
        return {}
    told: dict[int, tuple[str, str]] = {}
    current: int | None = None
    for line in text.splitlines():
        if not found.title and (headline := re.match(r"#\s*Title:\s*(.{1,300})", line)):
            found.title = headline[1]
        if match := _NOTE.match(line):
            current = int(match[1])
            told.setdefault(current, (match[2][:200], ""))
        elif line.startswith("#"):
            current = None
        elif current is not None and line.strip() and not line.startswith("Results:"):
            title, so_far = told[current]
            said = re.sub(r"^(?:Experiment )?[Dd]escription:\s*", "", line.strip())
            if len(so_far) < _OPENING:
                told[current] = title, f"{so_far} {said}".strip()[:_OPENING]
    return told


def _text(file: Path) -> str | None:
    try:
        if file.is_symlink() or not file.is_file() or file.stat().st_size > NOTES:
            return None
        return file.read_bytes().decode("utf-8", errors="replace")
    except OSError:
        return None


def _programs(folder: Path, runs: list[Run]) -> Iterator[tuple[Run, str]]:
    """The program of every run that has one: run_i.py, run_i/experiment.py or run_i/run_i.py."""
    for run in runs:
        own = folder / run.name
        for file in (folder / f"{run.name}.py", own / "experiment.py", own / f"{run.name}.py"):
            text = _text(file)
            if text is not None and text.strip():
                yield run, text
                break
