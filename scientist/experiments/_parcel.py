"""A folder as one block of bytes, to travel between machines; what a hostile run left arrives as what it is, and goes no further.

A parcel is eight bytes (length of the list, big-endian), the list of entries as JSON, and the contents of the files one
after the other. An entry is `[kind, path, size]`:

- `d` a folder, always before what is in it; `f` a file; `x` an executable file;
- `h` a file that is larger than allowed: it arrives hollow, with a size over the limit and no content;
- `n` a second name of another file, `l` a link, `o` something else (a pipe, a socket, a folder that cannot be opened):
  where they led and what they held stays behind. Only their presence arrives, so that whoever refuses such artefacts
  refuses them here for the same reason as there.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from scientist.experiments._artefacts import MOST_FILES, MOST_FOLDERS, REPORT
from scientist.lab import remove_tree

MOST_ENTRIES = 4 * (MOST_FILES + MOST_FOLDERS)
"""Of what a run left; more is refused anyway."""

DEEPEST = 64
LONGEST = 1024  # bytes of a folder's path
UNLIMITED = 1 << 40
NOWHERE = "/nonexistent"
SECOND = ".second-name"
TOO_MANY = "too-many-entries"


@dataclass(frozen=True)
class Part:
    """A file or folder below the packed one that may travel, and how many bytes and entries of it.

    Of a larger file `tail` takes the end and `head` the beginning, and a folder in its place does not travel; `hollow`
    takes files and folders, and no content of what does not fit.
    """

    name: str
    most: int
    cut: Literal["hollow", "head", "tail"] = "hollow"
    entries: int = MOST_ENTRIES


class NotPlain(ValueError):
    """Something that should be plain files and folders is not."""


def pack(folder: Path, parts: Sequence[Part]) -> bytes:
    """The named parts of a folder as a parcel; parts that are not there are left out.

    The folder may belong to a hostile run that is still going on: no link is followed, at any depth, and nothing is
    read but regular files.
    """
    entries: list[tuple[str, str, int]] = []
    contents: list[bytes] = []
    with contextlib.ExitStack() as stack:
        try:
            root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            parts = ()  # the run put something else in its place
        else:
            stack.callback(os.close, root)
        for part in parts:
            found = list(itertools.islice(_look(root, part.name, part.name, part, [part.most], 0), part.entries + 1))
            if len(found) > part.entries:
                taken = {path for _, path, _, _ in found}
                name = next(
                    n for n in (f"{TOO_MANY}{i or ''}" for i in itertools.count()) if f"{part.name}/{n}" not in taken
                )
                found[-1] = ("o", f"{part.name}/{name}", b"", 0)
            entries += [(kind, path, size) for kind, path, _, size in found]
            contents += [raw for _, _, raw, _ in found]
    listed = json.dumps(entries, separators=(",", ":")).encode()
    return b"".join([len(listed).to_bytes(8, "big"), listed, *contents])


def pack_all(folder: Path) -> bytes:
    """A folder of our own as a parcel. Raises :class:`NotPlain` when it holds anything but plain files and folders."""
    names = sorted(path.name for path in folder.iterdir())
    parcel = pack(folder, [Part(name, UNLIMITED, entries=UNLIMITED) for name in names])
    ensure_plain(parcel)
    return parcel


def ensure_plain(parcel: bytes) -> None:
    """Raises :class:`NotPlain` when a parcel holds anything but whole plain files and folders."""
    for kind, path, _ in _entries(parcel)[0]:
        if kind not in ("d", "f", "x"):
            raise NotPlain(f"'{path}' is no plain file")


Found = tuple[str, str, bytes, int]
"""Kind, path, content, size."""


def _look(parent: int, name: str, path: str, part: Part, left: list[int], depth: int) -> Iterator[Found]:
    """One name in an open folder and all below it; `left` counts bytes down."""
    try:
        found = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if stat.S_ISLNK(found.st_mode):
            yield "l", path, b"", 0
        elif stat.S_ISREG(found.st_mode):
            yield _file(parent, name, path, part, left)
        elif stat.S_ISDIR(found.st_mode) and part.cut == "hollow":
            yield from _folder(parent, name, path, part, left, depth)
        else:
            yield "o", path, b"", 0
    except (FileNotFoundError, NotADirectoryError):
        return  # replaced or removed while we looked


def _folder(parent: int, name: str, path: str, part: Part, left: list[int], depth: int) -> Iterator[Found]:
    try:
        if depth > DEEPEST or len(os.fsencode(path)) > LONGEST:
            raise PermissionError
        here = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    except PermissionError:
        yield "o", path, b"", 0
        return
    try:
        yield "d", path, b"", 0
        with os.scandir(here) as listing:
            # Enough to know that there are too many; a run could make millions.
            names = [entry.name for entry in itertools.islice(listing, part.entries + 1)]
        # What reports are made of comes first, so that large files beside it cannot use up its room.
        for below in sorted(names, key=lambda n: (n != REPORT, not n.endswith(".json"), n)):
            yield from _look(here, below, f"{path}/{below}", part, left, depth + 1)
    finally:
        os.close(here)


def _file(parent: int, name: str, path: str, part: Part, left: list[int]) -> Found:
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
    except FileNotFoundError:
        raise
    except OSError:
        return "o", path, b"", 0
    with os.fdopen(descriptor, "rb") as handle:
        found = os.fstat(descriptor)
        size = found.st_size
        if not stat.S_ISREG(found.st_mode):
            return "o", path, b"", 0
        if part.cut == "hollow" and part.most < UNLIMITED and found.st_nlink > 1:
            return "n", path, b"", 0
        if part.cut == "hollow" and size > left[0]:
            return "h", path, b"", min(size, part.most + 1)
        if part.cut == "tail" and size > left[0]:
            handle.seek(-left[0], os.SEEK_END)
        raw = handle.read(min(size, left[0]))
    left[0] -= len(raw)
    return "x" if found.st_mode & stat.S_IXUSR else "f", path, raw, len(raw)


def unpack(parcel: bytes, folder: Path, allowed: Collection[str] = ()) -> None:
    """Put what a parcel holds into `folder`, in place of what has the same names there.

    Nothing is written outside of `folder`, through a link, or over anything that the parcel itself brought. With
    `allowed`, only these names may be at the top, and whichever of them the parcel lacks is gone afterwards. Raises
    ValueError for a parcel that is not of our making.
    """
    entries, at = _entries(parcel)
    tops = {path.partition("/")[0] for _, path, _ in entries}
    if allowed and not tops <= set(allowed):
        raise ValueError(f"it brings '{min(tops - set(allowed))}', which was not asked for")
    for name in (SECOND, *allowed, *sorted(tops)):
        if "\0" in name or name in ("", ".", ".."):
            raise ValueError(f"it brings {name!r}, which is no path of ours")
        remove_tree(folder / name)
    made = {""}
    for kind, path, size in entries:
        above, _, name = path.rpartition("/")
        if name in ("", ".", "..") or "\0" in name or above not in made:
            raise ValueError(f"it brings {path!r}, which is no path of ours")
        target = os.path.join(folder, path)  # noqa: PTH118 - names need not be UTF-8
        try:
            if kind == "d":
                os.mkdir(target, 0o755)  # noqa: PTH102
                made.add(path)
            elif kind == "l":
                os.symlink(NOWHERE, target)  # noqa: PTH211
            elif kind == "o":
                os.mkfifo(target, 0o644)
            elif kind == "n":
                (folder / SECOND).touch()
                os.link(folder / SECOND, target)
            else:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
                with os.fdopen(os.open(target, flags, 0o755 if kind == "x" else 0o644), "wb") as handle:
                    if kind == "h":
                        handle.truncate(size)
                    else:
                        handle.write(memoryview(parcel)[at : at + size])
                        at += size
        except FileExistsError:
            raise ValueError(f"it brings {path!r} twice") from None


def _entries(parcel: bytes) -> tuple[list[tuple[str, str, int]], int]:
    """The list of a parcel and where its contents begin; ValueError unless every entry is of our form and all is there."""
    length = int.from_bytes(parcel[:8], "big")
    try:
        listed: Any = json.loads(parcel[8 : 8 + length]) if len(parcel) >= 8 + length else None
    except (ValueError, RecursionError):
        listed = None
    if not isinstance(listed, list):
        raise ValueError("it has no list of its contents")
    entries: list[tuple[str, str, int]] = []
    total = 8 + length
    for entry in listed:
        if not isinstance(entry, list) or [type(value) for value in entry] != [str, str, int]:
            raise ValueError("its list is damaged")
        kind, path, size = entry
        if kind not in _FULL or not 0 <= size <= UNLIMITED:
            raise ValueError("its list is damaged")
        total += size if _FULL[kind] else 0
        entries.append((kind, path, size))
    if total != len(parcel):
        raise ValueError("it is not as long as its list says")
    return entries, 8 + length


_FULL: Mapping[str, bool] = {"d": False, "f": True, "x": True, "h": False, "n": False, "l": False, "o": False}
"""kind -> its content is in the parcel."""
