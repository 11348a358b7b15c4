"""Verbs about invitations and review links, at a distance."""

from __future__ import annotations

import json

from provrepo.errors import RemoteError
from provrepo.ledger.governance.invitations import Invitation
from provrepo.remote.connection import Connection
from provrepo.remote.decoding import decoded

__all__ = ["invitations", "invite", "revoke_invitation"]


def invite(
    connection: Connection, project: str, role: str, *, days: int = 14, uses: int | None = None, label: str = ""
) -> tuple[str, Invitation]:
    """Make a link, and return its secret."""
    wanted = {"role": role, "days": days, "label": label, **({} if uses is None else {"uses": uses})}
    with connection.understanding():
        found = connection.json(
            "POST",
            connection.project(project, "invitations"),
            project=project,
            headers={"Content-Type": "application/json"},
            content=json.dumps(wanted).encode("ascii"),
        )
        secret = str(found["link"]).partition("#")[2]
        if not secret:
            raise RemoteError("the server made a link without a secret")
        return secret, decoded(Invitation, found)


def invitations(connection: Connection, project: str) -> list[Invitation]:
    """Return the links of a project."""
    path = connection.project(project, "invitations")
    with connection.understanding():
        return [decoded(Invitation, item) for item in connection.json("GET", path, project=project)["invitations"]]


def revoke_invitation(connection: Connection, project: str, id: str) -> Invitation:  # noqa: A002
    """Revoke a link."""
    return connection.record(Invitation, "DELETE", connection.project(project, "invitations", id), project=project)
