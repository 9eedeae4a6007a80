"""The seal on the evaluator and on what is held out: hashes, compared before and after every judgement.

Hashing everything each time would cost more than judging. So a file is hashed again when its size, modification time,
change time or inode differ from when it was hashed last, and otherwise believed. The change time is what makes this
sound: the kernel sets it to the clock at every write, rename, link or change of attributes, and offers no call to set it
back, so whoever is not root cannot change a file and leave it as it was. Three gaps remain, and each is met by a full
hash when judging starts, when *final* is opened and when the bench closes: root, who can set the clock; a memory mapping
that was made writable and dirty before; and the clock's grain, because of which a file that changed less than
:data:`GRAIN_NS` before it was hashed is hashed again next time.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from scientist.errors import MachineryError
from scientist.experiments._sandbox import hidden_folders
from scientist.template import Template

GRAIN_NS = 1_000_000_000
"""Coarser than the grain of any clock that file systems use but FAT's two seconds."""

_PASSED_OVER = frozenset({"__pycache__", ".git", ".ipynb_checkpoints"})
_State = tuple[int, int, int, int, int]


@dataclass
class _Sealed:
    """One file: what it is called in messages, its hash, and its status when it was hashed; none: hash it again."""

    label: str
    digest: str
    state: _State | None


class Seal:
    """Hashes of a template's sealed files and of everything in the folders that it hides. Thread-safe.

    Where the code under test reports its own metrics there is no evaluator to seal, and the template's whole tree is.
    `broken` says that a check has failed before.
    """

    def __init__(self, template: Template) -> None:
        self._template = template
        self._lock = threading.Lock()
        self._folders: dict[Path, _State | None] = {}
        self.broken = False
        self._files = {path: _Sealed(label, *_hash(path)) for path, label in self._find()}

    @property
    def digests(self) -> dict[str, str]:
        """Path below the template -> SHA-256, of the template's own sealed files."""
        root = self._template.root
        return {
            str(path.relative_to(root)): sealed.digest
            for path, sealed in self._files.items()
            if path.is_relative_to(root)
        }

    def check(self, *, full: bool = False) -> None:
        """Hold every file against its hash; with `full`, without believing any status.

        Raises :class:`MachineryError` that names the first file that changed, is gone or was added.
        """
        with self._lock:
            self.broken, known = True, self.broken
            for path, sealed in self._files.items():
                if not full and sealed.state is not None and _state(path) == sealed.state:
                    continue
                digest, sealed.state = _hash(path)
                if digest != sealed.digest:
                    raise _broken(sealed.label, "changed")
            if full or any(state is None or _state(path) != state for path, state in self._folders.items()):
                for path, label in self._find():
                    if path not in self._files:
                        raise _broken(label, "was added")
            self.broken = known

    def _find(self) -> Iterator[tuple[Path, str]]:
        """(path, label) of every file; notes the status of the folders on the way, to see when something is added."""
        template, now = self._template, time.time_ns()
        self._folders.clear()
        for path in self._walk([template.root] if template.judging == "self-reported" else [], now):
            yield path, f"file '{path.relative_to(template.root)}' of the template"
        if template.judging == "sealed":
            for name in sorted(template.sealed):
                yield template.root / name, f"sealed file '{name}' of the template"
        for path in self._walk(hidden_folders(template.hide), now):
            yield path, f"held-out file {path}"

    def _walk(self, folders: Iterable[Path], now: int) -> Iterator[Path]:
        for folder in folders:
            for place, below, names in os.walk(folder):
                below[:] = sorted(name for name in below if name not in _PASSED_OVER)
                state = _state(Path(place))
                self._folders[Path(place)] = state if state is not None and now - state[2] > GRAIN_NS else None
                yield from (Path(place, name) for name in sorted(names) if not name.endswith(".pyc"))


def _broken(label: str, how: str) -> MachineryError:
    return MachineryError(f"the {label} {how} while it was in use", "restore it, then resume; no score since counts")


def _state(path: Path) -> _State | None:
    """Size, modification time, change time, inode and device, with links followed; None when there is nothing."""
    try:
        what = os.stat(path)  # noqa: PTH116 - called thousands of times
    except OSError:
        return None
    return what.st_size, what.st_mtime_ns, what.st_ctime_ns, what.st_ino, what.st_dev


def _hash(path: Path) -> tuple[str, _State | None]:
    """(SHA-256, status to believe from now on). What is no readable file has a hash that nothing else has."""
    before = _state(path)
    try:
        if not path.is_file():
            return "no file", None
        with path.open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError:
        return "cannot be read", None
    settled = before is not None and before == _state(path) and time.time_ns() - before[2] > GRAIN_NS
    return digest, before if settled else None
