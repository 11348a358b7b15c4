"""What it takes that a file is still there after a power cut."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provrepo.errors import Damaged, NoSpace

__all__ = ["PRIVATE", "make_directory", "make_file", "sync", "sync_directory", "translated"]

PRIVATE = 0o700
"""Permissions of directories that hold a repository: only their owner may enter."""

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FULLFSYNC: int | None = getattr(fcntl, "F_FULLFSYNC", None)


def sync(descriptor: int) -> None:
    """Wait until what was written to an open file is on the medium.

    On macOS ``fsync`` stops at the drive's own cache; ``F_FULLFSYNC`` does not, but not every file system has it.
    """
    if _FULLFSYNC is not None:
        try:
            fcntl.fcntl(descriptor, _FULLFSYNC)
        except OSError:
            pass
        else:
            return
    os.fsync(descriptor)


def sync_directory(directory: Path) -> None:
    """Wait until the names in a directory are on the medium: a new file's name is not part of the file."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(directory: Path, *, mode: int = 0o777) -> None:
    """Make a directory and those above it durably; nothing is done where it exists.

    Args:
        directory: what to make.
        mode: the permissions of what is made, before the umask.
    """
    missing = []
    while not directory.is_dir():
        missing.append(directory)
        directory = directory.parent
    for path in reversed(missing):
        path.mkdir(mode=mode, exist_ok=True)
        sync_directory(path.parent)


def make_file(file: Path) -> None:
    """Make an empty file that only its owner may read, whatever the umask; nothing is done where it exists.

    SQLite gives its log the permissions of the database.
    """
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn what the operating system refuses into errors of provrepo.

    Args:
        doing: what was being done, to complete "cannot ...".

    Raises:
        NoSpace: the disk or the quota is full.
        Damaged: anything else.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise NoSpace(f"cannot {doing}: the disk is full ({error.strerror})") from error
        raise Damaged(f"cannot {doing}: {error.strerror or error}") from error
