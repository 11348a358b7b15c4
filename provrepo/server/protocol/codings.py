"""Content codings (RFC 9110, section 8.4): bodies that arrive compressed, and answers that leave so.

A small compressed body can stand for a very large one, so that no more is ever inflated than a body may have. No other
site can make a browser ask with its user's rights, since there are no cookies: the length of a compressed answer gives
nothing away (BREACH).
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

__all__ = ["MIN_SIZE", "TAKEN", "inflate", "open_body", "register", "prefers_gzip"]

TAKEN = ("gzip", "deflate")
"""Content codings of a request's body, beside none."""

MIN_SIZE = 1024
"""Bytes from which an answer is compressed: less fits into a packet or two anyway."""

_AT_ONCE = 256 << 10
"""Bytes of an answer that is compressed before its head is sent; a longer one is while it is sent, without a length."""

_LEVEL = 5
_PIECE = 64 << 10
_MEMBERS = 10_000
"""Members of a gzip body (RFC 1952, section 2.2): a file in blocks has one for each 64 KB."""

_GZIP, _RAW = 31, -15
"""What zlib calls a gzip header, and none."""

_TEXT = frozenset(
    {
        *("application/json", "application/xml", "application/javascript", "application/trig"),
        *("application/n-triples", "application/n-quads", "application/x-trig", "application/x-turtle"),
        *("application/turtle", "application/n3"),
    }
)
_MARK = ".gzip"
"""Ends the entity tag of a compressed representation, which has other bytes (RFC 9110, section 8.8.3.3)."""


def open_body(most: int | None = None) -> None:
    """Undo the content coding of the running request's body, which is then as if it had been sent without.

    Args:
        most: bytes that it may have; of the settings where it is not given.

    Raises:
        Rejected: 415, the coding is not known; 400, the body is not what the coding says.
        TooLarge: it is larger than allowed.
    """
    header = request.headers.get("Content-Encoding", "")
    codings = [coding for part in header.split(",") if (coding := part.strip().lower()) not in ("", "identity")]
    if not codings:
        return
    name = codings[0].removeprefix("x-")
    if len(codings) > 1 or name not in TAKEN:
        # RFC 9110, section 12.5.3: the answer says which codings would do.
        raise Rejected(
            415,
            f"a body with Content-Encoding: {header[:100]} is not taken; send it plain, or with {' or '.join(TAKEN)}",
            headers={"Accept-Encoding": ", ".join((*TAKEN, "identity"))},
        )
    limit = most or int(current_app.config["MAX_CONTENT_LENGTH"])
    data = inflate(request.get_data(cache=False), name, most=limit)
    request.environ["wsgi.input"] = BytesIO(data)
    request.environ["CONTENT_LENGTH"] = str(len(data))
    del request.environ["HTTP_CONTENT_ENCODING"]
    request.__dict__.pop("stream", None)


def inflate(data: bytes, coding: str, *, most: int) -> bytes:
    """The bytes that a compressed body stands for.

    Args:
        data: the body as it was sent.
        coding: ``gzip`` (RFC 1952; several members follow each other), or ``deflate``, which is the zlib format
            (RFC 1950), and for some clients the bare one (RFC 1951).
        most: bytes that it may stand for; no more are ever inflated.

    Raises:
        Rejected: 400, it is damaged, ends too early, or goes on behind its end.
        TooLarge: it stands for more.
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
                if members > _MEMBERS:
                    raise Rejected(400, f"the body has more than {_MEMBERS:,} gzip members")
                engine = zlib.decompressobj(bits)
            try:
                found += engine.decompress(piece, most + 1 - len(found))
            except zlib.error as error:
                reason = str(error).partition("data: ")[2] or "not in this format"
                raise Rejected(400, f"the body is not {coding}, as Content-Encoding says: {reason}") from None
            if len(found) > most:
                raise TooLarge(f"the body is larger than {most:,} bytes once it is decompressed")
            piece = engine.unused_data
            if engine.eof:
                engine = None
        if piece and piece.strip(b"\0"):
            raise Rejected(400, f"the body goes on behind the end of its {coding} data")
    if engine is not None or not members:
        raise Rejected(400, f"the body ends before its {coding} data does")
    return bytes(found)


def _has_zlib_header(data: bytes) -> bool:
    """RFC 1950, section 2.2: the method is 8, and the first two bytes are a multiple of 31."""
    return len(data) > 1 and data[0] & 15 == 8 and int.from_bytes(data[:2], "big") % 31 == 0


def register(app: Flask) -> None:
    """Compress the answers of an application for clients that take them so."""

    @app.before_request
    def _() -> None:
        g.packed = prefers_gzip(request.headers.get("Accept-Encoding", ""))
        tags = request.headers.get("If-None-Match", "")
        g.known_packed = g.packed and f'{_MARK}"' in tags
        if g.known_packed:
            # Handlers know the tags of what they have, whatever it is packed in.
            request.environ["HTTP_IF_NONE_MATCH"] = tags.replace(f'{_MARK}"', '"')

    @app.after_request
    def _(response: Response) -> Response:
        if response.status_code == 304:
            response.vary.add("Accept-Encoding")
            if g.known_packed:
                _mark(response)
        elif response.status_code != 206 and _compressible(response):
            response.vary.add("Accept-Encoding")
            if g.packed:
                _pack(response)
        return response


def prefers_gzip(header: str) -> bool:
    """Whether a client that sends this ``Accept-Encoding`` would rather have gzip than nothing."""
    return _wanted_again(header) if len(header) <= 200 else _wanted(header[:2000])


def _wanted(header: str) -> bool:
    named = {value.lower().removeprefix("x-"): quality for value, quality in parse_accept_header(header, Accept)}
    quality = named.get("gzip", named.get("*", 0))
    return bool(quality > 0 and quality >= named.get("identity", 0))


_wanted_again = lru_cache(128)(_wanted)


def _compressible(response: Response) -> bool:
    """Whether an answer is text whose bytes may be others.

    A digest of the representation is one of the compressed bytes where these are sent (RFC 9530, section 3), and would
    no longer be that of the submitted ones: such an answer stays as it is.
    """
    kind = response.mimetype or ""
    if {"Content-Encoding", "Repr-Digest"} & set(response.headers.keys()):
        return False
    return kind.startswith("text/") or kind.endswith(("+json", "+xml")) or kind in _TEXT


def _pack(response: Response) -> None:
    response.direct_passthrough = False
    data = response.get_data()
    if len(data) < MIN_SIZE:
        return
    response.headers["Content-Encoding"] = "gzip"
    response.headers.pop("Accept-Ranges", None)
    _mark(response)
    packed = _packed(data)
    if len(data) <= _AT_ONCE:
        response.set_data(b"".join(packed))
    else:
        response.response = packed
        response.headers.pop("Content-Length", None)


def _packed(data: bytes) -> Iterator[bytes]:
    engine = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    view = memoryview(data)
    for start in range(0, len(view), _PIECE):
        if piece := engine.compress(view[start : start + _PIECE]):
            yield piece
    yield engine.flush()


def _mark(response: Response) -> None:
    tag, weak = response.get_etag()
    if tag is not None and not weak:
        response.set_etag(tag + _MARK)
