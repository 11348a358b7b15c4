"""The content file of a submission: its lines, the check of their graphs, and the stream for a bulk load."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from provrepo.errors import Damaged

__all__ = ["BulkLoad", "check_graph", "split"]

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


class BulkLoad(io.RawIOBase):
    """A content file as a stream of N-Quads, with every triple twice: in its named graph and in the default graph.

    One stream is one atomic load, so no reader sees a triple in one of the two graphs only.
    """

    def __init__(self, file: Path, version: str, trailer: Callable[[Iterable[str]], bytes]) -> None:
        """Open a content file.

        Args:
            file: N-Quads, each line in a named graph of the version.
            version: the version's IRI.
            trailer: makes N-Quads that are appended, from the names of the graphs in the content.

        Raises:
            OSError: the file cannot be opened.
        """
        self._lines = file.open("rb")
        self._version = version
        self._trailer: Callable[[Iterable[str]], bytes] | None = trailer
        self._graphs: set[bytes] = set()
        self._buffer = memoryview(b"")

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, target: Any) -> int:
        """Write the next bytes to ``target``; returns their number, 0 at the end."""
        if not self._buffer:
            self._buffer = memoryview(self._next())
        count = min(len(target), len(self._buffer))
        target[:count] = self._buffer[:count]
        self._buffer = self._buffer[count:]
        return count

    def close(self) -> None:
        """Close the file."""
        self._lines.close()
        super().close()

    def graphs(self) -> list[str]:
        """The graphs of the lines that have been read, sorted."""
        return sorted(graph[1:-1].decode() for graph in self._graphs)

    def _next(self) -> bytes:
        lines = self._lines.readlines(_CHUNK)
        if lines:
            pairs = [split(line) for line in lines]
            self._check_graphs({graph for _, graph in pairs})
            return b"".join(lines) + b" .\n".join([triple for triple, _ in pairs]) + b" .\n"
        trailer, self._trailer = self._trailer, None
        return trailer(self.graphs()) if trailer is not None else b""

    def _check_graphs(self, graphs: set[bytes]) -> None:
        for graph in sorted(graphs - self._graphs):
            check_graph(graph[1:-1].decode("utf-8", "replace"), self._version)
        self._graphs |= graphs
