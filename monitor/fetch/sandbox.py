"""Take from a process what a parser never needs: the network, other programs, other processes, writing to files.

Rule: asked of the kernel (Linux seccomp, prctl(2)), so that a parser taken over by its input cannot ask it back. Where
the kernel has no such thing the process stays as it was, and says so.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2

# linux/filter.h, linux/seccomp.h, linux/audit.h
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW = 0x7FFF_0000
_REFUSE = 0x0005_0000 | errno.EPERM
_KILL = 0x8000_0000
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4
_X32 = 0x4000_0000  # the same calls by other numbers on x86-64

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

# Call → its number on x86-64 and on arm64 (asm/unistd_64.h, asm-generic/unistd.h); None where it does not exist.
# fmt: off
_REFUSED: dict[str, tuple[int, int | None]] = {
    # network
    "socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201), "accept": (43, 202),
    "accept4": (288, 242), "sendto": (44, 206), "sendmsg": (46, 211),
    # programs and processes
    "execve": (59, 221), "execveat": (322, 281), "fork": (57, None), "vfork": (58, None), "clone": (56, 220),
    "clone3": (435, 435), "kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131), "ptrace": (101, 117),
    "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    # files, beyond reading them
    "creat": (85, None), "openat2": (437, 437), "unlink": (87, None), "unlinkat": (263, 35), "rename": (82, None),
    "renameat": (264, 38), "renameat2": (316, 276), "mkdir": (83, None), "mkdirat": (258, 34), "rmdir": (84, None),
    "link": (86, None), "linkat": (265, 37), "symlink": (88, None), "symlinkat": (266, 36), "truncate": (76, 45),
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "chown": (92, None), "fchown": (93, 55),
    "lchown": (94, None), "fchownat": (260, 54), "mknod": (133, None), "mknodat": (259, 33), "setxattr": (188, 5),
    "utimensat": (280, 88),
    # the kernel's own doors
    "mount": (165, 40), "umount2": (166, 39), "unshare": (272, 97), "setns": (308, 268), "bpf": (321, 280),
    "io_uring_setup": (425, 425), "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "init_module": (175, 105), "reboot": (169, 142),
    "finit_module": (313, 273), "kexec_load": (246, 104), "memfd_create": (319, 279),
}
# fmt: on
# Calls that open a file → the place of their flags among the arguments: refused for writing.
_OPENING: dict[str, tuple[int, int | None, int]] = {"open": (2, None, 1), "openat": (257, 56, 2)}

_MACHINES = {"x86_64": (0xC000_003E, 0), "aarch64": (0xC000_00B7, 1)}  # AUDIT_ARCH, column above


def confine() -> bool:
    """Refuse this process, from now on, all it does not need to parse. Return False where the kernel cannot."""
    machine = _MACHINES.get(os.uname().machine) if sys.platform == "linux" else None
    if machine is None:
        return False
    program = _program(*machine)
    code = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: the number of instructions, padding, a pointer to them
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    pointer = ctypes.create_string_buffer(header, len(header))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(pointer), 0, 0) == 0)


def _program(architecture: int, column: int) -> bytes:
    """Return the filter: each check jumps over the verdict that follows it unless it holds."""
    steps = [_step(_LOAD, _ARCHITECTURE_AT), _step(_EQUAL, architecture, jump=1), _step(_RETURN, _KILL)]
    steps.append(_step(_LOAD, _NUMBER_AT))
    if column == 0:
        steps += [_step(_AT_LEAST, _X32, otherwise=1), _step(_RETURN, _REFUSE)]
    for numbers in _REFUSED.values():
        number = numbers[column]
        if number is not None:
            steps += [_step(_EQUAL, number, otherwise=1), _step(_RETURN, _REFUSE)]
    for *opening, argument in _OPENING.values():
        number = opening[column]
        if number is not None:
            flags_at = 16 + 8 * (argument or 0)  # low half of a 64-bit argument, little-endian
            steps += [
                _step(_EQUAL, number, otherwise=4),
                _step(_LOAD, flags_at),
                _step(_ANY_BIT, _WRITING, otherwise=1),
                _step(_RETURN, _REFUSE),
                _step(_RETURN, _ALLOW),
            ]
    steps.append(_step(_RETURN, _ALLOW))
    return b"".join(steps)


def _step(operation: int, value: int, *, jump: int = 0, otherwise: int = 0) -> bytes:
    """Return one instruction (struct sock_filter)."""
    return struct.pack("=HBBI", operation, jump, otherwise, value)
