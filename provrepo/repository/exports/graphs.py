"""Nodes and edges of many documents, on disk until they are written: a thing of several documents is one node."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from provrepo.codecs.property_graph.graph import Origin, PropertyEdge, PropertyNode, joined

__all__ = ["GraphSpool"]


class GraphSpool:
    """Collects a property graph; its memory does not grow with it.

    Attributes:
        nodes: the number of things.
        edges: the number of relations.
    """

    def __init__(self, folder: Path) -> None:
        """Create the files.

        Args:
            folder: their folder, which the caller removes.
        """
        self.nodes = self.edges = 0
        self._file = (folder / "edges.jsonl").open("w+", encoding="utf-8", errors="surrogatepass")
        self._table = sqlite3.connect(folder / "nodes.sqlite", isolation_level=None, check_same_thread=False)
        # After a crash the whole folder is of no use.
        self._table.execute("PRAGMA journal_mode = OFF")
        self._table.execute("PRAGMA synchronous = OFF")
        self._table.execute(
            "CREATE TABLE node (number INTEGER PRIMARY KEY, iri TEXT NOT NULL UNIQUE, row TEXT NOT NULL)"
        )
        self._table.execute("BEGIN")

    def add_node(self, node: PropertyNode) -> None:
        """Add a thing, or what another document says about it."""
        put = "INSERT INTO node VALUES (?, ?, ?) ON CONFLICT (iri) DO NOTHING"
        if self._table.execute(put, (self.nodes, node.iri, node.to_row())).rowcount:
            self.nodes += 1
            return
        (row,) = self._table.execute("SELECT row FROM node WHERE iri = ?", (node.iri,)).fetchone()
        whole = joined(PropertyNode.from_row(row), node).to_row()
        if whole != row:
            self._table.execute("UPDATE node SET row = ? WHERE iri = ?", (whole, node.iri))

    def add_edge(self, edge: PropertyEdge) -> None:
        """Add a relation whose things were added."""
        numbers = [self._number(edge.source), self._number(edge.target)]
        self._file.write(json.dumps([*numbers, *edge], ensure_ascii=False, separators=(",", ":")) + "\n")
        self.edges += 1

    def _number(self, iri: str) -> int:
        (number,) = self._table.execute("SELECT number FROM node WHERE iri = ?", (iri,)).fetchone()
        return int(number)

    def all_nodes(self) -> Iterator[tuple[int, PropertyNode]]:
        """Yield the things with their numbers, in the order in which they were added."""
        for number, row in self._table.execute("SELECT number, row FROM node ORDER BY number"):
            yield number, PropertyNode.from_row(row)

    def all_edges(self) -> Iterator[tuple[int, int, PropertyEdge]]:
        """Yield the relations with the numbers of their things, in the order in which they were added."""
        self._file.seek(0)
        for line in self._file:
            source, target, *fields = json.loads(line)
            edge = PropertyEdge._make(fields)
            yield source, target, edge._replace(origin=Origin(*edge.origin) if edge.origin else None)

    def close(self) -> None:
        """Close the files."""
        self._file.close()
        self._table.close()
