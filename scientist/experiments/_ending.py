"""How a run ended: its status and reason from the process, its log and the files it left."""

from __future__ import annotations

from pathlib import Path

from scientist.experiments._executor import Ending
from scientist.experiments._results import Status
from scientist.lab import sha256_file
from scientist.template import Budget

LOG_LIMIT = 64 * 1024
"""Bytes of a run's log that are kept, from its end."""


def trim_log(path: Path) -> str:
    """Keep the last :data:`LOG_LIMIT` bytes of the log; returns them as text. A link put in its place is removed."""
    if path.is_symlink() or not path.is_file():
        path.unlink(missing_ok=True)
        path.write_text("")
        return ""
    raw = path.read_bytes() if path.stat().st_size <= 64 * LOG_LIMIT else _tail(path)
    if len(raw) > LOG_LIMIT:
        raw = b"[... the beginning was cut ...]\n" + raw[-LOG_LIMIT:]
        path.write_bytes(raw)
    return raw.decode(errors="replace")


def _tail(path: Path) -> bytes:
    with path.open("rb") as handle:
        handle.seek(-LOG_LIMIT - 1, 2)
        return handle.read()


def classify(ending: Ending, log: str, budget: Budget) -> tuple[Status, str]:
    """Status and reason from how the process tree ended and its last words."""
    last = next((line.strip() for line in reversed(log.splitlines()) if line.strip()), "")[:200]
    at_limit: dict[str, tuple[Status, str]] = {
        "wall": ("timeout", f"no end within {budget.wall_s:g} s"),
        "cpu": ("timeout", "used more CPU time than allowed"),
        "memory": ("memory", f"used more than {budget.memory_mb} MB of memory"),
        "processes": ("processes", f"started more than {budget.processes} processes"),
        "disk": ("disk", f"wrote more than {budget.disk_mb} MB"),
        "log": ("log", f"printed more than {budget.log_mb} MB"),
        "killed": ("killed", "the run took its sandbox down"),
    }
    if ending.kind in at_limit:
        return at_limit[ending.kind]
    if ending.kind == "signal":
        name = {9: "SIGKILL", 11: "SIGSEGV", 24: "SIGXCPU", 25: "SIGXFSZ", 6: "SIGABRT"}.get(ending.code, "")
        if ending.code == 24:
            return at_limit["cpu"]
        return "failed", f"ended by signal {ending.code}{f' ({name})' if name else ''}"
    if ending.code == 0:
        return "ok", ""
    if "MemoryError" in last or "Unable to allocate" in last:
        return "memory", last
    if "File too large" in last:
        return "disk", last
    return "failed", last or f"exit status {ending.code}"


def collect(outputs: Path, limit_mb: int) -> tuple[dict[str, str], str]:
    """Hashes of regular files below outputs/, or the reason why the whole is refused."""
    found: dict[str, str] = {}
    total = 0
    if outputs.is_symlink() or not outputs.is_dir():
        return {}, "outputs/ was replaced"
    for path in sorted(outputs.rglob("*")):
        if path.is_symlink():
            return {}, f"artefact '{path.name}' is a link"
        if path.is_file():
            total += path.stat().st_size
            if total > limit_mb * 1024 * 1024:
                return {}, f"artefacts are larger than {limit_mb} MB"
            found[str(path.relative_to(outputs))] = sha256_file(path)
        elif not path.is_dir():
            return {}, f"artefact '{path.name}' is not a plain file"
    return (found, "") if found else ({}, "no artefact was written")
