"""One attack per test, through the whole bench: contained, and named for what it is.

`bench` is every sandbox that works here, plain processes too: limits hold in all of them. `walled` are bubblewrap and
Landlock, which claim walls; what they stop is shown to work in plain processes, so that these tests can fail.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from scientist.experiments import Bench, bubblewrap_works, choose_sandbox
from scientist.experiments._ending import LOG_LIMIT
from scientist.experiments._landlock import SCOPE_ABI, landlock_abi
from scientist.experiments._sandbox import hidden_folders, landlock_works
from scientist.template import load_template

DIAL = Path(__file__).parents[1] / "templates" / "dial"
WALLED = [*(["bubblewrap"] if bubblewrap_works()[0] else []), *(["landlock"] if landlock_works()[0] else [])]
KEY = "sk-planted-in-the-environment"
SIGNALS_SCOPED = landlock_abi() >= SCOPE_ABI
SMALL = {
    "wall_s = 2": "wall_s = 6",
    "cpu_s = 2": "cpu_s = 4",
    "memory_mb = 512": "memory_mb = 256\nprocesses = 12\nopen_files = 64\ndisk_mb = 4\nlog_mb = 1",
}


@contextlib.contextmanager
def started(kind: str, place: Path) -> Iterator[Bench]:
    """A bench on a copy of the dial with small limits; whatever is done to it, an honest run works afterwards."""
    copy = shutil.copytree(DIAL, place / "dial")
    text = (copy / "template.toml").read_text()
    for old, new in SMALL.items():
        assert old in text
        text = text.replace(old, new)
    (copy / "template.toml").write_text(text)
    template = load_template(copy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", KEY)
        with Bench.local(template, choose_sandbox(kind, ["pydoc_data:."]), place / "scratch", 1) as bench:
            before = template.fingerprint()
            yield bench
            with bench.run(template.defaults, 1, ("keep",)) as outcome:
                assert (outcome.status, outcome.reason) == ("ok", "")
            assert template.fingerprint() == before


@pytest.fixture(scope="module")
def benches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Bench]]:
    with contextlib.ExitStack() as stack:
        yield {kind: stack.enter_context(started(kind, tmp_path_factory.mktemp(kind))) for kind in ("process", *WALLED)}


@pytest.fixture(params=["process", *WALLED])
def bench(request: pytest.FixtureRequest, benches: dict[str, Bench]) -> Bench:
    return benches[request.param]


@pytest.fixture(params=WALLED)
def walled(request: pytest.FixtureRequest, benches: dict[str, Bench]) -> Bench:
    return benches[request.param]


@pytest.fixture
def bubblewrap(benches: dict[str, Bench]) -> Bench:
    if "bubblewrap" not in benches:
        pytest.skip("bubblewrap does not work here")
    return benches["bubblewrap"]


def attack(bench: Bench, code: str, **budget: Any) -> tuple[str, str]:
    """(status, reason) of a run with this code; `budget` changes limits."""
    usual = bench.template
    bench.template = usual.model_copy(update={"budget": usual.budget.model_copy(update=budget)})
    try:
        with bench.run(usual.defaults, 3, ("keep",), {"train.py": code.encode()}) as outcome:
            assert (outcome.metrics == {}) == (outcome.status != "ok")
            return outcome.status, outcome.reason
    finally:
        bench.template = usual


def told(bench: Bench, code: str) -> str:
    """What the code says with its last words."""
    status, reason = attack(bench, code)
    assert status == "failed", (status, reason)
    return reason


def refused(reason: str) -> bool:
    words = "Permission denied|Operation not permitted|No such file|Read-only|unreachable|refused"
    return re.search(words, reason) is not None


# Limits: in every form of the sandbox.


def test_a_fork_bomb(bench: Bench) -> None:
    code = "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n"
    status, reason = attack(bench, code)
    assert (status, reason) == ("processes", "started more than 12 processes and threads")
    assert not strays(bench)


def strays(bench: Bench) -> list[int]:
    """Processes below the bench's worker that are no part of the sandbox."""
    host = bench.executor._slots[0].host.process  # type: ignore[attr-defined]
    below = psutil.Process(host.pid).children(recursive=True)
    found = [p for p in below if p.name() != "bwrap" and "_worker_host.py" not in " ".join(p.cmdline())]
    return [p.pid for p in found]


