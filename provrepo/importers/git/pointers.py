"""Pointers that stand for files in a repository: of Git LFS, and of git-annex, whose keys say what they are hashes of.

https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md, https://git-annex.branchable.com/internals/key_format/,
https://git-annex.branchable.com/internals/pointer_file/.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["LONGEST", "Pointed", "pointed"]

LONGEST = 1024
"""The most bytes of a pointer of Git LFS; keys of git-annex are shorter."""

_LFS = re.compile(r"version https?://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/v1\n")
_OID = re.compile(r"(?m)^oid ([a-z0-9]+):([0-9a-f]+)$")
_EXTENSION = re.compile(r"(?m)^ext-(\d)-\S+ ([a-z0-9]+):([0-9a-f]+)$")
_SIZE = re.compile(r"(?m)^size (\d{1,18})$")
_UNLOCKED = re.compile(r"/annex/objects/([^\n/]+)\n?")
_LOCKED = re.compile(r"(?:.*/)?annex/objects/(?:[^/]+/)*([^/\n]+)\n?", re.DOTALL)
_KEY = re.compile(r"(?P<backend>[A-Z0-9_]+)(?P<fields>(?:-[smSC]\d{1,18})*)--(?P<name>.+)", re.DOTALL)
_HASHES = {"MD5": "md5", "SHA1": "sha1", "SHA224": "sha224", "SHA256": "sha256", "SHA384": "sha384", "SHA512": "sha512"}
"""Backend of git-annex → the algorithm; with an ``E`` the key has the extension of the file after the hash."""

_HEX = re.compile(r"[0-9a-f]{32,128}")


class Pointed(NamedTuple):
    """The file for which a pointer stands.

    Attributes:
        by: ``Git LFS`` or ``git-annex``.
        key: what names the file there.
        digests: of the bytes of the file: algorithm → hexadecimal digest; empty if the key is no hash.
        size: bytes; None if that is not known.
        problem: what is unusual; empty if nothing is.
    """

    by: str
    key: str
    digests: dict[str, str]
    size: int | None = None
    problem: str = ""


def pointed(text: str, *, link: bool) -> Pointed | None:
    """The file for which the content of a small file, or the target of a link, stands; None for others.

    Args:
        text: the content or target.
        link: whether it is the target of a symbolic link.
    """
    found = (_LOCKED if link else _UNLOCKED).fullmatch(text)
    if found is not None:
        return _annexed(found[1]) if "--" in found[1] else None
    return _large(text) if not link and _LFS.match(text) else None


def _large(text: str) -> Pointed:
    oid, size, extensions = _OID.search(text), _SIZE.search(text), sorted(_EXTENSION.findall(text))
    if oid is None:
        return Pointed("Git LFS", "", {}, problem="a pointer of Git LFS without an oid")
    algorithm, digest = oid.groups()
    if extensions:
        # The first extension read the file of the working tree; the oid is of what the last one made of it.
        return Pointed("Git LFS", f"{algorithm}:{digest}", {extensions[0][1]: extensions[0][2]})
    return Pointed("Git LFS", f"{algorithm}:{digest}", {algorithm: digest}, int(size[1]) if size else None)


def _annexed(key: str) -> Pointed:
    # The names of files of keys have these for a slash, an ampersand, a percent sign and a colon.
    shown = key.replace("%", "/").replace("&c", ":").replace("&s", "%").replace("&a", "&")
    match = _KEY.fullmatch(shown)
    if match is None:
        return Pointed("git-annex", shown, {}, problem="no key of git-annex")
    fields = {field[0]: int(field[1:]) for field in match["fields"].split("-") if field}
    algorithm = _HASHES.get(match["backend"]) or _HASHES.get(match["backend"].removesuffix("E"))
    digest = match["name"].partition(".")[0] if match["backend"].endswith("E") else match["name"]
    if algorithm is None or "S" in fields or "C" in fields or not _HEX.fullmatch(digest):
        return Pointed("git-annex", shown, {}, fields.get("s"))
    return Pointed("git-annex", shown, {algorithm: digest}, fields.get("s"))
