"""Lineage, the assertions about a thing, and search: over all projects that the caller may read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request

from provrepo import limits
from provrepo.repository.federation.lineage import askable_peers
from provrepo.repository.federation.records import FederatedLineage
from provrepo.repository.lineage.query import (
    CommonQuery,
    ImpactQuery,
    LineageQuery,
    ScopedQuery,
    SearchQuery,
    ThingQuery,
)
from provrepo.repository.repository import Repository
from provrepo.server.lineage import pages as lineage_pages
from provrepo.server.lineage import provaq, targets
from provrepo.server.monitoring import access_log
from provrepo.server.protocol import auth, body, parameters
from provrepo.server.protocol.negotiate import HTML, JSON, Choice, choose, content_type
from provrepo.server.protocol.options import arguments
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import conditional, json_response
from provrepo.server.queries import running
from provrepo.server.routing.offers import LINEAGE, SVG, THING

__all__ = ["blueprint"]

blueprint = Blueprint("lineage", __name__)


_PAGES = (JSON, HTML)

_MEMBERS: dict[str, type] = {
    **dict.fromkeys(("start", "full", "half", "none"), list),
    "direction": str,
    "depth": int,
    "relations": list,
    "stop": list,
    "strict": bool,
    "alternates": bool,
    "limit": int,
    "timeout": float,
}
"""The members of a question about surroundings."""

_KINDS = {list: "a list of texts", str: "a text", int: "a whole number", bool: "true or false", float: "a number"}

_INDENTED = 200
"""Nodes up to which JSON is indented."""

_MOST_NODES = {JSON.name: limits.LINEAGE_NODES, SVG.name: limits.DRAWN_NODES, HTML.name: lineage_pages.MOST_LISTED}
"""Nodes of an answer by its representation; those that are not named have ``limits.PRINTED_NODES``."""


@blueprint.get("/lineage")
def lineage() -> Response:
    """What ``?iri=`` came from, or what depends on it."""
    repo = auth.repository()
    choice = choose(LINEAGE)
    page = choice.name == HTML.name
    peers = askable_peers(repo.context) if page else []
    if page and not request.args.get("iri"):
        return conditional(lineage_pages.lineage_page(None, peers=peers))
    most = _MOST_NODES.get(choice.name, limits.PRINTED_NODES)
    iri = _thing(repo)
    options = {"limit": most, **arguments(LineageQuery, most={"limit": most})}
    # The counts are those of this repository alone.
    counted = page and options.get("direction") == "downstream" and not options.get("federated")
    with running.query_slot():
        graph = repo.lineage(iri, **options)
        impact = repo.impact(iri, **arguments(ImpactQuery, without=("limit",))) if counted else None
    provaq.lineage(iri)
    # The projects of peers are named with the peer.
    access_log.record_projects(project for node in graph.nodes for project in node.projects if "/" not in project)
    if page:
        return conditional(lineage_pages.lineage_page(graph, impact, peers=peers))
    if choice.name == JSON.name:
        return json_response(graph.to_dict(), compact=len(graph.nodes) > _INDENTED)
    # Most of these formats cannot state what was left out.
    totals = {
        "Provrepo-Nodes": f"{len(graph.nodes)}/{graph.total_nodes}",
        "Provrepo-Edges": f"{len(graph.edges)}/{graph.total_edges}",
    }
    if isinstance(graph, FederatedLineage):
        totals["Provrepo-Complete"] = str(graph.complete).lower()
    return _written(graph.write(choice.name), choice, totals)


@blueprint.post("/lineage/surroundings")
def surroundings() -> Response:
    """The relations around some things, for a lineage across repositories.

    Levels of permission, options and limits are members of the body.
    """
    repo = auth.repository()
    question = body.json_object()
    choose((JSON,))
    with running.query_slot():
        found = repo.surroundings(**_question(question))
    access_log.record_projects(project for thing in found.things for project in thing.node.projects)
    return json_response(found.to_dict(), compact=True)


def _question(question: dict[str, Any]) -> dict[str, Any]:
    """The members of a question about surroundings as arguments of the verb.

    Raises:
        Rejected: 400, a member is unknown, or not of its kind.
    """
    for name, value in question.items():
        kind = _MEMBERS.get(name)
        if kind is None:
            known = ", ".join(_MEMBERS)
            raise Rejected(400, f"the question has no member {name[:60]!r}; it has: {known}")
        several = kind is list and isinstance(value, list) and all(isinstance(each, str) for each in value)
        if not several and (kind is list or type(value) not in (kind, int if kind is float else kind)):
            raise Rejected(400, f"the member {name!r} of the question is not {_KINDS[kind]}")
    return question


@blueprint.get("/lineage/impact")
def impact() -> Response:
    """How much depends on ``?iri=``, counted by kind, type, agent and project."""
    repo = auth.repository()
    choose((JSON,))
    iri, options = _thing(repo), arguments(ImpactQuery)
    with running.query_slot():
        found = repo.impact(iri, **options)
    provaq.lineage(iri)
    access_log.record_projects(found.projects)
    return json_response(found.to_dict())


@blueprint.get("/lineage/common")
def common() -> Response:
    """What all of ``?iri=…&iri=…`` came from."""
    repo = auth.repository()
    page = choose(_PAGES).name == HTML.name
    parameters.required("iri")
    most = lineage_pages.MOST_LISTED if page else limits.LINEAGE_NODES
    options = {"limit": most, **arguments(CommonQuery, most={"limit": most})}
    with running.query_slot():
        found = repo.common(parameters.values("iri"), **options)
    access_log.record_projects(project for common in found.nodes for project in common.node.projects)
    return conditional(lineage_pages.common_page(found)) if page else json_response(found.to_dict())


@blueprint.get("/thing")
def thing() -> Response:
    """All assertions about ``?iri=``, and the versions that make them."""
    repo = auth.repository()
    choice = choose(THING)
    page = choice.name == HTML.name
    if page and not request.args.get("iri"):
        return conditional(lineage_pages.thing_page(None))
    iri = _thing(repo)
    options = {"limit": lineage_pages.MOST_SAID if page else limits.THING_STATEMENTS, **arguments(ThingQuery)}
    with running.query_slot():
        found = repo.thing(iri, **options)
        labels = repo.labels(found.others(), **arguments(ScopedQuery)) if page else {}
    provaq.thing(found.node)
    access_log.record_projects(each.version.project for each in found.versions)
    if page:
        return conditional(lineage_pages.thing_page(found, labels))
    if choice.name == JSON.name:
        return json_response(found.to_dict())
    totals = {
        "Provrepo-Versions": f"{len(found.versions)}/{found.total_versions}",
        "Provrepo-Statements": f"{found.returned_statements}/{found.total_statements}",
    }
    return _written(found.document().write(choice.name), choice, totals)


@blueprint.get("/search")
def search() -> Response:
    """The things that contain the words of ``?q=``."""
    page = choose(_PAGES).name == HTML.name
    if page and not request.args.get("q"):
        return conditional(lineage_pages.search_page(None, ""))
    text = parameters.required("q")
    found = auth.repository().search(text, **arguments(SearchQuery))
    access_log.record_projects(project for thing in found.things for project in thing.projects)
    return conditional(lineage_pages.search_page(found, text)) if page else json_response(found.to_dict())


def _thing(repo: Repository) -> str:
    return targets.requested_thing(repo, project=parameters.text("project"))


def _written(data: bytes, choice: Choice, totals: Mapping[str, str]) -> Response:
    response = Response(data, content_type=content_type(choice.media_type))
    response.headers.update(totals)
    if choice.name == "rdfxml":
        # A browser would run scripts in the XHTML namespace that submitted XML contains.
        response.headers["Content-Disposition"] = 'attachment; filename="lineage.rdf"'
    return conditional(response)
