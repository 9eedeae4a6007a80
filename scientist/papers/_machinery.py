"""Where and how runs were executed: what the reproducibility statement says, and what the manifest holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from scientist.experiments import Analysis, Study, Usage
from scientist.lab import read_json
from scientist.papers._kinds import constant, self_reported
from scientist.papers._phrases import count
from scientist.papers._print import escape
from scientist.template import Template


class Machinery(Protocol):
    """The part of a writer's material that is about machines."""

    @property
    def template(self) -> Template: ...
    @property
    def study(self) -> Study: ...
    @property
    def analysis(self) -> Analysis: ...
    @property
    def sandbox(self) -> str: ...
    @property
    def sandbox_gaps(self) -> tuple[str, ...]: ...
    @property
    def executor(self) -> str: ...
    @property
    def usages(self) -> tuple[Usage, ...]: ...


def read_usages(paper: Path) -> tuple[Usage, ...]:
    """What every run of a paper cost, pilot included. Raises :class:`RecordError` for a broken file."""
    return tuple(read_json(Usage, path) for path in sorted(paper.glob("*/*/seed-*/usage.json")))


def nodes_of(usages: Sequence[Usage]) -> tuple[str, ...]:
    """The machines that ran something, where it was not this one."""
    return tuple(sorted({usage.node for usage in usages if usage.node}))


def judged_twice(usages: Sequence[Usage]) -> int:
    """Runs whose artefacts were judged more than once because their score was suspiciously good."""
    return sum(usage.judged > 1 for usage in usages)


def resumed(usages: Sequence[Usage]) -> int:
    """Runs that continued from a checkpoint."""
    return sum(usage.resumed for usage in usages)


def _seedless(material: Machinery) -> str:
    """Why runs are repetitions, as the middle of a sentence."""
    return (
        "the script draws at random where no seed reaches"
        if material.template.seed_sites
        else "the script takes no seed"
    )


WEAKNESS = {"bubblewrap": 0, "landlock": 1, "process": 2}


def isolation_of(usages: Sequence[Usage]) -> tuple[str, tuple[str, ...]]:
    """(the weakest sandbox that a run had, all that the sandbox of some run did not cover).

    Both are empty where the runs do not say, because an older version executed them.
    """
    weakest_first = sorted(usages, key=lambda usage: -WEAKNESS.get(usage.sandbox, max(WEAKNESS.values())))
    gaps = tuple(dict.fromkeys(gap for usage in weakest_first for gap in usage.gaps))
    return (weakest_first[0].sandbox, gaps) if gaps else ("", ())


def reproducibility(material: Machinery) -> tuple[str, ...]:
    """The reproducibility statement: what is kept, what can be made again, and where runs were executed."""
    study = material.study
    if not study.seeded and all(
        constant(variant.estimates.get("keep", {}).get(study.metric)) for variant in material.analysis.variants
    ):
        fixed = f"{_seedless(material)[:1].upper()}{_seedless(material)[1:]}, and gave the same numbers each time that it was run here."
    elif not study.seeded:
        fixed = (
            f"The runs themselves cannot be reproduced exactly: {_seedless(material)}, and running it again gives other "
            "numbers. What can be reproduced exactly is everything that was made from the recorded runs."
        )
    elif self_reported(study):
        fixed = "A seed is handed to every run; whether it determines the run completely is up to the script."
    else:
        by_the_clock = any(material.template.by_the_clock(variant.knobs) for variant in study.variants)
        fixed = (
            "Seeds do not determine all runs: where the budget is one of time on a clock, the same seed gives other numbers "
            "when it is run again. What can be reproduced exactly is everything that was made from the recorded runs."
            if by_the_clock
            else "Seeds determine runs completely."
        )
    judged = " The metrics are those that the script wrote about itself." if self_reported(study) else ""
    kept = (
        "The folder of this paper holds the frozen study, the result, log, knobs and artefacts of every run, the analysis, "
        "the facts and the manuscript from which this document was built; the manifest lists their hashes and the versions "
        "of all software. The commands in the appendix rebuild the document byte for byte, recompute every statistic "
        f"from the runs, and trace any printed number back to them. {fixed}{judged} "
    )
    return (kept + isolation(material.sandbox, material.sandbox_gaps) + _places(material),)


def isolation(sandbox: str, gaps: Sequence[str]) -> str:
    """What kept a run to itself, and exactly what that does not cover."""
    listed = "; ".join(escape(gap) for gap in gaps)
    if sandbox == "bubblewrap":
        where = (
            "Runs were isolated by bubblewrap (own user, process, mount and network name spaces, a read-only system, one "
            "writable folder, no network), with limits on time, memory and output."
        )
        return f"{where} What that does not cover: {listed}." if listed else where
    where = (
        "Runs were plain processes with limits on time, memory and output."
        if sandbox in ("plain", "none", "process", "")
        else f"Runs were isolated by {escape(sandbox)}, with limits on time, memory and output."
    )
    return f"{where} What that does not cover: {listed}." if listed else where


def _places(material: Machinery) -> str:
    """Executor, machines, second judgements and checkpoints, each only where there is something to say."""
    said = []
    nodes = nodes_of(material.usages)
    if material.executor != "local":
        where = f" on {count(len(nodes), 'machine')}" if nodes else ""
        said.append(f"They were executed through {escape(material.executor)}{where}; the manifest names the machines.")
    elif len(nodes) > 1:
        said.append(f"They were executed on {count(len(nodes), 'machine')}, which the manifest names.")
    if twice := judged_twice(material.usages):
        again = "was" if twice == 1 else "were"
        said.append(
            f"{count(twice, 'run').capitalize()} {again} judged a second time, because the score was far above the usual "
            "step; both judgements agreed."
        )
    if more := resumed(material.usages):
        said.append(f"{count(more, 'run').capitalize()} continued from a checkpoint after an interruption.")
    return " " + " ".join(said) if said else ""
