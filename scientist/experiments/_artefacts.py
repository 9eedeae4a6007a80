"""What a run may leave in outputs/: a whitelist, checked before anybody else reads a byte.

The judge's process loads this file by its path, so it knows the standard library and NumPy and nothing of the
scientist. Every refusal is a :class:`ValueError` in one line. Nothing is unpickled, evaluated, followed or inflated on
the word of a header: files are opened relative to their folder without following links, sizes are compared before
reading, an array's header is matched against a pattern before its data are looked at. When this runs, the processes of
the run are dead, so what was checked is what will be read.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Rules = dict[str, Any]
"""{"files": [Artefact as a dict], "total_mb": float, "reported": bool}; no files: any JSON or NPZ below `total_mb`."""

MIB = 1024 * 1024
LOCAL = b"PK\x03\x04"
REPORT = "final_info.json"
MOST_FILES = 256
MOST_FOLDERS = 32  # deep or many: either way
MOST_ENTRIES = 4096
MOST_ARRAYS = 64
DEEPEST_JSON = 32
LARGEST_HEADER = 4096  # bytes of an array's header; NumPy's own take 118
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
ARRAY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\.npy")
HEADER = re.compile(
    rb"\{'descr': '([<>|=][a-zA-Z][0-9]{1,6})', 'fortran_order': (True|False), "
    rb"'shape': \(((?:[0-9]{1,10}(?:, ?[0-9]{1,10}){0,7},?)?)\), \} *\n"
)
KINDS = {"f": "float", "i": "int", "u": "int", "b": "bool", "U": "text"}
WIDTHS = {"float": (2, 4, 8), "int": (1, 2, 4, 8), "bool": (1,)}  # bytes per value


def listing(outputs: Path) -> dict[str, os.stat_result]:
    """Path below `outputs` -> status of every file, from the outside: no file is opened.

    Raises ValueError for a link, a second name of a file that lies elsewhere, a pipe, socket or device, a name that is
    no plain word, too many files or folders.
    """
    found: dict[str, os.stat_result] = {}
    # Folders are opened relative to the one above and never through a link, so nothing leads out of outputs/.
    queue, folders = [("", _open_top(outputs))], 1
    try:
        while queue:
            prefix, folder = queue.pop()
            try:
                for name in _names(folder):
                    opened = _look(prefix, name, folder, found)
                    if opened is not None:
                        queue.append((f"{prefix}{name}/", opened))
                        folders += 1
                    if len(found) > MOST_FILES or folders > MOST_FOLDERS:
                        raise ValueError(f"outputs/ holds more than {MOST_FILES} files or {MOST_FOLDERS} folders")
            finally:
                os.close(folder)
    finally:
        for _, folder in queue:
            os.close(folder)
    return dict(sorted(found.items()))


def reports(outputs: Path) -> tuple[str, dict[str, os.stat_result]]:
    """(path of the final_info.json that counts, status of it and of every other plain JSON file at the top).

    For templates whose code reports its own metrics. It counts at the top of outputs/ or, where a script insists on a
    folder of its own, in the only folder there that has one. All else that a stranger's program leaves is passed over.
    Raises ValueError when there is none, or when it is no plain file.
    """
    found: dict[str, os.stat_result] = {}
    below: dict[str, os.stat_result] = {}
    top = _open_top(outputs)
    try:
        names = _names(top)
        for name in names:
            # What is passed over may be anything, so it is looked at only if its name says JSON or it is a folder.
            with contextlib.suppress(ValueError):
                what = os.stat(name, dir_fd=top, follow_symlinks=False)
                if not stat.S_ISDIR(what.st_mode) and not name.endswith(".json"):
                    continue
                folder = _look("", name, top, found)
                if folder is not None:
                    try:
                        with contextlib.suppress(FileNotFoundError):
                            _look(f"{name}/", REPORT, folder, below)
                    finally:
                        os.close(folder)
    finally:
        os.close(top)
    if REPORT in names:
        if REPORT not in found:
            raise ValueError(f"{REPORT} is not a plain file")
        return REPORT, dict(sorted(found.items()))
    if len(below) != 1:
        raise ValueError(f"the run left {'several' if below else 'no'} {REPORT}")
    (only,) = below
    return only, dict(sorted({**found, **below}.items()))


def _open_top(outputs: Path) -> int:
    try:
        return os.open(outputs, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        raise ValueError("outputs/ was replaced") from None


def _names(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in itertools.islice(entries, MOST_ENTRIES))


def _look(prefix: str, name: str, folder: int, found: dict[str, os.stat_result]) -> int | None:
    """Note one entry of a folder; returns a descriptor where it is a folder itself."""
    if not NAME.fullmatch(name):
        raise ValueError(f"artefact {ascii(name)[:80]} has an unusual name")
    what = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if stat.S_ISLNK(what.st_mode):
        raise ValueError(f"artefact '{name}' is a link")
    if stat.S_ISDIR(what.st_mode):
        try:
            return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        except OSError as error:
            raise ValueError(f"folder '{name}' cannot be opened: {error.strerror}") from None
    if not stat.S_ISREG(what.st_mode):
        raise ValueError(f"artefact '{name}' is not a plain file")
    if what.st_nlink > 1:
        raise ValueError(f"artefact '{name}' is a second name of another file")
    found[prefix + name] = what
    return None


def read_plain(outputs: Path, name: str, most: int) -> bytes:
    """The content of a regular file with one name, below `outputs`, of at most `most` bytes.

    Raises ValueError when it is anything else, or cannot be read.
    """
    folder = os.open(outputs, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        *above, last = name.split("/")
        for part in above:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            os.close(folder)
            folder = below
        file = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError as error:
        raise ValueError(f"{name} cannot be opened: {error.strerror}") from None
    finally:
        os.close(folder)
    with os.fdopen(file, "rb", buffering=0) as handle:
        what = os.fstat(file)
        if not stat.S_ISREG(what.st_mode) or what.st_nlink != 1:
            raise ValueError(f"{name} is not a plain file")
        if what.st_size > most:
            raise ValueError(f"{name} is larger than {most / MIB:.3g} MB")
        raw = b"".join(iter(lambda: handle.read(1 << 20), b""))
    if len(raw) != what.st_size:
        raise ValueError(f"{name} changed while it was read")
    return raw


def check(outputs: Path, rules: Rules) -> None:
    """Check everything in `outputs` against the whitelist. Raises ValueError, in one line, for the first offence."""
    if rules["reported"]:
        # The code under test computes its own metrics: one file is read, what else lies there is never opened.
        name, _ = reports(outputs)
        check_json(name, read_plain(outputs, name, int(rules["total_mb"] * MIB)), numbers=False)
        return
    found = listing(outputs)
    declared = {rule["name"]: rule for rule in rules["files"]}
    for name, rule in declared.items():
        if rule["required"] and name not in found:
            raise ValueError(f"outputs/{name} is missing")
    if sum(what.st_size for what in found.values()) > rules["total_mb"] * MIB:
        raise ValueError(f"artefacts are larger than {rules['total_mb']:g} MB")
    for name in found:
        rule = declared.get(name)
        if rule is None and (declared or not name.endswith((".json", ".npz"))):
            allowed = ", ".join(declared) if declared else "JSON and NPZ files"
            raise ValueError(f"outputs/{name} is not among what may be left there: {allowed}")
        most = int((rule["max_mb"] if rule else rules["total_mb"]) * MIB)
        raw = read_plain(outputs, name, most)
        if name.endswith(".json"):
            check_json(name, raw)
        else:
            check_npz(name, raw, most, rule["arrays"] if rule else None)


# -- JSON --------------------------------------------------------------------------------------------------------------


def check_json(name: str, raw: bytes, numbers: bool = True) -> None:
    """Strict JSON: UTF-8, an object or a list, no key twice, shallow; with `numbers`, all finite.

    Without it NaN and Infinity are let through, as Python writes them.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            raise ValueError(f"{name} holds a key twice")
        return made

    def constant(word: str) -> float:
        if numbers:
            raise ValueError(f"{name} holds {word}, which is no number")
        return 0.0

    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=unique, parse_constant=constant)
    except RecursionError:
        raise ValueError(f"{name} is nested too deeply") from None
    except UnicodeDecodeError:
        raise ValueError(f"{name} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{name} is not JSON: {error.msg}") from None
    if not isinstance(value, dict | list):
        raise ValueError(f"{name} holds neither an object nor a list")
    level: list[Any] = [value]
    for _ in range(DEEPEST_JSON):
        # Level by level rather than by recursion: the depth is what is in question.
        inner: list[Any] = []
        for one in level:
            for leaf in _leaves(one):
                if isinstance(leaf, dict | list):
                    inner.append(leaf)
                elif isinstance(leaf, float):
                    if numbers and leaf - leaf != 0:
                        raise ValueError(f"{name} holds a number that is not finite")
                elif isinstance(leaf, str) and not leaf.isascii() and any("\ud800" <= c <= "\udfff" for c in leaf):
                    raise ValueError(f"{name} holds half a character")
        level = inner
        if not level:
            return
    raise ValueError(f"{name} is nested too deeply")


