"""The documents that one source of another tool contains: its parts, and what is skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol, cast

from provrepo.codecs.formats import FORMATS, Format, by_name, detect
from provrepo.codecs.guards import prepared
from provrepo.errors import Error, ReadError
from provrepo.importers.archives import packed
from provrepo.limits import IMPORT_FILES

__all__ = [
    "Part",
    "Skipped",
    "SourceFile",
    "files_of",
    "is_hidden",
    "merged",
    "parts_in",
    "parts_of",
    "parts_of_lines",
    "read_by_lines",
]


BLOCK = 16 * 1024 * 1024
"""Bytes of a file of lines that are read at once."""


class Part(NamedTuple):
    """The bytes of one document.

    Attributes:
        name: a name for the document; empty where the source has none.
        data: the bytes.
        format: the name of their format.
        place: the file that they are from; empty if there is none.
        splits: whether a stored document of this name has other parts of the same, which belong to it as well.
    """

    name: str
    data: bytes
    format: str
    place: str = ""
    splits: bool = False


class Skipped(NamedTuple):
    """A part of a source that is not imported.

    Attributes:
        place: the file, line or document.
        reason: why.
    """

    place: str
    reason: str


class _Splitting(Protocol):
    """A module whose format may contain several documents."""

    def split(self, data: bytes, line: int = 1) -> Iterator[Part | Skipped]:
        """The documents in some bytes that begin at a line of a file, each with a name, and what is skipped."""

    def merge(self, former: bytes, more: bytes) -> bytes:
        """A document of which some parts came before, and more came now."""


def parts_of(data: bytes, format_: Format, place: str = "", *, whole: bool = False) -> Iterator[Part | Skipped]:
    """The documents in the bytes of one file.

    Args:
        data: the bytes.
        format_: their format.
        place: the name of the file.
        whole: do not split them.

    Raises:
        ReadError: not text that may be read.
    """
    if whole or not _splits(format_):
        yield Part("", data, format_.name, place)
        return
    yield from _split(data, format_, place, 1)


def read_by_lines(format_: Format, size: int, beginning: bytes) -> bool:
    """Whether a file of a format is read in blocks: it is large, may contain several documents, and is no array."""
    return size > BLOCK and _splits(format_) and beginning.lstrip()[:1] != b"["


def _splits(format_: Format) -> bool:
    return hasattr(format_.codec(), "split")


def _split(data: bytes, format_: Format, place: str, line: int) -> Iterator[Part | Skipped]:
    for found in cast("_Splitting", format_.codec()).split(prepared(data, format_.name), line):
        if isinstance(found, Part):
            yield found._replace(place=place, splits=True)
        else:
            yield Skipped(f"{place}: {found.place}" if place else found.place, found.reason)


def parts_of_lines(file: BinaryIO, format_: Format, place: str = "") -> Iterator[Part | Skipped]:
    """The documents of a file of any size with a value in each line.

    The file is read in blocks of whole lines. A document whose parts are in several blocks occurs several times, and is
    merged when it is stored.

    Args:
        file: the file, at its beginning.
        format_: its format.
        place: its name.
    """
    line, rest = 1, b""
    while data := rest + file.read(BLOCK - len(rest)):
        end = data.rfind(b"\n") + 1 if len(data) == BLOCK else len(data)
        if not end:
            where = f"{place}: line {line}" if place else f"line {line}"
            yield Skipped(where, f"a line of more than {BLOCK:,} bytes is not read, nor what follows it")
            return
        yield from _split(data[:end], format_, place, line)
        line += data.count(b"\n", 0, end)
        rest = data[end:]


def merged(part: Part, former: bytes) -> Part:
    """A part, with what the stored document of its name has already.

    Raises:
        ReadError: the stored bytes are not those of the format.
    """
    return part._replace(data=cast("_Splitting", by_name(part.format).codec()).merge(former, part.data))


class SourceFile(NamedTuple):
    """A file of a folder or of an archive.

    Attributes:
        path: in the folder, with slashes.
        place: its name for messages.
        size: in bytes.
        read: returns its first bytes, at most as many as it is asked for.
        open: opens it; None for a member of an archive.
    """

    path: str
    place: str
    size: int
    read: Callable[[int], bytes]
    open: Callable[[], BinaryIO] | None = None


def files_of(folder: Path) -> list[SourceFile]:
    """The files below a folder in an order that depends on their names alone; hidden ones and links are left out.

    Raises:
        ReadError: there are more than ``IMPORT_FILES``.
    """
    found = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not is_hidden(name) and not path.is_symlink() and path.is_file():
            found.append(SourceFile(name, str(path), path.stat().st_size, _reader(path), partial(_opened, path)))
    if len(found) > IMPORT_FILES:
        raise ReadError(f"{folder} has {len(found):,} files; at most {IMPORT_FILES:,} are imported at once")
    return found


def is_hidden(path: str) -> bool:
    """Whether a file, or a folder above it, is hidden; and what macOS adds to archives."""
    return any(part.startswith(".") or part == "__MACOSX" for part in path.split("/"))


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")


def _reader(path: Path) -> Callable[[int], bytes]:
    def read(most: int) -> bytes:
        with path.open("rb") as file:
            return file.read(most)

    return read


def parts_in(
    files: list[SourceFile], chosen: Format | None, *, most: int, called: str | None = None
) -> Iterator[Part | Skipped]:
    """The documents in some files: those of each file, and one for each folder that a format recognizes as a whole.

    Args:
        files: in order.
        chosen: the format of all files; None to detect it.
        most: the largest size of a document in bytes.
        called: the beginning of the names of documents whose format does not name them.
    """
    for format_, folder, members in _folders(files, chosen):
        files = [file for file in files if file not in members]
        yield _archive(format_, folder, members, most, called)
    for file in files:
        try:
            yield from _parts_of_file(file, chosen, most, called)
        except OSError as error:
            yield Skipped(file.place, error.strerror or str(error))
        except ReadError as error:
            yield Skipped(file.place, error.message)


def _parts_of_file(file: SourceFile, chosen: Format | None, most: int, called: str | None) -> Iterator[Part | Skipped]:
    format_ = chosen
    if format_ is None:
        try:
            format_ = detect(file.read(1 << 20), file.path)
        except Error:
            yield Skipped(file.place, "not recognized as a format that can be read")
            return
    if not format_.reads:
        yield Skipped(file.place, f"{format_.title} is not read")
        return
    if file.open is not None and read_by_lines(format_, file.size, file.read(1_000)):
        with file.open() as opened:
            yield from parts_of_lines(opened, format_, file.place)
        return
    data = file.read(most + 1)
    if len(data) > most:
        yield Skipped(file.place, f"it has more than {most:,} bytes, the limit for one document")
        return
    for part in parts_of(data, format_, file.place):
        if isinstance(part, Part) and not part.name:
            yield part._replace(name=_name(file.path.rpartition(".")[0] or file.path, called))
        else:
            yield part


def _folders(files: list[SourceFile], chosen: Format | None) -> Iterator[tuple[Format, str, list[SourceFile]]]:
    """The folders that a format recognizes, each with the files that belong to it."""
    paths = {file.path for file in files}
    for format_ in FORMATS if chosen is None else (chosen,):
        marks = sorted(format_.folder)
        if not marks:
            continue
        for first in sorted(path for path in paths if path == marks[0] or path.endswith(f"/{marks[0]}")):
            folder = first.removesuffix(marks[0])
            if all(f"{folder}{mark}" in paths for mark in marks):
                inside = [file for file in files if file.path.startswith(folder)]
                yield format_, folder, [each for each in inside if _belongs(each.path.removeprefix(folder), format_)]


def _belongs(path: str, format_: Format) -> bool:
    return path in format_.folder or any(fnmatchcase(path, pattern) for pattern in format_.members)


def _archive(format_: Format, folder: str, members: list[SourceFile], most: int, called: str | None) -> Part | Skipped:
    place = folder.rstrip("/") or "the folder"
    if sum(file.size for file in members) > most:
        return Skipped(place, f"its files have more than {most:,} bytes, the limit for one document")
    try:
        data = packed(format_.name, {file.path.removeprefix(folder): file.read(most) for file in members})
    except OSError as error:
        return Skipped(place, error.strerror or str(error))
    return Part(_name(folder.rstrip("/") or format_.name, called), data, format_.name, place)


def _name(path: str, called: str | None) -> str:
    return "-".join([*filter(None, [called]), *path.split("/")])
