"""What is known of actors who are people: contact, identifiers and affiliation.

Entries of the ledger contain none of it. It can be changed, and is erased together with the name.
"""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass
from typing import Any

from provrepo.errors import Conflict, NotFound
from provrepo.ledger.storage.database import Database

__all__ = ["People", "Person"]


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
_WORDS = {"email": "e-mail address", "orcid": "ORCID"}
