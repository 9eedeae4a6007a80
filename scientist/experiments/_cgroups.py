"""Control groups: limits that the kernel holds over a whole process tree, where this user may set them.

A worker gets a group below the one that the scientist runs in, so that no limit set from outside is ever left. Version
1 (Linux `Documentation/admin-guide/cgroup-v1`) has one folder per controller, version 2 (`cgroup-v2.rst`) one for all.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import re
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CONTROLLERS = ("memory", "pids", "cpuacct")
"""What is wanted. Version 2 counts CPU time in every group, so `cpuacct` stands for that there."""

_NAME = re.compile(r"scientist-(\d+)-(\d+)-\d+\Z")
_counter = itertools.count()

JOIN = """
n="$1"; shift
while [ "$n" -gt 0 ]; do echo $$ > "$1/cgroup.procs" || exit 97; shift; n=$((n-1)); done
exec 7< "$1" 8< "$2" 9< "$3"
shift 3
exec "$@"
"""
"""Enter the groups, open the three counters, become the command. What varies comes as arguments, never as text."""

COUNTERS = {"cpu": 7, "processes": 8, "memory": 9}
"""The descriptors under which a worker finds the counters of its group, see :meth:`Group.wrap`."""


@dataclass(frozen=True)
class Cgroups:
    """Where groups can be made: a folder per controller; `version` 0 when there is none."""

    version: int
    parents: Mapping[str, Path]

    @property
    def missing(self) -> tuple[str, ...]:
        """The wanted controllers that cannot be used."""
        return tuple(name for name in CONTROLLERS if name not in self.parents)

    def describe(self) -> str:
        """In words, for `doctor`."""
        names = [name.replace("cpuacct", "cpu") for name in CONTROLLERS if name in self.parents]
        return f"cgroup v{self.version} ({', '.join(names)})" if names else "no cgroup that can be written"


NONE = Cgroups(0, {})


def read_mounts(mountinfo: str) -> list[tuple[str, str, str, str]]:
    """(type, options of the file system, its root, mount point) of every cgroup mount in /proc/self/mountinfo."""
    found = []
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        fields, kind = left.split(), right.split()
        if len(fields) > 4 and len(kind) > 2 and kind[0] in ("cgroup", "cgroup2"):
            found.append((kind[0], kind[2], fields[3], fields[4].replace("\\040", " ")))
    return found


def own_folder(path: str, root: str, mount: str) -> Path | None:
    """The folder of the group `path` in a mount that shows the tree from `root` on; None when it lies outside."""
    if path == root or root == "/" or path.startswith(root.rstrip("/") + "/"):
        below = path[len(root.rstrip("/")) :].lstrip("/")
        return Path(mount) / below if ".." not in below.split("/") else None
    return None


def find_parents(mountinfo: str, membership: str) -> Cgroups:
    """Where this process may make groups, from the text of /proc/self/mountinfo and /proc/self/cgroup."""
    groups = dict[str, str]()
    for line in membership.splitlines():
        _, names, path = line.split(":", 2)
        for name in names.split(","):
            groups[name] = path
    first: dict[str, Path] = {}
    second: dict[str, Path] = {}
    for kind, options, root, mount in read_mounts(mountinfo):
        if kind == "cgroup":
            for name in set(options.split(",")) & set(CONTROLLERS) & set(groups):
                folder = own_folder(groups[name], root, mount)
                if folder is not None and name not in first and can_make_groups(folder):
                    first[name] = folder
        elif "" in groups:
            folder = own_folder(groups[""], root, mount)
            if folder is not None and not second:
                second = delegated(folder, Path(mount))
    if "memory" in second or not first:
        return Cgroups(2, second) if second else NONE
    return Cgroups(1, first)


def delegated(own: Path, top: Path) -> dict[str, Path]:
    """Version 2: the nearest folder at or above `own` whose groups have controllers and may be made by this user.

    A group that holds processes cannot hand controllers down, so it is usually the parent. A group that limits memory
    itself is never left.
    """
    best: dict[str, Path] = {}
    for folder in (own, *own.parents):
        names = set(_read(folder / "cgroup.subtree_control").split())
        if can_make_groups(folder) and (folder == own or os.access(folder / "cgroup.procs", os.W_OK)):
            found = {name: folder for name in ("memory", "pids") if name in names} | {"cpuacct": folder}
            if len(found) > len(best):
                best = found
        if len(best) == len(CONTROLLERS) or folder == top or _read(folder / "memory.max").strip() not in ("", "max"):
            break
    return best


def can_make_groups(folder: Path) -> bool:
    """Try: make a group and remove it again."""
    probe = folder / _new_name()
    try:
        probe.mkdir()
        writable = os.access(probe / "cgroup.procs", os.W_OK)
        probe.rmdir()
    except OSError:
        return False
    return writable


@functools.cache
def detect_cgroups() -> Cgroups:
    """What this machine allows this user."""
    return find_parents(_read(Path("/proc/self/mountinfo")), _read(Path("/proc/self/cgroup")))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When a process started, in ticks since boot; empty when there is none."""
    return (_read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split() or [""] * 20)[19]


