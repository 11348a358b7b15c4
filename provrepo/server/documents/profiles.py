"""The profiles against which documents can be checked."""

from __future__ import annotations

from flask import Blueprint, Response

from provrepo.server.protocol import auth, parameters
from provrepo.server.protocol.negotiate import JSON, choose
from provrepo.server.protocol.respond import json_response

__all__ = ["blueprint"]

blueprint = Blueprint("profiles", __name__)


@blueprint.get("/profiles")
def index() -> Response:
    """The profiles that every project has; with ``?project=`` also those of that project."""
    found = auth.repository().profiles(parameters.text("project"))
    choose((JSON,))
    return json_response({"profiles": [info.to_dict() for info in found]})
