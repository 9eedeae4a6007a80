"""The process that candidate code is forked from: imports the warm modules once, then one fork per run.

Runs *inside* the sandbox, alone, with nothing but the standard library and the warm modules; it is never imported by
the scientist. Protocol: one JSON request per line on stdin, one JSON answer per line on stdout.

Request: {"cwd", "argv", "log", "env", "wall_s", "cpu_s", "memory_mb", "output_mb"}
Answer:  {"outcome": "exit" | "signal" | "wall", "code", "wall_s", "cpu_s", "max_rss_mb", "stragglers"}
"""

import contextlib
import ctypes
import importlib
import json
import os
import resource
import runpy
import select
import shutil
import signal
import sys
import time
from typing import Any, NoReturn

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
SHARED: list[str] = []  # folders of the sandbox, emptied after every run; none outside a sandbox


def prctl(option: int, value: int) -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def descendants(root: int) -> list[int]:
    """Process ids below `root`, from /proc; empty where there is no /proc."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError), open(f"/proc/{name}/stat", "rb") as handle:
                parent = int(handle.read().rsplit(b")", 1)[1].split()[1])
                children.setdefault(parent, []).append(int(name))
    found: list[int] = []
    queue = [root]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def sweep() -> int:
    """Kill and reap everything a run left behind, double-forked daemons too (we are their subreaper)."""
    swept = 0
    for _ in range(50):
        left = descendants(os.getpid())
        if not left:
            return swept
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
                swept += 1
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.002)
    return swept


def wipe(places: list[str]) -> None:
    """Empty the folders that a run could write besides its own, so that no run leaves anything for the next."""
    for place in places:
        for entry in os.scandir(place) if os.path.isdir(place) else ():
            with contextlib.suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    os.unlink(entry.path)


def become_candidate(request: dict[str, Any]) -> NoReturn:
    """In the fork: limits, log, clean environment, then the candidate as __main__. Never returns."""
    code = 1
    try:
        os.setsid()
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.chdir(request["cwd"])
        null = os.open(os.devnull, os.O_RDONLY)
        log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(null, 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.closerange(3, 1024)
        os.environ.clear()
        os.environ.update(request["env"])
        megabyte = 1024 * 1024
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (int(request["cpu_s"]) + 1, int(request["cpu_s"]) + 2))
        resource.setrlimit(resource.RLIMIT_AS, (request["memory_mb"] * megabyte,) * 2)
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["disk_mb"] * megabyte,) * 2)
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
            while trace is not None and trace.tb_frame.f_code.co_filename != request["argv"][-1]:
                trace = trace.tb_next
            traceback.print_exception(kind, value, trace)
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code & 0xFF)


def supervise(request: dict[str, Any]) -> dict[str, Any]:
    """Fork one run, wait for it within its wall time, kill its process group, sweep, and say how it ended."""
    started = time.monotonic()
    pid = os.fork()
    if pid == 0:
        become_candidate(request)
    outcome = "exit"
    descriptor = os.pidfd_open(pid)
    try:
        ready, _, _ = select.select([descriptor], [], [], request["wall_s"])
        if not ready:
            outcome = "wall"
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    finally:
        os.close(descriptor)
    _, status, usage = os.wait4(pid, 0)
    wall = time.monotonic() - started
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    stragglers = sweep()
    wipe(SHARED)
    if outcome == "exit" and os.WIFSIGNALED(status):
        outcome = "signal"
    code = os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    return {
        "outcome": outcome,
        "code": code,
        "wall_s": wall,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "max_rss_mb": usage.ru_maxrss / 1024,
        "stragglers": stragglers,
    }


def main() -> None:
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    def leave(*_: object) -> None:
        sweep()
        os._exit(0)

    signal.signal(signal.SIGTERM, leave)
    # Candidates get other descriptors 0-2; the protocol moves out of their way and is closed in the fork.
    requests = os.fdopen(os.dup(0), "rb", buffering=0)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    SHARED.extend(json.loads(sys.argv[2]))
    for name in json.loads(sys.argv[1]):
        importlib.import_module(name)
    answers.write(b'{"ready": true}\n')
    for line in iter(requests.readline, b""):
        answers.write(json.dumps(supervise(json.loads(line))).encode() + b"\n")
    leave()


if __name__ == "__main__":
    main()
