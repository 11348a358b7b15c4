"""Accounts: the names behind actors, and the tokens that speak for them.

Unlike ledger entries they may change: people rename themselves and tokens are revoked. Each change is recorded in the
ledger (``provrepo.ledger.administration``), which knows actors by opaque identifiers only.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from provrepo.errors import Conflict, Damaged, NotFound
from provrepo.ledger.administration import erased_name, new_salt, record_name, record_token
from provrepo.ledger.entries import REPOSITORY, check_name, now, timestamp
from provrepo.ledger.ledger import Appending
from provrepo.ledger.storage.database import Database

__all__ = ["Accounts", "Token"]

_TOKEN = re.compile(r"pvr_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
_NEVER = "9999-12-31T23:59:59.999Z"
_UNKNOWN = ("", "", "", None, 0, "", None, None, "0" * 64)
"""The row of an unknown token: no secret has this digest."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token, without its secret.

    Attributes:
        id: names it in lists and when it is revoked.
        actor: opaque identifier of whom it speaks for.
        name: the name of whom it speaks for, as it is today.
        projects: the projects it is for; None for all.
        write: whether it may change anything.
        created: xsd:dateTime in UTC.
        expires: xsd:dateTime in UTC, or None.
        revoked: xsd:dateTime in UTC, or None.
    """

    id: str
    actor: str
    name: str
    projects: tuple[str, ...] | None
    write: bool
    created: str
    expires: str | None = None
    revoked: str | None = None

    @property
    def valid(self) -> bool:
        """Whether it is neither revoked nor expired at this moment."""
        return _valid(self.revoked, self.expires)

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {**asdict(self), "projects": None if self.projects is None else list(self.projects)}


class Accounts:
    """The actors and tokens of a data directory, in the ledger's database."""

    def __init__(self, database: Database, *, software: str = "provrepo") -> None:
        """Use the ledger's database.

        Args:
            database: the ledger's.
            software: name and version of what changes them, for the entries.
        """
        self._database = database
        self._software = software

    def owner(self, name: str) -> str:
        """The actor for somebody who uses the data directory itself, made on first use.

        Returns:
            Its opaque identifier. The owner of a name is never the actor that a token for the same name speaks for.
            Empty for somebody unknown where the data directory can only be read.
        """
        with self._database.reading() as connection:
            found = _actor(connection, name, owner=True)
        if found is not None:
            return found
        if self._database.read_only:
            # Whoever only reads acts under no name in the ledger.
            return ""
        with self._database.writing() as connection:
            return self._made(connection, name, owner=True, by="")

    def actor(self, id: str) -> str:  # noqa: A002 (the word of the ledger)
        """The name of an actor as it is today.

        Raises:
            NotFound: nobody here has this identifier.
        """
        with self._database.reading() as connection:
            row = connection.execute("SELECT name FROM actors WHERE id = ?", (id,)).fetchone()
        if row is None:
            raise NotFound(f"no actor has the identifier {id!r}")
        return str(row[0])

    def names(self) -> dict[str, str]:
        """The names of all actors by their identifiers."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT id, name FROM actors ORDER BY id").fetchall()
        return {str(id): str(name) for id, name in rows}  # noqa: A001

    def create(
        self,
        name: str,
        *,
        projects: Sequence[str] | None = None,
        write: bool = True,
        expires: datetime | None = None,
        by: str = "",
    ) -> tuple[str, Token]:
        """Make a token. Tokens for the same name speak for the same actor.

        Args:
            name: whom it speaks for.
            projects: what it is for; None for all projects.
            write: whether it may change anything.
            expires: when it ends, with a time zone; None for never.
            by: the actor who makes it, by its opaque identifier.

        Returns:
            The token ``pvr_<id>_<secret>``, which cannot be shown again, and its record.

        Raises:
            InvalidName: not the name of a project.
            ValueError: ``expires`` without a time zone.
        """
        for project in projects or ():
            check_name(project)
        id_, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        scope = None if projects is None else tuple(sorted(set(projects)))
        ends = None if expires is None else timestamp(expires)
        created = now()
        with self._database.writing() as connection:
            actor = self._made(connection, name, owner=False, by=by)
            connection.execute(
                "INSERT INTO tokens (id, actor, secret, projects, write, created, expires, salt) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    id_,
                    actor,
                    _digest(secret),
                    None if scope is None else json.dumps(scope),
                    write,
                    created,
                    ends,
                    new_salt(),
                ),
            )
            record_token(connection, self._administration(connection), id_, by=by)
        return f"pvr_{id_}_{secret}", Token(id_, actor, name, scope, write, created, ends)

    def authenticate(self, token: str) -> Token | None:
        """The record of a token that is in force; None for one that is malformed, unknown, expired or revoked.

        Every token of the right form takes the same steps, whether it is known or not: the one that is unknown is
        compared with a row that no secret fits, and all is judged before anything is decided.
        """
        match = _TOKEN.fullmatch(token)
        if match is None:
            return None
        with self._database.reading() as connection:
            row = connection.execute(f"{_TOKENS} WHERE t.id = ?", (match[1],)).fetchone()
        row = row or _UNKNOWN
        known = hmac.compare_digest(_digest(match[2]), row[-1])
        # The rest of the row is read only for a token in force: its projects take steps of their own.
        return _token(row) if known & _valid(row[-2], row[-3]) else None

    def list(self) -> list[Token]:
        """All tokens, the revoked and expired ones included, the oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(f"{_TOKENS} ORDER BY t.created, t.id").fetchall()
        return [_token(row) for row in rows]

    def revoke(self, id: str, *, by: str = "") -> Token:  # noqa: A002
        """End a token now. One that is revoked already keeps its time.

        Args:
            id: of the token.
            by: the actor who revokes it, by its opaque identifier.

        Raises:
            NotFound: no token has this identifier.
        """
        with self._database.writing() as connection:
            ended = connection.execute(
                "UPDATE tokens SET revoked = ? WHERE id = ? AND revoked IS NULL", (now(), id)
            ).rowcount
            if ended:
                record_token(connection, self._administration(connection), id, by=by)
            row = connection.execute(f"{_TOKENS} WHERE t.id = ?", (id,)).fetchone()
        if row is None:
            raise NotFound(f"no token has the identifier {id!r}")
        return _token(row)

    def rename(self, id: str, name: str | None, *, by: str = "") -> None:  # noqa: A002
        """Change the name of an actor, or erase it. Entries hold a digest of it alone, and need not change.

        Args:
            id: the actor's opaque identifier.
            name: the new name; None erases the name, and the salt without which its digests say nothing.
            by: the actor who changes it, by its opaque identifier.

        Raises:
            NotFound: no actor has this identifier.
            Conflict: another actor has this name.
        """
        with self._database.writing() as connection:
            row = connection.execute("SELECT owner FROM actors WHERE id = ?", (id,)).fetchone()
            if row is None:
                raise NotFound(f"no actor has the identifier {id!r}")
            kept, salt = (erased_name(id), None) if name is None else (name, new_salt())
            if _actor(connection, kept, owner=row[0]) not in (None, id):
                raise Conflict(f"another actor is called {kept!r}: choose another name")
            connection.execute("UPDATE actors SET name = ?, salt = ? WHERE id = ?", (kept, salt, id))
            record_name(connection, self._administration(connection), id, by=by)

    def _made(self, connection: sqlite3.Connection, name: str, *, owner: bool, by: str) -> str:
        """The actor of a name, made where there is none; inside a transaction."""
        found = _actor(connection, name, owner=owner)
        if found is not None:
            return found
        made = secrets.token_hex(16)
        connection.execute(
            "INSERT INTO actors (id, name, owner, created, salt) VALUES (?, ?, ?, ?, ?)",
            (made, name, owner, now(), new_salt()),
        )
        record_name(connection, self._administration(connection), made, by=by)
        return made

    def _administration(self, connection: sqlite3.Connection) -> Appending:
        return Appending(connection, REPOSITORY, self._software)


