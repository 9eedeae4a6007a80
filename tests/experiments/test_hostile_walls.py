"""Attacks on the walls, one per test: bubblewrap and Landlock claim them, and each is seen to hold in both."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hostile_bench import KEY, SIGNAL_IT, SIGNALS_SCOPED, attack, heard, refused, servers, told, victim

from scientist.experiments import Bench
from scientist.experiments._sandbox import hidden_folders

FIND_KEYS = """
import glob, os
found, pids = b'', ['self', 1, 2, os.getppid(), {pid}]
for path in [*glob.glob('/proc/[0-9]*/environ'), *(f'/proc/{{each}}/environ' for each in pids)]:
    try:
        found += open(path, 'rb').read()
    except OSError:
        pass
raise SystemExit(str([word for word in ('PATH=', {key!r}, 'OPENAI', 'PROXY') if word.lower().encode() in found.lower()]))
"""


def test_no_key_in_the_environment_of_any_process(walled: Bench, benches: dict[str, Bench]) -> None:
    with victim() as stranger:
        code = FIND_KEYS.format(pid=stranger.pid, key=KEY)
        assert told(walled, code) == "['PATH=']"  # its own, at the least, can be read
        assert KEY in told(benches["process"], code)


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


@pytest.mark.skipif(not SIGNALS_SCOPED, reason="this kernel cannot wall off signals without name spaces")
def test_signals_to_a_stranger(walled: Bench) -> None:
    with victim() as stranger:
        for code in (SIGNAL_IT, "import resource\nresource.prlimit({pid}, resource.RLIMIT_CPU, (0, 0))"):
            reason = told(walled, code.format(pid=stranger.pid))
            assert refused(reason) or "No such process" in reason
        with pytest.raises(subprocess.TimeoutExpired):
            stranger.wait(timeout=0.1)


def test_the_network_and_local_sockets(walled: Bench, tmp_path: Path) -> None:
    """Real servers on the loopback: TCP, UDP, an abstract and a named local socket hear nothing."""
    with servers(tmp_path) as (listening, code):
        assert told(walled, code) == "tried"
        assert heard(listening) == 0


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


def test_no_rights_of_the_administrator(walled: Bench) -> None:
    """Not even for root: no limit is raised again, and nobody is made to wait for a run of high priority."""
    code = (
        "import os, resource\ndone = []\n"
        "for act in (lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50)),\n"
        "            lambda: os.setpriority(os.PRIO_PROCESS, 0, -10),\n"
        "            lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (9999, 9999)),\n"
        "            lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))):\n"
        "    try:\n        done.append(act())\n    except (OSError, ValueError):\n        pass\n"
        "held = [line.split()[1] for line in open('/proc/self/status') if line.startswith(('CapEff', 'CapPrm'))]\n"
        "raise SystemExit(f'{len(done)} {set(held)}')\n"
    )
    assert told(walled, code) == "0 {'0000000000000000'}"
    again = code.replace("'", '"')
    inner = f"import os, sys\nos.execv(sys.executable, [sys.executable, '-c', {again!r}])"
    assert told(walled, inner) == "0 {'0000000000000000'}"
