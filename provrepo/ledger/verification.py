"""Verification of a ledger: whether its entries and indexes are those that were appended."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from provrepo.errors import Damaged
from provrepo.ledger import administration, confidential, members
from provrepo.ledger.entries import REPOSITORY, Entry, named, undamaged
from provrepo.ledger.exchange import mirrors
from provrepo.ledger.governance import embargoes, invitations
from provrepo.ledger.governance.standing import STORED_BYTES
from provrepo.ledger.logs import trees
from provrepo.ledger.migrations import migrate, statements
from provrepo.ledger.storage import write_ahead
from provrepo.ledger.storage.database import Database
from provrepo.ledger.streams import columns
from provrepo.words import counted

__all__ = ["problems"]

_PAGE = 256

Row = tuple[Any, ...]


def problems(database: Database, project: str | None) -> Iterator[str]:
    """Yield one sentence for each problem.

    Args:
        database: the database of the ledger.
        project: the stream to verify; None for all streams and the database file.
    """
    try:
        if project is not None:
            yield from _stream(database, project)
            return
        yield from _file(database)
        yield from _schema(database)
        yield from _positions(database)
        yield from _identity(database)
        with database.reading() as connection:
            differing = [*confidential.problems(connection), *administration.problems(connection)]
            differing += [
                *members.problems(connection),
                *embargoes.problems(connection),
                *invitations.problems(connection),
            ]
            differing += mirrors.problems(connection, _recorded_mirrors(connection))
        yield from differing
        for (name,) in _all(database, "SELECT project FROM entries UNION SELECT project FROM streams ORDER BY 1"):
            yield from _stream(database, name)
    except Damaged as error:
        yield str(error)


def _file(database: Database) -> Iterator[str]:
    for (line,) in _all(database, "PRAGMA integrity_check(20)"):
        if line != "ok":
            yield f"{database.file}: {line}"
    yield from write_ahead.problems(database)


def _schema(database: Database) -> Iterator[str]:
    """Check that tables, indexes and triggers are those of this version. The triggers prevent changes of entries."""
    with sqlite3.connect(":memory:", isolation_level=None) as fresh:
        migrate(fresh)
        wanted = statements(fresh)
    fresh.close()
    with database.reading() as connection:
        found = statements(connection)
    for kind, name in sorted(wanted.keys() | found.keys()):
        if (kind, name) not in found:
            yield f"{database.file}: the {kind} {name} is missing"
        elif (kind, name) not in wanted:
            yield f"{database.file}: the {kind} {name} is not part of provrepo's schema"
        elif found[kind, name] != wanted[kind, name]:
            yield f"{database.file}: the {kind} {name} differs from provrepo's schema"


def _positions(database: Database) -> Iterator[str]:
    """Check that positions are 1, 2, 3, … and that in each stream they increase with the sequence numbers."""
    rows = _all(
        database,
        "SELECT count(*), coalesce(min(position), 1), coalesce(max(position), 0), "
        "coalesce((SELECT max(seq) FROM sqlite_sequence WHERE name = 'entries'), 0) FROM entries",
    )
    count, first, last, drawn = rows[0]
    if (first, last, drawn) != (1, count, count):
        found = counted(count, "entry has positions", "entries have positions")
        yield f"{database.file}: {found} from {first} to {last}, and {drawn} were assigned"
    for project, sequence in _all(
        database,
        "SELECT project, sequence FROM (SELECT project, sequence, position, "
        "lag(position, 1, 0) OVER (PARTITION BY project ORDER BY sequence) AS former FROM entries) "
        "WHERE position <= former ORDER BY project, sequence LIMIT 20",
    ):
        yield f"entry {sequence} of {named(project)}: its position is not after that of the entry before it"


def _identity(database: Database) -> Iterator[str]:
    """Check that the repository's own stream has one identity, and that identities in other streams equal it."""
    found = []
    for project, data in _all(
        database, "SELECT project, data FROM entries WHERE kind = 'identity' AND stream IS NULL ORDER BY position"
    ):
        try:
            found.append((project, Entry.from_bytes(data).body["id"]))
        except (Damaged, KeyError, TypeError):
            continue  # reported by ``_stream``
    own = [identity for project, identity in found if project == REPOSITORY]
    if len(own) != 1:
        yield f"{named(REPOSITORY)}: it has {len(own)} readable entries with the identity of the repository, not one"
    elif any(identity != own[0] for _, identity in found):
        yield f"{named(REPOSITORY)}: the identity in it is not that in other streams"


