"""Accounts: the names of actors, and the tokens that authenticate them.

Unlike ledger entries they may change: actors are renamed and tokens are revoked. Each change is recorded in the ledger
(``provrepo.ledger.administration``), which contains opaque identifiers of actors only.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from provrepo.errors import Conflict, Damaged, NotFound
from provrepo.ledger.administration import erased_name, new_salt, record_name, record_token
from provrepo.ledger.appending import Appending
from provrepo.ledger.entries import REPOSITORY, check_name, now, timestamp
from provrepo.ledger.people import People, Person
from provrepo.ledger.storage.database import Database

__all__ = ["Accounts", "Token"]

_TOKEN = re.compile(r"pvr_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
_NEVER = "9999-12-31T23:59:59.999Z"
_UNKNOWN = ("", "", "", None, None, 0, "", "", None, None, None, None, "0" * 64)
"""The row of an unknown token: no secret has this digest."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token, without its secret.

    Attributes:
        id: its identifier, by which it is listed and revoked.
        actor: opaque identifier of the actor that it authenticates.
        name: the current name of that actor.
        projects: the projects that it gives access to; None for all.
        write: whether it gives write access.
        created: xsd:dateTime in UTC.
        expires: xsd:dateTime in UTC, or None.
        revoked: xsd:dateTime in UTC, or None.
        scopes: the rights to which it limits the roles of its actor; None if it gives access by itself.
        label: distinguishes it from other tokens of its actor; may be empty.
        used: xsd:dateTime in UTC, the hour of its last request; None if it was not used.
        successor: identifier of the token that replaces it; None if there is none.
    """

    id: str
    actor: str
    name: str
    projects: tuple[str, ...] | None
    write: bool
    created: str
    expires: str | None = None
    revoked: str | None = None
    scopes: tuple[str, ...] | None = None
    label: str = ""
    used: str | None = None
    successor: str | None = None

    @property
    def valid(self) -> bool:
        """Whether it is neither revoked nor expired now."""
        return _valid(self.revoked, self.expires)

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        lists = {"projects": self.projects, "scopes": self.scopes}
        return {**asdict(self), **{key: None if value is None else list(value) for key, value in lists.items()}}


class Accounts:
    """The actors and tokens of a data directory, in the ledger's database."""

    def __init__(self, database: Database, *, software: str = "provrepo") -> None:
        """Use the ledger's database.

        Args:
            database: the database.
            software: name and version of this program, which the entries record.
        """
        self._database = database
        self._software = software

    def owner(self, name: str) -> str:
        """Return the actor of a user of the data directory itself, created on first use.

        Returns:
            Its opaque identifier. It differs from that of tokens for the same name. Empty for an unknown name in a
            read-only data directory.
        """
        with self._database.reading() as connection:
            found = _actor(connection, name, owner=True)
        if found is not None:
            return found
        if self._database.read_only:
            # Reading appends nothing, so it needs no actor.
            return ""
        with self._database.writing() as connection:
            return self._ensure_actor(connection, name, owner=True, by="")

    def actor(self, id: str) -> str:  # noqa: A002 (the word of the ledger)
        """Return the current name of an actor.

        Raises:
            NotFound: no actor has this identifier.
        """
        with self._database.reading() as connection:
            row = connection.execute("SELECT name FROM actors WHERE id = ?", (id,)).fetchone()
        if row is None:
            raise NotFound(f"no actor has the identifier {id!r}")
        return str(row[0])

    def find(self, name: str) -> str | None:
        """Return the actor with a name, other than the users of the data directory itself; None if there is none."""
        with self._database.reading() as connection:
            return _actor(connection, name, owner=False)

    def names(self) -> dict[str, str]:
        """Return the names of all actors by identifier."""
        with self._database.reading() as connection:
            rows = connection.execute("SELECT id, name FROM actors ORDER BY id").fetchall()
        return {str(id): str(name) for id, name in rows}  # noqa: A001

    def create(
        self,
        name: str,
        *,
        projects: Sequence[str] | None = None,
        write: bool = True,
        scopes: Sequence[str] | None = None,
        expires: datetime | None = None,
        label: str = "",
        by: str = "",
    ) -> tuple[str, Token]:
        """Create a token. Tokens for the same name authenticate the same actor.

        Args:
            name: the name of the actor.
            projects: the projects that it gives access to; None for all.
            write: whether it gives write access; without scopes.
            scopes: the rights to which it limits the roles of its actor; None for a token that gives access by itself.
            expires: its end, with a time zone; None for never.
            label: distinguishes it from the other tokens of its actor; may be empty. An expired token with that label
                is revoked.
            by: opaque identifier of the actor who creates it.

        Returns:
            The token ``pvr_<id>_<secret>``, which is not stored and cannot be shown again, and its record.

        Raises:
            InvalidName: a name in ``projects`` is malformed.
            Conflict: another token of the actor has the label.
            ValueError: ``expires`` without a time zone.
        """
        for project in projects or ():
            check_name(project)
        scope = None if projects is None else tuple(sorted(set(projects)))
        limits = None if scopes is None else tuple(dict.fromkeys(scopes))
        ends = None if expires is None else timestamp(expires)
        with self._database.writing() as connection:
            actor = self._ensure_actor(connection, name, owner=False, by=by)
            self._release_label(connection, actor, label, by=by)
            made = Token("", actor, name, scope, write, now(), ends, scopes=limits, label=label)
            return self._insert(connection, made, by=by)

    def rotate(
        self,
        id: str,  # noqa: A002
        *,
        until: datetime,
        expires: datetime | None,
        by: str = "",
    ) -> tuple[str, Token]:
        """Replace a token by a new one with the same access and label. Both are valid for some time.

        Args:
            id: the identifier of the token.
            until: when the former token ends, unless it ends before.
            expires: the end of the new one; None for never.
            by: opaque identifier of the actor who does it.

        Returns:
            The new token, and its record.

        Raises:
            NotFound: no token has this identifier.
            Conflict: it was replaced, revoked or has expired.
        """
        with self._database.writing() as connection:
            row = connection.execute(f"{_TOKENS} WHERE t.id = ?", (id,)).fetchone()
            if row is None:
                raise NotFound(f"no token has the identifier {id!r}")
            former = _token(row)
            if not former.valid or former.successor is not None:
                state = "was replaced" if former.successor else "is not valid any more"
                raise Conflict(f"the token {id} {state}: make a new one")
            connection.execute("UPDATE tokens SET label = '' WHERE id = ?", (id,))
            ends = None if expires is None else timestamp(expires)
            fresh = replace(former, id="", created=now(), expires=ends, used=None)
            text, made = self._insert(connection, fresh, by=by)
            earlier = min(timestamp(until), former.expires or _NEVER)
            connection.execute("UPDATE tokens SET successor = ?, expires = ? WHERE id = ?", (made.id, earlier, id))
            record_token(connection, self._administration(connection), id, by=by)
        return text, made

    def _insert(self, connection: sqlite3.Connection, token: Token, *, by: str) -> tuple[str, Token]:
        """Store a token, in a transaction; returns its text, and its record with an identifier."""
        made, secret = replace(token, id=secrets.token_hex(8)), secrets.token_urlsafe(32)
        connection.execute(
            "INSERT INTO tokens (id, actor, secret, projects, write, created, expires, salt, scopes, label) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                made.id,
                made.actor,
                _digest(secret),
                None if made.projects is None else json.dumps(made.projects),
                made.write,
                made.created,
                made.expires,
                new_salt(),
                None if made.scopes is None else json.dumps(made.scopes),
                made.label,
            ),
        )
        record_token(connection, self._administration(connection), made.id, by=by)
        return f"pvr_{made.id}_{secret}", made

    def _release_label(self, connection: sqlite3.Connection, actor: str, label: str, *, by: str) -> None:
        row = (
            label
            and connection.execute(
                "SELECT id, expires FROM tokens WHERE actor = ? AND label = ? AND revoked IS NULL", (actor, label)
            ).fetchone()
        )
        if not row:
            return
        if _valid(None, row[1]):
            raise Conflict(f"the token {row[0]} is called {label!r}: choose another label, rotate it, or revoke it")
        self._revoke(connection, row[0], by=by)

    def add_person(
        self, person: Person, *, by: str, new: bool = False, identity: tuple[str, str] | None = None
    ) -> Person:
        """Make the actor of a name a person; the actor is created if there is none.

        Args:
            person: what is known, without the identifier.
            by: opaque identifier of the actor who adds the person; empty for the software itself.
            new: refuse the name of an actor who is there already, such as a service with tokens.
            identity: issuer and subject with which the person has signed in.

        Returns:
            The same with the identifier.

        Raises:
            Conflict: a person has that name, e-mail address or ORCID; with ``new``, any actor has that name.
        """
        with self._database.writing() as connection:
            if new and _actor(connection, person.name, owner=False) is not None:
                raise Conflict(f"an actor is called {person.name!r} already")
            actor = self._ensure_actor(connection, person.name, owner=False, by=by)
            if connection.execute("SELECT 1 FROM people WHERE actor = ?", (actor,)).fetchone() is not None:
                raise Conflict(f"a person is called {person.name!r} already")
            added = replace(person, actor=actor)
            People.put(connection, added)
            if identity is not None:
                People.link(connection, *identity, actor)
        return added

    def authenticate(self, token: str) -> Token | None:
        """Return the record of a valid token; None for one that is malformed, unknown, expired or revoked.

        Every well-formed token takes the same steps, so that the time of an answer does not reveal whether it is known:
        an unknown token is compared with a row that no secret matches, and every condition is evaluated.
        """
        match = _TOKEN.fullmatch(token)
        if match is None:
            return None
        with self._database.reading() as connection:
            row = connection.execute(f"{_TOKENS} WHERE t.id = ?", (match[1],)).fetchone()
        row = row or _UNKNOWN
        known = hmac.compare_digest(_digest(match[2]), row[-1])
        # The rest of the row is parsed for a valid token only, since that takes time.
        return _token(row) if known & _valid(row[-2], row[-3]) else None

    def valid(self, id: str) -> Token | None:  # noqa: A002
        """Return the record of the token with an identifier; None if it is unknown, expired or revoked."""
        with self._database.reading() as connection:
            row = connection.execute(f"{_TOKENS} WHERE t.id = ?", (id,)).fetchone()
        return _token(row) if row is not None and _valid(row[-2], row[-3]) else None

    def list(self) -> list[Token]:
        """Return all tokens, also revoked and expired ones, the oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(f"{_TOKENS} ORDER BY t.created, t.id").fetchall()
        return [_token(row) for row in rows]

    def revoke(self, id: str, *, by: str = "") -> Token:  # noqa: A002
        """Revoke a token. A token that is revoked already keeps its time.

        Args:
            id: the identifier of the token.
            by: opaque identifier of the actor who revokes it.

        Raises:
            NotFound: no token has this identifier.
        """
        with self._database.writing() as connection:
            self._revoke(connection, id, by=by)
            row = connection.execute(f"{_TOKENS} WHERE t.id = ?", (id,)).fetchone()
        if row is None:
            raise NotFound(f"no token has the identifier {id!r}")
        return _token(row)

    def revoke_all(self, actor: str | None = None, *, by: str = "") -> int:
        """Revoke all tokens, or those of an actor, in one transaction; return how many were not revoked before."""
        with self._database.writing() as connection:
            rows = connection.execute(
                "SELECT id FROM tokens WHERE revoked IS NULL AND (? IS NULL OR actor = ?) ORDER BY created, id",
                (actor, actor),
            ).fetchall()
            for (id_,) in rows:
                self._revoke(connection, id_, by=by)
        return len(rows)

    def _revoke(self, connection: sqlite3.Connection, id: str, *, by: str) -> None:  # noqa: A002
        if connection.execute("UPDATE tokens SET revoked = ? WHERE id = ? AND revoked IS NULL", (now(), id)).rowcount:
            record_token(connection, self._administration(connection), id, by=by)

    def used(self, hours: Mapping[str, str]) -> None:
        """Store the hour of the last request of tokens, by identifier. No entry records it."""
        with self._database.writing() as connection:
            connection.executemany(
                "UPDATE tokens SET used = ? WHERE id = ? AND coalesce(used, '') < ?",
                [(hour, id_, hour) for id_, hour in hours.items()],
            )

    def rename(self, id: str, name: str | None, *, by: str = "") -> None:  # noqa: A002
        """Change the name of an actor, or erase it and what is known of the person.

        Entries contain only a digest of the name and need not change.

        Args:
            id: the actor's opaque identifier.
            name: the new name. None erases the name and its salt, without which its digests cannot be checked.
            by: opaque identifier of the actor who changes it.

        Raises:
            NotFound: no actor has this identifier.
            Conflict: another actor has the new name.
            Busy: others kept using the database for too long; call this again.
            NoSpace: the disk is full: an erased name may still be in the file; call this again.
        """
        with self._database.writing() as connection:
            row = connection.execute("SELECT owner FROM actors WHERE id = ?", (id,)).fetchone()
            if row is None:
                raise NotFound(f"no actor has the identifier {id!r}")
            stored, salt = (erased_name(id), None) if name is None else (name, new_salt())
            if _actor(connection, stored, owner=row[0]) not in (None, id):
                raise Conflict(f"another actor is called {stored!r}: choose another name")
            connection.execute("UPDATE actors SET name = ?, salt = ? WHERE id = ?", (stored, salt, id))
            if name is None:
                connection.execute("DELETE FROM people WHERE actor = ?", (id,))
                connection.execute("DELETE FROM identities WHERE actor = ?", (id,))
                connection.execute("UPDATE tokens SET label = '' WHERE actor = ?", (id,))
            record_name(connection, self._administration(connection), id, by=by)
        if name is None:
            self._database.rewrite()

    def _ensure_actor(self, connection: sqlite3.Connection, name: str, *, owner: bool, by: str) -> str:
        """Return the actor of a name, created if there is none; inside a transaction."""
        found = _actor(connection, name, owner=owner)
        if found is not None:
            return found
        created = secrets.token_hex(16)
        connection.execute(
            "INSERT INTO actors (id, name, owner, created, salt) VALUES (?, ?, ?, ?, ?)",
            (created, name, owner, now(), new_salt()),
        )
        record_name(connection, self._administration(connection), created, by=by)
        return created

    def _administration(self, connection: sqlite3.Connection) -> Appending:
        return Appending(connection, REPOSITORY, self._software)


_TOKENS = (
    "SELECT t.id, t.actor, a.name, t.projects, t.scopes, t.write, t.created, t.label, t.used, t.successor, "
    "t.expires, t.revoked, t.secret "
    "FROM tokens AS t JOIN actors AS a ON a.id = t.actor"
)


def _valid(revoked: object, expires: object) -> bool:
    # Both conditions are always evaluated: a revoked token takes the same steps as an expired one.
    unexpired = now() < str(expires or _NEVER)
    return (revoked is None) & unexpired


def _token(row: Sequence[Any]) -> Token:
    id_, actor, name, projects, scopes, write, created, label, used, successor, expires, revoked, _ = row
    try:
        listed = None if projects is None else json.loads(projects)
        limits = None if scopes is None else json.loads(scopes)
        sound = all(isinstance(values, list | None) for values in (listed, limits))
        sound = sound and all(isinstance(text, str) for text in (id_, actor, name, created, label, *(limits or ())))
        sound = sound and all(
            isinstance(text, str | None) for text in (used, successor, expires, revoked, *(listed or ()))
        )
    except (TypeError, ValueError):
        sound = False
    if not sound:
        raise Damaged(f"the row of token {id_!r} was changed by other means than provrepo: restore it from a backup")
    scope = None if listed is None else tuple(listed)
    rights = None if limits is None else tuple(limits)
    return Token(id_, actor, name, scope, bool(write), created, expires, revoked, rights, label, used, successor)


def _digest(secret: str) -> str:
    """Return the SHA-256 that is stored of a secret. With 256 random bits, a slow password hash is not needed."""
    return hashlib.sha256(secret.encode("ascii")).hexdigest()


def _actor(connection: sqlite3.Connection, name: str, *, owner: bool) -> str | None:
    row = connection.execute("SELECT id FROM actors WHERE name = ? AND owner = ?", (name, owner)).fetchone()
    return str(row[0]) if row else None
