"""Reading of the view of OpenLineage, restricted to some projects, whose jobs and datasets of one name are one.

Lists are paged in the database. Times are microseconds since 1970.
"""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from provrepo.errors import TimedOut

__all__ = ["DATASET", "JOB", "TOO_LONG", "EventRow", "Facets", "Item", "Name", "Part", "Reading", "Run", "Version"]

JOB, DATASET = "JOB", "DATASET"

TOO_LONG = "the answer took too long and was given up; ask for less, or below one project"

Facets = dict[str, dict[str, Any]]


class Name(NamedTuple):
    """A job or dataset.

    Attributes:
        kind: ``JOB`` or ``DATASET``.
        namespace: its namespace.
        name: in the namespace.
    """

    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Item:
    """A job or dataset, as all projects of the reading know it.

    Attributes:
        name: its name.
        created: the time of the first event that names it.
        updated: the time of the last one.
        ids: its rows, one for each project.
    """

    name: Name
    created: int
    updated: int
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a job.

    Attributes:
        id: its ``runId``.
        job: its job.
        state: ``NEW``, ``RUNNING``, ``COMPLETED``, ``FAILED`` or ``ABORTED``.
        started: the time of its first START; None if there is none.
        ended: the time of its end; None if there is none.
        nominal: the nominal start and end; each may be None.
        parent: the name of the job of its parent; may be empty.
        first: the time of its first event.
        last: the time of its last event.
        row: the number of its row.
        text: the number of its facets.
    """

    id: str
    job: Name
    state: str
    started: int | None
    ended: int | None
    nominal: tuple[int | None, int | None]
    parent: str
    first: int
    last: int
    row: int
    text: int


class Part(NamedTuple):
    """A dataset that a run read or wrote.

    Attributes:
        dataset: its name.
        role: ``I``, ``O`` or ``W``; see ``index``.
        version: the name of the version; empty where unknown.
        row: the number of its row.
    """

    dataset: Name
    role: str
    version: str
    row: int


class Version(NamedTuple):
    """A version of a dataset.

    Attributes:
        version: its name.
        time: when it was written, by the last event of its run.
        run: the number of the row of the run that wrote it.
        row: the number of its row.
    """

    version: str
    time: int
    run: int | None
    row: int


class EventRow(NamedTuple):
    """Where the text of an event is.

    Attributes:
        project: the project.
        document: the document.
        version: the version that has it.
        digest: SHA-256 of its canonical JSON.
    """

    project: str
    document: str
    version: int
    digest: str


_NAMED = (
    "SELECT namespace, name, min(created) AS created, max(updated) AS updated FROM item "
    "WHERE dataset IN (SELECT value FROM json_each(:scope)) AND kind = :kind "
    "AND (:namespace IS NULL OR namespace = :namespace) GROUP BY namespace, name"
)

_STATE = (
    "(SELECT r.state FROM item i JOIN run r ON r.id = i.run WHERE i.dataset IN (SELECT value FROM json_each(:scope)) "
    "AND i.kind = 'JOB' AND i.namespace = n.namespace AND i.name = n.name ORDER BY r.time DESC, r.uuid DESC LIMIT 1)"
)


_LATEST = (
    "WITH RECURSIVE k(key) AS (SELECT min(key) FROM facet WHERE item = ?1 UNION ALL "
    "SELECT (SELECT min(key) FROM facet WHERE item = ?1 AND key > k.key) FROM k WHERE k.key IS NOT NULL) "
    "SELECT k.key, (SELECT f.part FROM facet f WHERE f.item = ?1 AND f.key = k.key ORDER BY f.last DESC, f.part DESC "
    "LIMIT 1) FROM k WHERE k.key IS NOT NULL"
)
"""The keys of the facets of an item, with the part that has the last one. Many runs have the same keys, so the index is
searched for the next key."""


_VERSIONS = (
    "SELECT label, max(last) AS last, run, id FROM part WHERE item IN (SELECT value FROM json_each(:items)) "
    "AND role = 'W' GROUP BY label"
)


class Reading:
    """One state of the view, restricted to some projects."""

    def __init__(self, connection: sqlite3.Connection, projects: Sequence[str], deadline: float | None = None) -> None:
        """Restrict a connection, which is in a read transaction, to projects that the caller may read.

        Args:
            connection: the connection.
            projects: the projects.
            deadline: in seconds of ``time.monotonic``; None for none.
        """
        self._connection, self._deadline = connection, deadline
        rows = connection.execute(
            "SELECT id, name FROM dataset WHERE name IN (SELECT value FROM json_each(?))", (json.dumps(list(projects)),)
        ).fetchall()
        self._datasets = {int(id_): str(name) for id_, name in rows}
        self._scope = json.dumps(list(self._datasets))

    def projects(self) -> list[str]:
        """The projects that have a job or dataset."""
        return [
            name
            for id_, name in self._datasets.items()
            if self._connection.execute("SELECT 1 FROM item WHERE dataset = ? LIMIT 1", (id_,)).fetchone()
        ]

    # Namespaces, tags

    def namespaces(self, limit: int, offset: int) -> tuple[list[tuple[str, int, int]], int]:
        """A page of the namespaces with the times of their first and last event, by name; and their number."""
        query = (
            "SELECT namespace, min(created), max(updated) FROM item "
            "WHERE dataset IN (SELECT value FROM json_each(:scope)) GROUP BY namespace"
        )
        return self._page(query, "1", limit, offset, {})

    def namespace(self, name: str) -> tuple[str, int, int] | None:
        """One namespace; None where it has no job and no dataset."""
        row = self._connection.execute(
            "SELECT namespace, min(created), max(updated) FROM item "
            "WHERE dataset IN (SELECT value FROM json_each(?)) AND namespace = ?",
            (self._scope, name),
        ).fetchone()
        return None if row[0] is None else row

    def tags(self, limit: int, offset: int) -> tuple[list[tuple[str]], int]:
        """A page of the tags, by name; and their number."""
        query = "SELECT DISTINCT name FROM tag WHERE dataset IN (SELECT value FROM json_each(:scope))"
        return self._page(query, "1", limit, offset, {})

    # Jobs and datasets

    def items(
        self,
        kind: str,
        limit: int,
        offset: int,
        *,
        namespace: str | None = None,
        states: Collection[str] = (),
        latest: bool = False,
    ) -> tuple[list[Item], int]:
        """A page of jobs or datasets; and their number.

        Args:
            kind: ``JOB`` or ``DATASET``.
            limit: the most items.
            offset: items to skip.
            namespace: only those of a namespace.
            states: only jobs whose latest run has one of these states.
            latest: in the order of their last event, the last first; otherwise by name.
        """
        query = f"SELECT n.* FROM ({_NAMED}) n"  # noqa: S608
        if states:
            query += f" WHERE {_STATE} IN (SELECT value FROM json_each(:states))"  # noqa: S608
        order = "updated DESC, namespace, name" if latest else "namespace, name"
        values = {"kind": kind, "namespace": namespace, "states": json.dumps(list(states))}
        rows, total = self._page(query, order, limit, offset, values)
        return [self._item(Name(kind, row[0], row[1]), row[2], row[3]) for row in rows], total

    def item(self, name: Name) -> Item | None:
        """A job or dataset; None where nothing names it.

        Raises:
            TimedOut: the deadline has passed. A walk makes many queries, none of which takes long.
        """
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise TimedOut(TOO_LONG)
        rows = self._rows(name)
        if not rows:
            return None
        return Item(name, min(row[1] for row in rows), max(row[2] for row in rows), tuple(row[0] for row in rows))

    def search(self, text: str, kind: str | None, limit: int, *, by_name: bool) -> tuple[list[Item], int]:
        """Jobs and datasets whose names contain a text, without regard to case; and their number."""
        query = (
            "SELECT kind, namespace, name, min(created) AS created, max(updated) AS updated FROM item "
            "WHERE dataset IN (SELECT value FROM json_each(:scope)) AND (:kind IS NULL OR kind = :kind) "
            "AND instr(folded, :text) GROUP BY kind, namespace, name"
        )
        order = "name, namespace, kind" if by_name else "updated DESC, name, namespace, kind"
        rows, total = self._page(query, order, limit, 0, {"kind": kind, "text": text.casefold()})
        return [Item(Name(*row[:3]), row[3], row[4], ()) for row in rows], total

    def facets(self, item: Item) -> Facets:
        """The facets of a job or dataset: of each key that of the last event that had one."""
        found: dict[str, tuple[int, int]] = {}
        for row in item.ids:
            for key, part in self._connection.execute(_LATEST, (row,)).fetchall():
                last, text = self._connection.execute(
                    "SELECT last, text FROM facet WHERE part = ? AND key = ?", (part, key)
                ).fetchone()
                if key not in found or last > found[key][0]:
                    found[key] = last, text
        return {key: self.text(text) for key, (_, text) in sorted(found.items())}

    def versions(self, dataset: Item, limit: int, offset: int) -> tuple[list[Version], int]:
        """A page of the versions of a dataset that were written, the last first; and their number."""
        rows, total = self._page(_VERSIONS, "last DESC, label", limit, offset, {"items": json.dumps(dataset.ids)})
        return [Version(*row) for row in rows], total

    def version(self, dataset: Item, name: str) -> Version | None:
        """The version of a dataset with a name; None where no run wrote it."""
        row = self._connection.execute(
            f"SELECT * FROM ({_VERSIONS}) WHERE label = :label",  # noqa: S608
            {"items": json.dumps(dataset.ids), "label": name},
        ).fetchone()
        return None if row is None else Version(*row)

    def part_facets(self, row: int) -> Facets:
        """The facets of a part."""
        rows = self._connection.execute("SELECT key, text FROM facet WHERE part = ? ORDER BY key", (row,)).fetchall()
        return {key: self.text(text) for key, text in rows}

    # Runs

    def runs(self, job: Item, limit: int, offset: int) -> tuple[list[Run], int]:
        """A page of the runs of a job, the last one first; and their number. A run is one in all documents."""
        query = (
            "SELECT uuid, max(time) AS time, id FROM run WHERE item IN (SELECT value FROM json_each(:items)) "
            "GROUP BY uuid"
        )
        rows, total = self._page(query, "time DESC, uuid DESC", limit, offset, {"items": json.dumps(job.ids)})
        return [self._run(row[2]) for row in rows], total

    def latest_runs(self, job: Item, limit: int) -> list[Run]:
        """The last runs of a job, the last one first."""
        found = []
        for item in job.ids:
            rows = self._connection.execute(
                "SELECT time, uuid, id FROM run WHERE item = ? ORDER BY time DESC, uuid DESC LIMIT ?", (item, 2 * limit)
            )
            found += rows.fetchall()
        rows_by_id = {uuid: (time, uuid, row) for time, uuid, row in sorted(found)}
        return [self._run(row) for _, _, row in sorted(rows_by_id.values(), reverse=True)[:limit]]

    def run(self, id_: str) -> Run | None:
        """A run by its ``runId``, by the document with its last event; None where there is none."""
        row = self._connection.execute(
            "SELECT r.id FROM run r JOIN item i ON i.id = r.item WHERE r.uuid = ? "
            "AND i.dataset IN (SELECT value FROM json_each(?)) ORDER BY r.last DESC, r.id DESC LIMIT 1",
            (id_, self._scope),
        ).fetchone()
        return None if row is None else self._run(row[0])

    def run_of(self, row: int | None) -> Run | None:
        """The run with a row."""
        return None if row is None else self._run(row)

    def run_parts(self, run: Run) -> list[Part]:
        """The datasets that a run read, wrote or meant to write, by name."""
        rows = self._connection.execute(
            "SELECT i.namespace, i.name, p.role, p.label, p.id FROM part p JOIN item i ON i.id = p.item "
            "WHERE p.run = ? AND p.role IN ('I', 'O', 'W') ORDER BY i.namespace, i.name, p.role",
            (run.row,),
        ).fetchall()
        return [Part(Name(DATASET, row[0], row[1]), row[2], row[3], row[4]) for row in rows]

    def job_facets(self, run: Run) -> Facets:
        """The facets of the job that the events of a run have."""
        row = self._connection.execute("SELECT id FROM part WHERE run = ? AND role = 'J'", (run.row,)).fetchone()
        return self.part_facets(row[0])

    # Links

    def targets(self, kind: str, name: Name) -> list[Name]:
        """Where the links of a kind (see ``index``) lead to from an item, by name."""
        return self._linked(kind, name, "origin", "target")

    def origins(self, kind: str, name: Name) -> list[Name]:
        """Where the links of a kind lead to an item from, by name."""
        return self._linked(kind, name, "target", "origin")

    # Events

    def events(
        self, after: int, before: int, limit: int, offset: int, *, descending: bool
    ) -> tuple[list[EventRow], int]:
        """A page of the events of runs from a time to before another, by time; and their number."""
        condition = (
            "FROM event e WHERE e.dataset IN (SELECT value FROM json_each(:scope)) AND e.of = 'run' "
            "AND e.time >= :after AND e.time < :before"
        )
        values = {"after": after, "before": before}
        way = "DESC" if descending else "ASC"
        # The versions are joined to the page alone.
        query = (
            "SELECT v.project, v.document, v.number, e.digest FROM (SELECT e.version, e.digest, e.time "  # noqa: S608
            f"{condition} ORDER BY e.time {way}, e.digest LIMIT :limit OFFSET :offset) e "
            f"JOIN version v ON v.id = e.version ORDER BY e.time {way}, e.digest"
        )
        total = self._count(f"SELECT count(*) {condition}", values)
        rows = self._connection.execute(
            query, {"scope": self._scope, "limit": limit, "offset": offset, **values}
        ).fetchall()
        return [EventRow(*row) for row in rows], total

    def event_counts(self, start: int, end: int) -> dict[str, int]:
        """The number of events of runs from a time to before another, by type."""
        rows = self._connection.execute(
            "SELECT type, count(*) FROM event WHERE dataset IN (SELECT value FROM json_each(?)) AND of = 'run' "
            "AND time >= ? AND time < ? GROUP BY type",
            (self._scope, start, end),
        )
        return dict(rows.fetchall())

    def growth(self, kind: str, times: Sequence[int], *, namespaces: bool = False) -> list[int]:
        """The number of jobs or datasets that were named before each of some times.

        Args:
            kind: ``JOB`` or ``DATASET``.
            times: in order.
            namespaces: count their namespaces instead.
        """
        names = "namespace" if namespaces else "namespace, name"
        rows = self._connection.execute(
            "WITH n AS MATERIALIZED (SELECT min(created) AS created FROM item "  # noqa: S608
            f"WHERE dataset IN (SELECT value FROM json_each(?)) AND kind = ? GROUP BY {names}) "
            "SELECT (SELECT count(*) FROM n WHERE n.created < t.value) FROM json_each(?) t ORDER BY t.key",
            (self._scope, kind, json.dumps(list(times))),
        )
        return [count for (count,) in rows.fetchall()]

    def text(self, row: int) -> dict[str, Any]:
        """The facet or facets with a number."""
        (data,) = self._connection.execute("SELECT data FROM text WHERE id = ?", (row,)).fetchone()
        found: dict[str, Any] = json.loads(zlib.decompress(data))
        return found

    def _rows(self, name: Name) -> list[tuple[int, int, int]]:
        return self._connection.execute(
            "SELECT id, created, updated FROM item WHERE dataset IN (SELECT value FROM json_each(?)) "
            "AND kind = ? AND namespace = ? AND name = ? ORDER BY id",
            (self._scope, *name),
        ).fetchall()

    def _item(self, name: Name, created: int, updated: int) -> Item:
        return Item(name, created, updated, tuple(row[0] for row in self._rows(name)))

    def _run(self, row: int) -> Run:
        found = self._connection.execute(
            "SELECT r.uuid, i.namespace, i.name, r.state, r.started, r.ended, r.nominal_start, r.nominal_end, "
            "r.parent, r.first, r.last, r.facets FROM run r JOIN item i ON i.id = r.item WHERE r.id = ?",
            (row,),
        ).fetchone()
        uuid, namespace, name, state, started, ended, start, end, parent, first, last, text = found
        job = Name(JOB, namespace, name)
        return Run(uuid, job, state, started, ended, (start, end), parent, first, last, row, text)

    def _linked(self, kind: str, name: Name, known: str, wanted: str) -> list[Name]:
        """The other ends of links. Many versions may have the same link, so the index is searched for the next end."""
        found: set[Name] = set()
        for item, _, _ in self._rows(name):
            rows = self._connection.execute(
                f"WITH RECURSIVE e(id) AS (SELECT min({wanted}) FROM link WHERE kind = ?1 AND {known} = ?2 UNION ALL "  # noqa: S608
                f"SELECT (SELECT min({wanted}) FROM link WHERE kind = ?1 AND {known} = ?2 AND {wanted} > e.id) FROM e "
                "WHERE e.id IS NOT NULL) SELECT i.kind, i.namespace, i.name FROM e JOIN item i ON i.id = e.id",
                (kind, item),
            )
            found |= {Name(*row) for row in rows.fetchall()}
        return sorted(found)

    def _page(
        self, query: str, order: str, limit: int, offset: int, values: Mapping[str, object]
    ) -> tuple[list[Any], int]:
        given = {"scope": self._scope, **values}
        rows = self._connection.execute(
            f"{query} ORDER BY {order} LIMIT :limit OFFSET :offset", {**given, "limit": limit, "offset": offset}
        ).fetchall()
        return rows, self._count(f"SELECT count(*) FROM ({query})", values)  # noqa: S608

    def _count(self, query: str, values: Mapping[str, object]) -> int:
        return int(self._connection.execute(query, {"scope": self._scope, **values}).fetchone()[0])
