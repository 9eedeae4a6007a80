"""What a run's process tree and its folders hold at the moment. Standard library only, so that workers can use it.

Nothing here trusts what it looks at: processes come and go while they are counted, and folders are hostile.
"""

# As little of the standard library as possible: every fork pays for it.
# ruff: noqa: PTH101, PTH104, PTH106, PTH108, PTH110, PTH112, PTH114, PTH116, PTH118, PTH208

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

DEEPEST = 64
"""Folders nested deeper than this count as too much: they cannot be measured by their path."""

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def _read(path: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def names(folder: str) -> list[str]:
    """What a folder holds; nothing if it cannot be read."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _stat(pid: int) -> list[bytes]:
    """The fields of /proc/<pid>/stat from the state on; empty when there is no such process."""
    return _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()


def children(pid: int) -> list[int]:
    """Processes whose parent is `pid`, ended ones that it has not waited for among them; empty where there is no /proc."""
    if os.path.exists(f"/proc/{pid}/task/{pid}/children"):
        tasks = [f"/proc/{pid}/task/{task}/children" for task in names(f"/proc/{pid}/task")]
        return [int(child) for task in tasks for child in _read(task).split()]
    wanted = str(pid).encode()
    numbers = [int(name) for name in names("/proc") if name.isdigit()]
    return [number for number in numbers if (fields := _stat(number)) and fields[1] == wanted]


def descendants(root: int) -> list[int]:
    """Everything below `root`, parents before children."""
    found: list[int] = []
    queue = [root]
    while queue:
        below = children(queue.pop())
        found += below
        queue += below
    return found


@dataclass
class Totals:
    """Of a process tree: processes and threads, seconds of CPU time (ended children included), resident bytes."""

    tasks: int = 0
    cpu_s: float = 0.0
    resident: int = 0


def totals(pids: Iterable[int]) -> Totals:
    """Summed over `pids`. Shared pages count once per process: `resident` is an upper bound, see :func:`proportional`."""
    found = Totals()
    for pid in pids:
        fields = _stat(pid)
        if len(fields) > 21:
            found.tasks += max(1, int(fields[17]))  # one that ended and was not waited for still holds a number
            found.cpu_s += sum(map(int, fields[11:15])) / TICKS
            found.resident += int(fields[21]) * PAGE
    return found


def proportional(pids: Iterable[int]) -> int:
    """Resident bytes with every shared page divided among those that share it; slower than :func:`totals`."""
    total = 0
    for pid in pids:
        for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
            if line.startswith(b"Pss:"):
                total += int(line.split()[1]) * 1024
    return total


def unlinked(pids: Iterable[int]) -> int:
    """Bytes in files that have no name any more but are still open, and in files that never had one."""
    sizes: dict[tuple[int, int], int] = {}
    for pid in pids:
        for name in names(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                found = os.stat(f"/proc/{pid}/fd/{name}")
                if found.st_nlink == 0 and stat.S_ISREG(found.st_mode):
                    sizes[found.st_dev, found.st_ino] = found.st_size
    return sum(sizes.values())


def folder_usage(places: Sequence[str], most: int) -> tuple[int, int]:
    """(bytes, entries) below `places`. No link is followed; counting stops beyond `most` entries, or bytes.

    What is mounted below them is not counted: it is part of the machine, and read-only. A tree that cannot be measured,
    because it is nested too deeply, has more than that.
    """
    size = entries = 0
    queue = [(place, 0, _device(place)) for place in places]
    while queue:
        place, depth, device = queue.pop()
        try:
            with open_folder(place) as scan:
                for entry in scan:
                    entries += 1
                    with contextlib.suppress(FileNotFoundError):
                        found = entry.stat(follow_symlinks=False)
                        if found.st_dev != device:
                            continue
                        if stat.S_ISDIR(found.st_mode):
                            queue.append((entry.path, depth + 1, device))
                        else:
                            size += found.st_size
                    if entries > most:
                        return size, entries
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            continue  # it went away while we looked, or will be open to us next time
        except OSError:
            return size, most + 1  # a name too long for the kernel
        if depth >= DEEPEST:
            return size, most + 1
    return size, entries


def _device(path: str) -> int:
    """The file system that a path is on; -1 when it is gone."""
    try:
        return os.lstat(path).st_dev
    except OSError:
        return -1


def mounted_below(place: str) -> dict[str, set[str]]:
    """Folder -> the names in it that lead to mounts below `place`, for every folder on the way to one."""
    device, found = _device(place), dict[str, set[str]]()

    def look(folder: str) -> bool:
        for name in names(folder):
            path = os.path.join(folder, name)
            if not os.path.islink(path) and (_device(path) != device or (os.path.isdir(path) and look(path))):
                found.setdefault(folder, set()).add(name)
        return folder in found

    look(place)
    return found


def open_folder(place: str) -> AbstractContextManager[Iterator[os.DirEntry[str]]]:
    """Scan a folder of ours even if its owner's rights were taken away."""
    try:
        return os.scandir(place)
    except PermissionError:
        if not os.path.islink(place):
            os.chmod(place, 0o700)
        return os.scandir(place)


def empty(place: str, spared: Mapping[str, Collection[str]] | None = None) -> None:
    """Delete everything below a folder, however deep, and keep the folder itself and what leads to a mount.

    `spared` is what :func:`mounted_below` found when nobody had written there yet. What cannot be deleted stays. Folders
    are moved to the top before they are emptied, so that neither the length of a path nor the depth of a recursion ends
    the work.
    """
    spared = spared or {}
    moved, stuck = 0, set(spared.get(place, ()))
    for folder in spared:
        for name in names(folder) if folder != place else ():
            if name not in spared[folder]:
                while os.path.lexists(target := os.path.join(place, f".emptied-{moved}")):
                    moved += 1
                with contextlib.suppress(OSError):
                    os.rename(os.path.join(folder, name), target)
    with contextlib.suppress(OSError):
        os.chmod(place, 0o700)
    while left := [name for name in names(place) if name not in stuck]:
        for name in left:
            path = os.path.join(place, name)
            try:
                if os.path.islink(path) or not os.path.isdir(path):
                    os.unlink(path)
                    continue
                os.chmod(path, 0o700)
                for below in names(path):
                    inner = os.path.join(path, below)
                    if os.path.islink(inner) or not os.path.isdir(inner):
                        os.unlink(inner)
                        continue
                    os.chmod(inner, 0o700)
                    while os.path.lexists(target := os.path.join(place, f".emptied-{moved}")):
                        moved += 1
                    os.rename(inner, target)
                os.rmdir(path)
            except OSError:
                stuck.add(name)
