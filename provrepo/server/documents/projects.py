"""Projects, the lists of their documents, and their ledger entries."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Response, request, url_for

from provrepo.repository.records import DocumentInfo, ProjectInfo
from provrepo.server.pages import pages
from provrepo.server.protocol import auth, body
from provrepo.server.protocol.negotiate import HTML, JSON, choose
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import conditional, json_response, pagination

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
    given = _settings(body.json_object())
    info = repo.create_project(given["name"], public=given["public"], title=given["title"], profiles=given["profiles"])
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


@blueprint.get("/projects/<project>/documents")
def documents(project: str) -> Response:
    """The documents of a project by name; with ``?withdrawn=true`` also the withdrawn ones."""
    info = auth.repository().project(project)
    if _wants_page():
        return _page(info)
    shown, following = _documents(project)
    return json_response({"project": project, "documents": [info.to_dict() for info in shown]}, next_=following)


@blueprint.get("/projects/<project>/ledger")
def ledger(project: str) -> Response:
    """The ledger entries of a project in order; each contains the digest of the one before it."""
    repo = auth.repository()
    page = pagination()
    if not re.fullmatch(r"[0-9]{0,15}", page.after, re.ASCII):
        raise Rejected(400, f"after={page.after[:40]} is not the number of an entry")
    found = repo.entries(project, after=int(page.after or 0), limit=page.limit + 1)
    shown = found[: page.limit]
    following = page.next(str(shown[-1].sequence)) if len(found) > len(shown) else None
    return json_response({"project": project, "entries": [entry.to_dict() for entry in shown]}, next_=following)


def _wants_page() -> bool:
    # Call it only after the project was found readable: a 406 must not reveal that a private project exists.
    return choose((JSON, HTML)).name == HTML.name


def _page(info: ProjectInfo) -> Response:
    shown, following = _documents(info.name)
    after = request.args.get("after", "")
    titled = any(document.title != document.name for document in shown)
    return conditional(
        pages.page("project.html", project=info, documents=shown, titled=titled, following=following, after=after)
    )


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


_TYPES: dict[str, tuple[type, Any, str]] = {
    "name": (str, None, "a string"),
    "public": (bool, False, "true or false"),
    "title": (str, "", "a string"),
    "profiles": (list, (), "a list of names of profiles"),
}


def _settings(given: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(given) - set(_TYPES))
    if unknown:
        raise Rejected(400, f"a project has no member {unknown[0][:40]!r}; it has: {', '.join(_TYPES)}")
    if "name" not in given:
        raise Rejected(400, "a project needs a name")
    for member, value in given.items():
        kind, _, description = _TYPES[member]
        strings = not isinstance(value, list) or all(isinstance(item, str) for item in value)
        if not isinstance(value, kind) or not strings:
            raise Rejected(400, f"{member!r} of a project is {description}")
    return {member: given.get(member, default) for member, (_, default, _) in _TYPES.items()}
