"""The files of a zip archive that is imported; everything unusual is refused before anything is stored."""

from __future__ import annotations

from io import BytesIO

from provrepo.importers.sources import SourceFile, is_left_out
from provrepo.limits import IMPORT_BYTES, IMPORT_FILES
from provrepo.repository.exchange.package.archive import Archive, quoted

__all__ = ["files_of_zip"]


def files_of_zip(data: bytes, name: str) -> list[SourceFile]:
    """The files of an archive, in the order of their names. Each was unpacked once, so that none is damaged.

    Args:
        data: the archive.
        name: its name, for messages.

    Raises:
        ReadError: it is no zip archive, or a member is refused, which the message names.
    """
    archive = Archive(BytesIO(data), name, in_folder=False, most=IMPORT_FILES)
    total = 0
    for path in archive.paths():
        total += archive.size(path)
        if total > IMPORT_BYTES:
            raise archive.error(f"it unpacks to more than {IMPORT_BYTES:,} bytes, at member {quoted(path)}")
    paths = sorted(path for path in archive.paths() if not is_left_out(path))
    for path in paths:
        for _ in archive.chunks(path):
            pass
    return [_file(archive, path) for path in paths]


def _file(archive: Archive, path: str) -> SourceFile:
    def read(most: int) -> bytes:
        found = b""
        for chunk in archive.chunks(path):
            found += chunk
            if len(found) >= most:
                break
        return found[:most]

    return SourceFile(path, f"{archive.name}: {path}", archive.size(path), read)
