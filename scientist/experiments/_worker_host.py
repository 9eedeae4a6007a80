"""The process that candidate code is forked from: imports the warm modules once, then one fork per run.

Runs *inside* the sandbox, alone, with nothing but the standard library and the warm modules; it is never imported by
the scientist. Protocol: one JSON request per line on stdin, one JSON answer per line on stdout.

Argument: {"warm", and what the sandbox asks for: "shared", "outer", "own_users", "landlock", "worker_walls", "run_walls",
           "filter", "address_space", "counters"}, see `_sandbox.py`
Request:  {"cwd", "argv", "log", "env", "wall_s", "cpu_s", "memory_mb", "processes", "open_files", "disk_mb", "log_mb"}
Answer:   {"outcome": see `EndKind`, "code", "wall_s", "cpu_s", "max_rss_mb", "stragglers"}
"""

import contextlib
import ctypes
import gc
import importlib
import importlib.util
import json
import os
import pkgutil  # noqa: F401 - runpy would import it in every fork
import platform
import resource
import runpy
import select
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from scientist.experiments import _landlock, _seccomp, _tree
else:

    def neighbour(name: str):
        """A module beside this file, without a path that candidates could import from."""
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")
        spec = importlib.util.spec_from_file_location(name, path)
        module = sys.modules[name] = importlib.util.module_from_spec(spec)  # dataclasses look themselves up there
        spec.loader.exec_module(module)
        return module

    _landlock, _seccomp, _tree = neighbour("_landlock"), neighbour("_seccomp"), neighbour("_tree")

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 1, 4, 36
MEGABYTE = 1024 * 1024
FIRST_LOOK_S, LONGEST_LOOK_S = 0.01, 0.05
ENTRIES_PER_MB, FEWEST_ENTRIES = 32, 1024
"""Files and folders that a run may have, by the disk space it may use."""
END_S = 10.0
"""What a run left behind is ended within this time, or never."""


LAZY = ("numpy.random", "numpy.linalg", "numpy.fft")
"""What a warm package imports only when it is first used: once here instead of in every fork."""

LIBRARY = ctypes.CDLL(None)


def prctl(option: int, value: int) -> None:
    with contextlib.suppress(AttributeError):
        LIBRARY.prctl(option, value, 0, 0, 0)


class Candidate:
    """What every fork does before it becomes the candidate, prepared once."""

    def __init__(self, setup: dict[str, Any]) -> None:
        self.landlock = int(setup.get("landlock") or 0)
        self.walls = setup.get("run_walls")
        self.address_space = setup.get("address_space", True)
        self.others = len(os.listdir("/proc/self/task")) + 1 if setup.get("own_users") else 0
        wanted = setup.get("filter")
        self.filter = _seccomp.compile_filter(platform.machine(), **wanted) if wanted else b""

    def limit(self, request: dict[str, Any]) -> None:
        limits = {
            resource.RLIMIT_CORE: 0,
            resource.RLIMIT_CPU: int(request["cpu_s"]) + 1,
            resource.RLIMIT_FSIZE: request["disk_mb"] * MEGABYTE,
            resource.RLIMIT_NOFILE: request["open_files"],
        }
        if self.address_space:
            limits[resource.RLIMIT_AS] = request["memory_mb"] * MEGABYTE
        if self.others:
            # Only in a user name space of our own: elsewhere it counts all that the user runs. Polling sees it first.
            limits[resource.RLIMIT_NPROC] = request["processes"] + self.others + 8
        for kind, most in limits.items():
            with contextlib.suppress(ValueError, OSError):
                _, hard = resource.getrlimit(kind)
                most = most if hard == resource.RLIM_INFINITY else min(most, hard)
                resource.setrlimit(kind, (most, most + 1 if kind == resource.RLIMIT_CPU else most))

    def wall_in(self) -> None:
        """Raises OSError when a wall that was promised cannot be put up."""
        if self.walls is not None:
            put_up(self.landlock, self.walls, scopes=True)
            _landlock.drop_capabilities()
        if self.filter:
            _landlock.no_new_privileges()
            _seccomp.install(self.filter)

    def become(self, request: dict[str, Any], log: int) -> NoReturn:
        """In the fork: session, log, limits, walls, then the candidate as __main__. Never returns."""
        code = 1
        try:
            os.setsid()
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            prctl(PR_SET_DUMPABLE, 1)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as handle:
                handle.write("1000")  # when memory runs out, the run goes and not its worker
            os.chdir(request["cwd"])
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.closerange(3, 4096)
            os.environ.clear()
            os.environ.update(request["env"])
            self.limit(request)
            self.wall_in()
            gc.enable()
            argv = request["argv"]
            if argv[0] in ("python", "python3") and len(argv) > 1 and argv[1].endswith(".py"):
                sys.argv = argv[1:]
                sys.path.insert(0, os.getcwd())
                runpy.run_path(argv[1], run_name="__main__")
                code = 0
            else:
                os.execvpe(argv[0], argv, request["env"])
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
            if isinstance(error.code, str):
                sys.stderr.write(error.code + "\n")
        except BaseException:  # noqa: BLE001 - a candidate may raise anything; its log must say what
            import traceback

            with contextlib.suppress(BaseException):
                kind, value, trace = sys.exc_info()
                # The first frames are ours (this host and runpy); the reader of the log wants the candidate's.
                while trace is not None and trace.tb_frame.f_code.co_filename not in request["argv"]:
                    trace = trace.tb_next
                traceback.print_exception(kind, value, trace)
        finally:
            with contextlib.suppress(BaseException):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code & 0xFF)


