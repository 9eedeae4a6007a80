"""The parts of the walls one by one: lists of what may be read, the filter of system calls, what is hidden, the choice."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scientist.errors import MachineryError
from scientist.experiments import Bench, LocalExecutor, bubblewrap_works, choose_sandbox, run_cheats
from scientist.experiments import _sandbox as sandbox_module
from scientist.experiments._landlock import without
from scientist.experiments._sandbox import (
    BubblewrapSandbox,
    LandlockSandbox,
    ProcessSandbox,
    hidden_folders,
    landlock_works,
)
from scientist.experiments._seccomp import ARCHITECTURES, FORBIDDEN, METADATA, OWN_ONLY, compile_filter
from scientist.experiments._tree import empty, folder_usage
from scientist.template import load_template

DIGITS = Path(__file__).parents[2] / "templates" / "digits"
needs_landlock = pytest.mark.skipif(not landlock_works()[0], reason="Landlock does not work here")
needs_bubblewrap = pytest.mark.skipif(not bubblewrap_works()[0], reason="bubblewrap does not work here")

NAMES = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)


@given(st.sets(PATHS, max_size=12), st.sets(PATHS, max_size=3))
def test_what_is_allowed_is_everything_but_what_is_hidden(
    tmp_path_factory: pytest.TempPathFactory, files: set[str], hidden: set[str]
) -> None:
    root = tmp_path_factory.mktemp("tree").resolve()
    for name in files:
        place = root / f"{name}/file"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    closed = [str(root / name) for name in hidden]
    allowed = without(str(root), closed)
    for file in root.rglob("file"):
        below = [path for path in allowed if file == Path(path) or file.is_relative_to(path)]
        assert bool(below) != any(file.is_relative_to(path) for path in closed)


def test_a_link_is_no_second_way_to_what_is_hidden(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert without(str(tmp_path), [str(tmp_path / "real")]) == []


def run_filter(program: bytes, architecture: int, number: int, *arguments: int) -> int:
    """What the kernel would do: a small interpreter of the instructions in use."""
    data = struct.pack("=iIQ6Q", number, architecture, 0, *arguments, *[0] * (6 - len(arguments)))
    steps = [struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)]
    at = accumulator = 0
    while True:
        code, yes, no, value = steps[at]
        at += 1
        if code == 0x20:
            accumulator = struct.unpack_from("=I", data, value)[0]
        elif code == 0x06:
            return int(value)
        else:
            holds = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: bool(accumulator & value)}[code]
            at += yes if holds else no


ALLOW, EPERM = 0x7FFF0000, 0x00050001


@pytest.mark.parametrize("machine", sorted(ARCHITECTURES))
@pytest.mark.parametrize("metadata", [True, False])
def test_the_filter_refuses_what_it_names_and_nothing_else(machine: str, metadata: bool) -> None:
    column = list(ARCHITECTURES).index(machine)
    program = compile_filter(machine, sockets=True, metadata=metadata)

    def ends(number: int, *arguments: int) -> int:
        return run_filter(program, ARCHITECTURES[machine], number, *arguments)

    named = {numbers[column] for numbers in FORBIDDEN.values()}
    assert {number for number in range(500) if ends(number) == EPERM} == named
    told_as_done = {numbers[column] for numbers in METADATA.values()} - {-1}
    assert {number for number in range(500) if ends(number) == 0x00050000} == (set() if metadata else told_as_done)
    for numbers, argument in OWN_ONLY.values():
        assert ends(numbers[column], *[0] * argument, 0) == ALLOW
        assert ends(numbers[column], *[0] * argument, 1234) == EPERM
    clone, socket = {"x86_64": (56, 41), "aarch64": (220, 198)}[machine]
    assert ends(clone, 0x01200011) == ALLOW and ends(clone, 0x3D0F00) == ALLOW  # fork, and a thread
    for flag in (0x20000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000):
        assert ends(clone, 0x11 | flag) == EPERM
    assert [family for family in range(50) if ends(socket, family) == ALLOW] == [1, 2, 10]
    none = compile_filter(machine, sockets=False, metadata=metadata)
    assert all(run_filter(none, ARCHITECTURES[machine], socket, family) != ALLOW for family in range(50))
    assert run_filter(program, 0x40000003, 11) == EPERM  # the calls of another architecture
    if machine == "x86_64":
        assert ends(0x40000000 | 101) == 0x00050000 | 38


@needs_landlock
def test_landlock_closes_a_hidden_folder_inside_an_open_one(tmp_path: Path) -> None:
    for name in ("open.txt", "package/data/labels.txt", "package/code.txt", "run/mine.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    code = (
        "import sys\nsys.path.insert(0, sys.argv[1])\nimport json, os, _landlock as l\n"
        "base, abi = sys.argv[2], l.landlock_abi()\nrules = l.create_ruleset(abi, reads=True, tcp=True, scopes=True)\n"
        "l.allow_reading(rules, [base], [base + '/package/data'])\nl.allow_writing(rules, [base + '/run'], abi, True)\n"
        "l.enforce(rules)\n"
        "def may(mode, name):\n    try:\n        open(f'{base}/{name}', mode).close()\n    except PermissionError:\n        return False\n    return True\n"
        "names = ['open.txt', 'package/data/labels.txt', 'package/code.txt', 'run/mine.txt']\n"
        "print(json.dumps([[may('r', n) for n in names], [may('a', n) for n in names], may('w', 'new'), may('w', 'run/new'),\n"
        "                  sorted(os.listdir(base + '/package'))]))\n"
    )
    hosts = str(Path(sandbox_module.HOST_FILES[1]).parent)
    command = [sys.executable, "-I", "-c", code, hosts, str(tmp_path)]
    found = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=30).stdout)
    assert found == [[True, False, True, True], [False, False, False, True], False, True, ["code.txt", "data"]]


def test_hidden_names_mean_every_copy_that_can_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    twin = tmp_path / "lib" / "python3" / "dist-packages"
    (twin / "sklearn" / "datasets" / "data").mkdir(parents=True)
    (twin / "this.py").touch()
    usual = sandbox_module._library_folders()
    monkeypatch.setattr(sandbox_module, "_library_folders", lambda _: (*usual, twin))
    found = hidden_folders(["sklearn:datasets/data"])
    assert twin / "sklearn" / "datasets" / "data" in found
    assert any("site-packages" in str(path) for path in found)
    assert all(path.is_dir() for path in found)
    everything = hidden_folders(["pydoc_data:.", "this:."])
    assert {path.name.partition(".")[0] for path in everything} == {"pydoc_data", "this"}
    assert twin / "this.py" in everything
    assert hidden_folders(["not_installed_anywhere:data"]) == []


@pytest.mark.parametrize("entry", ["sklearn:datasets/dta", "sklearn:../numpy", "sklearn.datasets:data", "json:/etc"])
def test_a_hidden_folder_that_is_not_there_is_an_error_and_not_a_leak(entry: str) -> None:
    with pytest.raises(MachineryError, match="hide"):
        hidden_folders([entry])


@pytest.mark.slow
@needs_landlock
@pytest.mark.parametrize("name", sorted(path.stem for path in (DIGITS / "cheats").glob("*.py")))
def test_the_attacks_on_digits_are_contained_without_bubblewrap(name: str, digits_on_landlock: dict[str, str]) -> None:
    assert digits_on_landlock[name] == "contained"


@pytest.fixture(scope="module")
def digits_on_landlock(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    template = load_template(DIGITS)
    scratch = tmp_path_factory.mktemp("digits") / "scratch"
    with Bench.local(template, choose_sandbox("landlock", template.hide), scratch, 1) as bench:
        with bench.run(template.defaults, 0, ("keep",)) as outcome:
            assert outcome.metrics["keep"]["accuracy"] > 0.8, outcome.reason
        return {row.name: "contained" if row.contained else row.detail for row in run_cheats(bench)}


def test_the_choice_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_module, "bubblewrap_works", lambda: ("", "bubblewrap is not installed"))
    with pytest.raises(MachineryError, match="not installed"):
        choose_sandbox("bubblewrap")
    for abi, expected in ((7, LandlockSandbox), (4, LandlockSandbox), (3, ProcessSandbox), (0, ProcessSandbox)):
        monkeypatch.setattr(sandbox_module, "landlock_abi", lambda abi=abi: abi)
        monkeypatch.setattr(sandbox_module, "seccomp_supported", lambda: True)
        chosen = choose_sandbox("auto")
        assert type(chosen) is expected
        if abi == 4:
            assert any("signal" in gap for gap in chosen.gaps)
        if abi == 7:
            assert not any("signal" in gap for gap in chosen.gaps)
        if expected is ProcessSandbox:
            with pytest.raises(MachineryError, match="Landlock"):
                choose_sandbox("landlock")
    monkeypatch.setattr(sandbox_module, "landlock_abi", lambda: 7)
    monkeypatch.setattr(sandbox_module, "seccomp_supported", lambda: False)
    assert isinstance(choose_sandbox("auto"), ProcessSandbox)


def test_graphics_cards_are_shown_only_when_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_module, "gpu_devices", lambda: ["/dev/nvidia0", "/dev/nvidiactl"])
    without_any, with_them = (BubblewrapSandbox("bwrap", gpus=gpus).wrap(["x"], tmp_path) for gpus in (False, True))
    assert "/dev/nvidia0" not in without_any
    at = with_them.index("/dev/nvidia0")
    assert with_them[at - 1 : at + 2] == ["--dev-bind-try", "/dev/nvidia0", "/dev/nvidia0"]
    assert at < with_them.index("/dev", at)  # shown before /dev is closed to writing
    card = LandlockSandbox(7, gpus=True).setup(tmp_path)
    assert "/dev/nvidia0" in card["run_walls"]["devices"] and card["address_space"] is False
    assert "/dev/nvidia0" not in LandlockSandbox(7).setup(tmp_path)["run_walls"]["devices"]


@needs_bubblewrap
def test_bubblewrap_gives_no_user_of_the_machine_and_no_name_spaces_to_make(tmp_path: Path) -> None:
    wrapped = choose_sandbox("bubblewrap").wrap(["/bin/sh", "-c", "id -u; unshare -U true || echo refused"], tmp_path)
    done = subprocess.run(wrapped, capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.split() == ["65534", "refused"]


@needs_bubblewrap
def test_a_worker_whose_walls_cannot_be_put_up_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = choose_sandbox("bubblewrap")
    usual = {**sandbox.setup(tmp_path), "run_walls": {"read": None, "write": [], "devices": [], "tcp": False}}
    for bad in ({"run_walls": {**usual["run_walls"], "write": 7}}, {"filter": {"sockets": True}}):
        monkeypatch.setattr(sandbox, "setup", lambda scratch, bad=bad: {**usual, "landlock": 7, **bad})
        with pytest.raises(MachineryError, match=r"did not start: (OSError: the sandbox cannot be closed|TypeError)"):
            LocalExecutor([], sandbox, tmp_path / "scratch", 1).start()


def test_folders_are_measured_and_emptied_however_deep(tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir()
    (tmp_path / "shut" / "file").write_bytes(bytes(1000))
    (tmp_path / "link").symlink_to("/")
    (tmp_path / "shut").chmod(0)
    assert folder_usage([str(tmp_path)], 99)[1] == 3
    place = tmp_path / "deep"
    code = (
        "import os, sys\nos.chdir(sys.argv[1])\nfor _ in range(1500):\n    os.mkdir('d' * 20)\n    os.chdir('d' * 20)\n"
    )
    place.mkdir()
    subprocess.run([sys.executable, "-c", code, str(place)], check=True, timeout=30)
    assert folder_usage([str(tmp_path)], 99)[1] == 100
    assert folder_usage([str(tmp_path)], 5000)[1] == 5001
    empty(str(tmp_path))
    assert tmp_path.is_dir() and list(tmp_path.iterdir()) == []
    assert Path("/usr").is_dir()
