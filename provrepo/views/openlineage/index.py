"""The view of OpenLineage: jobs, runs and datasets by namespace and name, with the facets that events say of them.

It has what the current versions say, and nothing of versions that were replaced, withdrawn or erased. Reading is in
``provrepo.views.openlineage.reading``.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

from provrepo.views.extraction import Extraction
from provrepo.views.openlineage.reading import TOO_LONG, Reading
from provrepo.views.sqlite_view import SqliteView, until

__all__ = ["OpenLineage"]

_TABLES = """
CREATE TABLE text (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, data BLOB NOT NULL);
CREATE TABLE item (
    id INTEGER PRIMARY KEY, dataset INTEGER NOT NULL, kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
    folded TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL, run INTEGER,
    UNIQUE (dataset, kind, namespace, name)
);
CREATE TABLE run (
    id INTEGER PRIMARY KEY, version INTEGER NOT NULL, item INTEGER NOT NULL, uuid TEXT NOT NULL, state TEXT NOT NULL,
    started INTEGER, ended INTEGER, nominal_start INTEGER, nominal_end INTEGER, parent TEXT NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, time INTEGER NOT NULL, facets INTEGER NOT NULL
);
CREATE INDEX run_version ON run (version);
CREATE INDEX run_item ON run (item, time, uuid);
CREATE INDEX run_uuid ON run (uuid);
CREATE INDEX run_facets ON run (facets);
CREATE TABLE part (
    id INTEGER PRIMARY KEY, version INTEGER NOT NULL, item INTEGER NOT NULL, run INTEGER, role TEXT NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, label TEXT NOT NULL
);
CREATE INDEX part_version ON part (version);
CREATE INDEX part_run ON part (run);
CREATE INDEX part_item ON part (item, role, last, label);
CREATE INDEX part_first ON part (item, first);
CREATE INDEX part_last ON part (item, last);
CREATE TABLE facet (
    part INTEGER NOT NULL, key TEXT NOT NULL, item INTEGER NOT NULL, last INTEGER NOT NULL, text INTEGER NOT NULL,
    PRIMARY KEY (part, key)
) WITHOUT ROWID;
CREATE INDEX facet_item ON facet (item, key, last);
CREATE INDEX facet_text ON facet (text);
CREATE TABLE link (
    version INTEGER NOT NULL, kind TEXT NOT NULL, origin INTEGER NOT NULL, target INTEGER NOT NULL,
    PRIMARY KEY (version, kind, origin, target)
) WITHOUT ROWID;
CREATE INDEX link_origin ON link (kind, origin, target);
CREATE INDEX link_target ON link (kind, target, origin);
CREATE TABLE tag (
    version INTEGER NOT NULL, name TEXT NOT NULL, dataset INTEGER NOT NULL, PRIMARY KEY (version, name)
) WITHOUT ROWID;
CREATE INDEX tag_name ON tag (dataset, name);
CREATE TABLE event (
    version INTEGER NOT NULL, digest TEXT NOT NULL, dataset INTEGER NOT NULL, of TEXT NOT NULL, time INTEGER NOT NULL,
    type TEXT NOT NULL, PRIMARY KEY (version, digest)
) WITHOUT ROWID;
CREATE INDEX event_time ON event (dataset, of, time, type);
"""
"""``text`` has each facet once, since many runs repeat them. An ``item`` is a job or a dataset of one project, with the
times of the first and last event that names it and, for a job, its latest run. A ``part`` is a job or dataset in one
version: as job (``J``), read (``I``), meant to be written (``O``), written (``W``), described without a run (``D``), or
named there as a source of columns (``C``). A ``link`` leads from what is read to the job (``R``), from the job to what
it wrote (``W``), and from a dataset to another one whose columns come from it (``C``). The ``time`` of a run is that of
its start, or of its first event."""

_CONTENT = (
    "SELECT 'run', i.namespace, i.name, r.uuid, r.state, r.started, r.ended, r.nominal_start, r.nominal_end, r.parent, "
    "r.first, r.last, r.time, hex(t.digest) FROM run r JOIN item i ON i.id = r.item JOIN text t ON t.id = r.facets "
    "WHERE r.version = ?",
    "SELECT 'part', i.kind, i.namespace, i.name, r.uuid, p.role, p.first, p.last, p.label FROM part p "
    "JOIN item i ON i.id = p.item LEFT JOIN run r ON r.id = p.run WHERE p.version = ?",
    "SELECT 'facet', i.kind, i.namespace, i.name, r.uuid, p.role, f.key, f.last, hex(t.digest) FROM part p "
    "JOIN facet f ON f.part = p.id JOIN item i ON i.id = f.item JOIN text t ON t.id = f.text "
    "LEFT JOIN run r ON r.id = p.run WHERE p.version = ?",
    "SELECT 'link', l.kind, a.namespace, a.name, b.namespace, b.name FROM link l JOIN item a ON a.id = l.origin "
    "JOIN item b ON b.id = l.target WHERE l.version = ?",
    "SELECT 'tag', name FROM tag WHERE version = ?",
    "SELECT 'event', digest, of, time, type FROM event WHERE version = ?",
)


class OpenLineage(SqliteView):
    """The index of jobs, runs and datasets; see ``provrepo.views.view.View``."""

    MAPPING = "1"
    TABLES = _TABLES

    @contextmanager
    def read(self, projects: Sequence[str], deadline: float | None = None) -> Iterator[Reading]:
        """A state of the view, restricted to some projects.

        Args:
            projects: the projects that the caller may read.
            deadline: in seconds of ``time.monotonic``; None for none.

        Raises:
            TimedOut: the deadline has passed.
            Damaged: the file cannot be read.
        """
        with self._reading() as connection, until(connection, deadline, TOO_LONG):
            yield Reading(connection, projects, deadline)

    def content(self, connection: sqlite3.Connection, version: int) -> list[tuple[object, ...]]:
        """The rows of a version, with names instead of numbers and digests instead of facets."""
        return [tuple(row) for query in _CONTENT for row in connection.execute(query, (version,))]

    def dump(self, dataset: str) -> Iterator[str]:
        """The rows of every version of a dataset as lines, sorted."""
        with self._reading() as connection:
            versions = connection.execute(
                "SELECT v.id FROM version v JOIN dataset d ON d.id = v.dataset WHERE d.name = ?", (dataset,)
            ).fetchall()
            rows = [row for (version,) in versions for row in self.content(connection, version)]
        return iter(sorted(" ".join(map(str, row)) for row in rows))

    def _put(self, connection: sqlite3.Connection, version: int, extraction: Extraction) -> None:
        if extraction.openlineage:
            writer = _Writer(connection, version)
            for found in extraction.openlineage:
                writer.add(found)
            writer.finish()

    def _take(self, connection: sqlite3.Connection, version: int) -> None:
        items = [i for (i,) in connection.execute("SELECT DISTINCT item FROM part WHERE version = ?", (version,))]
        texts = connection.execute(
            "SELECT text FROM facet WHERE part IN (SELECT id FROM part WHERE version = ?1) "
            "UNION SELECT facets FROM run WHERE version = ?1",
            (version,),
        ).fetchall()
        connection.execute("DELETE FROM facet WHERE part IN (SELECT id FROM part WHERE version = ?)", (version,))
        for table in ("part", "run", "link", "tag", "event"):
            connection.execute(f"DELETE FROM {table} WHERE version = ?", (version,))  # noqa: S608
        connection.executemany(
            "DELETE FROM text WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM facet WHERE text = ?1) "
            "AND NOT EXISTS (SELECT 1 FROM run WHERE facets = ?1)",
            texts,
        )
        _refresh(connection, items)


class _Writer:
    """Inserts the content of one version."""

    def __init__(self, connection: sqlite3.Connection, version: int) -> None:
        self._connection, self._version = connection, version
        (self._dataset,) = connection.execute("SELECT dataset FROM version WHERE id = ?", (version,)).fetchone()
        self._items: dict[tuple[str, str, str], int] = {}

    def add(self, found: Mapping[str, Any]) -> None:
        kind = found["kind"]
        if kind == "event":
            self._connection.execute(
                "INSERT INTO event (version, digest, dataset, of, time, type) VALUES (?, ?, ?, ?, ?, ?)",
                (self._version, found["digest"], self._dataset, found["of"], found["time"], found["type"]),
            )
        elif kind == "dataset":
            self._part(found, None, "D", found["first"], found["last"])
        else:
            self._job(found)

    def finish(self) -> None:
        _refresh(self._connection, self._items.values())

    def _job(self, found: Mapping[str, Any]) -> None:
        first, last = found["first"], found["last"]
        job = self._item("JOB", found["job"])
        run = None if found["run"] is None else self._run(job, found["run"], first, last)
        self._inserted(job, run, "J", first, last, "", found["facets"])
        for side in found["inputs"]:
            self._link("R", self._part(side, run, "I", first, last), job)
        for side in found["outputs"]:
            target = self._part(side, run, "W" if side["wrote"] else "O", first, last)
            if side["wrote"]:
                self._link("W", job, target)

    def _run(self, job: int, run: Mapping[str, Any], first: int, last: int) -> int:
        started = run["started"]
        cursor = self._connection.execute(
            "INSERT INTO run (version, item, uuid, state, started, ended, nominal_start, nominal_end, parent, first, "
            "last, time, facets) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(self._version, job, run["id"], run["state"], started, run["ended"], *run["nominal"], run["parent"]),
                *(first, last, first if started is None else started, self._text(run["facets"])),
            ),
        )
        return cursor.lastrowid or 0

    def _part(self, side: Mapping[str, Any], run: int | None, role: str, first: int, last: int) -> int:
        item = self._item("DATASET", side["dataset"])
        # What a run meant to write says nothing about the dataset.
        facets = {} if role == "O" else side["facets"]
        self._inserted(item, run, role, first, last, side["version"], facets)
        if role != "O":
            for source in side["columns"]:
                origin = self._item("DATASET", source)
                self._link("C", origin, item)
                if run is None:  # those of a run are among its inputs
                    self._inserted(origin, None, "C", first, last, "", {})
            self._connection.executemany(
                "INSERT OR IGNORE INTO tag (version, dataset, name) VALUES (?, ?, ?)",
                [(self._version, self._dataset, name) for name in side["tags"]],
            )
        return item

    def _inserted(
        self, item: int, run: int | None, role: str, first: int, last: int, label: str, facets: Mapping[str, Any]
    ) -> None:
        cursor = self._connection.execute(
            "INSERT INTO part (version, item, run, role, first, last, label) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (self._version, item, run, role, first, last, label),
        )
        self._connection.executemany(
            "INSERT INTO facet (part, key, item, last, text) VALUES (?, ?, ?, ?, ?)",
            [(cursor.lastrowid, key, item, last, self._text(facet)) for key, facet in facets.items()],
        )

    def _item(self, kind: str, name: Sequence[str]) -> int:
        key = (kind, name[0], name[1])
        known = self._items.get(key)
        if known is None:
            # Times are set at the end.
            self._connection.execute(
                "INSERT OR IGNORE INTO item (dataset, kind, namespace, name, folded, created, updated) "
                "VALUES (?, ?, ?, ?, ?, 0, 0)",
                (self._dataset, *key, key[2].casefold()),
            )
            (known,) = self._connection.execute(
                "SELECT id FROM item WHERE dataset = ? AND kind = ? AND namespace = ? AND name = ?",
                (self._dataset, *key),
            ).fetchone()
            self._items[key] = known
        return int(known)

    def _link(self, kind: str, origin: int, target: int) -> None:
        self._connection.execute(
            "INSERT OR IGNORE INTO link (version, kind, origin, target) VALUES (?, ?, ?, ?)",
            (self._version, kind, origin, target),
        )

    def _text(self, value: object) -> int:
        data = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
        digest = sha256(data).digest()
        found = self._connection.execute("SELECT id FROM text WHERE digest = ?", (digest,)).fetchone()
        if found is None:
            cursor = self._connection.execute(
                "INSERT INTO text (digest, data) VALUES (?, ?)", (digest, zlib.compress(data))
            )
            return cursor.lastrowid or 0
        return int(found[0])


def _refresh(connection: sqlite3.Connection, items: Iterable[int]) -> None:
    """Set the times and the latest run of items, and remove those that no version names."""
    rows = [(item,) for item in items]
    connection.executemany("DELETE FROM item WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM part WHERE item = ?1)", rows)
    connection.executemany(
        "UPDATE item SET created = (SELECT min(first) FROM part WHERE item = ?1), "
        "updated = (SELECT max(last) FROM part WHERE item = ?1), "
        "run = (SELECT id FROM run WHERE item = ?1 ORDER BY time DESC, uuid DESC LIMIT 1) WHERE id = ?1",
        rows,
    )
