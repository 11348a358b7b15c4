"""Content codings (RFC 9110, section 8.4): decompression of request bodies, and compression of responses.

A small compressed body can expand to a very large one, so that decompression stops at the limit of the body. The length
of compressed responses leaks no secrets (BREACH): without cookies, no other site can make a browser send requests with
the rights of its user.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO

from flask import Flask, Response, current_app, g, request
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

from provrepo.errors import TooLarge
from provrepo.server.protocol.rejections import Rejected

__all__ = ["MIN_SIZE", "SUPPORTED", "inflate", "open_body", "prefers_gzip", "register"]

SUPPORTED = ("gzip", "deflate")
"""The content codings that request bodies may have."""

MIN_SIZE = 1024
"""The least size in bytes of responses that are compressed: smaller ones fit into one or two packets anyway."""

_BUFFERED = 256 << 10
"""The largest size in bytes of responses that are compressed before the head is sent, so that it has their length."""

_LEVEL = 5
_PIECE = 64 << 10
_MAX_MEMBERS = 10_000
"""The most members of a gzip body (RFC 1952, section 2.2); blocked files have one for each 64 KB."""

_GZIP, _RAW = 31, -15
"""The window bits that select the gzip format and raw deflate data in zlib."""

_TEXT = frozenset(
    {
        *("application/json", "application/xml", "application/javascript", "application/trig"),
        *("application/n-triples", "application/n-quads", "application/x-trig", "application/x-turtle"),
        *("application/turtle", "application/n3"),
    }
)
_TAG_SUFFIX = ".gzip"
"""The end of the entity tag of a compressed representation; its bytes differ (RFC 9110, section 8.8.3.3)."""


def open_body(most: int | None = None) -> None:
    """Undo the content coding of the body of the current request, in place.

    Args:
        most: the largest size in bytes after decompression; by default that of the settings.

    Raises:
        Rejected: 415, the coding is not supported; 400, the body is not valid in this coding.
        TooLarge: it is larger than ``most``.
    """
    header = request.headers.get("Content-Encoding", "")
    codings = [coding for part in header.split(",") if (coding := part.strip().lower()) not in ("", "identity")]
    if not codings:
        return
    name = codings[0].removeprefix("x-")
    if len(codings) > 1 or name not in SUPPORTED:
        # RFC 9110, section 12.5.3: the response lists the supported codings.
        raise Rejected(
            415,
            f"Content-Encoding: {header[:100]} is not supported; send the body uncompressed, or with "
            f"{' or '.join(SUPPORTED)}",
            headers={"Accept-Encoding": ", ".join((*SUPPORTED, "identity"))},
        )
    limit = most or int(current_app.config["MAX_CONTENT_LENGTH"])
    data = inflate(request.get_data(cache=False), name, most=limit)
    request.environ["wsgi.input"] = BytesIO(data)
    request.environ["CONTENT_LENGTH"] = str(len(data))
    del request.environ["HTTP_CONTENT_ENCODING"]
    request.__dict__.pop("stream", None)


def inflate(data: bytes, coding: str, *, most: int) -> bytes:
    """Decompress a body.

    Args:
        data: the body as sent.
        coding: ``gzip`` (RFC 1952, with one or more members), or ``deflate``: the zlib format (RFC 1950), or raw
            deflate data (RFC 1951), which some clients send.
        most: the largest size in bytes of the result; decompression stops beyond it.

    Raises:
        Rejected: 400, the data is damaged, truncated, or followed by other data.
        TooLarge: the result is larger than ``most``.
    """
    bits = _GZIP if coding == "gzip" else zlib.MAX_WBITS if _has_zlib_header(data) else _RAW
    found = bytearray()
    members = 0
    engine = None
    for start in range(0, len(data), _PIECE):
        piece = data[start : start + _PIECE]
        while piece:
            if engine is None:
                if members and (coding != "gzip" or not piece.strip(b"\0")):
                    break
                members += 1
                if members > _MAX_MEMBERS:
                    raise Rejected(400, f"the body has more than {_MAX_MEMBERS:,} gzip members")
                engine = zlib.decompressobj(bits)
            try:
                found += engine.decompress(piece, most + 1 - len(found))
            except zlib.error as error:
                reason = str(error).partition("data: ")[2] or "not in this format"
                raise Rejected(400, f"the body is not valid {coding}, its Content-Encoding: {reason}") from None
            if len(found) > most:
                raise TooLarge(f"the body is larger than {most:,} bytes once it is decompressed")
            piece = engine.unused_data
            if engine.eof:
                engine = None
        if piece and piece.strip(b"\0"):
            raise Rejected(400, f"the body has further data after the end of its {coding} data")
    if engine is not None or not members:
        raise Rejected(400, f"the body ends before its {coding} data does")
    return bytes(found)


def _has_zlib_header(data: bytes) -> bool:
    """Whether data starts with a zlib header (RFC 1950, section 2.2): method 8, first two bytes a multiple of 31."""
    return len(data) > 1 and data[0] & 15 == 8 and int.from_bytes(data[:2], "big") % 31 == 0


def register(app: Flask) -> None:
    """Register hooks that compress responses for clients that accept gzip."""

    @app.before_request
    def _() -> None:
        g.compress = prefers_gzip(request.headers.get("Accept-Encoding", ""))
        tags = request.headers.get("If-None-Match", "")
        g.has_compressed = g.compress and f'{_TAG_SUFFIX}"' in tags
        if g.has_compressed:
            # Handlers compare tags of uncompressed representations.
            request.environ["HTTP_IF_NONE_MATCH"] = tags.replace(f'{_TAG_SUFFIX}"', '"')

    @app.after_request
    def _(response: Response) -> Response:
        if response.status_code == 304:
            response.vary.add("Accept-Encoding")
            if g.has_compressed:
                _mark_tag(response)
        elif response.status_code != 206 and _compressible(response):
            response.vary.add("Accept-Encoding")
            if g.compress:
                _compress(response)
        return response


def prefers_gzip(header: str) -> bool:
    """Whether this ``Accept-Encoding`` prefers gzip to the identity coding."""
    return _prefers_gzip_cached(header) if len(header) <= 200 else _prefers_gzip(header[:2000])


def _prefers_gzip(header: str) -> bool:
    named = {value.lower().removeprefix("x-"): quality for value, quality in parse_accept_header(header, Accept)}
    quality = named.get("gzip", named.get("*", 0))
    return bool(quality > 0 and quality >= named.get("identity", 0))


_prefers_gzip_cached = lru_cache(128)(_prefers_gzip)


def _compressible(response: Response) -> bool:
    """Whether a response is text and may be compressed.

    A response with ``Repr-Digest`` is not compressed: the field would have to be the digest of the compressed bytes
    (RFC 9530, section 3), but clients compare it with the digest of the submitted bytes.
    """
    kind = response.mimetype or ""
    if {"Content-Encoding", "Repr-Digest"} & set(response.headers.keys()):
        return False
    return kind.startswith("text/") or kind.endswith(("+json", "+xml")) or kind in _TEXT


def _compress(response: Response) -> None:
    response.direct_passthrough = False
    data = response.get_data()
    if len(data) < MIN_SIZE:
        return
    response.headers["Content-Encoding"] = "gzip"
    response.headers.pop("Accept-Ranges", None)
    _mark_tag(response)
    compressed = _compressed(data)
    if len(data) <= _BUFFERED:
        response.set_data(b"".join(compressed))
    else:
        response.response = compressed
        response.headers.pop("Content-Length", None)


def _compressed(data: bytes) -> Iterator[bytes]:
    engine = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    view = memoryview(data)
    for start in range(0, len(view), _PIECE):
        if piece := engine.compress(view[start : start + _PIECE]):
            yield piece
    yield engine.flush()


def _mark_tag(response: Response) -> None:
    tag, weak = response.get_etag()
    if tag is not None and not weak:
        response.set_etag(tag + _TAG_SUFFIX)
