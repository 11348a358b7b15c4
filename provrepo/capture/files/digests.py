"""The contents of files: signatures, digests, and a cache of both."""

from __future__ import annotations

import os
import stat
import time
from typing import NamedTuple

from provrepo.capture.child.provrepo_digests import sha256
from provrepo.capture.child.provrepo_paths import normal

__all__ = ["FileVersion", "Files", "Pending", "Reread", "Signature", "absolute", "sha256", "signature"]

RACY = 20_000_000
"""In nanoseconds. Within one tick of the file system's clock a file may change again with the same signature, so a
digest is cached only where the file was older than that when it was read."""
LARGE = 32 * 1024 * 1024
"""In bytes. Reading a larger file a second time costs more than waiting until it is old enough."""
SMALL = 1024 * 1024
"""In bytes. A larger file is not written anew within one tick without a change of its size."""


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


class Reread(NamedTuple):
    """A file that the activity read again after it had written it.

    Attributes:
        mark: its signature then.
        sha256: of its content then, where a later change may not show in the signature; None otherwise.
        time: in seconds since the epoch.
    """

    mark: Signature
    sha256: str | None
    time: float

    def of(self, seen: FileVersion, mark: Signature | None) -> bool:
        """Whether it was this content that was read.

        Args:
            seen: a content of the path.
            mark: its signature.
        """
        return self.sha256 == seen.sha256 if self.sha256 else self.mark == mark


class Pending(NamedTuple):
    """A file that was opened for writing by an activity that has not ended.

    Attributes:
        before: its signature at that time; None where there was no file.
        sha256: of its content at that time, where that was read.
        certain: whether opening it already changed it, as truncating does.
        since: seconds since the epoch.
        reread: when the activity read it last after that; None if it did not.
    """

    before: Signature | None
    sha256: str | None
    certain: bool
    since: float
    reread: Reread | None = None

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
        age = _age(mark)
        if mark.size >= LARGE and 0 <= age <= RACY:
            time.sleep((RACY - age) / 1e9)
            age = RACY + 1
        seen = FileVersion(path, sha256(path), mark.size, mark.modified / 1e9)
        if age > RACY:
            self._known[path] = (mark, seen)
        return seen

    def reread(self, path: str, at: float) -> Reread | None:
        """What an activity reads that has written a path; None where there is no such file.

        Args:
            path: absolute.
            at: the time, in seconds since the epoch.
        """
        mark = signature(path)
        if mark is None:
            return None
        return Reread(mark, sha256(path) if mark.size <= SMALL and _age(mark) <= RACY else None, at)

    def rewritten(self, path: str) -> None:
        """Drop the cached content of a path."""
        self._known.pop(path, None)

    def digest(self, path: str) -> str | None:
        """The cached digest of a path, in hexadecimal."""
        known = self._known.get(path)
        return known[1].sha256 if known else None


def _age(mark: Signature) -> int:
    """The nanoseconds since the last change of a file."""
    return time.time_ns() - max(mark.modified, mark.changed)
