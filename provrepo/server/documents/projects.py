"""Projects and the lists of their documents."""

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
    wanted = pagination()
    found = [info for info in auth.repository().projects() if info.name > wanted.after]
    shown = found[: wanted.limit]
    following = wanted.next(shown[-1].name) if len(found) > len(shown) else None
    if _wants_page():
        return conditional(pages.page("projects.html", projects=shown, following=following))
    return json_response({"projects": [info.to_dict() for info in shown]}, next_=following)


@blueprint.post("/projects")
def create() -> Response:
    """A new project, private unless said otherwise. Needs a token for all projects."""
    repo = auth.repository()
    given = _settings(body.json_object())
    info = repo.create_project(given["name"], public=given["public"], title=given["title"], profiles=given["profiles"])
    return json_response(info.to_dict(), status=201, headers={"Location": url_for("projects.one", project=info.name)})


@blueprint.get("/projects/<project>")
def one(project: str) -> Response:
    """One project; the page lists its documents too."""
    info = auth.repository().project(project)
    if _wants_page():
        return _page(info)
    # What only the page heeds has to make sense all the same.
    pagination()
    _flag("withdrawn")
    return json_response(info.to_dict())


@blueprint.get("/projects/<project>/documents")
def documents(project: str) -> Response:
    """The current documents by name; with ``?withdrawn=true`` the withdrawn ones too."""
    info = auth.repository().project(project)
    if _wants_page():
        return _page(info)
    shown, following = _documents(project)
    return json_response({"project": project, "documents": [info.to_dict() for info in shown]}, next_=following)


@blueprint.get("/projects/<project>/ledger")
def ledger(project: str) -> Response:
    """The entries of a project in order, for those who keep a copy or check it: each holds the digest of the last."""
    repo = auth.repository()
    wanted = pagination()
    if not re.fullmatch(r"[0-9]{0,15}", wanted.after, re.ASCII):
        raise Rejected(400, f"after={wanted.after[:40]} is not the number of an entry")
    found = repo.entries(project, after=int(wanted.after or 0), limit=wanted.limit + 1)
    shown = found[: wanted.limit]
    following = wanted.next(str(shown[-1].sequence)) if len(found) > len(shown) else None
    return json_response({"project": project, "entries": [entry.to_dict() for entry in shown]}, next_=following)


def _wants_page() -> bool:
    # Asked only once the project is known to be readable: a stranger learns nothing from a 406.
    return choose((JSON, HTML)).name == HTML.name


def _page(info: ProjectInfo) -> Response:
    shown, following = _documents(info.name)
    after = request.args.get("after", "")
    titled = any(document.title != document.name for document in shown)
    return conditional(
        pages.page("project.html", project=info, documents=shown, titled=titled, following=following, after=after)
    )


def _documents(project: str) -> tuple[list[DocumentInfo], str | None]:
    """The part of the list that was asked for, and where the next part is."""
    wanted = pagination()
    found = auth.repository().documents(
        project, after=wanted.after, limit=wanted.limit + 1, withdrawn=_flag("withdrawn")
    )
    shown = found[: wanted.limit]
    return shown, wanted.next(shown[-1].name) if len(found) > len(shown) else None


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
        raise Rejected(400, f"a project has no {unknown[0][:40]!r}; it has: {', '.join(_TYPES)}")
    if "name" not in given:
        raise Rejected(400, "a project needs a name")
    for member, value in given.items():
        kind, _, words = _TYPES[member]
        strings = not isinstance(value, list) or all(isinstance(item, str) for item in value)
        if not isinstance(value, kind) or not strings:
            raise Rejected(400, f"{member!r} of a project is {words}")
    return {member: given.get(member, default) for member, (_, default, _) in _TYPES.items()}
