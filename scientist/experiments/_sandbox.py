"""Where candidate code runs: bubblewrap when it works here, plain processes elsewhere; and what each does not cover."""

from __future__ import annotations

import functools
import importlib.util
import shutil
import site
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

from scientist.errors import MachineryError

THREADS = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "passive",
}
"""One thread per run: parallelism is by processes, and two spinning OpenMP teams starve each other."""

CHILD_ENV = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent", "PYTHONHASHSEED": "0", **THREADS}
"""All that a candidate sees of the environment: no keys, no proxies, no paths of the user."""


class Sandbox(Protocol):
    """Wraps the command of a worker so that what it forks is contained."""

    name: str
    gaps: tuple[str, ...]
    shared: tuple[str, ...]
    """Folders of the sandbox's own that runs can write besides theirs: emptied after every run."""

    def wrap(self, command: Sequence[str], scratch: Path) -> list[str]:
        """The command that runs `command` with `scratch` as its only writable folder."""

    def inside(self, path: Path, scratch: Path) -> str:
        """How a path below `scratch` is called inside."""


class ProcessSandbox:
    """Plain processes: own process group, resource limits, clean environment, and nothing more."""

    name = "process"
    shared: tuple[str, ...] = ()
    gaps: tuple[str, ...] = (
        "the run could read any file that the user can, including the source of the evaluator and of the data",
        "the run could write outside its folder",
        "the run could use the network",
    )

    def wrap(self, command: Sequence[str], scratch: Path) -> list[str]:
        return list(command)

    def inside(self, path: Path, scratch: Path) -> str:
        return str(path)


class BubblewrapSandbox:
    """bubblewrap: own user, pid, mount, ipc, uts and network namespaces; a read-only system; one writable folder.

    `hidden` are folders masked by empty ones, such as the source of the labels.
    """

    name = "bubblewrap"
    shared: tuple[str, ...] = ("/tmp", "/dev/shm")
    gaps: tuple[str, ...] = (
        "the run shares the kernel with everything else; limits on memory hold per process, not per run",
    )

    def __init__(self, program: str, hidden: Sequence[Path] = ()) -> None:
        self.program = program
        self.hidden = tuple(hidden)

    def wrap(self, command: Sequence[str], scratch: Path) -> list[str]:
        # Without dropping them, a candidate started by root keeps every capability and can remount what is read-only.
        wrapped = [
            self.program,
            "--unshare-all",
            "--cap-drop",
            "ALL",
            "--die-with-parent",
            "--new-session",
            "--clearenv",
        ]
        for name, value in CHILD_ENV.items():
            wrapped += ["--setenv", name, value]
        wrapped += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
        for path in ("/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/alternatives"):
            if Path(path).is_symlink():
                wrapped += ["--symlink", str(Path(path).readlink()), path]
            elif Path(path).exists():
                wrapped += ["--ro-bind", path, path]
        roots, links = _interpreter_roots()
        for root in roots:
            wrapped += ["--ro-bind", str(root), str(root)]
        for link in links:
            # A link stays a link, so that there is one way to every file, and what is masked is masked on all ways.
            wrapped += ["--symlink", str(link.resolve()), str(link)]
        host = str(Path(command[2])) if len(command) > 2 else ""
        if host and Path(host).is_file():
            wrapped += ["--ro-bind", host, host]
        for folder in self.hidden:
            wrapped += ["--tmpfs", str(folder), "--remount-ro", str(folder)]
        wrapped += ["--bind", str(scratch), "/bench", "--chdir", "/bench", "--remount-ro", "/", "--"]
        return [*wrapped, *command]

    def inside(self, path: Path, scratch: Path) -> str:
        return str(Path("/bench") / path.relative_to(scratch))


def _interpreter_roots() -> tuple[list[Path], list[Path]]:
    """(real folders, other names of them) outside /usr that Python needs: prefixes, virtual environment, site-packages."""
    names = [sys.base_prefix, sys.prefix, sysconfig.get_path("purelib"), sysconfig.get_path("stdlib")]
    wanted = sorted({Path(name) for name in (*names, *site.getsitepackages()) if Path(name).is_dir()})
    roots: list[Path] = []
    for path in sorted({path.resolve() for path in wanted}):
        if not any(path.is_relative_to(root) for root in [*roots, Path("/usr")]):
            roots.append(path)
    links: list[Path] = []
    for path in wanted:
        if path != path.resolve() and not any(path.is_relative_to(place) for place in [*roots, *links, Path("/usr")]):
            links.append(path)
    return roots, links


@functools.cache
def bubblewrap_works() -> tuple[str, str]:
    """(path of bwrap, "") when it can make its namespaces here, else ("", the reason in one line)."""
    program = shutil.which("bwrap")
    if program is None:
        return "", "bubblewrap is not installed"
    try:
        done = subprocess.run(
            [
                program,
                "--unshare-all",
                "--cap-drop",
                "ALL",
                "--ro-bind",
                "/",
                "/",
                "--proc",
                "/proc",
                "--dev",
                "/dev",
                "--",
                "/bin/true",
            ],
            capture_output=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return "", f"bubblewrap does not start ({type(error).__name__})"
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
        return "", f"bubblewrap is refused by this system ({reason[0][:120]})"
    return program, ""


def choose_sandbox(wanted: Literal["auto", "bubblewrap", "process"] | str, hide: Sequence[str] = ()) -> Sandbox:
    """The sandbox to use. `hide` are 'package:folder' names (see :class:`scientist.template.Template`).

    Raises :class:`MachineryError` when bubblewrap is demanded but does not work here.
    """
    if wanted == "process":
        return ProcessSandbox()
    program, reason = bubblewrap_works()
    if program:
        return BubblewrapSandbox(program, hidden_folders(hide))
    if wanted == "bubblewrap":
        raise MachineryError(reason, 'apt-get install bubblewrap, or set sandbox = "auto"')
    return ProcessSandbox()


def hidden_folders(hide: Sequence[str]) -> list[Path]:
    """Resolve 'package:folder' to real folders, without importing the package. Unknown packages are left out."""
    folders = []
    for entry in hide:
        package, _, folder = entry.partition(":")
        spec = importlib.util.find_spec(package) if package.isidentifier() else None
        for place in (spec.submodule_search_locations or []) if spec else []:
            path = (Path(place) / folder).resolve()
            if path.is_dir() and path.is_relative_to(Path(place).resolve()):
                folders.append(path)
    return folders
