"""Blobs: bytes kept under their SHA-256, written once and durably."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from provrepo.errors import Damaged, Denied, NotFound
from provrepo.ledger.storage import durable, scratch

__all__ = ["Blobs"]

_DIGEST = re.compile(r"[0-9a-f]{64}")
_CHUNK = 1 << 20


class Blobs:
    """A directory of blobs, safe for any number of threads and processes.

    A blob appears under its name only when all of its bytes are on the medium, and ``put`` returns only when its name
    is as well. Files are never opened for writing again.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Keep blobs below a directory, which is made where it is missing.

        Args:
            path: the directory.
            read_only: make nothing; ``put`` and ``erase`` are refused.

        Raises:
            Damaged: it cannot be made.
        """
        self._root = path
        self._incoming = path / "incoming"
        self._durable: set[Path] = set()
        self._read_only = read_only
        if read_only:
            return
        with durable.translated(f"make the directory {path}"):
            durable.make_directory(self._incoming, mode=durable.PRIVATE)

    def path(self, digest: str) -> Path:
        """Where the blob of this digest is, or would be: ``ab/cd/abcd...``.

        Raises:
            ValueError: not a SHA-256 in lower-case hexadecimal.
        """
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"not a SHA-256 in lower-case hexadecimal: {digest[:80]!r}")
        return self._root / digest[:2] / digest[2:4] / digest

    def put(self, data: bytes) -> str:
        """Keep bytes; nothing is written where they are kept already.

        Returns:
            Their SHA-256 in hexadecimal.

        Raises:
            NoSpace: the disk is full; nothing is kept.
            Damaged: the directory cannot be written.
        """
        self._require_writable()
        digest = hashlib.sha256(data).hexdigest()
        with durable.translated(f"keep a blob in {self._root}"):
            if not self._present(digest, len(data)):
                self._write(data, digest)
            self._settle(digest)
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes of a blob, compared with their digest.

        Raises:
            NotFound: it is not here, or was erased.
            Damaged: its bytes have changed, or cannot be read.
        """
        path = self.path(digest)
        with durable.translated(f"read the blob {digest}"):
            try:
                data = path.read_bytes()
            except FileNotFoundError as error:
                raise NotFound(f"the blob {digest} is not here") from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise Damaged(f"the blob {digest} has changed on disk: restore {path} from a backup")
        return data

    def exists(self, digest: str) -> bool:
        """Whether a blob is here, whatever its state."""
        return self.path(digest).is_file()

    def erase(self, digest: str) -> None:
        """Remove a blob durably. The medium may still hold its bytes. Nothing happens where it is not here.

        Raises:
            Damaged: it cannot be removed.
        """
        self._require_writable()
        path = self.path(digest)
        with durable.translated(f"erase the blob {digest}"), contextlib.suppress(FileNotFoundError):
            path.unlink(missing_ok=True)
            durable.sync_directory(path.parent)

    def all(self) -> Iterator[str]:
        """The digests of all blobs, sorted."""
        for outer in _listed(self._root):
            for inner in _listed(outer):
                for path in _listed(inner):
                    if _DIGEST.fullmatch(path.name) and self.path(path.name) == path:
                        yield path.name

    def sweep(self) -> int:
        """Remove what writers left that have ended.

        Returns:
            How many files were removed.
        """
        return scratch.sweep(self._incoming)

    def verify(self, digest: str) -> bool:
        """Whether a blob is here with the right bytes, read in pieces."""
        found = hashlib.sha256()
        try:
            with self.path(digest).open("rb") as file:
                while chunk := file.read(_CHUNK):
                    found.update(chunk)
        except OSError:
            return False
        return found.hexdigest() == digest

    def _require_writable(self) -> None:
        if self._read_only:
            raise Denied(f"{self._root} can only be read here")

    def _present(self, digest: str, size: int) -> bool:
        try:
            return self.path(digest).stat().st_size == size
        except FileNotFoundError:
            return False

    def _write(self, data: bytes, digest: str) -> None:
        """Write a temporary file, make it durable and give it the name of its digest."""
        # Read-only: the descriptor that made it may still write.
        descriptor, temporary = scratch.opened(self._incoming, mode=0o400)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                durable.sync(file.fileno())
                # While it is locked: nobody takes it for a leftover.
                if not self._present(digest, len(data)):
                    self._make_ready(self.path(digest).parent)
                    temporary.replace(self.path(digest))
        finally:
            temporary.unlink(missing_ok=True)

    def _make_ready(self, directory: Path) -> None:
        """Make ``ab/cd`` and be sure that the names of both are on the medium, whoever made them."""
        if directory in self._durable:
            return
        for path in (directory.parent, directory):
            path.mkdir(mode=durable.PRIVATE, parents=True, exist_ok=True)
        durable.sync_directory(directory.parent)
        durable.sync_directory(self._root)
        self._durable.add(directory)

    def _settle(self, digest: str) -> None:
        """Wait until a blob's name is on the medium: its writer may be another process that has not waited yet."""
        directory = self.path(digest).parent
        self._make_ready(directory)
        durable.sync_directory(directory)


def _listed(directory: Path) -> list[Path]:
    try:
        return sorted(directory.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
