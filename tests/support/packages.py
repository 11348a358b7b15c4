"""Packages taken apart and put together again, right or wrong, for tests."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from provrepo.repository.exchange.package.reading import PackageReader

__all__ = ["Files", "payload", "read", "rebagged", "tags", "unzipped", "verified", "zipped"]

Files = dict[str, bytes]


def unzipped(package: Path | bytes) -> tuple[str, Files]:
    """Return the folder of a package, and its files by their paths in the folder."""
    with zipfile.ZipFile(io.BytesIO(package) if isinstance(package, bytes) else package) as archive:
        names = archive.namelist()
        folder = names[0].partition("/")[0]
        return folder, {name.removeprefix(f"{folder}/"): archive.read(name) for name in names}


def payload(package: Path | bytes) -> Files:
    """Return the payload files of a package by their paths below ``data``."""
    return {path[5:]: data for path, data in unzipped(package)[1].items() if path.startswith("data/")}


def tags(files: Mapping[str, bytes]) -> Files:
    """Return the files of a bag with these payload files, whose paths begin with ``data/``."""
    size = sum(map(len, files.values()))
    made = {
        "bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
        "bag-info.txt": f"Payload-Oxum: {size}.{len(files)}\n".encode(),
        "manifest-sha512.txt": _manifest(files),
    }
    return {**made, "tagmanifest-sha512.txt": _manifest(made)}


def rebagged(files: Mapping[str, bytes]) -> Files:
    """Return the payload files and new files of the bag: digests and sizes are right, whatever the content."""
    kept = {path: data for path, data in files.items() if path.startswith("data/")}
    return {**kept, **tags(kept)}


def zipped(folder: str, files: Mapping[str, bytes], change: Callable[[zipfile.ZipInfo], None] | None = None) -> bytes:
    """Return an archive of files.

    Args:
        folder: the name of its folder.
        files: path in the folder → bytes.
        change: called with the directory entry of each file before it is written.
    """
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            info = zipfile.ZipInfo(f"{folder}/{path}")
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o100644 << 16
            if change is not None:
                change(info)
            archive.writestr(info, data)
    return made.getvalue()


def read(package: bytes) -> PackageReader:
    """Open a package."""
    return PackageReader(io.BytesIO(package), "p.zip")


def verified(package: bytes) -> dict[str, bytes]:
    """Verify a package; return its blobs by their digests."""
    reader = read(package)
    reader.verify(lambda _what, _count: None)
    return {sha256: b"".join(reader.blob(sha256)) for sha256 in reader.blobs()}  # type: ignore[arg-type]


def _manifest(files: Mapping[str, bytes]) -> bytes:
    return "".join(f"{hashlib.sha512(data).hexdigest()}  {path}\n" for path, data in files.items()).encode()
