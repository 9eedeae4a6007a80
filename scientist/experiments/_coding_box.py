"""Where a coding program runs: the worker's walls and limits, its own installation shown, and one way out."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scientist.errors import MachineryError, ScientistError, UsageError
from scientist.experiments._ending import trim_log
from scientist.experiments._executor import LOG, Ending, Limits, LocalExecutor
from scientist.experiments._host import HOSTS
from scientist.experiments._relay import Relay
from scientist.experiments._sandbox import (
    SYSTEM,
    BubblewrapSandbox,
    ProcessSandbox,
    Sandbox,
    bubblewrap_works,
    hidden_folders,
    interpreter_roots,
)

START = HOSTS / "_coding_cli_start.py"
DOOR, TASK, WORK, HOME = "door", "TASK.md", "work", "home"
ETC = {"passwd": "nobody:x:65534:65534::/bench/home:/bin/sh\n", "hosts": "127.0.0.1 localhost\n"}
CERTIFICATES = "/etc/ssl/certs"

MEMORY_MB, PROCESSES, OPEN_FILES, DISK_MB, LOG_MB = 4096, 512, 4096, 256, 8
CORES = 4
"""CPU time is limited to as much as this many cores can use within the wall time."""

TICK_S = 0.2


@dataclass(frozen=True)
class Installation:
    """A program's path, what has to be shown so that it runs, links to be made again, and folders to search programs in."""

    path: str
    shown: tuple[Path, ...]
    links: Mapping[Path, Path]
    search: tuple[str, ...]


def find_program(word: str, also: Sequence[str], closed: Sequence[Path]) -> Installation:
    """Where the program called `word` is installed: a virtual environment, npm's folder, or a single file.

    `also` are paths to show besides. Nothing is shown that holds one of the `closed` folders or your home. Raises
    :class:`UsageError` when there is no such program, or `also` is not there or holds what is closed.
    """
    path = shutil.which(str(Path(word).expanduser()))
    if path is None:
        raise UsageError(f"there is no program '{word}'", "mend 'command' of [roles.experimenter], or install it")
    start = Path(os.path.abspath(path))  # noqa: PTH100 - links on the way must stay what they are
    programs, shown = [start], set[Path]()
    links: dict[Path, Path] = {}
    for program in programs:
        real = program.resolve()
        for place in (program, real):
            shown |= {root for root in _roots(place) if not _holds(root, [*closed, Path.home()])} or {real}
        if program != real and not any(program.is_relative_to(root) for root in shown):
            links[program] = real
        if (interpreter := _interpreter(real)) is not None and interpreter not in programs:
            programs.append(interpreter)
    for name in also:
        folder = Path(name).expanduser()
        if not folder.is_absolute() or not folder.exists():
            raise UsageError(f"'{name}' cannot be shown: it is not there", "mend 'show' of [roles.experimenter]")
        if _holds(folder.resolve(), closed):
            raise UsageError(f"'{name}' holds the lab or the template", "show less in [roles.experimenter]")
        shown.add(folder.resolve())
    kept = [root for root in sorted(shown) if not _of_the_system(root)]
    kept = [root for root in kept if not any(root != other and root.is_relative_to(other) for other in kept)]
    links = {link: real for link, real in links.items() if not _of_the_system(link)}
    search = [str(program.parent) for program in programs]
    return Installation(str(start), tuple(kept), links, tuple(dict.fromkeys(search)))


def _of_the_system(path: Path) -> bool:
    return any(path.is_relative_to(root) for root in SYSTEM)


def _holds(root: Path, closed: Sequence[Path]) -> bool:
    return any(folder.resolve().is_relative_to(root) for folder in closed)


def _roots(program: Path) -> list[Path]:
    """The folders that a program comes with: its virtual environment and that one's Python, or the outermost node_modules."""
    configuration = program.parent.parent / "pyvenv.cfg"
    if configuration.is_file():
        values = dict(line.partition("=")[::2] for line in configuration.read_text(errors="replace").splitlines())
        home = next((value.strip() for name, value in values.items() if name.strip() == "home"), "")
        return [configuration.parent.resolve(), *([Path(home).resolve().parent] if home else [])]
    modules = [folder for folder in program.parents if folder.name == "node_modules"]
    return [modules[-1].resolve()] if modules else []


def _interpreter(program: Path) -> Path | None:
    """What a script is run by; None when it is no script."""
    try:
        with program.open("rb") as file:
            first = file.read(256).partition(b"\n")[0].decode(errors="replace")
    except OSError:
        return None
    words = first[2:].split() if first.startswith("#!") else []
    if len(words) > 1 and words[0].endswith("/env"):
        named = next((word for word in words[1:] if not word.startswith("-") and "=" not in word), "")
        found = shutil.which(named)
        return Path(found) if found else None
    return Path(words[0]) if words else None


