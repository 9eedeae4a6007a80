"""The lab: a folder, its settings, its lock and its journal."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from scientist.errors import LabError, Stopped
from scientist.lab._files import clear_temporaries, disk_error, write_atomic
from scientist.lab._journal import Journal
from scientist.lab._settings import Settings, load_settings

SETTINGS_FILE = "scientist.toml"


class Lab:
    """A folder with `scientist.toml`, `templates/ ideas/ papers/ reviews/ campaigns/` and `journal.jsonl`."""

    def __init__(self, root: Path, flags: dict[str, Any] | None = None) -> None:
        self.root = root.resolve()
        if not (self.root / SETTINGS_FILE).is_file():
            raise LabError(f"{root} is not a lab (no {SETTINGS_FILE})", "run `scientist init` there, or pass --lab")
        self.settings: Settings = load_settings(self.root / SETTINGS_FILE, flags)
        self.journal = Journal(self.root / "journal.jsonl")

    @property
    def ideas(self) -> Path:
        return self.root / "ideas"

    @property
    def papers(self) -> Path:
        return self.root / "papers"

    @property
    def reviews(self) -> Path:
        return self.root / "reviews"

    @property
    def campaigns(self) -> Path:
        return self.root / "campaigns"

    @property
    def private(self) -> Path:
        """Scratch space, lock and stop request: never part of a paper, safe to delete when nothing runs."""
        return self.root / ".scientist"

    @property
    def workers(self) -> int:
        """Runs at a time."""
        return self.settings.workers or len(os.sched_getaffinity(0))

    def paper(self, slug: str) -> Path:
        """The folder of one paper."""
        return self.papers / slug

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the lab for writing; a second writer gets one line instead of a race.

        The kernel drops the lock when its holder dies, so a killed campaign never leaves a stale one.
        """
        lock = FileLock(self.private / "lock")
        try:
            self.private.mkdir(parents=True, exist_ok=True)
            # A moment's patience, because :meth:`holder` tries the lock when somebody asks who works here.
            lock.acquire(timeout=0.3, poll_interval=0.05)
        except OSError as error:
            if isinstance(error, Timeout):
                raise self._taken() from error
            raise disk_error(error, self.private / "lock") from error
        try:
            write_atomic(self.private / "pid", str(os.getpid()))
            self.stop_request.unlink(missing_ok=True)
            for folder in (self.ideas, self.papers, self.reviews, self.campaigns):
                clear_temporaries(folder)
            yield
        finally:
            (self.private / "pid").unlink(missing_ok=True)
            lock.release()

    def _taken(self) -> LabError:
        holder = self.holder()
        return LabError(
            f"another scientist{f' (process {holder})' if holder else ''} is working in {self.root}",
            "wait for it, or stop it with `scientist stop`",
        )

    def holder(self) -> int | None:
        """Process id of who holds the lock, or None. A pid that a killed holder left behind does not count."""
        with contextlib.suppress(OSError, ValueError):
            pid = int((self.private / "pid").read_text())
            with (self.private / "lock").open() as handle:
                try:
                    fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return pid
        return None

    @property
    def stop_request(self) -> Path:
        return self.private / "stop"

    def request_stop(self) -> int | None:
        """Ask the working scientist to end after the runs in flight; returns its process id, or None if none works."""
        pid = self.holder()
        if pid is not None:
            write_atomic(self.stop_request, "stop\n")
        return pid

    def check_stop(self) -> None:
        """Raise :class:`Stopped` when somebody asked for it. Called between runs and between stages."""
        if self.stop_request.exists():
            raise Stopped("stopped on request; everything done so far is kept", "`scientist resume` continues")


def create_lab(root: Path) -> Lab:
    """Make a folder a lab. Existing files are left alone; raises :class:`LabError` if it already is one."""
    if (root / SETTINGS_FILE).exists():
        raise LabError(f"{root} already is a lab", "use it with --lab, or choose another folder")
    for name in ("templates", "ideas", "papers", "reviews"):
        try:
            (root / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LabError(f"cannot make {root / name}: {error.strerror}", "choose another folder") from error
    write_atomic(root / SETTINGS_FILE, DEFAULT_SETTINGS)
    return Lab(root)


def find_lab(start: Path) -> Path:
    """The nearest folder at or above `start` that holds `scientist.toml`; `start` itself when there is none."""
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / SETTINGS_FILE).is_file():
            return folder
    return start


DEFAULT_SETTINGS = """\
# Settings of this lab. A flag beats an environment variable (SCIENTIST_<KEY>) beats this file.
# docs/settings.md explains each key; an unknown one is an error that names the nearest.

rounds = 1          # rounds of a campaign
ideas = 2           # papers per round
seeds = 40          # most seeds per variant; the power calculation decides how many are used
workers = 0         # runs at a time; 0 = one per core
seed = 0            # where every random choice starts
"""
