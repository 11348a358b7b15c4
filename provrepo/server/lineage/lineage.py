"""Where things come from, what is known of them, and things by words: over all that the caller may read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from flask import Blueprint, Response, request

from provrepo.limits import (
    DRAWN_NODES,
    IMPACT_GROUPS,
    LINEAGE_NODES,
    MAX_LINEAGE,
    MAX_SEARCH_HITS,
    MAX_THING_VERSIONS,
    PRINTED_NODES,
    SEARCH_HITS,
    THING_STATEMENTS,
    THING_VERSIONS,
)
from provrepo.repository.repository import Repository
from provrepo.server.lineage import pages as lineage_pages
from provrepo.server.lineage import provaq, targets
from provrepo.server.monitoring import access_log
from provrepo.server.protocol import auth, parameters
from provrepo.server.protocol.negotiate import HTML, JSON, Choice, choose, content_type
from provrepo.server.protocol.respond import conditional, json_response
from provrepo.server.queries import running
from provrepo.server.routing.offers import LINEAGE, SVG, THING

__all__ = ["blueprint"]

blueprint = Blueprint("lineage", __name__)


_PAGES = (JSON, HTML)

_MOST_READ = 200


class _Within(TypedDict):
    """What is gone through, and for how long."""

    project: str | None
    as_of: str | None
    timeout: float | None


class _Way(_Within):
    """What all verbs about lineage are asked with."""

    depth: int | None
    relations: Sequence[str]
    stop: Sequence[str]
    strict: bool
    alternates: bool


@blueprint.get("/lineage")
def lineage() -> Response:
    """What ``?iri=`` came from, or what depends on it."""
    repo = auth.repository()
    choice = choose(LINEAGE)
    page = choice.name == HTML.name
    if page and not request.args.get("iri"):
        return conditional(lineage_pages.lineage_page(None))
    most = {JSON.name: LINEAGE_NODES, SVG.name: DRAWN_NODES, HTML.name: lineage_pages.MOST_LISTED}.get(
        choice.name, PRINTED_NODES
    )
    iri, way = _asked(repo), _way()
    direction = request.args.get("direction") or "upstream"
    declared = parameters.values("source") if "source" in request.args else None
    with running.query_slot():
        graph = repo.lineage(
            iri,
            direction=direction,
            to=parameters.text("to"),
            sources=declared,
            limit=parameters.number("limit", most) or most,
            **way,
        )
        impact = repo.impact(iri, direction=direction, **way) if page and direction == "downstream" else None
    provaq.lineage(iri)
    access_log.record_projects(project for node in graph.nodes for project in node.projects)
    if page:
        return conditional(lineage_pages.lineage_page(graph, impact))
    if choice.name == JSON.name:
        return json_response(graph.to_dict(), compact=len(graph.nodes) > _MOST_READ)
    # Most of these formats have no place for what was left out.
    told = {
        "Provrepo-Nodes": f"{len(graph.nodes)}/{graph.total_nodes}",
        "Provrepo-Edges": f"{len(graph.edges)}/{graph.total_edges}",
    }
    return _written(graph.write(choice.name), choice, told)


@blueprint.get("/lineage/impact")
def impact() -> Response:
    """How much depends on ``?iri=``, counted by kind, type, agent and project."""
    repo = auth.repository()
    choose((JSON,))
    iri, way = _asked(repo), _way()
    with running.query_slot():
        found = repo.impact(
            iri,
            direction=request.args.get("direction") or "downstream",
            limit=parameters.number("limit", MAX_LINEAGE) or IMPACT_GROUPS,
            **way,
        )
    provaq.lineage(iri)
    access_log.record_projects(found.projects)
    return json_response(found.to_dict())


@blueprint.get("/lineage/common")
def common() -> Response:
    """What all of ``?iri=…&iri=…`` came from."""
    repo = auth.repository()
    page = choose(_PAGES).name == HTML.name
    parameters.required("iri")
    most = lineage_pages.MOST_LISTED if page else LINEAGE_NODES
    iris, way = parameters.values("iri"), _way()
    with running.query_slot():
        found = repo.common(iris, limit=parameters.number("limit", most) or most, **way)
    access_log.record_projects(project for common in found.nodes for project in common.node.projects)
    return conditional(lineage_pages.common_page(found)) if page else json_response(found.to_dict())


@blueprint.get("/thing")
def thing() -> Response:
    """All that is said about ``?iri=``, and which versions say it."""
    repo = auth.repository()
    choice = choose(THING)
    page = choice.name == HTML.name
    if page and not request.args.get("iri"):
        return conditional(lineage_pages.thing_page(None))
    usual = lineage_pages.MOST_SAID if page else THING_STATEMENTS
    iri = _asked(repo)
    within: _Within = {
        "project": parameters.text("project"),
        "as_of": parameters.time_or_entry(),
        "timeout": parameters.seconds(),
    }
    with running.query_slot():
        found = repo.thing(
            iri,
            **within,
            versions=parameters.number("versions", MAX_THING_VERSIONS) or THING_VERSIONS,
            limit=parameters.number("limit", MAX_LINEAGE) or usual,
        )
        labels = repo.labels(found.others(), **within) if page else {}
    provaq.thing(found.node)
    access_log.record_projects(account.version.project for account in found.accounts)
    if page:
        return conditional(lineage_pages.thing_page(found, labels))
    if choice.name == JSON.name:
        return json_response(found.to_dict())
    told = {
        "Provrepo-Versions": f"{len(found.accounts)}/{found.total_versions}",
        "Provrepo-Statements": f"{found.told_statements}/{found.total_statements}",
    }
    return _written(found.document().write(choice.name), choice, told)


@blueprint.get("/search")
def search() -> Response:
    """The things of which the words of ``?q=`` are said."""
    page = choose(_PAGES).name == HTML.name
    if page and not request.args.get("q"):
        return conditional(lineage_pages.search_page(None, ""))
    text = parameters.required("q")
    found = auth.repository().search(
        text,
        project=parameters.text("project"),
        limit=parameters.number("limit", MAX_SEARCH_HITS) or SEARCH_HITS,
        timeout=parameters.seconds(),
    )
    access_log.record_projects(project for thing in found.things for project in thing.projects)
    return conditional(lineage_pages.search_page(found, text)) if page else json_response(found.to_dict())


def _asked(repo: Repository) -> str:
    return targets.asked(repo, project=parameters.text("project"))


def _way() -> _Way:
    return {
        "depth": parameters.number("depth", MAX_LINEAGE),
        "relations": parameters.values("relation"),
        "stop": parameters.values("stop"),
        "strict": parameters.flag("strict"),
        "alternates": parameters.flag("alternates"),
        "project": parameters.text("project"),
        "as_of": parameters.time_or_entry(),
        "timeout": parameters.seconds(),
    }


def _written(data: bytes, choice: Choice, told: dict[str, Any]) -> Response:
    response = Response(data, content_type=content_type(choice.media_type))
    response.headers.update(told)
    if choice.name == "rdfxml":
        # A browser would run what XML of a stranger's says in the XHTML namespace.
        response.headers["Content-Disposition"] = 'attachment; filename="lineage.rdf"'
    return conditional(response)
