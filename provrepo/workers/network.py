"""A seccomp filter by which a process has no network: the kernel refuses to make or connect sockets.

Input can make parsers and query engines call other hosts (SERVICE, remote contexts, external entities). Options against
that may be circumvented, but a process without sockets cannot connect. Workers use only pipes to their pool. Programs
that the process starts inherit the filter, which cannot be removed.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import sys
from typing import NamedTuple

__all__ = ["available", "block"]

# include/uapi/linux: prctl.h, seccomp.h, audit.h, bpf_common.h.
_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38
_MODE_FILTER = 2
_KILL_PROCESS = 0x80000000
_ERRNO = 0x00050000
_ALLOW = 0x7FFF0000
_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_JUMP_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_JUMP_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K
_CALL, _ARCHITECTURE = 0, 4
"""Offsets in ``struct seccomp_data``."""


class _Architecture(NamedTuple):
    """Numbers of system calls on one processor architecture."""

    audit_id: int
    denied: tuple[int, ...]
    others: int
    """System calls from this number on belong to another calling convention of the processor (x32)."""


# socket, connect, and io_uring_setup: io_uring makes and connects sockets without calling the others.
_ARCHITECTURES = {
    "x86_64": _Architecture(0xC000003E, (41, 42, 425), 0x40000000),
    "aarch64": _Architecture(0xC00000B7, (198, 203, 425), 0x40000000),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def available() -> bool:
    """Whether this system supports the filter: Linux on x86_64 and aarch64, with seccomp."""
    if sys.platform != "linux" or platform.machine() not in _ARCHITECTURES or sys.maxsize < 1 << 32:
        return False
    # Called without a filter, a kernel that supports filters returns EFAULT (seccomp(2)).
    return _prctl(_PR_SET_SECCOMP, _MODE_FILTER, None) == errno.EFAULT


def block() -> bool:
    """Remove the network from this process permanently; return whether that was possible.

    The filter applies to the calling thread and those that it starts, so call this before starting other threads.
    """
    if not available() or _prctl(_PR_SET_NO_NEW_PRIVS, 1, 0):
        return False
    code = _filter(_ARCHITECTURES[platform.machine()])
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    return _prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program)) == 0


def _filter(machine: _Architecture) -> bytes:
    """The filter in classic BPF. Jump offsets are numbers of instructions to skip."""
    denied = len(machine.denied)
    code = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        # 32-bit calls have other numbers; our processes make none, so they are an attack.
        (_JUMP_EQUAL, 1, 0, machine.audit_id),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, _CALL),
        (_JUMP_AT_LEAST, denied + 1, 0, machine.others),
        *((_JUMP_EQUAL, denied - position, 0, number) for position, number in enumerate(machine.denied)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
    ]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in code)


def _prctl(option: int, first: int, second: object) -> int:
    """Call ``prctl``; return 0, or the ``errno`` of its failure."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    # Declared, because ctypes would pass only 32 bits of each argument to a variadic function.
    prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong]
    return 0 if prctl(option, first, second, 0, 0) == 0 else ctypes.get_errno()
