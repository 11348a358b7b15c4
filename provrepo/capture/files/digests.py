"""What files hold: the digest of each content that a path was seen to hold."""

from __future__ import annotations

import os
import stat
import time
from typing import NamedTuple

__all__ = ["Files", "Pending", "Seen", "Signature", "absolute", "sha256", "signature"]

RACY = 20_000_000
"""In nanoseconds. A file may change once more within one tick of its file system's clock and look the same; a digest
is kept only where the file was older than that when it was read."""
LARGE = 32 * 1024 * 1024
"""In bytes. Reading a larger file a second time costs more than waiting until it is old enough."""


class Signature(NamedTuple):
    """What tells without reading that a file is as it was."""

    inode: int
    size: int
    modified: int
    changed: int


class Seen(NamedTuple):
    """What a path held.

    Attributes:
        path: absolute.
        sha256: of the bytes, in hexadecimal.
        size: in bytes.
        modified: in seconds since the epoch.
    """

    path: str
    sha256: str
    size: int
    modified: float


class Pending(NamedTuple):
    """A file that was opened for writing by an activity that has not ended.

    Attributes:
        before: what it held then, by signature; None where there was nothing.
        sha256: of what it held then, where that was read.
        certain: whether opening it alone changes it, as truncating does.
        since: seconds since the epoch.
    """

    before: Signature | None
    sha256: str | None
    certain: bool
    since: float


def absolute(name: object) -> str:
    """A path from where the process stands now. Links keep their names."""
    return os.path.abspath(os.fsdecode(name))  # type: ignore[arg-type]  # noqa: PTH100


def signature(path: str) -> Signature | None:
    """Of a regular file; None for what is not there or is something else."""
    try:
        found = os.stat(path)  # noqa: PTH116 (paths are strings here, for speed)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return Signature(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


class Files:
    """The digests of files, each computed once for each content."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Signature, Seen]] = {}

    def content(self, path: str) -> Seen | None:
        """What a path holds now; None where there is no such file."""
        mark = signature(path)
        if mark is None:
            return None
        known = self._known.get(path)
        if known is not None and known[0] == mark:
            return known[1]
        age = time.time_ns() - max(mark.modified, mark.changed)
        if mark.size >= LARGE and 0 <= age <= RACY:
            time.sleep((RACY - age) / 1e9)
            age = RACY + 1
        seen = Seen(path, sha256(path), mark.size, mark.modified / 1e9)
        if age > RACY:
            self._known[path] = (mark, seen)
        return seen

    def met(self, mark: Signature, seen: Seen) -> None:
        """Know what somebody else saw."""
        self._known[seen.path] = (mark, seen)

    def rewritten(self, path: str) -> None:
        """Forget what a path holds."""
        self._known.pop(path, None)

    def digest(self, path: str) -> str | None:
        """What is known of a path's content, in hexadecimal."""
        known = self._known.get(path)
        return known[1].sha256 if known else None


def sha256(path: str) -> str:
    """The digest of a file's bytes, in hexadecimal."""
    import hashlib

    with open(path, "rb") as file:  # noqa: PTH123
        return hashlib.file_digest(file, "sha256").hexdigest()
