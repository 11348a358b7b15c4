"""The webhooks of projects, as ``exchange.sqlite`` stores them, with the secrets that sign their messages."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from provrepo.errors import Conflict, NotFound
from provrepo.ledger.entries import now
from provrepo.ledger.exchange import outgoing_notices
from provrepo.ledger.exchange.database import ExchangeDatabase
from provrepo.ledger.exchange.outgoing_notices import SentNotice
from provrepo.text import quoted

__all__ = ["ACTIVE", "DISABLED", "Webhook", "Webhooks"]

ACTIVE, DISABLED = "active", "disabled"

_FORMER_SECONDS = 24 * 3600.0
"""Seconds for which messages are signed with the former secret, too, after it was replaced."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook, without its secrets.

    Attributes:
        id: its identifier.
        project: the project.
        url: the address that gets the messages.
        events: the events that it is told of.
        coverage: the limit in percent for the event ``coverage``; None without it.
        hours: the hours for the event ``silent``; None without it.
        added: the time at which it was added, xsd:dateTime in UTC.
        by: opaque identifier of the actor who added it.
        state: ``active``, or ``disabled`` after failures of several days.
        position: the last entry of the project that was announced.
        memory: what was announced last of what is no entry of the ledger.
        delivered: the time of the last delivery; empty before the first.
        failing_since: the time of the first failure since then; empty if the last attempt succeeded.
        failure: its reason.
        waiting: the number of messages that wait.
    """

    id: str
    project: str
    url: str
    events: tuple[str, ...]
    coverage: float | None
    hours: int | None
    added: str
    by: str
    state: str
    position: int
    memory: Mapping[str, Any] = field(default_factory=dict)
    delivered: str = ""
    failing_since: str = ""
    failure: str = ""
    waiting: int = 0


_COLUMNS = (
    "id, project, url, events, coverage, hours, added, by, state, position, memory, delivered, failing_since, failure"
)
_WAITING = "(SELECT count(*) FROM sent_notices WHERE webhook = webhooks.id AND state = 'waiting')"
_SELECT = f"SELECT {_COLUMNS}, {_WAITING} FROM webhooks"  # noqa: S608


class Webhooks:
    """The webhooks of a data directory."""

    def __init__(self, database: ExchangeDatabase) -> None:
        """Use the database."""
        self._database = database

    def add(self, webhook: Webhook, secret: str) -> None:
        """Store a webhook.

        Raises:
            Conflict: the project has one with this address.
        """
        with self._database.writing() as connection:
            try:
                connection.execute(
                    "INSERT INTO webhooks (id, project, url, events, coverage, hours, secret, added, by, position) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        *(webhook.id, webhook.project, webhook.url, json.dumps(webhook.events), webhook.coverage),
                        *(webhook.hours, secret, webhook.added, webhook.by, webhook.position),
                    ),
                )
            except sqlite3.IntegrityError as error:
                raise Conflict(f"{webhook.project} has a webhook with this address: remove it first") from error

    def listed(self, project: str | None = None) -> list[Webhook]:
        """Return the webhooks of a project, or all, the oldest first."""
        if not self._database.exists:
            return []
        with self._database.reading() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE coalesce(?, project) = project ORDER BY added, id", (project,)
            ).fetchall()
        return [_webhook(row) for row in rows]

    def get(self, id: str) -> Webhook:  # noqa: A002
        """Return a webhook.

        Raises:
            NotFound: there is none of this identifier.
        """
        with self._database.reading() as connection:
            row = connection.execute(f"{_SELECT} WHERE id = ?", (id,)).fetchone()
        if row is None:
            raise NotFound(f"there is no webhook {id[:80]!r}")
        return _webhook(row)

    def secrets(self, id: str) -> list[str]:  # noqa: A002
        """Return the secrets that sign messages now: the present one first, and for a day a former one."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT secret, former, former_until FROM webhooks WHERE id = ?", (id,)).fetchone()
        if row is None:
            raise NotFound(f"there is no webhook {id[:80]!r}")
        return [str(row[0]), *([str(row[1])] if row[1] and row[2] > time.time() else [])]

    def rotate(self, id: str, secret: str) -> None:  # noqa: A002
        """Replace the secret of a webhook; the former one signs for a day, too."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE webhooks SET former = secret, former_until = ?, secret = ? WHERE id = ?",
                (time.time() + _FORMER_SECONDS, secret, id),
            )
        self._database.forget()

    def remove(self, id: str) -> None:  # noqa: A002
        """Delete a webhook with its messages."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM sent_notices WHERE webhook = ?", (id,))
            connection.execute("DELETE FROM webhooks WHERE id = ?", (id,))
        self._database.forget()

    def announce(
        self,
        webhook: Webhook,
        notices: Sequence[tuple[str, SentNotice]],
        *,
        position: int | None = None,
        memory: Mapping[str, Any] | None = None,
    ) -> bool:
        """Store messages of a webhook, and up to where events were announced, in one transaction.

        Args:
            webhook: the webhook, as it was when the messages were written.
            notices: the cause and the message; one with a cause that was stored before is not stored again.
            position: the last entry that was announced; None if it stays.
            memory: the new memory; None if it stays.

        Returns:
            Whether they were stored; False if the webhook has changed meanwhile.
        """
        with self._database.writing() as connection:
            row = connection.execute("SELECT position, state FROM webhooks WHERE id = ?", (webhook.id,)).fetchone()
            if row is None or row[1] != ACTIVE or (position is not None and row[0] != webhook.position):
                return False
            for cause, notice in notices:
                outgoing_notices.enqueue(connection, cause, notice)
            connection.execute(
                "UPDATE webhooks SET position = coalesce(?, position), memory = coalesce(?, memory) WHERE id = ?",
                (position, None if memory is None else json.dumps(dict(memory)), webhook.id),
            )
        return True

    def worked(self, id: str) -> None:  # noqa: A002
        """Record a delivery."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE webhooks SET delivered = ?, failing_since = '', failure = '' WHERE id = ?", (now(), id)
            )

    def failed(self, id: str, reason: str) -> Webhook:  # noqa: A002
        """Record a failed attempt; return the webhook."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE webhooks SET failure = ?, failing_since = iif(failing_since = '', ?, failing_since) "
                "WHERE id = ?",
                (quoted(reason), now(), id),
            )
        return self.get(id)

    def disable(self, id: str) -> None:  # noqa: A002
        """Disable a webhook, and give up what waits for it."""
        with self._database.writing() as connection:
            connection.execute("UPDATE webhooks SET state = 'disabled' WHERE id = ?", (id,))
            connection.execute(
                "UPDATE sent_notices SET state = 'given-up' WHERE webhook = ? AND state = 'waiting'", (id,)
            )

    def enable(self, id: str, position: int) -> None:  # noqa: A002
        """Let a disabled webhook be told of events again, beginning after an entry of the project."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE webhooks SET state = 'active', failing_since = '', failure = '', position = ?, memory = '{}' "
                "WHERE id = ?",
                (position, id),
            )

    def purge(self, before: str) -> None:
        """Delete messages of webhooks that ended before a time."""
        with self._database.reading() as connection:
            condition = "webhook <> '' AND state <> 'waiting' AND made < ?"
            found = connection.execute(f"SELECT 1 FROM sent_notices WHERE {condition} LIMIT 1", (before,)).fetchone()  # noqa: S608
        if found is not None:
            with self._database.writing() as connection:
                connection.execute(f"DELETE FROM sent_notices WHERE {condition}", (before,))  # noqa: S608


def _webhook(row: tuple[Any, ...]) -> Webhook:
    values = list(row)
    values[3], values[10] = tuple(json.loads(values[3])), json.loads(values[10])
    return Webhook(*values)
