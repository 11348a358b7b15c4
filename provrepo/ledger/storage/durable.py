"""Durable files and directories: what is synced survives a power cut."""

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
"""Permissions of the directories of a repository: only the owner may enter."""

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FULLFSYNC: int | None = getattr(fcntl, "F_FULLFSYNC", None)


def sync(descriptor: int) -> None:
    """Wait until the bytes of an open file are on disk.

    On macOS ``fsync`` does not flush the cache of the drive; ``F_FULLFSYNC`` does, but not every file system has it.
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
    """Wait until the names in a directory are on disk; syncing a new file does not include its name."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(directory: Path, *, mode: int = 0o777) -> None:
    """Create a directory and its parents durably, if they do not exist.

    Args:
        directory: the directory.
        mode: the permissions of new directories, before the umask.
    """
    missing = []
    while not directory.is_dir():
        missing.append(directory)
        directory = directory.parent
    for path in reversed(missing):
        path.mkdir(mode=mode, exist_ok=True)
        sync_directory(path.parent)


def make_file(file: Path) -> None:
    """Create an empty file that only its owner may read, whatever the umask, if it does not exist.

    SQLite gives its write-ahead log the permissions of the database.
    """
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Translate ``OSError`` into errors of provrepo.

    Args:
        doing: the action, which completes the message "cannot ...".

    Raises:
        NoSpace: the disk or the quota is full.
        Damaged: any other ``OSError``.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise NoSpace(f"cannot {doing}: the disk is full ({error.strerror})") from error
        raise Damaged(f"cannot {doing}: {error.strerror or error}") from error
