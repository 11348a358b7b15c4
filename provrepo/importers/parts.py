"""The documents that one source of another tool contains: its parts, and what is skipped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from provrepo.codecs.formats import Format, by_name, detect
from provrepo.codecs.guards import prepared
from provrepo.errors import Error, ReadError
from provrepo.limits import IMPORT_FILES

__all__ = ["Part", "Skipped", "files_of", "merged", "parts_of"]


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

    def split(self, data: bytes) -> Iterator[Part | Skipped]:
        """The documents in some bytes, each with a name, and what is skipped."""

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
    codec = format_.codec()
    if whole or not hasattr(codec, "split"):
        yield Part("", data, format_.name, place)
        return
    for found in cast("_Splitting", codec).split(prepared(data, format_.name)):
        if isinstance(found, Part):
            yield found._replace(place=place, splits=True)
        else:
            yield Skipped(f"{place}: {found.place}" if place else found.place, found.reason)


def merged(part: Part, former: bytes) -> Part:
    """A part, with what the stored document of its name has already.

    Raises:
        ReadError: the stored bytes are not those of the format.
    """
    return part._replace(data=cast("_Splitting", by_name(part.format).codec()).merge(former, part.data))


def files_of(folder: Path) -> Iterator[tuple[Path, Format] | Skipped]:
    """The files below a folder in an order that depends on their names alone; hidden ones and links are left out.

    Raises:
        ReadError: there are more than ``IMPORT_FILES``.
    """
    paths = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not path.is_symlink()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    if len(paths) > IMPORT_FILES:
        raise ReadError(f"{folder} has {len(paths):,} files; at most {IMPORT_FILES:,} are imported at once")
    for path in paths:
        try:
            with path.open("rb") as file:
                format_ = detect(file.read(1 << 20), path)
        except OSError as error:
            yield Skipped(str(path), error.strerror or str(error))
        except Error:
            yield Skipped(str(path), "not recognized as a format that can be read")
        else:
            yield (path, format_) if format_.reads else Skipped(str(path), f"{format_.title} is not read")
