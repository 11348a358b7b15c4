"""The page on which administrators create a project."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for

from provrepo.errors import Conflict, InvalidName, UsageError
from provrepo.server.pages import pages
from provrepo.server.protocol import auth
from provrepo.server.protocol.respond import conditional

__all__ = ["blueprint"]

blueprint = Blueprint("creating", __name__)

_TEXTS = ("name", "title", "license")


@blueprint.get("/new-project")
def form() -> Response:
    """The form for a new project."""
    return conditional(_page())


@blueprint.post("/new-project")
def create() -> Response:
    """Create the project, by the form, and go to its page."""
    auth.require_form()
    given = {name: request.form.get(name, "").strip() for name in _TEXTS}
    chosen, public = request.form.getlist("profile"), "public" in request.form
    try:
        made = auth.repository().create_project(**given, profiles=chosen, public=public)
    except (Conflict, InvalidName, UsageError) as error:
        page = _page(given | {"profiles": chosen, "public": public}, str(error))
        page.status_code = 409 if isinstance(error, Conflict) else 400
        return page
    place = url_for("projects.one", project=made.name)
    return Response(status=303, headers={"Location": place, "Cache-Control": "no-store"})


def _page(given: dict[str, object] | None = None, wrong: str = "") -> Response:
    """The form.

    Args:
        given: what was sent, if that cannot be accepted.
        wrong: why.
    """
    empty = {**dict.fromkeys(_TEXTS, ""), "profiles": [], "public": False}
    profiles = auth.repository().profiles()
    return pages.page("new_project.html", given=empty | (given or {}), wrong=wrong, profiles=profiles)
