"""Files of other tools: one entity for a file with its digests, which is a specialization of each of its contents.

A content is named by the digest of the bytes alone, so that it is the same in every record that knows this digest.
Digests of other things than the bytes of a file name no content.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from hashlib import new as hash_of

from provrepo.importers.statements import Statements, words
from provrepo.model.identifiers import Identifier
from provrepo.model.statements import SPECIALIZATION, Attribute
from provrepo.vocab import PROV_LOCATION, RDFS_LABEL, SCHEMA, SPDX

__all__ = ["checksums", "content_of", "specialize", "state_file"]

_BITS = {"md5": 128, "sha1": 160, "sha256": 256, "sha384": 384, "sha512": 512}
"""Digests of the bytes of a file: algorithm → bits."""

_NAMED = {"sha256": "sha-256", "sha384": "sha-384", "sha512": "sha-512"}
"""Algorithm → its name in RFC 6920, section 9.4."""

_OF_GIT = {"gitBlob": "cnt", "gitTree": "dir", "gitCommit": "rev", "gitTag": "rel"}
"""Object of git → its type in a SoftWare Hash IDentifier (ISO/IEC 18670), which has the SHA-1 that git computes."""

_EMPTY_BLOB = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
"""What git computes for an empty file."""

_HEX = re.compile(r"[0-9a-f]+")


def content_of(algorithm: str, digest: str) -> str | None:
    """The IRI of a content; None if the digest is malformed, of an empty file, or not of the bytes of a file.

    SHA-2 has IRIs of RFC 6920, as recordings have. MD5 and SHA-1 have none there: ``urn:hash::sha1:…`` is what CWLProv
    writes. Empty files have nothing in common.

    Args:
        algorithm: such as ``sha256`` or ``gitCommit``; upper case and hyphens do not count for those of files.
        digest: hexadecimal.
    """
    name, lower = algorithm.lower().replace("-", ""), digest.lower()
    if not _HEX.fullmatch(lower):
        return None
    if algorithm in _OF_GIT:
        if lower == _EMPTY_BLOB:
            return None
        return f"swh:1:{_OF_GIT[algorithm]}:{lower}" if len(lower) == 40 else None
    if len(lower) * 4 != _BITS.get(name) or lower == hash_of(name, usedforsecurity=False).hexdigest():
        return None
    if name in _NAMED:
        return f"ni:///{_NAMED[name]};" + urlsafe_b64encode(bytes.fromhex(lower)).decode().rstrip("=")
    return f"urn:hash::{name}:{lower}"


def checksums(digests: Mapping[str, str]) -> list[Attribute]:
    """The digests of a file as attributes: algorithm → hexadecimal digest; SHA-256 as recordings have it."""
    found: list[Attribute] = []
    for algorithm, digest in sorted(digests.items()):
        if algorithm.lower().replace("-", "") == "sha256":
            found += [*words(f"{SPDX}checksumValue", digest), *words(f"{SCHEMA}sha256", digest)]
        else:
            found += words(f"{SPDX}checksumValue", f"{algorithm}:{digest}")
    return found


def state_file(
    statements: Statements,
    name: str,
    label: str,
    digests: Mapping[str, str],
    *attributes: Iterable[Attribute],
    location: str = "",
    types: Iterable[str] = (),
) -> Identifier:
    """Describe a file: one version of it, a specialization of each of its contents.

    Args:
        statements: the document.
        name: its IRI.
        label: its path or name.
        digests: of its bytes: algorithm → hexadecimal digest. Digests of other things are attributes alone.
        attributes: more of it.
        location: its URL or path, where that says more than the label.
        types: IRIs of its types.
    """
    entity = statements.entity(
        name, words(RDFS_LABEL, label), words(PROV_LOCATION, location), checksums(digests), *attributes, types=types
    )
    specialize(statements, name, digests)
    return entity


def specialize(statements: Statements, file: str, digests: Mapping[str, str]) -> None:
    """State of which contents a file is a specialization: one for each digest of its bytes."""
    for content in _contents(digests):
        statements.entity(content)
        statements.relate(SPECIALIZATION, file, content)


def _contents(digests: Mapping[str, str]) -> Iterable[str]:
    return filter(None, (content_of(algorithm, digest) for algorithm, digest in sorted(digests.items())))
