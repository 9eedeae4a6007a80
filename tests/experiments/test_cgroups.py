"""Control groups: where they are found, what they hold, and that polling takes their place where there are none."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scientist.experiments import Limits, LocalExecutor, bubblewrap_works, choose_sandbox
from scientist.experiments import _executor as executor_module
from scientist.experiments import _sandbox as sandbox_module
from scientist.experiments._cgroups import (
    NONE,
    Cgroups,
    Group,
    delegated,
    detect_cgroups,
    find_parents,
    own_folder,
    read_counter,
    read_mounts,
    remove_stale,
)

SMALL = Limits(wall_s=6, cpu_s=4, memory_mb=256, processes=12, open_files=64, disk_mb=4, log_mb=1)
REAL = detect_cgroups()


def test_mounts_of_both_versions_are_read() -> None:
    text = (
        "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw\n"
        "32 31 0:29 /docker/x /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n"
        "33 31 0:30 / /odd\\040name rw - cgroup cgroup rw,cpu,cpuacct\n"
        "34 31 0:40 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n"
    )
    assert read_mounts(text) == [
        ("cgroup", "rw,memory", "/docker/x", "/sys/fs/cgroup/memory"),
        ("cgroup", "rw,cpu,cpuacct", "/", "/odd name"),
        ("cgroup2", "rw,nsdelegate", "/", "/sys/fs/cgroup/unified"),
    ]


@pytest.mark.parametrize(
    ("path", "root", "found"),
    [
        ("/", "/", "/m"),
        ("/a/b", "/", "/m/a/b"),
        ("/docker/x/job", "/docker/x", "/m/job"),
        ("/docker/x", "/docker/x", "/m"),
        ("/docker/xy", "/docker/x", None),
        ("/../../other", "/", None),
        ("/elsewhere", "/docker/x", None),
    ],
)
def test_the_own_group_is_found_in_what_is_mounted(path: str, root: str, found: str | None) -> None:
    assert own_folder(path, root, "/m") == (Path(found) if found else None)


def make_tree(top: Path, **memory_max: str) -> Path:
    """A version 2 tree as a systemd user session has it; returns the leaf that holds the scientist's process."""
    leaf = top / "user.slice" / "app.slice" / "work.scope"
    leaf.mkdir(parents=True)
    for folder in (top, *reversed(leaf.parents[:2]), leaf):
        (folder / "cgroup.procs").touch()
        (folder / "cgroup.subtree_control").write_text("" if folder == leaf else "cpu memory pids\n")
        (folder / "memory.max").write_text(memory_max.get(folder.name.partition(".")[0], "max") + "\n")
    return leaf


@pytest.fixture
def every_group_is_writable(monkeypatch: pytest.MonkeyPatch) -> None:
    # In a plain folder no file appears in a new group by itself.
    monkeypatch.setattr("scientist.experiments._cgroups.can_make_groups", lambda folder: folder.is_dir())


@pytest.mark.usefixtures("every_group_is_writable")
def test_version_2_uses_the_nearest_group_that_hands_controllers_down(tmp_path: Path) -> None:
    leaf = make_tree(tmp_path)
    assert delegated(leaf, tmp_path) == {"memory": leaf.parent, "pids": leaf.parent, "cpuacct": leaf.parent}


@pytest.mark.usefixtures("every_group_is_writable")
def test_a_memory_limit_set_from_outside_is_never_left(tmp_path: Path) -> None:
    leaf = make_tree(tmp_path, work="1000000")
    assert delegated(leaf, tmp_path) == {"cpuacct": leaf}


@pytest.mark.usefixtures("every_group_is_writable")
def test_controllers_of_version_1_win_over_a_version_2_without_any(tmp_path: Path) -> None:
    for name in ("memory", "pids", "cpuacct", "unified"):
        (tmp_path / name).mkdir()
    kinds = [("memory", "cgroup"), ("pids", "cgroup"), ("cpuacct", "cgroup"), ("unified", "cgroup2")]
    mounts = "".join(f"3 1 0:9 / {tmp_path / name} rw - {kind} x rw,{name}\n" for name, kind in kinds)
    found = find_parents(mounts, "4:memory:/\n3:pids:/\n2:cpuacct:/\n0::/\n")
    assert found == Cgroups(1, {name: tmp_path / name for name in ("memory", "pids", "cpuacct")})
    assert found.missing == () and found.describe() == "cgroup v1 (memory, pids, cpu)"
    only = find_parents(mounts.splitlines()[0] + "\n", "4:memory:/\n")
    assert only.missing == ("pids", "cpuacct")
    assert find_parents("", "").version == 0


def test_nothing_can_be_made_where_the_file_system_refuses(tmp_path: Path) -> None:
    mounts = f"3 1 0:9 / {tmp_path} rw - cgroup x rw,memory\n"
    assert find_parents(mounts, "4:memory:/\n") == NONE  # a plain folder holds no cgroup.procs
    assert list(tmp_path.iterdir()) == []


