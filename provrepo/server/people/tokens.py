"""Tokens that people make for themselves in a session that began with a sign-in, by forms that need no script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request, url_for

from provrepo.repository.people.roles import Right
from provrepo.repository.people.tokens import DAYS, HOURS, MOST_DAYS
from provrepo.server.pages import pages
from provrepo.server.pages.signing import to
from provrepo.server.protocol import auth, forms
from provrepo.server.protocol.negotiate import HTML, JSON, choose
from provrepo.server.protocol.respond import json_response

if TYPE_CHECKING:
    from provrepo.ledger.accounts import Token

__all__ = ["blueprint"]

blueprint = Blueprint("tokens", __name__)


@blueprint.get("/tokens")
def listed() -> Response:
    """The own tokens of a person who has signed in, without their secrets, and a form for another one."""
    found = auth.repository().tokens()
    if choose((JSON, HTML)).name == HTML.name:
        return _page(found)
    return _unkept(json_response({"tokens": [token.to_dict() for token in found]}))


@blueprint.post("/tokens")
def make() -> Response:
    """Make a token of the person who has signed in, by a form; the answer alone has its text."""
    auth.require_form()
    forms.only(("label", "scope", "project", "days"))
    repo = auth.repository()
    made = repo.create_token(
        repo.actor.name,
        label=forms.field("label"),
        scopes=request.form.getlist("scope"),
        projects=forms.field("project").replace(",", " ").split() or None,
        days=forms.whole("days", DAYS) or 0,
    )
    return _told(*made)


@blueprint.post("/tokens/<token>/rotate")
def rotate(token: str) -> Response:
    """Replace an own token by a new one, whose text the answer alone has; the former one stays valid for some hours."""
    auth.require_form()
    forms.only(("hours", "days"))
    hours, days = forms.whole("hours", HOURS) or 0, forms.whole("days") or None
    made = auth.repository().rotate_token(token, hours=hours, days=days)
    return _told(*made)


@blueprint.post("/tokens/<token>/revoke")
def revoke(token: str) -> Response:
    """Revoke an own token, by a form."""
    auth.require_form()
    forms.only(())
    auth.repository().revoke_token(token)
    return to(url_for("tokens.listed"))


@blueprint.post("/tokens/revoke")
def revoke_all() -> Response:
    """Revoke all own tokens, by a form."""
    auth.require_form()
    forms.only(())
    auth.repository().revoke_tokens()
    return to(url_for("tokens.listed"))


@blueprint.delete("/tokens/<token>")
def remove(token: str) -> Response:
    """Revoke an own token; the form token is in the header ``Provrepo-Form``."""
    auth.require_form()
    auth.repository().revoke_token(token)
    return Response(status=204)


def _told(text: str, made: Token) -> Response:
    if choose((JSON, HTML)).name == HTML.name:
        response = _page(auth.repository().tokens(), text, made)
        response.status_code = 201
        return response
    return _unkept(json_response({"token": text, **made.to_dict()}, status=201))


def _page(tokens: list[Token], text: str = "", made: Token | None = None) -> Response:
    tokens = sorted(tokens, key=lambda token: (not token.valid, token.created))
    return _unkept(
        pages.page("tokens.html", tokens=tokens, text=text, made=made, rights=list(Right), days=DAYS, most=MOST_DAYS)
    )


def _unkept(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