def test_thousands_of_threads(bench: Bench) -> None:
    code = (
        "import threading, time\nthreading.stack_size(65536)\n"
        "for _ in range(5000):\n    threading.Thread(target=time.sleep, args=(9,)).start()\n"
    )
    assert attack(bench, code)[0] == "processes"


def test_a_memory_hog(bench: Bench) -> None:
    code = "import numpy as np\nhoard = []\nwhile True:\n    hoard.append(np.ones(1 << 18))\n"
    assert attack(bench, code)[0] == "memory"


def test_many_children_that_are_each_below_the_limit(bench: Bench) -> None:
    code = (
        "import os, time\nimport numpy as np\n"
        "for _ in range(8):\n    if os.fork() == 0:\n        hoard = np.ones(8 << 20)\n        time.sleep(9)\ntime.sleep(9)\n"
    )
    assert attack(bench, code) == ("memory", "used more than 256 MB of memory")


def test_memory_that_no_process_maps(bench: Bench) -> None:
    code = (
        "import os, time\nfor n in range(20):\n    with open(os.memfd_create(str(n)), 'wb', closefd=False) as f:\n"
        "        f.write(bytes(1 << 20))\ntime.sleep(9)\n"
    )
    assert attack(bench, code)[0] in ("disk", "memory")


def test_one_file_that_fills_the_disk(bench: Bench) -> None:
    code = "with open('big', 'wb') as f:\n    while True:\n        f.write(bytes(1 << 18))\n"
    assert attack(bench, code)[0] == "disk"


def test_many_files_that_fill_the_disk(bench: Bench) -> None:
    code = "from pathlib import Path\nfor n in range(100000):\n    Path(str(n)).write_bytes(bytes(1 << 18))\n"
    assert attack(bench, code)[0] == "disk"


def test_a_file_without_a_name_that_fills_the_disk(bench: Bench) -> None:
    code = (
        "import os, time\nfor n in range(30):\n    globals()[f'f{n}'] = f = open('big', 'wb')\n    os.unlink('big')\n"
        "    f.write(bytes(1 << 20))\n    f.flush()\ntime.sleep(9)\n"
    )
    assert attack(bench, code)[0] == "disk"


def test_thousands_of_empty_files(bench: Bench) -> None:
    code = "import os\nfor n in range(1000000):\n    os.close(os.open(str(n), os.O_CREAT))\n"
    assert attack(bench, code)[0] == "disk"


def test_folders_nested_without_end(bench: Bench) -> None:
    code = "import os\nwhile True:\n    os.mkdir('d' * 99)\n    os.chdir('d' * 99)\n"
    assert attack(bench, code)[0] == "disk"
    assert told(bench, "import os\nraise SystemExit(f'{sorted(os.listdir())}')").count("d" * 99) == 0


def test_memory_folders_that_fill(bubblewrap: Bench) -> None:
    for place in ("/tmp", "/dev/shm"):
        code = f"for n in range(100000):\n    open(f'{place}/{{n}}', 'wb').write(bytes(1 << 18))\n"
        assert attack(bubblewrap, code)[0] == "disk"
        assert told(bubblewrap, f"import os\nraise SystemExit(str(os.listdir({place!r})))") == "[]"
    for place in ("/", "/dev", "/usr", "/bench/.."):
        assert refused(told(bubblewrap, f"open('{place}/x', 'w')"))


