"""The content file of a submission: its lines, the check of their graphs, and the stream for a bulk load."""

from __future__ import annotations

import io
from collections.abc import Callable, Generator, Iterable
from typing import Any, BinaryIO, NamedTuple

from provrepo.errors import Damaged

__all__ = ["BulkLoad", "Content", "check_graph", "split"]

_CHUNK = 1 << 20
"""Bytes of lines that are read at a time."""


def split(line: bytes) -> tuple[bytes, bytes]:
    """The triple and the graph of a line, both in N-Quads syntax.

    An IRI contains no space, so the last ``" <"`` starts the graph's name, even where a literal before it has one.
    Splitting the text takes a tenth of the time of parsing it.
    """
    end = line.rfind(b" <")
    return line[:end], line[end + 1 : line.rfind(b">") + 1]


def check_graph(graph: str, version: str) -> None:
    """Check that a graph belongs to a version: content must not change other documents or the catalogue.

    Args:
        graph: the name of the graph; empty for the default graph.
        version: the IRI of the version.

    Raises:
        Damaged: it does not.
    """
    if graph != version and not graph.startswith(version + "#"):
        raise Damaged(f"content of {version} has quads in the graph {graph or 'by default'}, which is not its own")


class Content(NamedTuple):
    """A content file to load.

    Attributes:
        lines: the open file: N-Quads, each line in a named graph of the version.
        version: the version's IRI.
        records: makes N-Quads to append, from the names of the graphs that were read.
    """

    lines: BinaryIO
    version: str
    records: Callable[[Iterable[str]], bytes]


class BulkLoad(io.RawIOBase):
    """Content files as a stream of N-Quads, with every triple twice: in its named graph and in the default graph.

    One stream is one atomic load, so no reader sees a triple in one of the two graphs only.
    """

    def __init__(self, contents: Iterable[Content], *, most: int | None = None) -> None:
        """Read content files from where they are.

        Args:
            contents: the content files.
            most: bytes of each file to read, up to the end of a line; None for all.
        """
        self._pieces = _pieces(contents, most)
        self._buffer = memoryview(b"")

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, target: Any) -> int:
        """Write the next bytes to ``target``; returns their number, 0 at the end."""
        while not self._buffer:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._buffer = memoryview(piece)
        count = min(len(target), len(self._buffer))
        target[:count] = self._buffer[:count]
        self._buffer = self._buffer[count:]
        return count

    def close(self) -> None:
        """End the stream. The files stay open."""
        self._pieces.close()
        super().close()


def _pieces(contents: Iterable[Content], most: int | None) -> Generator[bytes]:
    for content in contents:
        graphs: set[bytes] = set()
        left = most
        while (left is None or left > 0) and (lines := content.lines.readlines(_CHUNK if left is None else left)):
            pairs = [split(line) for line in lines]
            for graph in sorted({graph for _, graph in pairs} - graphs):
                check_graph(graph[1:-1].decode("utf-8", "replace"), content.version)
                graphs.add(graph)
            left = None if left is None else left - sum(map(len, lines))
            yield b"".join(lines) + b" .\n".join([triple for triple, _ in pairs]) + b" .\n"
        yield content.records(sorted(graph[1:-1].decode() for graph in graphs))