def _new_name() -> str:
    return f"scientist-{os.getpid()}-{_started(os.getpid()) or 0}-{next(_counter)}"


class Group:
    """One worker's group. Everything is best effort: a limit that cannot be set leaves polling in its place."""

    def __init__(self, cgroups: Cgroups) -> None:
        """Raises OSError when a group cannot be made."""
        self.version = cgroups.version
        name = _new_name()
        self.folders: dict[str, Path] = {}
        self._limits: tuple[int, int] = (-1, -1)
        self._base = (0, 0)
        for controller, parent in cgroups.parents.items():
            remove_stale(parent)
            (parent / name).mkdir(exist_ok=True)  # version 2 names the same folder several times
            self.folders[controller] = parent / name

    def _file(self, controller: str, first: str, second: str) -> Path:
        """A file of a controller by its name in version 1 and 2; /dev/null where there is no such controller."""
        folder = self.folders.get(controller)
        path = folder / (first if self.version == 1 else second) if folder else Path(os.devnull)
        return path if path.exists() else Path(os.devnull)

    def wrap(self, command: Sequence[str]) -> list[str]:
        """`command`, in the group from its first instruction on, with the counters open under :data:`COUNTERS`."""
        folders = sorted({str(folder) for folder in self.folders.values()})
        counters = (
            self._file("cpuacct", "cpuacct.usage", "cpu.stat"),
            self._file("pids", "pids.events", "pids.events"),
            self._file("memory", "memory.oom_control", "memory.events"),
        )
        return ["/bin/sh", "-c", JOIN, "join", str(len(folders)), *folders, *map(str, counters), *command]

    def settle(self) -> None:
        """Take what the worker itself needs as the base of the limits: called when it is ready."""
        stat = dict(
            line.split(" ", 1) for line in _read(self._file("memory", "memory.stat", "memory.stat")).splitlines()
        )
        held = sum(int(stat.get(name, 0)) for name in (("rss",) if self.version == 1 else ("anon", "kernel")))
        current = _read(self._file("pids", "pids.current", "pids.current")).strip()
        self._base = (held + (32 << 20), int(current or 0))

    def limit(self, memory: int, processes: int) -> None:
        """What a run may use beyond the worker: bytes of memory, and processes with threads."""
        if (memory, processes) == self._limits:
            return
        self._limits = (memory, processes)
        total = str(self._base[0] + memory)
        if self.version == 1:
            # The limit with swap may not be the smaller one at any time, so one of the two orders works.
            for name in ("memory.memsw.limit_in_bytes", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes"):
                _write(self._file("memory", name, ""), total)
        else:
            _write(self._file("memory", "", "memory.max"), total)
            _write(self._file("memory", "", "memory.swap.max"), "0")
        _write(self._file("pids", "pids.max", "pids.max"), str(self._base[1] + processes))

    def killed_for_memory(self) -> int:
        """How many processes of the group the kernel has ended because the group had no memory left."""
        return read_counter(_read(self._file("memory", "memory.oom_control", "memory.events")), "oom_kill")

    def processes(self) -> list[int]:
        """Those in the group, seen from here."""
        found = {pid for folder in self.folders.values() for pid in _read(folder / "cgroup.procs").split()}
        return sorted(int(pid) for pid in found if pid != "0")

    def remove(self) -> None:
        """End what is left in the group, and remove it."""
        deadline = time.monotonic() + 5.0
        for folder in set(self.folders.values()):
            _write(folder / "cgroup.kill" if (folder / "cgroup.kill").exists() else Path(os.devnull), "1")
        while (left := self.processes()) and time.monotonic() < deadline:
            for pid in left:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.005)
        for folder in set(self.folders.values()):
            while folder.exists() and time.monotonic() < deadline:
                try:
                    folder.rmdir()
                except OSError:
                    time.sleep(0.005)  # the last process is gone for us, but not yet for the kernel
        self.folders = {}


def read_counter(text: str, name: str) -> int:
    """The value of a line 'name value', 0 when there is none."""
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        if key == name and value.strip().isdigit():
            return int(value)
    return 0


def remove_stale(parent: Path) -> None:
    """Remove the empty groups of scientists that are no more. One that holds a process is left alone."""
    for folder in parent.glob("scientist-*"):
        match = _NAME.match(folder.name)
        if match and _started(int(match[1])) != match[2]:
            with contextlib.suppress(OSError):
                folder.rmdir()


def _write(path: Path, text: str) -> None:
    with contextlib.suppress(OSError):
        path.write_text(text, encoding="utf-8")