def test_counters_are_read_from_flat_files() -> None:
    assert read_counter("oom_kill_disable 0\nunder_oom 1\noom_kill 7\n", "oom_kill") == 7
    assert read_counter("", "oom_kill") == 0


def test_groups_of_dead_scientists_are_removed_and_no_others(tmp_path: Path) -> None:
    own = Path(f"/proc/{os.getpid()}/stat").read_text().rpartition(")")[2].split()[19]
    names = [f"scientist-{os.getpid()}-{own}-0", f"scientist-{os.getpid()}-1-0", "scientist-abc", "other"]
    for name in names:
        (tmp_path / name).mkdir()
    remove_stale(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([names[0], *names[2:]])


@pytest.fixture
def group() -> Iterator[Group]:
    if REAL.missing:
        pytest.skip("control groups cannot be written here")
    made = Group(REAL)
    folders = set(made.folders.values())
    yield made
    made.remove()
    assert not any(folder.exists() for folder in folders)


def test_a_real_group_holds_a_command_and_its_children_from_the_start(group: Group) -> None:
    group.settle()
    group.limit(64 << 20, 4)
    code = (
        "import os, signal\nprint('scientist-' in open('/proc/self/cgroup').read())\nmade = 0\ntry:\n"
        "    while made < 50:\n        if os.fork() == 0:\n            signal.pause()\n        made += 1\n"
        "except BlockingIOError:\n    print(made)\nprint(os.pread(8, 99, 0).split())\nsignal.pause()\n"
    )
    command = group.wrap([sys.executable, "-I", "-u", "-c", code])
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    lines = [child.stdout.readline().strip() for _ in range(3)]
    assert lines[0] == "True" and lines[1] == "3" and lines[2].startswith("[b'max', b'")
    assert child.pid in group.processes() and len(group.processes()) == 4
    group.remove()
    assert child.wait(timeout=5) == -9


def test_a_real_group_ends_what_takes_too_much_memory(group: Group) -> None:
    group.settle()
    group.limit(32 << 20, 100)
    hog = "x = bytearray(200 << 20)\nx[::4096] = b'1' * len(x[::4096])"
    done = subprocess.run(group.wrap([sys.executable, "-I", "-c", hog]), check=False, timeout=30)
    assert done.returncode == -9
    assert group.killed_for_memory() >= 1


def test_a_name_with_shell_words_in_it_stays_an_argument(group: Group, tmp_path: Path) -> None:
    odd = f"$(touch {tmp_path}/made); echo 'x"
    done = subprocess.run(group.wrap(["/bin/echo", odd]), capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == odd + "\n"
    assert not (tmp_path / "made").exists()


KINDS = ["process", *(["bubblewrap"] if bubblewrap_works()[0] else [])]


@pytest.mark.parametrize("kind", KINDS)
def test_without_groups_polling_holds_the_limits(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (executor_module, sandbox_module):
        monkeypatch.setattr(module, "detect_cgroups", lambda: NONE)
    sandbox = choose_sandbox(kind)
    assert any("no control group holds the limit on memory and processes and CPU time" in gap for gap in sandbox.gaps)
    attacks = {
        "processes": "import os\nfor _ in range(40):\n    if os.fork() == 0:\n        import time; time.sleep(9)\nos.wait()",
        "memory": "import os, time\nimport numpy as np\nfor _ in range(8):\n    if os.fork() == 0:\n"
        "        hoard = np.ones(8 << 20)\n        time.sleep(9)\ntime.sleep(9)",
        "cpu": "import os\nfor _ in range(3):\n    if os.fork() == 0:\n        while True: pass\nos.wait()",
    }
    executor = LocalExecutor(["numpy"], sandbox, tmp_path / "scratch", 1)
    executor.start()
    try:
        for name, code in attacks.items():
            (executor.folder(0) / "attack.py").write_text(code)
            limits = Limits(**{**SMALL.__dict__, "cpu_s": 0.3}) if name == "cpu" else SMALL
            assert executor.execute(0, ["python", "attack.py"], limits).kind == name
    finally:
        executor.stop()


@pytest.mark.skipif(bool(REAL.missing), reason="control groups cannot be written here")
def test_a_bench_leaves_no_group_behind(tmp_path: Path) -> None:
    def left() -> set[str]:
        return {str(p) for parent in REAL.parents.values() for p in parent.glob(f"scientist-{os.getpid()}-*")}

    before = left()
    executor = LocalExecutor([], choose_sandbox("process"), tmp_path / "scratch", 2)
    executor.start()
    assert len(left() - before) == 2 * len(REAL.parents)
    executor.stop()
    deadline = time.monotonic() + 2
    while left() != before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert left() == before
