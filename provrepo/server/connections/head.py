"""Strict parser of the head of a request: the request line and the header fields (RFC 9112, sections 2 to 6).

Ambiguous heads are refused. A proxy in front of this server might otherwise see different requests than the server does
(request smuggling, RFC 9112, section 11.2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from provrepo.server.connections.refusal import Refusal

__all__ = ["LONGEST_LINE", "METHODS", "MOST_FIELDS", "Head", "RequestLine", "field", "read_head", "read_line"]

LONGEST_LINE = 208 << 10
"""The longest request line in bytes: enough for a query of 64 KiB in which every byte is percent-encoded."""

MOST_FIELDS = 128
"""The most header fields of a request."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "QUERY"})
"""Methods that reach the application, which answers 405 where a route lacks them; any other method is 501."""

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_TARGET = re.compile(rb"[!-~]+")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_VERSION = re.compile(rb"HTTP/[0-9]\.[0-9]")
_ABSOLUTE = re.compile(r"https?://([^/?]*)(.*)", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]+")
_SINGLE = frozenset({"AUTHORIZATION", "CONTENT_LENGTH", "CONTENT_TYPE", "HOST", "TRANSFER_ENCODING"})
"""Fields that may occur only once: two values would be ambiguous (RFC 9110, section 5.3)."""


class RequestLine(NamedTuple):
    """The first line of a request.

    Attributes:
        method: one of ``METHODS``.
        target: the request target as sent.
        authority: ``host:port`` of a target in absolute form; otherwise None.
        path: the percent-decoded path, one character for each byte.
        query: the query without the question mark.
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
        line: the request line.
        fields: field values by name; names are in upper case with ``_`` for ``-``, as in WSGI, and the values of a
            repeated field are joined with commas.
        authority: ``host:port`` of the requested resource; None in HTTP/1.0 without a Host field.
        length: the length of the body in bytes; None for a chunked body.
        expects: whether the client waits for ``100 Continue`` before it sends the body.
    """

    line: RequestLine
    fields: dict[str, str]
    authority: str | None
    length: int | None
    expects: bool


def read_line(line: bytes) -> RequestLine:
    """Parse the request line (RFC 9112, section 3).

    Raises:
        Refusal: 400 invalid, 414 too long, 501 unknown method, 505 another version of HTTP.
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
        raise Refusal(400, "the path contains a character that has to be percent-encoded")
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
    """Parse a field line into name and value (RFC 9112, section 5).

    Raises:
        Refusal: 400, the line is not valid. Continuation lines (section 5.2) are not valid.
    """
    name, colon, value = line.partition(b":")
    if not colon or not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
        raise Refusal(
            400,
            "a header field is not valid: it is a name, a colon right after it, and text without control characters",
        )
    return name.decode("ascii"), value.strip(b" \t").decode("latin-1")


def read_head(line: RequestLine, lines: list[bytes]) -> Head:
    """Parse the field lines, and build the head of a request.

    Fields with ``_`` in their names are dropped: WSGI could not distinguish them from those with ``-``.

    Raises:
        Refusal: 400 invalid, 417 unknown expectation, 431 too many fields, 501 unknown transfer coding.
    """
    if len(lines) > MOST_FIELDS:
        raise Refusal(431, f"the request has more than {MOST_FIELDS} header fields")
    fields: dict[str, str] = {}
    for name, value in map(field, lines):
        key = name.upper().replace("-", "_")
        if "_" in name:
            continue
        if key in fields and key in _SINGLE:
            raise Refusal(400, f"the header field {name.title()} occurs more than once")
        fields[key] = f"{fields[key]}, {value}" if key in fields else value
    length = _length(line, fields)
    return Head(line, fields, _authority(line, fields), length, _expects(line, fields) and length != 0)


def _length(line: RequestLine, fields: dict[str, str]) -> int | None:
    """The length of the body (RFC 9112, section 6.3); None if it is chunked. Removes ``Transfer-Encoding``."""
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
    # Longer numbers exceed every limit, and int() raises for more than 4,300 digits.
    return int(length) if len(length) < 20 else 10**20


def _authority(line: RequestLine, fields: dict[str, str]) -> str | None:
    """``host:port`` of the request: that of an absolute target, else Host (RFC 9112, sections 3.2 and 3.2.2)."""
    if "HOST" not in fields and line.version == "1.1":
        raise Refusal(400, "the request has no Host")
    if line.authority is not None:
        fields["HOST"] = line.authority
    return fields.get("HOST")


def _expects(line: RequestLine, fields: dict[str, str]) -> bool:
    """Whether the client waits for 100 Continue (RFC 9110, section 10.1.1), which HTTP/1.0 does not have."""
    expected = fields.get("EXPECT", "").lower()
    if not expected or line.version == "1.0":
        return False
    if expected != "100-continue":
        raise Refusal(417, "Expect can be 100-continue and nothing else")
    return True
