"""Where candidate code runs: bubblewrap, Landlock or plain processes, and what each does not cover."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import site
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from scientist.errors import MachineryError
from scientist.experiments._cgroups import detect_cgroups
from scientist.experiments._host import HOSTS
from scientist.experiments._landlock import SCOPE_ABI, TCP_ABI, landlock_abi
from scientist.experiments._seccomp import supported as seccomp_supported

THREADS = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "passive",
}
"""One thread per run: parallelism is by processes, and two spinning OpenMP teams starve each other."""

CHILD_ENV = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent", "PYTHONHASHSEED": "0", **THREADS}
"""All that a candidate sees of the environment: no keys, no proxies, no paths of the user."""

SYSTEM = ("/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/alternatives")
"""What programs need of the system: read-only."""

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
PROC = ("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/version", "/proc/filesystems", "/proc/sys/vm")
HOST_FILES = tuple(str(HOSTS / name) for name in ("_worker_host.py", "_landlock.py", "_seccomp.py", "_tree.py"))

MEMORY_MB = 256
"""Size of each folder that bubblewrap keeps in memory: /tmp and /dev/shm."""

NOBODY = "65534"

SIGNALS_GAP = (
    "the run could signal other processes of the user, and end the worker that it was forked from and so leave processes "
    "behind"
)


class Sandbox(Protocol):
    """Wraps the command of a worker so that what it forks is contained."""

    name: str
    gaps: tuple[str, ...]
    """What is not covered, each as a clause that a paper can print."""

    def wrap(self, command: Sequence[str], scratch: Path) -> list[str]:
        """The command that runs `command` with `scratch` as its only writable folder."""

    def inside(self, path: Path, scratch: Path) -> str:
        """How a path at or below `scratch` is called inside."""

    def setup(self, scratch: Path) -> dict[str, Any]:
        """What the worker itself must do, as JSON: see `_worker_host.py`."""

    def describe(self) -> str:
        """What it is, in a few words, for `doctor`."""


def limit_gaps() -> tuple[str, ...]:
    """What the limits of a process tree do not cover where the kernel does not keep them."""
    missing = detect_cgroups().missing
    if not missing:
        return ()
    names = " and ".join(name.replace("cpuacct", "CPU time").replace("pids", "processes") for name in missing)
    return (f"no control group holds the limit on {names}: it is polled, and can be passed for a moment",)


class ProcessSandbox:
    """Plain processes: own process group, limits, clean environment, and nothing more."""

    name = "process"

    def __init__(self) -> None:
        self.gaps: tuple[str, ...] = (
            "the run could read any file that the user can, including the source of the evaluator and of the data",
            "the run could read the environment of the user's processes, with the keys in it",
            "the run could write outside its folder",
            "the run could use the network",
            SIGNALS_GAP,
            *(["the run had the rights of the administrator"] if os.geteuid() == 0 else []),
            *limit_gaps(),
        )

    def wrap(self, command: Sequence[str], scratch: Path) -> list[str]:
        return list(command)

    def inside(self, path: Path, scratch: Path) -> str:
        return str(path)

    def describe(self) -> str:
        return "plain processes with limits, and no walls"

    def setup(self, scratch: Path) -> dict[str, Any]:
        return {}


class LandlockSandbox:
    """Landlock and a filter of system calls: files, network and signals are walled off; no name spaces.

    `hidden` are folders and files that stay closed although they lie in what may be read.
    """

    name = "landlock"

    def __init__(self, abi: int, hidden: Sequence[Path] = (), gpus: bool = False) -> None:
        self.abi = abi
        self.hidden = tuple(hidden)
        self.gpus = gpus
        gaps = [
            "the run shares the kernel with everything else",
            "the run could see names, sizes and dates of files outside, though nothing in them",
        ]
        if abi < SCOPE_ABI:
            gaps.append(SIGNALS_GAP)
        self.gaps: tuple[str, ...] = (*gaps, *limit_gaps())

    def wrap(self, command: Sequence[str], scratch: Path) -> list[str]:
        return list(command)

    def inside(self, path: Path, scratch: Path) -> str:
        return str(path)

    def describe(self) -> str:
        return f"Landlock (version {self.abi}) and a filter of system calls"

    def setup(self, scratch: Path) -> dict[str, Any]:
        roots = [*SYSTEM, *map(str, interpreter_roots()[0])]
        devices = [*DEVICES, *(gpu_devices() if self.gpus else ())]
        shared = {"write": [str(scratch)], "devices": devices, "tcp": True}
        return {
            "landlock": self.abi,
            "worker_walls": {**shared, "read": [*roots, *HOST_FILES, "/proc"], "hidden": list(map(str, self.hidden))},
            # The run's walls stand inside the worker's: what the worker may not read, the run may not either.
            "run_walls": {**shared, "read": [*roots, *PROC, "/proc/self"]},
            "filter": {"sockets": False, "metadata": False},
            "address_space": not self.gpus,
        }


class BubblewrapSandbox:
    """bubblewrap: own user, pid, mount, ipc, uts and network namespaces; a read-only system; one writable folder.

    `hidden` are folders and files masked by empty ones, such as the source of the labels. `gpus` shows the devices of
    NVIDIA and AMD cards. `more` are further options of bubblewrap, before the masks.
    """

    name = "bubblewrap"

    def __init__(self, program: str, hidden: Sequence[Path] = (), gpus: bool = False, more: Sequence[str] = ()) -> None:
        self.program = program
        self.hidden = tuple(hidden)
        self.gpus = gpus
        self.more = tuple(more)
        self.filter = seccomp_supported()
        gap = "the run shares the kernel with everything else"
        if not self.filter:
            gap += ", and its system calls are not filtered"
        self.gaps: tuple[str, ...] = (gap, *limit_gaps())
        if landlock_abi() < SCOPE_ABI:
            self.gaps += ("the run could end the worker that later runs are forked from",)

    def wrap(self, command: Sequence[str], scratch: Path) -> list[str]:
        # Without dropping them, a candidate started by root keeps every capability and can remount what is read-only.
        wrapped = [self.program, *_name_spaces(self.program), "--die-with-parent", "--new-session", "--clearenv"]
        for name, value in CHILD_ENV.items():
            wrapped += ["--setenv", name, value]
        size = str(MEMORY_MB << 20)
        wrapped += ["--proc", "/proc", "--dev", "/dev", "--size", size, "--tmpfs", "/dev/shm"]
        for device in gpu_devices() if self.gpus else ():
            wrapped += ["--dev-bind-try", device, device]
        wrapped += ["--remount-ro", "/dev", "--size", size, "--tmpfs", "/tmp"]
        for path in SYSTEM:
            if Path(path).is_symlink():
                wrapped += ["--symlink", str(Path(path).readlink()), path]
            elif Path(path).exists():
                wrapped += ["--ro-bind", path, path]
        roots, links = interpreter_roots()
        for root in roots:
            wrapped += ["--ro-bind", str(root), str(root)]
        for link in links:
            # A link stays a link, so that there is one way to every file, and what is masked is masked on all ways.
            wrapped += ["--symlink", str(link.resolve()), str(link)]
        for name in HOST_FILES:
            wrapped += ["--ro-bind", name, name]
        wrapped += self.more
        for hidden in self.hidden:
            if hidden.is_dir():
                wrapped += ["--perms", "0555", "--tmpfs", str(hidden), "--remount-ro", str(hidden)]
            else:
                wrapped += ["--ro-bind", "/dev/null", str(hidden)]
        wrapped += ["--bind", str(scratch), "/bench", "--chdir", "/bench", "--remount-ro", "/", "--"]
        return [*wrapped, *command]

    def inside(self, path: Path, scratch: Path) -> str:
        return str(Path("/bench") / path.relative_to(scratch))

    def describe(self) -> str:
        return f"bubblewrap ({self.program}){' and a filter of system calls' if self.filter else ''}"

    def setup(self, scratch: Path) -> dict[str, Any]:
        walls = {"write": ["/bench", "/tmp", "/dev"], "devices": [], "tcp": False, "read": None}
        return {
            "shared": ["/tmp", "/dev/shm"],
            "outer": str(Path("/proc/self/ns/pid").readlink()),
            "own_users": os.getuid() != 0,
            "landlock": landlock_abi(),
            "run_walls": walls if landlock_abi() else None,
            "filter": {"sockets": True, "metadata": True} if self.filter else None,
            "address_space": not self.gpus,
        }


def interpreter_roots() -> tuple[list[Path], list[Path]]:
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


def gpu_devices() -> list[str]:
    """Device files of the graphics cards in this machine."""
    return sorted(str(path) for form in ("nvidia*", "kfd", "dri") for path in Path("/dev").glob(form))


@functools.cache
def _name_spaces(program: str) -> tuple[str, ...]:
    """The options for name spaces that work here, the strictest first; empty when none do."""
    own = ("--unshare-all", "--unshare-user", "--uid", NOBODY, "--gid", NOBODY, "--cap-drop", "ALL")
    for options in ((*own, "--disable-userns"), own):
        if not _try(program, options):
            return options
    return ()


@functools.cache
def _try(program: str, options: tuple[str, ...]) -> str:
    """Why bubblewrap does not start with these options; empty when it does."""
    command = [program, *options, "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--", "/bin/true"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not start ({type(error).__name__})"
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
        return f"bubblewrap is refused by this system ({reason[0][:120]})"
    return ""


def bubblewrap_works() -> tuple[str, str]:
    """(path of bwrap, "") when it can make its namespaces here, else ("", the reason in one line)."""
    program = shutil.which("bwrap")
    if program is None:
        return "", "bubblewrap is not installed"
    if _name_spaces(program):
        return program, ""
    return "", _try(program, ("--unshare-all", "--unshare-user", "--cap-drop", "ALL")) or "bubblewrap is too old"


def landlock_works() -> tuple[int, str]:
    """(version, "") when Landlock and the filter of system calls can stand in for bubblewrap, else (0, the reason)."""
    abi = landlock_abi()
    if abi < TCP_ABI:
        return 0, "the kernel has no Landlock" if not abi else f"Landlock is of version {abi}, {TCP_ABI} is needed"
    if not seccomp_supported():
        return 0, "system calls cannot be filtered on this machine"
    return abi, ""


def choose_sandbox(
    wanted: Literal["auto", "bubblewrap", "landlock", "process"] | str, hide: Sequence[str] = (), gpus: bool = False
) -> Sandbox:
    """The sandbox to use: the strongest that works here, or the one that is `wanted`.

    `hide` are 'package:folder' names (see :class:`scientist.template.Template`); `gpus` lets runs use graphics cards.
    Raises :class:`MachineryError` when the one that is demanded does not work here, or a hidden folder is not there.
    """
    if wanted == "process":
        return ProcessSandbox()
    program, reason = bubblewrap_works() if wanted != "landlock" else ("", "")
    if program:
        return BubblewrapSandbox(program, hidden_folders(hide), gpus)
    if wanted == "bubblewrap":
        raise MachineryError(reason, 'apt-get install bubblewrap, or set sandbox = "auto"')
    abi, reason = landlock_works()
    if abi:
        return LandlockSandbox(abi, hidden_folders(hide), gpus)
    if wanted == "landlock":
        raise MachineryError(reason, 'set sandbox = "auto"')
    return ProcessSandbox()


def hidden_folders(hide: Sequence[str], shown: tuple[Path, ...] = ()) -> list[Path]:
    """The real folders (and files, of modules that are one) that 'package:folder' names mean, without importing anything.

    'package:.' is all of a package, of the standard library too. Every copy of the package is found in whatever the
    sandbox shows: another Python in /usr may have its own, and so may the folders in `shown`. A package that is not installed hides nothing. Raises
    :class:`MachineryError` when a package is there and the folder is not, since what is meant would stay readable.
    """
    folders: set[Path] = set()
    for entry in hide:
        package, _, folder = entry.partition(":")
        if not package.isidentifier():
            raise MachineryError(f"'hide' names no package: '{entry}'", "write it as 'package:folder'")
        places = _copies(package, shown)
        found = {(place / folder).resolve() for place in places if _holds(place, folder)}
        if folder == ".":
            found |= {path for root in _library_folders(shown) for path in _module_files(root, package)}
        if places and not found:
            raise MachineryError(f"'hide' names '{entry}', which is not there", "mend 'hide' in template.toml")
        folders |= found
    return sorted(folders)


def _holds(place: Path, folder: str) -> bool:
    return (place / folder).is_dir() and (place / folder).resolve().is_relative_to(place.resolve())


def _copies(package: str, shown: tuple[Path, ...]) -> list[Path]:
    """Folders of a package: the one this Python would import, and its namesakes elsewhere in what is shown."""
    spec = importlib.util.find_spec(package)
    own = [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    return [*own, *(root / package for root in _library_folders(shown) if (root / package).is_dir())]


def _module_files(root: Path, module: str) -> list[Path]:
    """The files of a module that is no package, compiled ones too."""
    return [
        path for form in (f"{module}.py", f"{module}.*.so", f"__pycache__/{module}.*.pyc") for path in root.glob(form)
    ]


@functools.cache
def _library_folders(shown: tuple[Path, ...] = ()) -> tuple[Path, ...]:
    """Every folder below what is shown that holds modules: standard libraries, site-packages, dist-packages."""
    found: set[Path] = set()
    for root in (Path("/usr"), Path("/usr/local"), *interpreter_roots()[0], *shown):
        for form in ("lib*/python3*", "lib*/pypy3*"):
            for library in root.glob(form):
                found |= {library, library / "site-packages", library / "dist-packages"}
    return tuple(sorted(path.resolve() for path in found if path.is_dir()))
