"""Temporary files of a process: its own, for as long as it lives, and swept by others afterwards.

Age says nothing about whether a file is still being written: clocks are set, and a slow disk may take hours. A lock
does, since the system lets go of it when its process ends, however it ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provrepo.ledger.storage.durable import PRIVATE

__all__ = ["Scratch", "opened", "sweep"]

_LOCK = ".lock"


class Scratch:
    """A folder that belongs to one process. It is locked until it is closed, or the process ends.

    Attributes:
        path: the folder.
    """

    def __init__(self, root: Path | None) -> None:
        """Make it in a folder, or where the system has its temporary files.

        Raises:
            OSError: it cannot be made.
        """
        if root is None:
            root = Path(tempfile.mkdtemp(prefix="provrepo-"))
            self._own: Path | None = root
        else:
            self._own = None
        # The lock first: a folder without one is a leftover.
        self._descriptor, self._lock = opened(root, suffix=_LOCK)
        self.path = self._lock.with_suffix("")
        self.path.mkdir(mode=PRIVATE)

    def close(self) -> None:
        """Remove it with all that is in it. Closing again does nothing."""
        if self._descriptor < 0:
            return
        shutil.rmtree(self.path, ignore_errors=True)
        with contextlib.suppress(OSError):
            self._lock.unlink()
        os.close(self._descriptor)
        self._descriptor = -1
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)


def opened(folder: Path, *, suffix: str = "", mode: int = 0o600) -> tuple[int, Path]:
    """A new file with a name of its own, open for writing and locked: ``sweep`` leaves it alone until it is closed.

    Raises:
        OSError: it cannot be made.
    """
    while True:
        path = folder / f"{os.getpid()}-{secrets.token_hex(8)}{suffix}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # Between making and locking it, another process may have taken it for a leftover.
            if os.fstat(descriptor).st_nlink:
                return descriptor, path
        except BaseException:
            os.close(descriptor)
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        os.close(descriptor)


@contextmanager
def _abandoned(path: Path) -> Iterator[bool]:
    """Whether no process has a file locked; nobody can lock it until the block ends."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        yield False  # it is gone, or another user's
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def sweep(folder: Path) -> int:
    """Remove the files and folders of processes that have ended.

    Several processes may sweep at once, and others make new ones meanwhile.

    Returns:
        How many were removed.
    """
    removed = 0
    for path in _listed(folder):
        with _abandoned(path) as abandoned:
            if path.suffix == _LOCK and abandoned:
                shutil.rmtree(path.with_suffix(""), ignore_errors=True)
            if abandoned and not path.is_dir():
                with contextlib.suppress(FileNotFoundError):
                    path.unlink()
                    removed += 1
    for path in _listed(folder):
        # A folder is made after its lock, which is removed after it.
        if path.is_dir() and not path.is_symlink() and not path.with_name(path.name + _LOCK).exists():
            shutil.rmtree(path, ignore_errors=True)
            removed += not path.exists()
    return removed


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
