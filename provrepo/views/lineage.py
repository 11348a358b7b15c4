"""The lineage view: every relation of the current versions as integers, found by either end.

One SQLite file for all datasets, since a walk goes through all that somebody may read. Two B-trees hold each edge, one
for either direction; what is said about a thing is found by version, which is how a version leaves.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from provrepo.views.lineage_reading import ELEMENTS, Content, read
from provrepo.views.lineage_table import RULES, is_content
from provrepo.views.lineage_walk import GENERAL, Options, Row, Steps, Walk, merged, walk
from provrepo.views.tabular import Tabular, Triple

__all__ = ["Answer", "Common", "Impact", "Lineage", "Source", "Thing"]

MAPPING = "1"
"""The version of what is written to the tables."""

KINDS = tuple(kind.name for kind in ELEMENTS)

_CHUNK = 2000
"""Nodes of one look-up."""


class Source(NamedTuple):
    """Which graph says something.

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


class Thing(NamedTuple):
    """What is known of a node.

    Attributes:
        iri: its name.
        kinds: entity 1, activity 2, agent 4.
        label: the first of its labels; empty where it has none.
        types: its types, sorted.
        sources: the versions that speak of it, sorted.
    """

    iri: str
    kinds: int
    label: str
    types: tuple[str, ...]
    sources: tuple[Source, ...]


class Answer(NamedTuple):
    """A walk, with what is known of its nodes as far as they were asked for.

    Attributes:
        walk: what was found.
        things: the first nodes.
        sources: the versions of the walk's edges, by number.
        roots: the names of all roots that are entities, told or not, sorted.
    """

    walk: Walk
    things: dict[int, Thing]
    sources: dict[int, Source]
    roots: tuple[str, ...] = ()


class Impact(NamedTuple):
    """What was found, counted, the start aside; the most frequent first.

    Attributes:
        total: how many things there are.
        kinds: of each kind of element; a thing may be of several.
        types: of each type beyond those kinds.
        projects: of which each project speaks.
        agents: for which each agent stands: an activity's associates; who an entity is attributed to or, where that is
            not said, the associates of the activity that generated it.
    """

    total: int
    kinds: dict[str, int]
    types: dict[str, int]
    projects: dict[str, int]
    agents: dict[str, int]


class Common(NamedTuple):
    """What is upstream of several things, themselves included.

    Attributes:
        distances: for each common node how far it is from each start, in their order.
        nearest: the common nodes that are not upstream of another one.
        things: the first of them, the nearest before the others.
        total: how many there are.
    """

    distances: dict[int, tuple[int, ...]]
    nearest: list[int]
    things: dict[int, Thing]
    total: int


