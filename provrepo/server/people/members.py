"""The members of a project and their roles."""

from __future__ import annotations

from flask import Blueprint, Response

from provrepo.server.people import managing
from provrepo.server.protocol import auth, body
from provrepo.server.protocol.negotiate import HTML, JSON, choose
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import conditional, json_response

__all__ = ["blueprint"]

blueprint = Blueprint("members", __name__)


@blueprint.get("/projects/<project>/members")
def listed(project: str) -> Response:
    """The members of a project with their roles, by name; the page has forms for those who manage the project."""
    if choose((JSON, HTML)).name == HTML.name:
        return conditional(managing.page(project))
    found = auth.repository().members(project)
    return conditional(json_response({"project": project, "members": [member.to_dict() for member in found]}))


@blueprint.post("/projects/<project>/members")
def put(project: str) -> Response:
    """Give a person or service a role in the project, instead of the one that it has there."""
    given = body.json_object()
    if given.keys() != {"who", "role"} or not all(isinstance(value, str) for value in given.values()):
        raise Rejected(400, 'send {"who": "NAME", "role": "reader"}, and nothing else')
    return json_response(auth.repository().set_member(project, given["who"], given["role"]).to_dict())


@blueprint.post("/projects/<project>/transfer")
def transfer(project: str) -> Response:
    """Give the project to another owner. Who was owner is curator afterwards."""
    given = body.json_object()
    if given.keys() != {"who"} or not isinstance(given["who"], str):
        raise Rejected(400, 'send {"who": "NAME"}, and nothing else')
    found = auth.repository().transfer_project(project, given["who"])
    return json_response({"project": project, "members": [member.to_dict() for member in found]})


@blueprint.delete("/projects/<project>/members/<path:who>")
def remove(project: str, who: str) -> Response:
    """Take the role of a person or service in the project away; its name, or its identifier."""
    auth.repository().remove_member(project, who)
    return Response(status=204)
