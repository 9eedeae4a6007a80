"""How a run ended: its status and reason from the process, its log and the files it left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scientist.experiments._results import Status
from scientist.lab import remove_tree
from scientist.template import Budget

if TYPE_CHECKING:
    from scientist.experiments._executor import Ending

LOG_LIMIT = 64 * 1024
"""Bytes of a run's log that are kept, from its end."""

CUT = "[... the beginning was cut ...]\n"


def trim_log(path: Path) -> str:
    """Keep the last :data:`LOG_LIMIT` bytes of the log; returns them as text. What was put in its place is removed."""
    if path.is_symlink() or not path.is_file():
        remove_tree(path)
        path.write_text("")
        return ""
    raw = path.read_bytes() if path.stat().st_size <= 64 * LOG_LIMIT else _tail(path)
    if len(raw) > LOG_LIMIT:
        raw = CUT.encode() + raw[-LOG_LIMIT:]
        path.write_bytes(raw)
    return raw.decode(errors="replace")


def _tail(path: Path) -> bytes:
    with path.open("rb") as handle:
        handle.seek(-LOG_LIMIT - 1, 2)
        return handle.read()


def classify(ending: Ending, log: str, budget: Budget) -> tuple[Status, str]:
    """Status and reason from how the process tree ended and its last words."""
    last = next((line.strip() for line in reversed(log.splitlines()) if line.strip()), "")[:200]
    disk_mb = max(budget.disk_mb, budget.output_mb)
    at_limit: dict[str, tuple[Status, str]] = {
        "wall": ("timeout", f"no end within {budget.wall_s:g} s"),
        "cpu": ("timeout", "used more CPU time than allowed"),
        "memory": ("memory", f"used more than {budget.memory_mb} MB of memory"),
        "processes": ("processes", f"started more than {budget.processes} processes and threads"),
        "disk": ("disk", f"wrote more than {disk_mb} MB, or too many or too deeply nested files"),
        "log": ("log", f"printed more than {budget.log_mb} MB"),
        "killed": ("killed", "the run took its sandbox down"),
    }
    if ending.kind in at_limit:
        return at_limit[ending.kind]
    if ending.kind == "signal":
        name = {9: "SIGKILL", 11: "SIGSEGV", 24: "SIGXCPU", 25: "SIGXFSZ", 6: "SIGABRT"}.get(ending.code, "")
        if ending.code in (24, 25):
            return at_limit["cpu" if ending.code == 24 else "disk"]
        return "failed", f"ended by signal {ending.code}{f' ({name})' if name else ''}"
    if ending.code == 0:
        return "ok", ""
    if "MemoryError" in last or "Unable to allocate" in last:
        return "memory", last
    if any(words in last for words in ("File too large", "No space left on device", "Disk quota exceeded")):
        return "disk", last
    if "can't start new thread" in last or "BlockingIOError: [Errno 11] Resource temporarily unavailable" in last:
        return "processes", last
    return "failed", last or f"exit status {ending.code}"
