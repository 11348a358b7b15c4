"""The page to which a link leads: what it gives and by whom, and the form that follows it.

The secret of a link is the fragment of its address. Browsers send it to no server. So it is in no access log, of this
server or of a proxy, and in no ``Referer``, and programs that look at addresses in messages do not use the link up. A
script copies it into the form; without the script, the link is pasted there.
"""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for

from provrepo.ledger.governance.invitations import REVIEW
from provrepo.server.pages import pages
from provrepo.server.protocol import auth, sessions
from provrepo.server.protocol.negotiate import HTML, JSON, choose
from provrepo.server.protocol.respond import conditional, json_response

__all__ = ["blueprint"]

blueprint = Blueprint("joining", __name__)


@blueprint.get("/invitations/<invitation>")
def one(invitation: str) -> Response:
    """What a link gives, by whom, and until when; one that cannot be followed is not found."""
    found = auth.repository().invitation(invitation)
    if choose((JSON, HTML)).name == HTML.name:
        return conditional(pages.page("invitation.html", invitation=found, actor=auth.repository().actor))
    given = {"project": found.project, "purpose": found.purpose, "role": found.role, "by": found.by}
    return json_response({"id": found.id, **given, "expires": found.expires})


@blueprint.post("/invitations/<invitation>")
def follow(invitation: str) -> Response:
    """Follow a link, by a form with its secret: take its role, or begin a session that reads its project."""
    auth.require_form()
    repo = auth.repository()
    # Without the script, the whole link is pasted.
    secret = request.form.get("secret", "").strip().rpartition("#")[2]
    found = repo.invitation(invitation)
    response = Response(
        status=303, headers={"Location": url_for("projects.one", project=found.project), "Cache-Control": "no-store"}
    )
    if found.purpose == REVIEW:
        cookie = auth.begin_session_as(repo.follow_review_link(invitation, secret))
        sessions.set_cookie(response, request, auth.store().base(), cookie)
    else:
        repo.accept_invitation(invitation, secret)
    return response