def test_endless_output(bench: Bench) -> None:
    code = "import sys\nwhile True:\n    sys.stdout.write('x' * 4000)\n"
    with bench.run(bench.template.defaults, 3, ("keep",), {"train.py": code.encode()}) as outcome:
        # 4 MB is also the most that any one file may have: whichever the kernel or we see first.
        assert (outcome.status, outcome.reason) == ("log", "printed more than 1 MB")
        assert (outcome.folder / "log.txt").stat().st_size <= LOG_LIMIT + 100


def test_sleeping_past_the_limit(bench: Bench) -> None:
    assert attack(bench, "import time\ntime.sleep(60)", wall_s=0.4) == ("timeout", "no end within 0.4 s")


def test_a_run_that_ignores_requests_to_end(bench: Bench) -> None:
    code = "import signal, time\nfor n in range(1, 65):\n    try:\n        signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError):\n        pass\ntime.sleep(60)\n"
    assert attack(bench, code, wall_s=0.4)[0] == "timeout"


def test_cpu_time_burnt_in_children(bench: Bench) -> None:
    code = "import os\nfor _ in range(4):\n    if os.fork() == 0:\n        while True:\n            pass\nos.wait()\n"
    assert attack(bench, code, cpu_s=0.3) == ("timeout", "used more CPU time than allowed")


def test_more_open_files_than_allowed(bench: Bench) -> None:
    code = "kept = [open('/dev/null') for _ in range(1000)]"
    assert "Too many open files" in told(bench, code)


def test_a_daemon_left_behind(bench: Bench, tmp_path: Path) -> None:
    code = (
        "import os, time\nfrom pathlib import Path\n"
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        while True:\n            time.sleep(0.01)\n"
        "    os._exit(0)\nos.wait()\nPath('outputs/value.json').write_text('{\"value\": 1.0}')\n"
    )
    assert attack(bench, code)[0] == "ok"
    assert not strays(bench)


# What a run says about itself, and what it leaves for others: in every form.


def test_a_printed_metric_is_no_score(bench: Bench) -> None:
    code = (
        "from pathlib import Path\nprint('{\"score\": 999}')\n"
        "Path('metrics.jsonl').write_text('{\"step\": 1, \"score\": 999}\\n')\n"
        "Path('outputs/value.json').write_text('{\"value\": 1.0}')\n"
    )
    with bench.run(bench.template.defaults, 3, ("keep",), {"train.py": code.encode()}) as outcome:
        assert outcome.status == "ok" and abs(outcome.metrics["keep"]["score"] - 1.0) < 1.0


def test_the_environment_holds_no_key(bench: Bench) -> None:
    told_about = told(bench, "import os\nraise SystemExit(repr(dict(os.environ)))")
    assert "OMP_NUM_THREADS" in told_about and KEY not in told_about and "OPENAI" not in told_about


def test_patched_modules_do_not_reach_the_next_run(bench: Bench) -> None:
    patch = "import json, numpy\njson.dumps = numpy.ones = None\nraise SystemExit('patched')"
    assert told(bench, patch) == "patched"
    assert told(bench, "import json, numpy\nraise SystemExit(json.dumps(numpy.ones(2).tolist()))") == "[1.0, 1.0]"


def test_a_run_cannot_end_or_trace_the_worker(bench: Bench) -> None:
    """Without walls it can, and is named; the next run gets a fresh worker."""
    status, reason = attack(bench, "import os, time\nos.kill(os.getppid(), 9)\ntime.sleep(9)")
    if bench.executor.sandbox == "process" or not SIGNALS_SCOPED:
        assert (status, reason) == ("killed", "the run took its sandbox down")
    else:
        assert status == "failed" and refused(reason)
    with bench.run(bench.template.defaults, 1, ("keep",)) as outcome:
        assert outcome.status == "ok"


# Walls: in bubblewrap and Landlock.


