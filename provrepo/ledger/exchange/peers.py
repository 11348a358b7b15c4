"""Peers: other repositories that the operator has named, as ``exchange.sqlite`` stores them.

The token of a peer is a secret: it is in no record, message or entry, and is read by ``Peers.token`` only.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from provrepo.errors import Conflict, Damaged, NotFound
from provrepo.ledger.entries import now
from provrepo.ledger.exchange.database import ExchangeDatabase
from provrepo.text import quoted

__all__ = ["ACCEPTS", "AT_ONCE", "NOTHING", "PENDING", "Peer", "Peers", "same_repository"]

NOTHING, PENDING, AT_ONCE = "nothing", "pending", "at-once"

ACCEPTS = (NOTHING, PENDING, AT_ONCE)
"""What happens with documents that a peer sends: they are refused, wait for a review, or are accepted at once."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Another repository.

    Attributes:
        name: its short name here. Tokens of this repository whose actor has the same name belong to it.
        url: the URL of its server, ending in ``/``.
        project: the project there to which documents are sent; empty for the one of the same name as here.
        accepts: one of ``ACCEPTS``.
        projects: the projects here into which it may send.
        profiles: names of the profiles that its documents must satisfy, besides those of the project.
        quota_bytes: the most bytes of its documents that may wait here.
        quota_documents: the most of its documents that may wait here.
        has_token: whether a token for its server is stored.
        identity: the UUID of its repository; empty while it is unknown.
        setup: its set-up identifier at the last contact; may be empty.
        added: the time at which it was added, xsd:dateTime in UTC.
        contacted: the time of the last successful contact in either direction; empty if there was none.
        failed: the time of the last failure to reach it; empty if there was none since ``contacted``.
        failure: the reason of that failure; may be empty.
    """

    name: str
    url: str
    project: str
    accepts: str
    projects: tuple[str, ...]
    profiles: tuple[str, ...]
    quota_bytes: int
    quota_documents: int
    has_token: bool
    identity: str = ""
    setup: str = ""
    added: str = ""
    contacted: str = ""
    failed: str = ""
    failure: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {**asdict(self), "projects": list(self.projects), "profiles": list(self.profiles)}


_SELECT = (
    "SELECT name, url, project, accepts, projects, profiles, bytes, documents, token IS NOT NULL, identity, setup, "
    "added, contacted, failed, failure FROM peers"
)
_COLUMNS = {"quota_bytes": "bytes", "quota_documents": "documents"}
_SET = ("url", "project", "accepts", "projects", "profiles", "quota_bytes", "quota_documents", "identity")
"""The fields that ``add`` sets and ``change`` may change."""


def same_repository(peers: Iterable[Peer]) -> dict[str, str]:
    """Return the name of each peer → the name of the first peer that is the same repository.

    Peers are the same repository if their identities are equal; while one is unknown, if their URLs are. First comes a
    peer with a token, then the one that was added earlier.
    """
    ordered = sorted(peers, key=lambda peer: (not peer.has_token, peer.added, peer.name))
    identities = {peer.url: peer.identity for peer in reversed(ordered) if peer.identity}
    first: dict[str, str] = {}
    return {
        peer.name: first.setdefault(peer.identity or identities.get(peer.url, peer.url), peer.name) for peer in ordered
    }


class Peers:
    """The peers of a data directory."""

    def __init__(self, database: ExchangeDatabase) -> None:
        """Use the database."""
        self._database = database

    def add(self, peer: Peer, token: str | None) -> Peer:
        """Store a new peer.

        Args:
            peer: the peer; ``has_token``, ``added`` and the fields about contacts are ignored.
            token: the token for its server; None for none.

        Returns:
            The peer as it is stored.

        Raises:
            Conflict: a peer of that name exists.
        """
        values = {name: getattr(peer, name) for name in _SET}
        with self._database.writing() as connection:
            if _found(connection, peer.name) is not None:
                raise Conflict(f"there is a peer {peer.name!r} already")
            row = {"name": peer.name, "token": token, "added": now(), **_columns(values)}
            marks = ", ".join(f":{column}" for column in row)
            connection.execute(f"INSERT INTO peers ({', '.join(row)}) VALUES ({marks})", row)  # noqa: S608
            return _stored(connection, peer.name)

    def change(self, name: str, values: Mapping[str, Any], *, token: str | None = None) -> Peer:
        """Change fields of a peer.

        With another project, what is queued goes there. What is under way is attempted at once with another project,
        URL or token, as it may have failed for that.

        Args:
            name: its name.
            values: field → new value.
            token: the new token for its server; None leaves it, the empty string removes it.

        Raises:
            NotFound: no peer has this name.
        """
        row = _columns({field: value for field, value in values.items() if field in _SET})
        if token is not None:
            row["token"] = token or None
        with self._database.writing() as connection:
            _stored(connection, name)
            for column, value in row.items():
                connection.execute(f"UPDATE peers SET {column} = ? WHERE name = ?", (value, name))  # noqa: S608
            if "project" in row:
                connection.execute(
                    "UPDATE pushes SET target = coalesce(nullif(?, ''), project) WHERE peer = ? AND state = 'queued'",
                    (row["project"], name),
                )
            if row.keys() & {"project", "url", "token"}:
                connection.execute(
                    "UPDATE pushes SET due = ? WHERE peer = ? AND state IN ('queued', 'pending')", (now(), name)
                )
            changed = _stored(connection, name)
        if token is not None:
            self._database.forget()
        return changed

    def remove(self, name: str) -> Peer:
        """Delete a peer with its token.

        Returns:
            The deleted peer.

        Raises:
            NotFound: no peer has this name.
        """
        if not self._database.exists:
            raise NotFound(f"there is no peer {name!r}")
        with self._database.writing() as connection:
            gone = _stored(connection, name)
            connection.execute("DELETE FROM peers WHERE name = ?", (name,))
        self._database.forget()
        return gone

    def list(self) -> list[Peer]:
        """Return all peers by name."""
        with self._database.reading() as connection:
            rows = connection.execute(f"{_SELECT} ORDER BY name").fetchall()
        return [_peer(row) for row in rows]

    def find(self, name: str) -> Peer | None:
        """Return a peer; None if there is none of this name."""
        with self._database.reading() as connection:
            return _found(connection, name)

    def get(self, name: str) -> Peer:
        """Return a peer.

        Raises:
            NotFound: no peer has this name.
        """
        with self._database.reading() as connection:
            return _stored(connection, name)

    def token(self, name: str) -> str:
        """Return the token for the server of a peer; empty for none. Neither log nor print it.

        Raises:
            NotFound: no peer has this name.
        """
        with self._database.reading() as connection:
            row = connection.execute("SELECT token FROM peers WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise NotFound(f"there is no peer {name!r}")
        return str(row[0] or "")

    def contacted(self, name: str, *, identity: str = "", setup: str = "") -> None:
        """Record a successful contact. Nothing happens if the peer was removed meanwhile.

        Args:
            name: the name of the peer.
            identity: the UUID of its repository, if it told it; empty otherwise. Compare it before with the stored one.
            setup: its set-up identifier, if it told it; empty otherwise.
        """
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE peers SET contacted = ?2, failed = '', failure = '', "
                "identity = iif(?3 = '', identity, ?3), setup = iif(?4 = '', setup, ?4) WHERE name = ?1",
                (name, now(), identity, setup),
            )

    def failed(self, name: str, reason: str) -> None:
        """Record a failure to reach a peer. Nothing happens if the peer was removed meanwhile.

        Args:
            name: the name of the peer.
            reason: the reason, without secrets.
        """
        with self._database.writing() as connection:
            connection.execute("UPDATE peers SET failed = ?, failure = ? WHERE name = ?", (now(), quoted(reason), name))


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return column → value for fields of a peer."""
    return {
        _COLUMNS.get(field, field): json.dumps(list(value)) if field in ("projects", "profiles") else value
        for field, value in values.items()
    }


def _found(connection: sqlite3.Connection, name: str) -> Peer | None:
    row = connection.execute(f"{_SELECT} WHERE name = ?", (name,)).fetchone()
    return None if row is None else _peer(row)


def _stored(connection: sqlite3.Connection, name: str) -> Peer:
    found = _found(connection, name)
    if found is None:
        raise NotFound(f"there is no peer {name!r}")
    return found


def _peer(row: tuple[Any, ...]) -> Peer:
    values = list(row)
    try:
        values[4], values[5] = (tuple(map(str, json.loads(text))) for text in row[4:6])
    except (TypeError, ValueError):
        raise Damaged(
            f"the row of peer {row[0]!r} was changed by other means than provrepo: add the peer again"
        ) from None
    values[8] = bool(row[8])
    return Peer(*values)
