"""Checkpoints of interrupted runs: what a candidate left in `checkpoint/` is given back when the same run is done again."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from scientist.lab import remove_tree

CHECKPOINT = "checkpoint"
_TICKETS = "tickets"


class Checkpoints:
    """A folder of checkpoints by run key.

    A ticket beside the slots says which run a slot works on; it lies outside of what candidates can write. A ticket that
    is still there when a bench starts or ends belongs to a run that never ended, and its checkpoint is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, scratch: Path, slot: int, run: Path, key: str) -> bool:
        """Write the ticket and put an earlier checkpoint into the run's folder; True when there was one."""
        target, kept = run / CHECKPOINT, self._folder / key
        there = kept.is_dir()
        if there:
            shutil.copytree(kept, target, symlinks=True)
        else:
            target.mkdir()
        ticket = scratch / _TICKETS / str(slot)
        ticket.parent.mkdir(parents=True, exist_ok=True)
        ticket.write_text(f"{key}\n{target}\n", encoding="utf-8")
        return there

    def end(self, scratch: Path, slot: int, key: str) -> None:
        """The run ended, well or badly: its checkpoint is of no more use."""
        (scratch / _TICKETS / str(slot)).unlink(missing_ok=True)
        remove_tree(self._folder / key)

    def rescue(self, scratch: Path) -> None:
        """Keep the checkpoints of runs that were cut off. Links are never followed, and nothing else is kept."""
        for ticket in sorted((scratch / _TICKETS).glob("*")):
            key, _, place = ticket.read_text(encoding="utf-8").strip().partition("\n")
            source = Path(place)
            if len(key) == 64 and source.is_dir() and not source.is_symlink() and any(source.iterdir()):
                self._folder.mkdir(parents=True, exist_ok=True)
                remove_tree(self._folder / key)
                # The same disk: a rename is whole or not at all.
                with contextlib.suppress(OSError):
                    os.replace(source, self._folder / key)  # noqa: PTH105
            ticket.unlink(missing_ok=True)
