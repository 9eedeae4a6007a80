"""Parcels between machines: what was there arrives; what a hostile run left arrives as refusable as it was, and leads nowhere."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scientist.experiments._collect import collect
from scientist.experiments._parcel import MOST_ENTRIES, NotPlain, Part, ensure_plain, pack, pack_all, unpack
from scientist.template import load_template

DIAL = Path(__file__).parents[1] / "templates" / "dial"
SECRET = b"a secret that no run may send home"

Tree = dict[str, Any]
names = st.one_of(
    st.text(st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1, max_size=12),
    st.binary(min_size=1, max_size=12).filter(lambda raw: not set(raw) & {0, 47}).map(os.fsdecode),
).filter(lambda name: name not in (".", "..") and len(os.fsencode(name)) < 200)
leaves = st.tuples(st.binary(max_size=300), st.booleans())
trees = st.recursive(leaves, lambda below: st.dictionaries(names, below, max_size=4), max_leaves=12)
folders = st.dictionaries(names, trees, max_size=4)


def plant(folder: Path, tree: Tree) -> None:
    for name, what in tree.items():
        if isinstance(what, dict):
            (folder / name).mkdir()
            plant(folder / name, what)
        else:
            (folder / name).write_bytes(what[0])
            (folder / name).chmod(0o755 if what[1] else 0o644)


def seen(folder: Path) -> Tree:
    return {
        path.name: seen(path)
        if path.is_dir()
        else (path.read_bytes(), os.access(path, os.X_OK) and bool(path.stat().st_mode & 0o100))
        for path in folder.iterdir()
    }


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@settings(max_examples=40)
@given(folders, folders)
def test_a_folder_arrives_as_it_was_and_the_same_folder_is_the_same_bytes(tree: Tree, there: Tree) -> None:
    with tempfile.TemporaryDirectory() as place:
        here, away, again = (Path(place, name) for name in ("here", "away", "again"))
        for folder in (here, away, again):
            folder.mkdir()
        plant(here, tree)
        plant(again, dict(reversed(tree.items())))
        plant(away, {name: what for name, what in there.items() if name in tree})  # in place of what has the same name
        parcel = pack_all(here)
        assert pack_all(again) == parcel
        unpack(parcel, away)
        assert seen(away) == tree


@settings(max_examples=40)
@given(folders, st.data())
def test_a_damaged_parcel_is_refused_or_stays_in_its_folder(tree: Tree, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as place:
        here, away = Path(place, "here"), Path(place, "deep", "away")
        here.mkdir()
        away.mkdir(parents=True)
        plant(here, tree)
        parcel = bytearray(pack_all(here))
        for _ in range(data.draw(st.integers(1, 4))):
            parcel[data.draw(st.integers(0, len(parcel) - 1))] = data.draw(st.integers(0, 255))
        with contextlib.suppress(ValueError, OSError):
            unpack(bytes(parcel), away)
        assert everything(Path(place, "deep"))[0] == "away"
        assert {path.name for path in Path(place).iterdir()} == {"here", "deep"}
        assert {path.name for path in Path(place, "deep").iterdir()} == {"away"}


def forged(entries: list[list[Any]], contents: bytes = b"") -> bytes:
    listed = json.dumps(entries).encode()
    return len(listed).to_bytes(8, "big") + listed + contents


@pytest.mark.parametrize(
    ("entries", "contents"),
    [
        ([["f", "../evil", 1]], b"x"),
        ([["f", "/evil", 1]], b"x"),
        ([["d", "..", 0], ["f", "../evil", 1]], b"x"),
        ([["d", "a", 0], ["d", "a/..", 0], ["f", "a/../evil", 1]], b"x"),
        ([["d", ".", 0], ["f", "./evil", 1]], b"x"),
        ([["l", "a", 0], ["f", "a/evil", 1]], b"x"),  # through a link of its own
        ([["f", "a", 1], ["f", "a", 1]], b"xy"),
        ([["d", "a", 0], ["d", "a", 0]], b""),
        ([["f", "b/evil", 1]], b"x"),  # a folder that it does not bring
        ([["f", "a\0b", 1]], b"x"),
        ([["f", "", 1]], b"x"),
        ([["f", "a", 2]], b"x"),
        ([["f", "a", 1]], b"xy"),
        ([["f", "a", -1]], b""),
        ([["f", "a", True]], b"x"),
        ([["q", "a", 0]], b""),
        ([["f", "a"]], b"x"),
        ([{"f": "a"}], b""),  # type: ignore[list-item]
        ([["h", "a", 1 << 60]], b""),
    ],
)
def test_a_forged_parcel_is_refused_and_writes_nothing_elsewhere(
    tmp_path: Path, entries: list[list[Any]], contents: bytes
) -> None:
    away = tmp_path / "deep" / "away"
    away.mkdir(parents=True)
    with pytest.raises(ValueError, match=r"its? "):
        unpack(forged(entries, contents), away)
    assert [path for path in everything(tmp_path) if "evil" in path] == []
    assert {path.name for path in tmp_path.iterdir()} == {"deep"}
    assert {path.name for path in (tmp_path / "deep").iterdir()} == {"away"}


@pytest.mark.parametrize(
    "raw", [b"", b"\xff" * 8, bytes(8), (2).to_bytes(8, "big") + b"{}", (9).to_bytes(8, "big") + b"["]
)
def test_noise_is_no_parcel(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(ValueError, match="no list"):
        unpack(raw, tmp_path)
    with pytest.raises(ValueError, match="no list"):
        unpack((4000).to_bytes(8, "big") + b"[" * 4000, tmp_path)
    assert everything(tmp_path) == []


def test_only_what_was_asked_for_comes_home_and_replaces_what_was_there(tmp_path: Path) -> None:
    away = tmp_path / "run"
    (away / "outputs").mkdir(parents=True)
    (away / "outputs" / "stale").touch()
    (away / "log.txt").write_text("stale")
    (away / "inputs").mkdir()
    with pytest.raises(ValueError, match=r"'train\.py', which was not asked for"):
        unpack(forged([["f", "train.py", 1]], b"x"), away, ("log.txt", "outputs"))
    assert everything(away) == ["inputs", "log.txt", "outputs", "outputs/stale"]
    unpack(forged([["d", "outputs", 0]]), away, ("log.txt", "outputs"))
    assert everything(away) == ["inputs", "outputs"]


def test_a_link_in_the_place_of_a_folder_is_replaced_and_not_followed(tmp_path: Path) -> None:
    away, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    away.mkdir()
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    (away / "outputs").symlink_to(elsewhere)
    unpack(forged([["d", "outputs", 0], ["f", "outputs/x", 1]], b"x"), away, ("outputs",))
    assert everything(elsewhere) == ["kept"]
    assert not (away / "outputs").is_symlink() and (away / "outputs" / "x").read_bytes() == b"x"


# -- what a hostile run leaves -------------------------------------------------------------------------------------


def link_out(outputs: Path, secret: Path) -> None:
    (outputs / "value.json").symlink_to(secret)


def link_up(outputs: Path, secret: Path) -> None:
    (outputs / "value.json").symlink_to(Path("..", "..", secret.name))


def linked_folder(outputs: Path, secret: Path) -> None:
    (outputs / "more").symlink_to(secret.parent)


def second_name(outputs: Path, secret: Path) -> None:
    os.link(secret, outputs / "value.json")


def pipe(outputs: Path, secret: Path) -> None:
    os.mkfifo(outputs / "value.json")


def ear(outputs: Path, secret: Path) -> None:
    here = Path.cwd()
    os.chdir(outputs)  # the name of a socket may not be long
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("value.json")
    finally:
        os.chdir(here)


def device(outputs: Path, secret: Path) -> None:
    try:
        os.mknod(outputs / "value.json", 0o020644, os.makedev(1, 5))  # /dev/zero has no end
    except PermissionError:
        pytest.skip("only root can make a device")


def too_large(outputs: Path, secret: Path) -> None:
    (outputs / "value.json").write_bytes(bytes(3 << 20))


def sparse(outputs: Path, secret: Path) -> None:
    with (outputs / "value.json").open("wb") as handle:
        handle.truncate(1 << 40)


def many(outputs: Path, secret: Path) -> None:
    for number in range(MOST_ENTRIES + 2):
        (outputs / f"{number}").touch()


def nested(outputs: Path, secret: Path) -> None:
    deep = outputs
    for _ in range(100):
        deep = deep / "d"
        deep.mkdir()


def in_the_place_of_all(outputs: Path, secret: Path) -> None:
    outputs.rmdir()
    outputs.symlink_to(secret.parent)


HOSTILE = [
    link_out,
    link_up,
    linked_folder,
    second_name,
    pipe,
    ear,
    device,
    too_large,
    sparse,
    many,
    nested,
    in_the_place_of_all,
]


@pytest.mark.parametrize("attack", HOSTILE)
def test_what_a_hostile_run_left_is_refused_at_home_as_it_would_be_there(
    tmp_path: Path, attack: Callable[[Path, Path], None]
) -> None:
    template = load_template(DIAL)
    secret = tmp_path / "private" / "secret"
    secret.parent.mkdir()
    secret.write_bytes(SECRET)
    (tmp_path / "secret").write_bytes(SECRET)
    there, here = tmp_path / "there", tmp_path / "here"
    (there / "outputs").mkdir(parents=True)
    here.mkdir()
    attack(there / "outputs", secret)
    if attack is not in_the_place_of_all and not (there / "outputs" / "value.json").is_symlink():
        (there / "outputs" / "beside.json").write_text("{}")
    parcel = pack(there, [Part("outputs", template.budget.output_mb << 20)])
    assert SECRET not in parcel
    assert len(parcel) < (template.budget.output_mb << 20) + 200_000
    with pytest.raises(NotPlain):
        ensure_plain(parcel)
    unpack(parcel, here, ("outputs",))
    _, refused_there = collect(there / "outputs", template)
    _, refused_here = collect(here / "outputs", template)
    assert refused_here == refused_there != ""


def test_of_a_log_the_end_comes_and_of_a_curve_the_beginning(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    here.mkdir()
    (there / "log.txt").write_bytes(b"begin" + bytes(1000) + b"end")
    (there / "metrics.jsonl").write_bytes(b"begin" + bytes(1000) + b"end")
    unpack(pack(there, [Part("log.txt", 10, "tail"), Part("metrics.jsonl", 10, "head"), Part("absent", 10)]), here)
    assert (here / "log.txt").read_bytes() == bytes(7) + b"end"
    assert (here / "metrics.jsonl").read_bytes() == b"begin" + bytes(5)
    assert len(everything(here)) == 2


@pytest.mark.parametrize("attack", [link_out, link_up, pipe, ear])
def test_a_folder_that_is_sent_out_holds_plain_files_only(tmp_path: Path, attack: Callable[[Path, Path], None]) -> None:
    (tmp_path / "run" / "inputs").mkdir(parents=True)
    attack(tmp_path / "run" / "inputs", tmp_path / "secret")
    with pytest.raises(NotPlain, match=r"'inputs/value\.json' is no plain file"):
        pack_all(tmp_path / "run")
