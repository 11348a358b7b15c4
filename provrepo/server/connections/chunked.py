"""Strict decoder of the chunked transfer coding, with limits (RFC 9112, section 7.1)."""

from __future__ import annotations

import re
from collections.abc import Callable

from provrepo.server.connections.head import field
from provrepo.server.connections.refusal import Refusal

__all__ = ["Chunks"]

_LONGEST_LINE = 4096
_MOST_OVERHEAD = 16 << 10
_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}")
_EXTENSION = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")


class Chunks:
    """Incremental decoder of a chunked body.

    Chunk extensions and trailer fields are checked and discarded.

    Attributes:
        completed: whether the last chunk and the trailer section have been received.
    """

    def __init__(self, write: Callable[[bytes], None]) -> None:
        """Start a decoder.

        Args:
            write: called with each piece of decoded data.
        """
        self.completed = False
        self._write = write
        self._left = 0  # bytes of the current chunk that are still to come
        self._line = bytearray()
        self._read: Callable[[bytes], None] = self._size  # reads the next line
        self._overhead = 0  # bytes of extensions and trailer fields

    def received(self, data: bytes) -> int:
        """Decode received data.

        Returns:
            The number of bytes that belong to the body.

        Raises:
            Refusal: 400, the data is not in this coding, or the extensions and trailer fields are too long.
        """
        at = 0
        while at < len(data) and not self.completed:
            if self._left:
                piece = data[at : at + self._left]
                self._left -= len(piece)
                at += len(piece)
                self._write(piece)
            else:
                end = data.find(b"\n", at) + 1 or len(data)
                self._line += data[at:end]
                at = end
                self._read_line()
        return at

    def _read_line(self) -> None:
        line = self._line
        if len(line) > _LONGEST_LINE:
            raise Refusal(400, "a line of the chunked body is too long")
        if b"\r" in line[:-2] or (line[-1:] == b"\n" and line[-2:] != b"\r\n"):
            raise Refusal(400, "a line of the chunked body does not end with CR and LF")
        if self._read == self._end and not b"\r\n".startswith(line):
            raise Refusal(400, "a chunk is longer than its size")
        if line[-1:] == b"\n":
            self._line = bytearray()
            self._read(bytes(line[:-2]))

    def _size(self, line: bytes) -> None:
        size, semicolon, extension = line.partition(b";")
        if semicolon:
            size = size.rstrip(b" \t")
            self._count(extension)
        if not _SIZE.fullmatch(size) or not _EXTENSION.fullmatch(extension):
            raise Refusal(400, "the size of a chunk is not a hexadecimal number")
        self._left = int(size, 16)
        self._read = self._end if self._left else self._trailer

    def _end(self, line: bytes) -> None:  # noqa: ARG002 - always empty: _read_line checks it
        self._read = self._size

    def _trailer(self, line: bytes) -> None:
        if not line:
            self.completed = True
            return
        self._count(line)
        field(line)

    def _count(self, text: bytes) -> None:
        self._overhead += len(text) + 1
        if self._overhead > _MOST_OVERHEAD:
            raise Refusal(400, "the extensions and trailer fields of the chunked body are too long")