def _stream(database: Database, project: str) -> Iterator[str]:
    expected, sound = 1, True
    before: tuple[str, ...] = ("",)
    while rows := _all(
        database,
        "SELECT sequence, sha256, stream, kind, document, version, blob, report, data FROM entries "
        "WHERE project = ? AND sequence >= ? ORDER BY sequence LIMIT ?",
        project,
        expected,
        _PAGE,
    ):
        for sequence, digest, stream, *index, data in rows:
            if not isinstance(sequence, int) or not isinstance(data, bytes):
                yield f"{named(project)}: the row of entry {sequence} contains values that were never appended"
                return
            place = f"entry {sequence} of {named(project)}"
            if sequence != expected:
                yield f"{named(project)}: entries {expected} to {sequence - 1} are missing"
                before, sound = (), False
            computed = sha256(data).hexdigest()
            if computed != digest:
                sound = False
                yield f"{place}: its bytes are not those that were appended, their SHA-256 is not {digest}"
            for problem in _entry(project, stream, sequence, tuple(index), data, before):
                yield f"{place}: {problem}"
            # The successor of a damaged entry may refer to either digest, so that one damage is reported once.
            before = (digest, computed)
            expected = sequence + 1
    yield from _indexes(database, project, expected - 1, before[0])
    # The size of a version is in its entry, so that damage to that would be reported twice.
    if sound and _all(database, f"SELECT 1 FROM streams WHERE project = ?1 AND bytes <> ({STORED_BYTES})", project):  # noqa: S608
        yield f"{named(project)}: the number of bytes of its versions is not the one recorded"
    if sound:
        with database.reading() as connection:
            differing = list(trees.problems(connection, project))
        yield from (f"{named(project)}: {problem}" for problem in differing)


def _recorded_mirrors(connection: sqlite3.Connection) -> dict[str, dict[str, Any]]:
    """Return the body of the last readable ``mirror`` entry about each mirror, by its name."""
    rows = connection.execute(
        "SELECT data FROM entries WHERE project = ? AND kind = 'mirror' ORDER BY sequence", (REPOSITORY,)
    ).fetchall()
    found: dict[str, dict[str, Any]] = {}
    for entry in undamaged(rows):
        found[entry.body["name"]] = dict(entry.body)
    return found


def _entry(
    project: str, stream: str | None, sequence: int, index: Row, data: bytes, before: tuple[str, ...]
) -> Iterator[str]:
    try:
        entry = Entry.from_bytes(data)
    except Damaged as error:
        yield str(error)
        return
    if (entry.project, entry.sequence) != (project if stream is None else stream, sequence):
        yield f"it contains {entry.place}"
    if before and entry.previous not in before:
        yield "the chain is broken, it does not follow the entry before it"
    if columns(entry) != index:
        yield "the columns that index it differ from its bytes"


def _indexes(database: Database, project: str, length: int, digest: str) -> Iterator[str]:
    end = _all(database, "SELECT length, sha256 FROM streams WHERE project = ?", project)
    if end and _all(
        database,
        "SELECT 1 FROM streams AS s WHERE project = ?1 AND position IS NOT "
        "(SELECT position FROM entries WHERE project = ?1 AND sequence = s.length)",
        project,
    ):
        yield f"{named(project)}: the position of its last entry is not the one recorded"
    if end != ([(length, digest)] if length else []):
        recorded = f"{counted(end[0][0], 'entry', 'entries')} ending in {end[0][1]}" if end else "no entries"
        has = counted(length, "entry", "entries")
        yield f"{named(project)}: it has {has} ending in {digest}, but recorded are {recorded}"
    if _all(
        database,
        "SELECT 1 FROM streams WHERE project = ?1 AND documents <> "
        "(SELECT count(*) FROM documents WHERE project = ?1 AND withdrawn IS NULL)",
        project,
    ):
        yield f"{named(project)}: the number of its documents is not the one recorded"
    stored = "SELECT document, version, submitted, withdrawn FROM documents WHERE project = ?1"
    for (document,) in _all(
        database,
        f"SELECT document FROM (SELECT * FROM ({stored} EXCEPT {_DOCUMENTS}) UNION "  # noqa: S608
        f"SELECT * FROM ({_DOCUMENTS} EXCEPT {stored})) GROUP BY document ORDER BY document",
        project,
    ):
        yield f"{named(project)}: the index of document {document} differs from its entries"


_DOCUMENTS = """
    SELECT document, version, submitted, CASE WHEN gone > submitted THEN gone END AS withdrawn FROM (
        SELECT document, max(version) FILTER (WHERE kind = 'submit') AS version,
            max(sequence) FILTER (WHERE kind = 'submit') AS submitted,
            max(sequence) FILTER (WHERE kind = 'withdraw') AS gone
        FROM entries WHERE project = ?1 AND document IS NOT NULL AND kind IN ('submit', 'withdraw') GROUP BY document
    )
"""


def _all(database: Database, query: str, *values: object) -> list[Row]:
    with database.reading() as connection:
        return connection.execute(query, values).fetchall()
