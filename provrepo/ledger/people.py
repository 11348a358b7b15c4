"""What is known of actors who are people: contact, identifiers, affiliation, and identities at providers of sign-in.

Entries of the ledger contain none of it. It can be changed, and is erased together with the name.
"""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass
from typing import Any

from provrepo.errors import Conflict, NotFound
from provrepo.ledger.entries import now
from provrepo.ledger.storage.database import Database

__all__ = ["Identity", "People", "Person"]


@dataclass(frozen=True, slots=True)
class Person:
    """A person.

    Attributes:
        actor: opaque identifier of the actor, which never changes.
        name: the current name.
        email: the address; may be empty.
        orcid: the ORCID as a web address, such as ``https://orcid.org/0000-0002-1825-0097``; may be empty.
        affiliation: the name of the organization; may be empty.
        ror: the ROR of the organization as a web address; may be empty.
    """

    actor: str
    name: str
    email: str = ""
    orcid: str = ""
    affiliation: str = ""
    ror: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Identity:
    """Under which identifier a provider of OpenID Connect, or a proxy, knows a person.

    Attributes:
        issuer: the address of the provider; for a proxy ``header:`` and the name of the header field.
        subject: the identifier there.
        actor: opaque identifier of the person.
        created: xsd:dateTime in UTC of the first sign-in.
    """

    issuer: str
    subject: str
    actor: str
    created: str


class People:
    """The records of people in the ledger's database."""

    def __init__(self, database: Database) -> None:
        """Use the ledger's database."""
        self._database = database

    def listed(self) -> list[Person]:
        """Return all people by name."""
        with self._database.reading() as connection:
            rows = connection.execute(f"{_PEOPLE} ORDER BY a.name, p.actor").fetchall()
        return [Person(*map(str, row)) for row in rows]

    def find(self, who: str) -> list[Person]:
        """Return the people whose name, e-mail address, ORCID or identifier this is; by name."""
        with self._database.reading() as connection:
            rows = connection.execute(
                f"{_PEOPLE} WHERE a.name = :who OR p.actor = :who OR (p.email = :who AND p.email <> '') "
                "OR (p.orcid IN (:who, 'https://orcid.org/' || :who) AND p.orcid <> '') ORDER BY a.name, p.actor",
                {"who": who},
            ).fetchall()
        return [Person(*map(str, row)) for row in rows]

    def name(self, actor: str) -> str | None:
        """Return the current name of a person by the identifier of the actor; None if it is not a person."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT a.name FROM people AS p JOIN actors AS a ON a.id = p.actor WHERE p.actor = ?", (actor,)
            ).fetchone()
        return None if row is None else str(row[0])

    def identified(self, issuer: str, subject: str) -> str | None:
        """Return the actor whom a provider knows under an identifier; None if there is none."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT actor FROM identities WHERE issuer = ? AND subject = ?", (issuer, subject)
            ).fetchone()
        return None if row is None else str(row[0])

    def identities(self, actor: str) -> list[Identity]:
        """Return the identities of a person, by issuer and subject."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT issuer, subject, actor, created FROM identities WHERE actor = ? ORDER BY issuer, subject",
                (actor,),
            ).fetchall()
        return [Identity(*map(str, row)) for row in rows]

    def identify(self, issuer: str, subject: str, actor: str) -> None:
        """Store an identity of a person, in a transaction of its own.

        Raises:
            NotFound: the actor is not a person.
            Conflict: the provider knows another person under this identifier, or this person under another one.
        """
        with self._database.writing() as connection:
            self.link(connection, issuer, subject, actor)

    @staticmethod
    def link(connection: sqlite3.Connection, issuer: str, subject: str, actor: str) -> None:
        """Store an identity of a person, in a transaction; errors as for ``identify``."""
        if connection.execute("SELECT 1 FROM people WHERE actor = ?", (actor,)).fetchone() is None:
            raise NotFound(f"nobody has the identifier {actor!r}")
        rows = connection.execute(
            "SELECT actor, subject FROM identities WHERE issuer = ? AND (subject = ? OR actor = ?)",
            (issuer, subject, actor),
        ).fetchall()
        if any(row != (actor, subject) for row in rows):
            raise Conflict(
                "this person signs in with another account of the provider, or this account is another person's"
            )
        if not rows:
            connection.execute(
                "INSERT INTO identities (issuer, subject, actor, created) VALUES (?, ?, ?, ?)",
                (issuer, subject, actor, now()),
            )

    def having(self, column: str, value: str) -> set[str]:
        """Return the people with an e-mail address, in any case, or an ORCID.

        Args:
            column: ``email`` or ``orcid``.
            value: the address, or the ORCID as a web address.
        """
        with self._database.reading() as connection:
            query = f"SELECT actor FROM people WHERE lower({_COLUMNS[column]}) = lower(?)"  # noqa: S608
            rows = connection.execute(query, (value,)).fetchall()
        return {str(actor) for (actor,) in rows}

    def forget_identities(self, actor: str) -> int:
        """Delete the identities of a person; return how many there were."""
        with self._database.writing() as connection:
            return connection.execute("DELETE FROM identities WHERE actor = ?", (actor,)).rowcount

    @staticmethod
    def put(connection: sqlite3.Connection, person: Person) -> None:
        """Store what is known of an actor, in a transaction. The name is stored with the account.

        Raises:
            Conflict: another person has the e-mail address or the ORCID.
        """
        for column, value in (("email", person.email), ("orcid", person.orcid)):
            taken = connection.execute(
                f"SELECT 1 FROM people WHERE {column} = ? AND {column} <> '' AND actor <> ?",  # noqa: S608
                (value, person.actor),
            ).fetchone()
            if taken is not None:
                raise Conflict(f"another person has the {_WORDS[column]} {value!r}")
        connection.execute(
            "INSERT OR REPLACE INTO people (actor, email, orcid, affiliation, ror) VALUES (?, ?, ?, ?, ?)",
            (person.actor, person.email, person.orcid, person.affiliation, person.ror),
        )

    def change(self, person: Person) -> None:
        """Store what is known of a person, in a transaction of its own.

        Raises:
            NotFound: the actor is not a person.
            Conflict: as for ``put``.
        """
        with self._database.writing() as connection:
            if connection.execute("SELECT 1 FROM people WHERE actor = ?", (person.actor,)).fetchone() is None:
                raise NotFound(f"nobody has the identifier {person.actor!r}")
            self.put(connection, person)


_PEOPLE = (
    "SELECT p.actor, a.name, p.email, p.orcid, p.affiliation, p.ror FROM people AS p JOIN actors AS a ON a.id = p.actor"
)
_COLUMNS = {"email": "email", "orcid": "orcid"}
_WORDS = {"email": "e-mail address", "orcid": "ORCID"}