def choose_box(
    wanted: str, program: Installation, hide: Sequence[str], closed: Sequence[Path], scratch: Path
) -> Sandbox:
    """Bubblewrap that shows the program; plain processes only where the lab asks for them.

    `closed` are folders that stay closed although something around them is shown. Raises :class:`MachineryError`.
    """
    if wanted == "process":
        return _PlainBox()
    bwrap, reason = bubblewrap_works()
    if not bwrap:
        raise MachineryError(
            f"a coding program needs bubblewrap, and {reason}",
            'apt-get install bubblewrap, or set sandbox = "process" and trust the program with all that you can reach',
        )
    options: list[str] = []
    for name, text in ETC.items():
        (scratch / name).write_text(text)
        options += ["--ro-bind", str(scratch / name), f"/etc/{name}"]
    for path in (START, *program.shown, *filter(Path.exists, [Path(CERTIFICATES)])):
        options += ["--ro-bind", str(path), str(path)]
    for link, real in program.links.items():
        options += ["--symlink", str(real), str(link)]
    shown = [*program.shown, *interpreter_roots()[0], Path("/usr")]
    masked = [folder.resolve() for folder in closed]
    masked = [folder for folder in masked if folder.is_dir() and any(folder.is_relative_to(root) for root in shown)]
    return _WalledBox(bwrap, [*hidden_folders(hide, program.shown), *masked], more=options)


class _WalledBox(BubblewrapSandbox):
    def setup(self, scratch: Path) -> dict[str, Any]:
        # V8 and Go reserve far more address space than they use. /tmp has a size of its own, may have the program's
        # installation in it, and is never used again: nothing to count there, nothing to empty.
        return {**super().setup(scratch), "address_space": False, "shared": []}


class _PlainBox(ProcessSandbox):
    def setup(self, scratch: Path) -> dict[str, Any]:
        return {**super().setup(scratch), "address_space": False}


@dataclass(frozen=True)
class Session:
    """How a program ended, the last of what it printed, and its working copy, which is there until the block ends."""

    ending: Ending
    printed: str
    work: Path


@contextlib.contextmanager
def run_program(
    box: Sandbox,
    scratch: Path,
    minutes: float,
    prepare: Callable[[Path], str],
    job: Callable[[str, str, str, str], tuple[list[str], dict[str, str]]],
    relay: Relay | None,
    check: Callable[[], None],
) -> Iterator[Session]:
    """Run a coding program once in a fresh folder below `scratch`, and end all that it started.

    `prepare(folder)` fills the working copy and returns the task. `job(folder, task file, home, base address)` gives
    (argv, environment) from how these are called inside. `check` is called a few times a second; what it raises ends
    the program. Raises :class:`MachineryError` when the box cannot be made.
    """
    executor = LocalExecutor((), box, scratch, 1)
    wall = 60 * minutes
    limits = Limits(wall, CORES * wall, MEMORY_MB, PROCESSES, OPEN_FILES, DISK_MB, LOG_MB)
    try:
        executor.start()
        run = executor.folder(0)
        for name in (WORK, HOME):
            (run / name).mkdir()
        (run / TASK).write_text(prepare(run / WORK), encoding="utf-8")
        (run / TASK).chmod(0o444)

        def answer(port: int) -> bytes:
            folder, task, home = (box.inside(run / name, run) for name in (WORK, TASK, HOME))
            argv, env = job(folder, task, home, relay.inside(port) if relay else "")
            return json.dumps({"argv": argv, "env": env, "folder": folder, "stdin": task}).encode()

        with _Door(run / DOOR, answer, relay), _Stopper(executor, check) as stopper:
            try:
                ending = executor.execute(0, [sys.executable, "-I", str(START), DOOR], limits)
            except MachineryError:
                stopper.raise_again()
                raise
        yield Session(ending, trim_log(run / LOG), run / WORK)
    finally:
        executor.stop()


class _Door:
    """Waits at a socket in the run's folder for the program's start: takes its listening socket, says what to run."""

    def __init__(self, place: Path, answer: Callable[[int], bytes], relay: Relay | None) -> None:
        self._answer, self._relay, self._place = answer, relay, place
        self._socket = socket.socket(socket.AF_UNIX)
        folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._socket.bind(f"/proc/self/fd/{folder}/{place.name}")  # a socket's path may have a hundred letters
        finally:
            os.close(folder)
        self._socket.listen(1)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._wait, name="door", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._socket.close()
        if self._relay is not None:
            self._relay.stop()

    def _wait(self) -> None:
        while not self._ended.is_set():
            if select.select([self._socket], [], [], TICK_S)[0]:
                break
        else:
            return
        caller, _ = self._socket.accept()
        self._socket.close()  # nobody else is let in
        with caller, contextlib.suppress(OSError):
            caller.settimeout(30)
            _, descriptors, _, _ = socket.recv_fds(caller, 1, 1)
            if descriptors:
                listener = socket.socket(fileno=descriptors[0])
                caller.sendall(self._answer(listener.getsockname()[1]))
                if self._relay is None:
                    listener.close()
                else:
                    self._relay.serve(listener)


class _Stopper:
    """Calls `check` while a program works; when it raises, the program is ended."""

    def __init__(self, executor: LocalExecutor, check: Callable[[], None]) -> None:
        self._executor, self._check = executor, check
        self._ended = threading.Event()
        self._error: ScientistError | None = None
        self._thread = threading.Thread(target=self._watch, name="stopper", daemon=True)

    def __enter__(self) -> _Stopper:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(TICK_S):
            try:
                self._check()
            except ScientistError as error:
                self._error = error
                self._executor.interrupt()
                return

    def raise_again(self) -> None:
        """What `check` raised, if it did."""
        if self._error is not None:
            raise self._error
