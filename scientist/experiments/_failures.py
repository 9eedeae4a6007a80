"""What failed in a study, read from its records alone: the same error grouped over runs, where, and whose fault it is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import Field

from scientist.experiments._experimenter import ENDED, PATCH, REFUSED, SMOKE_SEED, VARIANT
from scientist.experiments._results import RunResult, Usage
from scientist.lab import KnobValue, Record, read_json
from scientist.template import Template

Fault = Literal["code", "limit", "machine", "paper"]
"""Whose fault a failure is: the code's; a limit's, which a setting raises; the machine's; or the document's (LaTeX)."""

LOG_LINES = 12
"""Lines from the end of a log that are shown."""

WORDS = {
    "failed": "ended with an error",
    "timeout": "ended at the time limit",
    "memory": "ended at the memory limit",
    "processes": "ended at the limit of processes and threads",
    "disk": "ended at the limit of what it may write",
    "log": "ended at the limit of what it may print",
    "output": "left artefacts that are not taken",
    "invalid": "left artefacts that the evaluator refused",
    "killed": "took its worker down",
    "refused": "is no change that could be tried",
}
"""status -> what a person reads."""

_NUMBER = re.compile(r"0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:e[+-]?\d+)?")
_ERROR = re.compile(r"[A-Za-z_][\w.]*(?::|$)")
_FRAME = re.compile(r'^\s*File "([^"\n]+)", line (\d+)', re.MULTILINE)
_ABSENT = re.compile(r"No module named '([\w.]+)'")


@dataclass(frozen=True)
class FailedRun:
    """One run, trial or try that did not end well. `name` is its folder below the paper; `key` as in its result."""

    stage: str
    name: str
    variant: str
    seed: int
    knobs: Mapping[str, KnobValue]
    status: str
    reason: str
    log: str
    key: str = ""

    @property
    def said(self) -> str:
        """The error in one line."""
        return said_of(self.status, self.reason, self.log)


@dataclass(frozen=True)
class StageRuns:
    """All runs of one stage: those that failed, and per variant how many (ended well, ended at all), with the cost of the former."""

    failed: tuple[FailedRun, ...]
    counts: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    usages: tuple[Usage, ...] = ()

    @property
    def total(self) -> int:
        """Runs that ended, well or badly."""
        return sum(total for _, total in self.counts.values())


class FailedStep(Record):
    """One failure as it is told: `runs` of `of` that ended in the same error, or a stage that raised.

    `variants`: variant -> (how many of its runs ended so, how many ended at all).
    """

    stage: str
    status: str
    what: str
    reason: str
    fault: Fault
    advice: str
    runs: tuple[str, ...] = ()
    of: int = 0
    variants: dict[str, tuple[int, int]] = Field(default_factory=dict)
    place: str = ""
    source: str = ""
    log: tuple[str, ...] = ()


def printable(text: str) -> str:
    """Without control and tag characters but tab and newline: what a run printed must not steer a terminal."""
    return "".join(c for c in text if c in "\t\n" or (c.isprintable() and not 0xE0000 <= ord(c) <= 0xE007F))


def read_log(folder: Path) -> str:
    """The log kept in a folder; empty when there is none. A link is not followed."""
    path = folder / "log.txt"
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() and not path.is_symlink() else ""


def read_ended(paper: Path, stage: Literal["pilot", "runs"]) -> StageRuns:
    """Every run below `paper/stage`, the trials of tuned variants one by one. Raises :class:`RecordError` for a broken result."""
    failed: list[FailedRun] = []
    counts: dict[str, tuple[int, int]] = {}
    usages: list[Usage] = []
    for cell in sorted((paper / stage).glob("*/seed-*"), key=lambda path: (path.parent.name, _number(path))):
        trials = sorted((path.parent for path in cell.glob("trial-*/result.json")), key=_number)
        for folder in trials or [cell]:
            if not (folder / "result.json").is_file():
                continue
            result = read_json(RunResult, folder / "result.json")
            if result.status == "stopped":
                continue
            well = result.status == "ok"
            good, total = counts.get(result.variant, (0, 0))
            counts[result.variant] = (good + well, total + 1)
            if well and folder == cell and (cell / "usage.json").is_file():
                usages.append(read_json(Usage, cell / "usage.json"))
            if not well:
                name, log = folder.relative_to(paper).as_posix(), read_log(folder)
                failed.append(
                    FailedRun(
                        stage, name, result.variant, result.seed, result.knobs, result.status, result.reason, log,
                        result.key,
                    )
                )  # fmt: skip
    return StageRuns(tuple(failed), counts, tuple(usages))


def _number(path: Path) -> int:
    digits = path.name.rpartition("-")[2]
    return int(digits) if digits.isdigit() else 0


def place_of(log: str, files: Sequence[str]) -> tuple[str, int] | None:
    """(file, line) of the last line of the candidate's own `files` that a traceback in the log names; None without one."""
    found = None
    for match in _FRAME.finditer(log):
        path = match[1]
        own = next((name for name in files if path == name or path.endswith(f"/{name}")), None)
        if own is not None and len(match[2]) < 8:
            found = (own, int(match[2]))
    return found


def said_of(status: str, reason: str, log: str) -> str:
    """The error in one line: that of the last traceback in the log, else the reason in the result.

    The reason alone is the log's last line, and what a run printed without flushing comes after its traceback.
    """
    if status != "failed" or reason.startswith("ended by signal"):
        return printable(reason)
    after = log.rpartition("Traceback (most recent call last):\n")[2] if "Traceback (most recent" in log else ""
    line = next((line for line in after.splitlines() if _ERROR.match(line)), reason)
    return printable(line.strip())[:300]


