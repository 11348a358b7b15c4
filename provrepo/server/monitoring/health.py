"""Health probes: whether the process is alive, and whether it is ready to answer queries."""

from __future__ import annotations

from flask import Blueprint, Response

from provrepo.repository import access
from provrepo.server.pages import pages
from provrepo.server.protocol import auth
from provrepo.server.protocol.negotiate import HTML, JSON, choose
from provrepo.server.protocol.respond import json_response

__all__ = ["blueprint"]

blueprint = Blueprint("health", __name__)

_PUBLIC = ("status", "version", "indexing", "accepting", "limits")


@blueprint.get("/health")
def health() -> Response:
    """The state of the process: its version, whether it indexes and accepts, and which protections this platform lacks.

    Members that reveal activity in private projects are only for administrators of the repository.
    """
    found = auth.store().health()
    if not access.may_administer(auth.repository().actor):
        found = {name: found[name] for name in _PUBLIC}
    if choose((JSON, HTML)).name == HTML.name:
        return pages.page("health.html", health=found)
    return json_response(found)


@blueprint.get("/ready")
def ready() -> Response:
    """Whether requests should be sent here: 503 until this process can answer queries, and while it shuts down."""
    store = auth.store()
    if store.indexing() and not store.draining:
        return json_response({"ready": True})
    return json_response({"ready": False}, status=503, headers={"Retry-After": "1"})
