"""The log of a project as C2SP specifies it (tlog-tiles): checkpoint and tiles; and the receipts of versions."""

from __future__ import annotations

from flask import Blueprint, Response

from provrepo.server.protocol import auth
from provrepo.server.protocol.respond import conditional, json_response, version_number

__all__ = ["blueprint"]

blueprint = Blueprint("log", __name__)

_VERSIONS = "/projects/<project>/documents/<document>/versions/<version>"


@blueprint.get("/projects/<project>/log")
def one(project: str) -> Response:
    """The log of a project: origin, size and root of its Merkle tree, the signed checkpoint, and the keys that sign."""
    return json_response(auth.repository().log(project).to_dict())


@blueprint.get("/projects/<project>/log/checkpoint")
def checkpoint(project: str) -> Response:
    """The signed checkpoint of a project: a signed note with origin, size and root of the tree over its entries."""
    return conditional(Response(auth.repository().log(project).checkpoint, content_type="text/plain; charset=utf-8"))


@blueprint.get("/projects/<project>/log/tile/<path:tile>")
def tile(project: str, tile: str) -> Response:
    """A tile of the Merkle tree, such as `0/x001/234` or `1/000.p/3`; `entries/000` has the leaves.

    A leaf is the SHA-256 of an entry, 32 bytes. What was served once never changes.
    """
    return conditional(Response(auth.repository().log_tile(project, tile), content_type="application/octet-stream"))


@blueprint.get(f"{_VERSIONS}/receipt")
def receipt(project: str, document: str, version: str) -> Response:
    """The receipt of a version: its entry with the proof that it is in the tree of a signed checkpoint."""
    return json_response(auth.repository().receipt(project, document, version_number(version)))
