"""A snapshot of the lineage index: its tables restricted to some datasets, now or as of former entries."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from provrepo.codecs.provo.terms import BASE_CLASS
from provrepo.model.statements import AGENT
from provrepo.views.extraction import ELEMENTS, UNTIMED
from provrepo.views.lineage import resolution
from provrepo.views.lineage.resolution import Resolution, Span
from provrepo.views.lineage.rules import RESOLVED
from provrepo.views.lineage.schema import chunks, unpacked
from provrepo.views.lineage.states import GENERAL

__all__ = ["VISIBLE", "EdgeAssertion", "Key", "Snapshot", "Source", "Thing", "Version"]

Version = tuple[str, str, int]
"""Project, document and number of a version."""

Key = tuple[int, int, int]
"""Subject, rule and object: one edge, independent of the versions that assert it."""

EdgeAssertion = tuple[int, int, int, int, int, int]
"""Subject, rule, object, time, and the version and graph that assert it."""

Sort = tuple[int, tuple[str, ...]]
"""Kinds as bits, and types."""

_NOW = (1 << 62) - 1
"""A sequence number after all entries."""

_COUNTS = (
    "h.dataset = v.dataset AND v.since <= h.entry AND coalesce(v.until > h.entry, 1) AND v.withdrawn <= h.withdrawn"
)
VISIBLE = f"CROSS JOIN version v ON v.id = {{0}}.version CROSS JOIN temp.readable h ON {_COUNTS}"
"""Joins the rows of a table to the versions in the snapshot."""
_EDGE, _ABOUT = VISIBLE.format("e"), VISIBLE.format("a")
_OUT = "CROSS JOIN edge e ON e.subject = j.value"
_INTO = (
    "CROSS JOIN edge_into i ON i.object = j.value {0} "
    "CROSS JOIN edge e ON e.subject = i.subject AND e.rule = i.rule AND e.object = i.object"
)


class Source(NamedTuple):
    """The graph that contains an assertion.

    Attributes:
        project: the project.
        document: its document.
        version: the version's number.
        bundle: the number of its bundle; 0 for the top level.
    """

    project: str
    document: str
    version: int
    bundle: int = 0


_NOWHERE = Source("", "", 0)


class Thing(NamedTuple):
    """The record of a node.

    Attributes:
        iri: its name.
        kinds: entity 1, activity 2, agent 4.
        label: the first of its labels; empty where it has none.
        types: its types, sorted.
        sources: the versions that mention it, sorted.
    """

    iri: str
    kinds: int
    label: str
    types: tuple[str, ...]
    sources: tuple[Source, ...]


class Snapshot:
    """The tables of the index, restricted to some datasets and entries.

    Attributes:
        resolves: whether the index has unknown reads, or versions that they may be reads of.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        datasets: Sequence[str],
        as_of: Mapping[str, int] | None = None,
        curated: Collection[str] | None = None,
    ) -> None:
        """Restrict the tables.

        Args:
            connection: in a transaction, so that all look-ups see the same state.
            datasets: their names.
            as_of: for each dataset the sequence number of the last entry to consider; a missing dataset is empty.
            curated: the datasets whose withdrawn versions are included; None for all.
        """
        self.connection = connection
        wanted = dict.fromkeys(datasets, _NOW) if as_of is None else {n: as_of[n] for n in datasets if n in as_of}
        # The connection may have served another snapshot before.
        connection.execute(
            "CREATE TEMP TABLE IF NOT EXISTS readable "
            "(dataset INTEGER PRIMARY KEY, entry INTEGER NOT NULL, withdrawn INTEGER NOT NULL)"
        )
        connection.execute("DELETE FROM temp.readable")
        connection.execute(
            "INSERT INTO temp.readable SELECT d.id, j.value, ?2 IS NULL OR d.name IN (SELECT value FROM json_each(?2)) "
            "FROM json_each(?1) j JOIN dataset d ON d.name = j.key",
            (json.dumps(wanted), None if curated is None else json.dumps(sorted(curated))),
        )
        self.resolves = resolution.has_moments(connection)
        self._known: dict[int, Source | None] = {}

    def known(self, iri: str) -> int | None:
        """The number of a thing; None where none of the datasets mentions it."""
        query = f"FROM term t CROSS JOIN about a ON a.term = t.id {_ABOUT} WHERE t.iri = ?"
        found = self.connection.execute(f"SELECT t.id {query} LIMIT 1", (iri,)).fetchone()
        return None if found is None else int(found[0])

    def edges(
        self, nodes: Sequence[int], *, into: bool = False, rules: Collection[int] = (), content: bool = False
    ) -> list[tuple[int, int, int, int]]:
        """Subject, rule, object and time of every edge whose subject is one of some nodes, once for each assertion.

        Args:
            nodes: the numbers.
            into: match the object instead.
            rules: only these rules; empty for all.
            content: only edges to content.
        """
        only = f"AND {'i' if into else 'e'}.rule IN ({', '.join(map(str, rules))})" if rules else ""
        join = _INTO.format(only) if into else f"{_OUT} {only}"
        where = "WHERE e.object & 1" if content else ""
        query = f"e.subject, e.rule, e.object, e.time FROM json_each(?) j {join} {_EDGE} {where}"
        found = self._rows(query, nodes)
        if self.resolves and not content and (not rules or RESOLVED in rules):
            found += [(*each.key, UNTIMED) for each in self.resolutions(nodes, into=into)]
        return found

    def resolutions(self, nodes: Sequence[int], *, into: bool = False) -> Iterator[Resolution]:
        """The versions that unknown reads are resolved to; with ``into`` the reads that are resolved to versions."""
        return resolution.resolutions(self.connection, VISIBLE, nodes, into=into) if self.resolves else iter(())

    def spans(self, nodes: Sequence[int]) -> Iterator[Span]:
        """What the resolutions of some nodes depend on."""
        return resolution.spans(self.connection, VISIBLE, nodes) if self.resolves else iter(())

    def contents(self, nodes: Sequence[int]) -> list[tuple[int, int, int, int]]:
        """The specializations from some nodes to content, as ``edges`` returns them."""
        return self.edges(nodes, rules=GENERAL, content=True)

    def keys(self, nodes: Sequence[int], rules: Collection[int], *, into: bool) -> list[Key]:
        """Every edge of some rules whose subject, or object, is one of some nodes, in any dataset and at any entry."""
        table, end = ("edge_into", "object") if into else ("edge", "subject")
        among = ", ".join(map(str, rules))
        return self._rows(
            "DISTINCT e.subject, e.rule, e.object FROM json_each(?) j "
            f"CROSS JOIN {table} e ON e.{end} = j.value AND e.rule IN ({among})",
            nodes,
        )

    def assertions(self, nodes: Sequence[int]) -> list[EdgeAssertion]:
        """The edges whose subject is one of some nodes, as ``edges`` returns them, with version and graph.

        A resolution follows from two documents, and is there once for each of them.
        """
        rows = self._rows(f"e.subject, e.rule, e.object, e.time, e.version, e.graph FROM json_each(?) j {_OUT}", nodes)
        readable = self._readable({row[4] for row in rows})
        found = [row for row in rows if readable[row[4]] is not None]
        for each in self.resolutions(nodes):
            found += [(*each.key, UNTIMED, version, graph) for version, graph in each.sources]
        return found

    def around(
        self, nodes: Sequence[int], rules: Collection[int], *, into: bool, content: bool = False, most: int
    ) -> list[EdgeAssertion]:
        """The edges of some rules whose subject, or object, is one of some nodes, as ``assertions`` returns them.

        Args:
            nodes: the numbers.
            rules: the rules.
            into: match the object instead of the subject.
            content: only edges to content.
            most: the most rows.
        """
        if not nodes or not rules:
            return []
        among = f"AND {'i' if into else 'e'}.rule IN ({', '.join(map(str, rules))})"
        found = _INTO.format(among) if into else f"{_OUT} {among}"
        where = "WHERE e.object & 1" if content else ""
        query = (
            f"e.subject, e.rule, e.object, e.time, e.version, e.graph FROM json_each(?) j {found} {_EDGE} {where} "
            f"LIMIT {most:d}"
        )
        rows: list[EdgeAssertion] = []
        for row in self._rows(query, nodes):
            rows.append(row)
            if len(rows) >= most:
                break
        if RESOLVED in rules and not content:
            for each in self.resolutions(nodes, into=into):
                rows += [(*each.key, UNTIMED, version, graph) for version, graph in each.sources]
        return rows[:most]

    def numbers(self, iris: Collection[str]) -> dict[str, int]:
        """The numbers of the things among some names that the snapshot mentions."""
        query = (
            "SELECT DISTINCT t.iri, t.id FROM json_each(?) j CROSS JOIN term t ON t.iri = j.value "  # noqa: S608
            f"CROSS JOIN about a ON a.term = t.id {_ABOUT}"
        )
        return dict(self.connection.execute(query, (json.dumps(list(iris)),)))

    def versions(self, nodes: Sequence[int], *, into: bool = False) -> dict[int, int]:
        """The versions that assert edges from some nodes, or to them, with the number of their things."""
        query = (
            f"DISTINCT v.id, c.size FROM json_each(?) j {_INTO.format('') if into else _OUT} {_EDGE} "
            "CROSS JOIN content c ON c.version = v.id"
        )
        return dict(self._rows(query, nodes))

    def terms(self, versions: Sequence[int]) -> dict[int, list[int]]:
        """The nodes of each of some versions, of those in the snapshot."""
        query = (
            "v.id, c.terms FROM json_each(?) j CROSS JOIN version v ON v.id = j.value CROSS JOIN temp.readable h "
            f"ON {_COUNTS} CROSS JOIN content c ON c.version = v.id"
        )
        return {version: list(unpacked(terms)) for version, terms in self._rows(query, versions)}

    def of_type(self, nodes: Sequence[int], types: Collection[str]) -> set[int]:
        """The nodes that have one of some types or kinds."""
        kinds = sum(1 << place for place, kind in enumerate(ELEMENTS) if BASE_CLASS[kind] in types)
        sorts = self.connection.execute(
            "SELECT DISTINCT s.id FROM sort s LEFT JOIN json_each(s.types) c "
            "WHERE s.kinds & ? OR c.value IN (SELECT value FROM json_each(?))",
            (kinds, json.dumps(sorted(types))),
        )
        among = ", ".join(str(sort) for (sort,) in sorts)
        query = f"DISTINCT a.term FROM json_each(?) j CROSS JOIN about a ON a.term = j.value AND a.sort IN ({among})"
        return {node for (node,) in self._rows(f"{query} {_ABOUT}", nodes)}

    def names(self, nodes: Sequence[int]) -> dict[int, str]:
        """The names of nodes."""
        return dict(self._rows("t.id, t.iri FROM json_each(?) j CROSS JOIN term t ON t.id = j.value", nodes))

    def things(self, nodes: Sequence[int], names: Mapping[int, str] | None = None) -> dict[int, Thing]:
        """The records of nodes, in their order; their names, if these are known already."""
        names = names or self.names(nodes)
        rows = self._rows(
            "a.term, a.version, a.sort, a.label FROM json_each(?) j CROSS JOIN about a ON a.term = j.value", nodes
        )
        readable, sorts = self._readable({row[1] for row in rows}), self._sorts({row[2] for row in rows})
        ordered = sorted((readable[version] or _NOWHERE, version) for version in {row[1] for row in rows})
        rank = {version: place for place, (source, version) in enumerate(ordered) if source is not _NOWHERE}
        said: dict[int, list[tuple[int, int, str | None]]] = {}
        for node, version, sort, label in rows:
            if version in rank:
                said.setdefault(node, []).append((rank[version], sort, label))
        # Most things are mentioned by one version, which has the same tuple for all of them.
        alone = [(source,) for source, _ in ordered]
        found: dict[int, Thing] = {}
        sources: tuple[Source, ...]
        for node in nodes:
            mentions = said[node]
            if len(mentions) == 1:
                ((place, sort, label),) = mentions
                (kinds, types), sources = sorts[sort], alone[place]
            else:
                mentions.sort()
                sources = tuple([ordered[place][0] for place, _, _ in mentions])
                kinds, types = _merged([sorts[sort] for sort in {sort for _, sort, _ in mentions}])
                label = min((label for *_, label in mentions if label), default="")
            found[node] = Thing(names[node], kinds, label or "", types, sources)
        return found

    def _readable(self, versions: Collection[int]) -> dict[int, Source | None]:
        """The versions by number; None for those that are not in the snapshot. May have more than were asked for."""
        missing = [version for version in versions if version not in self._known]
        if missing:
            self._known.update(dict.fromkeys(missing))
            query = (
                "v.id, v.project, v.document, v.number FROM json_each(?) j CROSS JOIN version v ON v.id = j.value "
                f"CROSS JOIN temp.readable h ON {_COUNTS}"
            )
            self._known.update((number, Source(*source)) for number, *source in self._rows(query, missing))
        return self._known

    def _sorts(self, numbers: Collection[int]) -> dict[int, Sort]:
        """Kinds and types by the numbers of type sets."""
        query = "s.id, s.kinds, s.types FROM json_each(?) j CROSS JOIN sort s ON s.id = j.value"
        return {number: (kinds, _listed(types)) for number, kinds, types in self._rows(query, list(numbers))}

    def sources(self, versions: Sequence[int]) -> dict[int, Source]:
        """The source references of versions, by number."""
        rows = self._rows(
            "v.id, v.project, v.document, v.number FROM json_each(?) j CROSS JOIN version v ON v.id = j.value",
            versions,
        )
        return {number: Source(*source) for number, *source in rows}

    def describing(self, nodes: Collection[int], among: Collection[Version]) -> list[Version]:
        """Those of some versions, named by project, document and number, that describe one of some nodes.

        That they mention an agent does not count: it is mentioned by versions that have nothing to do with the rest.
        """
        rows = self.connection.execute(
            "SELECT v.id, v.project, v.document, v.number FROM json_each(?) j CROSS JOIN version v "
            "ON v.project = j.value ->> 0 AND v.document = j.value ->> 1 AND v.number = j.value ->> 2",
            (json.dumps(sorted(among)),),
        )
        versions = {number: (project, document, version) for number, project, document, version in rows}
        wanted = set(nodes) - self.of_type(list(nodes), [BASE_CLASS[AGENT]]) if versions else set[int]()
        terms = self.terms(list(versions))
        return sorted({versions[number] for number, found in terms.items() if not wanted.isdisjoint(found)})

    def labels(self, iris: Sequence[str]) -> dict[str, str]:
        """The first label of each thing that has one, by name."""
        query = (
            "t.iri, min(a.label) FROM json_each(?) j CROSS JOIN term t ON t.iri = j.value "
            f"CROSS JOIN about a ON a.term = t.id AND a.label > '' {_ABOUT} GROUP BY t.id"
        )
        return dict(self.connection.execute(f"SELECT {query}", (json.dumps(list(iris)),)))

    def _rows(self, query: str, nodes: Sequence[int]) -> list[Any]:
        found: list[Any] = []
        for chunk in chunks(nodes):
            found += self.connection.execute(f"SELECT {query}", (chunk,)).fetchall()
        return found


@lru_cache(maxsize=1024)
def _listed(types: str) -> tuple[str, ...]:
    """A ``types`` value of table ``sort``; cached, since there are few."""
    return tuple(json.loads(types))


def _merged(sorts: Sequence[Sort]) -> Sort:
    """All kinds and types of some type sets."""
    kinds, types = 0, set[str]()
    for bits, more in sorts:
        kinds |= bits
        types.update(more)
    return kinds, tuple(sorted(types))