def grouped(runs: Sequence[FailedRun], files: Sequence[str]) -> list[list[FailedRun]]:
    """Runs with the same status, the same error but for its numbers, and the same place; the largest group first."""
    groups: dict[tuple[object, ...], list[FailedRun]] = {}
    for run in runs:
        place = place_of(run.log, files) if run.status == "failed" else None
        groups.setdefault((run.stage, run.status, _NUMBER.sub("#", run.said), place), []).append(run)
    return sorted(groups.values(), key=lambda group: -len(group))


def fault_of(
    run: FailedRun, template: Template | None, changed: bool, usages: Sequence[Usage] = ()
) -> tuple[Fault, str]:
    """(whose fault, what to do about it). `changed`: the run had code of its own; `usages` are of runs that ended well."""
    if run.status in ("timeout", "memory", "processes", "disk", "log") or "artefacts are larger than" in run.reason:
        return "limit", _raise_limit(run, template, usages)
    if run.status == "killed" or run.reason.startswith("ended by signal 9 "):
        return "machine", (
            "nothing in its log can say why: the machine ran out of memory, or the code attacked its worker; "
            "see `scientist doctor`, and free memory or lower 'workers'"
        )
    absent = _ABSENT.search(run.said)
    if run.status == "failed" and absent and not changed:
        return "machine", f"the package of '{absent[1]}' is not installed here: install it, and list it in 'packages'"
    return "code", ""


def _raise_limit(run: FailedRun, template: Template | None, usages: Sequence[Usage]) -> str:
    names = {
        "timeout": "cpu_s" if "CPU" in run.reason else "wall_s",
        "memory": "memory_mb",
        "processes": "processes",
        "disk": "disk_mb",
        "log": "log_mb",
    }
    name = names.get(run.status, "output_mb")
    now, where = "", "the template's template.toml"
    if template is not None:
        now = f" (now {getattr(template.budget, name):g})"
        where = f"{template.root.name}/template.toml"
        if not (template.root / "template.toml").is_file():
            where += ", which `scientist templates show` prints for you to save"
    used = {"wall_s": ("wall_s", "s"), "cpu_s": ("cpu_s", "s of CPU time"), "memory_mb": ("max_rss_mb", "MB")}.get(name)
    needed = ""
    if used and usages:
        most = max(float(getattr(usage, used[0])) for usage in usages)
        needed = f"; runs that ended well took up to {most:.3g} {used[1]}"
    return f"raise '{name}'{now} under [budget] in {where}, or choose knobs that need less{needed}"


def told_step(
    group: Sequence[FailedRun], ended: StageRuns, template: Template | None, code: Mapping[str, bytes]
) -> FailedStep:
    """A group of failed runs as it is told; `code` is what stands in the place of the template's files there."""
    first = group[0]
    fault, advice = fault_of(first, template, bool(code), ended.usages)
    place = place_of(first.log, template.editable) if template is not None else None
    return FailedStep(
        stage=first.stage,
        status=first.status,
        what=WORDS.get(first.status, first.status),
        reason=first.said,
        fault=fault,
        advice=advice,
        runs=tuple(run.name for run in group),
        of=ended.total,
        variants={
            name: (sum(run.variant == name for run in group), total)
            for name, (_, total) in sorted(ended.counts.items())
            if any(run.variant == name for run in group)
        },
        place=f"{place[0]}:{place[1]}" if place else "",
        source=source_line(template, code, place) if place and template is not None else "",
        log=tuple(line[:300] for line in printable(first.log).rstrip().splitlines()[-LOG_LINES:]),
    )


def source_line(template: Template, code: Mapping[str, bytes], place: tuple[str, int]) -> str:
    """The line of the candidate's code at a place; empty when there is none."""
    name, number = place
    try:
        raw = code[name] if name in code else (template.root / name).read_bytes()
    except OSError:
        return ""
    lines = raw.decode("utf-8", "replace").splitlines()
    return printable(lines[number - 1].strip()) if 1 <= number <= len(lines) else ""


def read_tries(tries: Path, paper: Path, knobs: Mapping[str, KnobValue]) -> StageRuns:
    """The tries of a change of the code below `tries`, all run with `knobs`; the last ones come last."""
    failed: list[FailedRun] = []
    total = 0
    for folder in sorted((path for path in tries.glob("*") if path.name.isdigit()), key=lambda path: int(path.name)):
        if (folder / REFUSED).is_file():
            status, reason = "refused", (folder / REFUSED).read_text(encoding="utf-8", errors="replace").strip()
        elif (folder / PATCH).is_file():
            status, reason = _how_it_ended(folder)
        else:
            continue
        total += 1
        if status != "ok":
            name = folder.relative_to(paper).as_posix()
            failed.append(FailedRun("code", name, VARIANT, SMOKE_SEED, knobs, status, reason, read_log(folder)))
    return StageRuns(tuple(failed), {VARIANT: (total - len(failed), total)})


def _how_it_ended(folder: Path) -> tuple[str, str]:
    """(status, reason) of a try. Papers of an older version kept the log only."""
    if (folder / ENDED).is_file():
        status, _, reason = (folder / ENDED).read_text(encoding="utf-8", errors="replace").partition(": ")
        return status, reason.strip()
    last = [line.strip() for line in read_log(folder).splitlines() if line.strip()]
    return "failed", last[-1][:200] if last else "no reason was kept"
