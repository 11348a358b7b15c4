"""Lineage, the assertions about a thing, and search: over all projects that the caller may read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Any

from flask import Blueprint, Response, request

from provrepo import limits
from provrepo.errors import NotFound
from provrepo.repository.federation.lineage import askable_peers
from provrepo.repository.federation.records import FederatedLineage, FederatedSource
from provrepo.repository.lineage.query import (
    CommonQuery,
    ImpactQuery,
    LineageQuery,
    ScopedQuery,
    SearchQuery,
    ThingQuery,
)
from provrepo.repository.lineage.records import DIAGRAMS, LineageGraph
from provrepo.repository.lineage.verbs import told, walk
from provrepo.repository.lineage.walks import Walk
from provrepo.repository.records import VersionInfo
from provrepo.repository.repository import Repository
from provrepo.server.lineage import pages as lineage_pages
from provrepo.server.lineage import provaq, targets
from provrepo.server.lineage.elsewhere import elsewhere
from provrepo.server.lineage.listing import GROUPS
from provrepo.server.lineage.overview import COLLAPSES
from provrepo.server.lineage.page_query import COLLAPSE, EXPAND, GROUP, PAGE
from provrepo.server.lineage.search_page import search_page
from provrepo.server.lineage.tables import lineage_csv
from provrepo.server.monitoring import access_log
from provrepo.server.protocol import auth, body, parameters
from provrepo.server.protocol.negotiate import HTML, JSON, Choice, choose, content_type
from provrepo.server.protocol.options import arguments
from provrepo.server.protocol.rejections import Rejected
from provrepo.server.protocol.respond import conditional, json_response
from provrepo.server.queries import running
from provrepo.server.routing.offers import CSV, LINEAGE, SVG, THING

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

_MOST_DOCUMENTS, _MOST_MOMENTS = 20, 60
"""Documents whose versions are states to choose from, and the most of these states."""

_INDENTED = 200
"""Nodes up to which JSON is indented."""

_MOST_NODES = {
    **dict.fromkeys((JSON.name, CSV.name), limits.LINEAGE_NODES),
    **dict.fromkeys((SVG.name, *DIAGRAMS), limits.DRAWN_NODES),
    HTML.name: limits.LINEAGE_NODES,
}
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
    parts = parameters.text("part")
    if parts not in (None, lineage_pages.EXPLORER):
        raise Rejected(400, f"the only part is {lineage_pages.EXPLORER!r}", parameter="part")
    parameters.choice(GROUP, GROUPS)
    parameters.choice(COLLAPSE, COLLAPSES)
    parameters.number(PAGE, limits.LINEAGE_NODES)
    if choice.name == JSON.name:
        return _told(repo, iri, options)
    with running.query_slot():
        whole = _walk(repo, iri, options) if page else None
        graph = _nearest(repo, whole, iri, options, part=bool(parts)) if whole else repo.lineage(iri, **options)
        impact = repo.impact(iri, **arguments(ImpactQuery, without=("limit",))) if counted and not parts else None
    provaq.lineage(iri)
    # The projects of peers are named with the peer.
    access_log.record_projects(project for node in graph.nodes for project in node.projects if "/" not in project)
    if page and whole is not None:
        moments = () if parts else _moments(repo, whole.graph)
        return conditional(
            lineage_pages.lineage_page(graph, impact, whole=whole, peers=peers, moments=moments, part=parts or "")
        )
    # Most of these formats cannot state what was left out.
    totals = {
        "Provrepo-Nodes": f"{len(graph.nodes)}/{graph.total_nodes}",
        "Provrepo-Edges": f"{len(graph.edges)}/{graph.total_edges}",
    }
    if isinstance(graph, FederatedLineage):
        totals["Provrepo-Complete"] = str(graph.complete).lower()
    written = lineage_csv(graph) if choice.name == CSV.name else graph.write(choice.name)
    return _written(written, choice, totals)


def _told(repo: Repository, iri: str, options: Mapping[str, Any]) -> Response:
    """A lineage as JSON."""
    with running.query_slot():
        found = told(repo.context, LineageQuery(iri=iri, **options))
    provaq.lineage(iri)
    # The projects of peers are named with the peer.
    access_log.record_projects(project for project in found.projects if "/" not in project)
    if found.nodes <= _INDENTED:
        return json_response(json.loads(found.json))
    return conditional(Response(found.json, content_type="application/json"))


def _walk(repo: Repository, iri: str, options: Mapping[str, Any]) -> Walk:
    """A lineage that has what its picture needs: all things, and some beyond the last step.

    A picture counts the neighbors beyond the depth, and shows those of the things that are expanded. What leads back
    from the last of these is known one relation later.
    """
    depth, further = options.get("depth"), dict(options)
    if not options.get("federated"):
        further["limit"] = limits.LINEAGE_NODES
        further["depth"] = None if depth is None else depth + 2 + len(parameters.values(EXPAND))
    return walk(repo.context, LineageQuery(iri=iri, **further))


def _nearest(repo: Repository, whole: Walk, iri: str, options: Mapping[str, Any], *, part: bool) -> LineageGraph:
    """The lineage of a request, from the one that its picture needs where that has it.

    Args:
        repo: of the caller.
        whole: the lineage for the picture.
        iri: the start.
        options: of the request.
        part: whether the numbers of things suffice.
    """
    limit, depth = options["limit"], options.get("depth")
    if depth is None or options.get("federated"):
        # Warnings are those about the things in an answer.
        if len(whole.graph.nodes) <= limit or part or not whole.graph.warnings:
            return whole.graph.nearest(limit)
    elif part and not options.get("to") and whole.reaches(depth + 1):
        total = whole.within(depth)
        return replace(whole.graph, total_nodes=total, beyond=whole.within(depth + 1) - total)
    return walk(repo.context, LineageQuery(iri=iri, **options), exact=True).graph


def _moments(repo: Repository, whole: LineageGraph) -> list[tuple[str, str]]:
    """The entries that submitted versions of the documents of a lineage, as states to choose from, the newest first."""
    documents = dict.fromkeys(
        (source.project, source.document)
        for node in whole.nodes
        for source in node.sources
        if not isinstance(source, FederatedSource)
    )
    versions: list[VersionInfo] = []
    for project, document in islice(documents, _MOST_DOCUMENTS):
        with suppress(NotFound):
            versions += repo.history(project, document)
    versions.sort(key=lambda version: version.time, reverse=True)
    found = [("", "now")]
    for version in versions[:_MOST_MOMENTS]:
        when = version.time[:16].replace("T", " ")
        entry = f"{version.project}/{version.sequence}"
        found.append((entry, f"entry {entry}: {version.name}, version {version.version}, {when} UTC"))
    present = parameters.text("as_of")
    if present and present not in dict(found):
        found.insert(1, (present, present))
    return found if len(found) > 1 else []


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
        try:
            found = repo.thing(iri, **options)
        except NotFound:
            other = elsewhere(repo, iri) if page else ""
            if not other:
                raise
            return Response(status=303, headers={"Location": other})
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
    """The projects, documents and things that contain the words of ``?q=``."""
    page = choose(_PAGES).name == HTML.name
    if page and not request.args.get("q"):
        return conditional(search_page(None, ""))
    text = parameters.required("q")
    found = auth.repository().search(text, **arguments(SearchQuery))
    access_log.record_projects(
        [
            *(project for thing in found.things for project in thing.projects),
            *(each.project for each in found.documents),
        ]
    )
    return conditional(search_page(found, text)) if page else json_response(found.to_dict())


def _thing(repo: Repository) -> str:
    return targets.requested_thing(repo, project=parameters.text("project"))


def _written(data: bytes, choice: Choice, totals: Mapping[str, str]) -> Response:
    response = Response(data, content_type=content_type(choice.media_type))
    response.headers.update(totals)
    suffix = {"rdfxml": ".rdf", "graphml": ".graphml", "neo4j": ".neo4j.zip"}.get(choice.name)
    if suffix:
        # A browser would run scripts in the XHTML namespace that submitted XML contains.
        response.headers["Content-Disposition"] = f'attachment; filename="lineage{suffix}"'
    return conditional(response)
