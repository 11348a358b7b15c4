"""Embargoes: a project stays private until a time, at which an entry of settings makes it public.

The table ``embargoes`` contains the embargoes that are in force. Each change appends an entry ``embargo`` in the same
transaction. While a project has a row, nothing but the end of the embargo can make it public. Access depends on the
settings alone, as without embargoes: a project is private until the entry at the end was appended, however late
that is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import TYPE_CHECKING

from provrepo.errors import Conflict
from provrepo.ledger.entries import Entry, named, undamaged

if TYPE_CHECKING:
    from provrepo.ledger.appending import Appending

__all__ = ["change", "due", "find", "problems", "publish", "require_none"]


def find(connection: sqlite3.Connection, project: str) -> str:
    """Return the time at which the embargo of a project ends, xsd:dateTime in UTC; empty if it has none."""
    row = connection.execute("SELECT until FROM embargoes WHERE project = ?", (project,)).fetchone()
    return "" if row is None else str(row[0])


def due(connection: sqlite3.Connection, time: str) -> list[str]:
    """Return the projects whose embargo has ended at a time, xsd:dateTime in UTC, by name.

    An embargo that is older than the restore of a backup does not end by itself: it may have been moved or lifted by
    entries that the backup lacks.
    """
    rows = connection.execute(
        "SELECT project FROM embargoes AS m WHERE until <= ? AND NOT EXISTS (SELECT 1 FROM entries AS e "
        "WHERE e.project = m.project AND e.kind = 'gap' AND e.sequence > m.sequence) ORDER BY project",
        (time,),
    ).fetchall()
    return [str(project) for (project,) in rows]


def require_none(connection: sqlite3.Connection, project: str) -> None:
    """Refuse to make a project public that has an embargo.

    Raises:
        Conflict: it has one.
    """
    if until := find(connection, project):
        raise Conflict(
            f"project {project} is under an embargo until {until}, and becomes public then; to make it public before, "
            f"lift the embargo first: `provrepo embargo {project} --lift`"
        )


def change(appending: Appending, until: str | None, *, reason: str, actor: str, token: str) -> bool:
    """Set, move or lift the embargo of a project, in the transaction that appends the entry.

    Args:
        appending: the stream of the project.
        until: xsd:dateTime in UTC; None lifts it.
        reason: for the entry; may be empty.
        actor: opaque identifier of the actor.
        token: identifier of the token of the request; empty for the local owner.

    Returns:
        Whether this changed anything.
    """
    connection, project = appending.connection, appending.project
    if find(connection, project) == (until or ""):
        return False
    entry = appending.append("embargo", {"until": until, "reason": reason}, actor=actor, token=token)
    connection.execute("DELETE FROM embargoes WHERE project = ?", (project,))
    if until is not None:
        connection.execute("INSERT INTO embargoes VALUES (?, ?, ?)", (project, until, entry.sequence))
    return True


def publish(appending: Appending, time: str) -> bool:
    """Make a project public whose embargo has ended, in one transaction; return whether it had.

    Args:
        appending: the stream of the project.
        time: the present time, xsd:dateTime in UTC.
    """
    if appending.project not in due(appending.connection, time):
        return False  # it was moved or lifted meanwhile, or another process has done this
    appending.connection.execute("DELETE FROM embargoes WHERE project = ?", (appending.project,))
    appending.append("settings", {"public": True}, actor="")
    return True


def problems(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield one sentence for each embargo that differs from the last entry about it."""
    recorded: dict[str, Entry] = {}
    rows = connection.execute(
        "SELECT data FROM entries WHERE kind IN ('embargo', 'settings') AND project <> '' AND stream IS NULL "
        "ORDER BY project, sequence"
    ).fetchall()
    for entry in undamaged(rows):
        if entry.kind == "embargo" and entry.body["until"] is not None:
            recorded[entry.project] = entry
        elif entry.kind == "embargo" or entry.body.get("public"):
            recorded.pop(entry.project, None)
    stored = {
        str(project): (until, sequence)
        for project, until, sequence in connection.execute("SELECT project, until, sequence FROM embargoes").fetchall()
    }
    for project in sorted(stored.keys() | recorded.keys()):
        last = recorded.get(project)
        if last is None:
            yield f"{named(project)} has an embargo, and no entry set it"
        elif stored.get(project) != (last.body["until"], last.sequence):
            yield f"the embargo of {named(project)} is not the one that {last.place} set"
