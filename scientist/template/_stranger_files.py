"""Which files of a stranger's directory belong to a run."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from scientist.errors import TemplateError
from scientist.lab import sha256_file

LARGEST = 50 * 1024 * 1024
"""Bytes of a file that is copied into every run; a larger one is left out and named."""

MOST_FILES = 4000
LARGEST_TREE = 512 * 1024 * 1024

_LEFT_OUT = re.compile(r"run_[\w.-]+|runs|latex|outputs|wandb|node_modules|venv")
_NOT_CODE = frozenset({"template.toml", "log.txt", "metrics.jsonl", "notes.txt", "review.txt", "ideas.json"})


@dataclass(frozen=True)
class Tree:
    """The files that a run gets, as paths below the directory, sorted; and what was left out, one line each."""

    files: tuple[str, ...]
    left_out: tuple[str, ...] = ()


def tree_of(root: Path) -> Tree:
    """The files of a directory that every run gets.

    Left out: earlier runs and what they wrote, LaTeX, PDFs, notes and ideas, caches, hidden files, links that lead out of the
    directory (named), and files larger than :data:`LARGEST` (named). Raises :class:`TemplateError` when the whole is too
    large to be copied for every run.
    """
    files: list[str] = []
    left_out: list[str] = []
    total = 0
    real = root.resolve()
    for place, folders, names in os.walk(root):
        here = Path(place)
        top = here == root
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith((".", "__pycache__")) and not (top and _LEFT_OUT.fullmatch(name))
        )
        for name in [name for name in folders if (here / name).is_symlink()]:
            folders.remove(name)  # os.walk does not follow it either; it is only to be named
            left_out.append(f"{(here / name).relative_to(root)} is a link to a folder")
        for name in sorted(names):
            path = here / name
            relative = path.relative_to(root).as_posix()
            if name.startswith(".") or name.endswith((".pdf", ".pyc")) or (top and name in _NOT_CODE):
                continue
            if not path.is_file() or not path.resolve().is_relative_to(real):
                left_out.append(f"{relative} leads out of the directory, or nowhere")
                continue
            size = path.stat().st_size
            if size > LARGEST:
                left_out.append(f"{relative} is larger than {LARGEST // 1024 // 1024} MB")
                continue
            total += size
            files.append(relative)
            if len(files) > MOST_FILES or total > LARGEST_TREE:
                raise TemplateError(
                    f"{root}: too much to copy for every run ({len(files)} files, {total // 1024 // 1024} MB so far)",
                    "move what the script does not read elsewhere",
                )
    return Tree(tuple(sorted(files)), tuple(left_out))


def hash_tree(root: Path, files: tuple[str, ...]) -> str:
    """SHA-256 over the files, each by path and content."""
    total = hashlib.sha256()
    for name in files:
        total.update(name.encode() + b"\0" + bytes.fromhex(sha256_file(root / name)))
    return total.hexdigest()
