"""A filter of system calls for candidates: what no experiment needs and what reaches around the other walls.

Standard library only, so that workers can use it. The filter is a program of the classic Berkeley packet filter
(Linux `Documentation/userspace-api/seccomp_filter.rst`); numbers from the kernel's tables of system calls.
"""

# As little of the standard library as possible: every fork pays for it.
# ruff: noqa: PTH112, PTH123

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

PR_SET_SECCOMP, MODE_FILTER = 22, 2
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # places in struct seccomp_data

_LIBRARY = ctypes.CDLL(None, use_errno=True)

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# name: (number on x86_64, number on aarch64); -1 where there is none.
FORBIDDEN = {
    # Other processes, and the machine.
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "process_madvise": (440, 440), "move_pages": (279, 239), "migrate_pages": (256, 238),
    "reboot": (169, 142), "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171),
    "clock_adjtime": (305, 266), "acct": (163, 89), "swapon": (167, 224), "swapoff": (168, 225),
    "quotactl": (179, 60), "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294),
    # Mounts and name spaces.
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97),
    "setns": (308, 268), "open_tree": (428, 428), "open_tree_attr": (467, 467), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    # Memory and messages that no process holds and no limit counts, and that the next run would find.
    "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190), "mq_open": (240, 180), "add_key": (248, 217),
    "request_key": (249, 218), "keyctl": (250, 219),
    # Doors that have led out before; io_uring would also do what is forbidden here.
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
}  # fmt: skip
OWN_ONLY = {
    # name: (numbers, which argument names the process): zero, the caller, is allowed.
    "prlimit64": ((302, 261), 0), "sched_setaffinity": ((203, 122), 0), "sched_setscheduler": ((144, 119), 0),
    "sched_setparam": ((142, 118), 0), "sched_setattr": ((314, 274), 0), "setpriority": ((141, 140), 1),
    "ioprio_set": ((251, 30), 1),
}  # fmt: skip
METADATA = {
    "chmod": (90, -1), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, -1),
    "fchown": (93, 55), "lchown": (94, -1), "fchownat": (260, 54), "utime": (132, -1), "utimes": (235, -1),
    "futimesat": (261, -1), "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16), "setxattrat": (463, 463),
    "removexattrat": (466, 466), "file_setattr": (469, 469),
}  # fmt: skip
SOCKET, CLONE, CLONE3 = (41, 198), (56, 220), (435, 435)
NEW_NAME_SPACES = 0x7E020000  # the flags of clone(2) that make one
LOCAL_FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6: harmless in a network name space of one's own


def supported() -> bool:
    """This machine's numbers are known here, and the kernel knows seccomp."""
    return platform.machine() in ARCHITECTURES and os.path.isdir("/proc/self") and "Seccomp:" in _status()


def _status() -> str:
    try:
        with open("/proc/self/status", encoding="utf-8") as handle:
            return handle.read()
    except OSError:
        return ""


def _step(code: int, value: int, jump_true: int = 0, jump_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, jump_true, jump_false, value)


def _refuse(code: int) -> bytes:
    return _step(RETURN, ERRNO | code)


def compile_filter(machine: str, *, sockets: bool, metadata: bool) -> bytes:
    """The filter as steps of eight bytes.

    `sockets` leaves those that stay inside a network name space, without it there are none but pairs. Without
    `metadata`, changes of modes, owners and times of files are passed over and told as done, because Landlock
    does not cover them.
    """
    column = list(ARCHITECTURES).index(machine)
    steps = [_step(LOAD, ARCHITECTURE), _step(EQUAL, ARCHITECTURES[machine], 1, 0), _refuse(errno.EPERM)]
    steps.append(_step(LOAD, NUMBER))
    if machine == "x86_64":
        steps += [_step(AT_LEAST, 0x40000000, 0, 1), _refuse(errno.ENOSYS)]  # the x32 numbers are another table
    for numbers in FORBIDDEN.values():
        steps += [_step(EQUAL, numbers[column], 0, 1), _refuse(errno.EPERM)]
    # Its flags lie in memory, where a filter cannot look: libraries fall back on clone(2).
    steps += [_step(EQUAL, CLONE3[column], 0, 1), _refuse(errno.ENOSYS)]
    steps += [_step(EQUAL, CLONE[column], 0, 4), _step(LOAD, ARGUMENTS), _step(ANY_BIT, NEW_NAME_SPACES, 0, 1)]
    steps += [_refuse(errno.EPERM), _step(RETURN, ALLOW)]
    for numbers, argument in OWN_ONLY.values():
        steps += [_step(EQUAL, numbers[column], 0, 4), _step(LOAD, ARGUMENTS + 8 * argument)]
        steps += [_step(EQUAL, 0, 1, 0), _refuse(errno.EPERM), _step(RETURN, ALLOW)]
    if not metadata:
        for numbers in METADATA.values():
            if numbers[column] >= 0:
                steps += [_step(EQUAL, numbers[column], 0, 1), _refuse(0)]
    families = LOCAL_FAMILIES if sockets else ()
    steps += [_step(EQUAL, SOCKET[column], 1, 0), _step(RETURN, ALLOW), _step(LOAD, ARGUMENTS)]
    for family in families:
        steps += [_step(EQUAL, family, 0, 1), _step(RETURN, ALLOW)]
    steps.append(_refuse(errno.EAFNOSUPPORT if sockets else errno.EACCES))
    return b"".join(steps)


def install(program: bytes) -> None:
    """Filter the calls of this process and all that it forks, for good. Needs `no_new_privileges`. Raises OSError."""
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
    if _LIBRARY.prctl(PR_SET_SECCOMP, MODE_FILTER, header, 0, 0):
        code = ctypes.get_errno()
        raise OSError(code, f"seccomp: {os.strerror(code)}")