def _leaves(node: dict[str, Any] | list[Any]) -> Iterator[Any]:
    if isinstance(node, dict):
        yield from node
        yield from node.values()
    else:
        yield from node


# -- NPZ ---------------------------------------------------------------------------------------------------------------


def check_npz(name: str, raw: bytes, most: int, arrays: dict[str, Any] | None) -> None:
    """An archive of plain arrays: exactly the declared ones, or any when `arrays` is None, of at most `most` bytes."""
    if raw[:4] != LOCAL:
        raise ValueError(f"{name} is not an archive of arrays")
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, struct.error, NotImplementedError, UnicodeDecodeError) as error:
        raise ValueError(f"{name} is not a readable archive: {error}") from None
    names = [member.filename for member in members]
    if len(names) > MOST_ARRAYS or len(set(names)) != len(names):
        raise ValueError(f"{name} holds more than {MOST_ARRAYS} arrays, or one twice")
    for one in names:
        if not ARRAY.fullmatch(one):
            raise ValueError(f"{name} holds {ascii(one)[:80]}, which is no array")
    if arrays is not None and sorted(names) != sorted(f"{array}.npy" for array in arrays):
        raise ValueError(f"{name} must hold exactly the arrays {', '.join(arrays)}")
    if sum(member.file_size for member in members) > most:
        raise ValueError(f"{name} unpacks to more than {most / MIB:.3g} MB")
    sizes: dict[str, int] = {}
    for member in sorted(members, key=lambda one: one.filename):
        array = member.filename.removesuffix(".npy")
        _check_array(f"{name}: array '{array}'", raw, member, (arrays or {}).get(array), sizes)


