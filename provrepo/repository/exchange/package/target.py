"""A file that appears under its name when it is complete, or not at all."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from provrepo.errors import Busy, UsageError
from provrepo.ledger.storage import durable

__all__ = ["replacing"]


@contextmanager
def replacing(target: Path) -> Iterator[IO[bytes]]:
    """Yield a temporary file beside a file; at the end of the block it is synced and replaces the file.

    After an exception the file is unchanged, and the temporary file is removed. After a kill the temporary file stays,
    and the next call for the same file uses it again. Only the user can read a new file.

    Raises:
        UsageError: the temporary file cannot be created.
        Busy: another process writes the same file.
        NoSpace: the disk is full.
        Damaged: the file cannot be written.
    """
    target = Path(os.path.realpath(target))  # replaces the target of a symbolic link, not the link
    if target.exists() and not target.is_file():
        raise UsageError(f"{target} is not a file")
    temporary = target.with_name(f".{target.name}.part")
    descriptor = _locked(temporary, target)
    try:
        with durable.translated(f"write {target}"):
            os.ftruncate(descriptor, 0)
            with os.fdopen(descriptor, "wb", closefd=False) as file:
                yield file
            durable.sync(descriptor)
            if target.exists():
                temporary.chmod(target.stat().st_mode & 0o7777)
            temporary.replace(target)
            durable.sync_directory(target.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    finally:
        # Last: then another process may lock it.
        os.close(descriptor)


def _locked(temporary: Path, target: Path) -> int:
    """Open and lock the temporary file."""
    while True:
        try:
            descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise UsageError(f"cannot write {target}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The process that had it before may have renamed or removed it.
            if os.path.samestat(os.fstat(descriptor), temporary.stat()):
                return descriptor
            os.close(descriptor)
        except FileNotFoundError:
            os.close(descriptor)
        except OSError as error:
            os.close(descriptor)
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise Busy(f"another process writes {target}; try again when it has ended") from error
            raise UsageError(f"cannot lock {temporary}: {error.strerror}") from error
