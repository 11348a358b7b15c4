"""Attributes of what documents of sessions, and steps that a person describes, have in common."""

from __future__ import annotations

import mimetypes
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from provrepo.model.identifiers import Identifier, Literal
from provrepo.model.secrets import clean
from provrepo.model.statements import Attribute
from provrepo.vocab import MLS, PROV_LABEL, PROV_LOCATION, PROV_TYPE, SCHEMA, SPDX, XSD

__all__ = ["MLS", "content", "file_attributes", "instant", "is_a", "text", "typed"]


def content(sha256: str) -> Identifier:
    """The name of some bytes (RFC 6920), which is the same in every repository."""
    return Identifier("ni:///sha-256;" + urlsafe_b64encode(bytes.fromhex(sha256)).decode().rstrip("="))


def instant(seconds: float) -> str:
    """Seconds since the epoch as xsd:dateTime in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def is_a(iri: str) -> Attribute:
    """The type of a thing."""
    return Identifier(PROV_TYPE), Identifier(iri)


def text(name: str, value: str) -> Attribute:
    """An attribute with text."""
    return Identifier(name), Literal(clean(value))


def typed(name: str, value: str, datatype: str) -> Attribute:
    """An attribute with a literal of a datatype of XML Schema, by its local name."""
    return Identifier(name), Literal(value, XSD + datatype)


def file_attributes(path: str, sha256: str, size: int, modified: float | None) -> list[Attribute]:
    """The description of a file.

    Args:
        path: absolute, or only the name of a file of another machine, which is then no location.
        sha256: of the bytes, in hexadecimal.
        size: in bytes.
        modified: in seconds since the epoch; None where it is not known.
    """
    media = _media_types().guess_type(path, strict=False)[0] or "application/octet-stream"
    found = [
        is_a(SCHEMA + "MediaObject"),
        text(PROV_LABEL, Path(path).name),
        *([text(PROV_LOCATION, path)] if Path(path).is_absolute() else []),
        text(SPDX + "checksumValue", sha256),
        text(SCHEMA + "sha256", sha256),
        typed(SCHEMA + "contentSize", str(size), "integer"),
        text(SCHEMA + "encodingFormat", media),
    ]
    return found if modified is None else [*found, typed(SCHEMA + "dateModified", instant(modified), "dateTime")]


@cache
def _media_types() -> mimetypes.MimeTypes:
    return mimetypes.MimeTypes()  # without the types of this machine: the same result everywhere
