"""Sessions of browsers: a page on which a token is posted once, who the caller is, and the end of the session."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from flask import Blueprint, Response, request, url_for

from provrepo.server.pages import pages
from provrepo.server.protocol import auth, body, sessions
from provrepo.server.protocol.negotiate import HTML, JSON, choose, prefers_html
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import conditional, json_response

__all__ = ["blueprint", "local", "to"]

blueprint = Blueprint("sessions", __name__)

_PATH = re.compile(r"/(?![/\\])[\x21-\x7e]*")
"""A path on this server; two slashes, or a slash and a backslash, would begin the name of another."""


@blueprint.get("/session")
def who() -> Response:
    """Who the caller is, and what the token of the caller gives access to; without a token, a form for one."""
    actor = auth.repository().actor
    if choose((JSON, HTML)).name == HTML.name:
        return conditional(_page(local(request.args.get("next", "") or _referring())))
    found: dict[str, Any] = {"name": actor.name, "token": actor.token or None, "write": actor.write}
    projects = None if actor.projects is None else list(actor.projects)
    session = auth.session() is not None
    return json_response({**found, "projects": projects, "session": session, "signed_in": actor.signed_in})


@blueprint.post("/session")
def begin() -> Response:
    """Begin a session: the form has a token, which is not kept; the answer has the cookie of the session."""
    body.require_form(body.FORM)
    # A session that the browser has already ends, so that the form needs no form token of it.
    if "Authorization" in request.headers or not sessions.from_here(request, auth.store().base()):
        raise Rejected(403, "sign in on the page /session of this server; programs send the token with each request")
    found = auth.begin_session(request.form.get("token", ""))
    target = local(request.form.get("next", ""))
    if found is None:
        wrong = "This token is unknown, expired or revoked."
        if not prefers_html():
            raise Rejected(403, wrong)
        page = _page(target, wrong)
        page.status_code = 403
        return page
    response = to(target)
    sessions.set_cookie(response, request, auth.store().base(), found[0])
    return response


@blueprint.delete("/session")
def end() -> Response:
    """End the session of the cookie; the form token is in the header ``Provrepo-Form``."""
    return _ended(Response(status=204))


@blueprint.post("/session/end")
def end_by_form() -> Response:
    """End the session of the cookie, by a form, which has the form token."""
    return _ended(to(url_for("sessions.who")))


def _ended(response: Response) -> Response:
    auth.require_form()
    auth.end_session()
    sessions.set_cookie(response, request, auth.store().base(), "")
    return response


def _page(target: str, wrong: str = "") -> Response:
    settings = auth.store().settings
    # The names of header fields are nobody's business: the button is the same.
    button = settings.sign_in_label if settings.sign_in_issuer or settings.sign_in_header else ""
    return pages.page("session.html", actor=auth.repository().actor, target=target, wrong=wrong, button=button)


def _referring() -> str:
    """Path and query of the page of this server that led here; empty for none. No page names its address to sign in.

    The page about a project that does not exist must have the same bytes as that of one that the caller may not read.
    """
    found = urlsplit(request.headers.get("Referer", ""))
    here = found.netloc == request.host and found.path != url_for("sessions.who")
    return urlunsplit(found._replace(scheme="", netloc="", fragment="")) if here else ""


def to(path: str) -> Response:
    """An answer that leads to a page; the browser asks for it with GET."""
    return Response(status=303, headers={"Location": path, "Cache-Control": "no-store"})


def local(path: str) -> str:
    """A path on this server to go to next; the home page for anything else."""
    return path if _PATH.fullmatch(path) else url_for("pages.home")
