"""The outbox of notices, as ``exchange.sqlite`` stores it: what is sent to whom, and whether it was acknowledged."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from provrepo.ledger.entries import now
from provrepo.ledger.exchange import holders
from provrepo.ledger.exchange.database import ExchangeDatabase
from provrepo.ledger.exchange.holders import Holder
from provrepo.text import quoted

__all__ = ["STATES", "OutgoingNotices", "SentNotice", "acknowledge", "enqueue", "find", "repeat"]

STATES = ("waiting", "delivered", "acknowledged", "refused", "given-up")
"""The states of a notice. One that is delivered and not acknowledged is sent again later, a few times."""


@dataclass(frozen=True, slots=True)
class SentNotice:
    """A notice to a holder.

    Attributes:
        id: its identifier.
        about: ``withdrawn``, ``corrected``, ``erased`` or ``derived``.
        project: the project here that it is about; for an acknowledgment the one at the peer.
        document: the document.
        version: the version.
        peer: the name of the peer that gets it; empty for an address that the operator named.
        url: that address; empty for a peer.
        protocol: ``inbox``, ``pingback`` or ``webhook``.
        answers: the identifier of the notice that it acknowledges; empty for none.
        state: one of ``STATES``.
        made: the time at which it was written, xsd:dateTime in UTC.
        attempts: the number of attempts since it was written, or was last to be sent again.
        asked: how often it was sent again because no acknowledgment came.
        due: the time of the next attempt, in seconds since the epoch.
        delivered: the time at which the inbox accepted it; may be empty.
        acknowledged: the time of the acknowledgment; may be empty.
        failure: the reason of the last failure; may be empty.
        body: its text.
        webhook: the identifier of the webhook that gets it; empty for a notice.
    """

    id: str
    about: str
    project: str
    document: str
    version: int
    peer: str
    url: str
    protocol: str
    answers: str
    state: str = "waiting"
    made: str = ""
    attempts: int = 0
    asked: int = 0
    due: float = 0.0
    delivered: str = ""
    acknowledged: str = ""
    failure: str = ""
    body: bytes = b""
    webhook: str = ""

    @property
    def target(self) -> tuple[str, str]:
        """The peer and the address, one of which is empty."""
        return self.peer, self.url

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object, without its text."""
        names = (
            *("id", "about", "project", "document", "version", "peer", "url", "protocol", "answers", "state", "made"),
            *("attempts", "asked", "delivered", "acknowledged", "failure"),
        )
        return {"direction": "sent", **{name: getattr(self, name) for name in names}}


_SELECT = (
    "SELECT id, about, project, document, version, peer, url, protocol, answers, state, made, attempts, asked, due, "
    "delivered, acknowledged, failure, body, webhook FROM sent_notices"
)


