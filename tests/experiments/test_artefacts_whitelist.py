"""The whitelist of outputs/: every planted artefact is refused in one line, and no byte of it is believed before."""

from __future__ import annotations

import io
import json
import os
import pickle
import socket
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scientist.experiments._artefacts import check, check_json, check_npz, listing, reports
from scientist.template import ArraySpec, Artefact

ANY: dict[str, Any] = {"files": [], "total_mb": 1, "reported": False}
REPORTED = {**ANY, "reported": True}


def rules(*artefacts: Artefact) -> dict[str, Any]:
    return {**ANY, "files": [artefact.model_dump(mode="json") for artefact in artefacts]}


def npz(**arrays: Any) -> bytes:
    raw = io.BytesIO()
    np.savez(raw, **arrays)
    return raw.getvalue()


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return raw.getvalue()


def npy(array: Any) -> bytes:
    raw = io.BytesIO()
    np.save(raw, array, allow_pickle=True)
    return raw.getvalue()


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    place = tmp_path / "outputs"
    place.mkdir()
    return place


def refused(outputs: Path, what: str, told: dict[str, Any] = ANY) -> None:
    with pytest.raises(ValueError, match=what) as caught:
        check(outputs, told)
    assert "\n" not in str(caught.value)


class Bomb:
    """Leaves a mark when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (MARK,))


MARK = "unpickled-in-the-judge"


def test_plain_json_and_arrays_pass(outputs: Path) -> None:
    (outputs / "a.json").write_text('{"x": [1, 2.5, "\\u00e9", null, true]}')
    (outputs / "below").mkdir()
    (outputs / "below/b.npz").write_bytes(
        npz(x=np.eye(3), n=np.array(3), text=np.array(["a", "é"]), yes=np.ones(2, bool))
    )
    check(outputs, ANY)


# -- pickles -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "raw", "why"),
    [
        ("a.npz", npz(x=np.array([Bomb()], dtype=object)), "holds pickled objects"),
        ("a.npz", zipped({"x.npy": pickle.dumps(Bomb())}), "is not an array"),
        ("a.npz", zipped({"x.pkl": pickle.dumps(Bomb())}), "which is no array"),
        ("a.npz", pickle.dumps(Bomb()), "is not an archive of arrays"),
        ("a.npz", npy(np.eye(2)), "is not an archive of arrays"),
        ("a.json", pickle.dumps(Bomb()), "is not UTF-8"),
        ("a.json", pickle.dumps("text", protocol=0), "is not JSON"),
        ("a.pkl", pickle.dumps(Bomb()), "is not among what may be left"),
    ],
)
def test_a_pickle_is_refused_and_never_opened(
    outputs: Path, name: str, raw: bytes, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(outputs.parent)
    (outputs / name).write_bytes(raw)
    refused(outputs, why)
    assert not Path(MARK).exists()
    pickle.loads(pickle.dumps(Bomb()))
    assert Path(MARK).exists(), "the attack is a real one: it goes off where it is unpickled"


def test_a_structured_or_complex_array_is_refused(outputs: Path) -> None:
    for array in (np.zeros(2, dtype=[("a", "O")]), np.zeros(2, dtype=[("a", "f8")]), np.zeros(2, dtype=complex)):
        (outputs / "a.npz").write_bytes(npz(x=array))
        refused(outputs, "no plain array|pickled objects|not a plain one")


# -- links and other ways out of the folder ----------------------------------------------------------------------------


def test_a_link_is_refused(outputs: Path) -> None:
    (outputs.parent / "secret.json").write_text("{}")
    (outputs / "a.json").symlink_to(outputs.parent / "secret.json")
    refused(outputs, "'a.json' is a link")


def test_a_linked_folder_is_refused(outputs: Path) -> None:
    (outputs.parent / "other").mkdir()
    (outputs.parent / "other/a.json").write_text("{}")
    (outputs / "below").symlink_to(outputs.parent / "other")
    refused(outputs, "'below' is a link")


def test_outputs_that_is_a_link_itself_is_refused(outputs: Path) -> None:
    outputs.rename(outputs.parent / "other")
    outputs.symlink_to(outputs.parent / "other")
    refused(outputs, "was replaced")


def test_a_second_name_of_a_file_elsewhere_is_refused(outputs: Path) -> None:
    (outputs.parent / "secret.json").write_text("{}")
    (outputs / "a.json").hardlink_to(outputs.parent / "secret.json")
    refused(outputs, "second name")


def test_a_pipe_is_refused_without_being_opened(outputs: Path) -> None:
    os.mkfifo(outputs / "a.json")
    refused(outputs, "not a plain file")


def test_a_socket_is_refused(outputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(outputs)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("a.json")
        refused(outputs, "not a plain file")


@pytest.mark.parametrize(
    "name", ["..\\..\\train.py.json", "a\nb.json", ".hidden.json", "-rf.json", "a b.json", b"\xff.json"]
)
def test_odd_names_are_refused(outputs: Path, name: str | bytes) -> None:
    Path(os.fsdecode(os.fsencode(outputs) + b"/" + os.fsencode(name))).write_text("{}")
    refused(outputs, "unusual name")


@pytest.mark.parametrize("member", ["../train.npy", "/etc/x.npy", "below/../../x.npy", "a\\b.npy", "x"])
def test_members_that_lead_out_of_an_archive_are_refused(outputs: Path, member: str) -> None:
    (outputs / "a.npz").write_bytes(zipped({member: npy(np.eye(2))}))
    refused(outputs, "which is no array")


def test_a_template_cannot_declare_an_artefact_elsewhere() -> None:
    for name in ("../a.json", "a/../../b.json", "/etc/a.json"):
        with pytest.raises(ValueError):
            Artefact(name=name)


def test_too_many_files_or_folders_are_refused(outputs: Path) -> None:
    deep = outputs
    for _ in range(40):
        deep = deep / "d"
    deep.mkdir(parents=True)
    refused(outputs, "more than")
    (outputs / "d").rename(outputs.parent / "d")
    for number in range(300):
        (outputs / f"{number}.json").write_text("{}")
    refused(outputs, "more than")


# -- sizes -------------------------------------------------------------------------------------------------------------


def lying(raw: bytes, size: int) -> bytes:
    """The archive with the unpacked size of its only member set to `size` in both of its headers."""
    middle = raw.index(b"PK\x01\x02")
    packed = struct.pack("<I", size)
    return raw[:22] + packed + raw[26 : middle + 24] + packed + raw[middle + 28 :]


def test_a_zip_bomb_is_refused_before_it_is_unpacked(outputs: Path) -> None:
    (outputs / "a.npz").write_bytes(zipped({"x.npy": npy(np.zeros((1 << 24,)))}))
    assert (outputs / "a.npz").stat().st_size < 1 << 20
    refused(outputs, "unpacks to more than 1 MB")


def test_a_zip_bomb_that_lies_about_its_size_does_not_go_off(outputs: Path) -> None:
    """zipfile itself would inflate half a gigabyte here before it cuts."""
    honest = npy(np.zeros(100))
    with io.BytesIO() as raw:
        with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w") as member:
            member.write(honest)
            for _ in range(512):
                member.write(bytes(1 << 20))
        bomb = raw.getvalue()
    (outputs / "a.npz").write_bytes(lying(bomb, len(honest)))
    code = (
        "import resource, sys\nfrom pathlib import Path\n"
        "from scientist.experiments._artefacts import check\n"
        "import numpy\nused = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    check(Path(sys.argv[1]), {'files': [], 'total_mb': 1, 'reported': False})\n"
        "except ValueError as error:\n    print(error)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - used)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(outputs)], capture_output=True, text=True, check=True)
    said, grown = done.stdout.splitlines()
    assert "not what its archive says" in said
    assert int(grown) < 50_000, "kilobytes"


def test_a_file_larger_than_declared_is_refused_unread(outputs: Path) -> None:
    (outputs / "a.json").write_text('{"x": "' + "a" * 20_000 + '"}')
    refused(outputs, "larger than 0.01 MB", rules(Artefact(name="a.json", max_mb=0.01)))
    with (outputs / "a.json").open("r+b") as sparse:
        sparse.truncate(1 << 40)
    refused(outputs, "larger than 1 MB")


def test_a_header_that_promises_the_moon_allocates_nothing(outputs: Path) -> None:
    good = npy(np.zeros((2, 5)))
    moon = good.replace(b"(2, 5), }", b"(2, 5000000000), }"[: len(b"(2, 5), }") + 9])
    length = int.from_bytes(moon[8:10], "little") + len(moon) - len(good)
    (outputs / "a.npz").write_bytes(zipped({"x.npy": moon[:8] + length.to_bytes(2, "little") + moon[10:]}))
    refused(outputs, "cut short or padded")


def test_a_long_header_is_refused(outputs: Path) -> None:
    good = npy(np.zeros(2))
    long = good[:8] + (60_000).to_bytes(2, "little") + b" " * 60_000
    (outputs / "a.npz").write_bytes(zipped({"x.npy": long}))
    refused(outputs, "has a header of 60000 bytes")


def test_a_header_is_never_evaluated(outputs: Path) -> None:
    good = npy(np.zeros(2))
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (len([1, 2]),), }\n"
    (outputs / "a.npz").write_bytes(
        zipped({"x.npy": good[:8] + len(header).to_bytes(2, "little") + header + good[-16:]})
    )
    refused(outputs, "no plain array")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_to_pack_are_refused(outputs: Path, method: int) -> None:
    (outputs / "a.npz").write_bytes(zipped({"x.npy": npy(np.zeros(2))}, method))
    refused(outputs, "unusual way")


def test_two_members_of_one_name_are_refused(outputs: Path) -> None:
    with pytest.warns(UserWarning), zipfile.ZipFile(outputs / "a.npz", "w") as archive:
        archive.writestr("x.npy", npy(np.zeros(2)))
        archive.writestr("x.npy", npy(np.ones(2)))
    refused(outputs, "one twice")


def test_an_empty_array_is_refused(outputs: Path) -> None:
    """Means of nothing are how an evaluator would be brought to fail."""
    (outputs / "a.npz").write_bytes(npz(x=np.zeros((0, 3))))
    refused(outputs, "is empty")


# -- values ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["f2", "f4", ">f8"])
def test_values_that_are_not_finite_are_refused(outputs: Path, value: float, dtype: str) -> None:
    (outputs / "a.npz").write_bytes(npz(x=np.array([1.0, value], dtype=dtype)))
    refused(outputs, "not finite")


TWO = Artefact(
    name="p.npz",
    arrays={
        "a": ArraySpec(dtype="float", shape=("n", 3), low=0.0, high=1.0),
        "b": ArraySpec(dtype="int", shape=("n",), low=0, high=9),
    },
)


@pytest.mark.parametrize(
    ("a", "b", "why"),
    [
        (np.zeros((4, 3)), np.zeros(5, int), r"'b' has shape \(5\), not \(4\)"),
        (np.zeros((4, 2)), np.zeros(4, int), r"'a' has shape \(4, 2\), not \(n, 3\)"),
        (np.zeros((4, 3)), np.zeros((4, 1), int), r"'b' has shape \(4, 1\)"),
        (np.zeros((4, 3), int), np.zeros(4, int), "holds int values, not float"),
        (np.zeros((4, 3)), np.zeros(4), "holds float values, not int"),
        (np.full((4, 3), 1.5), np.zeros(4, int), "holds 1.5, above 1"),
        (np.full((4, 3), -0.1), np.zeros(4, int), "holds -0.1, below 0"),
        (np.zeros((4, 3)), np.full(4, 10), "holds 10, above 9"),
    ],
)
def test_declared_arrays_are_held_to_type_shape_and_range(outputs: Path, a: Any, b: Any, why: str) -> None:
    (outputs / "p.npz").write_bytes(npz(a=np.zeros((4, 3), "f4"), b=np.zeros(4, "u1")))
    check(outputs, rules(TWO))
    (outputs / "p.npz").write_bytes(npz(a=a, b=b))
    refused(outputs, why, rules(TWO))


def test_one_name_twice_in_a_shape_is_one_size(outputs: Path) -> None:
    square = Artefact(name="p.npz", arrays={"a": ArraySpec(dtype="float", shape=("n", "n"))})
    (outputs / "p.npz").write_bytes(npz(a=np.zeros((2, 3))))
    refused(outputs, "has shape", rules(square))


def test_what_is_not_declared_is_refused_and_what_is_required_is_missed(outputs: Path) -> None:
    (outputs / "p.npz").write_bytes(npz(a=np.zeros((4, 3)), b=np.zeros(4, int), c=np.zeros(1)))
    refused(outputs, "exactly the arrays a, b", rules(TWO))
    (outputs / "p.npz").unlink()
    refused(outputs, "outputs/p.npz is missing", rules(TWO))
    check(outputs, rules(TWO.model_copy(update={"required": False})))
    (outputs / "other.json").write_text("{}")
    refused(outputs, "not among what may be left there: p.npz", rules(TWO.model_copy(update={"required": False})))


# -- JSON --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"x": NaN}', "holds NaN"),
        ('{"x": [-Infinity]}', "holds -Infinity"),
        ('{"x": 1e999}', "not finite"),
        ('{"x": 1, "x": 2}', "a key twice"),
        ('[{"y": {"x": 1, "x": 1}}]', "a key twice"),
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ("[" * 40 + "]" * 40, "nested too deeply"),
        ('{"a":' * 40 + "1" + "}" * 40, "nested too deeply"),
        ("3.5", "neither an object nor a list"),
        ("null", "neither an object nor a list"),
        ('"text"', "neither an object nor a list"),
        ("", "is not JSON"),
        ('{"x": 1} {}', "is not JSON"),
        ('\ufeff{"x": 1}', "is not JSON"),
        ('{"x": "\\ud800"}', "half a character"),
        ('{"x": ' + "9" * 5000 + "}", "integer string conversion"),
    ],
)
def test_json_is_strict(outputs: Path, text: str, why: str) -> None:
    (outputs / "a.json").write_text(text, encoding="utf-8")
    refused(outputs, why)


def test_json_of_the_greatest_depth_passes(outputs: Path) -> None:
    (outputs / "a.json").write_text("[" * 32 + "]" * 32)
    check(outputs, ANY)


# -- metrics that a run reports itself ---------------------------------------------------------------------------------


def test_a_reporting_run_may_leave_anything_beside_its_report(outputs: Path) -> None:
    (outputs / "final_info.json").write_text('{"a": {"means": {"x": NaN, "y": 1.0}}}')
    (outputs / "results.npy").write_bytes(pickle.dumps(Bomb()))
    (outputs / "latest").symlink_to("/etc")
    os.mkfifo(outputs / "pipe.json")
    (outputs / ".cache dir").mkdir()
    check(outputs, REPORTED)
    assert reports(outputs)[0] == "final_info.json"
    assert list(reports(outputs)[1]) == ["final_info.json"]


def test_a_report_in_the_only_folder_counts_and_one_of_two_does_not(outputs: Path) -> None:
    (outputs / "run_0").mkdir()
    (outputs / "run_0/final_info.json").write_text('{"x": 1}')
    check(outputs, REPORTED)
    assert reports(outputs)[0] == "run_0/final_info.json"
    (outputs / "run_1").mkdir()
    (outputs / "run_1/final_info.json").write_text('{"x": 2}')
    refused(outputs, "several final_info.json", REPORTED)


@pytest.mark.parametrize("how", ["link", "hardlink", "pipe", "missing", "folder link", "bomb"])
def test_the_report_itself_must_be_a_plain_file(outputs: Path, how: str) -> None:
    elsewhere = outputs.parent / "better"
    elsewhere.mkdir()
    (elsewhere / "final_info.json").write_text('{"x": 100}')
    report = outputs / "final_info.json"
    if how == "link":
        report.symlink_to(elsewhere / "final_info.json")
    elif how == "hardlink":
        report.hardlink_to(elsewhere / "final_info.json")
    elif how == "pipe":
        os.mkfifo(report)
    elif how == "folder link":
        (outputs / "run_0").symlink_to(elsewhere)
    elif how == "bomb":
        report.write_text("[" * 100_000)
    refused(outputs, "final_info.json", REPORTED)


# -- properties --------------------------------------------------------------------------------------------------------

PLAIN = st.sampled_from(["f2", "f4", "f8", "<i4", ">i8", "u1", "b1", "U3", ">f4"])
SHAPES = st.lists(st.integers(1, 4), max_size=3)


@given(st.lists(st.tuples(PLAIN, SHAPES, st.booleans()), min_size=1, max_size=4), st.booleans())
def test_whatever_numpy_saves_without_pickle_passes(arrays: list[tuple[str, list[int], bool]], packed: bool) -> None:
    made = {
        f"a{number}": np.ones(shape, dtype, order="F" if fortran else "C")
        for number, (dtype, shape, fortran) in enumerate(arrays)
    }
    raw = io.BytesIO()
    (np.savez_compressed if packed else np.savez)(raw, **made)
    check_npz("a.npz", raw.getvalue(), 1 << 20, None)


def mutations(valid: bytes) -> Iterator[bytes]:
    """The archive with every byte changed in turn, and cut at every place."""
    for place in range(len(valid)):
        for change in (0x01, 0x80, 0xFF):
            yield valid[:place] + bytes([valid[place] ^ change]) + valid[place + 1 :]
        yield valid[:place]


@pytest.mark.parametrize("packed", [False, True])
def test_a_damaged_archive_is_refused_or_read_alike_by_numpy(packed: bool) -> None:
    raw = io.BytesIO()
    (np.savez_compressed if packed else np.savez)(raw, x=np.array([0.5, 2.0]))
    passed = 0
    for broken in mutations(raw.getvalue()):
        try:
            check_npz("a.npz", broken, 1 << 20, None)
        except ValueError:
            continue
        passed += 1
        with np.load(io.BytesIO(broken), allow_pickle=False) as found:
            for name in found.files:
                assert np.isfinite(found[name]).all() and found[name].size == 2
    assert 0 < passed < 4 * len(raw.getvalue()) * 0.5


JSON_TREE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(JSON_TREE, max_size=3) | st.dictionaries(st.text(), JSON_TREE, max_size=3))
def test_whatever_json_writes_strictly_passes(tree: Any) -> None:
    check_json("a.json", json.dumps(tree, allow_nan=False, ensure_ascii=False).encode())


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(raw: bytes) -> None:
    for checker in (lambda: check_json("a", raw), lambda: check_npz("a", b"PK\x03\x04" + raw, 1 << 20, None)):
        try:
            checker()
        except ValueError as error:
            assert "\n" not in str(error)


def test_listing_is_sorted_and_complete(outputs: Path) -> None:
    for name in ("b.json", "a.json", "c/d.json"):
        (outputs / name).parent.mkdir(exist_ok=True)
        (outputs / name).write_text("{}")
    assert list(listing(outputs)) == ["a.json", "b.json", "c/d.json"]
