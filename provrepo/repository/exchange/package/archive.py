"""Reading of a zip archive that anybody may have made: everything unusual is refused before a byte is unpacked.

The archive must be exactly what its directory says: nothing before the first member, between directory and end, or
after it. Programs that find the directory in another way then see the same members.
"""

from __future__ import annotations

import os
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from copy import copy
from typing import IO

from provrepo.errors import ReadError
from provrepo.repository.exchange.package.layout import BYTES_FREE, LONGEST_LINE, MEMBERS, RATIO

__all__ = ["Archive", "quoted"]

_CHUNK = 1 << 20
_END, _END64, _LOCATOR64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_END_SIZE, _END64_SIZE, _LOCATOR64_SIZE = 22, 56, 20
_DIRECTORY = 512
"""The most bytes of the directory for each member, on average."""

_ENCRYPTED = 0x1 | 0x40 | 0x2000
"""Flags: encrypted, strongly encrypted, encrypted directory (APPNOTE 4.4.4)."""

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_FAILURES = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,  # and NotImplementedError
    OverflowError,
    IndexError,
    KeyError,
)
"""What zipfile raises for archives that it cannot read."""


def quoted(name: str) -> str:
    """Return the name of a member for a message: in quotes, shortened, without control characters."""
    return ascii(name) if len(name) <= 200 else f"{name[:200]!a}…"


