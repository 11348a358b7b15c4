"""Digests of files that the program itself may hold open and locked, as a database does.

When a process closes any descriptor of a file, all its POSIX locks of that file are gone (fcntl(2)): SQLite and DuckDB
would go on without them, and another process could write at the same time. So a descriptor of a file on which this
process may hold a lock is kept open instead, and read again the next time. Like ``provrepo_child`` this runs inside
programs of others, on any Python from 3.8.
"""

from __future__ import annotations

import os
import struct
import sys

_PIECE = 1 << 16
"""Bytes that are read at once: few enough that the allocator reuses them."""
_F_OFD_GETLK = 36
"""The command of fcntl(2) on Linux that looks for locks of any process, of this one too."""
_FLOCK = "hhqqi"
"""``struct flock``: type, whence, start, length, process."""

_kept: dict[int, tuple[int, int, int]] = {}
"""Descriptors that must not be closed yet, with device, inode, and the process that opened them.

Threads take one out while they use it, so that no other one closes it; a lock would be held for ever in a forked child.
"""


def sha256(path: str) -> str:
    """The digest of a file's bytes, in hexadecimal.

    Raises:
        OSError: it cannot be read.
    """
    import hashlib

    digest = hashlib.sha256()
    number = _opened(path)
    try:
        place = 0
        while True:
            piece = os.pread(number, _PIECE, place)
            if not piece:
                return digest.hexdigest()
            digest.update(piece)
            place += len(piece)
    finally:
        _close(number)


def _opened(path: str) -> int:
    """A descriptor of a file: one that was kept, or a new one."""
    if _kept:
        found = os.stat(path)
        for number, key in list(_kept.items()):
            if key[:2] == (found.st_dev, found.st_ino) and _taken(number) is not None:
                return number
    return os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))


def _close(number: int) -> None:
    """Close a descriptor, and those that were kept, as far as that removes no lock."""
    found = os.fstat(number)
    _kept[number] = found.st_dev, found.st_ino, os.getpid()
    for one in list(_kept):
        key = _taken(one)
        if key is None:
            continue
        if _locked(one, key):
            _kept[one] = key
        else:
            os.close(one)


def _taken(number: int) -> tuple[int, int, int] | None:
    """Take out a descriptor that was kept; None where another thread did, or the program has closed it."""
    key = _kept.pop(number, None)
    try:
        found = os.fstat(number)
    except OSError:
        return None
    return key if key == (found.st_dev, found.st_ino, os.getpid()) else None


def _locked(number: int, key: tuple[int, int, int]) -> bool:
    """Whether this process may hold a POSIX lock on a file, beside our own descriptor of it."""
    try:
        import fcntl
    except ImportError:  # a system without such locks
        return False
    if sys.platform == "linux":
        try:
            asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            answer = fcntl.fcntl(number, _F_OFD_GETLK, asked)
            if struct.unpack(_FLOCK, answer)[0] == fcntl.F_UNLCK:
                return False
        except OSError:  # not on this file system
            pass
    return _open_elsewhere(number, key)


def _open_elsewhere(number: int, key: tuple[int, int, int]) -> bool:
    """Whether this process has another descriptor of a file: without one it holds no lock on it."""
    try:
        others = [int(name) for name in os.listdir("/proc/self/fd" if sys.platform == "linux" else "/dev/fd")]
    except OSError:
        return True
    for other in others:
        try:
            found = os.fstat(other)
        except OSError:
            continue
        if other != number and (found.st_dev, found.st_ino) == key[:2]:
            return True
    return False
