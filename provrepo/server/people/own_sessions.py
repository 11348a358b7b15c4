"""The sessions of a person who has signed in: where they began, when they were used, and their end."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for

from provrepo.errors import NotFound
from provrepo.server.pages import pages
from provrepo.server.pages.signing import to
from provrepo.server.protocol import auth, sessions
from provrepo.server.protocol.negotiate import HTML, JSON, choose
from provrepo.server.protocol.respond import json_response

__all__ = ["blueprint"]

blueprint = Blueprint("own_sessions", __name__)


@blueprint.get("/sessions")
def listed() -> Response:
    """The own sessions, the one that was used last first, with the name of the browser."""
    current = auth.session()
    found = [
        {
            "id": session.id,
            "begun": session.since,
            "used": used,
            "browser": session.browser,
            "token": session.token or None,
            "current": current is not None and session.id == current.id,
        }
        for session, used in auth.sessions_of(auth.repository().actor.id)
    ]
    if choose((JSON, HTML)).name == HTML.name:
        response = pages.page("sessions.html", sessions=found)
    else:
        response = json_response({"sessions": found})
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.delete("/sessions/<session>")
def remove(session: str) -> Response:
    """End an own session; the form token is in the header ``Provrepo-Form``."""
    auth.require_form()
    _end(session)
    return Response(status=204)


@blueprint.post("/sessions/<session>/end")
def end(session: str) -> Response:
    """End an own session, by a form."""
    auth.require_form()
    _end(session)
    return to(url_for("own_sessions.listed"))


@blueprint.post("/sessions/end")
def end_all() -> Response:
    """End all own sessions, this one too, by a form."""
    auth.require_form()
    auth.end_sessions(auth.repository().actor.id)
    response = to(url_for("sessions.who"))
    sessions.set_cookie(response, request, auth.store().base(), "")
    return response


def _end(session: str) -> None:
    if not auth.end_sessions(auth.repository().actor.id, session or "-"):
        raise NotFound(f"you have no session {session[:40]!r}; it may have ended")
