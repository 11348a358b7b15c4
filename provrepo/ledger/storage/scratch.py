"""Temporary files of a process, which other processes remove after it has ended.

The age of a file does not show whether it is still being written: clocks are changed, and a slow disk may take hours. A
lock does, since the system releases it when the process ends for any reason.
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
    """A folder of one process. It is locked until ``close``, or the end of the process.

    Attributes:
        path: the folder.
    """

    def __init__(self, root: Path | None) -> None:
        """Create the folder.

        Args:
            root: its parent; None for a new folder in the system's temporary directory.

        Raises:
            OSError: it cannot be created.
        """
        if root is None:
            root = Path(tempfile.mkdtemp(prefix="provrepo-"))
            self._own: Path | None = root
        else:
            self._own = None
        # The lock comes first, since a folder without a lock is swept.
        self._descriptor, self._lock = opened(root, suffix=_LOCK)
        self.path = self._lock.with_suffix("")
        self.path.mkdir(mode=PRIVATE)

    def close(self) -> None:
        """Remove the folder with its content. Closing again does nothing."""
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
    """Create a file with a unique name, open for writing and locked, so that ``sweep`` ignores it until it is closed.

    Returns:
        The descriptor and the path.

    Raises:
        OSError: it cannot be created.
    """
    while True:
        path = folder / f"{os.getpid()}-{secrets.token_hex(8)}{suffix}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # Another process may have swept it between its creation and the lock.
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
    """Yield whether no process has locked a file. If so, the file stays locked until the block ends."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        yield False  # it was removed, or belongs to another user
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
    """Remove the temporary files and folders of processes that have ended.

    Several processes may sweep at once, while others create new files.

    Returns:
        The number of removed files and folders.
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
        # A folder is created after its lock and removed before it.
        if path.is_dir() and not path.is_symlink() and not path.with_name(path.name + _LOCK).exists():
            shutil.rmtree(path, ignore_errors=True)
            removed += not path.exists()
    return removed


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
