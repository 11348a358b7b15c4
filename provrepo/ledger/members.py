"""Members: the roles of actors in projects, and the administrators of the repository.

The table ``members`` contains the roles that are in force. Each change appends an entry in the same transaction:
``member`` to the stream of the project, or ``role`` to the repository's own. The last entry about an actor determines
its row, and ``problems`` lists rows that differ. Entries contain opaque identifiers only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from provrepo.errors import Damaged
from provrepo.ledger.appending import Appending
from provrepo.ledger.entries import REPOSITORY, Entry, named, undamaged
from provrepo.ledger.governance.invitations import revoke_of
from provrepo.ledger.storage.database import Database

__all__ = ["NO_ROLE", "Member", "Members", "problems"]

_MANAGES = "owner"
"""The role whose holders make invitations, which end with it."""

NO_ROLE = "none"
"""The role of an actor who is no member any more."""


@dataclass(frozen=True, slots=True)
class Member:
    """An actor with a role.

    Attributes:
        actor: opaque identifier of the actor.
        name: its current name.
        role: its role.
        since: xsd:dateTime in UTC at which it got the role.
        by: the current name of the actor who gave it; empty for the software itself.
    """

    actor: str
    name: str
    role: str
    since: str
    by: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)


class Members:
    """The roles in the projects of a data directory, in the ledger's database."""

    def __init__(self, database: Database) -> None:
        """Use the ledger's database."""
        self._database = database

    def listed(self, project: str) -> list[Member]:
        """Return the members of a project by name; the administrators for the repository's own stream."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT m.actor, a.name, m.role, e.data FROM members AS m JOIN actors AS a ON a.id = m.actor "
                "LEFT JOIN entries AS e ON e.project = m.project AND e.sequence = m.sequence "
                "WHERE m.project = ? ORDER BY a.name, m.actor",
                (project,),
            ).fetchall()
            names = dict(connection.execute("SELECT id, name FROM actors").fetchall())
        found = []
        for actor, name, role, data in rows:
            if data is None:
                raise Damaged(f"the role of {name!r} in {named(project)} was stored by other means than provrepo")
            entry = Entry.from_bytes(data, strict=False)
            found.append(Member(actor, name, role, entry.time, str(names.get(entry.actor, entry.actor))))
        return found

    def of_actor(self, actor: str) -> tuple[tuple[str, str], ...]:
        """Return (project, role) for each role of an actor; the empty name stands for the repository."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT project, role FROM members WHERE actor = ? ORDER BY project", (actor,)
            ).fetchall()
        return tuple((str(project), str(role)) for project, role in rows)

    @staticmethod
    def with_role(appending: Appending, role: str) -> list[str]:
        """Return the identifiers of the members with a role in the project of a transaction, sorted."""
        rows = appending.connection.execute(
            "SELECT actor FROM members WHERE project = ? AND role = ? ORDER BY actor", (appending.project, role)
        ).fetchall()
        return [str(actor) for (actor,) in rows]

    @staticmethod
    def change(appending: Appending, actor: str, role: str, *, by: str, token: str = "") -> bool:
        """Give an actor a role, or take it away, in the transaction that appends the entry.

        Args:
            appending: the stream of the project, or the repository's own.
            actor: opaque identifier of the actor.
            role: the role; ``NO_ROLE`` for none.
            by: opaque identifier of the actor who gives it.
            token: identifier of the token of the request; empty for the local owner.

        Returns:
            Whether anything changed: an actor with the role keeps it.

        Raises:
            Mirrored: the project is a mirror.
        """
        connection, project = appending.connection, appending.project
        row = connection.execute(
            "SELECT role FROM members WHERE project = ? AND actor = ?", (project, actor)
        ).fetchone()
        if role == (NO_ROLE if row is None else row[0]):
            return False
        kind = "role" if project == REPOSITORY else "member"
        entry = appending.append(kind, {"member": actor, "role": role}, actor=by, token=token)
        connection.execute("DELETE FROM members WHERE project = ? AND actor = ?", (project, actor))
        if role != NO_ROLE:
            connection.execute(
                "INSERT INTO members (project, actor, role, sequence) VALUES (?, ?, ?, ?)",
                (project, actor, role, entry.sequence),
            )
        if role != _MANAGES:
            revoke_of(appending, actor, entry.time, actor=by, token=token)
        return True


def problems(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield one sentence for each role that differs from the last entry about it."""
    recorded: dict[tuple[str, str], Entry] = {}
    rows = connection.execute(
        "SELECT data FROM entries WHERE kind IN ('member', 'role') AND stream IS NULL ORDER BY project, sequence"
    ).fetchall()
    for entry in undamaged(rows):
        recorded[entry.project, entry.body["member"]] = entry
    stored = {
        (str(project), str(actor)): (str(role), sequence)
        for project, actor, role, sequence in connection.execute(
            "SELECT project, actor, role, sequence FROM members ORDER BY project, actor"
        ).fetchall()
    }
    for project, actor in sorted(stored.keys() | recorded.keys()):
        last = recorded.get((project, actor))
        role, sequence = stored.get((project, actor), (NO_ROLE, None))
        has = f"actor {actor} has the role {role} in {named(project)}"
        if last is None:
            yield f"{has}, and no entry gave it"
        elif role != last.body["role"]:
            yield f"{has}, and {last.place} recorded {last.body['role']}"
        elif role != NO_ROLE and sequence != last.sequence:
            yield f"the role of actor {actor} in {named(project)} names another entry than {last.place}"
