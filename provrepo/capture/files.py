"""Versions of files: one for each content that a path was seen to hold."""

from __future__ import annotations

import os
import stat
import threading
import time
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Files", "Pending", "Signature", "Version", "absolute", "signature", "uninteresting"]

RACY = 20_000_000
"""In nanoseconds. A file may change once more within one tick of its file system's clock and look the same; a
signature is trusted only when it is older than that."""

_SYSTEM = ("/proc/", "/sys/", "/dev/")
_CODE = (".py", ".pyc", ".pyi", ".so", ".pth", ".pyd", ".dylib")


class Signature(NamedTuple):
    """What tells without reading that a file is as it was."""

    inode: int
    size: int
    modified: int
    changed: int


@dataclass(frozen=True, slots=True)
class Version:
    """What a path held.

    Attributes:
        entity: its name in the journal.
        path: absolute.
        sha256: of the bytes, in hexadecimal.
        size: in bytes.
        media: the media type that the name stands for.
        modified: in nanoseconds since the epoch.
        seen: when this was found, in seconds since the epoch.
    """

    entity: str
    path: str
    sha256: str
    size: int
    media: str
    modified: int
    seen: float


@dataclass(frozen=True, slots=True)
class Pending:
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


def uninteresting(path: str, prefixes: tuple[str, ...]) -> bool:
    """Whether a file is the interpreter's and not the user's: code, installed packages, devices."""
    return path.endswith(_CODE) or path.startswith(_SYSTEM) or path.startswith(prefixes)


class Files:
    """Every version of every file that a session has seen."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._current: dict[str, tuple[Signature, Version]] = {}
        self._count = 0

    def version(self, path: str) -> tuple[Version, bool] | None:
        """What a path holds now, and whether that is seen for the first time; None where there is no such file."""
        mark = signature(path)
        if mark is None:
            return None
        known = self._current.get(path)
        now = time.time_ns()
        if known is not None and known[0] == mark and now - max(mark.modified, mark.changed) > RACY:
            return known[1], False
        digest = _sha256(path)
        with self._lock:
            known = self._current.get(path)
            if known is not None and known[1].sha256 == digest:
                self._current[path] = (mark, known[1])
                return known[1], False
            self._count += 1
            import mimetypes

            media = mimetypes.guess_type(path, strict=False)[0] or "application/octet-stream"
            version = Version(f"file-{self._count}", path, digest, mark.size, media, mark.modified, now / 1e9)
            self._current[path] = (mark, version)
            return version, True

    def rewritten(self, path: str) -> None:
        """Forget what a path holds: the same bytes written again are another version."""
        with self._lock:
            self._current.pop(path, None)

    def digest(self, path: str) -> str | None:
        """What is known of a path's content, in hexadecimal."""
        known = self._current.get(path)
        return known[1].sha256 if known else None


def _sha256(path: str) -> str:
    import hashlib

    with open(path, "rb") as file:  # noqa: PTH123
        return hashlib.file_digest(file, "sha256").hexdigest()