def _pieces(what: str, raw: bytes, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """The first bytes of a member, enough for its header, then the rest; never more than the size it declares.

    `zipfile` would inflate whatever a member holds before it cuts to the declared size. An array that holds more or
    less than it declares, or is not what its checksum says, is refused.
    """
    start, first = member.header_offset, 12 + LARGEST_HEADER
    lengths = struct.unpack("<HH", raw[start + 26 : start + 30].ljust(4, b"\0"))
    begin = start + 30 + sum(lengths)
    packed = raw[begin : begin + member.compress_size]
    told = raw[start + 30 : start + 30 + lengths[0]]
    if raw[start : start + 4] != LOCAL or told != member.filename.encode() or member.flag_bits & 1:
        raise ValueError(f"{what} is packed in an unusual way")
    if member.compress_type == zipfile.ZIP_STORED:
        head, rest, whole = packed[:first], packed[first:], len(packed) == member.file_size
        yield head
    elif member.compress_type == zipfile.ZIP_DEFLATED:
        try:
            inflate = zlib.decompressobj(-15)
            head = inflate.decompress(packed, min(first, member.file_size + 1))
            yield head
            rest = inflate.decompress(inflate.unconsumed_tail, max(1, member.file_size - len(head) + 1))
        except zlib.error as error:
            raise ValueError(f"{what} cannot be unpacked: {error}") from None
        whole = inflate.eof and not inflate.unused_data and len(head) + len(rest) == member.file_size
    else:
        raise ValueError(f"{what} is packed in an unusual way")
    if not whole or zlib.crc32(rest, zlib.crc32(head)) != member.CRC:
        raise ValueError(f"{what} is not what its archive says")
    yield rest


def _check_array(
    what: str, raw: bytes, member: zipfile.ZipInfo, spec: dict[str, Any] | None, sizes: dict[str, int]
) -> None:
    """One `.npy` member. Its header is matched, not evaluated, and checked before its data are unpacked.

    `sizes` binds the names in declared shapes, and is added to.
    """
    pieces = _pieces(what, raw, member)
    head = next(pieces)
    if head[:6] != b"\x93NUMPY" or head[6:8] not in (b"\1\0", b"\2\0", b"\3\0"):
        raise ValueError(f"{what} is not an array")
    start = 10 if head[6] == 1 else 12
    length = int.from_bytes(head[8:start], "little")
    if length > LARGEST_HEADER:
        raise ValueError(f"{what} has a header of {length} bytes")
    header = head[start : start + length]
    match = HEADER.fullmatch(header)
    if match is None:
        pickled = re.search(rb"'[<>|=]?O[0-9]*'", header) is not None
        raise ValueError(f"{what} {'holds pickled objects' if pickled else 'is no plain array of numbers or text'}")
    code, shape = match[1].decode(), tuple(int(part) for part in match[3].replace(b",", b" ").split())
    kind, width = KINDS.get(code[1], ""), int(code[2:])
    if not kind or (kind != "text" and width not in WIDTHS[kind]):
        raise ValueError(f"{what} has the type {code}, not a plain one of numbers or text")
    total = 4 * width if kind == "text" else width
    for extent in shape:
        total *= extent
    if total == 0:
        raise ValueError(f"{what} is empty")
    if total != member.file_size - start - length:
        raise ValueError(f"{what} is cut short or padded")
    if spec is not None:
        _check_shape(what, kind, shape, spec, sizes)
    body = head[start + length :] + next(pieces)
    _check_values(what, code, kind, body, spec or {})


def _check_shape(what: str, kind: str, shape: tuple[int, ...], spec: dict[str, Any], sizes: dict[str, int]) -> None:
    if kind != spec["dtype"]:
        raise ValueError(f"{what} holds {kind} values, not {spec['dtype']}")
    expected = [sizes.get(extent, extent) for extent in spec["shape"]]
    if len(shape) != len(expected) or any(type(e) is int and e != s for e, s in zip(expected, shape, strict=True)):
        raise ValueError(f"{what} has shape {_told(shape)}, not {_told(expected)}")
    for extent, found in zip(spec["shape"], shape, strict=True):
        # A name may stand twice in one shape, so it is held against what it was bound to a moment ago.
        if isinstance(extent, str) and sizes.setdefault(extent, found) != found:
            raise ValueError(f"{what} has shape {_told(shape)}, not {_told(spec['shape'])}")


def _told(shape: Any) -> str:
    return f"({', '.join(str(extent) for extent in shape)})"


def _check_values(what: str, code: str, kind: str, body: bytes, spec: dict[str, Any]) -> None:
    import numpy as np  # here, so that a judge of JSON files alone starts without it

    if kind == "text":
        letters = np.frombuffer(body, dtype=f"{'>' if code[0] == '>' else '<'}u4")
        if (letters > 0x10FFFF).any() or ((letters >= 0xD800) & (letters <= 0xDFFF)).any():
            raise ValueError(f"{what} holds what is no text")
        return
    if kind == "bool" and np.frombuffer(body, dtype="u1").max() > 1:
        raise ValueError(f"{what} holds values that are neither true nor false")
    values = np.frombuffer(body, dtype=code)
    if kind == "float" and not np.isfinite(values).all():
        raise ValueError(f"{what} holds values that are not finite")
    lowest, highest = values.min().item(), values.max().item()
    if spec.get("low") is not None and lowest < spec["low"]:
        raise ValueError(f"{what} holds {lowest:g}, below {spec['low']:g}")
    if spec.get("high") is not None and highest > spec["high"]:
        raise ValueError(f"{what} holds {highest:g}, above {spec['high']:g}")
