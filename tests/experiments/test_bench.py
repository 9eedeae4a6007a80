"""Real workers, real judge: what candidates do ends in a typed outcome, and nothing of it reaches further."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from scientist.errors import MachineryError
from scientist.experiments import Bench, bubblewrap_works, choose_sandbox
from scientist.experiments._landlock import SCOPE_ABI, landlock_abi
from scientist.experiments._sandbox import interpreter_roots
from scientist.template import Template, load_template

DIAL = Path(__file__).parents[1] / "templates" / "dial"
KINDS = ["process", *(["bubblewrap"] if bubblewrap_works()[0] else [])]


@pytest.fixture(scope="module")
def dial() -> Template:
    return load_template(DIAL)


@pytest.fixture(scope="module", params=KINDS)
def bench(request: pytest.FixtureRequest, dial: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with Bench.local(dial, choose_sandbox(request.param), tmp_path_factory.mktemp("bench") / "scratch", 1) as made:
        yield made


def attempt(bench: Bench, code: str) -> tuple[str, str]:
    with bench.run(bench.template.defaults, 3, ("search", "keep"), {"train.py": code.encode()}) as outcome:
        return outcome.status, outcome.reason


def test_an_honest_run_is_scored_by_the_judge_and_repeats_exactly(bench: Bench) -> None:
    knobs = bench.template.complete({"effect": 2.0})
    found = []
    for _ in range(2):
        with bench.run(knobs, 5, ("search", "keep")) as outcome:
            assert outcome.status == "ok", outcome.reason
            found.append((outcome.metrics, outcome.artefacts))
    assert found[0] == found[1]
    assert set(found[0][0]) == {"search", "keep"}
    with bench.run(knobs, 6, ("keep",)) as other:
        assert other.metrics["keep"] != found[0][0]["keep"]


@pytest.mark.parametrize(
    ("fault", "status", "reason"),
    [
        ("crash", "failed", "planted crash"),
        ("hang", "timeout", "no end within"),
        ("memory", "memory", "allocate"),
        ("output", "output", "large"),
        ("badshape", "invalid", "not a number"),
    ],
)
def test_failures_have_a_status_and_a_reason(bench: Bench, fault: str, status: str, reason: str) -> None:
    with bench.run(bench.template.complete({"fault": fault}), 1, ("keep",)) as outcome:
        assert outcome.status == status, outcome.reason
        assert reason in outcome.reason
        assert outcome.metrics == {}


def test_the_environment_holds_no_secret(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    code = "import os, sys\nsys.exit(' '.join(sorted(os.environ)) + ' '.join(os.environ.values()))"
    status, reason = attempt(bench, code)
    assert status == "failed" and "OMP_NUM_THREADS" in reason and "secret" not in reason and "OPENAI" not in reason


def test_candidates_cannot_speak_for_the_host(bench: Bench) -> None:
    """Writing an answer on every descriptor it can find earns a candidate nothing."""
    code = (
        "import os\nfor fd in range(0, 64):\n    try:\n"
        '        os.write(fd, b\'{"outcome": "exit", "code": 0, "wall_s": 0, "cpu_s": 0, "max_rss_mb": 0}\\n\')\n'
        "    except OSError:\n        pass\nraise SystemExit('done')\n"
    )
    assert attempt(bench, code) == ("failed", "done")


def test_daemons_left_behind_are_ended(bench: Bench) -> None:
    mark = f"straggler-{os.getpid()}"
    code = (
        "import os, sys, time\nfrom pathlib import Path\n"
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        f"        os.execv(sys.executable, [sys.executable, '-c', 'import time; time.sleep(60)', '{mark}'])\n"
        "    os._exit(0)\ntime.sleep(0.1)\nPath('outputs/value.json').write_text('{\"value\": 1.0}')\n"
    )
    assert attempt(bench, code)[0] == "ok"
    assert not [p for p in psutil.process_iter(["cmdline"]) if mark in (p.info["cmdline"] or [])]


def test_a_candidate_that_kills_its_parent_is_named_and_the_bench_goes_on(bench: Bench) -> None:
    status, reason = attempt(bench, "import os, signal, time\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(5)\n")
    if bench.executor.sandbox == "process" or landlock_abi() < SCOPE_ABI:
        assert (status, reason) == ("killed", "the run took its sandbox down")
    else:
        assert (status, reason) == ("failed", "PermissionError: [Errno 1] Operation not permitted")
    with bench.run(bench.template.defaults, 1, ("keep",)) as outcome:
        assert outcome.status == "ok"


def test_a_fresh_worker_outlives_the_thread_that_asked_for_it(bench: Bench) -> None:
    """Workers die with whoever started them, and the kernel takes that to be a thread."""

    def lose_one() -> None:
        host = bench.executor._slots[0].host  # type: ignore[attr-defined]
        assert host.process is not None
        host.process.kill()
        assert attempt(bench, "raise SystemExit('never begun')") == ("killed", "the run took its sandbox down")

    asking = threading.Thread(target=lose_one)
    asking.start()
    asking.join()
    time.sleep(0.1)
    assert attempt(bench, "raise SystemExit('begun')") == ("failed", "begun")


@pytest.mark.parametrize(
    "code",
    [
        "import os\nos.symlink('/etc/hostname', 'outputs/value.json')\n",
        "import shutil, os\nshutil.rmtree('outputs')\nos.symlink('/etc', 'outputs')\n",
        "import os\nos.mkfifo('outputs/value.json')\n",
    ],
)
def test_links_and_pipes_are_no_artefacts(bench: Bench, code: str) -> None:
    assert attempt(bench, code)[0] == "output"


@pytest.mark.skipif("bubblewrap" not in KINDS, reason="bubblewrap does not work here")
def test_bubblewrap_hides_the_rest_of_the_machine(dial: Template, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("labels")
    with Bench.local(dial, choose_sandbox("bubblewrap"), tmp_path / "scratch", 1) as bench:
        for code in (
            f"open({str(secret)!r}).read()",
            f"open({str(dial.root / 'evaluate.py')!r}).read()",
            f"open({str(tmp_path / 'x')!r}, 'w')",
            "open('/bench/../x', 'w')",
            "import socket; socket.create_connection(('127.0.0.1', 9), 1)",
        ):
            status, reason = attempt(bench, code)
            assert status == "failed", code
            assert any(word in reason for word in ("No such file", "Read-only", "unreachable", "refused")), reason
    assert not (tmp_path / "x").exists()


@pytest.mark.skipif("bubblewrap" not in KINDS, reason="bubblewrap does not work here")
def test_a_candidate_has_no_capability_to_undo_the_sandbox(dial: Template, tmp_path: Path) -> None:
    remount = (
        "import ctypes, os, sys\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "MS_REMOUNT, MS_BIND = 32, 4096\n"
        "done = libc.mount(b'none', b'/usr', None, MS_REMOUNT | MS_BIND, None)\n"
        "sys.exit(f'remounted {done} ' + open('/proc/self/status').read().split('CapEff:')[1].split()[0])\n"
    )
    with Bench.local(dial, choose_sandbox("bubblewrap"), tmp_path / "scratch", 1) as bench:
        assert attempt(bench, remount) == ("failed", "remounted -1 0000000000000000")


@pytest.mark.skipif("bubblewrap" not in KINDS, reason="bubblewrap does not work here")
def test_no_run_leaves_anything_for_the_next(dial: Template, tmp_path: Path) -> None:
    with Bench.local(dial, choose_sandbox("bubblewrap"), tmp_path / "scratch", 1) as bench:
        for place in ("/tmp", "/dev/shm", "/bench"):
            wrote = f"open('{place}/note', 'w').write('labels')\nraise SystemExit('wrote')"
            assert attempt(bench, wrote) == ("failed", "wrote")
            assert "No such file" in attempt(bench, f"open('{place}/note').read()")[1]


def test_a_linked_interpreter_is_not_bound_under_two_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is masked at its real path must not be readable through a link to it."""
    link = tmp_path / "venv"
    link.symlink_to(sys.prefix)
    monkeypatch.setattr(sys, "prefix", str(link))
    roots, links = interpreter_roots()
    assert link not in roots and link in links
    assert all(root == root.resolve() for root in roots)


def test_a_sealed_file_that_changes_stops_everything(tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "dial"
    shutil.copytree(DIAL, copy)
    template = load_template(copy)
    with Bench.local(template, choose_sandbox("process"), tmp_path / "scratch", 1) as bench:
        (copy / "evaluate.py").write_text((copy / "evaluate.py").read_text() + "\n# bent\n")
        with pytest.raises(MachineryError, match="sealed file"), bench.run(template.defaults, 1, ("keep",)):
            pass


def test_an_evaluator_that_cannot_be_loaded_is_one_line(tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "dial"
    shutil.copytree(DIAL, copy)
    (copy / "evaluate.py").write_text("raise RuntimeError('broken evaluator')\n")
    with (
        pytest.raises(MachineryError, match="broken evaluator"),
        Bench.local(load_template(copy), choose_sandbox("process"), tmp_path / "scratch", 1),
    ):
        pass
