"""A folder of another tool as the bytes of one document: a zip archive that depends on names and contents alone.

Members are stored without compression, in the order of their names, with one fixed time, so that the same files always
give the same bytes. ``provrepo export --original`` gives the archive, which any tool unpacks.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from io import BytesIO

from provrepo.codecs.guards import ARCHIVE_MARK
from provrepo.errors import ReadError

__all__ = ["packed", "unpacked"]

_TIME = (1980, 1, 1, 0, 0, 0)
_MOST = 10_000


def packed(format: str, files: Mapping[str, bytes]) -> bytes:  # noqa: A002
    """An archive of some files.

    Args:
        format: the name of the format that reads it, which the name of its first member has.
        files: path in the folder, with slashes → content.
    """
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path, content in [(f"{ARCHIVE_MARK}{format}", b""), *sorted(files.items())]:
            info = zipfile.ZipInfo(path, _TIME)
            info.create_system, info.external_attr = 3, 0o100644 << 16
            archive.writestr(info, content)
    return buffer.getvalue()


def unpacked(data: bytes, format: str) -> dict[str, bytes]:  # noqa: A002
    """The files of an archive that ``packed`` wrote: path → content.

    Raises:
        ReadError: other bytes; the files would not give these bytes again.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = archive.infolist()
            # Stored members cannot be larger than the archive, so that nothing expands.
            if len(members) > _MOST or any(member.compress_type != zipfile.ZIP_STORED for member in members):
                raise ReadError("this archive was not made by `provrepo import`, which reads folders", format=format)
            files = {member.filename: archive.read(member) for member in members}
    except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, ValueError, NotImplementedError) as error:
        raise ReadError(f"not a whole zip archive ({error})", format=format) from error
    files.pop(f"{ARCHIVE_MARK}{format}", None)
    if packed(format, files) != data:
        raise ReadError("this archive was not made by `provrepo import`, which reads folders", format=format)
    return files
