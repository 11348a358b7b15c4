"""The content file of a submission, a line at a time: which graphs it fills, and what the default graph gets of it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from provrepo.errors import Damaged

__all__ = ["Doubled", "check_graph", "split"]

_CHUNK = 1 << 20


def split(line: bytes) -> tuple[bytes, bytes]:
    """A line of a named graph as its triple and its graph, both in N-Quads syntax.

    An IRI holds no space, so the last ``" <"`` starts the graph's name, whatever a literal before it may hold.
    Splitting the text costs a tenth of parsing it.
    """
    end = line.rfind(b" <")
    return line[:end], line[end + 1 : line.rfind(b">") + 1]


def check_graph(graph: str, version: str) -> None:
    """Refuse a graph that is not the version's own: content must not reach into other documents or the catalogue.

    Raises:
        Damaged: it is not.
    """
    if graph != version and not graph.startswith(version + "#"):
        raise Damaged(f"content of {version} names the graph {graph or 'by default'}, which is not its own")


class Doubled(io.RawIOBase):
    """A content file as one stream for bulk loading, with every triple twice: in its own graph and in the default one.

    One stream is one atomic load: no reader ever finds a triple in the one place and not in the other.
    """

    def __init__(self, file: Path, version: str, trailer: Callable[[Iterable[str]], bytes]) -> None:
        """Read ``file``.

        Args:
            file: N-Quads, each line in a named graph of the version.
            version: the version's IRI.
            trailer: makes what follows the content, in N-Quads, from the names of the graphs that stood in it.
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
        """Fill ``target`` with the next bytes; 0 at the end."""
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
        """The graphs that stood in what has been read, sorted."""
        return sorted(graph[1:-1].decode() for graph in self._graphs)

    def _next(self) -> bytes:
        lines = self._lines.readlines(_CHUNK)
        if lines:
            pairs = [split(line) for line in lines]
            self._admit({graph for _, graph in pairs})
            return b"".join(lines) + b" .\n".join([triple for triple, _ in pairs]) + b" .\n"
        trailer, self._trailer = self._trailer, None
        return trailer(self.graphs()) if trailer is not None else b""

    def _admit(self, graphs: set[bytes]) -> None:
        for graph in sorted(graphs - self._graphs):
            check_graph(graph[1:-1].decode("utf-8", "replace"), self._version)
        self._graphs |= graphs
