"""Landlock: a process walls itself in, for good, without any privilege. Standard library only, so that workers can use it.

The kernel's lists are allow-lists: what is handled and not allowed is refused, for the process and all that it forks.
Rules, bits and sizes: Linux `Documentation/userspace-api/landlock.rst` and `include/uapi/linux/landlock.h`.
"""

# As little of the standard library as possible: every fork pays for it.
# ruff: noqa: PTH110, PTH112, PTH114, PTH118, PTH208

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable, Sequence

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
PATH_BENEATH = 1
PR_SET_NO_NEW_PRIVS = 38
O_PATH = getattr(os, "O_PATH", 0)

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
MAKE_AND_REMOVE = 0b1_1111_1111 << 4  # remove folder and file; make device, folder, file, socket, pipe, link
MAKE_DEVICES = 1 << 6 | 1 << 11
READ = EXECUTE | READ_FILE | READ_DIR
TCP = 0b11  # bind and connect
ABSTRACT_UNIX_SOCKETS, SIGNALS = 1 << 0, 1 << 1

TCP_ABI, SCOPE_ABI = 4, 6
"""From these versions on TCP, and then signals and abstract sockets, can be walled off."""


_LIBRARY = ctypes.CDLL(None, use_errno=True)


def _syscall(number: int, *args: object) -> int:
    """A raw system call. Raises OSError."""
    result = int(_LIBRARY.syscall(ctypes.c_long(number), *args))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def landlock_abi() -> int:
    """The version of Landlock that the kernel offers; 0 where there is none."""
    if not O_PATH or not os.path.isdir("/proc/self"):
        return 0
    try:
        return _syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    except (OSError, AttributeError):
        return 0


def _write_rights(abi: int) -> int:
    """Every right to change the file system that this version knows."""
    return WRITE_FILE | MAKE_AND_REMOVE | (REFER if abi >= 2 else 0) | (TRUNCATE if abi >= 3 else 0)


def create_ruleset(abi: int, *, reads: bool, tcp: bool, scopes: bool) -> int:
    """A descriptor of an empty ruleset that refuses writing, and as told reading, TCP, and signals to others.

    `tcp` and `scopes` are passed over where the kernel is too old for them. Raises OSError.
    """
    files = _write_rights(abi) | (READ | (IOCTL_DEV if abi >= 5 else 0) if reads else 0)
    net = TCP if tcp and abi >= TCP_ABI else 0
    scoped = ABSTRACT_UNIX_SOCKETS | SIGNALS if scopes and abi >= SCOPE_ABI else 0
    data = struct.pack("=QQQ", files, net, scoped)[: 8 if abi < 4 else 16 if abi < 6 else 24]
    return _syscall(CREATE_RULESET, data, ctypes.c_size_t(len(data)), ctypes.c_uint32(0))


def allow(ruleset: int, path: str, rights: int) -> None:
    """Allow `rights` on a file, or on a folder and all below it. A path that is not there is passed over."""
    try:
        target = os.open(path, O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(target).st_mode):
            rights &= EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
        rule = struct.pack("=Qi", rights, target)
        _syscall(ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(PATH_BENEATH), rule, ctypes.c_uint32(0))
    finally:
        os.close(target)


def allow_reading(ruleset: int, roots: Iterable[str], hidden: Sequence[str] = ()) -> None:
    """Allow reading below `roots` but for what is `hidden` there: its neighbours are allowed instead of what holds it.

    The names of hidden files can still be listed (Python finds no module in a folder it cannot list); they cannot be
    opened.
    """
    for root in roots:
        if not os.path.exists(root):
            continue
        if os.path.isdir(root):
            allow(ruleset, root, READ_DIR)
        for path in without(os.path.realpath(root), [os.path.realpath(path) for path in hidden]):
            allow(ruleset, path, READ)


def without(root: str, hidden: Sequence[str]) -> list[str]:
    """The fewest paths that together hold everything below `root` except what is `hidden`."""
    inside = [path for path in hidden if path == root or path.startswith(root.rstrip("/") + "/")]
    if root in inside:
        return []
    if not inside:
        return [root]
    kept: list[str] = []
    for entry in sorted(os.listdir(root)):
        path = os.path.join(root, entry)
        # A link leads elsewhere; what it leads to is allowed or hidden under its own name.
        if not os.path.islink(path):
            kept += without(path, inside)
    return kept


def allow_writing(ruleset: int, paths: Iterable[str], abi: int, reads: bool) -> None:
    """Allow everything below `paths` but making devices."""
    rights = _write_rights(abi) & ~MAKE_DEVICES
    for path in paths:
        allow(ruleset, path, rights | (READ if reads else 0))


def allow_devices(ruleset: int, paths: Iterable[str], abi: int) -> None:
    """Allow reading, writing and controlling device files."""
    for path in paths:
        allow(ruleset, path, READ_FILE | WRITE_FILE | (IOCTL_DEV if abi >= 5 else 0))


def no_new_privileges() -> None:
    """No program that this process executes gains rights by being set-uid. Raises OSError."""
    if _LIBRARY.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "PR_SET_NO_NEW_PRIVS")


def drop_capabilities() -> None:
    """Root without the rights of root: no raising of limits, no priority over others. Raises OSError.

    The header and both halves of the sets: Linux `include/uapi/linux/capability.h`, version 3.
    """
    if _LIBRARY.capset(struct.pack("=Ii", 0x20080522, 0), bytes(24)):
        raise OSError(ctypes.get_errno(), "capset")


def enforce(ruleset: int) -> None:
    """Wall this thread in, and close the ruleset. Cannot be undone. Raises OSError."""
    no_new_privileges()
    _syscall(RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    os.close(ruleset)