class Lineage(Tabular):
    """The index; see ``provrepo.views.view.View``."""

    MAPPING = MAPPING
    TABLES = """
    CREATE TABLE term (id INTEGER PRIMARY KEY, iri TEXT NOT NULL UNIQUE);
    CREATE TABLE edge (
        subject INTEGER NOT NULL, rule INTEGER NOT NULL, object INTEGER NOT NULL, dataset INTEGER NOT NULL,
        version INTEGER NOT NULL, graph INTEGER NOT NULL, time INTEGER NOT NULL,
        PRIMARY KEY (subject, rule, object, dataset, version, graph, time)
    ) WITHOUT ROWID;
    CREATE INDEX edge_into ON edge (object, rule);
    CREATE TABLE about (
        version INTEGER NOT NULL, term INTEGER NOT NULL, dataset INTEGER NOT NULL, kinds INTEGER NOT NULL, label TEXT,
        PRIMARY KEY (version, term)
    ) WITHOUT ROWID;
    CREATE INDEX about_term ON about (term);
    CREATE TABLE type (
        term INTEGER NOT NULL, version INTEGER NOT NULL, type INTEGER NOT NULL, PRIMARY KEY (term, version, type)
    ) WITHOUT ROWID;
    CREATE INDEX type_of ON type (type);
    """

    def ask(
        self,
        iri: str,
        datasets: Sequence[str],
        walks: Sequence[Options],
        *,
        to: str | None = None,
        limit: int,
        as_of: Mapping[str, int] | None = None,
        deadline: float | None = None,
    ) -> Answer | None:
        """Walk from a thing over what some datasets hold, and over nothing else.

        Args:
            iri: where it starts.
            datasets: the names of those that may be read.
            walks: what each walk does, ``to`` aside; what they find is put together.
            to: the end of the paths to find.
            limit: the most nodes of which everything is told.
            as_of: for each dataset the sequence number of the last entry that counts; one that is missing is empty.
            deadline: when to give up, by ``time.monotonic``.

        Returns:
            None where none of the datasets knows the thing, or what ``to`` names.
        """
        with self._reading() as connection:
            index = _Index(connection, datasets)
            start, end = index.known(iri), None if to is None else index.known(to)
            if start is None or (to is not None and end is None):
                return None
            steps = Steps(index.out, index.into, index.versions, index.contents)
            found = merged([walk(start, steps, replace(options, to=end)) for options in walks])
            told = list(found.nodes)[:limit]
            found.total_edges = len(found.edges)
            numbers = {version for sources in found.edges.values() for version, _ in sources}
            roots = [thing for thing in index.things(found.roots).values() if thing.kinds & 1]
            names = tuple(sorted(thing.iri for thing in roots))
            return Answer(found, index.things(told), index.sources(numbers), names if walks[0].upstream else ())

    def impact(
        self,
        iri: str,
        datasets: Sequence[str],
        walks: Sequence[Options],
        *,
        as_of: Mapping[str, int] | None = None,
        deadline: float | None = None,
    ) -> Impact | None:
        """Count what walks from a thing find; see ``ask``."""
        answer = self.ask(iri, datasets, walks, limit=1 << 40, as_of=as_of, deadline=deadline)
        if answer is None:
            return None
        others = list(answer.things.values())[1:]
        return Impact(
            len(others),
            Counter(name for thing in others for place, name in enumerate(KINDS) if thing.kinds >> place & 1),
            Counter(cls for thing in others for cls in thing.types),
            Counter(project for thing in others for project in {source.project for source in thing.sources}),
            {},
        )

    def common(
        self,
        iris: Sequence[str],
        datasets: Sequence[str],
        walk: Options,
        *,
        as_of: Mapping[str, int] | None = None,
        limit: int,
        deadline: float | None = None,
    ) -> Common | None:
        """What is upstream of several things; None where one of them is not known."""
        answers = [self.ask(iri, datasets, [walk], limit=1 << 40, as_of=as_of, deadline=deadline) for iri in iris]
        if not all(answers):
            return None
        walks = [answer.walk for answer in answers if answer is not None]
        shared = [node for node in walks[0].nodes if all(node in walk.nodes for walk in walks)]
        distances = {node: tuple(walk.nodes[node] for walk in walks) for node in shared}
        below = {key[2] for walk in walks for key in walk.edges if key[0] in distances}
        known = {node: thing for answer in answers if answer for node, thing in answer.things.items()}
        things = {node: known[node] for node in shared[:limit]}
        return Common(distances, [node for node in shared if node not in below], things, len(shared))

    def thing(self, iri: str, datasets: Sequence[str], *, as_of: Mapping[str, int] | None = None) -> Thing | None:
        """What some datasets know of one thing; None where they know nothing."""
        with self._reading() as connection:
            index = _Index(connection, datasets)
            known = index.known(iri)
            return None if known is None else index.things([known])[known]

    def dump(self, dataset: str) -> Iterator[str]:
        """Every edge of a dataset as a line, sorted."""
        with self._reading() as connection:
            found = connection.execute(
                "SELECT s.iri, e.rule, o.iri, e.time, v.project, v.document, v.number, e.graph FROM edge e "
                "JOIN term s ON s.id = e.subject JOIN term o ON o.id = e.object JOIN version v ON v.id = e.version "
                "JOIN dataset d ON d.id = e.dataset WHERE d.name = ?",
                (dataset,),
            ).fetchall()
        return iter(sorted(" ".join([row[0], RULES[row[1]].name, *map(str, row[2:])]) for row in found))

    def _put(self, connection: sqlite3.Connection, dataset: int, version: int, lines: Iterator[Triple]) -> None:
        content = read(lines)
        terms = _terms(connection, content)
        connection.executemany(
            "INSERT OR IGNORE INTO edge VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (terms[edge.subject], edge.rule, terms[edge.object], dataset, version, edge.graph, edge.time)
                for edge in content.edges
            ),
        )
        connection.executemany(
            "INSERT INTO about VALUES (?, ?, ?, ?, ?)",
            ((version, terms[iri], dataset, kinds, content.labels.get(iri)) for iri, kinds in content.kinds.items()),
        )
        connection.executemany(
            "INSERT INTO type VALUES (?, ?, ?)", ((terms[iri], version, terms[cls]) for iri, cls in content.types)
        )

    def _take(self, connection: sqlite3.Connection, version: int) -> None:
        held = "(SELECT term FROM about WHERE version = ?1)"
        gone = connection.execute(
            "SELECT term FROM about WHERE version = ?1 "  # noqa: S608
            f"UNION SELECT type FROM type WHERE term IN {held} AND version = ?1",
            (version,),
        ).fetchall()
        connection.execute(f"DELETE FROM edge WHERE subject IN {held} AND version = ?1", (version,))  # noqa: S608
        connection.execute(f"DELETE FROM type WHERE term IN {held} AND version = ?1", (version,))  # noqa: S608
        connection.execute("DELETE FROM about WHERE version = ?", (version,))
        # The names of things leave with the last that was said about them.
        connection.executemany(
            "DELETE FROM term WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM about WHERE term = ?1) "
            "AND NOT EXISTS (SELECT 1 FROM type WHERE type = ?1)",
            gone,
        )


