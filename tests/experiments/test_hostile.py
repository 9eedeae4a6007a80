"""One attack on the limits per test, through the whole bench: contained, and named for what it is.

`bench` is every sandbox that works here, plain processes too, because limits hold in all of them. What only walls stop
is in test_hostile_walls.py, what only the judge stops in test_hostile_artefacts.py, what nothing stops in test_gaps.py.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hostile_bench import DIAL, KEY, SIGNALS_SCOPED, WALLED, attack, refused, strays, told

from scientist.experiments import Bench
from scientist.experiments._ending import LOG_LIMIT
from scientist.experiments._sandbox import BubblewrapSandbox
from scientist.template import load_template

# Limits: in every form of the sandbox.


def test_a_fork_bomb(bench: Bench) -> None:
    code = "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n"
    status, reason = attack(bench, code)
    assert (status, reason) == ("processes", "started more than 12 processes and threads")
    assert not strays(bench)


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
        before = told(bubblewrap, f"import os\nraise SystemExit(str(os.listdir({place!r})))")
        code = f"for n in range(100000):\n    open(f'{place}/{{n}}', 'wb').write(bytes(1 << 18))\n"
        assert attack(bubblewrap, code)[0] == "disk"
        assert told(bubblewrap, f"import os\nraise SystemExit(str(os.listdir({place!r})))") == before
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


def test_the_folder_of_the_run_cannot_be_replaced(bench: Bench, tmp_path: Path) -> None:
    """A link in its place would make the judge read what another run left."""
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "value.json").write_text('{"value": 5.0}')
    code = f"import os\nplace = os.getcwd()\nos.rename(place, place + '-moved')\nos.symlink({str(tmp_path)!r}, place)\n"
    status, reason = attack(bench, code)
    assert status == "failed"
    assert refused(reason) or "busy" in reason or reason == "the run replaced its own folder"
    assert not (tmp_path / "log.txt").exists()


@pytest.mark.skipif("bubblewrap" not in WALLED, reason="no bubblewrap")
def test_a_program_that_lies_below_tmp_stays_and_hides_nothing(tmp_path: Path) -> None:
    """In the sandbox `/tmp` is memory, and what is needed of a checkout below the real one is mounted into it."""
    place = Path(tempfile.mkdtemp(prefix="scientist-there-", dir="/tmp"))
    program = place / "checkout" / "program"
    program.mkdir(parents=True)
    (program / "large.bin").write_bytes(bytes(6 << 20))
    code = f"""
import os
left = [name for _, _, names in os.walk("/tmp") for name in names if name.startswith("left")]
there = os.path.getsize({str(program)!r} + "/large.bin")
os.makedirs({str(place / "checkout")!r} + "/left/deep")
for folder in ({str(place)!r}, {str(place / "checkout")!r} + "/left/deep"):
    open(folder + "/left-behind", "w").write("x")
raise SystemExit(f"{{left}} {{there}}")
"""
    try:
        sandbox = BubblewrapSandbox(shutil.which("bwrap") or "", more=("--ro-bind", str(program), str(program)))
        with Bench.local(load_template(DIAL), sandbox, tmp_path / "scratch", 1) as bench:
            for _ in range(3):
                assert attack(bench, code, disk_mb=4, wall_s=30) == ("failed", f"[] {6 << 20}")
            full = f"open({str(place)!r} + '/left', 'wb').write(bytes(5 << 20))"
            assert attack(bench, full, disk_mb=4, wall_s=30)[0] == "disk"
    finally:
        shutil.rmtree(place)
