"""The links of a project that give a role, or let somebody read it without an account."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, url_for

from provrepo.ledger.entries import now
from provrepo.ledger.governance.invitations import Invitation
from provrepo.server.protocol import addresses, auth, body
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import conditional, json_response

__all__ = ["blueprint", "link"]

blueprint = Blueprint("invitations", __name__)

_MEMBERS: dict[str, type] = {"role": str, "days": int, "uses": int, "label": str}


@blueprint.get("/projects/<project>/invitations")
def listed(project: str) -> Response:
    """The links of a project in all states, the newest first; without their secrets."""
    found = [shown(link) for link in auth.repository().invitations(project)]
    return conditional(json_response({"project": project, "invitations": found}))


@blueprint.post("/projects/<project>/invitations")
def make(project: str) -> Response:
    """Make a link; the answer has its address with the secret, which is stored nowhere."""
    given = body.json_object()
    wrong = [name for name, value in given.items() if name not in _MEMBERS or type(value) is not _MEMBERS[name]]
    if "role" not in given or wrong:
        raise Rejected(400, 'send {"role": "reader"}, if need be with "days", "uses" and "label", and nothing else')
    secret, made = auth.repository().invite(project, given.pop("role"), **given)
    answer = json_response({**shown(made), "link": link(made.id, secret)}, status=201)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.delete("/projects/<project>/invitations/<invitation>")
def revoke(project: str, invitation: str) -> Response:
    """Revoke a link. Sessions of a review link end; roles that an invitation gave stay."""
    return json_response(shown(auth.repository().revoke_invitation(project, invitation)))


def link(id_: str, secret: str) -> str:
    """The address that is sent to somebody. The secret is its fragment, which browsers send to no server."""
    return addresses.absolute(url_for("joining.one", invitation=id_)) + "#" + secret


def shown(found: Invitation) -> dict[str, Any]:
    """A link as a JSON object with its state."""
    return {**found.to_dict(), "open": found.is_open(now())}