_TOKENS = (
    "SELECT t.id, t.actor, a.name, t.projects, t.write, t.created, t.expires, t.revoked, t.secret "
    "FROM tokens AS t JOIN actors AS a ON a.id = t.actor"
)


def _valid(revoked: object, expires: object) -> bool:
    # Both are compared in any case, so that a token that was revoked takes the same steps as one that expired.
    lasting = now() < str(expires or _NEVER)
    return (revoked is None) & lasting


def _token(row: Sequence[Any]) -> Token:
    id_, actor, name, projects, write, created, expires, revoked, _ = row
    try:
        listed = None if projects is None else json.loads(projects)
        sound = isinstance(listed, list | None) and all(isinstance(text, str) for text in (id_, actor, name, created))
        sound = sound and all(isinstance(text, str | None) for text in (expires, revoked, *(listed or ())))
    except (TypeError, ValueError):
        sound = False
    if not sound:
        raise Damaged(f"the row of token {id_!r} was changed by other means than provrepo: restore it from a backup")
    scope = None if listed is None else tuple(listed)
    return Token(id_, actor, name, scope, bool(write), created, expires, revoked)


def _digest(secret: str) -> str:
    """What is kept of a secret. It has 256 random bits: nothing slower than one SHA-256 is needed."""
    return hashlib.sha256(secret.encode("ascii")).hexdigest()


def _actor(connection: sqlite3.Connection, name: str, *, owner: bool) -> str | None:
    row = connection.execute("SELECT id FROM actors WHERE name = ? AND owner = ?", (name, owner)).fetchone()
    return str(row[0]) if row else None
