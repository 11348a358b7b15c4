"""The gate over HTTP: whether the lineage of a thing is complete and comes from declared sources."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from provrepo.server.monitoring import access_log
from provrepo.server.protocol import auth, body
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import json_response
from provrepo.server.queries import running

__all__ = ["blueprint"]

blueprint = Blueprint("gate", __name__)

_MEMBERS = {
    "iri": "the IRI of a thing",
    "sources": "a list of IRIs",
    "min_coverage": "a number",
    "project": "the name of a project",
    "public": "true or false",
}


@blueprint.post("/gate")
def gate() -> Response:
    """Test whether everything upstream of a thing comes from declared sources, and enough of it is complete."""
    repo = auth.repository()
    given = _checked(body.json_object())
    project = given.get("project")
    if project is not None:
        repo.require(project)
        access_log.record_projects([project])
    with running.query_slot():
        found = repo.gate(given.pop("iri"), **given)
    return json_response(found.to_dict())


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(given) - set(_MEMBERS))
    if unknown:
        raise Rejected(400, f"a gate has no member {unknown[0][:40]!r}; it has: {', '.join(_MEMBERS)}")
    if missing := [name for name in ("iri", "sources") if name not in given]:
        raise Rejected(400, f"the member {missing[0]!r} is missing: {_MEMBERS[missing[0]]}")
    for name, value in given.items():
        if not _has_type(name, value):
            raise Rejected(400, f"{name!r} of a gate is {_MEMBERS[name]}")
    if given.get("project") is not None and given.get("public"):
        raise Rejected(400, "project and public exclude each other")
    return given


def _has_type(name: str, value: object) -> bool:
    if name == "sources":
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    if name == "min_coverage":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if name == "public":
        return isinstance(value, bool)
    return isinstance(value, str) or (name == "project" and value is None)