def put_up(abi: int, walls: dict[str, Any], scopes: bool) -> None:
    reads = walls["read"] is not None
    ruleset = _landlock.create_ruleset(abi, reads=reads, tcp=walls["tcp"], scopes=scopes)
    if reads:
        _landlock.allow_reading(ruleset, walls["read"], walls.get("hidden", ()))
    _landlock.allow_writing(ruleset, walls["write"], abi, reads)
    _landlock.allow_devices(ruleset, walls["devices"], abi)
    _landlock.enforce(ruleset)


class Watch:
    """Compares what a run's whole tree uses with its limits."""

    def __init__(self, request: dict[str, Any], log: int, shared: list[str], counters: dict[str, int]) -> None:
        self.request, self.log, self.counters = request, log, counters
        self.places = [request["cwd"], *shared]
        self.most_entries = max(FEWEST_ENTRIES, request["disk_mb"] * ENTRIES_PER_MB)
        self.before = {name: self._count(name) for name in counters}
        self.reaped_s = 0.0
        self.peak = 0

    def _count(self, name: str) -> int:
        """A counter of the control group: nanoseconds, refused forks, or processes killed for memory; 0 without one."""
        text = os.pread(self.counters[name], 4096, 0).decode()
        words = text.split()
        for key, scale in (("usage_usec", 1000), ("max", 1), ("oom_kill", 1)):
            if key in words:
                return int(words[words.index(key) + 1]) * scale
        return int(text) if text.strip().isdigit() else 0

    def _moved(self, name: str) -> int:
        return self._count(name) - self.before[name] if name in self.counters else 0

    def passed_for_good(self, pids: list[int]) -> str:
        """The limit that what stays when everything has ended shows to have been passed; empty when none."""
        if self._moved("memory"):
            return "memory"
        if self._moved("processes"):
            return "processes"
        if os.fstat(self.log).st_size > self.request["log_mb"] * MEGABYTE:
            return "log"
        size, entries = _tree.folder_usage(self.places, self.most_entries)
        most = self.request["disk_mb"] * MEGABYTE
        if entries > self.most_entries or size > most or size + _tree.unlinked(pids) > most:
            return "disk"
        return ""

    def passed(self) -> str:
        """The limit that the tree has passed by now; empty when none."""
        pids = _tree.descendants(os.getpid())
        if found := self.passed_for_good(pids):
            return found
        now = _tree.totals(pids)
        if now.tasks > self.request["processes"]:
            return "processes"
        if max(now.cpu_s + self.reaped_s, self._moved("cpu") / 1e9) > self.request["cpu_s"]:
            return "cpu"
        if now.resident > self.request["memory_mb"] * MEGABYTE:
            # Pages that a fork shares with its parent were counted more than once: look closer before judging.
            now.resident = _tree.proportional(pids)
        self.peak = max(self.peak, now.resident)
        return "memory" if now.resident > self.request["memory_mb"] * MEGABYTE else ""

    def reap_orphans(self, main: int) -> None:
        """Wait for ended processes that were left to us, and keep count of the time they used."""
        while hasattr(os, "waitid"):
            with contextlib.suppress(ChildProcessError):
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if ended is not None and ended.si_pid != main:
                    usage = os.wait4(ended.si_pid, 0)[2]
                    self.reaped_s += usage.ru_utime + usage.ru_stime
                    continue
            return


