"""The documents that one source of another tool contains: its parts, and what is skipped."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol, cast

from provrepo.codecs.formats import FORMATS, Format, by_name, detect
from provrepo.codecs.guards import prepared
from provrepo.errors import Error, ReadError
from provrepo.importers.archives import packed
from provrepo.importers.sources import SourceFile, is_hidden

__all__ = [
    "Asking",
    "Collected",
    "Part",
    "Skipped",
    "collected_in",
    "history_of",
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


class Collected(NamedTuple):
    """A document that a format makes of files of a folder, or why it makes none.

    Attributes:
        part: the document; its name is used below that of the import, an empty one is made of the format.
        files: the paths of the files that it is made of, which are not read on their own.
    """

    part: Part | Skipped
    files: frozenset[str] = frozenset()


class _Collecting(Protocol):
    """A module whose format ``collects``."""

    def collect(self, files: Sequence[SourceFile], root: Path | None) -> Iterator[Collected]:
        """The documents of the tool in a folder.

        Args:
            files: those of the folder, with hidden ones of the row of the format, in order.
            root: the folder; None if it is an archive. A tool that keeps a part of its records elsewhere than in
                these files, such as in Git, finds it there.
        """


class _Asking(Protocol):
    """A module whose format has a ``history``."""

    def history(self, folder: Path, wanted: str | None) -> Iterator[Part | Skipped]:
        """The documents of a folder, for which a program is asked.

        Args:
            folder: the folder.
            wanted: the part of it that is wanted, as the program names it; None for all.
        """


def history_of(
    folder: Path, format_: Format, wanted: str | None, *, most: int, called: str | None = None
) -> Iterator[Part | Skipped]:
    """The documents for which a program is asked, other than those that are made of files.

    Args:
        folder: the folder.
        format_: its format, which has a history.
        wanted: the part of it that is wanted; None for all.
        most: the largest size of a document in bytes.
        called: the beginning of their names.
    """
    for part in cast("_Asking", format_.codec()).history(folder, wanted):
        if isinstance(part, Part) and len(part.data) > most:
            yield Skipped(f"{part.place}: {part.name}", _too_large(most))
        else:
            yield part._replace(name=_name(part.name, called)) if isinstance(part, Part) else part


class Asking(Protocol):
    """A module whose format ``asks``."""

    def ask(self, url: str, chosen: Collection[str]) -> Iterator[Part | Skipped]:
        """The documents that a server of the tool has.

        Args:
            url: its address; nothing else is asked.
            chosen: which ones, by names of the tool; all without any.
        """


def collected_in(
    files: Sequence[SourceFile], chosen: Format | None, root: Path | None, *, most: int, called: str | None = None
) -> Iterator[Collected]:
    """The documents that formats make of several files of a folder.

    Args:
        files: in order.
        chosen: the only format to use; None for all.
        root: the folder; None for an archive.
        most: the largest size of a document in bytes.
        called: the beginning of their names.
    """
    for format_ in FORMATS if chosen is None else (chosen,):
        for folder, members in _folders(files, format_):
            paths = frozenset(file.path for file in members)
            yield Collected(_archive(format_, folder, members, most, called), paths)
        if not format_.collects:
            continue
        for part, paths in cast("_Collecting", format_.codec()).collect(files, root):
            if isinstance(part, Part) and len(part.data) > most:
                yield Collected(Skipped(part.place or part.name, _too_large(most)), paths)
            elif isinstance(part, Part):
                yield Collected(part._replace(name=_name(part.name or format_.name, called)), paths)
            else:
                yield Collected(part, paths)


def _too_large(most: int) -> str:
    return f"it has more than {most:,} bytes, the limit for one document"


def parts_in(
    files: list[SourceFile], chosen: Format | None, *, most: int, called: str | None = None, root: Path | None = None
) -> Iterator[Part | Skipped]:
    """The documents in some files: those that formats make of several files, and those of each other file.

    Args:
        files: in order.
        chosen: the format of all files; None to detect it.
        most: the largest size of a document in bytes.
        called: the beginning of the names of documents whose format does not name them.
        root: the folder of the files; None for an archive.
    """
    taken: set[str] = set()
    for part, paths in collected_in(files, chosen, root, most=most, called=called):
        taken |= paths
        yield part
    for file in files:
        if file.path in taken or is_hidden(file.path) or (chosen is not None and chosen.collects):
            continue
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
        yield Skipped(file.place, _too_large(most))
        return
    for part in parts_of(data, format_, file.place):
        if isinstance(part, Part) and not part.name:
            yield part._replace(name=_name(file.path.rpartition(".")[0] or file.path, called))
        else:
            yield part


def _folders(files: Sequence[SourceFile], format_: Format) -> Iterator[tuple[str, list[SourceFile]]]:
    """The folders that a format recognizes by the names of files, each with the files that belong to it."""
    marks = sorted(format_.folder)
    paths = {file.path for file in files} if marks else set()
    for first in sorted(path for path in paths if path == marks[0] or path.endswith(f"/{marks[0]}")):
        folder = first.removesuffix(marks[0])
        if all(f"{folder}{mark}" in paths for mark in marks):
            inside = [file for file in files if file.path.startswith(folder)]
            yield folder, [each for each in inside if _belongs(each.path.removeprefix(folder), format_)]


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