def test_no_key_in_the_environment_of_any_process(walled: Bench) -> None:
    code = (
        f"import glob, os\nfound, pids = b'', ['self', 1, 2, os.getppid(), {os.getpid()}]\n"
        "for path in [*glob.glob('/proc/[0-9]*/environ'), *(f'/proc/{pid}/environ' for pid in pids)]:\n"
        "    try:\n        found += open(path, 'rb').read()\n    except OSError:\n        pass\n"
        "bad = [word for word in (b'KEY', b'SK-', b'OPENAI', b'TOKEN', b'PROXY') if word in found.upper()]\n"
        "raise SystemExit(f'{b\"PATH=\" in found} {bad}')\n"
    )
    assert told(walled, code) == "True []"  # its own, at the least, can be read


def test_tracing_the_worker(walled: Bench) -> None:
    code = (
        "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\nparent = os.getppid()\n"
        "attached = libc.ptrace(16, parent, 0, 0)\n"
        "for name in ('mem', 'environ', 'maps', 'fd/0'):\n    try:\n        open(f'/proc/{parent}/{name}', 'rb').read(1)\n"
        "    except OSError as error:\n        continue\n    raise SystemExit(f'{name} can be read')\n"
        "raise SystemExit(f'attached {attached}')\n"
    )
    assert told(walled, code) == "attached -1"


def test_writing_into_the_pipes_of_the_worker(walled: Bench) -> None:
    code = (
        "import os\nwrote = 0\nfor n in range(12):\n    try:\n"
        "        with open(f'/proc/{os.getppid()}/fd/{n}', 'wb', 0) as pipe:\n"
        '            wrote += pipe.write(b\'{"outcome": "exit", "code": 0}\\n\')\n'
        "    except OSError:\n        pass\nraise SystemExit(f'wrote {wrote}')\n"
    )
    assert told(walled, code) == "wrote 0"


def test_limiting_or_slowing_the_worker(walled: Bench) -> None:
    code = (
        "import os, resource\nparent, done = os.getppid(), []\n"
        "for act in (lambda: resource.prlimit(parent, resource.RLIMIT_NOFILE, (3, 3)),\n"
        "            lambda: os.setpriority(os.PRIO_PROCESS, parent, 19),\n"
        "            lambda: os.sched_setscheduler(parent, os.SCHED_IDLE, os.sched_param(0)),\n"
        "            lambda: os.sched_setaffinity(parent, {0})):\n"
        "    try:\n        done.append(act())\n    except PermissionError:\n        pass\nraise SystemExit(f'done {len(done)}')\n"
    )
    assert told(walled, code) == "done 0"


@contextlib.contextmanager
def victim() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


SIGNAL_IT = "import os\nos.kill({pid}, 15)\nraise SystemExit('sent')"


@pytest.mark.skipif(not SIGNALS_SCOPED, reason="this kernel cannot wall off signals without name spaces")
def test_signals_to_a_stranger(walled: Bench) -> None:
    with victim() as stranger:
        for code in (SIGNAL_IT, "import resource\nresource.prlimit({pid}, resource.RLIMIT_CPU, (0, 0))"):
            reason = told(walled, code.format(pid=stranger.pid))
            assert refused(reason) or "No such process" in reason
        with pytest.raises(subprocess.TimeoutExpired):
            stranger.wait(timeout=0.1)


SEND = """
import socket, sys
for family, kind, where in {targets!r}:
    try:
        with socket.socket(family, kind) as client:
            client.settimeout(1)
            client.connect(where)
            client.send(b'labels')
            print('reached', where, flush=True)
    except OSError:
        pass
raise SystemExit('tried')
"""


def test_the_network_and_local_sockets(walled: Bench, tmp_path: Path) -> None:
    """Real servers on the loopback: TCP, UDP, an abstract and a named local socket hear nothing."""
    with servers(tmp_path) as (listening, code):
        assert told(walled, code) == "tried"
        assert heard(listening) == 0


