"""The contents of files: signatures, digests, and a cache of both."""

from __future__ import annotations

import os
import stat
import time
from typing import NamedTuple

from provrepo.capture.child.provrepo_digests import sha256
from provrepo.capture.child.provrepo_paths import normal

__all__ = ["Files", "Pending", "FileVersion", "Signature", "absolute", "sha256", "signature"]

RACY = 20_000_000
"""In nanoseconds. Within one tick of the file system's clock a file may change again with the same signature, so a
digest is cached only where the file was older than that when it was read."""
LARGE = 32 * 1024 * 1024
"""In bytes. Reading a larger file a second time costs more than waiting until it is old enough."""


class Signature(NamedTuple):
    """Metadata that shows, without reading, that a file is unchanged; times in nanoseconds."""

    inode: int
    size: int
    modified: int
    changed: int


class FileVersion(NamedTuple):
    """The content of a path at one time.

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
        before: its signature at that time; None where there was no file.
        sha256: of its content at that time, where that was read.
        certain: whether opening it already changed it, as truncating does.
        since: seconds since the epoch.
    """

    before: Signature | None
    sha256: str | None
    certain: bool
    since: float

    def untouched(self, now: Signature | None) -> bool:
        """Whether the file was never opened: truncating even an empty file changes its times.

        Args:
            now: its present signature.
        """
        before = self.before
        return before is not None and before == now and self.since * 1e9 - max(before.modified, before.changed) > RACY


def absolute(name: object) -> str:
    """The absolute path of a name, with links as they are."""
    return normal(os.fsdecode(name))  # type: ignore[arg-type]


def signature(path: str) -> Signature | None:
    """The signature of a regular file; None for anything else."""
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
        self._known: dict[str, tuple[Signature, FileVersion]] = {}

    def content(self, path: str) -> FileVersion | None:
        """The current content of a path; None where there is no such file."""
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
        seen = FileVersion(path, sha256(path), mark.size, mark.modified / 1e9)
        if age > RACY:
            self._known[path] = (mark, seen)
        return seen

    def rewritten(self, path: str) -> None:
        """Drop the cached content of a path."""
        self._known.pop(path, None)

    def digest(self, path: str) -> str | None:
        """The cached digest of a path, in hexadecimal."""
        known = self._known.get(path)
        return known[1].sha256 if known else None
