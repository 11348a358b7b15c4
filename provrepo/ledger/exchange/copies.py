"""Copies: the versions here that came from peers, by what they are there.

The entry of a submission has its ``origin``. This is an index over these entries, which is brought up to date before it
is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from provrepo.ledger.entries import Entry
from provrepo.ledger.exchange.database import ExchangeDatabase
from provrepo.ledger.kinds import NAME, NUMBER
from provrepo.ledger.storage.database import Database
from provrepo.ledger.streams import ROW, readable

__all__ = ["Copies", "Copy", "Origin", "origin_of"]

_PAGE = 500

# Only submissions that came from a peer have an object here. In JSON a quotation mark within a text has a backslash.
_HAS_ORIGIN = b'"origin":{'


class Origin(NamedTuple):
    """A version of a peer that a version here is a copy of.

    Attributes:
        peer: the name of the peer.
        project: the project there.
        document: the document there.
        version: the version there.
        iri: the IRI of the version; may be empty.
    """

    peer: str
    project: str
    document: str
    version: int
    iri: str = ""


class Copy(NamedTuple):
    """A version here, and the number that it has at its origin.

    Attributes:
        project: the project here.
        document: the document here.
        version: the version here.
        origin: the number of the version there.
    """

    project: str
    document: str
    version: int
    origin: int


def origin_of(submission: Entry) -> Origin | None:
    """Return the origin that the entry of a submission has; None if it came from no peer."""
    found = submission.body.get("origin")
    if not isinstance(found, Mapping):
        return None
    peer, project, document, version, iri = (found.get(name) for name in ("peer", *_NAMES, "iri"))
    if not (isinstance(peer, str) and NAME.check(project) and NAME.check(document) and NUMBER.check(version)):
        return None
    return Origin(peer, str(project), str(document), int(str(version)), iri if isinstance(iri, str) else "")


_NAMES = ("project", "document", "version")


class Copies:
    """The index of a data directory."""

    def __init__(self, database: ExchangeDatabase, ledger: Database) -> None:
        """Use the database of the index and that of the ledger."""
        self._database = database
        self._ledger = ledger

    def of(self, peer: str, project: str, document: str) -> list[Copy]:
        """Return the versions here that are copies of versions of a document of a peer."""
        if not self._ledger.read_only:
            self._follow()
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT project, document, version, origin_version FROM copies "
                "WHERE peer = ? AND origin_project = ? AND origin_document = ? ORDER BY project, document, version",
                (peer, project, document),
            ).fetchall()
        return [Copy(*row) for row in rows]

    def _follow(self) -> None:
        """Add the submissions that were appended since the last call."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT position FROM copies_position").fetchone()
        position = int(row[0]) if row else 0
        with self._ledger.reading() as connection:
            last = int(connection.execute("SELECT coalesce(max(position), 0) FROM entries").fetchone()[0])
        while position < last:
            with self._ledger.reading() as connection:
                rows = connection.execute(
                    # An entry of a mirror has an origin that is a peer of its origin.
                    f"SELECT position, {ROW} FROM entries WHERE position > ? AND position <= ? AND kind = 'submit' "  # noqa: S608
                    "AND stream IS NULL AND instr(data, ?) > 0 ORDER BY position LIMIT ?",
                    (position, last, _HAS_ORIGIN, _PAGE),
                ).fetchall()
            # Without a full page there are no more up to the last entry that was seen at the beginning.
            position = int(rows[-1][0]) if len(rows) == _PAGE else last
            entries = [entry for row in rows if (entry := readable(*row[1:])) is not None]
            found = [(origin, entry) for entry in entries if (origin := origin_of(entry)) is not None]
            with self._database.writing() as connection:
                connection.executemany(
                    "INSERT INTO copies (peer, origin_project, origin_document, origin_version, project, document, "
                    "version) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    [
                        (*origin[:4], entry.project, entry.body["document"], entry.body["version"])
                        for origin, entry in found
                    ],
                )
                connection.execute(
                    "INSERT INTO copies_position (only, position) VALUES (0, ?1) "
                    "ON CONFLICT (only) DO UPDATE SET position = max(position, ?1)",
                    (position,),
                )