@contextlib.contextmanager
def servers(place: Path) -> Iterator[tuple[list[socket.socket], str]]:
    with contextlib.ExitStack() as stack:
        listening, targets = [], []
        for family, kind, where in (
            (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            (socket.AF_UNIX, socket.SOCK_DGRAM, f"\0hostile-{place.name}-{id(stack)}"),
            (socket.AF_UNIX, socket.SOCK_STREAM, str(place / "s")),
        ):
            server = stack.enter_context(socket.socket(family, kind))
            server.bind(where)
            if kind == socket.SOCK_STREAM:
                server.listen()
            server.settimeout(0.05)
            listening.append(server)
            targets.append((int(family), int(kind), where if family == socket.AF_UNIX else server.getsockname()))
        yield listening, SEND.format(targets=targets)


def heard(listening: list[socket.socket]) -> int:
    """How many of the servers were reached."""
    count = 0
    for server in listening:
        with contextlib.suppress(TimeoutError):
            if server.type == socket.SOCK_STREAM:
                server.accept()[0].close()
            else:
                server.recv(100)
            count += 1
    return count


def test_families_of_sockets_that_no_name_space_holds(walled: Bench) -> None:
    """Sockets between a virtual machine and its host belong to no network name space."""
    for family in ("AF_VSOCK", "AF_NETLINK", "AF_ALG", "AF_PACKET"):
        code = f"import socket\nsocket.socket(socket.{family}, socket.SOCK_RAW if {family!r} != 'AF_VSOCK' else socket.SOCK_STREAM)"
        reason = told(walled, code)
        assert "Address family not supported" in reason or refused(reason)


def test_reading_what_belongs_to_others(walled: Bench, tmp_path: Path) -> None:
    """Another run, the evaluator, the template, the labels, keys in a home folder."""
    other = walled._scratch / "worker-1" / "run" / "outputs" / "value.json"
    key = tmp_path / ".ssh" / "id_ed25519"
    for path in (other, key):
        path.parent.mkdir(parents=True)
        path.write_text("secret")
    labels = [next(folder.rglob("*.py")) for folder in hidden_folders(["pydoc_data:."])]
    assert labels
    root = walled.template.root
    for path in (other, key, root / "evaluate.py", root / "template.toml", Path("/etc/passwd"), *labels):
        assert refused(told(walled, f"raise SystemExit('read ' + open({str(path)!r}).read()[:9])")), path
    for folder in (other.parent, key.parent, root):
        assert refused(told(walled, f"import os\nraise SystemExit('listed ' + str(os.listdir({str(folder)!r})))"))
    shutil.rmtree(walled._scratch / "worker-1")


def test_importing_what_holds_the_labels(walled: Bench) -> None:
    assert re.search("Permission denied|No module named", told(walled, "import pydoc_data.topics"))


def test_writing_the_evaluator_and_the_template(walled: Bench) -> None:
    root = walled.template.root
    before = {path: (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns) for path in root.glob("*.*")}
    for name in ("evaluate.py", "template.toml", "train.py"):
        path = str(root / name)
        for code in (
            f"open({path!r}, 'a').write('# bent')",
            f"import os\nos.truncate({path!r}, 0)",
            f"import os\nos.unlink({path!r})",
            f"import os\nos.rename({path!r}, 'stolen')",
            f"import os\nos.link({path!r}, 'linked')\nopen('linked', 'a').write('# bent')",
            f"import os\nos.symlink({path!r}, 'linked')\nopen('linked', 'a').write('# bent')",
            f"import os\nopen('mine', 'w').close()\nos.replace('mine', {path!r})",
        ):
            reason = told(walled, code)
            assert refused(reason) or "cross-device" in reason, (code, reason)
        attack(walled, f"import os\nos.chmod({path!r}, 0o777)\nos.utime({path!r}, (1, 1))")
    assert {path: (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns) for path in before} == before


def test_patching_python_for_the_next_run_and_for_the_judge(walled: Bench) -> None:
    code = (
        "import os, site, sys, sysconfig\n"
        "planted = 'import builtins; builtins.planted = True; print(\"planted\")'\nplaces = set()\n"
        "for place in (os.getcwd(), '/tmp', '/dev/shm', os.path.expanduser('~'), *sys.path, *site.getsitepackages(),\n"
        "              site.getusersitepackages(), sysconfig.get_path('stdlib'), os.path.dirname(os.__file__)):\n"
        "    for name in ('sitecustomize.py', 'usercustomize.py', 'numpy.py', 'evaluate.py', 'planted.pth'):\n"
        "        try:\n            open(os.path.join(place, name), 'w').write(planted)\n            places.add(place)\n"
        "        except OSError:\n            pass\n"
        "os.environ['PYTHONPATH'] = os.getcwd()\nraise SystemExit(f'planted in {sorted(places)}')\n"
    )
    run = walled.executor.folder(0)
    allowed = ["/bench", "/dev/shm", "/tmp"] if walled.executor.sandbox == "bubblewrap" else [str(run)]
    assert told(walled, code) == f"planted in {allowed}"
    seen = told(walled, "import builtins, numpy\nraise SystemExit(f\"{hasattr(builtins, 'planted')} {numpy.ones(1)}\")")
    assert seen == "False [1.]"
    found = [place for place in (*sys.path, str(walled.template.root)) if (Path(place) / "planted.pth").exists()]
    assert not found


def test_new_name_spaces_and_mounts(walled: Bench) -> None:
    code = (
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "done = [libc.unshare(flag) for flag in (0x10000000, 0x00020000, 0x40000000)]\n"
        "done.append(libc.mount(b'none', b'/usr', None, 32 | 4096, None))\n"
        "done.append(libc.mount(b'none', b'/tmp', b'tmpfs', 0, None))\n"
        "done.append(libc.umount2(b'/usr', 2))\n"
        "rights = open('/proc/self/status').read().split('NoNewPrivs:')[1].split()[0]\n"
        "raise SystemExit(f'{done} {rights}')\n"
    )
    assert told(walled, code) == "[-1, -1, -1, -1, -1, -1] 1"


def test_memory_and_messages_that_outlive_a_run(walled: Bench) -> None:
    code = (
        "import ctypes\nlibc = ctypes.CDLL(None)\n"
        "raise SystemExit(f'{libc.shmget(77, 4096, 0o1600)} {libc.msgget(77, 0o1600)} {libc.semget(77, 1, 0o1600)}')"
    )
    assert told(walled, code) == "-1 -1 -1"


def test_the_folder_of_the_run_cannot_be_replaced(bench: Bench, tmp_path: Path) -> None:
    """A link in its place would make the judge read what another run left."""
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "value.json").write_text('{"value": 5.0}')
    code = f"import os\nplace = os.getcwd()\nos.rename(place, place + '-moved')\nos.symlink({str(tmp_path)!r}, place)\n"
    status, reason = attack(bench, code)
    assert status == "failed"
    assert refused(reason) or "busy" in reason or reason == "the run replaced its own folder"
    assert not (tmp_path / "log.txt").exists()


def test_without_walls_these_attacks_would_work(benches: dict[str, Bench], tmp_path: Path) -> None:
    bench = benches["process"]
    evaluator = bench.template.root / "evaluate.py"
    assert told(bench, f"raise SystemExit('read ' + open({str(evaluator)!r}).read()[:9])").startswith("read")
    assert told(bench, "import pydoc_data.topics\nraise SystemExit('imported')") == "imported"
    with victim() as stranger:
        assert told(bench, SIGNAL_IT.format(pid=stranger.pid)) == "sent"
        assert stranger.wait(timeout=5) == -15
    with servers(tmp_path) as (listening, code):
        assert told(bench, code) == "tried"
        assert heard(listening) == 4
