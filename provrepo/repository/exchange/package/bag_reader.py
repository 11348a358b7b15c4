"""Reading of a bag (BagIt, RFC 8493) in an archive: each file must be listed, and have its digest."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping

from provrepo.repository.exchange.package.archive import Archive, quoted
from provrepo.words import counted

__all__ = ["BagReader", "Digests"]

_ALGORITHM = "sha512"
_MANIFEST, _TAGS = f"manifest-{_ALGORITHM}.txt", f"tagmanifest-{_ALGORITHM}.txt"
_DECLARATION, _INFORMATION = "bagit.txt", "bag-info.txt"
_TAG_FILES = (_DECLARATION, _INFORMATION, _MANIFEST)
_VERSIONS = (b"BagIt-Version: 1.0", b"BagIt-Version: 0.97")
_SMALL = 1 << 20
"""The most bytes of a tag file other than the manifest."""

_LINE = re.compile(r"([0-9a-fA-F]{128})[ \t]+(\S.*)")
_ESCAPES = {"%0A": "\n", "%0a": "\n", "%0D": "\r", "%0d": "\r", "%25": "%"}
_OXUM = re.compile(r"([0-9]{1,19})\.([0-9]{1,19})")


class Digests:
    """SHA-256 and SHA-512 of the same bytes."""

    def __init__(self) -> None:
        self.sha512, self.sha256, self.size = hashlib.sha512(), hashlib.sha256(), 0

    def update(self, data: bytes) -> None:
        """Add bytes."""
        self.sha512.update(data)
        self.sha256.update(data)
        self.size += len(data)


class BagReader:
    """A bag in an archive. What concerns the whole bag is checked at once, each payload file when it is read.

    Attributes:
        archive: the archive.
        information: name → value of ``bag-info.txt``.
    """

    def __init__(self, archive: Archive) -> None:
        """Check the files of the bag itself, and that manifest and payload have the same files.

        Raises:
            ReadError: the bag is not valid, or uses what a package does not need, such as ``fetch.txt``.
        """
        self.archive = archive
        for path in archive.paths():
            if not path.startswith("data/") and path not in (*_TAG_FILES, _TAGS):
                raise archive.refused(path, "is none of the files of a package")
        declared = archive.read(_DECLARATION, _SMALL).replace(b"\r\n", b"\n").strip().split(b"\n")
        if declared not in [[version, b"Tag-File-Character-Encoding: UTF-8"] for version in _VERSIONS]:
            raise archive.refused(_DECLARATION, "does not declare BagIt 1.0 or 0.97 in UTF-8")
        self._manifest = self._read_manifest(_MANIFEST)
        self._check_tags()
        self.information: Mapping[str, str] = self._read_information()
        self._check_payload()

    def payload(self) -> Iterator[str]:
        """Yield the paths of the payload files below ``data``, sorted."""
        for path in sorted(self._manifest):
            yield path.removeprefix("data/")

    def has(self, path: str) -> bool:
        """Return whether there is a payload file."""
        return f"data/{path}" in self._manifest

    def chunks(self, path: str, digests: Digests | None = None) -> Iterator[bytes]:
        """Yield the bytes of a payload file, and compare their digest with the manifest after the last.

        Args:
            path: its path below ``data``.
            digests: updated with the bytes, if it is given.

        Raises:
            ReadError: there is no such file, it cannot be unpacked, or it does not have its digest.
        """
        found = digests or Digests()
        for chunk in self.archive.chunks(f"data/{path}"):
            found.update(chunk)
            yield chunk
        if found.sha512.digest() != self._manifest.get(f"data/{path}"):
            raise self.archive.refused(f"data/{path}", f"does not have the SHA-512 of {_MANIFEST}")

    def verify(self, path: str) -> str:
        """Read a payload file and compare it with the manifest; return its SHA-256 in hexadecimal."""
        digests = Digests()
        for _ in self.chunks(path, digests):
            pass
        return digests.sha256.hexdigest()

    def _read_manifest(self, name: str) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for number, line in enumerate(self.archive.lines(name), 1):
            try:
                match = _LINE.fullmatch(line.decode("utf-8").removesuffix("\r"))
            except UnicodeDecodeError:
                match = None
            if match is None:
                raise self.archive.refused(name, f"has no digest and path in line {number}")
            path = re.sub("%(0A|0D|25)", lambda escape: _ESCAPES[escape.group()], match[2], flags=re.IGNORECASE)
            if path in found:
                raise self.archive.refused(name, f"lists {quoted(path)} twice")
            found[path] = bytes.fromhex(match[1])
        return found

    def _check_tags(self) -> None:
        """Compare the tag files with their digests."""
        listed = self._read_manifest(_TAGS)
        if listed.keys() != set(_TAG_FILES):
            wrong = sorted(listed.keys() ^ set(_TAG_FILES))
            raise self.archive.refused(_TAGS, f"lists not exactly the files of the bag: {quoted(wrong[0])}")
        for path, digest in listed.items():
            digests = Digests()
            for chunk in self.archive.chunks(path):
                digests.update(chunk)
            if digests.sha512.digest() != digest:
                raise self.archive.refused(path, f"does not have the SHA-512 of {_TAGS}")

    def _read_information(self) -> dict[str, str]:
        """Read ``bag-info.txt``: ``Name: value``, where lines that begin with a space continue a value."""
        try:
            text = self.archive.read(_INFORMATION, _SMALL).decode("utf-8")
        except UnicodeDecodeError:
            raise self.archive.refused(_INFORMATION, "is not UTF-8") from None
        found: dict[str, str] = {}
        for line in re.sub(r"\r?\n[ \t]+", " ", text).splitlines():
            name, colon, value = line.partition(":")
            if not colon:
                raise self.archive.refused(_INFORMATION, f"has a line without a name: {quoted(line)}")
            if name.strip() == "Payload-Oxum" and "Payload-Oxum" in found:
                raise self.archive.refused(_INFORMATION, "has two Payload-Oxum")
            found[name.strip()] = value.strip()
        return found

    def _check_payload(self) -> None:
        payload = {path for path in self.archive.paths() if path.startswith("data/")}
        for path in sorted(self._manifest.keys() - payload):
            raise self.archive.error(f"{quoted(path)} is listed in {_MANIFEST} and missing")
        for path in sorted(payload - self._manifest.keys()):
            raise self.archive.refused(path, f"is not listed in {_MANIFEST}")
        match = _OXUM.fullmatch(self.information.get("Payload-Oxum", ""))
        found = (sum(map(self.archive.size, payload)), len(payload))
        if match is None or (int(match[1]), int(match[2])) != found:
            raise self.archive.refused(
                _INFORMATION,
                f"has not the right Payload-Oxum: there are {found[0]:,} bytes in {counted(found[1], 'file')}",
            )