class Ended:
    """Waits for the end of a child without taking its status, so that its number stays its own."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.descriptor = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1

    def within(self, seconds: float) -> bool:
        if self.descriptor >= 0:
            return bool(select.select([self.descriptor], [], [], seconds)[0])
        deadline = time.monotonic() + seconds
        while os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.002)
        return True

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)


class Worker:
    """Forks one run at a time, watches it, and leaves nothing of it behind."""

    def __init__(self, setup: dict[str, Any]) -> None:
        self.shared: list[str] = setup.get("shared", [])
        # What is mounted below /tmp is no run's to lose: a program that is installed there, for one.
        self.spared = {place: _tree.mounted_below(place) for place in self.shared}
        self.counters: dict[str, int] = setup.get("counters", {})
        # Sure to be alone with what we forked: this is not the pid name space that the scientist is in.
        self.alone = bool(setup.get("outer")) and os.readlink("/proc/self/ns/pid") != setup["outer"]
        self.candidate = Candidate(setup)

    def check_walls(self) -> None:
        """Try in a fork what every run needs. Raises OSError when a wall cannot be put up here."""
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            said = b"no answer"
            try:
                self.candidate.wall_in()
                said = b""
            except BaseException as error:  # noqa: BLE001 - whatever it is, the walls do not stand
                said = repr(error).encode()
            finally:
                os.write(write, said + b".")
                os._exit(0)
        os.close(write)
        answer = os.read(read, 4096).decode()
        os.close(read)
        os.waitpid(pid, 0)
        if answer != ".":
            raise OSError(f"the sandbox cannot be closed: {answer or 'the check died'}")

    def run(self, request: dict[str, Any]) -> dict[str, Any]:
        """Fork one run, watch it until it ends or passes a limit, end all that it started, and say how it ended."""
        path = os.path.join(request["cwd"], request["log"])
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_NOFOLLOW, 0o644)
        watch = Watch(request, log, self.shared, self.counters)
        started = time.monotonic()
        main = os.fork()
        if main == 0:
            self.candidate.become(request, log)
        ended = Ended(main)
        outcome, look = "", FIRST_LOOK_S
        while not ended.within(min(look, max(0.0, started + request["wall_s"] - time.monotonic()))):
            began = time.monotonic()
            if began - started >= request["wall_s"]:
                outcome = "wall"
                break
            watch.reap_orphans(main)
            if outcome := watch.passed():
                break
            # Looking may take a twentieth of the time, not more: folders can be large, and trees wide.
            look = max(min(2 * look, LONGEST_LOOK_S), 20 * (time.monotonic() - began))
        wall = time.monotonic() - started
        ended.close()
        self._kill_all(main)
        _, status, usage = os.wait4(main, 0)
        stragglers = self.sweep()
        code = os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        outcome = outcome or watch.passed_for_good([]) or ("signal" if os.WIFSIGNALED(status) else "exit")
        os.close(log)
        for place in self.shared:
            _tree.empty(place, self.spared[place])
        return {
            "outcome": outcome,
            "code": code,
            "wall_s": wall,
            "cpu_s": usage.ru_utime + usage.ru_stime + watch.reaped_s,
            "max_rss_mb": max(usage.ru_maxrss / 1024, watch.peak / MEGABYTE),
            "stragglers": stragglers,
        }

    def _kill_all(self, main: int) -> None:
        """Kill the run. Its main process has not been waited for, so its number and its group's are still its own."""
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(main, signal.SIGKILL)

    def sweep(self) -> int:
        """Kill and reap everything a run left behind, double-forked daemons too (we are their subreaper)."""
        swept, deadline, rounds = 0, time.monotonic() + END_S, 0
        while time.monotonic() < deadline:
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
                if rounds == 0:
                    swept = len(_tree.descendants(os.getpid()))
                self._kill_descendants(rounds)
                rounds += 1
                time.sleep(0.0005)
                continue
            return swept
        return swept

    def _kill_descendants(self, rounds: int) -> None:
        if self.alone:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(-1, signal.SIGKILL)  # everything in this pid name space but us, at one moment: no fork escapes
            return
        # Children are ours until we wait for them, so no number can belong to a stranger by now. Their own children
        # become ours when they die. A tree that grows faster than that is killed as a whole.
        for pid in _tree.children(os.getpid()) if rounds < 3 else _tree.descendants(os.getpid()):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def main() -> None:
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    prctl(PR_SET_DUMPABLE, 0)  # no run may trace us, or reach our pipes through /proc
    setup = json.loads(sys.argv[1])
    # Candidates get other descriptors 0-2; the protocol moves out of their way and is closed in the fork.
    requests = os.fdopen(os.dup(0), "rb", buffering=0)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    if setup.get("worker_walls"):
        put_up(int(setup["landlock"]), setup["worker_walls"], scopes=True)
    for name in setup["warm"]:
        importlib.import_module(name)
    for name in LAZY:
        if name.partition(".")[0] in sys.modules:
            importlib.import_module(name)
    worker = Worker(setup)

    def leave(*_: object) -> None:
        worker.sweep()
        os._exit(0)

    signal.signal(signal.SIGTERM, leave)
    worker.check_walls()
    gc.collect()
    gc.disable()
    gc.freeze()  # what was imported stays shared with every fork instead of being copied by its first collection
    answers.write(b'{"ready": true}\n')
    for line in iter(requests.readline, b""):
        answers.write(json.dumps(worker.run(json.loads(line))).encode() + b"\n")
    leave()


if __name__ == "__main__":
    main()
