"""The head of a request, read strictly (RFC 9112, sections 2 to 6).

What two programs could read in two ways is refused: a proxy in front of this server would otherwise see other requests
than the server does (request smuggling, RFC 9112, section 11.2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from provrepo.server.connections.refusal import Refusal

__all__ = ["LONGEST_LINE", "METHODS", "MOST_FIELDS", "Head", "RequestLine", "field", "read_head", "read_line"]

LONGEST_LINE = 208 << 10
"""Bytes of a request line: room for a query of 64 KiB in which every byte is percent-encoded."""

MOST_FIELDS = 128
"""Header fields of a request."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "QUERY"})
"""Methods that reach the application, which answers 405 where it does not take them; any other is 501."""

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_TARGET = re.compile(rb"[!-~]+")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_VERSION = re.compile(rb"HTTP/[0-9]\.[0-9]")
_ABSOLUTE = re.compile(r"https?://([^/?]*)(.*)", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]+")
_SINGLE = frozenset({"AUTHORIZATION", "CONTENT_LENGTH", "CONTENT_TYPE", "HOST", "TRANSFER_ENCODING"})
"""Fields that a request may have once: two values leave open which one counts (RFC 9110, section 5.3)."""


class RequestLine(NamedTuple):
    """The first line of a request.

    Attributes:
        method: one of ``METHODS``.
        target: as it was sent.
        authority: ``host:port`` of a target in absolute form, otherwise None.
        path: with percent signs decoded, each byte one character.
        query: without the question mark.
        version: ``1.0`` or ``1.1``.
    """

    method: str
    target: str
    authority: str | None
    path: str
    query: str
    version: str


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a request.

    Attributes:
        line: its first line.
        fields: values by name, in upper case with ``_`` for ``-`` as WSGI has them; those of one name with commas.
        authority: ``host:port`` that the request is for; None in HTTP/1.0 without a Host.
        length: bytes of the body; None where it comes in chunks.
        expects: whether the client waits for ``100 Continue`` before it sends the body.
    """

    line: RequestLine
    fields: dict[str, str]
    authority: str | None
    length: int | None
    expects: bool


def read_line(line: bytes) -> RequestLine:
    """The request line (RFC 9112, section 3).

    Raises:
        Refusal: 400, 414, 501 for a method that HTTP does not have, 505 for another version.
    """
    if len(line) > LONGEST_LINE:
        raise Refusal(414, f"the request line is longer than {LONGEST_LINE} bytes: send long queries in a body")
    parts = line.split(b" ")
    if len(parts) != 3 or not _TOKEN.fullmatch(parts[0]) or not _VERSION.fullmatch(parts[2]):
        raise Refusal(400, "the request line is not valid: it is a method, a path and HTTP/1.1, with one space between")
    method, version = parts[0].decode("ascii"), parts[2].decode("ascii").removeprefix("HTTP/")
    if version not in ("1.0", "1.1"):
        raise Refusal(505, "this server speaks HTTP/1.1 and HTTP/1.0")
    if method not in METHODS:
        raise Refusal(501, f"this server does not have this method; it has {', '.join(sorted(METHODS))}")
    if not _TARGET.fullmatch(parts[1]) or b"#" in parts[1]:
        raise Refusal(400, "the path holds a character that has to be percent-encoded")
    target = parts[1].decode("ascii")
    authority, rest = None, target
    if absolute := _ABSOLUTE.fullmatch(target):
        authority, rest = absolute[1], absolute[2]
        if not authority:
            raise Refusal(400, "the address in the request line has no host")
        rest = rest if rest.startswith("/") else f"/{rest}"
    elif not target.startswith("/") and (target, method) != ("*", "OPTIONS"):
        raise Refusal(400, "the path of the request line does not begin with a slash")
    path, _, query = rest.partition("?")
    return RequestLine(method, target, authority, unquote_to_bytes(path).decode("latin-1"), query, version)


def field(line: bytes) -> tuple[str, str]:
    """Name and value of a field line (RFC 9112, section 5).

    Raises:
        Refusal: 400, it is none. Lines that continue the one before (section 5.2) are none either.
    """
    name, colon, value = line.partition(b":")
    if not colon or not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
        raise Refusal(
            400,
            "a header field is not valid: it is a name, a colon right behind it, and text without control characters",
        )
    return name.decode("ascii"), value.strip(b" \t").decode("latin-1")


def read_head(line: RequestLine, lines: list[bytes]) -> Head:
    """The head of a request from its first line and its field lines.

    Fields with ``_`` in their names are left out: WSGI could not tell them from those with ``-``.

    Raises:
        Refusal: 400, 417, 431 or 501.
    """
    if len(lines) > MOST_FIELDS:
        raise Refusal(431, f"the request has more than {MOST_FIELDS} header fields")
    fields: dict[str, str] = {}
    for name, value in map(field, lines):
        key = name.upper().replace("-", "_")
        if "_" in name:
            continue
        if key in fields and key in _SINGLE:
            raise Refusal(400, f"the header field {name.title()} comes more than once")
        fields[key] = f"{fields[key]}, {value}" if key in fields else value
    length = _length(line, fields)
    return Head(line, fields, _authority(line, fields), length, _expects(line, fields) and length != 0)


def _length(line: RequestLine, fields: dict[str, str]) -> int | None:
    """How long the body is (RFC 9112, section 6.3); None for chunks, whose field is taken away."""
    coding, length = fields.pop("TRANSFER_ENCODING", None), fields.get("CONTENT_LENGTH")
    if coding is not None:
        if length is not None:
            raise Refusal(400, "the request has both Content-Length and Transfer-Encoding: send one of them")
        if line.version == "1.0":
            raise Refusal(400, "HTTP/1.0 has no Transfer-Encoding: send Content-Length")
        codings = [part.strip(" \t").lower() for part in coding.split(",")]
        if codings == ["chunked"]:
            return None
        if not all(codings) or "chunked" in codings[:-1]:
            raise Refusal(400, "Transfer-Encoding is not valid: it is chunked, once")
        raise Refusal(501, "Transfer-Encoding has to be chunked and nothing else")
    if length is None:
        return 0
    if not _DIGITS.fullmatch(length):
        raise Refusal(400, "Content-Length is not a number of bytes in digits")
    # Longer numbers are larger than any limit; Python would refuse to read one of more than 4,300 digits.
    return int(length) if len(length) < 20 else 10**20


def _authority(line: RequestLine, fields: dict[str, str]) -> str | None:
    """What the request is for (RFC 9112, sections 3.2 and 3.2.2): an absolute target counts, not the Host beside it."""
    if "HOST" not in fields and line.version == "1.1":
        raise Refusal(400, "the request has no Host")
    if line.authority is not None:
        fields["HOST"] = line.authority
    return fields.get("HOST")


def _expects(line: RequestLine, fields: dict[str, str]) -> bool:
    """Whether the client waits for 100 Continue (RFC 9110, section 10.1.1); HTTP/1.0 does not know it."""
    expected = fields.get("EXPECT", "").lower()
    if not expected or line.version == "1.0":
        return False
    if expected != "100-continue":
        raise Refusal(417, "Expect can be 100-continue and nothing else")
    return True
