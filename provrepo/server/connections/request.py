"""Incremental parser of a request; the interface is that of the parser of waitress."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from io import BytesIO
from typing import IO, Any

from provrepo.server.connections.chunked import Chunks
from provrepo.server.connections.head import LONGEST_LINE, Head, RequestLine, read_head, read_line
from provrepo.server.connections.limits import ConnectionLimits
from provrepo.server.connections.refusal import Refusal

__all__ = ["Request"]

_MAX_FIELDS = 64 << 10
"""The most bytes of all header fields together."""

_MAX_BLANK = 4
"""The most empty lines that are skipped before a request (RFC 9112, section 2.2, requires at least one)."""

_MAX_DISCARD = 256 << 20
"""The most bytes of a body that is too large to read and discard, so that the client can read the response."""

_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_BEGINS = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]|\r(\n|$)")


class Request:
    """One request, from its first byte to the last byte of its body. Most public names are those of waitress.

    Attributes:
        completed: whether it is complete or refused, so that it can be answered.
        empty: waitress's sign for empty lines; always False, since empty lines are skipped here.
        error: the refusal; None if it is not refused.
        expect_continue: whether the client waits for ``100 Continue``.
        headers_finished: whether the head is complete.
        headers: the header fields, by the names of WSGI.
        command: the method.
        request_uri: the request target as sent.
        path: the decoded path.
        query: the query as sent.
        version: the version of HTTP, which the response has too.
        size: the number of bytes of the body so far.
    """

    empty = False
    url_scheme = "http"

    def __init__(
        self, limits: ConnectionLimits, check_head: Callable[[Head], None], scarce: Callable[[], bool]
    ) -> None:
        """Start a request of which nothing is received yet.

        Args:
            limits: the limits of bodies.
            check_head: further checks of a complete head; may raise ``Refusal``.
            scarce: whether there are too few descriptors for a temporary file.
        """
        self.completed = self.expect_continue = self.headers_finished = False
        self.error: Any = None
        self.headers: dict[str, str] = {}
        self.command = self.request_uri = self.path = self.query = ""
        self.version = "1.1"
        self.size = 0
        self._limits, self._check_head, self._scarce = limits, check_head, scarce
        self._raw = bytearray()
        self._blank = 0
        self._line: RequestLine | None = None
        self._line_end = 0
        self._left = 0
        self._chunks: Chunks | None = None
        self._spool: IO[bytes] | None = None
        self._on_disk = False

    def received(self, data: bytes) -> int:
        """Parse received data.

        Returns:
            The number of bytes that belong to this request. All of them if it is refused: the data that follows may
            not be the start of another request.
        """
        if self.completed:
            return 0
        try:
            return self._take_body(data) if self.headers_finished else self._take_head(data)
        except Refusal as refusal:
            self.refuse(refusal)
            return len(data)

    def refuse(self, refusal: Refusal) -> None:
        """Mark the request as refused, and release its body."""
        self.error = refusal
        self.completed = self.headers_finished = True
        self.expect_continue = False
        self.close()
        self._raw.clear()

    @property
    def buffered(self) -> int:
        """The number of bytes that are buffered."""
        return len(self._raw) + self.size

    def get_body_stream(self) -> IO[bytes]:
        """The body, positioned at its start."""
        if self._spool is None:
            return BytesIO()
        self._spool.seek(0)
        return self._spool

    def close(self) -> None:
        """Release the body."""
        if self._spool is not None:
            self._spool.close()

    def _take_head(self, data: bytes) -> int:
        raw = self._raw
        seen = len(raw)
        raw += data
        if self._line is None:
            seen -= self._skip_blank_lines()
            if raw and not _BEGINS.match(raw):
                raise Refusal(400, "this is not a request of HTTP; the server speaks it without TLS")
        seen = max(0, seen)
        if self._line is None:
            self._line_end = raw.find(b"\r\n", max(0, seen - 1))
            self._refuse_bare(seen, self._line_end + 2 if self._line_end >= 0 else len(raw))
            if self._line_end < 0:
                if len(raw) > LONGEST_LINE + 1:
                    read_line(bytes(raw))
                return len(data)
            self._line = read_line(bytes(raw[: self._line_end]))
            self.version, self.command = self._line.version, self._line.method
        end = raw.find(b"\r\n\r\n", max(self._line_end, seen - 3))
        self._refuse_bare(max(self._line_end, seen), end + 4 if end >= 0 else len(raw))
        if (end if end >= 0 else len(raw)) - self._line_end > _MAX_FIELDS:
            raise Refusal(431, f"the header fields of the request are longer than {_MAX_FIELDS} bytes")
        if end < 0:
            return len(data)
        rest = len(raw) - (end + 4)
        fields = bytes(raw[self._line_end + 2 : end])
        raw.clear()
        self._begin(read_head(self._line, fields.split(b"\r\n") if fields else []))
        return len(data) - rest

    def _skip_blank_lines(self) -> int:
        skipped = 0
        while self._raw.startswith(b"\r\n"):
            del self._raw[:2]
            skipped += 2
            self._blank += 1
            if self._blank > _MAX_BLANK:
                raise Refusal(400, "there are empty lines before the request")
        return skipped

    def _refuse_bare(self, seen: int, end: int) -> None:
        """Refuse a lone CR or LF. RFC 9112, section 2.2, allows to accept a lone LF, but does not require it."""
        if self._raw[end - 1 : end] == b"\r":
            end -= 1  # its LF may follow
        if _BARE.search(self._raw, max(0, seen - 1), end):
            raise Refusal(400, "a line of the request does not end with CR and LF")

    def _begin(self, head: Head) -> None:
        """Process the complete head, and prepare for the body."""
        self._check_head(head)
        self.headers_finished = True
        self.headers = head.fields
        self.request_uri, self.path, self.query = head.line.target, head.line.path, head.line.query
        options = {option.strip(" \t").lower() for option in head.fields.get("CONNECTION", "").split(",")}
        # waitress compares the whole field with these values.
        self.headers["CONNECTION"] = next((name for name in ("close", "keep-alive") if name in options), "")
        if head.length == 0:
            self.completed = True
            return
        if head.length is None:
            self._chunks = Chunks(self._write)
        elif head.length > self._limits.body:
            # A client that waits for 100 Continue sends none of the body.
            raise Refusal(413, "", discard=0 if head.expects else min(head.length, _MAX_DISCARD))
        else:
            self._left = head.length
        self.expect_continue = head.expects
        self._spool = tempfile.SpooledTemporaryFile(self._limits.memory)  # noqa: SIM115 - closed with the request

    def _take_body(self, data: bytes) -> int:
        if self._chunks is not None:
            used = self._chunks.received(data)
            if self._chunks.completed:
                self.headers["CONTENT_LENGTH"] = str(self.size)
                self.completed = True
            return used
        piece = data[: self._left]
        self._write(piece)
        self._left -= len(piece)
        self.completed = not self._left
        return len(piece)

    def _write(self, data: bytes) -> None:
        self.size += len(data)
        if self.size > self._limits.body:
            raise Refusal(413, "", discard=_MAX_DISCARD)
        if not self._on_disk and self.size > self._limits.memory:
            if self._scarce():
                raise Refusal(503, "the server has too many large requests now", headers={"Retry-After": "10"})
            self._on_disk = True
        assert self._spool is not None  # noqa: S101
        try:
            self._spool.write(data)
        except OSError as error:
            raise Refusal(507, f"the server has no room for the body: {error.strerror}") from error
