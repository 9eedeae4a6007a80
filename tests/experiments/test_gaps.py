"""The list of gaps that doctor, manifest and paper print is true: each clause is shown, and there are no others.

That what is *not* on the list holds is the matter of the hostile tests; here an attack succeeds for every clause.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from hostile_bench import DIAL, KEY, SIGNAL_IT, SIGNALS_SCOPED, heard, refused, servers, told, victim

from scientist.experiments import Bench, Limits, LocalExecutor, choose_sandbox
from scientist.experiments import _executor as executor_module
from scientist.experiments import _sandbox as sandbox_module
from scientist.experiments._cgroups import NONE, detect_cgroups
from scientist.experiments._sandbox import limit_gaps
from scientist.template import load_template


def reads(bench: Bench, place: Path) -> None:
    evaluator = bench.template.root / "evaluate.py"
    assert told(bench, f"raise SystemExit('read ' + open({str(evaluator)!r}).read()[:9])").startswith("read")
    assert told(bench, "import pydoc_data.topics\nraise SystemExit('imported')") == "imported"


def reads_keys(bench: Bench, place: Path) -> None:
    with victim() as stranger:
        code = f"raise SystemExit(open('/proc/{stranger.pid}/environ').read().replace(chr(0), ' '))"
        assert KEY in told(bench, code)


def writes(bench: Bench, place: Path) -> None:
    assert told(bench, f"open({str(place / 'planted')!r}, 'w').close()\nraise SystemExit('wrote')") == "wrote"
    assert (place / "planted").exists()


def speaks(bench: Bench, place: Path) -> None:
    with servers(place) as (listening, code):
        assert told(bench, code) == "tried"
        assert heard(listening) == 4


def signals(bench: Bench, place: Path) -> None:
    with victim() as stranger:
        assert told(bench, SIGNAL_IT.format(pid=stranger.pid)) == "sent"
        assert stranger.wait(timeout=5) == -15


def administers(bench: Bench, place: Path) -> None:
    private = place / "private"
    private.write_text("secret")
    private.chmod(0)
    os.chown(private, 12345, 12345)
    assert told(bench, f"raise SystemExit(open({str(private)!r}).read())") == "secret"


def sees_names(bench: Bench, place: Path) -> None:
    secret = place / "secret"
    secret.write_text("x" * 4321)
    look = f"import os\nraise SystemExit(str(os.stat({str(secret)!r}).st_size))"
    assert told(bench, look) == "4321"
    assert refused(told(bench, f"open({str(secret)!r})"))


def shares_the_kernel(bench: Bench, place: Path) -> None:
    assert told(bench, "import os\nraise SystemExit(os.uname().version)") == os.uname().version


Proof = Callable[[Bench, Path], None]
PROCESS: dict[str, Proof] = {
    "the run could read any file that the user can, including the source of the evaluator and of the data": reads,
    "the run could read the environment of the user's processes, with the keys in it": reads_keys,
    "the run could write outside its folder": writes,
    "the run could use the network": speaks,
    "the run could signal other processes of the user, and end the worker that it was forked from and so leave processes "
    "behind": signals,
    **({"the run had the rights of the administrator": administers} if os.geteuid() == 0 else {}),
}
LANDLOCK: dict[str, Proof] = {
    "the run shares the kernel with everything else": shares_the_kernel,
    "the run could see names, sizes and dates of files outside, though nothing in them": sees_names,
}
BUBBLEWRAP: dict[str, Proof] = {"the run shares the kernel with everything else": shares_the_kernel}


@pytest.mark.skipif(not SIGNALS_SCOPED, reason="an older kernel has more gaps; the next test has them")
@pytest.mark.parametrize(("kind", "proofs"), [("process", PROCESS), ("landlock", LANDLOCK), ("bubblewrap", BUBBLEWRAP)])
def test_every_clause_is_shown(kind: str, proofs: dict[str, Proof], benches: dict[str, Bench], tmp_path: Path) -> None:
    if kind not in benches:
        pytest.skip(f"{kind} does not work here")
    assert benches[kind].executor.gaps == (*proofs, *limit_gaps())
    for number, proof in enumerate(proofs.values()):
        (tmp_path / str(number)).mkdir()
        proof(benches[kind], tmp_path / str(number))


def test_an_older_kernel_has_more_gaps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_module, "landlock_abi", lambda: 5)
    landlock = sandbox_module.LandlockSandbox(5)
    assert any("signal other processes" in gap and "leave processes behind" in gap for gap in landlock.gaps)
    bubblewrap = sandbox_module.BubblewrapSandbox("bwrap")
    assert "the run could end the worker that later runs are forked from" in bubblewrap.gaps
    monkeypatch.setattr(sandbox_module, "seccomp_supported", lambda: False)
    assert any("not filtered" in gap for gap in sandbox_module.BubblewrapSandbox("bwrap").gaps)


ESCAPE = """
import os, signal, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        with open({pid_file!r}, 'w') as file:
            file.write(str(os.getpid()))
        time.sleep(60)
    os._exit(0)
while not os.path.exists({pid_file!r}) or not open({pid_file!r}).read():
    time.sleep(0.01)
os.kill(os.getppid(), signal.SIGKILL)
time.sleep(9)
"""


@pytest.mark.parametrize("groups", [True, False])
def test_what_stays_of_a_run_that_ends_its_worker(
    groups: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A control group ends it all the same; without one, or walls, it stays: that is the clause."""
    if groups and detect_cgroups().version == 0:
        pytest.skip("control groups cannot be written here")
    if not groups:
        monkeypatch.setattr(executor_module, "detect_cgroups", lambda: NONE)
    left = tmp_path / "pid"
    with Bench.local(load_template(DIAL), choose_sandbox("process"), tmp_path / "scratch", 1) as bench:
        code = ESCAPE.format(pid_file=str(left))
        with bench.run(bench.template.defaults, 1, ("keep",), {"train.py": code.encode()}) as outcome:
            assert outcome.status == "killed"
        pid = int(left.read_text())
        alive = psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        try:
            assert alive != groups
        finally:
            if alive:
                psutil.Process(pid).kill()


THREADS = """
import os, threading, time
time.sleep(0.15)
threading.stack_size(65536)
for made in range(60):
    threading.Thread(target=time.sleep, args=(9,), daemon=True).start()
    os.write(1, b'x')
time.sleep(9)
"""


@pytest.mark.parametrize("groups", [True, False])
def test_a_limit_that_is_polled_can_be_passed_for_a_moment(
    groups: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if groups and detect_cgroups().missing:
        pytest.skip("control groups cannot be written here")
    for module in (executor_module, sandbox_module) if not groups else ():
        monkeypatch.setattr(module, "detect_cgroups", lambda: NONE)
    assert bool(limit_gaps()) != groups
    limits = Limits(wall_s=6, cpu_s=4, memory_mb=256, processes=12, open_files=64, disk_mb=4, log_mb=1)
    executor = LocalExecutor([], choose_sandbox("process"), tmp_path / "scratch", 1)
    executor.start()
    most = 0
    try:
        for _ in range(2 if groups else 9):  # it is a race, and the machine may be busy
            folder = executor.folder(0)
            (folder / "attack.py").write_text(THREADS)
            assert executor.execute(0, ["python", "attack.py"], limits).kind == "processes"
            most = max(most, (folder / "log.txt").read_text().partition("Traceback")[0].count("x"))
            if most > 12:
                break
    finally:
        executor.stop()
    assert most < 12 if groups else most > 12
