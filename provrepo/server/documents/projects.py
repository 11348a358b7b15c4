"""Projects, and the lists of their documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request, url_for

from provrepo.repository.records import DocumentInfo, ProjectInfo
from provrepo.server.discovery import schema_org
from provrepo.server.pages import pages
from provrepo.server.protocol import auth, body
from provrepo.server.protocol.negotiate import HTML, JSON, choose
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import Links, conditional, json_response, pagination
from provrepo.server.queries import running

__all__ = ["blueprint"]

blueprint = Blueprint("projects", __name__)


@blueprint.get("/projects")
def index() -> Response:
    """The projects that the caller may read."""
    page = pagination()
    found = [info for info in auth.repository().projects() if info.name > page.after]
    shown = found[: page.limit]
    following = page.next(shown[-1].name) if len(found) > len(shown) else None
    if _wants_page():
        return conditional(pages.page("projects.html", projects=shown, following=following))
    return json_response({"projects": [info.to_dict() for info in shown]}, next_=following)


@blueprint.post("/projects")
def create() -> Response:
    """Create a project, private by default. Needs a token for all projects."""
    repo = auth.repository()
    given = _settings(body.json_object(), _TYPES)
    if "name" not in given:
        raise Rejected(400, "a project needs a name")
    info = repo.create_project(given.pop("name"), **given)
    return json_response(info.to_dict(), status=201, headers={"Location": url_for("projects.one", project=info.name)})


@blueprint.get("/projects/<project>")
def one(project: str) -> Response:
    """One project; the page also lists its documents."""
    info = auth.repository().project(project)
    if _wants_page():
        return _page(info)
    # Parameters that only the page uses must be valid for JSON too.
    pagination()
    _flag("withdrawn")
    return json_response(info.to_dict())


@blueprint.patch("/projects/<project>")
def change(project: str) -> Response:
    """Change settings of a project: those in the body. Needs a token for all projects."""
    given = _settings(body.json_object(), _CHANGES)
    return json_response(auth.repository().set_project(project, **given).to_dict())


@blueprint.get("/projects/<project>/exposure")
def exposure(project: str) -> Response:
    """What everybody could read if the project were public. Needs a token for all projects."""
    with running.query_slot():
        found = auth.repository().exposure(project)
    return json_response(found.to_dict())


@blueprint.get("/projects/<project>/documents")
def documents(project: str) -> Response:
    """The documents of a project by name; with ``?withdrawn=true`` also the withdrawn ones; or that of ``?name=``."""
    repo = auth.repository()
    info = repo.project(project)
    if _wants_page():
        return _page(info)
    if name := request.args.get("name"):
        pagination()
        _flag("withdrawn")
        return json_response({"project": project, "documents": [repo.document(project, name).to_dict()]})
    shown, following = _documents(project)
    return json_response({"project": project, "documents": [info.to_dict() for info in shown]}, next_=following)


def _wants_page() -> bool:
    # Call it only after the project was found readable: a 406 must not reveal that a private project exists.
    return choose((JSON, HTML)).name == HTML.name


def _page(info: ProjectInfo) -> Response:
    shown, following = _documents(info.name)
    after = request.args.get("after", "")
    titled = any(document.title != document.name for document in shown)
    answer = pages.page(
        "project.html",
        project=info,
        documents=shown,
        titled=titled,
        following=following,
        after=after,
        description=schema_org.block(schema_org.project(info)),
    )
    links = Links()
    links.add(url_for("catalogs.of_project", project=info.name), "describedby", "text/turtle")
    answer.headers["Link"] = str(links)
    return conditional(answer)


def _documents(project: str) -> tuple[list[DocumentInfo], str | None]:
    """The requested part of the list, and the address of the next part."""
    page = pagination()
    found = auth.repository().documents(project, after=page.after, limit=page.limit + 1, withdrawn=_flag("withdrawn"))
    shown = found[: page.limit]
    return shown, page.next(shown[-1].name) if len(found) > len(shown) else None


def _flag(name: str) -> bool:
    value = (request.args.get(name) or "false").lower()
    if value not in {"true", "false"}:
        raise Rejected(400, f"{name}={value[:40]} is neither true nor false")
    return value == "true"


_SETTINGS: dict[str, tuple[type, str]] = {
    "public": (bool, "true or false"),
    "title": (str, "a string"),
    "profiles": (list, "a list of names of profiles"),
    "license": (str, "a web address"),
}
_TYPES: dict[str, tuple[type, str]] = {"name": (str, "a string"), **_SETTINGS}
_CHANGES: dict[str, tuple[type, str]] = {
    **_SETTINGS,
    "push": (list, "a list of names of peers"),
    "pushes": (str, "a string"),
    "reviewed": (list, "a list of names of actors"),
    "announce": (bool, "true or false"),
}


def _settings(given: dict[str, Any], types: Mapping[str, tuple[type, str]]) -> dict[str, Any]:
    """The members of a JSON object after checking their types.

    Raises:
        Rejected: 400, a member is unknown or has another type.
    """
    unknown = sorted(set(given) - set(types))
    if unknown:
        raise Rejected(400, f"a project has no member {unknown[0][:40]!r}; it has: {', '.join(types)}")
    for member, value in given.items():
        kind, description = types[member]
        strings = not isinstance(value, list) or all(isinstance(item, str) for item in value)
        if not isinstance(value, kind) or not strings:
            raise Rejected(400, f"{member!r} of a project is {description}")
    return given
