"""The people of the repository, for administrators: as JSON for programs, and as a page."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, url_for

from provrepo.server.pages import pages
from provrepo.server.protocol import auth, body
from provrepo.server.protocol.negotiate import HTML, JSON, choose
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import json_response

__all__ = ["FIELDS", "blueprint", "put_administrator"]

blueprint = Blueprint("users", __name__)

FIELDS = ("name", "email", "orcid", "affiliation", "ror")
"""What is known of a person."""


@blueprint.get("/users")
def listed() -> Response:
    """The people of the repository by name, with the administrators among them."""
    repo = auth.repository()
    administrators = {one.actor for one in repo.administrators()}
    found = [{**user.to_dict(), "administrator": user.actor in administrators} for user in repo.users()]
    if choose((JSON, HTML)).name == HTML.name:
        response = pages.page("people.html", people=found)
    else:
        response = json_response({"users": found})
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/users")
def add() -> Response:
    """Add a person."""
    given = _given()
    if not given.get("name"):
        raise Rejected(400, 'send {"name": "NAME"}, maybe with email, orcid, affiliation, ror and administrator')
    administrator = given.pop("administrator", False)
    added = auth.repository().add_user(**given)
    put_administrator(added.actor, administrator)
    headers = {"Location": url_for("users.change", who=added.actor)}
    return json_response({**added.to_dict(), "administrator": administrator}, status=201, headers=headers)


@blueprint.patch("/users/<who>")
def change(who: str) -> Response:
    """Change what is known of a person, or whether it administers the repository; missing members stay."""
    given, repo = _given(), auth.repository()
    administrator = given.pop("administrator", None)
    changed = repo.set_user(who, **given)
    if administrator is not None:
        put_administrator(changed.actor, administrator)
    administrators = {one.actor for one in repo.administrators()}
    return json_response({**changed.to_dict(), "administrator": changed.actor in administrators})


@blueprint.delete("/users/<who>")
def remove(who: str) -> Response:
    """Erase a person and what is known of it; its roles, tokens and sessions end."""
    auth.end_sessions(auth.repository().remove_user(who).actor)
    return Response(status=204)


def put_administrator(actor: str, administrator: bool) -> None:
    """Make a person an administrator of the repository, or an ordinary one."""
    auth.repository().set_administrator(actor, administrator)


def _given() -> dict[str, Any]:
    given = body.json_object()
    for name, value in given.items():
        if name not in (*FIELDS, "administrator"):
            raise Rejected(400, f"a person has no {name[:60]!r}; it has: {', '.join(FIELDS)}, administrator")
        if not isinstance(value, bool if name == "administrator" else str):
            raise Rejected(400, f"{name} is {'true or false' if name == 'administrator' else 'text'}")
    return given
