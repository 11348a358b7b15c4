"""The forms of the page about people, which work without a script."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for

from provrepo.server.pages.signing import to
from provrepo.server.people.users import FIELDS, put_administrator
from provrepo.server.protocol import auth, forms

__all__ = ["blueprint"]

blueprint = Blueprint("people", __name__)


@blueprint.post("/users/add")
def add() -> Response:
    """Add a person, by a form."""
    auth.require_form()
    added = auth.repository().add_user(**_fields())
    if "administrator" in request.form:
        put_administrator(added.actor, True)
    return _done()


@blueprint.post("/users/<who>/change")
def change(who: str) -> Response:
    """Change what is known of a person, by a form with all fields."""
    auth.require_form()
    changed = auth.repository().set_user(who, **_fields())
    put_administrator(changed.actor, "administrator" in request.form)
    return _done()


@blueprint.post("/users/<who>/remove")
def remove(who: str) -> Response:
    """Erase a person, by a form; its roles, tokens and sessions end."""
    auth.require_form()
    auth.end_sessions(auth.repository().remove_user(who).actor)
    return _done()


@blueprint.post("/users/<who>/sign-out")
def sign_out(who: str) -> Response:
    """End all sessions of a person, by a form; tokens stay valid."""
    auth.require_form()
    auth.end_sessions(auth.repository().user(who).actor)
    return _done()


@blueprint.post("/users/<who>/unlink")
def unlink(who: str) -> Response:
    """Forget with which accounts a person has signed in, by a form; the next sign-in is a first one."""
    auth.require_form()
    auth.repository().unlink_user(who)
    return _done()


def _fields() -> dict[str, str]:
    forms.only((*FIELDS, "administrator"))
    return {name: request.form.get(name, "") for name in FIELDS}


def _done() -> Response:
    return to(url_for("users.listed"))
