"""The folder that a coding program edits: how it is laid out, and how what is left of it is read back, as hostile."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from scientist.errors import MachineryError
from scientist.experiments._code import LARGEST_FILE
from scientist.lab import inside
from scientist.template import Template

MOST_ENTRIES, DEEPEST = 20_000, 32

_GIT = {"PATH": "/usr/bin:/bin:/usr/local/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent"}
_GIT |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_DATE": "2000-01-01T00:00:00Z"}
_GIT |= {"GIT_COMMITTER_DATE": "2000-01-01T00:00:00Z"}
_REPOSITORY = (
    ("init", "-q", "--template=", "-b", "main"),
    ("config", "user.name", "scientist"),
    ("config", "user.email", "scientist@localhost"),
    ("add", "-A"),
    ("commit", "-q", "-m", "The code as it is"),
)


def lay_out(template: Template, folder: Path, instead: Mapping[str, bytes]) -> None:
    """Fill an empty folder with the editable files and nothing else, under git; `instead` lies on top, not committed.

    Without git on this machine it is no repository. Raises :class:`MachineryError` when git does not work.
    """
    for name in template.editable:
        path = inside(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(inside(template.root, name).read_bytes())
    if git := shutil.which("git", path=_GIT["PATH"]):
        for words in _REPOSITORY:
            # Never again after the program was here: what it leaves in .git could run as us.
            done = subprocess.run([git, *words], cwd=folder, env=_GIT, capture_output=True, check=False, timeout=60)
            if done.returncode:
                said = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
                raise MachineryError(f"git does not work here: {said[0][:200]}", "mend or remove git")
    for name, content in instead.items():
        inside(folder, name).write_bytes(content)


def read_back(template: Template, folder: Path) -> dict[str, bytes]:
    """Every editable file as it is now. Nothing is followed, executed or believed.

    Raises :class:`ValueError`, one line, when one is no plain file any more, or when anything else was left there.
    What begins with a dot (the repository, notes of programs such as `.aider.tags`) and compiled Python are passed over.
    """
    if folder.is_symlink() or not folder.is_dir():
        raise ValueError("the folder was replaced")
    may = ", ".join(template.editable)
    for name in _left(folder, template.editable):
        raise ValueError(f"'{_plain(name)}' was left there; only {may} may be changed")
    return {name: _read(folder, name) for name in template.editable}


def _left(folder: Path, editable: tuple[str, ...]) -> Iterator[str]:
    """What lies there and is neither editable, nor on the way to it, nor passed over."""
    above = {str(parent) for name in editable for parent in PurePosixPath(name).parents} - {"."}
    queue, seen = [("", 0)], 0
    while queue:
        here, depth = queue.pop()
        try:
            with os.scandir(folder / here) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError:
            raise ValueError(f"the folder '{_plain(here)}' cannot be read") from None
        for entry in entries:
            name = f"{here}/{entry.name}" if here else entry.name
            seen += 1
            if seen > MOST_ENTRIES or depth > DEEPEST:
                raise ValueError("too many files were left there")
            if name in editable:
                continue
            if name in above and entry.is_dir(follow_symlinks=False):
                queue.append((name, depth + 1))
            elif name in above or not _passed_over(name):
                yield name


def _passed_over(name: str) -> bool:
    return name.startswith(".") or "__pycache__" in name.split("/") or name.endswith(".pyc")


def _read(folder: Path, name: str) -> bytes:
    """One file: no link, no pipe, no second name of another file, not too large."""
    try:
        handle = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise ValueError(f"'{name}' is gone") from None
    except OSError:
        raise ValueError(f"'{name}' is no plain file any more") from None
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        os.close(handle)
        raise ValueError(f"'{name}' is no plain file any more")
    with os.fdopen(handle, "rb") as file:
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise ValueError(f"'{name}' has more than {LARGEST_FILE} bytes")
    return content


def _plain(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name)[:80]
