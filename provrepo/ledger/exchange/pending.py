"""Documents that wait for a review, as ``exchange.sqlite`` stores them, with their bytes.

The ledger has an entry when a document begins to wait and one about the decision; it decides. A row in the state
``arriving`` may lack the first entry, and a row in the state ``deciding`` may have the second: the process that was
about to record it was killed. ``repository.exchange`` compares such rows with the ledger.

If a reviewer asks for changes, the row is in the state ``changes`` until its sender replaces the bytes, which begins
the next round: a new salt, a new entry ``pending``, and the state ``waiting`` again.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any

from provrepo.errors import Damaged, NotFound
from provrepo.ledger.confidential import digest
from provrepo.ledger.entries import canonical
from provrepo.ledger.exchange.database import ExchangeDatabase

__all__ = [
    "ACCEPTED",
    "ARRIVING",
    "CHANGES",
    "DECIDING",
    "EXPIRED",
    "OPEN",
    "REJECTED",
    "WAITING",
    "Pending",
    "PendingDocuments",
    "new_id",
    "new_salt",
]

ARRIVING, WAITING, CHANGES, DECIDING = "arriving", "waiting", "changes", "deciding"
ACCEPTED, REJECTED, EXPIRED = "accepted", "rejected", "expired"

OPEN = (ARRIVING, WAITING, CHANGES, DECIDING)
"""The states before a decision. The bytes are stored in these states only."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A row about a document that waits or waited, without its bytes.

    Attributes:
        id: its identifier, which the ledger contains.
        key: the digest of what makes two deliveries the same one.
        project: the project that it was sent to.
        why: ``review`` or ``push``.
        peer: the name of the peer that sent it; empty for a submission.
        actor: opaque identifier of the sender.
        token: identifier of the token with which it was sent.
        private: ``document``, ``blob``, ``size``, ``format``, ``base``, ``report``, ``note`` and ``origin``, of which
            the ledger has a salted digest.
        salt: 32 random bytes.
        details: further values: ``title``, ``license``, ``submitter``, ``update``, ``if_match``, ``allow_empty``,
            ``profiles``, ``refused``, ``rounds`` (the former rounds).
        size: the number of its bytes.
        report: the report of the checks on arrival, as a JSON object.
        received: the time at which it arrived, xsd:dateTime in UTC.
        expires: the end of its storage; None for none.
        after: the length of the project's stream before anything was appended about it.
        entry: SHA-256 of its last entry ``pending``; empty until it is known.
        state: one of the states of this module.
        decided: the time of the decision, or at which changes were asked for; empty before it.
        by: opaque identifier of the actor who decided; empty before, and for the software itself.
        review: SHA-256 of the entry ``review``; empty before it, and if it was accepted without a review.
        reason: the reason of the decision, which the sender gets; may be empty.
        document: the name of the document as which it was accepted; empty otherwise.
        version: the version as which it was accepted.
        accepted: SHA-256 of the entry ``submit`` of that version.
    """

    id: str
    key: str
    project: str
    why: str
    peer: str
    actor: str
    token: str
    private: Mapping[str, Any]
    salt: bytes
    details: Mapping[str, Any]
    size: int
    report: Mapping[str, Any]
    received: str
    expires: str | None
    after: int
    entry: str = ""
    state: str = ARRIVING
    decided: str = ""
    by: str = ""
    review: str = ""
    reason: str = ""
    document: str = ""
    version: int | None = None
    accepted: str = ""

    @property
    def digest(self) -> str:
        """The salted digest of ``private`` that the ledger contains."""
        return digest(self.salt, canonical(self.private).decode())

    @property
    def open(self) -> bool:
        """Whether no decision was recorded."""
        return self.state in OPEN

    @property
    def name(self) -> str:
        """The name of the document that the sender chose."""
        return str(self.private["document"])

    @property
    def refused(self) -> bool:
        """Whether it did not conform when it arrived, and is stored for its submitter to mend it."""
        return bool(self.details.get("refused"))


_NAMES = [field.name for field in fields(Pending)]
_SELECT = f"SELECT {', '.join(_NAMES)} FROM pending"  # noqa: S608
_JSON = ("private", "details", "report")


class PendingDocuments:
    """The documents of a data directory that wait or waited for a review."""

    def __init__(self, database: ExchangeDatabase) -> None:
        """Use the database."""
        self._database = database

    def add(self, row: Pending, data: bytes, *, limits: tuple[int, int] | None = None) -> Pending | None:
        """Store a document that arrives, unless a row with the same key exists.

        Args:
            row: the row; its state is ``arriving``.
            data: the bytes.
            limits: the most documents of its peer that may wait, and of their bytes; None for no limit.

        Returns:
            The row of this key: the new one, or the one that exists. None if it would exceed the limits.
        """
        values = {name: getattr(row, name) for name in _NAMES}
        values |= {name: _text(values[name]) for name in _JSON}
        columns = [*_NAMES, "bytes"]
        with self._database.writing() as connection:
            known = _one(connection, "key = ?", row.key)
            if known is not None:
                return known
            if limits is not None:
                documents, stored = _load(connection, row.peer)
                if documents + 1 > limits[0] or stored + len(data) > limits[1]:
                    return None
            marks = ", ".join("?" for _ in columns)
            connection.execute(
                f"INSERT INTO pending ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608
                (*(values[name] for name in _NAMES), data),
            )
        return row

    def get(self, id: str) -> Pending:  # noqa: A002
        """Return a row.

        Raises:
            NotFound: there is none of this identifier.
        """
        with self._database.reading() as connection:
            found = _one(connection, "id = ?", id)
        if found is None:
            raise NotFound(f"nothing with the identifier {id[:80]!r} waits for a review")
        return found

    def by_key(self, key: str) -> Pending | None:
        """Return the row of a key; None if there is none."""
        with self._database.reading() as connection:
            return _one(connection, "key = ?", key)

    def of_sender(self, project: str, actor: str, document: str) -> Pending | None:
        """Return the submission of an actor under a name of a document on which nobody has decided; None if none is."""
        states = ", ".join(f"'{state}'" for state in OPEN)
        with self._database.reading() as connection:
            row = connection.execute(
                f"{_SELECT} WHERE project = ? AND actor = ? AND why = 'review' AND state IN ({states}) "
                "AND json_extract(private, '$.document') = ? ORDER BY received DESC LIMIT 1",
                (project, actor, document),
            ).fetchone()
        return None if row is None else _row(row)

    def replace(self, row: Pending, data: bytes) -> None:
        """Store the next round of a document: everything of it that is not part of a decision.

        Args:
            row: the row with its new values; its state is ``arriving``.
            data: the bytes.
        """
        names = [name for name in _NAMES if name not in ("id", "project", "why", "peer", "after", "entry")]
        values = {name: getattr(row, name) for name in names}
        values |= {name: _text(values[name]) for name in _JSON}
        sets = ", ".join(f"{name} = :{name}" for name in names)
        with self._database.writing() as connection:
            connection.execute(
                f"UPDATE pending SET {sets}, bytes = :new_bytes WHERE id = :row_id",  # noqa: S608
                {**values, "new_bytes": data, "row_id": row.id},
            )

    def forget(self) -> None:
        """Remove the bytes of former rounds from the file."""
        self._database.forget()

    def bytes_of(self, id: str) -> bytes:  # noqa: A002
        """Return the bytes of a document that waits.

        Raises:
            NotFound: there is no such row, or a decision was made.
            Damaged: the bytes have changed.
        """
        with self._database.reading() as connection:
            row = connection.execute("SELECT bytes, private FROM pending WHERE id = ?", (id,)).fetchone()
        if row is None or row[0] is None:
            raise NotFound(f"the bytes of {id[:80]!r} are no longer stored")
        if sha256(row[0]).hexdigest() != _json(row[1]).get("blob"):
            raise Damaged(f"the bytes of the pending document {id} have changed: reject it, and ask for it again")
        return bytes(row[0])

    def listed(self, project: str | None = None, states: Iterable[str] = OPEN, *, before: str = "") -> list[Pending]:
        """Return rows, the oldest first.

        Args:
            project: only of this project; None for all.
            states: only in these states.
            before: only those that expire before this time; empty for no condition.
        """
        chosen = tuple(states)
        marks = ", ".join("?" for _ in chosen)
        with self._database.reading() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE state IN ({marks}) AND coalesce(?, project) = project "
                "AND (? = '' OR expires < ?) ORDER BY received, id",
                (*chosen, project, before, before),
            ).fetchall()
        return [_row(row) for row in rows]

    def load(self, peer: str) -> tuple[int, int]:
        """Return the number of documents of a peer that wait, and of their bytes."""
        with self._database.reading() as connection:
            return _load(connection, peer)

    def load_of(self, project: str) -> tuple[int, int]:
        """Return the number of documents that wait for a review in a project, and of their bytes."""
        with self._database.reading() as connection:
            return _load(connection, project, "project")

    def change(self, id: str, *, only: Sequence[str] = (), **values: Any) -> bool:  # noqa: A002
        """Change fields of a row. The bytes are deleted if the new state is a decision.

        Args:
            id: its identifier.
            only: the states that it must have; empty for any.
            values: new values of fields.

        Returns:
            Whether there is such a row in one of these states.
        """
        state = values.get("state")
        ends = state in (ACCEPTED, REJECTED, EXPIRED)
        sets = [f"{name} = :{name}" for name in values] + ["bytes = NULL"] * ends
        states = ", ".join(f"'{state}'" for state in only)
        condition = f"AND state IN ({states})" if only else ""
        with self._database.writing() as connection:
            count = connection.execute(
                f"UPDATE pending SET {', '.join(sets)} WHERE id = :row_id {condition}",  # noqa: S608
                {**values, "row_id": id},
            ).rowcount
        if count and ends and state != ACCEPTED:  # accepted bytes are a blob now; its erasure rewrites the file
            self._database.forget()
        return bool(count)

    def purge(self, before: str) -> int:
        """Delete the rows whose decision was made before a time; return their number."""
        if not self._database.exists:
            return 0
        condition = "state IN ('accepted', 'rejected', 'expired') AND decided < ?"
        with self._database.reading() as connection:
            found = connection.execute(f"SELECT 1 FROM pending WHERE {condition} LIMIT 1", (before,)).fetchone()  # noqa: S608
        if found is None:
            return 0
        with self._database.writing() as connection:
            count = connection.execute(f"DELETE FROM pending WHERE {condition}", (before,)).rowcount  # noqa: S608
        self._database.forget()
        return count

    def remove(self, id: str) -> None:  # noqa: A002
        """Delete a row with its bytes."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM pending WHERE id = ?", (id,))
        self._database.forget()

    def verify(self) -> list[str]:
        """Return one sentence for each document whose bytes or values have changed."""
        problems = []
        for row in self.listed():
            try:
                self.bytes_of(row.id)
            except (NotFound, Damaged) as error:
                problems.append(str(error))
        return problems


def new_id() -> str:
    """Return a new identifier, a random UUID."""
    return str(uuid.uuid4())


def new_salt() -> bytes:
    """Return a new salt."""
    return secrets.token_bytes(32)


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _load(connection: sqlite3.Connection, value: str, column: str = "peer") -> tuple[int, int]:
    row = connection.execute(
        "SELECT count(*), coalesce(sum(size), 0) FROM pending "  # noqa: S608
        f"WHERE {column} = ? AND state NOT IN ('accepted', 'rejected', 'expired')",
        (value,),
    ).fetchone()
    return int(row[0]), int(row[1])


def _one(connection: sqlite3.Connection, condition: str, value: str) -> Pending | None:
    row = connection.execute(f"{_SELECT} WHERE {condition}", (value,)).fetchone()
    return None if row is None else _row(row)


def _row(row: tuple[Any, ...]) -> Pending:
    values = dict(zip(_NAMES, row, strict=True))
    return Pending(**{**values, **{name: _json(values[name]) for name in _JSON}})


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (TypeError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise Damaged("a row of pending documents was changed by other means than provrepo: restore it")
    return found