class Archive:
    """The members of an archive.

    Attributes:
        name: its name, for messages.
        folder: the name of the folder in which all of them are; empty where they need not be in one.
    """

    def __init__(self, file: IO[bytes], name: str, *, in_folder: bool = True, most: int | None = None) -> None:
        """Read and check the directory.

        Args:
            file: the archive; it can be searched.
            name: its name, for messages.
            in_folder: whether all members must be in one folder.
            most: the most members; by default those of a package.

        Raises:
            ReadError: it is not a zip archive, or a member is refused, which the message names.
        """
        self.name = name
        self.folder = ""
        self._in_folder, self._most = in_folder, MEMBERS if most is None else most
        self._members: dict[str, zipfile.ZipInfo] = {}
        with self._translated("it is not a whole zip archive"):
            start, count = self._end(file)
            self._zip = zipfile.ZipFile(file)
            members = self._zip.infolist()
        if len(members) != count:
            raise self.error(f"its directory lists {len(members):,} members and its end says {count:,}")
        self._check_places(members, start)
        self._check_sizes(members, file)
        self._check_names(members)

    def error(self, problem: str) -> ReadError:
        """Return an error about the archive."""
        return ReadError(f"{self.name} is refused, and nothing was stored: {problem}")

    def refused(self, path: str, problem: str) -> ReadError:
        """Return an error about one member of the folder."""
        return self.error(f"member {quoted(self._full(path))} {problem}")

    def paths(self) -> Collection[str]:
        """Return the paths of the files in the folder."""
        return self._members.keys()

    def size(self, path: str) -> int:
        """Return the size of a file in bytes.

        Raises:
            ReadError: there is no such file.
        """
        return self._member(path).file_size

    def chunks(self, path: str) -> Iterator[bytes]:
        """Yield the bytes of a file, at most as many as the directory says.

        Raises:
            ReadError: there is no such file, or it cannot be unpacked.
        """
        info = self._member(path)
        # zipfile stops at the size in the directory, even if there is more.
        longer = copy(info)
        longer.file_size += 1
        size = 0
        with self._translated(f"member {quoted(info.filename)} cannot be unpacked"), self._zip.open(longer) as file:
            while chunk := file.read(_CHUNK):
                size += len(chunk)
                if size > info.file_size:
                    break
                yield chunk
        if size != info.file_size:
            raise self.refused(path, f"has not the {info.file_size:,} bytes that the directory says")

    def lines(self, path: str) -> Iterator[bytes]:
        """Yield the lines of a file without their ends; a last line without an end is refused.

        Raises:
            ReadError: as for ``chunks``; or a line is too long.
        """
        rest = b""
        for chunk in self.chunks(path):
            *whole, rest = (rest + chunk).split(b"\n")
            if any(len(line) >= LONGEST_LINE for line in (*whole, rest)):
                raise self.refused(path, f"has a line of more than {LONGEST_LINE:,} bytes")
            yield from whole
        if rest:
            raise self.refused(path, "does not end with a line end")

    def read(self, path: str, most: int) -> bytes:
        """Return the bytes of a small file.

        Raises:
            ReadError: as for ``chunks``; or it is too large.
        """
        if self.size(path) > most:
            raise self.refused(path, f"has more than {most:,} bytes")
        return b"".join(self.chunks(path))

    def _member(self, path: str) -> zipfile.ZipInfo:
        if path not in self._members:
            raise self.error(f"the member {quoted(self._full(path))} is missing")
        return self._members[path]

    def _full(self, path: str) -> str:
        return f"{self.folder}/{path}" if self._in_folder else path

    def _end(self, file: IO[bytes]) -> tuple[int, int]:
        """Read the end of the archive; return the position of the directory, and the number of members."""
        size = file.seek(0, os.SEEK_END)
        if size < _END_SIZE:
            raise self.error("it is not a whole zip archive")
        file.seek(size - _END_SIZE)
        mark, disk, first, here, count, length, start, comment = struct.unpack("<4s4H2LH", file.read(_END_SIZE))
        if mark != _END or comment:
            raise self.error("it is not a whole zip archive, or it has a comment or other bytes after its end")
        end = size - _END_SIZE
        if end >= _LOCATOR64_SIZE + _END64_SIZE:
            file.seek(end - _LOCATOR64_SIZE)
            mark, disk64, place, disks = struct.unpack("<4sLQL", file.read(_LOCATOR64_SIZE))
            if mark == _LOCATOR64:
                end -= _LOCATOR64_SIZE + _END64_SIZE
                file.seek(end)
                values = struct.unpack("<4sQ2H2L4Q", file.read(_END64_SIZE))
                wanted = (_END64, _END64_SIZE - 12, 0, 0, values[6])
                if (values[0], values[1], values[4], values[5], values[7]) != wanted or (disk64, place, disks) != (
                    *(0, end, 1),
                ):
                    raise self.error("its zip64 records contradict each other")
                large = (values[6], values[7], values[8], values[9])
                small, most = (here, count, length, start), (0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
                if any(a not in (b, limit) for a, b, limit in zip(small, large, most, strict=True)):
                    raise self.error("its zip64 records contradict the others")
                here, count, length, start = large
        if disk or first or here != count:
            raise self.error("it is a part of an archive of several files")
        if start + length != end:
            raise self.error("its directory is not where its end says: it was cut, or something was put before it")
        if count > self._most or length > max(count, 1) * _DIRECTORY:
            raise self.error(
                f"it has {count:,} members in a directory of {length:,} bytes; at most {self._most:,} are read"
            )
        file.seek(0)
        return start, count

    def _check_places(self, members: list[zipfile.ZipInfo], start: int) -> None:
        """Check that the members follow each other without overlap, so that no bytes belong to two of them."""
        expected = 0
        for info in sorted(members, key=lambda info: info.header_offset):
            if info.header_offset < expected or (expected == 0 and info.header_offset):
                raise self.error(f"member {quoted(info.filename)} overlaps another one")
            # The length of the extra field is in the local header only.
            expected = info.header_offset + 30 + len(info.orig_filename) + info.compress_size
        if expected > start:
            raise self.error("its members overlap its directory")

    def _check_sizes(self, members: list[zipfile.ZipInfo], file: IO[bytes]) -> None:
        packed = file.seek(0, os.SEEK_END)
        total = sum(info.file_size for info in members)
        if total > BYTES_FREE and total > RATIO * packed:
            largest = max(members, key=lambda info: info.file_size)
            raise self.error(
                f"it would unpack to {total:,} bytes, more than {RATIO} times its size; its largest member is "
                f"{quoted(largest.filename)}"
            )

    def _check_names(self, members: list[zipfile.ZipInfo]) -> None:
        known: dict[str, tuple[str, bool]] = {}
        for info in members:
            problem = _name_problem(info) or _kind_problem(info)
            if problem:
                raise self.error(f"member {quoted(info.orig_filename)} {problem}")
            parts = info.filename.removesuffix("/").split("/")
            for number in range(1, len(parts) + 1):
                path, is_file = "/".join(parts[:number]), number == len(parts) and not info.is_dir()
                key = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", path).casefold())
                former, was_file = known.setdefault(key, (path, is_file))
                if former != path:
                    problem = f"differs from {quoted(former)} by case or Unicode normalization only"
                elif was_file != is_file:
                    problem = f"makes {quoted(path)} a file and a folder"
                if problem:
                    raise self.error(f"member {quoted(info.filename)} {problem}")
            if self._in_folder:
                self.folder = self.folder or parts[0]
                if parts[0] != self.folder or (len(parts) == 1 and not info.is_dir()):
                    raise self.error(f"member {quoted(info.filename)} is not in the folder {quoted(self.folder)}")
            path = "/".join(parts[1:] if self._in_folder else parts)
            if info.is_dir():
                continue
            if path in self._members:
                raise self.error(f"member {quoted(info.filename)} is in it twice")
            self._members[path] = info

    @contextmanager
    def _translated(self, problem: str) -> Iterator[None]:
        try:
            yield
        except _FAILURES as error:
            raise self.error(f"{problem} ({str(error) or type(error).__name__})") from error


def _name_problem(info: zipfile.ZipInfo) -> str:
    name = info.orig_filename
    if info.filename != name or any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        return "has a control character in its name, or two names"
    if name.startswith("/") or "\\" in name or ":" in name:
        return "has a name that is absolute, or has a backslash or a colon"
    parts = name.removesuffix("/").split("/")
    if any(part in ("", ".", "..") or len(part.encode()) > 255 for part in parts):
        return "has a name with an empty part, '.', '..', or a part that is too long"
    return ""


def _kind_problem(info: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFDIR if info.is_dir() else stat.S_IFREG):
        return "is a link or another special file"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if info.compress_type not in _METHODS:
        return f"is compressed by method {info.compress_type}, and only deflate is read"
    if info.is_dir() and (info.file_size or info.compress_size):
        return "is a folder with content"
    return ""
