"""Pingbacks (PROV-AQ, section 5): clients report where further provenance of a document's things is found.

The IRIs in a pingback are stored as text and never fetched.
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from provrepo.errors import NotAvailable, TooLarge
from provrepo.repository.pingbacks import Pinged
from provrepo.server.lineage import provaq
from provrepo.server.protocol import auth, body
from provrepo.server.protocol.links import parse
from provrepo.server.protocol.negotiate import JSON, choose
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import json_response, version_number

__all__ = ["blueprint"]

blueprint = Blueprint("pingback", __name__)

MAX_SIZE = 64 * 1024
"""The largest list in bytes, and the most characters of ``Link`` headers: a pingback names a few records only."""

_DOCUMENT = "/projects/<project>/documents/<document>"
_LIST = "text/uri-list"
_RELATIONS = {provaq.HAS_PROVENANCE: "has_provenance", provaq.HAS_QUERY_SERVICE: "has_query_service"}


@blueprint.post(f"{_DOCUMENT}/pingback", endpoint="received", defaults={"version": None})
@blueprint.post(f"{_DOCUMENT}/versions/<version>/pingback", endpoint="received_for_version")
def received(project: str, document: str, version: str | None) -> Response:
    """Report where further provenance of a document is found; with ``?iri=``, that of one thing."""
    repo = auth.repository()
    number = None if version is None else version_number(version)
    repo.version(project, document, number)
    if not auth.store().settings.pingbacks:
        raise NotAvailable("this repository does not accept pingbacks")
    about = request.args.get("iri", "")
    listed = [Pinged("has_provenance", uri, about) for uri in _listed()]
    repo.pingback(project, document, version=number, links=[*listed, *_linked()])
    return Response(status=204)


@blueprint.get(f"{_DOCUMENT}/pingbacks")
def of_document(project: str, document: str) -> Response:
    """The pingbacks about one document, for callers who may change the project."""
    repo = auth.repository()
    return _list_response(project, document, [found.to_dict() for found in repo.pingbacks(project, document)])


@blueprint.get("/projects/<project>/pingbacks")
def of_project(project: str) -> Response:
    """The pingbacks about all documents of a project."""
    repo = auth.repository()
    return _list_response(project, None, [found.to_dict() for found in repo.pingbacks(project)])


@blueprint.delete(f"{_DOCUMENT}/pingbacks", defaults={"number": None})
@blueprint.delete(f"{_DOCUMENT}/pingbacks/<number>")
def discard(project: str, document: str, number: str | None) -> Response:
    """Discard one pingback, or all pingbacks about a document."""
    repo = auth.repository()
    repo.discard_pingbacks(project, document, None if number is None else [version_number(number)])
    return Response(status=204)


def _list_response(project: str, document: str | None, found: list[dict[str, object]]) -> Response:
    choose((JSON,))
    return json_response({"project": project, "document": document, "pingbacks": found})


def _listed() -> list[str]:
    """The IRIs in a ``text/uri-list`` body (RFC 2483, section 5): one per line, without comments.

    Raises:
        Rejected: 415, the body has another media type.
        TooLarge: the body is larger than ``MAX_SIZE``.
    """
    if request.mimetype != _LIST:
        raise Rejected(415, f"send the IRIs of provenance records with Content-Type: {_LIST}, one on each line")
    if (request.content_length or 0) > MAX_SIZE:
        raise TooLarge(f"a pingback has at most {MAX_SIZE:,} bytes")
    lines = (line.strip() for line in body.text(MAX_SIZE).splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _linked() -> list[Pinged]:
    """The provenance records and query services in ``Link`` headers; links with other relations are ignored.

    Raises:
        Rejected: 400, the headers are invalid or too long.
    """
    header = ", ".join(request.headers.getlist("Link"))
    if len(header) > MAX_SIZE:
        raise Rejected(400, f"the Link headers have more than {MAX_SIZE:,} characters")
    return [
        Pinged(_RELATIONS[relation], link.target, link.parameters.get("anchor", ""))
        for link in parse(header)
        for relation in link.relations
        if relation in _RELATIONS
    ]
