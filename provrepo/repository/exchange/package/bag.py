"""Writing of a bag (BagIt, RFC 8493) into a zip archive, in one pass.

The archive is written from its beginning to its end, so that the output may be a file or a pipe. The same files give
the same bytes.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

__all__ = ["Bag", "Member", "Spool"]

_CHUNK = 1 << 20
_EARLIEST, _LATEST = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)
"""The times that a zip archive can represent."""


class Spool:
    """Text that is collected in a temporary file until its turn in the archive."""

    def __init__(self, folder: Path) -> None:
        """Create the file.

        Args:
            folder: its folder, which the caller removes.
        """
        # Without a name, so that it is removed with the process.
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        self.count = 0

    def add(self, text: str) -> None:
        """Append a piece of text."""
        self._file.write(text.encode("utf-8"))
        self.count += 1

    def chunks(self) -> Iterator[bytes]:
        """Yield the whole text."""
        self._file.seek(0)
        while chunk := self._file.read(_CHUNK):
            yield chunk
        self._file.seek(0, os.SEEK_END)

    def close(self) -> None:
        """Remove the file."""
        self._file.close()


class Member:
    """A file of the bag while it is written.

    Attributes:
        size: the number of bytes.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.size = 0
        self._file = file
        self._sha512 = hashlib.sha512()
        self._sha256 = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._file.write(data)
        self._sha512.update(data)
        self._sha256.update(data)
        self.size += len(data)

    @property
    def sha512(self) -> str:
        """SHA-512 of the bytes so far, in hexadecimal."""
        return self._sha512.hexdigest()

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes so far, in hexadecimal."""
        return self._sha256.hexdigest()


class _Forward:
    """A binary file that can only be written to: zipfile then never goes back to correct a header."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.size = 0

    def write(self, data: bytes) -> int:
        self.size += len(data)
        self._file.write(data)
        return len(data)

    def flush(self) -> None:
        self._file.flush()


class Bag:
    """A bag that is being written."""

    def __init__(self, file: IO[bytes], folder: str, *, time: str, scratch: Path) -> None:
        """Begin the archive.

        Args:
            file: gets the bytes of the archive.
            folder: the name of the one folder of the archive.
            time: the time of all files, xsd:dateTime in UTC.
            scratch: an existing folder for temporary files.
        """
        self._folder = folder
        self._time = _zip_time(time)
        self._manifest = Spool(scratch)
        self._bytes = 0
        self._output = _Forward(file)
        self._zip = zipfile.ZipFile(self._output, "w", zipfile.ZIP_DEFLATED)  # type: ignore[call-overload]

    @property
    def members(self) -> int:
        """The number of files so far."""
        return len(self._zip.infolist())

    @property
    def content(self) -> int:
        """The size of the payload so far."""
        return self._bytes

    @property
    def size(self) -> int:
        """The size of the archive so far."""
        return self._output.size

    @contextmanager
    def writing(self, path: str, size: int = 0) -> Iterator[Member]:
        """Yield a payload file to write to; the files are written one after the other.

        Args:
            path: its path below ``data``, which contains no line break and no percent sign.
            size: its size in bytes, if it may exceed 2 GiB.
        """
        with self._member(f"data/{path}", size) as member:
            yield member
        self._manifest.add(f"{member.sha512}  data/{path}\n")
        self._bytes += member.size

    def add(self, path: str, chunks: Iterable[bytes], size: int = 0) -> Member:
        """Write a payload file."""
        with self.writing(path, size) as member:
            for chunk in chunks:
                member.write(chunk)
        return member

    def finish(self, information: Sequence[tuple[str, str]]) -> None:
        """Write the files of the bag itself, and end the archive.

        Args:
            information: the names and values of ``bag-info.txt``, beside the ``Payload-Oxum``.
        """
        lines = [*information, ("Payload-Oxum", f"{self._bytes}.{self._manifest.count}")]
        tags = {
            "bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
            "bag-info.txt": "".join(f"{name}: {_one_line(value)}\n" for name, value in lines).encode(),
        }
        manifest = []
        for name, chunks in (*((n, [data]) for n, data in tags.items()), ("manifest-sha512.txt", None)):
            with self._member(name) as member:
                for chunk in self._manifest.chunks() if chunks is None else chunks:
                    member.write(chunk)
            manifest.append(f"{member.sha512}  {name}\n")
        with self._member("tagmanifest-sha512.txt") as member:
            member.write("".join(manifest).encode())
        self._zip.close()

    def abandon(self) -> None:
        """Free what the archive uses, finished or not."""
        self._manifest.close()
        # zipfile would write the directory of an unfinished archive.
        self._zip.fp = None

    @contextmanager
    def _member(self, path: str, size: int = 0) -> Iterator[Member]:
        info = zipfile.ZipInfo(f"{self._folder}/{path}", self._time)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.create_system = 3  # Unix, whatever the system, for equal bytes
        info.external_attr = 0o100644 << 16
        info.file_size = size
        with self._zip.open(info, "w") as file:
            member = Member(file)
            yield member


def _zip_time(time: str) -> tuple[int, int, int, int, int, int]:
    found = datetime.fromisoformat(time[:19])
    parts = (found.year, found.month, found.day, found.hour, found.minute, found.second)
    return min(max(parts, _EARLIEST), _LATEST)


def _one_line(value: str) -> str:
    return " ".join(value.split())
