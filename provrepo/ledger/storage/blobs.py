"""Blobs: bytes in files that are named by their SHA-256, written once and durably."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from provrepo.errors import Damaged, Denied, NotFound
from provrepo.ledger.storage import durable, scratch

__all__ = ["Blobs"]

_DIGEST = re.compile(r"[0-9a-f]{64}")
_CHUNK = 1 << 20

Mapper = Callable[[Callable[[Path], None], Iterable[Path]], Iterable[None]]
"""Calls a function for each of some paths."""


class Blobs:
    """A directory of blobs, safe for any number of threads and processes.

    A blob appears under its name only after all of its bytes were synced to disk, and ``put`` returns only after the
    name was synced as well. Files are never opened for writing again.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Use a directory, which is created if it does not exist.

        Args:
            path: the directory.
            read_only: create nothing; ``put`` and ``erase`` raise Denied.

        Raises:
            Damaged: the directory cannot be created.
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
        """Return the path of a digest, whether the blob exists or not: ``ab/cd/abcd...``.

        Raises:
            ValueError: not a SHA-256 in lower-case hexadecimal.
        """
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"not a SHA-256 in lower-case hexadecimal: {digest[:80]!r}")
        return self._root / digest[:2] / digest[2:4] / digest

    def put(self, data: bytes) -> str:
        """Store bytes; nothing is written if they are stored already.

        Returns:
            Their SHA-256 in hexadecimal.

        Raises:
            NoSpace: the disk is full; nothing is stored.
            Damaged: the directory cannot be written.
        """
        self._require_writable()
        digest = hashlib.sha256(data).hexdigest()
        with durable.translated(f"store a blob in {self._root}"):
            if not self._present(digest, len(data)):
                self._write(data, digest)
            self._sync_name(digest)
        return digest

    def adopt(self, files: Mapping[str, Path], each: Mapper = map) -> None:
        """Make blobs of files, which must be on the same file system. The files are gone afterwards.

        All bytes are synced, then all names, each directory once: a blob alone needs three directories.

        Args:
            files: by the SHA-256 of their bytes in hexadecimal, with which the caller has compared them.
            each: calls a function for each of some paths, as ``map`` does; perhaps several at the same time.

        Raises:
            NoSpace: the disk is full.
            Damaged: the directory cannot be written.
        """
        self._require_writable()
        with durable.translated(f"store blobs in {self._root}"):
            new = {digest: file for digest, file in files.items() if not self._present(digest, file.stat().st_size)}
            list(each(_sync_private, new.values()))
            names = {self.path(digest).parent for digest in files}
            made = {path for directory in names - self._durable for path in (directory, directory.parent)}
            for directory in sorted(made):  # the outer one first
                directory.mkdir(mode=durable.PRIVATE, parents=True, exist_ok=True)
            for digest, file in new.items():
                file.replace(self.path(digest))
            for digest in files.keys() - new.keys():
                files[digest].unlink()
            # A name is synced in its directory; also if another process has written it.
            list(each(durable.sync_directory, sorted(names | {directory.parent for directory in made})))
            self._durable |= made

    def partial(self, owner: str) -> Path:
        """Return the folder of files that are being received for a mirror; it is created if it does not exist.

        A file has the digest that its bytes will have as its name. It stays when its reception is interrupted, so that
        it can be continued.

        Args:
            owner: the name of the mirror. Files of one mirror are never used for another: who does not have some bytes
                must not get them by naming their digest.
        """
        self._require_writable()
        folder = self._root / "partial" / owner
        with durable.translated(f"make the directory {folder}"):
            durable.make_directory(folder, mode=durable.PRIVATE)
        return folder

    def get(self, digest: str) -> bytes:
        """Return the bytes of a blob, verified against the digest.

        Raises:
            NotFound: the blob does not exist, or was erased.
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
        """Return whether a blob exists; its bytes are not verified."""
        return self.path(digest).is_file()

    def erase(self, digest: str) -> None:
        """Delete a blob durably, if it exists. The disk may still contain the bytes in unused blocks.

        Raises:
            Damaged: it cannot be deleted.
        """
        self._require_writable()
        path = self.path(digest)
        with durable.translated(f"erase the blob {digest}"), contextlib.suppress(FileNotFoundError):
            path.unlink(missing_ok=True)
            durable.sync_directory(path.parent)

    def all(self) -> Iterator[str]:
        """Yield the digests of all blobs, sorted."""
        for outer in _listed(self._root):
            for inner in _listed(outer):
                for path in _listed(inner):
                    if _DIGEST.fullmatch(path.name) and self.path(path.name) == path:
                        yield path.name

    def sweep(self) -> int:
        """Remove the temporary files of processes that have ended.

        Returns:
            The number of removed files.
        """
        return scratch.sweep(self._incoming)

    def verify(self, digest: str) -> bool:
        """Return whether a blob exists and has its digest; it is read in chunks."""
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
            raise Denied(f"{self._root} is read-only here")

    def _present(self, digest: str, size: int) -> bool:
        try:
            return self.path(digest).stat().st_size == size
        except FileNotFoundError:
            return False

    def _write(self, data: bytes, digest: str) -> None:
        """Write a temporary file, sync it and rename it to its digest."""
        # Mode 0400: the descriptor that created the file may still write.
        descriptor, temporary = scratch.opened(self._incoming, mode=0o400)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                durable.sync(file.fileno())
                # Still locked, so that no other process sweeps it.
                if not self._present(digest, len(data)):
                    self._ensure_directory(self.path(digest).parent)
                    temporary.replace(self.path(digest))
        finally:
            temporary.unlink(missing_ok=True)

    def _ensure_directory(self, directory: Path) -> None:
        """Create ``ab/cd`` and sync the names of both, even if another process created them."""
        if directory in self._durable:
            return
        for path in (directory.parent, directory):
            path.mkdir(mode=durable.PRIVATE, parents=True, exist_ok=True)
        durable.sync_directory(directory.parent)
        if directory.parent not in self._durable:
            durable.sync_directory(self._root)
        self._durable |= {directory, directory.parent}

    def _sync_name(self, digest: str) -> None:
        """Sync the name of a blob: another process may have written it and not synced it yet."""
        directory = self.path(digest).parent
        self._ensure_directory(directory)
        durable.sync_directory(directory)


def _sync_private(file: Path) -> None:
    """Sync the bytes of a file, and make it read-only."""
    with file.open("rb") as opened:
        durable.sync(opened.fileno())
    file.chmod(0o400)


def _listed(directory: Path) -> list[Path]:
    try:
        return sorted(directory.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
