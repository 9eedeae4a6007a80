"""Files that are written whole or not at all, and paths that stay where they belong."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path

from scientist.errors import LabError


def write_atomic(path: Path, data: bytes | str) -> None:
    """Write a file so that a reader, or a crash at any moment, sees the old content or the new, never a part.

    The data go to a temporary file in the same folder, are flushed to disk and renamed over `path`.
    Raises :class:`LabError` when the disk is full or the folder cannot be written.
    """
    raw = data.encode() if isinstance(data, str) else data
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(raw)
            handle.flush()
            os.fsync(handle.fileno())
        Path(temporary).chmod(0o644)
        os.replace(temporary, path)  # noqa: PTH105 - the atomic rename is the point
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise disk_error(error, path) from error


def disk_error(error: OSError, path: Path) -> LabError:
    """An :class:`OSError` while writing, as one line for the user."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return LabError(
            f"no space left to write {path}", "free some disk space, then run it again (a campaign: `scientist resume`)"
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return LabError(f"not allowed to write {path}", "check the folder's permissions")
    return LabError(f"cannot write {path}: {error.strerror}", "see `scientist doctor`")


def inside(root: Path, relative: str) -> Path:
    """`root / relative`, refused when it would leave `root` (absolute, `..`, or through a symbolic link)."""
    candidate = (root / relative).resolve()
    if not candidate.is_relative_to(root.resolve()) or Path(relative).is_absolute():
        raise LabError(f"path '{relative}' leads outside {root}", "use a path below that folder")
    return candidate


def remove_tree(path: Path) -> None:
    """Delete a file or folder that may not exist."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def clear_temporaries(root: Path) -> None:
    """Remove what a killed writer left behind (`.name.xxxx.tmp`) anywhere below `root`."""
    if root.is_dir():
        for stale in root.rglob(".*.tmp"):
            remove_tree(stale)
