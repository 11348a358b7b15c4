"""Links with a secret: an invitation gives a role, and a review link lets somebody read one project without an account.

The table ``invitations`` has one row for each link, with the SHA-256 of its secret. Each link that is made, followed or
revoked is an entry in the stream of its project, in the same transaction.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from provrepo.errors import NotFound
from provrepo.ledger.storage.database import Database

if TYPE_CHECKING:
    from provrepo.ledger.appending import Appending

__all__ = ["MEMBER", "REVIEW", "Invitation", "Invitations", "revoke_of"]

MEMBER, REVIEW = "member", "review"
"""The purposes of links."""

_UNKNOWN = "there is no such invitation, or it has expired, was used up or revoked; ask whoever sent it for a new one"
"""One text for all reasons, so that an answer does not disclose whether there was an invitation."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link, without its secret.

    Attributes:
        id: its identifier.
        project: the project.
        purpose: ``member`` if it gives a role, ``review`` if it lets somebody read the project without an account.
        role: the role that it gives; empty for a review.
        label: for whom it is, as its maker wrote; may be empty.
        actor: opaque identifier of the actor who made it.
        by: the current name of that actor.
        created: xsd:dateTime in UTC.
        expires: xsd:dateTime in UTC at which it ends.
        most: how often it can be followed; 0 for any number.
        uses: how often it was followed.
        used: xsd:dateTime in UTC at which it was followed last; empty for never.
        ended: xsd:dateTime in UTC at which it was revoked; empty if it was not.
    """

    id: str
    project: str
    purpose: str
    role: str
    label: str
    actor: str
    by: str
    created: str
    expires: str
    most: int
    uses: int
    used: str
    ended: str

    def is_open(self, time: str, *, to_follow: bool = True) -> bool:
        """Return whether it is in force.

        Args:
            time: the present time, xsd:dateTime in UTC.
            to_follow: whether it has to be followed once more, so that its number of uses counts.
        """
        used_up = to_follow and bool(self.most) and self.uses >= self.most
        return not self.ended and time < self.expires and not used_up

    def to_dict(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)


_SELECT = (
    "SELECT i.id, i.project, i.purpose, i.role, i.label, i.actor, a.name, i.created, i.expires, i.most, i.uses, "
    "coalesce(i.used, ''), coalesce(i.ended, '') FROM invitations AS i JOIN actors AS a ON a.id = i.actor"
)


class Invitations:
    """The links of a data directory, in the ledger's database."""

    def __init__(self, database: Database) -> None:
        """Use the ledger's database."""
        self._database = database

    def listed(self, project: str) -> list[Invitation]:
        """Return the links of a project, the newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE i.project = ? ORDER BY i.created DESC, i.id", (project,)
            ).fetchall()
        return [Invitation(*row) for row in rows]

    def find(self, id: str) -> Invitation | None:  # noqa: A002
        """Return a link in any state; None if there is none."""
        with self._database.reading() as connection:
            row = connection.execute(f"{_SELECT} WHERE i.id = ?", (id,)).fetchone()
        return None if row is None else Invitation(*row)

    def get(self, id: str, time: str) -> Invitation:  # noqa: A002
        """Return a link that can be followed.

        Raises:
            NotFound: there is none.
        """
        found = self.find(id)
        if found is None or not found.is_open(time):
            raise NotFound(_UNKNOWN)
        return found

    @staticmethod
    def make(
        appending: Appending,
        *,
        purpose: str,
        role: str,
        label: str,
        actor: str,
        token: str,
        created: str,
        expires: str,
        most: int,
    ) -> tuple[str, str]:
        """Make a link, in the transaction that appends its entry; the arguments are as for ``Invitation``.

        Returns:
            Its secret of 256 random bits, which is stored nowhere, and its identifier.
        """
        secret, id_ = secrets.token_urlsafe(32), secrets.token_hex(16)
        digest = _digest(secret)
        appending.connection.execute(
            "INSERT INTO invitations (id, project, purpose, role, secret, label, actor, created, expires, most, uses) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
            (id_, appending.project, purpose, role, digest, label, actor, created, expires, most),
        )
        _record(appending, id_, "made", actor=actor, token=token)
        return secret, id_

    @staticmethod
    def follow(appending: Appending, id: str, secret: str, time: str, *, actor: str, token: str) -> None:  # noqa: A002
        """Count that a link was followed, in the transaction that appends the entry.

        Args:
            appending: the stream of its project.
            id: its identifier.
            secret: its secret.
            time: the present time, xsd:dateTime in UTC.
            actor: opaque identifier of who follows it.
            token: identifier of the token of the request; may be empty.

        Raises:
            NotFound: there is none with this secret that can be followed.
        """
        row = appending.connection.execute("SELECT secret FROM invitations WHERE id = ?", (id,)).fetchone()
        right = hmac.compare_digest(_digest(secret), str(row[0]) if row else _digest(""))
        count = appending.connection.execute(
            "UPDATE invitations SET uses = uses + 1, used = ?1 WHERE id = ?2 AND project = ?3 AND ?4 "
            "AND ended IS NULL AND expires > ?1 AND (most = 0 OR uses < most)",
            (time, id, appending.project, right),
        ).rowcount
        if not count:
            raise NotFound(_UNKNOWN)
        _record(appending, id, "used", actor=actor, token=token)

    @staticmethod
    def revoke(appending: Appending, id: str, time: str, *, actor: str, token: str) -> bool:  # noqa: A002
        """Revoke a link, in the transaction that appends the entry; return whether it was in force."""
        count = appending.connection.execute(
            "UPDATE invitations SET ended = ? WHERE id = ? AND project = ? AND ended IS NULL",
            (time, id, appending.project),
        ).rowcount
        if count:
            _record(appending, id, "revoked", actor=actor, token=token)
        return bool(count)


def revoke_of(appending: Appending, maker: str, time: str, *, actor: str, token: str) -> None:
    """Revoke the links of a project that an actor has made, who may not manage the project any more."""
    rows = appending.connection.execute(
        "SELECT id FROM invitations WHERE project = ? AND actor = ? AND ended IS NULL AND expires > ? ORDER BY id",
        (appending.project, maker, time),
    ).fetchall()
    for (id_,) in rows:
        Invitations.revoke(appending, str(id_), time, actor=actor, token=token)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _record(appending: Appending, id: str, state: str, *, actor: str, token: str) -> None:  # noqa: A002
    row = appending.connection.execute(
        "SELECT purpose, role, secret, expires FROM invitations WHERE id = ?", (id,)
    ).fetchone()
    purpose, role, digest, expires = row
    body = {"invitation": id, "purpose": purpose, "role": role, "digest": digest, "expires": expires, "state": state}
    appending.append("invitation", body, actor=actor, token=token)


def problems(connection: sqlite3.Connection) -> list[str]:
    """Return one sentence for each link that differs from its entries."""
    found = []
    rows = connection.execute(
        "SELECT i.id, i.project, i.uses, i.ended IS NOT NULL, i.purpose, i.role, i.secret, i.expires, "
        "count(*) FILTER (WHERE json_extract(CAST(e.data AS TEXT), '$.state') = 'used'), "
        "count(*) FILTER (WHERE json_extract(CAST(e.data AS TEXT), '$.state') = 'revoked'), "
        "count(*) FILTER (WHERE json_extract(CAST(e.data AS TEXT), '$.state') = 'made' "
        "AND json_extract(CAST(e.data AS TEXT), '$.purpose') = i.purpose "
        "AND json_extract(CAST(e.data AS TEXT), '$.role') = i.role "
        "AND json_extract(CAST(e.data AS TEXT), '$.digest') = i.secret "
        "AND json_extract(CAST(e.data AS TEXT), '$.expires') = i.expires) "
        "FROM invitations AS i LEFT JOIN entries AS e ON e.project = i.project AND e.kind = 'invitation' "
        "AND e.stream IS NULL AND json_valid(CAST(e.data AS TEXT)) "
        "AND json_extract(CAST(e.data AS TEXT), '$.invitation') = i.id GROUP BY i.id ORDER BY i.id"
    ).fetchall()
    for id_, project, uses, ended, *_, used, revoked, made in rows:
        if made != 1:
            found.append(f"the invitation {id_} of project {project} is not the one that an entry made")
        elif uses != used or ended != revoked:
            found.append(
                f"the invitation {id_} of project {project} was used or revoked otherwise than its entries say"
            )
    return found