class OutgoingNotices:
    """The outbox of notices of a data directory. Threads and processes may share it."""

    def __init__(self, database: ExchangeDatabase) -> None:
        """Use the database."""
        self._database = database

    def to_announce(self) -> list[tuple[str, int, list[Holder]]]:
        """Return the projects that have holders, each with its last entry that was announced, and its holders."""
        with self._database.reading() as connection:
            found: dict[str, list[Holder]] = {}
            for holder in holders.of_project(connection, None):
                found.setdefault(holder.project, []).append(holder)
            positions = dict(connection.execute("SELECT project, sequence FROM announced").fetchall())
        return [(project, int(positions.get(project, 0)), of) for project, of in found.items()]

    def announce(self, project: str, before: int, after: int, notices: Sequence[tuple[str, SentNotice]]) -> bool:
        """Store the notices about the entries of a project between two sequence numbers, once.

        Args:
            project: the project.
            before: the last entry that was announced.
            after: the last entry of those that the notices are about.
            notices: the SHA-256 of the entry, and the notice.

        Returns:
            Whether they were stored; False if another process has announced the entries, or a holder was added.
        """
        with self._database.writing() as connection:
            row = connection.execute("SELECT sequence FROM announced WHERE project = ?", (project,)).fetchone()
            if row is None or int(row[0]) != before:
                return False
            for cause, notice in notices:
                enqueue(connection, cause, notice)
            connection.execute("UPDATE announced SET sequence = ? WHERE project = ?", (after, project))
        return True

    def derived_up_to(self, project: str) -> int:
        """Return the last entry of a project whose derivations were announced; 0 before the first.

        For the empty name it is the position of the ledger up to which all projects were considered.
        """
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT sequence FROM announced WHERE project = ?", (_DERIVED + project,)
            ).fetchone()
        return int(row[0]) if row else 0

    def set_derived_up_to(self, project: str, sequence: int) -> None:
        """Record the last entry of a project whose derivations were announced."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO announced (project, sequence) VALUES (?1, ?2) "
                "ON CONFLICT (project) DO UPDATE SET sequence = max(sequence, ?2)",
                (_DERIVED + project, sequence),
            )

    def add(self, cause: str, notice: SentNotice) -> bool:
        """Store one notice; return False if its target has got one with this cause."""
        with self._database.writing() as connection:
            return enqueue(connection, cause, notice)

    def due(self, at: float | None, limit: int = 100, *, without: Sequence[tuple[str, str]] = ()) -> list[SentNotice]:
        """Return the notices to send now, those that wait longest first.

        Args:
            at: the time in seconds since the epoch; None for all that wait.
            limit: the most notices.
            without: the targets to leave out.
        """
        with self._database.reading() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE state = 'waiting' AND due <= coalesce(?, due) ORDER BY due, number", (at,)
            )
            left_out, found = set(without), []
            for row in rows:
                notice = SentNotice(*row)
                if notice.target not in left_out:
                    found.append(notice)
                    if len(found) == limit:
                        break
            rows.close()
        return found

    def delivered(self, id: str, *, final: bool, ask_again: float) -> None:  # noqa: A002
        """Record that the address accepted a notice.

        Args:
            id: its identifier.
            final: whether no acknowledgment is expected.
            ask_again: the time of the next attempt if none comes, in seconds since the epoch.
        """
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE sent_notices SET state = 'delivered', delivered = iif(delivered = '', ?2, delivered), "
                "attempts = attempts + 1, due = ?3, failure = '' WHERE id = ?1 AND state <> 'acknowledged'",
                (id, now(), -1.0 if final else ask_again),
            )

    def failed(self, id: str, reason: str, *, state: str, due: float) -> None:  # noqa: A002
        """Record a failed attempt.

        Args:
            id: the identifier of the notice.
            reason: the reason, without secrets.
            state: ``waiting``, ``refused`` or ``given-up``.
            due: the time of the next attempt, in seconds since the epoch.
        """
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE sent_notices SET state = ?, attempts = attempts + 1, due = ?, failure = ? "
                "WHERE id = ? AND state = 'waiting'",
                (state, due, quoted(reason), id),
            )

    def postpone(self, target: tuple[str, str], due: float) -> None:
        """Try nothing that waits for a target before a time, since the target cannot be reached."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE sent_notices SET due = max(due, ?) WHERE peer = ? AND url = ? AND state = 'waiting'",
                (due, *target),
            )

    def ask_again(self, at: float | None, most: int) -> int:
        """Let the notices wait again that were delivered and not acknowledged in time.

        Args:
            at: the time in seconds since the epoch; None for all of them.
            most: how often a notice is asked again.

        Returns:
            The number of these notices.
        """
        if not self._database.exists:
            return 0
        with self._database.writing() as connection:
            return connection.execute(
                "UPDATE sent_notices SET state = 'waiting', asked = asked + 1, attempts = 0 "
                "WHERE state = 'delivered' AND due >= 0 AND due <= coalesce(?, due) AND asked < ?",
                (at, most),
            ).rowcount

    def try_again(self) -> int:
        """Let the notices wait again that were refused or given up; return their number."""
        if not self._database.exists:
            return 0
        with self._database.writing() as connection:
            return connection.execute(
                "UPDATE sent_notices SET state = 'waiting', due = 0 WHERE state IN ('refused', 'given-up')"
            ).rowcount

    def listed(self, project: str | None = None, document: str | None = None) -> list[SentNotice]:
        """Return the notices about a project or document, or all, the oldest first. Acknowledgments are not listed."""
        with self._database.reading() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE answers = '' AND webhook = '' AND coalesce(?, project) = project "
                "AND coalesce(?, document) = document ORDER BY number",
                (project, document),
            ).fetchall()
        return [SentNotice(*row) for row in rows]

    def counted(self, project: str | None = None) -> dict[str, int]:
        """Return the number of notices about a project, or all, by their state. Acknowledgments are not counted."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT state, count(*) FROM sent_notices WHERE answers = '' AND webhook = '' "
                "AND coalesce(?, project) = project "
                "GROUP BY state",
                (project,),
            ).fetchall()
        return {str(state): int(number) for state, number in rows}

    def find(self, id: str) -> SentNotice | None:  # noqa: A002
        """Return a notice; None if there is none with this identifier."""
        with self._database.reading() as connection:
            return find(connection, id)

    def unrecorded(self) -> list[SentNotice]:
        """Return the delivered notices that the ledger has no entry of yet."""
        with self._database.reading() as connection:
            rows = connection.execute(f"{_SELECT} WHERE recorded = 0 AND delivered <> '' ORDER BY number").fetchall()
        return [SentNotice(*row) for row in rows]

    def recorded(self, id: str) -> None:  # noqa: A002
        """Record that the ledger has an entry of a notice."""
        with self._database.writing() as connection:
            connection.execute("UPDATE sent_notices SET recorded = 1 WHERE id = ?", (id,))


_DERIVED = "derived:"
"""The prefix of a project in the table ``announced``, where its derivations are announced. No name has a colon."""


def enqueue(connection: sqlite3.Connection, cause: str, notice: SentNotice) -> bool:
    """Store a notice inside a transaction, unless its target has got one with this cause; return whether it is new."""
    found = connection.execute(
        "INSERT INTO sent_notices (cause, id, about, project, document, version, peer, url, protocol, answers, state, "
        "made, body, webhook, recorded) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', ?, ?, ?, ?) "
        "ON CONFLICT (cause, peer, url) DO NOTHING",
        (
            *(cause, notice.id, notice.about, notice.project, notice.document, notice.version),
            *(notice.peer, notice.url, notice.protocol, notice.answers, now(), notice.body),
            # The ledger has no entries of messages to webhooks.
            *(notice.webhook, int(bool(notice.webhook))),
        ),
    )
    return found.rowcount == 1


def repeat(connection: sqlite3.Connection, cause: str, peer: str, due: float) -> None:
    """Let a delivered acknowledgment wait again, since the peer has asked again."""
    connection.execute(
        "UPDATE sent_notices SET state = 'waiting', due = ?, attempts = 0 "
        "WHERE cause = ? AND peer = ? AND state <> 'waiting'",
        (due, cause, peer),
    )


def acknowledge(connection: sqlite3.Connection, id: str, peer: str) -> SentNotice | None:  # noqa: A002
    """Record the acknowledgment of a notice by the peer that got it; return the notice, None if it got none such."""
    found = find(connection, id)
    if found is None or found.peer != peer or found.answers:
        return None
    connection.execute(
        "UPDATE sent_notices SET state = 'acknowledged', acknowledged = iif(acknowledged = '', ?2, acknowledged), "
        "delivered = iif(delivered = '', ?2, delivered), failure = '' WHERE id = ?1",
        (id, now()),
    )
    return found


def find(connection: sqlite3.Connection, id: str) -> SentNotice | None:  # noqa: A002
    """Return a notice; None if there is none with this identifier."""
    row = connection.execute(f"{_SELECT} WHERE id = ?", (id,)).fetchone()
    return None if row is None else SentNotice(*row)
