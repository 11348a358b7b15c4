"""The tables of the lineage index: insertion and deletion of the content of a version.

The names of things are stored once and everything else is integers. Table ``edge`` is ordered by subject and has the
version and graph of each assertion; ``edge_into`` is ordered by object and has only the key of ``edge``.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from array import array
from collections.abc import Collection, Iterable, Sequence
from itertools import accumulate, chain

from provrepo.model.identifiers import is_content
from provrepo.views.extraction import Extraction
from provrepo.views.lineage.write_buffer import WriteBuffer, insert

__all__ = [
    "CHUNK",
    "TABLES",
    "chunks",
    "content_of",
    "count",
    "generation",
    "moments_of",
    "names_content",
    "put",
    "take",
    "terms_of",
    "unpacked",
]

TABLES = """
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counter VALUES ('generation', 0), ('thing', 2), ('content', 1);
CREATE TABLE term (id INTEGER PRIMARY KEY, iri TEXT NOT NULL UNIQUE);
CREATE TABLE edge (
    subject INTEGER NOT NULL, rule INTEGER NOT NULL, object INTEGER NOT NULL,
    version INTEGER NOT NULL, graph INTEGER NOT NULL, time INTEGER NOT NULL,
    PRIMARY KEY (subject, rule, object, version, graph, time)
) WITHOUT ROWID;
CREATE TABLE edge_into (
    object INTEGER NOT NULL, rule INTEGER NOT NULL, subject INTEGER NOT NULL, PRIMARY KEY (object, rule, subject)
) WITHOUT ROWID;
CREATE TABLE sort (
    id INTEGER PRIMARY KEY, kinds INTEGER NOT NULL, types TEXT NOT NULL, uses INTEGER NOT NULL, UNIQUE (kinds, types)
);
CREATE TABLE about (
    term INTEGER NOT NULL, version INTEGER NOT NULL, sort INTEGER NOT NULL, label TEXT, PRIMARY KEY (term, version)
) WITHOUT ROWID;
CREATE TABLE content (version INTEGER PRIMARY KEY, size INTEGER NOT NULL, terms BLOB NOT NULL);
CREATE TABLE moment (
    dataset INTEGER NOT NULL, part TEXT NOT NULL, role INTEGER NOT NULL, time INTEGER NOT NULL,
    entity INTEGER NOT NULL, version INTEGER NOT NULL, graph INTEGER NOT NULL,
    PRIMARY KEY (dataset, part, role, time, entity, version, graph)
) WITHOUT ROWID;
CREATE INDEX moment_of ON moment (entity);
"""
"""Table ``sort`` has each type set (kinds and types) once, with its number of uses. Table ``content`` has the terms of
each version and their number; deletion of a version starts from it."""

CHUNK = 2000
"""Numbers in one look-up."""


def names_content(term: int) -> bool:
    """Whether a term names content: such terms have odd numbers."""
    return bool(term & 1)


def chunks(terms: Sequence[int]) -> Iterable[str]:
    """Numbers as JSON arrays of ``CHUNK`` or fewer."""
    for start in range(0, len(terms), CHUNK):
        yield f"[{','.join(map(str, terms[start : start + CHUNK]))}]"


def generation(connection: sqlite3.Connection) -> int:
    """The number of changes to the content of the index."""
    return _number(connection, "generation")


def count(connection: sqlite3.Connection) -> int:
    """Count a change to the content; returns the new generation."""
    connection.execute("UPDATE counter SET value = value + 1 WHERE name = 'generation'")
    return generation(connection)


def put(connection: sqlite3.Connection, version: int, content: Extraction, buffer: WriteBuffer) -> None:
    """Insert the content of a version. Some rows go to the write buffer first."""
    first = _number(connection, "thing")
    terms = _intern(connection, content.kinds)
    edges = [
        (terms[subject], rule, terms[upper], version, graph, time)
        for (rule, graph), pairs in content.edges.items()
        for (subject, upper), times in pairs.items()
        for time in times
    ]
    # In the order of the tables, so that fewer pages are written.
    edges.sort()
    buffer.add(connection, "edge", edges, first)
    keys = [(upper, rule, subject) for subject, rule, upper, _, _, _ in edges]
    keys.sort()
    buffer.add(connection, "edge_into", keys, first)
    type_sets = _type_sets(connection, content)
    labels = content.labels
    about = [(terms[iri], version, type_sets[iri], labels.get(iri)) for iri in content.kinds]
    about.sort()
    buffer.add(connection, "about", about, first)
    connection.execute("INSERT INTO content VALUES (?, ?, ?)", (version, len(terms), _packed(terms.values())))
    if content.moments:
        rows = sorted(
            (terms[dataset], part, role, time, terms[entity], version, graph)
            for dataset, part, role, time, entity, graph in content.moments
        )
        insert(connection, "INTO moment", rows)


def take(connection: sqlite3.Connection, version: int) -> None:
    """Delete the content of a version, and terms that no other version has; the write buffer must be empty."""
    terms = terms_of(connection, version)
    for chunk in chunks(terms):
        selected = "FROM json_each(?1) j CROSS JOIN edge e ON e.subject = j.value AND e.version = ?2"
        keys = connection.execute(
            f"SELECT DISTINCT e.object, e.rule, e.subject {selected}", (chunk, version)
        ).fetchall()
        connection.execute(
            "DELETE FROM edge WHERE subject IN (SELECT value FROM json_each(?1)) AND version = ?2", (chunk, version)
        )
        connection.executemany(
            "DELETE FROM edge_into WHERE object = ?1 AND rule = ?2 AND subject = ?3 AND NOT EXISTS "
            "(SELECT 1 FROM edge WHERE subject = ?3 AND rule = ?2 AND object = ?1)",
            keys,
        )
        connection.execute(
            "DELETE FROM moment WHERE entity IN (SELECT value FROM json_each(?1)) AND version = ?2", (chunk, version)
        )
        condition = "term IN (SELECT value FROM json_each(?1)) AND version = ?2"
        uses = connection.execute(f"SELECT count(*), sort FROM about WHERE {condition} GROUP BY sort", (chunk, version))  # noqa: S608
        deleted = uses.fetchall()
        connection.executemany("UPDATE sort SET uses = uses - ? WHERE id = ?", deleted)
        connection.executemany("DELETE FROM sort WHERE id = ? AND uses = 0", [(sort,) for _, sort in deleted])
        connection.execute(f"DELETE FROM about WHERE {condition}", (chunk, version))  # noqa: S608
        connection.execute(
            "DELETE FROM term WHERE id IN (SELECT value FROM json_each(?1)) "
            "AND NOT EXISTS (SELECT 1 FROM about WHERE term = term.id)",
            (chunk,),
        )
    connection.execute("DELETE FROM content WHERE version = ?", (version,))


def content_of(connection: sqlite3.Connection, version: int) -> list[tuple[object, ...]]:
    """What is kept of a version, by names: its relations and moments, and kinds, types and label of each thing.

    Whether a thing's number is odd is part of it, since that says whether it names content.
    """
    found: list[tuple[object, ...]] = []
    for chunk in chunks(terms_of(connection, version)):
        found += connection.execute(
            "SELECT s.iri, e.rule, o.iri, e.graph, e.time FROM json_each(?1) j "
            "CROSS JOIN edge e ON e.subject = j.value AND e.version = ?2 "
            "LEFT JOIN term s ON s.id = e.subject LEFT JOIN term o ON o.id = e.object",
            (chunk, version),
        ).fetchall()
        found += connection.execute(
            "SELECT t.iri, j.value & 1, a.term IS NULL, o.kinds, o.types, a.label FROM json_each(?1) j "
            "LEFT JOIN about a ON a.term = j.value AND a.version = ?2 "
            "LEFT JOIN sort o ON o.id = a.sort LEFT JOIN term t ON t.id = j.value",
            (chunk, version),
        ).fetchall()
        found += connection.execute(
            "SELECT 'moment', d.iri, m.part, m.role, m.time, e.iri, m.graph FROM json_each(?1) j "
            "CROSS JOIN moment m ON m.entity = j.value AND m.version = ?2 "
            "LEFT JOIN term d ON d.id = m.dataset LEFT JOIN term e ON e.id = m.entity",
            (chunk, version),
        ).fetchall()
    size = connection.execute("SELECT size FROM content WHERE version = ?", (version,)).fetchone()
    return [*found, ("size", *(size or ()))]


def terms_of(connection: sqlite3.Connection, version: int) -> list[int]:
    """The terms of a version, in order."""
    found = connection.execute("SELECT terms FROM content WHERE version = ?", (version,)).fetchone()
    return [] if found is None else list(unpacked(found[0]))


def moments_of(connection: sqlite3.Connection, version: int, terms: Sequence[int]) -> list[tuple[int, int]]:
    """The logical datasets of a version with its moments, and their times; its terms are known."""
    ((found,),) = connection.execute("SELECT EXISTS (SELECT 1 FROM moment)").fetchall()
    query = (
        "SELECT DISTINCT m.dataset, m.time FROM json_each(?) j "
        "CROSS JOIN moment m ON m.entity = j.value AND m.version = ?"
    )
    parts = chunks(terms) if found else ()
    return list({pair: None for chunk in parts for pair in connection.execute(query, (chunk, version))})


def unpacked(terms: bytes) -> Iterable[int]:
    """The numbers in a ``terms`` value of table ``content``, in order."""
    return accumulate(array("q", zlib.decompress(terms)))


def _number(connection: sqlite3.Connection, counter: str) -> int:
    (found,) = connection.execute("SELECT value FROM counter WHERE name = ?", (counter,)).fetchone()
    return int(found)


def _packed(terms: Collection[int]) -> bytes:
    """Numbers as differences, compressed."""
    ordered = sorted(terms)
    steps = (after - before for before, after in zip(chain([0], ordered), ordered, strict=False))
    return zlib.compress(array("q", steps).tobytes(), 1)


def _intern(connection: sqlite3.Connection, iris: Iterable[str]) -> dict[str, int]:
    """The numbers of names. A new name gets a number that was never used."""
    ordered, found = sorted(iris), dict[str, int]()
    for start in range(0, len(ordered), CHUNK):
        chunk = json.dumps(ordered[start : start + CHUNK])
        found.update(
            connection.execute("SELECT t.iri, t.id FROM json_each(?) j CROSS JOIN term t ON t.iri = j.value", (chunk,))
        )
    new: dict[str, list[str]] = {"thing": [], "content": []}
    for iri in ordered:
        if iri not in found:
            new["content" if is_content(iri) else "thing"].append(iri)
    for name, names in new.items():
        first = _number(connection, name)
        numbers = range(first, first + 2 * len(names), 2)
        insert(connection, "INTO term", list(zip(numbers, names, strict=True)))
        connection.execute("UPDATE counter SET value = ? WHERE name = ?", (first + 2 * len(names), name))
        found.update(zip(names, numbers, strict=True))
    return found


def _type_sets(connection: sqlite3.Connection, content: Extraction) -> dict[str, int]:
    """For each thing the number of its type set."""
    types: dict[str, list[str]] = {}
    for iri, cls in content.types:
        types.setdefault(iri, []).append(cls)
    members: dict[tuple[int, tuple[str, ...]], list[str]] = {}
    for iri, kinds in content.kinds.items():
        classes = tuple(sorted(types[iri])) if iri in types else ()
        members.setdefault((kinds, classes), []).append(iri)
    found: dict[str, int] = {}
    for (kinds, classes), iris in members.items():
        ((number,),) = connection.execute(
            "INSERT INTO sort (kinds, types, uses) VALUES (?1, ?2, ?3) "
            "ON CONFLICT (kinds, types) DO UPDATE SET uses = uses + ?3 RETURNING id",
            (kinds, json.dumps(classes), len(iris)),
        ).fetchall()
        found.update(dict.fromkeys(iris, number))
    return found