def _terms(connection: sqlite3.Connection, content: Content) -> dict[str, int]:
    iris = sorted({*content.kinds, *(cls for _, cls in content.types)})
    # What names content has a number below zero: a walk then knows it without looking.
    connection.executemany(
        "INSERT OR IGNORE INTO term (id, iri) VALUES ((SELECT min(0, coalesce(min(id), 0)) FROM term) - 1, ?)",
        ((iri,) for iri in iris if is_content(iri)),
    )
    connection.executemany(
        "INSERT OR IGNORE INTO term (id, iri) VALUES ((SELECT max(0, coalesce(max(id), 0)) FROM term) + 1, ?)",
        ((iri,) for iri in iris if not is_content(iri)),
    )
    found: dict[str, int] = {}
    for start in range(0, len(iris), _CHUNK):
        chunk = json.dumps(iris[start : start + _CHUNK])
        found.update(
            connection.execute("SELECT t.iri, t.id FROM json_each(?) j CROSS JOIN term t ON t.iri = j.value", (chunk,))
        )
    return found


class _Index:
    """The tables, as far as some datasets go."""

    _COLUMNS = "e.subject, e.rule, e.object, e.time, e.version, e.graph"

    def __init__(self, connection: sqlite3.Connection, datasets: Sequence[str]) -> None:
        self._connection = connection
        found = connection.execute(
            "SELECT d.id FROM json_each(?) j JOIN dataset d ON d.name = j.value", (json.dumps(sorted(datasets)),)
        )
        allowed = ", ".join(str(int(number)) for (number,) in found)
        general = ", ".join(map(str, GENERAL))
        self._allowed = f"IN ({allowed})"
        self.out = self._find(f"edge e ON e.subject = j.value AND e.dataset {self._allowed}")
        self.into = self._find(f"edge e ON e.object = j.value AND e.dataset {self._allowed}")
        self.versions = self._find(
            f"edge e INDEXED BY edge_into ON e.object = j.value AND e.rule IN ({general}) AND e.dataset {self._allowed}"
        )
        self.contents = self._find(
            f"edge e ON e.subject = j.value AND e.rule IN ({general}) AND e.object < 0 AND e.dataset {self._allowed}"
        )

    def known(self, iri: str) -> int | None:
        """The number of a thing of which one of the datasets speaks."""
        found = self._connection.execute(
            f"SELECT t.id FROM term t JOIN about a ON a.term = t.id WHERE t.iri = ? AND a.dataset {self._allowed}",  # noqa: S608
            (iri,),
        ).fetchone()
        return None if found is None else int(found[0])

    def things(self, nodes: Sequence[int]) -> dict[int, Thing]:
        """What is known of nodes, in their order."""
        said: dict[int, list[tuple[str, int, str | None, Source]]] = {}
        types: dict[int, set[str]] = {}
        about = (
            "t.id, t.iri, a.kinds, a.label, v.project, v.document, v.number FROM json_each(?) j "
            "CROSS JOIN term t ON t.id = j.value "
            f"CROSS JOIN about a ON a.term = t.id AND a.dataset {self._allowed} JOIN version v ON v.id = a.version"
        )
        for node, iri, kinds, label, *source in self._chunks(about, nodes):
            said.setdefault(node, []).append((iri, kinds, label, Source(*source)))
        kinds_of = (
            "p.term, t.iri FROM json_each(?) j CROSS JOIN type p ON p.term = j.value "
            f"JOIN version v ON v.id = p.version AND v.dataset {self._allowed} JOIN term t ON t.id = p.type"
        )
        for node, cls in self._chunks(kinds_of, nodes):
            types.setdefault(node, set()).add(cls)
        return {node: _thing(said[node], types.get(node, set())) for node in nodes}

    def sources(self, numbers: set[int]) -> dict[int, Source]:
        """The versions with some numbers."""
        rows = self._chunks(
            "v.id, v.project, v.document, v.number FROM json_each(?) j JOIN version v ON v.id = j.value",
            sorted(numbers),
        )
        return {number: Source(*source) for number, *source in rows}

    def _find(self, joined: str) -> Callable[[Sequence[int]], Iterator[Row]]:
        query = f"{self._COLUMNS} FROM json_each(?) j CROSS JOIN {joined}"
        return lambda nodes: map(Row._make, self._chunks(query, nodes))

    def _chunks(self, query: str, nodes: Sequence[int]) -> Iterator[tuple[Any, ...]]:
        for start in range(0, len(nodes), _CHUNK):
            chunk = f"[{','.join(map(str, nodes[start : start + _CHUNK]))}]"
            yield from self._connection.execute(f"SELECT {query}", (chunk,)).fetchall()


def _thing(said: Sequence[tuple[str, int, str | None, Source]], types: set[str]) -> Thing:
    kinds = 0
    for _, bits, _, _ in said:
        kinds |= bits
    labels = sorted(label for _, _, label, _ in said if label)
    sources = tuple(sorted({source for *_, source in said}))
    return Thing(said[0][0], kinds, labels[0] if labels else "", tuple(sorted(types)), sources)
