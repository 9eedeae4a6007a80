"""The manifest: versions, hashes, seeds, cost; what made the paper and what it is made of."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from scientist.experiments import RunResult, Study
from scientist.lab import sha256_file
from scientist.papers._machinery import judged_twice, nodes_of, read_usages, resumed
from scientist.papers._records import Manifest

LATER = ("manifest.json", "audit.json")
"""Written after the hashes are taken."""

ASIDE = "diagnosis"
"""A folder beside the paper's own files, made again at any time by `scientist diagnose`; nothing in a paper rests on it."""


def paper_files(paper: Path) -> dict[str, str]:
    """path -> sha256 of every artefact of a paper but the manifest and the audit.

    `usage.json` files are left out: they say what a run cost on one machine, and differ when it is done again.
    """
    return {
        str(path.relative_to(paper)): sha256_file(path)
        for path in sorted(paper.rglob("*"))
        if path.is_file()
        and path.name not in (*LATER, "usage.json")
        and not any(part.startswith(".") for part in path.relative_to(paper).parts)
        and path.relative_to(paper).parts[0] != ASIDE
    }


def make_manifest(
    paper: Path,
    study: Study,
    results: Sequence[RunResult],
    packages: Sequence[str],
    sandbox: str,
    sandbox_gaps: tuple[str, ...],
    roles: dict[str, str],
    approved_by: str = "",
    executor: str = "local",
) -> Manifest:
    """The manifest of a paper whose other artefacts are all there. CPU and wall seconds are sums over runs."""
    usages = read_usages(paper)
    return Manifest(
        slug=study.slug,
        versions=versions(packages),
        sandbox=sandbox,
        sandbox_gaps=sandbox_gaps,
        executor=executor,
        nodes=nodes_of(usages),
        judging=study.judging,
        judged_twice=judged_twice(usages),
        resumed=resumed(usages),
        study_sha256=study.digest(),
        template_sha256=study.template_sha256,
        files=paper_files(paper),
        seeds=study.seeds,
        roles=roles,
        approved_by=approved_by,
        cost={
            "runs": float(sum(result.trials for result in results)),
            "cpu_s": round(sum(usage.cpu_s for usage in usages), 2),
            "wall_s": round(sum(usage.wall_s for usage in usages), 2),
        },
        made=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def versions(packages: Sequence[str]) -> dict[str, str]:
    """Versions of Python, of the scientist and of the named distributions; 'absent' when one is not installed."""
    found = {"python": platform.python_version(), "platform": f"{platform.system()} {platform.machine()}"}
    for name in sorted({"scientist", "numpy", "scipy", "matplotlib", *packages}):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "absent"
    return found
