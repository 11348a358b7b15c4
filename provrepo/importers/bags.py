"""BagIt bags (RFC 8493) in a folder that is imported: where their payload is, and the digests in their manifests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

__all__ = ["BAG", "MANIFEST", "digests_in", "is_bag"]

BAG = "bagit.txt"
MANIFEST = re.compile(r"manifest-([a-z0-9-]+)\.txt")
"""The name of a manifest of the payload; the group is the algorithm (RFC 8493, section 2.1.3)."""

_LINE = re.compile(r"([0-9A-Fa-f]+)[ \t]+\*?(?:\./)?(.+)")
_ENCODED = {"%0A": "\n", "%0D": "\r", "%25": "%"}


def is_bag(folder: str, paths: Iterable[str]) -> bool:
    """Whether a folder is a bag.

    Args:
        folder: its path, which ends with a slash; empty for the outermost.
        paths: of all files.
    """
    return f"{folder}{BAG}" in paths


def digests_in(files: Mapping[str, bytes]) -> tuple[dict[str, dict[str, str]], list[tuple[str, str]]]:
    """The digests of the payload in the manifests of a bag.

    Args:
        files: name → content, of manifests and others.

    Returns:
        Path from the bag → algorithm → hexadecimal digest; and what is malformed, as places and messages.
    """
    found: dict[str, dict[str, str]] = {}
    wrong: list[tuple[str, str]] = []
    for name, content in sorted(files.items()):
        named = MANIFEST.fullmatch(name)
        if named is None:
            continue
        for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
            entry = _LINE.fullmatch(line.strip())
            if entry is not None:
                path = re.sub(r"%(?:0A|0D|25)", lambda each: _ENCODED[each[0].upper()], entry[2], flags=re.IGNORECASE)
                found.setdefault(path, {})[named[1].replace("-", "")] = entry[1].lower()
            elif line.strip():
                wrong.append((f"{name}: line {number}", "a digest and a path are needed; the line is not read"))
    return found, wrong
