"""Lineage of jobs and datasets, and of columns, by the names of OpenLineage."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from provrepo.importers.openlineage.columns import input_columns
from provrepo.importers.openlineage.facets import items, text_of
from provrepo.views.openlineage.reading import DATASET, JOB, Facets, Item, Name, Reading

__all__ = ["Column", "ColumnNode", "Columns", "Lineage", "column_lineage", "fields", "lineage", "source_columns"]


@dataclass(slots=True)
class Lineage:
    """What jobs and datasets come from, and what comes from them.

    Attributes:
        items: those that were found, the nearest first.
        edges: pairs of the origin and the target, both among the items.
        truncated: whether there were more than the limit.
    """

    items: dict[Name, Item] = field(default_factory=dict)
    edges: set[tuple[Name, Name]] = field(default_factory=set)
    truncated: bool = False


def lineage(reading: Reading, start: Item, *, depth: int, limit: int) -> Lineage:
    """Follow what jobs read and wrote from an item, upstream and downstream.

    Args:
        reading: what the actor may read.
        start: the job or dataset.
        depth: the most relations to follow in each direction.
        limit: the most items.
    """
    found = Lineage({start.name: start})
    edges: set[tuple[Name, Name]] = set()
    queue = deque([(start.name, 0, True), (start.name, 0, False)])
    reached = {(start.name, True), (start.name, False)}
    while queue:
        name, steps, upstream = queue.popleft()
        if steps == depth:
            continue
        for other in _next(reading, name, upstream=upstream):
            edges.add((other, name) if upstream else (name, other))
            if (other, upstream) in reached:
                continue
            if other not in found.items:
                if len(found.items) >= limit:
                    found.truncated = True
                    continue
                item = reading.item(other)
                if item is None:
                    continue
                found.items[other] = item
            reached.add((other, upstream))
            queue.append((other, steps + 1, upstream))
    found.edges = {edge for edge in edges if edge[0] in found.items and edge[1] in found.items}
    return found


def _next(reading: Reading, name: Name, *, upstream: bool) -> list[Name]:
    if upstream:
        return reading.origins("R" if name.kind == JOB else "W", name)
    return reading.targets("W" if name.kind == JOB else "R", name)


class Column(NamedTuple):
    """A column of a dataset.

    Attributes:
        dataset: the dataset.
        field: its name; that of a nested one is dotted.
    """

    dataset: Name
    field: str


@dataclass(slots=True)
class ColumnNode:
    """What a column comes from, and what comes from it.

    Attributes:
        type: its type by the schema; empty where unknown.
        transformation: description and type of how it was made; each may be empty.
        sources: the columns that it comes from.
        targets: the columns that come from it.
    """

    type: str = ""
    transformation: tuple[str, str] = ("", "")
    sources: set[Column] = field(default_factory=set)
    targets: set[Column] = field(default_factory=set)


@dataclass(slots=True)
class Columns:
    """The lineage of columns.

    Attributes:
        nodes: those that were found. Their sources and targets are among them.
        truncated: whether there were more than the limit.
    """

    nodes: dict[Column, ColumnNode] = field(default_factory=dict)
    truncated: bool = False


def source_columns(facets: Facets) -> list[tuple[str, Column, tuple[str, str]]]:
    """The columns of a dataset with what they come from, by the facet ``columnLineage``.

    Returns:
        For each pair the column, its source, and description and type of the transformation.
    """
    found = []
    facet = facets.get("columnLineage", {})
    fields = facet.get("fields")
    for column, (dataset, source, transformations), _ in input_columns(facet):
        if not column or not source:
            continue
        entry = fields[column] if isinstance(fields, dict) else {}
        told = transformations[0] if transformations else {}
        kind = text_of(told.get("subtype")) or text_of(told.get("type")) or text_of(entry.get("transformationType"))
        text = text_of(told.get("description")) or text_of(entry.get("transformationDescription"))
        found.append((column, Column(Name(DATASET, *dataset), source), (text, kind)))
    return found


def column_lineage(
    reading: Reading, start: Name, column: str | None, *, depth: int, downstream: bool, limit: int
) -> Columns:
    """Follow the columns of a dataset to what they come from, and with ``downstream`` to what comes from them.

    Args:
        reading: what the actor may read.
        start: the dataset; nothing is found for one that nothing names.
        column: one column; None for all.
        depth: the most steps from column to column, in each direction.
        downstream: whether to follow targets, too.
        limit: the most columns.
    """
    return _ColumnWalk(reading, limit).walk(start, column, depth=depth, downstream=downstream)


@dataclass(frozen=True, slots=True)
class _Table:
    """The columns of one dataset: their sources, their types, and how they were made, by name."""

    sources: dict[str, list[Column]]
    types: dict[str, str]
    transformations: dict[str, tuple[str, str]]


class _ColumnWalk:
    def __init__(self, reading: Reading, limit: int) -> None:
        self._reading, self._limit = reading, limit
        self._tables: dict[Name, _Table] = {}
        self._users: dict[Name, dict[str, list[Column]]] = {}
        self._found = Columns()

    def walk(self, start: Name, column: str | None, *, depth: int, downstream: bool) -> Columns:
        known = {*self._table(start).sources, *(self._used(start) if downstream else ())}
        begin = [Column(start, name) for name in sorted(known) if column in (None, name)]
        edges: list[tuple[Column, Column]] = []
        for upstream in (True, False) if downstream else (True,):
            queue = deque((each, 0) for each in begin if self._add(each))
            reached = set(begin)
            while queue:
                node, steps = queue.popleft()
                if steps == depth:
                    continue
                for other in self._next(node, upstream=upstream):
                    if not self._add(other):
                        continue
                    edges.append((other, node) if upstream else (node, other))
                    if other not in reached:
                        reached.add(other)
                        queue.append((other, steps + 1))
        for origin, target in edges:
            self._found.nodes[origin].targets.add(target)
            self._found.nodes[target].sources.add(origin)
        return self._found

    def _next(self, column: Column, *, upstream: bool) -> list[Column]:
        found = self._table(column.dataset).sources if upstream else self._used(column.dataset)
        return found.get(column.field, [])

    def _used(self, dataset: Name) -> dict[str, list[Column]]:
        """The columns that come from those of a dataset, by the name of the latter."""
        if dataset not in self._users:
            users: dict[str, list[Column]] = {}
            for target in self._reading.targets("C", dataset):
                for name, sources in self._table(target).sources.items():
                    for source in sources:
                        if source.dataset == dataset:
                            users.setdefault(source.field, []).append(Column(target, name))
            self._users[dataset] = users
        return self._users[dataset]

    def _add(self, column: Column) -> bool:
        if column not in self._found.nodes:
            if len(self._found.nodes) >= self._limit:
                self._found.truncated = True
                return False
            table = self._table(column.dataset)
            transformation = table.transformations.get(column.field, ("", ""))
            self._found.nodes[column] = ColumnNode(table.types.get(column.field, ""), transformation)
        return True

    def _table(self, dataset: Name) -> _Table:
        if dataset not in self._tables:
            item = self._reading.item(dataset)
            facets = {} if item is None else self._reading.facets(item)
            table = _Table({}, dict(field_types(facets)), {})
            for name, source, transformation in source_columns(facets):
                sources = table.sources.setdefault(name, [])
                if source not in sources:
                    sources.append(source)
                table.transformations.setdefault(name, transformation)
            self._tables[dataset] = table
        return self._tables[dataset]


def field_types(facets: Facets) -> list[tuple[str, str]]:
    """The fields of the facet ``schema`` with their types; the names of nested fields are dotted."""
    return [(name, text_of(each.get("type"))) for name, each in fields(facets)]


def fields(facets: Facets) -> list[tuple[str, Mapping[str, Any]]]:
    """The fields of the facet ``schema`` by their names; those of nested fields are dotted."""
    return _fields("", facets.get("schema", {}).get("fields"))


def _fields(before: str, found: object) -> list[tuple[str, Mapping[str, Any]]]:
    result: list[tuple[str, Mapping[str, Any]]] = []
    for each in items(found):
        name = text_of(each.get("name"))
        if name:
            result.append((f"{before}{name}", each))
            result += _fields(f"{before}{name}.", each.get("fields"))
    return result
