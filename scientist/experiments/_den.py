"""A private temporary folder that is gone after its owner, even when the owner was killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from pathlib import Path

from scientist.lab import remove_tree

_PREFIX = "scientist-ray-"


class Den:
    """A new folder in the machine's temporary folder, locked for as long as this process lives.

    Whoever makes one removes those that dead owners left: the kernel drops a lock with its process.
    """

    def __init__(self) -> None:
        place = Path(tempfile.gettempdir())
        for stale in sorted(place.glob(f"{_PREFIX}*")):
            _remove_if_dead(stale)
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
        self._lock = os.open(self.path / "new", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        (self.path / "new").rename(self.path / "lock")  # nobody sees the lock before it is held

    def remove(self) -> None:
        """Delete the folder. May be called twice."""
        if self._lock >= 0:
            remove_tree(self.path)
            os.close(self._lock)
            self._lock = -1


def _remove_if_dead(folder: Path) -> None:
    """Delete a den of ours that nobody holds; one that is being made has no lock yet and is left alone."""
    with contextlib.suppress(OSError):
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            return
        lock = os.open(folder / "lock", os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove_tree(folder)
        finally:
            os.close(lock)
