"""The files of a folder or archive that is imported."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

from provrepo.errors import ReadError
from provrepo.limits import IMPORT_FILES

__all__ = ["SourceFile", "digests_of", "file_of", "files_of", "is_hidden", "is_left_out", "store_of"]

_BLOCK = 1 << 20


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
    """The files below a folder in an order that depends on their names alone; links are left out.

    Raises:
        ReadError: there are more than ``IMPORT_FILES``.
    """
    found = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not is_left_out(name) and not path.is_symlink() and path.is_file():
            found.append(SourceFile(name, str(path), path.stat().st_size, _reader(path), partial(_opened, path)))
    if len(found) > IMPORT_FILES:
        raise ReadError(f"{folder} has {len(found):,} files; at most {IMPORT_FILES:,} are imported at once")
    return found


def file_of(path: Path) -> SourceFile:
    """A single file, which is called by its name.

    Raises:
        ReadError: it cannot be read.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise ReadError(f"cannot read {path}: {error.strerror or error}") from error
    return SourceFile(path.name, str(path), size, _reader(path), partial(_opened, path))


def store_of(source: object, name: str = "") -> SourceFile | None:
    """The file that a source is, if it contains several documents of a tool that are collected; None for others.

    Args:
        source: a path, or the bytes.
        name: of the file that the bytes are from.
    """
    from provrepo.codecs.formats import FORMATS

    beginnings = tuple(format_.magic for format_ in FORMATS if format_.magic)
    if isinstance(source, bytes) and source.startswith(beginnings):
        return SourceFile(Path(name).name or "store", name or "the source", len(source), lambda most: source[:most])
    if isinstance(source, str | Path) and (path := Path(source)).is_file():
        read = _reader(path)
        if read(max(map(len, beginnings))).startswith(beginnings):
            return file_of(path)
    return None


def is_hidden(path: str) -> bool:
    """Whether a file, or a folder above it, is hidden; and what macOS adds to archives."""
    return any(part.startswith(".") or part == "__MACOSX" for part in path.split("/"))


def is_left_out(path: str) -> bool:
    """Whether a file is hidden, and in no hidden folder or file in which a tool keeps its records."""
    parts = path.split("/")
    first = next((number for number, part in enumerate(parts) if is_hidden(part)), None)
    hidden = "/".join([*parts[first:], ""]) if first is not None else ""
    return first is not None and not any(hidden.startswith(f"{kept}/") for kept in _kept())


@cache
def _kept() -> frozenset[str]:
    from provrepo.codecs.formats import FORMATS  # the names of files alone need no format

    return frozenset(name for format_ in FORMATS for name in format_.hidden)


def digests_of(file: SourceFile, algorithms: Iterable[str]) -> dict[str, str]:
    """The digests of the whole of a file: algorithm → hexadecimal digest.

    Args:
        file: it.
        algorithms: such as ``sha256``.

    Raises:
        OSError: it cannot be read.
    """
    found = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
    if file.open is None:
        data = file.read(file.size)
        for each in found.values():
            each.update(data)
    else:
        with file.open() as opened:
            while block := opened.read(_BLOCK):
                for each in found.values():
                    each.update(block)
    return {name: each.hexdigest() for name, each in found.items()}


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")


def _reader(path: Path) -> Callable[[int], bytes]:
    def read(most: int) -> bytes:
        with path.open("rb") as file:
            return file.read(most)

    return read
