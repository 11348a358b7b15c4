"""Whether the server lives, and whether it answers with all that was submitted."""

from __future__ import annotations

from flask import Blueprint, Response

from provrepo.repository import access
from provrepo.server.protocol import auth
from provrepo.server.protocol.respond import json_response

__all__ = ["blueprint"]

blueprint = Blueprint("health", __name__)

_FOR_ALL = ("status", "version", "indexing", "accepting", "limits")


@blueprint.get("/health")
def health() -> Response:
    """The process answers: its version, whether it indexes and accepts, and which protections this platform lacks.

    What tells how much goes on in private projects is for those who may administer the repository.
    """
    found = auth.store().health()
    if not access.may_administer(auth.repository().actor):
        found = {name: found[name] for name in _FOR_ALL}
    return json_response(found)


@blueprint.get("/ready")
def ready() -> Response:
    """Whether to send requests here: 503 until this process can answer queries, and while it ends."""
    store = auth.store()
    if store.indexing() and not store.draining:
        return json_response({"ready": True})
    return json_response({"ready": False}, status=503, headers={"Retry-After": "1"})
